/* Names as they are compared when case does not count, the same in every database. */
#include <glib.h>

#include "signaling/store_internal.h"

char *sig_store_fold(struct sig_arena *arena, const char *text) {
    char *folded = g_utf8_casefold(text, -1);
    char *out = sig_arena_text(arena, folded);
    g_free(folded);
    return out;
}

char *sig_store_pattern(struct sig_arena *arena, const char *part) {
    char *folded = g_utf8_casefold(part, -1);
    char *out = sig_arena_alloc(arena, strlen(folded) * 2 + 3), *to = out;
    if (out) {
        *to++ = '%';
        for (const char *from = folded; *from; from++) {
            if (*from == '%' || *from == '_' || *from == '!')
                *to++ = '!';
            *to++ = *from;
        }
        *to = '%';
    }
    g_free(folded);
    return out;
}
