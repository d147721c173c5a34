/* What was asked: the request's life, its body and its parts. */
#include "signaling/http_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "signaling/address.h"
#include "signaling/json.h"

#define BODY_CAPACITY_MIN 1024u

struct sig_http_request *http_request_create(struct http_connection *connection,
                                             struct MHD_Connection *mhd, const char *path,
                                             const char *method) {
    struct sig_http_request *request = calloc(1, sizeof(*request));
    if (request == NULL)
        return NULL;
    request->connection = connection;
    request->mhd = mhd;
    request->method = method;
    request->path = strdup(path);
    request->segments_text = strdup(path);
    sig_address_text((struct sockaddr *)&connection->address, request->peer);
    if (request->path == NULL || request->segments_text == NULL) {
        http_request_destroy(request);
        return NULL;
    }
    return request;
}

/* The request is over. Whoever still waits for it is told. */
static void tell(struct sig_http_request *request) {
    if (request->upgrade && request->phase != HTTP_UPGRADED)
        request->upgrade->on_failed(request->upgrade_data);
    if (request->phase == HTTP_SUSPENDED && request->status == 0 && request->on_gone)
        request->on_gone(request, request->on_gone_data);
}

void http_request_destroy(struct sig_http_request *request) {
    tell(request);
    for (struct http_header *header; (header = request->headers) != NULL;) {
        request->headers = header->next;
        free(header->name);
        free(header->value);
        free(header);
    }
    if (request->response)
        MHD_destroy_response(request->response);
    free(request->path);
    free(request->segments_text);
    free(request->body);
    free(request);
}

static int reserve(struct sig_http_request *request, size_t len) {
    size_t needed = request->body_len + len + 1;
    if (needed <= request->body_capacity)
        return 0;
    size_t capacity = request->body_capacity ? request->body_capacity : BODY_CAPACITY_MIN;
    while (capacity < needed)
        capacity *= 2;
    char *body = realloc(request->body, capacity);
    if (body == NULL)
        return -ENOMEM;
    request->body = body;
    request->body_capacity = capacity;
    return 0;
}

int http_request_receive(struct sig_http_request *request, const char *data, size_t len) {
    size_t max = request->connection->http->options.max_body_bytes;
    if (request->is_body_too_big || request->status != 0 || len > max - request->body_len) {
        /* The reply waits for the end of the body, unless there is none in sight. */
        request->is_body_too_big = request->status == 0;
        request->discarded += len;
        return request->discarded > 2 * max ? -EMSGSIZE : 0;
    }
    if (reserve(request, len) != 0)
        return -ENOMEM;
    memcpy(request->body + request->body_len, data, len);
    request->body_len += len;
    request->body[request->body_len] = '\0';
    return 0;
}

const char *sig_http_method(const struct sig_http_request *request) {
    return request->method;
}

const char *sig_http_path(const struct sig_http_request *request) {
    return request->path;
}

const char *sig_http_query(const struct sig_http_request *request, const char *name) {
    return MHD_lookup_connection_value(request->mhd, MHD_GET_ARGUMENT_KIND, name);
}

const char *sig_http_header(const struct sig_http_request *request, const char *name) {
    return MHD_lookup_connection_value(request->mhd, MHD_HEADER_KIND, name);
}

const char *sig_http_cookie(const struct sig_http_request *request, const char *name) {
    return MHD_lookup_connection_value(request->mhd, MHD_COOKIE_KIND, name);
}

const char *sig_http_peer(const struct sig_http_request *request) {
    return request->peer;
}

const char *sig_http_body(const struct sig_http_request *request, size_t *len) {
    *len = request->body_len;
    return request->body ? request->body : "";
}

struct sig_http *sig_http_server(const struct sig_http_request *request) {
    return request->connection->http;
}

bool sig_http_has_type(const struct sig_http_request *request, const char *content_type) {
    const char *type = sig_http_header(request, "Content-Type");
    size_t len = strlen(content_type);
    return type && strncasecmp(type, content_type, len) == 0 && strchr(" \t;", type[len]) != NULL;
}

json_t *sig_http_body_json(struct sig_http_request *request) {
    char error[160];
    if (request->body_len == 0)
        return json_object();
    if (!sig_http_has_type(request, "application/json")) {
        sig_http_error(request, 415, "media_type",
                       "the body's Content-Type must be application/json");
        return NULL;
    }
    json_t *body = sig_json_parse(request->body, request->body_len, error, sizeof(error));
    if (body == NULL)
        sig_http_error(request, 400, "malformed", "the body is no JSON object: %s", error);
    return body;
}

void sig_http_suspend(struct sig_http_request *request,
                      void (*on_gone)(struct sig_http_request *request, void *data), void *data) {
    request->is_suspend_asked = true;
    request->on_gone = on_gone;
    request->on_gone_data = data;
}
