#include "sfu/hmac.h"

#include <string.h>

#include "tests/unit/test.h"

static void check(const uint8_t *key, size_t key_len, const uint8_t *data, size_t len,
                  const uint8_t expected[SFU_HMAC_LEN]) {
    struct sfu_hmac hmac;
    uint8_t digest[SFU_HMAC_LEN];
    sfu_hmac_init(&hmac, key, key_len);
    for (size_t split = 0; split <= len; split += len / 2 ? len / 2 : 1) {
        sfu_hmac_digest(&hmac, data, split, data + split, len - split, digest);
        CHECK_BYTES(digest, sizeof(digest), expected, SFU_HMAC_LEN);
    }
    sfu_hmac_digest(&hmac, data, len, NULL, 0, digest);
    CHECK_BYTES(digest, sizeof(digest), expected, SFU_HMAC_LEN);
}

/* RFC 2202 section 3, cases 1 to 3. */
static void digests_of_the_rfc(void) {
    uint8_t key[20], data[50];
    memset(key, 0x0b, sizeof(key));
    check(key, 20, (const uint8_t *)"Hi There", 8,
          (const uint8_t[]){0xb6, 0x17, 0x31, 0x86, 0x55, 0x05, 0x72, 0x64, 0xe2, 0x8b,
                            0xc0, 0xb6, 0xfb, 0x37, 0x8c, 0x8e, 0xf1, 0x46, 0xbe, 0x00});
    check((const uint8_t *)"Jefe", 4, (const uint8_t *)"what do ya want for nothing?", 28,
          (const uint8_t[]){0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f, 0xa2, 0xd2, 0x74,
                            0x16, 0xd5, 0xf1, 0x84, 0xdf, 0x9c, 0x25, 0x9a, 0x7c, 0x79});
    memset(key, 0xaa, sizeof(key));
    memset(data, 0xdd, sizeof(data));
    check(key, 20, data, sizeof(data),
          (const uint8_t[]){0x12, 0x5d, 0x73, 0x42, 0xb9, 0xac, 0x11, 0xcd, 0x91, 0xa3,
                            0x9a, 0xf4, 0x8a, 0xa1, 0x7b, 0x4f, 0x63, 0xf1, 0x75, 0xd3});
}

static const struct test tests[] = {{"digests_of_the_rfc", digests_of_the_rfc}};

TEST_MAIN(tests)
