/* TLS in front of the library: each connection's TCP socket is ours, and the library reads and
 * writes one end of a socket pair, of which we move the bytes through OpenSSL.
 *
 * libmicrohttpd 0.9.75 can do TLS itself, but in epoll mode it spins while a handshake waits for
 * its client, and it forwards the bytes of an upgraded connection by fours, does not tell of the
 * client's end, and at times forgets to go on. */
#include "signaling/http_internal.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signaling/log.h"

#define BUFFER_BYTES 16384
/* After our end: for the client to hang up, so that what we sent last is not lost to a reset. */
#define LINGER_MS 2000
/* Steps of one wake-up, so that one client does not keep the loop. */
#define STEPS_MAX 32

struct stretch {
    uint8_t bytes[BUFFER_BYTES];
    size_t at;
    size_t len; /* From at. */
};

struct http_tls_link {
    /* Given. */
    struct sig_http *http;
    /* Owned. */
    SSL *ssl;
    int tcp_fd;
    int plain_fd; /* Our end of the pair. */
    uv_poll_t tcp_poll;
    uv_poll_t plain_poll;
    uv_timer_t timer;
    /* Links. */
    struct http_tls_link *prev;
    struct http_tls_link *next;
    /* State. */
    struct stretch up;   /* From the client, decrypted. */
    struct stretch down; /* For the client. */
    bool is_up_over;     /* The client said that it ends, or vanished. */
    bool is_down_over;   /* The library has closed, and all of it is sent. */
    bool wants_write;    /* OpenSSL, on the TCP socket. */
    bool is_ended;
    unsigned handle_count;
};

/* Starting. */

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *in, unsigned in_len, void *data) {
    static const unsigned char ours[] = "\x08http/1.1";
    (void)ssl;
    (void)data;
    return SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_len, ours, sizeof(ours) - 1,
                                 in, in_len) == OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_NOACK;
}

/* OpenSSL does not say in words that there is no such file. */
static int check_readable(const char *path) {
    int error = access(path, R_OK) == 0 ? 0 : -errno;
    if (error != 0)
        sig_log(SIG_LOG_ERROR, NULL, "http: %s: %s", path, strerror(-error));
    return error;
}

static int complain(const char *path) {
    char reason[200];
    ERR_error_string_n(ERR_peek_last_error(), reason, sizeof(reason));
    ERR_clear_error();
    sig_log(SIG_LOG_ERROR, NULL, "http: %s: %s", path, reason);
    return -EINVAL;
}

int http_tls_create(struct ssl_ctx_st **out, const char *cert, const char *key) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    int error = context ? 0 : -ENOMEM;
    if (error == 0)
        error = check_readable(cert);
    if (error == 0)
        error = check_readable(key);
    if (error == 0 && SSL_CTX_use_certificate_chain_file(context, cert) != 1)
        error = complain(cert);
    if (error == 0 && (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 ||
                       SSL_CTX_check_private_key(context) != 1))
        error = complain(key);
    if (error != 0) {
        SSL_CTX_free(context);
        return error;
    }
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(context, on_alpn, NULL);
    *out = context;
    return 0;
}

void http_tls_destroy(struct ssl_ctx_st *context) {
    SSL_CTX_free(context);
}

/* Ending. */

static void on_handle_closed(uv_handle_t *handle) {
    struct http_tls_link *link = handle->data;
    struct sig_http *http = link->http;
    if (--link->handle_count > 0)
        return;
    free(link);
    http_release(http);
}

static void end(struct http_tls_link *link) {
    if (link->is_ended)
        return;
    link->is_ended = true;
    *(link->prev ? &link->prev->next : &link->http->tls_links) = link->next;
    if (link->next)
        link->next->prev = link->prev;
    if (link->tcp_poll.data)
        uv_close((uv_handle_t *)&link->tcp_poll, on_handle_closed);
    if (link->plain_poll.data)
        uv_close((uv_handle_t *)&link->plain_poll, on_handle_closed);
    uv_close((uv_handle_t *)&link->timer, on_handle_closed);
    SSL_free(link->ssl);
    close(link->tcp_fd);
    close(link->plain_fd);
}

static void on_timer(uv_timer_t *timer) {
    end(timer->data);
}

void http_tls_close(struct sig_http *http) {
    for (struct http_tls_link *link = http->tls_links; link; link = link->next)
        uv_timer_start(&link->timer, on_timer, LINGER_MS, 0);
}

/* Moving. Each step says whether it moved anything. */

