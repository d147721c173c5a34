/* What a publishing m-line sends: simulcast layers by RID (RFC 8851, RFC 8853), and SSRCs by
 * a=ssrc and a=ssrc-group (RFC 5576). */
#include "signaling/sdp_media.h"

#include <errno.h>
#include <string.h>

/* How much of what a client lists is looked at. */
enum { RETRANSMISSIONS_MAX = 16, RIDS_LISTED_MAX = 16 };

struct rids {
    struct sig_sdp_text of[SFU_LAYERS_MAX];
    size_t count;
};

struct ssrcs {
    uint32_t primary[SFU_LAYERS_MAX];
    size_t count;
    bool is_simulcast;                            /* As a=ssrc-group:SIM says. */
    uint32_t retransmits[RETRANSMISSIONS_MAX][2]; /* As a=ssrc-group:FID says: primary, RTX. */
    size_t retransmit_count;
};

/* Names by which applications call their layers, from low to high. The SDP's own order is the
 * application's: nearly all write low to high too, but it is not said anywhere. */
static const char *const ladders[][3] = {
    {"q", "h", "f"},           {"l", "m", "h"},     {"low", "mid", "high"},
    {"low", "medium", "high"}, {"lo", "mid", "hi"}, {"r0", "r1", "r2"},
};

/* Whether a=rid says that the client sends this one (RFC 8851 section 4). */
static bool is_rid_sent(const struct sig_sdp_section *section, struct sig_sdp_text rid) {
    const struct sig_sdp_attribute *at = NULL;
    while ((at = sig_sdp_attribute_next(section, at, "rid")) != NULL) {
        struct sig_sdp_text rest = at->value;
        if (sig_sdp_text_equal(sig_sdp_text_word(&rest), rid))
            return sig_sdp_text_is(sig_sdp_text_word(&rest), "send");
    }
    return false;
}

/* The list behind "send" in a=simulcast:send q;h;f recv …; empty without one. */
static struct sig_sdp_text simulcast_sent(const struct sig_sdp_section *section) {
    const struct sig_sdp_attribute *at = sig_sdp_attribute_next(section, NULL, "simulcast");
    struct sig_sdp_text rest = at ? at->value : (struct sig_sdp_text){NULL, 0};
    while (rest.len > 0)
        if (sig_sdp_text_is(sig_sdp_text_word(&rest), "send"))
            return sig_sdp_text_word(&rest);
    return (struct sig_sdp_text){NULL, 0};
}

static bool is_listed(const struct rids *rids, struct sig_sdp_text rid) {
    for (size_t i = 0; i < rids->count; i++)
        if (sig_sdp_text_equal(rids->of[i], rid))
            return true;
    return false;
}

/* The RIDs sent, in the offer's order. Of alternatives ("a,b") the first is taken; "~" marks a
 * layer that is paused for now. */
static void read_rids(struct rids *out, const struct sig_sdp_section *section) {
    struct sig_sdp_text list = simulcast_sent(section);
    out->count = 0;
    for (int i = 0; i < RIDS_LISTED_MAX && list.len > 0 && out->count < SFU_LAYERS_MAX; i++) {
        struct sig_sdp_text item = sig_sdp_text_cut(&list, ';');
        struct sig_sdp_text rid = sig_sdp_text_cut(&item, ',');
        if (rid.len > 0 && rid.at[0] == '~')
            sig_sdp_text_cut(&rid, '~');
        if (is_rid_sent(section, rid) && !is_listed(out, rid))
            out->of[out->count++] = rid;
    }
}

/* The place of a RID in a ladder, or -1. */
static int rung(const char *const ladder[static 3], struct sig_sdp_text rid) {
    for (int i = 0; i < 3; i++)
        if (sig_sdp_text_is(rid, ladder[i]))
            return i;
    return -1;
}

/* Fills order with the indexes of the RIDs from low to high by this ladder; false when one of them
 * is not on it. */
static bool order_by(const char *const ladder[static 3], const struct rids *rids,
                     size_t order[static SFU_LAYERS_MAX]) {
    size_t count = 0;
    for (size_t i = 0; i < rids->count; i++)
        if (rung(ladder, rids->of[i]) < 0)
            return false;
    for (int step = 0; step < 3; step++)
        for (size_t i = 0; i < rids->count; i++)
            if (rung(ladder, rids->of[i]) == step)
                order[count++] = i;
    return count == rids->count;
}

static void order_rids(const struct rids *rids, size_t order[static SFU_LAYERS_MAX]) {
    for (size_t i = 0; i < sizeof(ladders) / sizeof(ladders[0]); i++)
        if (order_by(ladders[i], rids, order))
            return;
    for (size_t i = 0; i < rids->count; i++)
        order[i] = i;
}

