/* From a method and a path to a handler, or to the reply that there is none. */
#include "signaling/http_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int sig_http_add_routes(struct sig_http *http, const struct sig_http_route *routes, size_t count,
                        void *data) {
    struct http_route *all = realloc(http->routes, (http->route_count + count) * sizeof(*all));
    if (all == NULL)
        return -ENOMEM;
    http->routes = all;
    for (size_t i = 0; i < count; i++)
        all[http->route_count++] = (struct http_route){.route = &routes[i], .data = data};
    return 0;
}

/* "/calls//x/" has the segments "calls", "" and "x": one slash at the end says nothing. */
static bool cut(struct sig_http_request *request) {
    char *rest = request->segments_text;
    size_t len = strlen(rest);
    if (rest[0] != '/')
        return false;
    if (len > 1 && rest[len - 1] == '/')
        rest[len - 1] = '\0';
    for (rest++; rest != NULL; request->segment_count++) {
        if (request->segment_count == HTTP_SEGMENTS_MAX)
            return false;
        request->segments[request->segment_count] = strsep(&rest, "/");
    }
    return true;
}

static bool is_param(const char *pattern, size_t len) {
    return len > 2 && pattern[0] == '{' && pattern[len - 1] == '}';
}

static bool is_match(const struct sig_http_request *request, const char *pattern) {
    for (size_t i = 0; i < request->segment_count; i++) {
        if (*pattern++ != '/')
            return false;
        size_t len = strcspn(pattern, "/");
        const char *segment = request->segments[i];
        bool fits = is_param(pattern, len)
                        ? *segment != '\0'
                        : strlen(segment) == len && memcmp(segment, pattern, len) == 0;
        if (!fits)
            return false;
        pattern += len;
    }
    return *pattern == '\0';
}

const char *sig_http_param(const struct sig_http_request *request, const char *name) {
    const char *pattern = request->matched ? request->matched->route->path : "";
    size_t name_len = strlen(name);
    for (size_t i = 0; *pattern == '/' && i < request->segment_count; i++) {
        size_t len = strcspn(++pattern, "/");
        if (is_param(pattern, len) && len == name_len + 2 &&
            memcmp(pattern + 1, name, name_len) == 0)
            return request->segments[i];
        pattern += len;
    }
    return NULL;
}

static const struct http_route *find(const struct sig_http_request *request, const char *method) {
    const struct sig_http *http = request->connection->http;
    for (size_t i = 0; i < http->route_count; i++)
        if (strcmp(http->routes[i].route->method, method) == 0 &&
            is_match(request, http->routes[i].route->path))
            return &http->routes[i];
    return NULL;
}

/* Fills the Allow list of the path; returns one of its routes, NULL if it has none. */
static const struct http_route *list_methods(struct sig_http_request *request) {
    static const char *const methods[] = {"GET",   "HEAD",   "POST",   "PUT",
                                          "PATCH", "DELETE", "OPTIONS"};
    const struct http_route *any = NULL;
    size_t len = 0;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        const struct http_route *route = find(request, methods[i]);
        if (route == NULL && strcmp(methods[i], "HEAD") == 0)
            route = find(request, "GET");
        if (any == NULL)
            any = route;
        if (route || (any && strcmp(methods[i], "OPTIONS") == 0))
            len += (size_t)snprintf(request->allow + len, sizeof(request->allow) - len, "%s%s",
                                    len ? ", " : "", methods[i]);
    }
    return any;
}

void http_route(struct sig_http_request *request) {
    const char *method = request->method;
    bool is_options = strcmp(method, "OPTIONS") == 0;
    bool is_path = cut(request);
    const struct http_route *route = is_path ? find(request, method) : NULL;
    if (route == NULL && is_path && strcmp(method, "HEAD") == 0)
        route = find(request, "GET");
    const struct http_route *any =
        is_path && (route == NULL || is_options) ? list_methods(request) : route;
    request->matched = route ? route : any;
    if (any == NULL) {
        sig_http_error(request, 404, "not_found", "there is nothing at %.200s", request->path);
    } else if (route == NULL) {
        sig_http_add_header(request, "Allow", request->allow);
        if (is_options)
            sig_http_reply(request, 204, NULL, NULL, 0);
        else
            sig_http_error(request, 405, "method_not_allowed", "%.20s is not possible here",
                           method);
    }
}
