/* Replies: made at once, handed to the library when it next asks. */
#include "signaling/http_internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/log.h"

#define ERROR_WORDS_SIZE 512
#define RETRY_AFTER_S "5"

static bool is_clean(const char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

void sig_http_add_header(struct sig_http_request *request, const char *name, const char *value) {
    if (request->status != 0)
        return;
    if (!is_clean(name) || !is_clean(value)) {
        sig_log_throttled(SIG_LOG_WARN, NULL, "http-header",
                          "http: dropped a reply's header %s: %s", name, value);
        return;
    }
    struct http_header *header = calloc(1, sizeof(*header));
    if (header == NULL)
        return;
    header->name = strdup(name);
    header->value = strdup(value);
    struct http_header **end = &request->headers;
    while (*end)
        end = &(*end)->next;
    *end = header;
}

static bool has_header(const struct sig_http_request *request, const char *name) {
    for (const struct http_header *header = request->headers; header; header = header->next)
        if (header->name && strcmp(header->name, name) == 0)
            return true;
    return false;
}

/* Fetch standard: what a page of another origin may read of the reply, and, before it asks, may
 * send. No credentials: cookies of ours are never sent along. */
static void add_cors(const struct sig_http_request *request, struct MHD_Response *response) {
    MHD_add_response_header(response, "Access-Control-Allow-Origin", "*");
    MHD_add_response_header(response, "Access-Control-Expose-Headers",
                            "Location, ETag, Link, Allow, Accept-Post, Accept-Patch, Retry-After");
    if (strcmp(request->method, "OPTIONS") != 0)
        return;
    MHD_add_response_header(response, "Access-Control-Allow-Methods", request->allow);
    MHD_add_response_header(response, "Access-Control-Allow-Headers",
                            "Authorization, Content-Type, If-Match, If-None-Match");
    MHD_add_response_header(response, "Access-Control-Max-Age", "86400");
}

void http_reply_set(struct sig_http_request *request, unsigned status,
                    struct MHD_Response *response) {
    for (const struct http_header *header = request->headers; header; header = header->next)
        if (header->name && header->value)
            MHD_add_response_header(response, header->name, header->value);
    if (request->matched && request->matched->route->cors)
        add_cors(request, response);
    request->response = response;
    request->status = status;
    if (request->phase == HTTP_SUSPENDED) {
        /* The library will ask again. */
        MHD_resume_connection(request->mhd);
        http_kick(request->connection->http);
    }
}

enum MHD_Result http_reply_queue(struct sig_http_request *request) {
    struct sig_http *http = request->connection->http;
    enum MHD_Result result = MHD_queue_response(request->mhd, request->status, request->response);
    MHD_destroy_response(request->response); /* Our reference; the library has its own. */
    request->response = NULL;
    request->phase = HTTP_REPLYING;
    http->replies[request->status / 100 % 6]++;
    sig_log(SIG_LOG_DEBUG, NULL, "http: %s %s %s: %u", request->peer, request->method,
            request->path, request->status);
    return result;
}

static void reply(struct sig_http_request *request, unsigned status, const char *content_type,
                  const void *body, size_t len, enum MHD_ResponseMemoryMode mode) {
    if (request->status != 0)
        return;
    /* The library wants to write where it says that it only reads. */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, (void *)(uintptr_t)body, mode);
    if (response == NULL) {
        sig_log_throttled(SIG_LOG_ERROR, NULL, "http-memory", "http: no memory for a reply");
        static char nothing[1];
        response = MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
        status = 500;
        if (response == NULL)
            abort();
    }
    if (content_type)
        MHD_add_response_header(response, "Content-Type", content_type);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (!has_header(request, "Cache-Control"))
        MHD_add_response_header(response, "Cache-Control", "no-store");
    http_reply_set(request, status, response);
}

void sig_http_reply(struct sig_http_request *request, unsigned status, const char *content_type,
                    const void *body, size_t len) {
    reply(request, status, content_type, len ? body : "", len, MHD_RESPMEM_MUST_COPY);
}

void sig_http_reply_static(struct sig_http_request *request, unsigned status,
                           const char *content_type, const void *body, size_t len) {
    reply(request, status, content_type, body, len, MHD_RESPMEM_PERSISTENT);
}

void sig_http_reply_json(struct sig_http_request *request, unsigned status, json_t *value) {
    static const char failed[] =
        "{\"success\": false, \"error\": \"the server has no memory left\", "
        "\"code\": \"internal\"}";
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    json_decref(value);
    if (text)
        sig_http_reply(request, status, "application/json", text, strlen(text));
    else
        sig_http_reply_static(request, 500, "application/json", failed, sizeof(failed) - 1);
    free(text);
}

void sig_http_error(struct sig_http_request *request, unsigned status, const char *code,
                    const char *format, ...) {
    char words[ERROR_WORDS_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    if ((status == 429 || status == 503) && !has_header(request, "Retry-After"))
        sig_http_add_header(request, "Retry-After", RETRY_AFTER_S);
    /* Words that quote the request may be no UTF-8, which JSON has no place for. */
    json_t *error = json_string(words);
    sig_http_reply_json(request, status,
                        json_pack("{s:b, s:o, s:s}", "success", 0, "error",
                                  error ? error : json_string("malformed request"), "code", code));
}
