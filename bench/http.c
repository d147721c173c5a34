#include "bench/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum { TIMEOUT_S = 20, BODY_MAX = 8 * 1024 * 1024 };

struct bench_http {
    struct bench_loop *loop;
    CURLM *multi;
    struct bench_timer timer;
    struct bench_exchange *first;
};

struct bench_exchange {
    struct bench_http *http;
    CURL *easy;
    struct curl_slist *headers;
    char *body;
    size_t len;
    char words[CURL_ERROR_SIZE];
    bench_reply_fn on_reply; /* NULL: forgotten. */
    void *ctx;
    struct bench_exchange *previous, *next;
};

/* One of curl's sockets. */
struct socket_watch {
    struct bench_watch watch; /* The first. */
    struct bench_http *http;
};

/* --- Exchanges --- */

static void exchange_free(struct bench_exchange *exchange) {
    struct bench_http *http = exchange->http;
    if (exchange->previous != NULL)
        exchange->previous->next = exchange->next;
    else
        http->first = exchange->next;
    if (exchange->next != NULL)
        exchange->next->previous = exchange->previous;
    curl_multi_remove_handle(http->multi, exchange->easy);
    curl_easy_cleanup(exchange->easy);
    curl_slist_free_all(exchange->headers);
    free(exchange->body);
    free(exchange);
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx) {
    struct bench_exchange *exchange = ctx;
    size_t len = size * count;
    char *body =
        exchange->len + len < BODY_MAX ? realloc(exchange->body, exchange->len + len + 1) : NULL;
    if (body == NULL)
        return 0;
    memcpy(body + exchange->len, data, len);
    exchange->body = body;
    exchange->len += len;
    body[exchange->len] = '\0';
    return len;
}

static void set_headers(struct bench_exchange *exchange, const struct bench_request *request) {
    char line[128];
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    if (request->type != NULL) {
        snprintf(line, sizeof(line), "Content-Type: %s", request->type);
        list = curl_slist_append(list, line);
    }
    for (const char *const *header = request->headers; header && *header; header++)
        list = curl_slist_append(list, *header);
    exchange->headers = list;
    curl_easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, list);
}

static void set_options(struct bench_exchange *exchange, const struct bench_request *request) {
    CURL *easy = exchange->easy;
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->words);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, request->waits ? 0L : (long)TIMEOUT_S);
    /* A load test goes to servers with certificates of their own making too. */
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    if (request->body != NULL)
        curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body);
}

struct bench_exchange *bench_http_send(struct bench_http *http, const struct bench_request *request,
                                       bench_reply_fn on_reply, void *ctx) {
    struct bench_exchange *exchange = calloc(1, sizeof(*exchange));
    CURL *easy = curl_easy_init();
    if (exchange == NULL || easy == NULL) {
        free(exchange);
        curl_easy_cleanup(easy);
        return NULL;
    }
    *exchange = (struct bench_exchange){
        .http = http, .easy = easy, .on_reply = on_reply, .ctx = ctx, .next = http->first};
    if (http->first != NULL)
        http->first->previous = exchange;
    http->first = exchange;
    set_headers(exchange, request);
    set_options(exchange, request);
    curl_multi_add_handle(http->multi, easy);
    return exchange;
}

void bench_http_forget(struct bench_exchange *exchange) {
    if (exchange != NULL)
        exchange->on_reply = NULL;
}

const char *bench_http_header(const struct bench_reply *reply, const char *name, size_t n) {
    struct curl_header *header;
    if (curl_easy_header(reply->exchange->easy, name, n, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return NULL;
    return header->value;
}

char *bench_http_resolve(const char *base, const char *reference) {
    CURLU *url = curl_url();
    char *resolved = NULL, *copy = NULL;
    if (url != NULL && curl_url_set(url, CURLUPART_URL, base, 0) == CURLUE_OK &&
        curl_url_set(url, CURLUPART_URL, reference, 0) == CURLUE_OK)
        curl_url_get(url, CURLUPART_URL, &resolved, 0);
    if (resolved != NULL)
        copy = strdup(resolved);
    curl_free(resolved);
    curl_url_cleanup(url);
    return copy;
}

static void end_exchange(struct bench_exchange *exchange, CURLcode code) {
    struct bench_reply reply = {
        .body = exchange->body ? exchange->body : "", .len = exchange->len, .exchange = exchange};
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &reply.status);
    if (code != CURLE_OK) {
        reply.status = 0;
        reply.words = exchange->words[0] ? exchange->words : curl_easy_strerror(code);
    }
    if (exchange->on_reply != NULL)
        exchange->on_reply(exchange->ctx, &reply);
    exchange_free(exchange);
}

/* --- Curl on the loop --- */

static void collect(struct bench_http *http) {
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        struct bench_exchange *exchange = NULL;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&exchange);
        if (exchange != NULL)
            end_exchange(exchange, code);
    }
}

static void on_ready(struct bench_watch *watch, uint32_t events) {
    struct socket_watch *own = (struct socket_watch *)watch;
    struct bench_http *http = own->http;
    int mask = (events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
               (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
               (events & EPOLLERR ? CURL_CSELECT_ERR : 0);
    int running;
    curl_multi_socket_action(http->multi, watch->fd, mask, &running);
    collect(http);
}

static void on_due(struct bench_timer *timer) {
    struct bench_http *http =
        (struct bench_http *)((char *)timer - offsetof(struct bench_http, timer));
    int running;
    curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(http);
}

static int on_timer(CURLM *multi, long timeout_ms, void *ctx) {
    struct bench_http *http = ctx;
    (void)multi;
    bench_timer_set(http->loop, &http->timer,
                    timeout_ms < 0 ? UINT64_MAX
                                   : bench_loop_now(http->loop) + (uint64_t)timeout_ms * 1000);
    return 0;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx) {
    struct bench_http *http = ctx;
    struct socket_watch *watch = socket_ctx;
    (void)easy;
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL)
            bench_loop_remove(http->loop, &watch->watch);
        free(watch);
        curl_multi_assign(http->multi, fd, NULL);
        return 0;
    }
    if (watch != NULL) {
        bench_loop_change(http->loop, &watch->watch, events);
        return 0;
    }
    watch = calloc(1, sizeof(*watch));
    if (watch == NULL)
        return -1;
    *watch = (struct socket_watch){{fd, on_ready, 0}, http};
    curl_multi_assign(http->multi, fd, watch);
    return bench_loop_add(http->loop, &watch->watch, events) < 0 ? -1 : 0;
}

int bench_http_create(struct bench_http **out, struct bench_loop *loop, long connections) {
    struct bench_http *http = calloc(1, sizeof(*http));
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM *multi = curl_multi_init();
    if (http == NULL || multi == NULL || bench_timer_init(loop, &http->timer, on_due) < 0) {
        free(http);
        curl_multi_cleanup(multi);
        return -ENOMEM;
    }
    http->loop = loop;
    http->multi = multi;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, http);
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections);
    *out = http;
    return 0;
}

void bench_http_destroy(struct bench_http *http) {
    if (http == NULL)
        return;
    while (http->first != NULL)
        exchange_free(http->first);
    curl_multi_cleanup(http->multi);
    bench_timer_deinit(http->loop, &http->timer);
    free(http);
}
