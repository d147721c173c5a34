#include "sfu/guard.h"

#include <string.h>

#include "sfu/network.h"

static void attach(const struct sfu_network *network, const struct sfu_udp_filter *filter) {
    for (size_t i = 0; i < network->socket_count; i++)
        sfu_udp_admit(&network->sockets[i].udp, filter);
}

static void renew(struct sfu_network *network) {
    struct sfu_guard *guard = &network->guard;
    struct sfu_engine *engine = network->config.engine;
    const struct sfu_table *table = &engine->by_address;
    guard->filter = (struct sfu_udp_filter){.key = (uint32_t)sfu_engine_random(engine) | 1};
    for (size_t i = 0; i < table->capacity; i++) {
        struct sfu_address address;
        memcpy(&address, table->entries[i].key, sizeof(address));
        if (sfu_table_at(table, i) != NULL && !address.tcp)
            sfu_udp_filter_add(&guard->filter, &address);
    }
    guard->addresses = engine->addresses_validated;
    attach(network, &guard->filter);
}

void sfu_guard_on_wakeup_end(struct sfu_network *network) {
    const struct sfu_guard *guard = &network->guard;
    if (guard->on && guard->addresses != network->config.engine->addresses_validated)
        renew(network);
}

/* How many came from nobody since the last time. */
static uint64_t count_strangers(struct sfu_network *network) {
    struct sfu_guard *guard = &network->guard;
    const struct sfu_counters *counters = &network->config.engine->counters;
    uint64_t strangers = counters->drop_unknown_address + counters->drop_dtls_unvalidated;
    uint32_t in_kernel = 0;
    for (size_t i = 0; i < network->socket_count; i++)
        in_kernel += sfu_udp_dropped(&network->sockets[i].udp);
    uint64_t since = strangers - guard->strangers;
    if (guard->on)
        since += in_kernel - guard->in_kernel;
    guard->strangers = strangers;
    guard->in_kernel = in_kernel;
    return since;
}

void sfu_guard_on_second(struct sfu_network *network) {
    struct sfu_guard *guard = &network->guard;
    bool many = count_strangers(network) >= SFU_GUARD_STRANGERS;
    guard->calm_s = many ? 0 : guard->calm_s + 1;
    bool was_on = guard->on;
    guard->on = many || (was_on && guard->calm_s < SFU_GUARD_CALM_S);
    if (guard->on)
        renew(network);
    else if (was_on)
        attach(network, NULL);
}
