/* JSON from outside: one strict door for HTTP bodies and WebSocket messages. */
#include "signaling/json.h"

#include <stdbool.h>
#include <stdio.h>

/* Brackets outside strings. Looked at first, because jansson descends one C frame per level. */
static bool is_too_deep(const char *text, size_t len) {
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '{' || c == '['))
            depth++;
        else if (!in_string && (c == '}' || c == ']') && depth > 0)
            depth--;
        if (depth > SIG_JSON_DEPTH_MAX)
            return true;
    }
    return false;
}

json_t *sig_json_parse(const char *text, size_t len, char *error, size_t error_size) {
    if (is_too_deep(text, len)) {
        snprintf(error, error_size, "more than %d levels deep", SIG_JSON_DEPTH_MAX);
        return NULL;
    }
    json_error_t reason;
    json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &reason);
    if (value == NULL) {
        snprintf(error, error_size, "line %d, column %d: %s", reason.line, reason.column,
                 reason.text);
        return NULL;
    }
    if (!json_is_object(value)) {
        snprintf(error, error_size, "not an object");
        json_decref(value);
        return NULL;
    }
    return value;
}

const char *sig_json_text(const json_t *object, const char *name) {
    return json_string_value(json_object_get(object, name));
}
