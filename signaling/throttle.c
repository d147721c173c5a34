/* Limits on what a user and an address may do in a minute. The generic cell rate algorithm (ITU-T
 * I.371): all that is kept is when somebody will have paid for what they did. */
#include "signaling/throttle.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define MINUTE_US UINT64_C(60000000)
#define PRUNE_EVERY_US UINT64_C(1000000)
#define KEY_SIZE 160
#define CHAINS 4096u
#define ENTRIES_MAX 65536u /* Each is gone within a minute. */

struct entry {
    struct entry *next;
    uint64_t paid_at_us;
    char key[];
};

struct sig_throttle {
    /* Given. */
    struct sig_throttle_options options;
    /* Owned. */
    struct entry *chains[CHAINS];
    /* State. */
    size_t count;
    uint64_t pruned_at_us;
    /* Counters. */
    uint64_t refused[SIG_THROTTLE_KINDS];
};

static uint64_t monotonic_us(void) {
    return uv_hrtime() / 1000;
}

struct sig_throttle *sig_throttle_create(const struct sig_throttle_options *options) {
    struct sig_throttle *throttle = calloc(1, sizeof(*throttle));
    if (!throttle)
        return NULL;
    throttle->options = *options;
    if (!throttle->options.now_us)
        throttle->options.now_us = monotonic_us;
    return throttle;
}

/* Frees what has been paid for by then. */
static void prune(struct sig_throttle *throttle, uint64_t now_us) {
    for (size_t i = 0; i < CHAINS; i++)
        for (struct entry **link = &throttle->chains[i]; *link;) {
            struct entry *entry = *link;
            if (entry->paid_at_us > now_us) {
                link = &entry->next;
                continue;
            }
            *link = entry->next;
            throttle->count--;
            free(entry);
        }
}

void sig_throttle_destroy(struct sig_throttle *throttle) {
    if (!throttle)
        return;
    prune(throttle, UINT64_MAX);
    free(throttle);
}

static struct entry **chain_of(struct sig_throttle *throttle, const char *key) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 0x100000001b3u;
    return &throttle->chains[(hash ^ hash >> 32) % CHAINS];
}

/* The entry of this key, made when there is none; NULL: no room, or no memory. */
static struct entry *find(struct sig_throttle *throttle, const char *key, uint64_t now_us) {
    struct entry **chain = chain_of(throttle, key);
    for (struct entry *entry = *chain; entry; entry = entry->next)
        if (strcmp(entry->key, key) == 0)
            return entry;
    if (throttle->count >= ENTRIES_MAX && now_us >= throttle->pruned_at_us + PRUNE_EVERY_US) {
        throttle->pruned_at_us = now_us;
        prune(throttle, now_us);
    }
    struct entry *entry =
        throttle->count < ENTRIES_MAX ? calloc(1, sizeof(*entry) + strlen(key) + 1) : NULL;
    if (!entry)
        return NULL;
    strcpy(entry->key, key);
    entry->next = *chain;
    *chain = entry;
    throttle->count++;
    return entry;
}

/* Seconds until one more fits: what is not paid for yet may be a minute's worth. */
static unsigned wait_s(const struct entry *entry, uint64_t cost_us, uint64_t now_us) {
    uint64_t from_us = entry->paid_at_us > now_us ? entry->paid_at_us : now_us;
    uint64_t over_us = from_us + cost_us;
    return over_us <= now_us + MINUTE_US ? 0
                                         : (unsigned)((over_us - now_us - MINUTE_US) / 1000000) + 1;
}

static void pay(struct entry *entry, uint64_t cost_us, uint64_t now_us) {
    entry->paid_at_us = (entry->paid_at_us > now_us ? entry->paid_at_us : now_us) + cost_us;
}

static void write_address(char *key, size_t size, unsigned kind, const char *address) {
    struct in6_addr v6;
    if (inet_pton(AF_INET6, address, &v6) == 1 && !IN6_IS_ADDR_V4MAPPED(&v6))
        snprintf(key, size, "%u/%02x%02x%02x%02x%02x%02x%02x%02x", kind, v6.s6_addr[0],
                 v6.s6_addr[1], v6.s6_addr[2], v6.s6_addr[3], v6.s6_addr[4], v6.s6_addr[5],
                 v6.s6_addr[6], v6.s6_addr[7]);
    else
        snprintf(key, size, "%u/%s", kind, address);
}

unsigned sig_throttle_take(struct sig_throttle *throttle, enum sig_throttle_kind kind,
                           const char *user_id, const char *address) {
    uint32_t limit = throttle ? throttle->options.per_minute[kind] : 0;
    if (limit == 0)
        return 0;
    char keys[2][KEY_SIZE] = {"", ""};
    struct entry *entries[2] = {NULL, NULL};
    uint64_t now_us = throttle->options.now_us();
    uint64_t many = kind == SIG_THROTTLE_SIGN_INS ? 1 : SIG_THROTTLE_USERS_PER_ADDRESS;
    const uint64_t costs_us[2] = {MINUTE_US / limit, MINUTE_US / (limit * many)};
    unsigned longest_s = 0;
    if (user_id)
        snprintf(keys[0], sizeof(keys[0]), "%u:%s", kind, user_id);
    if (address)
        write_address(keys[1], sizeof(keys[1]), kind, address);
    for (size_t i = 0; i < 2; i++) {
        entries[i] = keys[i][0] ? find(throttle, keys[i], now_us) : NULL;
        unsigned s = entries[i] ? wait_s(entries[i], costs_us[i], now_us) : keys[i][0] ? 1 : 0;
        longest_s = s > longest_s ? s : longest_s;
    }
    for (size_t i = 0; longest_s == 0 && i < 2; i++)
        if (entries[i])
            pay(entries[i], costs_us[i], now_us);
    throttle->refused[kind] += longest_s > 0;
    return longest_s;
}

bool sig_throttle_allows(struct sig_throttle *throttle, enum sig_throttle_kind kind,
                         struct sig_http_request *request, const char *user_id) {
    unsigned s = sig_throttle_take(throttle, kind, user_id, sig_http_peer(request));
    char text[16];
    if (s == 0)
        return true;
    snprintf(text, sizeof(text), "%u", s);
    sig_http_add_header(request, "Retry-After", text);
    sig_http_error(request, 429, "rate_limited", "Too often: possible again in %u s", s);
    return false;
}

uint64_t sig_throttle_refused(const struct sig_throttle *throttle, enum sig_throttle_kind kind) {
    return throttle ? throttle->refused[kind] : 0;
}

const char *sig_throttle_name(enum sig_throttle_kind kind) {
    static const char *const names[] = {"sign_ins", "calls", "channels", "chats"};
    return names[kind];
}
