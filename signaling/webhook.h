/* Brings the host application what happened in calls: the messages that the store keeps (see
 * webhook_events.h), each by a POST to one address until it is taken with a status of 2xx. Those of
 * one call go in their order, the next one when the one before was taken or given up; calls do not
 * wait for each other. What was not taken is tried again after 1 s, 2 s, 4 s, up to 5 min (half of
 * that is left to chance), or later if the answer says so by Retry-After, until the message is too
 * old. A message may come twice, with the same id: when its answer was lost.
 *
 * Headers: Weir-Event (type), Weir-Delivery (id), and Weir-Signature: "t=TIME,v1=HEX", where TIME
 * is seconds since 1970 when it was sent, and HEX the HMAC-SHA256 of "TIME.BODY" with the secret.
 * The receiver computes the same, compares in constant time, and refuses old times. */
#ifndef SIGNALING_WEBHOOK_H
#define SIGNALING_WEBHOOK_H

#include "signaling/fetcher.h"
#include "signaling/metrics.h"
#include "signaling/store.h"

#define SIG_WEBHOOK_IN_FLIGHT_MAX 16
#define SIG_WEBHOOK_TIMEOUT_MS 10000

struct sig_webhook;

struct sig_webhook_options {
    /* Given: borrowed for life. */
    struct sig_store *store;
    const char *url;
    const char *secret;
    unsigned max_age_s;
    uint64_t (*now_ms)(void); /* Since 1970. */

    /* Sends a request, as sig_fetcher_post does with its fetcher as ctx. */
    int (*post)(void *ctx, const struct sig_fetch_request *request, sig_fetch_done_fn done,
                void *data);
    void *ctx;
};

/* Begins with what is left from before. NULL without memory. */
struct sig_webhook *sig_webhook_create(const struct sig_webhook_options *options);

/* From now on nothing is sent; answers that still come are not waited for. NULL is fine. */
void sig_webhook_close(struct sig_webhook *webhook);

/* After the store is stopped and the fetcher closed. */
void sig_webhook_destroy(struct sig_webhook *webhook);

/* So many messages more are stored. NULL is fine. */
void sig_webhook_wake(struct sig_webhook *webhook, size_t count);

/* In how many ms it wants to be called; UINT64_MAX: never, as things are. */
uint64_t sig_webhook_wait_ms(const struct sig_webhook *webhook);
void sig_webhook_on_deadline(struct sig_webhook *webhook);

struct sig_webhook_stats {
    size_t pending;     /* Messages not taken yet. */
    uint64_t delivered; /* Messages taken, */
    uint64_t failed;    /* attempts that were not, */
    uint64_t given_up;  /* messages that became too old. */
};
void sig_webhook_stats_get(const struct sig_webhook *webhook, struct sig_webhook_stats *out);

/* Adds weir_webhook_… families; nothing for NULL. */
void sig_webhook_write_metrics(const struct sig_webhook *webhook, struct sig_metrics *metrics);

/* Until the next attempt after so many that failed; chance is 0 to 65535. */
uint64_t sig_webhook_backoff_ms(unsigned attempts, unsigned chance);

/* Writes the value of Weir-Signature. */
#define SIG_WEBHOOK_SIGNATURE_SIZE 100
void sig_webhook_sign(char out[static SIG_WEBHOOK_SIGNATURE_SIZE], const char *secret,
                      uint64_t time_s, const char *body);

#endif
