#include "signaling/webhook.h"

#include <errno.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/log.h"
#include "signaling/text.h"

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MAX_MS 300000
#define LOOK_AGAIN_MS 1000 /* When the store did not answer. */

/* A message that is on its way, or about to be forgotten by the store. */
struct delivery {
    struct sig_webhook *webhook;
    struct delivery *next, **at;
    char call_id[SIG_UUID_SIZE];
    uint64_t seq;
    uint64_t created_at_ms;
    unsigned attempts;
    char event[40];
};

struct sig_webhook {
    /* Given. */
    struct sig_webhook_options options;
    /* Owned. */
    struct delivery *deliveries;
    /* State. */
    size_t in_flight;
    uint64_t look_at_ms; /* When to ask the store; UINT64_MAX: nothing waits there. */
    bool is_looking;     /* It is being asked, */
    bool is_stale;       /* and has to be asked again. */
    bool is_closed;
    /* Counters. */
    struct sig_webhook_stats stats;
};

uint64_t sig_webhook_backoff_ms(unsigned attempts, unsigned chance) {
    uint64_t ms = attempts < 20 ? (uint64_t)BACKOFF_FIRST_MS << attempts : BACKOFF_MAX_MS;
    if (ms > BACKOFF_MAX_MS)
        ms = BACKOFF_MAX_MS;
    return ms / 2 + ms / 2 * chance / 65535;
}

void sig_webhook_sign(char out[static SIG_WEBHOOK_SIGNATURE_SIZE], const char *secret,
                      uint64_t time_s, const char *body) {
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned mac_len = 0;
    char *signed_text = NULL;
    out[0] = '\0';
    int len = asprintf(&signed_text, "%llu.%s", (unsigned long long)time_s, body);
    if (len < 0)
        return;
    HMAC(EVP_sha256(), secret, (int)strlen(secret), (unsigned char *)signed_text, (size_t)len, mac,
         &mac_len);
    free(signed_text);
    int used = snprintf(out, SIG_WEBHOOK_SIGNATURE_SIZE, "t=%llu,v1=", (unsigned long long)time_s);
    for (unsigned i = 0; i < mac_len; i++)
        used += snprintf(out + used, SIG_WEBHOOK_SIGNATURE_SIZE - (size_t)used, "%02x", mac[i]);
}

static void look(struct sig_webhook *webhook);

static bool is_under_way(const struct sig_webhook *webhook, const char *call_id) {
    for (const struct delivery *each = webhook->deliveries; each; each = each->next)
        if (strcmp(each->call_id, call_id) == 0)
            return true;
    return false;
}

static struct delivery *add_delivery(struct sig_webhook *webhook,
                                     const struct sig_store_hook *hook) {
    struct delivery *delivery = calloc(1, sizeof(*delivery));
    if (!delivery)
        return NULL;
    delivery->webhook = webhook;
    snprintf(delivery->call_id, sizeof(delivery->call_id), "%s", hook->call_id);
    snprintf(delivery->event, sizeof(delivery->event), "%s", hook->event);
    delivery->seq = hook->seq;
    delivery->attempts = hook->attempts;
    delivery->created_at_ms = hook->created_at_ms;
    delivery->next = webhook->deliveries;
    delivery->at = &webhook->deliveries;
    if (delivery->next)
        delivery->next->at = &delivery->next;
    webhook->deliveries = delivery;
    webhook->in_flight++;
    return delivery;
}

static void remove_delivery(struct delivery *delivery) {
    *delivery->at = delivery->next;
    if (delivery->next)
        delivery->next->at = delivery->at;
    delivery->webhook->in_flight--;
    free(delivery);
}

/* The store knows what came of it (or will: what it could not write it makes up for): the call's
 * next one may go. */
static void on_noted(void *data, int status) {
    struct delivery *delivery = data;
    struct sig_webhook *webhook = delivery->webhook;
    (void)status;
    remove_delivery(delivery);
    look(webhook);
}

static void forget(struct delivery *delivery) {
    struct sig_webhook *webhook = delivery->webhook;
    webhook->stats.pending -= webhook->stats.pending > 0;
    sig_store_delete_hook(webhook->options.store, delivery->call_id, delivery->seq, on_noted,
                          delivery);
}

static void try_later(struct delivery *delivery, const struct sig_fetch_result *result) {
    struct sig_webhook *webhook = delivery->webhook;
    unsigned short chance = 0;
    RAND_bytes((unsigned char *)&chance, sizeof(chance));
    uint64_t wait_ms = sig_webhook_backoff_ms(delivery->attempts, chance);
    if (wait_ms < result->retry_after_s * UINT64_C(1000))
        wait_ms = result->retry_after_s * UINT64_C(1000);
    sig_store_delay_hook(webhook->options.store, delivery->call_id, delivery->seq,
                         webhook->options.now_ms() + wait_ms, on_noted, delivery);
}

static void log_failure(const struct delivery *delivery, const struct sig_fetch_result *result,
                        bool is_given_up) {
    const struct sig_log_scope scope = {.call = delivery->call_id};
    char why[120];
    if (result->status)
        snprintf(why, sizeof(why), "it answers %u", result->status);
    else
        snprintf(why, sizeof(why), "%s", result->error);
    if (is_given_up)
        sig_log(SIG_LOG_ERROR, &scope, "the webhook never took %s (%llu): %s", delivery->event,
                (unsigned long long)delivery->seq, why);
    else
        sig_log_throttled(SIG_LOG_WARN, &scope, "webhook", "the webhook did not take %s (%llu): %s",
                          delivery->event, (unsigned long long)delivery->seq, why);
}