/* Whether the call on ssl that returned result may succeed later; notes what it waits for. */
static bool may_go_on(struct http_tls_link *link, int result) {
    int error = SSL_get_error(link->ssl, result);
    ERR_clear_error();
    link->wants_write = link->wants_write || error == SSL_ERROR_WANT_WRITE;
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static bool decrypt(struct http_tls_link *link) {
    if (link->up.len > 0 || link->is_up_over)
        return false;
    int got = SSL_read(link->ssl, link->up.bytes, BUFFER_BYTES);
    if (got > 0) {
        link->up.at = 0;
        link->up.len = (size_t)got;
        return true;
    }
    if (may_go_on(link, got))
        return false;
    link->is_up_over = true;
    shutdown(link->plain_fd, SHUT_WR);
    return true;
}

static bool hand_up(struct http_tls_link *link) {
    if (link->up.len == 0)
        return false;
    ssize_t sent = send(link->plain_fd, link->up.bytes + link->up.at, link->up.len, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (sent < 0)
        sent = (ssize_t)link->up.len; /* Nobody reads any more: it is thrown away. */
    link->up.at += (size_t)sent;
    link->up.len -= (size_t)sent;
    return true;
}

/* The library has closed and all that it wrote is sent. */
static void finish_down(struct http_tls_link *link) {
    link->is_down_over = true;
    SSL_shutdown(link->ssl);
    ERR_clear_error();
    shutdown(link->tcp_fd, SHUT_WR);
    uv_timer_start(&link->timer, on_timer, LINGER_MS, 0);
}

static bool hand_down(struct http_tls_link *link) {
    if (link->down.len > 0 || link->is_down_over)
        return false;
    ssize_t got = recv(link->plain_fd, link->down.bytes, BUFFER_BYTES, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got <= 0) {
        finish_down(link);
        return true;
    }
    link->down.at = 0;
    link->down.len = (size_t)got;
    return true;
}

static bool encrypt(struct http_tls_link *link) {
    if (link->down.len == 0 || !SSL_is_init_finished(link->ssl))
        return false;
    int sent = SSL_write(link->ssl, link->down.bytes + link->down.at, (int)link->down.len);
    if (sent > 0) {
        link->down.at += (size_t)sent;
        link->down.len -= (size_t)sent;
        uv_timer_stop(&link->timer);
        return true;
    }
    if (!may_go_on(link, sent)) {
        link->down.len = 0;
        finish_down(link);
    } else if (!uv_is_active((uv_handle_t *)&link->timer)) {
        uv_timer_start(&link->timer, on_timer,
                       link->http->is_closing ? LINGER_MS : link->http->options.send_timeout_ms, 0);
    }
    return false;
}

static void on_ready(uv_poll_t *poll, int status, int events);

static void want(struct http_tls_link *link) {
    bool reads_tcp = link->up.len == 0 && !link->is_up_over;
    bool reads_plain = link->down.len == 0 && !link->is_down_over;
    uv_poll_start(&link->tcp_poll,
                  (reads_tcp ? UV_READABLE : 0) | (link->wants_write ? UV_WRITABLE : 0), on_ready);
    uv_poll_start(&link->plain_poll,
                  (reads_plain ? UV_READABLE : 0) | (link->up.len > 0 ? UV_WRITABLE : 0), on_ready);
}

/* Records that OpenSSL holds make no socket readable. */
static void on_again(uv_timer_t *timer);

static void pump(struct http_tls_link *link) {
    bool is_moving = true;
    link->wants_write = false;
    for (int step = 0; is_moving && step < STEPS_MAX; step++) {
        is_moving = decrypt(link);
        is_moving = hand_up(link) || is_moving;
        is_moving = hand_down(link) || is_moving;
        is_moving = encrypt(link) || is_moving;
    }
    if (link->is_up_over && link->is_down_over && link->up.len == 0) {
        end(link);
        return;
    }
    want(link);
    if (is_moving && !link->is_down_over)
        uv_timer_start(&link->timer, on_again, 1, 0);
}

static void on_again(uv_timer_t *timer) {
    pump(timer->data);
}

static void on_ready(uv_poll_t *poll, int status, int events) {
    (void)status; /* Errors show again when reading. */
    (void)events;
    pump(poll->data);
}

static int start_poll(struct http_tls_link *link, uv_poll_t *poll, int fd) {
    int error = uv_poll_init(link->http->loop, poll, fd);
    if (error != 0)
        return error;
    poll->data = link; /* Also the sign that there is something to close. */
    link->handle_count++;
    return 0;
}

static int start(struct http_tls_link *link) {
    link->ssl = SSL_new(link->http->tls);
    if (link->ssl == NULL || SSL_set_fd(link->ssl, link->tcp_fd) != 1)
        return -ENOMEM;
    SSL_set_accept_state(link->ssl);
    int error = start_poll(link, &link->tcp_poll, link->tcp_fd);
    return error ? error : start_poll(link, &link->plain_poll, link->plain_fd);
}

static struct http_tls_link *create(struct sig_http *http, int tcp_fd, int plain_fd) {
    struct http_tls_link *link = calloc(1, sizeof(*link));
    if (link == NULL)
        return NULL;
    link->http = http;
    link->tcp_fd = tcp_fd;
    link->plain_fd = plain_fd;
    link->next = http->tls_links;
    if (link->next)
        link->next->prev = link;
    http->tls_links = link;
    http_hold(http);
    uv_timer_init(http->loop, &link->timer);
    link->timer.data = link;
    link->handle_count = 1;
    return link;
}

int http_tls_accept(struct sig_http *http, int tcp_fd) {
    int pair[2] = {-1, -1};
    int error = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair);
    struct http_tls_link *link = error == 0 ? create(http, tcp_fd, pair[0]) : NULL;
    if (link == NULL) {
        close(tcp_fd);
        close(pair[0]);
        close(pair[1]);
        return -ENOMEM;
    }
    error = start(link);
    if (error != 0) {
        close(pair[1]);
        end(link);
        return error;
    }
    want(link);
    return pair[1];
}
