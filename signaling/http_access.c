/* What the library tells of connections and requests, from the headers to the reply. */
#include "signaling/http_internal.h"

#include <stdlib.h>

#include "signaling/log.h"

static void set_deadline(struct http_connection *connection, unsigned timeout_ms,
                         enum http_refusal missed) {
    connection->deadline_us = http_now_us(connection->http) + (uint64_t)timeout_ms * 1000;
    connection->missed = missed;
}

/* Before the body: whether its announced size alone is reason enough to answer now. */
static bool is_answered_early(struct sig_http_request *request) {
    size_t max = request->connection->http->options.max_body_bytes;
    const char *length = sig_http_header(request, "Content-Length");
    bool is_huge = length && strtoull(length, NULL, 10) > 2 * (unsigned long long)max;
    if (is_huge && request->status == 0) {
        request->connection->http->refusals[HTTP_REFUSED_BODY]++;
        sig_http_error(request, 413, "too_large", "the body may have %zu bytes", max);
    }
    /* Who asks for leave to send a body is told at once; others are let finish, since a reply while
     * they still send may be lost on the way. */
    return is_huge || (request->status != 0 && sig_http_header(request, "Expect") != NULL);
}

static enum MHD_Result hand_over(struct sig_http_request *request) {
    struct http_connection *connection = request->connection;
    set_deadline(connection, connection->http->options.send_timeout_ms, HTTP_REFUSED_SEND);
    return http_reply_queue(request);
}

static enum MHD_Result begin(struct http_connection *connection, struct MHD_Connection *mhd,
                             const char *url, const char *method, void **context) {
    struct sig_http *http = connection->http;
    struct sig_http_request *request = http_request_create(connection, mhd, url, method);
    if (request == NULL)
        return MHD_NO;
    *context = request;
    connection->request = request;
    set_deadline(connection, http->options.receive_timeout_ms, HTTP_REFUSED_RECEIVE);
    if (http->is_closing) {
        sig_http_error(request, 503, "closing", "the server is closing");
    } else if (!sig_addresses_request(http->addresses, (struct sockaddr *)&connection->address,
                                      http_now_us(http))) {
        http->refusals[HTTP_REFUSED_REQUEST]++;
        sig_http_error(request, 429, "too_many_requests", "too many requests from your address");
    } else {
        http_route(request);
    }
    return is_answered_early(request) ? hand_over(request) : MHD_YES;
}

static enum MHD_Result handle(struct sig_http_request *request) {
    struct http_connection *connection = request->connection;
    request->phase = HTTP_HANDLING;
    connection->deadline_us = HTTP_NO_DEADLINE;
    if (request->is_body_too_big) {
        connection->http->refusals[HTTP_REFUSED_BODY]++;
        sig_http_error(request, 413, "too_large", "the body may have %zu bytes",
                       connection->http->options.max_body_bytes);
    }
    if (request->status == 0)
        request->matched->route->handler(request, request->matched->data);
    if (request->status != 0)
        return hand_over(request);
    if (!request->is_suspend_asked) {
        sig_log(SIG_LOG_ERROR, NULL, "http: %s %s was not answered by its handler", request->method,
                request->path);
        sig_http_error(request, 500, "internal", "the server made a mistake");
        return hand_over(request);
    }
    request->phase = HTTP_SUSPENDED;
    set_deadline(connection, connection->http->options.answer_timeout_ms, HTTP_REFUSED_ANSWER);
    MHD_suspend_connection(request->mhd);
    return MHD_YES;
}

enum MHD_Result http_on_access(void *data, struct MHD_Connection *mhd, const char *url,
                               const char *method, const char *version, const char *upload,
                               size_t *upload_size, void **context) {
    struct sig_http_request *request = *context;
    (void)data;
    (void)version;
    if (request == NULL) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
        return info ? begin(info->socket_context, mhd, url, method, context) : MHD_NO;
    }
    if (*upload_size > 0) {
        int error = http_request_receive(request, upload, *upload_size);
        *upload_size = 0;
        return error == 0 ? MHD_YES : MHD_NO;
    }
    if (request->phase == HTTP_RECEIVING)
        return handle(request);
    return request->response ? hand_over(request) : MHD_YES;
}

void http_on_completed(void *data, struct MHD_Connection *mhd, void **context,
                       enum MHD_RequestTerminationCode why) {
    struct sig_http_request *request = *context;
    (void)data;
    (void)mhd;
    (void)why;
    if (request == NULL)
        return;
    struct http_connection *connection = request->connection;
    *context = NULL;
    connection->request = NULL;
    set_deadline(connection, connection->http->options.receive_timeout_ms, HTTP_REFUSED_RECEIVE);
    http_request_destroy(request);
}

void http_on_connection(void *data, struct MHD_Connection *mhd, void **context,
                        enum MHD_ConnectionNotificationCode what) {
    struct sig_http *http = data;
    struct http_connection *connection = *context;
    (void)mhd;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = http->accepting;
        http->accepting = NULL;
    } else if (connection) {
        *context = NULL;
        http_connection_unlink(connection);
    }
}

void http_connection_unlink(struct http_connection *connection) {
    struct sig_http *http = connection->http;
    if (connection->prev)
        connection->prev->next = connection->next;
    else
        http->connections = connection->next;
    if (connection->next)
        connection->next->prev = connection->prev;
    http->connection_count--;
    sig_addresses_close(http->addresses, (struct sockaddr *)&connection->address);
    free(connection);
}

void http_on_missed(struct http_connection *connection) {
    struct sig_http_request *request = connection->request;
    connection->http->refusals[connection->missed]++;
    connection->deadline_us = HTTP_NO_DEADLINE;
    if (connection->missed != HTTP_REFUSED_ANSWER) {
        /* The library sees the end of the stream and cleans up. */
        shutdown(connection->fd, SHUT_RDWR);
        return;
    }
    sig_log_throttled(SIG_LOG_WARN, NULL, "http-answer", "http: %s %s was not answered in time",
                      request->method, request->path);
    if (request->on_gone)
        request->on_gone(request, request->on_gone_data);
    sig_http_error(request, 503, "timeout", "the server could not answer in time");
}
