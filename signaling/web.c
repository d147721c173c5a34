/* The pages and the client library, embedded into the binary from signaling/web/ (see
 * signaling/embed). */
#include "signaling/web.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#define ETAG_SIZE 36 /* 32 digits, two quotes and a NUL. */

struct web_asset {
    const char *name; /* Of the file, without its folder; NULL ends the table. */
    const char *start;
    const char *end;
};

extern const struct web_asset web_assets[];

static const struct {
    const char *suffix;
    const char *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".json", "application/json"},
    {".png", "image/png"},
};

static const char *type_of(const char *name) {
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        size_t suffix = strlen(types[i].suffix);
        if (len > suffix && strcmp(name + len - suffix, types[i].suffix) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

/* What the page may load, and what it may use: scripts and styles of our own alone, no frames
 * around it, and the devices of a call. */
static void add_security_headers(struct sig_http_request *request) {
    static const char *const headers[][2] = {
        {"Content-Security-Policy",
         "default-src 'self'; connect-src 'self' ws: wss:; media-src 'self' blob:; "
         "img-src 'self' data: blob:; style-src 'self'; object-src 'none'; "
         "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"},
        {"Referrer-Policy", "same-origin"},
        {"Permissions-Policy",
         "camera=(self), microphone=(self), display-capture=(self), geolocation=()"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
    };
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        sig_http_add_header(request, headers[i][0], headers[i][1]);
}

static void write_etag(const struct web_asset *asset, char etag[static ETAG_SIZE]) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)asset->start, (size_t)(asset->end - asset->start), digest);
    char *to = etag;
    *to++ = '"';
    for (size_t i = 0; i < 16; i++)
        to += sprintf(to, "%02x", digest[i]);
    strcpy(to, "\"");
}

/* RFC 9110 section 13.1.2: a list, compared weakly. Ours are hexadecimal, so that none is part of
 * another. */
static bool is_known(const struct sig_http_request *request, const char *etag) {
    const char *known = sig_http_header(request, "If-None-Match");
    return known && (strcmp(known, "*") == 0 || strstr(known, etag) != NULL);
}

static void reply_asset(struct sig_http_request *request, const struct web_asset *asset) {
    char etag[ETAG_SIZE];
    write_etag(asset, etag);
    add_security_headers(request);
    /* Asked for again each time, so that a new server is never met by an old page. */
    sig_http_add_header(request, "Cache-Control", "no-cache");
    sig_http_add_header(request, "ETag", etag);
    if (is_known(request, etag))
        sig_http_reply(request, 304, NULL, NULL, 0);
    else
        sig_http_reply_static(request, 200, type_of(asset->name), asset->start,
                              (size_t)(asset->end - asset->start));
}

void sig_web_reply_page(struct sig_http_request *request, const char *name) {
    for (const struct web_asset *asset = web_assets; asset->name; asset++) {
        if (strcmp(asset->name, name) == 0) {
            reply_asset(request, asset);
            return;
        }
    }
    sig_http_error(request, 404, "not_found", "there is no such page");
}

static void on_index(struct sig_http_request *request, void *data) {
    (void)data;
    sig_web_reply_page(request, "index.html");
}

static void on_client_docs(struct sig_http_request *request, void *data) {
    (void)data;
    sig_web_reply_page(request, "docs.html");
}

static void on_static(struct sig_http_request *request, void *data) {
    (void)data;
    sig_web_reply_page(request, sig_http_param(request, "name"));
}

int sig_web_add_routes(struct sig_http *http) {
    static const struct sig_http_route routes[] = {
        {"GET", "/", on_index, false},
        {"GET", "/docs/client", on_client_docs, false},
        {"GET", "/static/{name}", on_static, false},
    };
    return sig_http_add_routes(http, routes, sizeof(routes) / sizeof(routes[0]), NULL);
}
