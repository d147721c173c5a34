#include "signaling/channels.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "signaling/text.h"

/* The blanks that people type: the space, the one that does not break, and the ideographic one. */
static size_t blank_len(const char *at, size_t len) {
    static const char *const blanks[] = {" ", "\xc2\xa0", "\xe3\x80\x80"};
    for (size_t i = 0; i < sizeof(blanks) / sizeof(blanks[0]); i++) {
        size_t size = strlen(blanks[i]);
        if (size <= len && memcmp(at, blanks[i], size) == 0)
            return size;
    }
    return 0;
}

int sig_channel_name_read(const char *text, size_t len, char out[static SIG_CHANNEL_NAME_SIZE]) {
    char name[SIG_CHANNEL_NAME_SIZE];
    size_t used = 0;
    bool has_gap = false;
    for (size_t at = 0; at < len;) {
        size_t blank = blank_len(text + at, len - at);
        if (blank > 0) {
            has_gap = used > 0;
            at += blank;
            continue;
        }
        if (used + has_gap + 2 > sizeof(name))
            return -EBADMSG;
        if (has_gap)
            name[used++] = ' ';
        has_gap = false;
        name[used++] = text[at++];
    }
    if (!sig_text_is_name(name, used, SIG_CHANNEL_NAME_CHARS_MAX))
        return -EBADMSG;
    memcpy(out, name, used);
    out[used] = '\0';
    return 0;
}
