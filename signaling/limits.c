/* Limits on what one peer may take: token buckets, and connections and requests by address. */
#include "signaling/limits.h"

#include <errno.h>
#include <netinet/in.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#define US_PER_S 1000000u
#define REQUEST_BURST_S 5
#define TABLE_SIZE 4096u /* A power of two; chains take what is more. */

void sig_bucket_init(struct sig_bucket *bucket, uint32_t rate_per_s, uint32_t burst,
                     uint64_t now_us) {
    *bucket = (struct sig_bucket){.rate_per_s = rate_per_s, .burst = burst, .last_us = now_us};
    if (rate_per_s > 0)
        bucket->level_us = (uint64_t)burst * US_PER_S / rate_per_s;
}

static void refill(struct sig_bucket *bucket, uint64_t now_us) {
    uint64_t full_us = (uint64_t)bucket->burst * US_PER_S / bucket->rate_per_s;
    uint64_t gone_us = now_us > bucket->last_us ? now_us - bucket->last_us : 0;
    bucket->last_us = now_us;
    bucket->level_us = gone_us >= full_us - bucket->level_us ? full_us : bucket->level_us + gone_us;
}

bool sig_bucket_take(struct sig_bucket *bucket, uint64_t now_us) {
    if (bucket->rate_per_s == 0)
        return true;
    refill(bucket, now_us);
    uint64_t cost_us = US_PER_S / bucket->rate_per_s;
    if (bucket->level_us < cost_us)
        return false;
    bucket->level_us -= cost_us;
    return true;
}

static bool is_full(struct sig_bucket *bucket, uint64_t now_us) {
    if (bucket->rate_per_s == 0)
        return true;
    refill(bucket, now_us);
    return bucket->level_us == (uint64_t)bucket->burst * US_PER_S / bucket->rate_per_s;
}

/* What an address counts as: all bytes take part in comparing. */
struct address_key {
    uint8_t bytes[8];
    uint8_t is_v4;
};

struct address_entry {
    /* Given. */
    struct address_key key;
    /* Links. */
    struct address_entry *next;
    /* State. */
    uint32_t connections;
    struct sig_bucket requests;
};

struct sig_addresses {
    /* Given. */
    struct sig_address_limits limits;
    uint64_t seed; /* So that nobody chooses addresses that share a chain. */
    /* Owned. */
    struct address_entry *chains[TABLE_SIZE];
};

static struct address_key key_of(const struct sockaddr *address) {
    struct address_key key;
    memset(&key, 0, sizeof(key));
    if (address->sa_family == AF_INET) {
        key.is_v4 = 1;
        memcpy(key.bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        const struct in6_addr *v6 =
            &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        key.is_v4 = IN6_IS_ADDR_V4MAPPED(v6);
        memcpy(key.bytes, key.is_v4 ? v6->s6_addr + 12 : v6->s6_addr, key.is_v4 ? 4 : 8);
    }
    return key;
}

static struct address_entry **chain_of(struct sig_addresses *addresses,
                                       const struct address_key *key) {
    uint64_t hash = addresses->seed;
    for (size_t i = 0; i < sizeof(key->bytes); i++)
        hash = (hash ^ key->bytes[i]) * 0x100000001b3u;
    hash ^= key->is_v4;
    return &addresses->chains[(hash ^ hash >> 32) & (TABLE_SIZE - 1)];
}

static struct address_entry *find(struct sig_addresses *addresses, const struct address_key *key) {
    struct address_entry *entry = *chain_of(addresses, key);
    while (entry && memcmp(&entry->key, key, sizeof(*key)) != 0)
        entry = entry->next;
    return entry;
}

static struct address_entry *insert(struct sig_addresses *addresses, const struct address_key *key,
                                    uint64_t now_us) {
    struct address_entry **chain = chain_of(addresses, key);
    struct address_entry *entry = calloc(1, sizeof(*entry));
    if (entry == NULL)
        return NULL;
    entry->key = *key;
    entry->next = *chain;
    *chain = entry;
    uint32_t rate = addresses->limits.requests_per_s;
    sig_bucket_init(&entry->requests, rate, rate * REQUEST_BURST_S, now_us);
    return entry;
}

struct sig_addresses *sig_addresses_create(const struct sig_address_limits *limits) {
    struct sig_addresses *addresses = calloc(1, sizeof(*addresses));
    if (addresses == NULL)
        return NULL;
    addresses->limits = *limits;
    if (RAND_bytes((unsigned char *)&addresses->seed, sizeof(addresses->seed)) != 1)
        addresses->seed = 0xcbf29ce484222325u;
    return addresses;
}

/* Frees the entries that may go (all of them when now_us is UINT64_MAX) and unlinks them. */
static void prune(struct sig_addresses *addresses, uint64_t now_us) {
    for (size_t i = 0; i < TABLE_SIZE; i++) {
        for (struct address_entry **link = &addresses->chains[i]; *link != NULL;) {
            struct address_entry *entry = *link;
            bool may_go = entry->connections == 0 && is_full(&entry->requests, now_us);
            if (!may_go && now_us != UINT64_MAX) {
                link = &entry->next;
                continue;
            }
            *link = entry->next;
            free(entry);
        }
    }
}

void sig_addresses_destroy(struct sig_addresses *addresses) {
    if (addresses == NULL)
        return;
    prune(addresses, UINT64_MAX);
    free(addresses);
}

int sig_addresses_open(struct sig_addresses *addresses, const struct sockaddr *address,
                       uint64_t now_us) {
    struct address_key key = key_of(address);
    struct address_entry *entry = find(addresses, &key);
    if (entry == NULL)
        entry = insert(addresses, &key, now_us);
    if (entry == NULL)
        return -ENOMEM;
    if (addresses->limits.connections > 0 && entry->connections >= addresses->limits.connections)
        return -EMFILE;
    entry->connections++;
    return 0;
}

void sig_addresses_close(struct sig_addresses *addresses, const struct sockaddr *address) {
    struct address_key key = key_of(address);
    struct address_entry *entry = find(addresses, &key);
    if (entry && entry->connections > 0)
        entry->connections--;
}

bool sig_addresses_request(struct sig_addresses *addresses, const struct sockaddr *address,
                           uint64_t now_us) {
    struct address_key key = key_of(address);
    struct address_entry *entry = find(addresses, &key);
    return entry == NULL || sig_bucket_take(&entry->requests, now_us);
}

void sig_addresses_sweep(struct sig_addresses *addresses, uint64_t now_us) {
    prune(addresses, now_us);
}
