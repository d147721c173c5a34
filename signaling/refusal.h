/* Why something was refused, in the three forms that clients get it: HTTP status, stable word, and
 * words for people. One shape for the REST API, the WebSocket's `error` and WHIP. */
#ifndef SIGNALING_REFUSAL_H
#define SIGNALING_REFUSAL_H

struct sig_refusal {
    unsigned status;  /* HTTP: 400, 403, 404, 409, 422, 429, 503. */
    const char *code; /* A constant, as "not_invited". */
    char words[192];
};

/* Fills a refusal and returns -EPROTO for 409 and 422, -EBADMSG for 400, -EPERM for 403, -ENOENT
 * for 404, -EDQUOT for 429, -EBUSY for 503. */
int sig_refuse(struct sig_refusal *refusal, unsigned status, const char *code, const char *format,
               ...) __attribute__((format(printf, 4, 5)));

/* The same for running out of memory: 503 "out_of_memory". Returns -ENOMEM. */
int sig_refuse_memory(struct sig_refusal *refusal);

#endif
