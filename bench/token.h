/* Tokens as the host application of a server signs them: JWT (RFC 7519) with HS256. */
#ifndef BENCH_TOKEN_H
#define BENCH_TOKEN_H

#include <stddef.h>
#include <stdint.h>

/* call "": for any. The length, or 0 when it does not fit. */
size_t bench_token_write(char *out, size_t size, const char *secret, const char *user,
                         const char *call, int64_t expires_s);

#endif
