/* The embedded pages, whichever there are. */
#include "signaling/web.h"

#include "tests/unit/signaling/site.h"

static struct site *open_site(void) {
    struct site *site = site_open(NULL);
    CHECK_INT(sig_web_add_routes(site->http), 0);
    return site;
}

static void the_first_page_comes_with_its_guards(void) {
    struct site *site = open_site();
    CHECK_INT(site_ask(site, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    CHECK_STR(site_header(site, "Content-Type"), "text/html; charset=utf-8");
    CHECK_STR(site_header(site, "X-Content-Type-Options"), "nosniff");
    CHECK(strstr(site_header(site, "Content-Security-Policy"), "default-src 'self'; ") != NULL);
    CHECK(strstr(site_header(site, "Content-Security-Policy"), "frame-ancestors 'none'") != NULL);
    CHECK(strstr(site_header(site, "Permissions-Policy"), "camera=(self)") != NULL);
    CHECK(strcasestr(site_body(site), "<!doctype html>") != NULL);
    site_close(site);
}

static void a_known_page_is_not_sent_again(void) {
    struct site *site = open_site();
    char request[256];
    char etag[64];
    CHECK_INT(site_ask(site, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    snprintf(etag, sizeof(etag), "%.60s", site_header(site, "ETag"));
    CHECK_INT(strlen(etag), 34);
    snprintf(request, sizeof(request),
             "GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"x\", W/%s\r\n\r\n", etag);
    CHECK_INT(site_ask(site, request), 304);
    CHECK_STR(site_header(site, "ETag"), etag);
    CHECK_INT(site_ask(site, "GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"x\"\r\n\r\n"), 200);
    site_close(site);
}

static void other_names_are_not_found(void) {
    static const char *const paths[] = {"/static/nosuch.js",
                                        "/static/../index.html",
                                        "/static/..%2findex.html",
                                        "/static/%2e%2e",
                                        "/static/",
                                        "/static/index.html%00.js",
                                        "/index.html"};
    struct site *site = open_site();
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        char request[256];
        snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", paths[i]);
        int status = site_ask(site, request);
        CHECK(status == 404 || status == 400 || strstr(paths[i], "%00") != NULL);
    }
    site_close(site);
}

static const struct test tests[] = {
    {"the_first_page_comes_with_its_guards", the_first_page_comes_with_its_guards},
    {"a_known_page_is_not_sent_again", a_known_page_is_not_sent_again},
    {"other_names_are_not_found", other_names_are_not_found},
};

TEST_MAIN(tests)
