/* What a channel may be called. */
#ifndef SIGNALING_CHANNELS_H
#define SIGNALING_CHANNELS_H

#include <stddef.h>

#define SIG_CHANNEL_NAME_CHARS_MAX 64
#define SIG_CHANNEL_NAME_SIZE (SIG_CHANNEL_NAME_CHARS_MAX * 4 + 1)

/* As many as a listing holds. */
#define SIG_CHANNELS_MAX 1000

/* Writes the name without the blanks around it, and with each row of blanks inside as one space, so
 * that no two names look the same by them. 0, or -EBADMSG: nothing is left, more than 64
 * characters, or characters that a name may not have (see sig_text_is_name). */
int sig_channel_name_read(const char *text, size_t len, char out[static SIG_CHANNEL_NAME_SIZE]);

#endif