static void on_answer(void *data, const struct sig_fetch_result *result) {
    struct delivery *delivery = data;
    struct sig_webhook *webhook = delivery->webhook;
    if (webhook->is_closed)
        return;
    if (result->status >= 200 && result->status < 300) {
        webhook->stats.delivered++;
        forget(delivery);
        return;
    }
    uint64_t age_ms = webhook->options.now_ms() - delivery->created_at_ms;
    bool is_given_up = age_ms >= webhook->options.max_age_s * UINT64_C(1000);
    webhook->stats.failed++;
    log_failure(delivery, result, is_given_up);
    if (is_given_up) {
        webhook->stats.given_up++;
        forget(delivery);
    } else {
        try_later(delivery, result);
    }
}

static void send_hook(struct delivery *delivery, const struct sig_store_hook *hook) {
    const struct sig_webhook_options *options = &delivery->webhook->options;
    char signature[SIG_WEBHOOK_SIGNATURE_SIZE];
    char lines[3][200];
    sig_webhook_sign(signature, options->secret, options->now_ms() / 1000, hook->body);
    snprintf(lines[0], sizeof(lines[0]), "Weir-Signature: %s", signature);
    snprintf(lines[1], sizeof(lines[1]), "Weir-Event: %s", hook->event);
    snprintf(lines[2], sizeof(lines[2]), "Weir-Delivery: %s", hook->id);
    /* Expect: bodies are small, and waiting for leave costs a second. */
    const char *const headers[] = {lines[0], lines[1], lines[2], "Content-Type: application/json",
                                   "Expect:"};
    const struct sig_fetch_request request = {.url = options->url,
                                              .headers = headers,
                                              .header_count = sizeof(headers) / sizeof(headers[0]),
                                              .body = hook->body,
                                              .timeout_ms = SIG_WEBHOOK_TIMEOUT_MS};
    if (options->post(options->ctx, &request, on_answer, delivery) < 0)
        on_answer(delivery, &(struct sig_fetch_result){.error = "out of memory"});
}

static void on_hooks(void *data, int status, const struct sig_store_hook *hooks, size_t count,
                     uint64_t next_due_ms) {
    struct sig_webhook *webhook = data;
    bool is_stale = webhook->is_stale;
    webhook->is_looking = webhook->is_stale = false;
    if (webhook->is_closed)
        return;
    webhook->look_at_ms = status < 0 ? webhook->options.now_ms() + LOOK_AGAIN_MS : next_due_ms;
    for (size_t i = 0; i < count && webhook->in_flight < SIG_WEBHOOK_IN_FLIGHT_MAX; i++) {
        struct delivery *delivery =
            is_under_way(webhook, hooks[i].call_id) ? NULL : add_delivery(webhook, &hooks[i]);
        if (delivery)
            send_hook(delivery, &hooks[i]);
    }
    if (is_stale)
        look(webhook);
}

/* Those under way are found as well, so twice as many are asked for. */
static void look(struct sig_webhook *webhook) {
    if (webhook->is_closed)
        return;
    webhook->is_stale = webhook->is_looking;
    if (webhook->is_looking)
        return;
    webhook->is_looking = true;
    webhook->look_at_ms = UINT64_MAX;
    sig_store_list_hooks(webhook->options.store, webhook->options.now_ms(),
                         2 * SIG_WEBHOOK_IN_FLIGHT_MAX, on_hooks, webhook);
}

static void on_counted(void *data, int count) {
    struct sig_webhook *webhook = data;
    webhook->stats.pending += count > 0 ? (size_t)count : 0;
}

struct sig_webhook *sig_webhook_create(const struct sig_webhook_options *options) {
    struct sig_webhook *webhook = calloc(1, sizeof(*webhook));
    if (!webhook)
        return NULL;
    webhook->options = *options;
    webhook->look_at_ms = UINT64_MAX;
    sig_store_count_hooks(options->store, on_counted, webhook);
    look(webhook);
    return webhook;
}

void sig_webhook_close(struct sig_webhook *webhook) {
    if (webhook)
        webhook->is_closed = true;
}

void sig_webhook_destroy(struct sig_webhook *webhook) {
    if (!webhook)
        return;
    while (webhook->deliveries)
        remove_delivery(webhook->deliveries);
    free(webhook);
}

void sig_webhook_wake(struct sig_webhook *webhook, size_t count) {
    if (!webhook || count == 0)
        return;
    webhook->stats.pending += count;
    look(webhook);
}

uint64_t sig_webhook_wait_ms(const struct sig_webhook *webhook) {
    if (!webhook || webhook->is_closed || webhook->look_at_ms == UINT64_MAX)
        return UINT64_MAX;
    uint64_t now_ms = webhook->options.now_ms();
    return webhook->look_at_ms > now_ms ? webhook->look_at_ms - now_ms : 0;
}

void sig_webhook_on_deadline(struct sig_webhook *webhook) {
    if (sig_webhook_wait_ms(webhook) == 0)
        look(webhook);
}

void sig_webhook_stats_get(const struct sig_webhook *webhook, struct sig_webhook_stats *out) {
    *out = webhook->stats;
}

void sig_webhook_write_metrics(const struct sig_webhook *webhook, struct sig_metrics *metrics) {
    if (!webhook)
        return;
    sig_metrics_gauge(metrics, "weir_webhook_pending", "Messages that the webhook has not taken.",
                      (double)webhook->stats.pending);
    sig_metrics_counter(metrics, "weir_webhook_delivered_total",
                        "Messages that the webhook has taken.", webhook->stats.delivered);
    sig_metrics_counter(metrics, "weir_webhook_failures_total",
                        "Attempts that the webhook did not take.", webhook->stats.failed);
    sig_metrics_counter(metrics, "weir_webhook_given_up_total",
                        "Messages that became too old before the webhook took them.",
                        webhook->stats.given_up);
}
