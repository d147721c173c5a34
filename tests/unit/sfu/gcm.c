/* AES-GCM by both libraries. */
#include "sfu/gcm.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

static const struct sfu_gcm_library *const libraries[] = {&sfu_gcm_openssl, &sfu_gcm_multibuffer};

enum { LIBRARIES = 2, ROOM = 1600 };

static bool is_here(size_t library) {
    return libraries[library]->usable();
}

/* McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B, test cases 4 and 16. */
static void encrypts_the_published_cases(void) {
    static const char plain_hex[] =
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
    static const struct {
        const char *key, *wanted;
    } rows[] = {
        {"feffe9928665731c6d6a8f9467308308",
         "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
         "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
         "5bc94fbc3221a5db94fae95ae7121a47"},
        {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
         "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
         "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
         "76fc6ece0f4e1768cddf8853bb2d551b"},
    };
    uint8_t plain[64], aad[20], iv[12], key[32], wanted[96], out[96];
    size_t len = test_hex(plain_hex, plain, sizeof(plain));
    test_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2", aad, sizeof(aad));
    test_hex("cafebabefacedbaddecaf888", iv, sizeof(iv));
    for (size_t i = 0; i < LIBRARIES * 2; i++) {
        const struct sfu_gcm_library *library = libraries[i / 2];
        if (!library->usable())
            continue;
        size_t key_len = test_hex(rows[i % 2].key, key, sizeof(key));
        size_t wanted_len = test_hex(rows[i % 2].wanted, wanted, sizeof(wanted));
        struct sfu_gcm *gcm = library->create(key, key_len, true);
        const struct sfu_gcm_text text = {aad, sizeof(aad), NULL, 0, plain, len};
        CHECK(library->seal(gcm, iv, &text, out));
        CHECK_BYTES(out, len + SFU_GCM_TAG_LEN, wanted, wanted_len);
        library->destroy(gcm);
    }
}

static uint64_t seed = 88172645463325252;

static uint32_t random_next(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 16);
}

struct message {
    uint8_t key[32], iv[SFU_GCM_IV_LEN], aad[64], plain[ROOM];
    size_t key_len, aad_len, prefix_len, len;
};

static struct message message_random(void) {
    struct message message;
    uint8_t *bytes = (uint8_t *)&message;
    for (size_t i = 0; i < sizeof(message); i++)
        bytes[i] = (uint8_t)random_next();
    message.key_len = random_next() % 2 ? 16 : 32;
    message.aad_len = 12 + random_next() % 52;
    message.len = random_next() % 1400;
    message.prefix_len = random_next() % 20;
    if (message.prefix_len > message.len)
        message.prefix_len = message.len;
    return message;
}

static void seal(const struct sfu_gcm_library *library, const struct message *message,
                 uint8_t *out) {
    struct sfu_gcm *gcm = library->create(message->key, message->key_len, true);
    const struct sfu_gcm_text text = {.aad = message->aad,
                                      .aad_len = message->aad_len,
                                      .prefix = message->plain,
                                      .prefix_len = message->prefix_len,
                                      .body = message->plain + message->prefix_len,
                                      .body_len = message->len - message->prefix_len};
    CHECK(library->seal(gcm, message->iv, &text, out));
    library->destroy(gcm);
}

static bool opens(const struct sfu_gcm_library *library, const struct message *message,
                  uint8_t *data) {
    struct sfu_gcm *gcm = library->create(message->key, message->key_len, false);
    bool right =
        library->open(gcm, message->iv, message->aad, message->aad_len, data, message->len);
    library->destroy(gcm);
    return right;
}

static void both_libraries_write_the_same(void) {
    for (int i = 0; i < 2000 && is_here(1); i++) {
        struct message message = message_random();
        uint8_t first[ROOM], second[ROOM];
        seal(libraries[0], &message, first);
        seal(libraries[1], &message, second);
        CHECK_BYTES(first, message.len + SFU_GCM_TAG_LEN, second, message.len + SFU_GCM_TAG_LEN);
    }
}

static void each_opens_what_the_other_sealed_and_nothing_changed(void) {
    for (size_t i = 0; i < 1000; i++) {
        struct message message = message_random();
        size_t by = is_here(1) ? i % 2 : 0, reader = is_here(1) ? 1 - by : 0;
        uint8_t sealed[ROOM], changed[ROOM];
        seal(libraries[by], &message, sealed);
        memcpy(changed, sealed, sizeof(changed));
        changed[random_next() % (message.len + SFU_GCM_TAG_LEN)] ^= 1u << random_next() % 8;
        CHECK(!opens(libraries[reader], &message, changed));
        CHECK(opens(libraries[reader], &message, sealed));
        CHECK_BYTES(sealed, message.len, message.plain, message.len);
    }
}

static void the_fastest_usable_library_is_chosen(void) {
    CHECK(sfu_gcm_library() == libraries[is_here(1) ? 1 : 0]);
    CHECK(is_here(0));
}

static const struct test tests[] = {
    {"encrypts_the_published_cases", encrypts_the_published_cases},
    {"both_libraries_write_the_same", both_libraries_write_the_same},
    {"each_opens_what_the_other_sealed_and_nothing_changed",
     each_opens_what_the_other_sealed_and_nothing_changed},
    {"the_fastest_usable_library_is_chosen", the_fastest_usable_library_is_chosen},
};

TEST_MAIN(tests)
