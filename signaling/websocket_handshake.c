/* The opening handshake (RFC 6455 section 4.2). */
#include "signaling/websocket_internal.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>
#include <strings.h>

#define KEY_CHARS 24 /* 16 bytes in base64. */
#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

/* Whether a comma-separated header has the token, in any case. */
static bool has_token(const char *header, const char *token) {
    size_t len = strlen(token);
    while (header && *header) {
        header += strspn(header, ", \t");
        size_t item = strcspn(header, ", \t");
        if (item == len && strncasecmp(header, token, len) == 0)
            return true;
        header += item;
    }
    return false;
}

int sig_websocket_is_asked(const struct sig_http_request *request) {
    return has_token(sig_http_header(request, "Upgrade"), "websocket");
}

static bool is_key(const char *key) {
    unsigned char nonce[KEY_CHARS];
    return key && strlen(key) == KEY_CHARS && strcmp(key + KEY_CHARS - 2, "==") == 0 &&
           key[KEY_CHARS - 3] != '=' &&
           EVP_DecodeBlock(nonce, (const unsigned char *)key, KEY_CHARS) == 18;
}

bool websocket_check_handshake(struct sig_http_request *request) {
    const char *version = sig_http_header(request, "Sec-WebSocket-Version");
    if (strcmp(sig_http_method(request), "GET") != 0 || !sig_websocket_is_asked(request) ||
        !has_token(sig_http_header(request, "Connection"), "upgrade")) {
        sig_http_add_header(request, "Upgrade", "websocket");
        sig_http_error(request, 426, "upgrade_required", "this is a WebSocket");
        return false;
    }
    if (version == NULL || strcmp(version, "13") != 0) {
        sig_http_add_header(request, "Sec-WebSocket-Version", "13");
        sig_http_error(request, 426, "websocket_version", "Sec-WebSocket-Version must be 13");
        return false;
    }
    if (!is_key(sig_http_header(request, "Sec-WebSocket-Key"))) {
        sig_http_error(request, 400, "malformed", "Sec-WebSocket-Key must be 16 bytes in base64");
        return false;
    }
    return true;
}

void websocket_accept_key(const char *key, char accept[static WEBSOCKET_ACCEPT_SIZE]) {
    char text[KEY_CHARS + sizeof(GUID)];
    unsigned char digest[SHA_DIGEST_LENGTH];
    memcpy(text, key, KEY_CHARS);
    memcpy(text + KEY_CHARS, GUID, sizeof(GUID));
    SHA1((const unsigned char *)text, sizeof(text) - 1, digest);
    EVP_EncodeBlock((unsigned char *)accept, digest, sizeof(digest));
}
