/* ICE servers as Link headers: <turn:host>; rel="ice-server"; username="…"; credential="…";
 * credential-type="password". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/json.h"
#include "signaling/whip_internal.h"

/* A quoted-string (RFC 9110 section 5.6.4). */
static void write_quoted(FILE *out, const char *text) {
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void add_link(struct sig_http_request *request, const char *url, const json_t *server) {
    const char *username = sig_json_text(server, "username");
    const char *credential = sig_json_text(server, "credential");
    char *text = NULL;
    size_t len = 0;
    FILE *out = strchr(url, '>') == NULL ? open_memstream(&text, &len) : NULL;
    if (out == NULL)
        return;
    fprintf(out, "<%s>; rel=\"ice-server\"", url);
    if (username != NULL && credential != NULL) {
        fputs("; username=", out);
        write_quoted(out, username);
        fputs("; credential=", out);
        write_quoted(out, credential);
        fputs("; credential-type=\"password\"", out);
    }
    if (fclose(out) == 0)
        sig_http_add_header(request, "Link", text);
    free(text);
}

void whip_add_links(struct sig_http_request *request, json_t *ice_servers) {
    size_t i;
    json_t *server;
    json_array_foreach(ice_servers, i, server) {
        /* A string or an array of strings. */
        const json_t *urls = json_object_get(server, "urls");
        if (json_is_string(urls))
            add_link(request, json_string_value(urls), server);
        for (size_t k = 0; k < json_array_size(urls); k++)
            if (json_is_string(json_array_get(urls, k)))
                add_link(request, json_string_value(json_array_get(urls, k)), server);
    }
    json_decref(ice_servers);
}