static void add_primary(struct ssrcs *out, struct sig_sdp_text text) {
    uint32_t ssrc = 0;
    if (!sig_sdp_text_number(text, UINT32_MAX, &ssrc) || ssrc == 0)
        return;
    for (size_t i = 0; i < out->count; i++)
        if (out->primary[i] == ssrc)
            return;
    if (out->count < SFU_LAYERS_MAX)
        out->primary[out->count++] = ssrc;
}

static void read_group(struct ssrcs *out, struct sig_sdp_text value) {
    struct sig_sdp_text semantics = sig_sdp_text_word(&value);
    if (sig_sdp_text_is(semantics, "SIM") && !out->is_simulcast) {
        out->is_simulcast = true;
        while (value.len > 0)
            add_primary(out, sig_sdp_text_word(&value));
    } else if (sig_sdp_text_is(semantics, "FID") && out->retransmit_count < RETRANSMISSIONS_MAX) {
        uint32_t *pair = out->retransmits[out->retransmit_count];
        if (sig_sdp_text_number(sig_sdp_text_word(&value), UINT32_MAX, &pair[0]) &&
            sig_sdp_text_number(sig_sdp_text_word(&value), UINT32_MAX, &pair[1]))
            out->retransmit_count++;
    }
}

/* Primary SSRCs: what a SIM group lists, or the first of each FID group, or the first a=ssrc. */
static void read_ssrcs(struct ssrcs *out, const struct sig_sdp_section *section) {
    const struct sig_sdp_attribute *at = NULL;
    memset(out, 0, sizeof(*out));
    while ((at = sig_sdp_attribute_next(section, at, "ssrc-group")) != NULL)
        read_group(out, at->value);
    if (out->count > 0)
        return;
    for (size_t i = 0; i < out->retransmit_count && out->count < SFU_LAYERS_MAX; i++)
        if (out->retransmits[i][0] != 0)
            out->primary[out->count++] = out->retransmits[i][0];
    while (out->count == 0 && (at = sig_sdp_attribute_next(section, at, "ssrc")) != NULL) {
        struct sig_sdp_text rest = at->value;
        add_primary(out, sig_sdp_text_word(&rest));
    }
}

static uint32_t rtx_of(const struct ssrcs *ssrcs, uint32_t primary) {
    for (size_t i = 0; i < ssrcs->retransmit_count; i++)
        if (ssrcs->retransmits[i][0] == primary)
            return ssrcs->retransmits[i][1];
    return 0;
}

static void set_layer(struct sfu_media *media, const struct ssrcs *ssrcs, size_t layer,
                      size_t primary) {
    media->ssrcs[layer] = ssrcs->primary[primary];
    media->rtx_ssrcs[layer] = rtx_of(ssrcs, ssrcs->primary[primary]);
}

/* Firefox writes the SSRCs of its layers in the order of their RIDs; Chromium writes none. */
static int choose_rids(struct sfu_media *media, const struct rids *rids, const struct ssrcs *ssrcs,
                       struct sig_sdp_error *error) {
    size_t order[SFU_LAYERS_MAX];
    order_rids(rids, order);
    for (size_t i = 0; i < rids->count; i++) {
        if (!sig_sdp_text_is_token(rids->of[order[i]]) ||
            !sig_sdp_text_copy(media->rids[i], sizeof(media->rids[i]), rids->of[order[i]]))
            return sig_sdp_refuse(error, -EPROTO, "sdp_bad_rid",
                                  "a rid of m-line \"%s\" is longer than %d characters or no token",
                                  media->mid, RTP_MID_MAX);
        if (ssrcs->count == rids->count)
            set_layer(media, ssrcs, i, order[i]);
    }
    media->layer_count = (uint8_t)rids->count;
    return 0;
}

int sig_sdp_streams_choose(struct sfu_media *media, const struct sig_sdp_section *section,
                           struct sig_sdp_error *error) {
    struct rids rids;
    struct ssrcs ssrcs;
    read_rids(&rids, section);
    read_ssrcs(&ssrcs, section);
    if (rids.count > 0)
        return choose_rids(media, &rids, &ssrcs, error);
    /* Several FID groups without a word on simulcast: the others are not layers of the first. */
    media->layer_count = (uint8_t)(ssrcs.is_simulcast ? ssrcs.count : ssrcs.count > 0);
    for (size_t i = 0; i < media->layer_count; i++)
        set_layer(media, &ssrcs, i, i);
    return 0;
}

void sig_sdp_streams_write(FILE *out, const struct sfu_media *media,
                           const struct sig_sdp_section *section) {
    struct rids rids;
    if (media->layer_count == 0 || media->rids[0][0] == '\0')
        return;
    read_rids(&rids, section);
    for (size_t i = 0; i < rids.count; i++)
        fprintf(out, "a=rid:%.*s recv\r\n", SIG_SDP_PRINT(rids.of[i]));
    fputs("a=simulcast:recv ", out);
    for (size_t i = 0; i < rids.count; i++)
        fprintf(out, "%s%.*s", i ? ";" : "", SIG_SDP_PRINT(rids.of[i]));
    fputs("\r\n", out);
}
