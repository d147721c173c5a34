/* The values of options: from text into the configuration, and back. */
#include "signaling/config_options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void *field_of(const struct sig_option *option, struct sig_config *config) {
    return (char *)config + option->offset;
}

static int set_bool(const struct sig_option *option, struct sig_config *config, const char *value,
                    char *right, size_t right_size) {
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(value, words[i]) == 0) {
            *(bool *)field_of(option, config) = i % 2;
            return 0;
        }
    }
    snprintf(right, right_size, "true or false");
    return -EINVAL;
}

static int set_int(const struct sig_option *option, struct sig_config *config, const char *value,
                   char *right, size_t right_size) {
    char *end;
    errno = 0;
    long number = strtol(value, &end, 10);
    if (!isdigit((unsigned char)value[0]) || *end != '\0' || errno != 0 || number < option->min ||
        number > option->max) {
        snprintf(right, right_size, "a whole number from %d to %d", option->min, option->max);
        return -EINVAL;
    }
    *(int *)field_of(option, config) = (int)number;
    return 0;
}

static int set_word(const struct sig_option *option, struct sig_config *config, const char *value,
                    char *right, size_t right_size) {
    int len = snprintf(right, right_size, "one of");
    for (int i = 0; option->words[i]; i++) {
        if (strcmp(value, option->words[i]) == 0) {
            /* Each of our enums has the size of an int. */
            *(int *)field_of(option, config) = i;
            return 0;
        }
        if (len >= 0 && (size_t)len < right_size)
            len += snprintf(right + len, right_size - (size_t)len, "%s %s", i ? "," : "",
                            option->words[i]);
    }
    return -EINVAL;
}

static int set_text(const struct sig_option *option, struct sig_config *config, const char *value,
                    char *right, size_t right_size) {
    if (*value && option->is_right && !option->is_right(value)) {
        snprintf(right, right_size, "%s", option->right);
        return -EINVAL;
    }
    char *copy = *value ? strdup(value) : NULL;
    if (*value && copy == NULL)
        return -ENOMEM;
    char **field = field_of(option, config);
    free(*field);
    *field = copy;
    return 0;
}

static void clear_list(struct sig_config_list *list) {
    while (list->count > 0)
        free(list->items[--list->count]);
}

/* Cuts value at its commas into a list of its own; -EINVAL with what would be right. */
static int parse_list(const struct sig_option *option, char *value, struct sig_config_list *list,
                      char *right, size_t right_size) {
    char *rest = value;
    for (char *item; (item = strsep(&rest, ",")) != NULL;) {
        item += strspn(item, " \t");
        item[strcspn(item, " \t")] = '\0';
        if (*item == '\0')
            continue;
        if (option->is_right && !option->is_right(item)) {
            snprintf(right, right_size, "%s", option->right);
            return -EINVAL;
        }
        if (list->count == SIG_CONFIG_LIST_MAX) {
            snprintf(right, right_size, "a list of at most %d", SIG_CONFIG_LIST_MAX);
            return -EINVAL;
        }
        list->items[list->count] = strdup(item);
        if (list->items[list->count] == NULL)
            return -ENOMEM;
        list->count++;
    }
    return 0;
}

static int set_list(const struct sig_option *option, struct sig_config *config, const char *value,
                    bool append, char *right, size_t right_size) {
    struct sig_config_list *field = field_of(option, config);
    struct sig_config_list list = {.count = 0};
    char *copy = strdup(value);
    int error = copy ? parse_list(option, copy, &list, right, right_size) : -ENOMEM;
    free(copy);
    if (error == 0 && append && field->count + list.count > SIG_CONFIG_LIST_MAX) {
        snprintf(right, right_size, "a list of at most %d", SIG_CONFIG_LIST_MAX);
        error = -EINVAL;
    }
    if (error != 0) {
        clear_list(&list);
        return error;
    }
    if (!append)
        clear_list(field);
    for (size_t i = 0; i < list.count; i++)
        field->items[field->count++] = list.items[i];
    return 0;
}

