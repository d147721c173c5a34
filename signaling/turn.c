#include "signaling/turn.h"

#include "signaling/auth.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

static json_t *stun_server(const char *address) {
    return json_pack("{s:[o]}", "urls", json_sprintf("stun:%s", address));
}

static json_t *turn_server(const struct sig_config *config, const char *user_id, uint64_t now_s) {
    char user[SIG_USER_ID_SIZE + 24];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned char password[2 * EVP_MAX_MD_SIZE];
    unsigned length = 0;
    snprintf(user, sizeof(user), "%" PRIu64 ":%s", now_s + SIG_TURN_LIFETIME_S, user_id);
    if (!HMAC(EVP_sha1(), config->turn_secret, (int)strlen(config->turn_secret),
              (const unsigned char *)user, strlen(user), digest, &length))
        return NULL;
    EVP_EncodeBlock(password, digest, (int)length);
    return json_pack("{s:[s], s:s, s:s}", "urls", config->turn_url, "username", user, "credential",
                     (const char *)password);
}

json_t *sig_turn_servers(const struct sig_config *config, const char *user_id, uint64_t now_s) {
    json_t *servers = json_array();
    if (config->stun)
        json_array_append_new(servers, stun_server(config->stun));
    if (config->turn_url && config->turn_secret)
        json_array_append_new(servers, turn_server(config, user_id, now_s));
    return servers;
}
