/* A parsed offer from the inside, for the SDP files alone: its m-lines as sections, each a run of
 * attributes, all of them stretches of the offer's one copied text. What an attribute means is read
 * where it is needed. */
#ifndef SIGNALING_SDP_OFFER_H
#define SIGNALING_SDP_OFFER_H

#include "signaling/sdp.h"
#include "signaling/sdp_text.h"

/* a=name:value, or a=name with an empty value. */
struct sig_sdp_attribute {
    struct sig_sdp_text name;
    struct sig_sdp_text value;
};

enum sig_sdp_way { SIG_SDP_SENDRECV, SIG_SDP_SENDONLY, SIG_SDP_RECVONLY, SIG_SDP_INACTIVE };

/* The name of a direction, and the other side's view of it. */
const char *sig_sdp_way_name(enum sig_sdp_way way);
enum sig_sdp_way sig_sdp_way_mirror(enum sig_sdp_way way);
bool sig_sdp_way_parse(struct sig_sdp_text text, enum sig_sdp_way *out);

/* What stands between one m-line and the next; the session's part has no m-line. */
struct sig_sdp_section {
    /* The m-line. */
    struct sig_sdp_text kind;
    struct sig_sdp_text proto;
    struct sig_sdp_text formats;
    bool is_video;
    bool is_media;     /* Audio or video over a profile that we speak. */
    bool is_stopped;   /* The client refuses it: port 0 without a=bundle-only. */
    bool is_bundled;   /* In the first BUNDLE group. */
    bool allows_mixed; /* a=extmap-allow-mixed, here or for the session. */
    enum sig_sdp_way way;
    struct sig_sdp_text mid;

    /* Its attributes. */
    const struct sig_sdp_attribute *first;
    const struct sig_sdp_attribute *end;
};

struct sig_sdp_offer {
    /* Owned. */
    char *text;
    struct sig_sdp_attribute *attributes;
    struct sig_sdp_section *sections;

    /* State. */
    size_t attribute_count;
    size_t section_count;
    struct sig_sdp_section session;
    struct sig_sdp_text bundle; /* The mids of the first BUNDLE group, as written. */
};

/* The section's next attribute of that name after `after` (NULL: the first), or NULL. */
const struct sig_sdp_attribute *sig_sdp_attribute_next(const struct sig_sdp_section *section,
                                                       const struct sig_sdp_attribute *after,
                                                       const char *name);

bool sig_sdp_attribute_is_there(const struct sig_sdp_section *section, const char *name);

/* The section with this mid, or NULL. */
const struct sig_sdp_section *sig_sdp_section_find(const struct sig_sdp_offer *offer,
                                                   struct sig_sdp_text mid);

/* Fills error and returns result, a negative errno. */
int sig_sdp_refuse(struct sig_sdp_error *error, int result, const char *code, const char *format,
                   ...) __attribute__((format(printf, 4, 5)));

#endif
