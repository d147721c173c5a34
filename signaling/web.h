/* The pages and the client library, embedded into the binary from signaling/web/. */
#ifndef SIGNALING_WEB_H
#define SIGNALING_WEB_H

#include <stddef.h>

#include "signaling/http.h"

/* Serves `/` as index.html, `/docs/client` as docs.html and `/static/{name}` (ETag, 304, MIME type,
 * security headers). */
int sig_web_add_routes(struct sig_http *http);

/* Replies with an embedded page, as GET /calls/{id}/ does with "call.html"; 404 if there is none.
 */
void sig_web_reply_page(struct sig_http_request *request, const char *name);

#endif
