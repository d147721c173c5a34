/* libcurl says which sockets and which time it waits for, libuv waits. */
#include "signaling/fetcher.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 5000L
#define ANSWER_MAX 65536 /* Bytes of head and body each: nobody reads them. */

struct fetch {
    /* Given. */
    struct sig_fetcher *fetcher;
    sig_fetch_done_fn done;
    void *data;
    /* Owned. */
    CURL *easy;
    struct curl_slist *headers;
    /* Links. */
    struct fetch *next, **at;
    /* State. */
    size_t head_bytes, body_bytes;
    char error[CURL_ERROR_SIZE];
};

struct watch {
    uv_poll_t poll; /* First member. */
    struct sig_fetcher *fetcher;
    curl_socket_t fd;
};

struct sig_fetcher {
    /* Given. */
    uv_loop_t *loop;
    /* Owned. */
    CURLM *multi;
    uv_timer_t timer;
    struct fetch *fetches;
};

static void free_fetch(struct fetch *fetch) {
    if (fetch->at)
        *fetch->at = fetch->next;
    if (fetch->next)
        fetch->next->at = fetch->at;
    curl_multi_remove_handle(fetch->fetcher->multi, fetch->easy);
    curl_easy_cleanup(fetch->easy);
    curl_slist_free_all(fetch->headers);
    free(fetch);
}

/* An answer that is cut because it is too long is an answer all the same. */
static void finish(struct fetch *fetch, CURLcode code) {
    struct sig_fetch_result result = {.error = fetch->error};
    long status = 0;
    curl_off_t retry_after_s = 0;
    curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(fetch->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && status >= 200))
        result.status = (unsigned)status;
    if (retry_after_s > 0)
        result.retry_after_s = retry_after_s < 3600 ? (unsigned)retry_after_s : 3600;
    if (fetch->error[0] == '\0')
        result.error = curl_easy_strerror(code);
    fetch->done(fetch->data, &result);
}

static void reap(struct sig_fetcher *fetcher) {
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(fetcher->multi, &left))) {
        struct fetch *fetch = NULL;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&fetch);
        finish(fetch, code);
        free_fetch(fetch);
    }
}

static void act(struct sig_fetcher *fetcher, curl_socket_t fd, int events) {
    int running;
    curl_multi_socket_action(fetcher->multi, fd, events, &running);
    reap(fetcher);
}

static void on_timer(uv_timer_t *timer) {
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long ms, void *data) {
    struct sig_fetcher *fetcher = data;
    (void)multi;
    if (ms < 0)
        uv_timer_stop(&fetcher->timer);
    else
        uv_timer_start(&fetcher->timer, on_timer, (uint64_t)ms, 0);
    return 0;
}

static void on_poll(uv_poll_t *poll, int status, int events) {
    const struct watch *watch = (struct watch *)poll;
    int what = status < 0 ? CURL_CSELECT_ERR : 0;
    what |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
    what |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
    act(watch->fetcher, watch->fd, what);
}

static void on_unwatched(uv_handle_t *handle) {
    free(handle);
}

static struct watch *start_watch(struct sig_fetcher *fetcher, curl_socket_t fd) {
    struct watch *watch = calloc(1, sizeof(*watch));
    if (!watch || uv_poll_init_socket(fetcher->loop, &watch->poll, fd) < 0) {
        free(watch);
        return NULL;
    }
    watch->fetcher = fetcher;
    watch->fd = fd;
    curl_multi_assign(fetcher->multi, fd, watch);
    return watch;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *of_socket) {
    struct sig_fetcher *fetcher = data;
    struct watch *watch = of_socket;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch)
            uv_close((uv_handle_t *)&watch->poll, on_unwatched);
        curl_multi_assign(fetcher->multi, fd, NULL);
        return 0;
    }
    if (!watch && !(watch = start_watch(fetcher, fd)))
        return -1;
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    return uv_poll_start(&watch->poll, events, on_poll) < 0 ? -1 : 0;
}

struct sig_fetcher *sig_fetcher_create(uv_loop_t *loop) {
    struct sig_fetcher *fetcher = calloc(1, sizeof(*fetcher));
    if (!fetcher || curl_global_init(CURL_GLOBAL_DEFAULT) != 0 ||
        !(fetcher->multi = curl_multi_init())) {
        free(fetcher);
        return NULL;
    }
    fetcher->loop = loop;
    uv_timer_init(loop, &fetcher->timer);
    fetcher->timer.data = fetcher;
    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETDATA, fetcher);
    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERDATA, fetcher);
    return fetcher;
}

static void on_timer_closed(uv_handle_t *handle) {
    free(handle->data);
}

void sig_fetcher_close(struct sig_fetcher *fetcher) {
    if (!fetcher)
        return;
    while (fetcher->fetches)
        free_fetch(fetcher->fetches);
    curl_multi_cleanup(fetcher->multi);
    uv_close((uv_handle_t *)&fetcher->timer, on_timer_closed);
}

static size_t on_head(char *bytes, size_t size, size_t count, void *data) {
    struct fetch *fetch = data;
    (void)bytes;
    fetch->head_bytes += size * count;
    return fetch->head_bytes > ANSWER_MAX ? 0 : size * count;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data) {
    struct fetch *fetch = data;
    (void)bytes;
    fetch->body_bytes += size * count;
    return fetch->body_bytes > ANSWER_MAX ? 0 : size * count;
}

static bool set_headers(struct fetch *fetch, const struct sig_fetch_request *request) {
    for (size_t i = 0; i < request->header_count; i++) {
        struct curl_slist *longer = curl_slist_append(fetch->headers, request->headers[i]);
        if (!longer)
            return false;
        fetch->headers = longer;
    }
    return curl_easy_setopt(fetch->easy, CURLOPT_HTTPHEADER, fetch->headers) == CURLE_OK;
}

static bool set_options(struct fetch *fetch, const struct sig_fetch_request *request) {
    CURL *easy = fetch->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, fetch);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, fetch->error);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "weir/" WEIR_VERSION);
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body) == CURLE_OK &&
           set_headers(fetch, request);
}

int sig_fetcher_post(struct sig_fetcher *fetcher, const struct sig_fetch_request *request,
                     sig_fetch_done_fn done, void *data) {
    struct fetch *fetch = calloc(1, sizeof(*fetch));
    if (!fetch || !(fetch->easy = curl_easy_init())) {
        free(fetch);
        return -ENOMEM;
    }
    fetch->fetcher = fetcher;
    fetch->done = done;
    fetch->data = data;
    if (!set_options(fetch, request) ||
        curl_multi_add_handle(fetcher->multi, fetch->easy) != CURLM_OK) {
        free_fetch(fetch);
        return -ENOMEM;
    }
    fetch->next = fetcher->fetches;
    fetch->at = &fetcher->fetches;
    if (fetch->next)
        fetch->next->at = &fetch->next;
    fetcher->fetches = fetch;
    return 0;
}
