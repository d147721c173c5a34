/* Requests to other servers over HTTP and HTTPS, by libcurl inside a libuv loop. Redirects are not
 * followed, and of an answer only the status counts. On the loop's thread. */
#ifndef SIGNALING_FETCHER_H
#define SIGNALING_FETCHER_H

#include <stddef.h>
#include <uv.h>

struct sig_fetcher;

struct sig_fetch_request {
    /* Given: copied. */
    const char *url;
    const char *const *headers; /* "Name: value". */
    size_t header_count;
    const char *body; /* Text, sent by POST. */
    unsigned timeout_ms;
};

struct sig_fetch_result {
    unsigned status;        /* 0: there was no answer, and error says why. */
    unsigned retry_after_s; /* What the answer asked for; 0: nothing. */
    const char *error;
};
typedef void (*sig_fetch_done_fn)(void *data, const struct sig_fetch_result *result);

/* NULL without memory. */
struct sig_fetcher *sig_fetcher_create(uv_loop_t *loop);

/* Calls done once, in a later turn of the loop, unless the fetcher is closed before. 0 or -ENOMEM.
 */
int sig_fetcher_post(struct sig_fetcher *fetcher, const struct sig_fetch_request *request,
                     sig_fetch_done_fn done, void *data);

/* Gives up what is under way, without calling done, and frees itself when the loop has turned. NULL
 * is fine. */
void sig_fetcher_close(struct sig_fetcher *fetcher);

#endif
