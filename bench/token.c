#include "bench/token.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

/* RFC 7515 section 2: base64url without padding. */
static size_t encode(char *out, size_t size, const void *data, size_t len) {
    if (len / 3 * 4 + 5 > size)
        return 0;
    size_t out_len = (size_t)EVP_EncodeBlock((unsigned char *)out, data, (int)len);
    while (out_len > 0 && out[out_len - 1] == '=')
        out_len--;
    for (size_t i = 0; i < out_len; i++)
        out[i] = out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i];
    out[out_len] = '\0';
    return out_len;
}

static size_t write_claims(char *out, size_t size, const char *user, const char *call,
                           int64_t expires_s) {
    char claims[384];
    const char *before = call[0] ? ",\"call\":\"" : "";
    int len = snprintf(claims, sizeof(claims),
                       "{\"sub\":\"%s\",\"name\":\"%s\",\"exp\":%" PRId64 "%s%s%s}", user, user,
                       expires_s, before, call, call[0] ? "\"" : "");
    return len > 0 && (size_t)len < sizeof(claims) ? encode(out, size, claims, (size_t)len) : 0;
}

size_t bench_token_write(char *out, size_t size, const char *secret, const char *user,
                         const char *call, int64_t expires_s) {
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    unsigned char mac[32];
    unsigned mac_len = sizeof(mac);
    size_t len = encode(out, size, header, sizeof(header) - 1);
    if (len == 0 || len + 1 >= size)
        return 0;
    out[len++] = '.';
    size_t claims_len = write_claims(out + len, size - len, user, call, expires_s);
    len += claims_len;
    if (claims_len == 0 || len + 1 >= size ||
        HMAC(EVP_sha256(), secret, (int)strlen(secret), (unsigned char *)out, len, mac, &mac_len) ==
            NULL)
        return 0;
    out[len++] = '.';
    size_t mac_text_len = encode(out + len, size - len, mac, mac_len);
    return mac_text_len ? len + mac_text_len : 0;
}