int sig_option_set(const struct sig_option *option, struct sig_config *config, const char *value,
                   bool append, char *right, size_t right_size) {
    switch (option->kind) {
    case SIG_OPTION_BOOL:
        return set_bool(option, config, value, right, right_size);
    case SIG_OPTION_INT:
        return set_int(option, config, value, right, right_size);
    case SIG_OPTION_WORD:
        return set_word(option, config, value, right, right_size);
    case SIG_OPTION_TEXT:
        return set_text(option, config, value, right, right_size);
    case SIG_OPTION_LIST:
        return set_list(option, config, value, append, right, right_size);
    case SIG_OPTION_ACTION:
        break;
    }
    snprintf(right, right_size, "expected here");
    return -EINVAL;
}

void sig_option_clear(const struct sig_option *option, struct sig_config *config) {
    if (option->kind == SIG_OPTION_LIST) {
        clear_list(field_of(option, config));
    } else if (option->kind == SIG_OPTION_TEXT) {
        char **field = field_of(option, config);
        free(*field);
        *field = NULL;
    }
}

void sig_option_print_help(FILE *out) {
    fprintf(
        out,
        "weir " WEIR_VERSION ": group calls through a selective forwarding unit\n\n"
        "usage: weir [--NAME VALUE]...\n"
        "       weir backup FILE [--NAME VALUE]...   copies the embedded database, at any time\n\n"
        "Every option is also a line NAME = VALUE of the file that --config names, and an\n"
        "environment variable: --rtc-port is WEIR_RTC_PORT. The environment wins over the\n"
        "file, and flags win over both. Options that may be given several times also take\n"
        "a comma-separated list.\n");
    for (size_t i = 0; i < sig_option_count; i++) {
        const struct sig_option *option = &sig_options[i];
        char left[64];
        if (option->heading)
            fprintf(out, "\n%s\n", option->heading);
        snprintf(left, sizeof(left), "--%s%s%s%s", option->kind == SIG_OPTION_BOOL ? "[no-]" : "",
                 option->name, option->value ? " " : "", option->value ? option->value : "");
        fprintf(out, "  %-33s %s%s%s", left, option->help,
                option->kind == SIG_OPTION_LIST ? " (several)" : "", option->fallback ? " [" : "");
        fprintf(out, "%s%s\n", option->fallback ? option->fallback : "",
                option->fallback ? "]" : "");
    }
}

static void print_value(const struct sig_option *option, struct sig_config *config, FILE *out) {
    const void *field = field_of(option, config);
    const struct sig_config_list *list = field;
    if (option->kind == SIG_OPTION_BOOL)
        fprintf(out, "%s", *(const bool *)field ? "true" : "false");
    else if (option->kind == SIG_OPTION_INT)
        fprintf(out, "%d", *(const int *)field);
    else if (option->kind == SIG_OPTION_WORD)
        fprintf(out, "%s", option->words[*(const int *)field]);
    else if (option->kind == SIG_OPTION_TEXT)
        fprintf(out, "%s", *(char *const *)field);
    else
        for (size_t i = 0; i < list->count; i++)
            fprintf(out, "%s%s", i ? ", " : "", list->items[i]);
}

static bool is_unset(const struct sig_option *option, const struct sig_config *config) {
    const char *field = (const char *)config + option->offset;
    return option->kind == SIG_OPTION_TEXT ? *(char *const *)(const void *)field == NULL
           : option->kind == SIG_OPTION_LIST
               ? ((const struct sig_config_list *)(const void *)field)->count == 0
               : option->kind == SIG_OPTION_ACTION;
}

void sig_option_print_config(const struct sig_config *config, FILE *out) {
    struct sig_config copy = *config; /* field_of wants to write; nothing here does. */
    for (size_t i = 0; i < sig_option_count; i++) {
        const struct sig_option *option = &sig_options[i];
        if (option->kind == SIG_OPTION_ACTION || strcmp(option->name, "config") == 0)
            continue;
        bool is_left_out = is_unset(option, config) || option->is_hidden;
        fprintf(out, "%s%s =", is_left_out ? "# " : "", option->name);
        if (option->is_hidden && !is_unset(option, config))
            fprintf(out, " (set, not shown)");
        if (!is_left_out) {
            fprintf(out, " ");
            print_value(option, &copy, out);
        }
        fprintf(out, "\n");
    }
}
