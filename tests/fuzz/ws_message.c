/* What clients say over their WebSockets: each line of the input is a message of one of two clients
 * (by the line's first character) in a call that each input has for itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/session.h"
#include "tests/unit/signaling/meeting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn void test_fail(const char *file, int line, const char *format, ...) {
    (void)file, (void)line, (void)format;
    abort();
}

void test_check_int(const char *file, int line, const char *what, int64_t got, int64_t want) {
    (void)what;
    if (got != want)
        test_fail(file, line, "differs");
}

/* Every input is answered by messages that are JSON, which client_on_message checks. */
static void say_line(struct client *client, const char *text, size_t len) {
    char *copy = malloc(len + 1);
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (client->session)
        sig_session_receive(client->session, copy, len);
    free(copy);
}

static void say_all(struct client *clients[2], const char *text, size_t size) {
    const char *end = text + size;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;
        if (stop > text)
            say_line(clients[*text == 'B'], text + 1, (size_t)(stop - text - 1));
        text = stop + 1;
        meeting_wait(SECOND / 10);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    meeting_open(true);
    struct client *clients[2] = {client_create("ada"), client_create("bob")};
    meeting_start(clients[0], "bob", NULL);
    client_enter(clients[0]);
    client_enter(clients[1]);
    say_all(clients, (const char *)data, size);
    meeting_close();
    client_destroy(clients[0]);
    client_destroy(clients[1]);
    return 0;
}
