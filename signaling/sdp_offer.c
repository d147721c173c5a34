/* The offer's lines and m-lines. Everything that an answer may repeat is checked here to be visible
 * ASCII, so that no text of one client can add a line to anything. */
#include "signaling/sdp_offer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const way_names[] = {"sendrecv", "sendonly", "recvonly", "inactive"};

/* RFC 8829 section 5.1.2 lists what has to be taken for the same thing. */
static const char *const protos[] = {"UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF",
                                     "TCP/DTLS/RTP/SAVP", "RTP/SAVPF",        "RTP/SAVP"};

static const struct {
    int result;
    unsigned status;
} statuses[] = {
    {-EBADMSG, 400}, {-EPROTO, 422}, {-EACCES, 403}, {-EMSGSIZE, 429}, {-ENOMEM, 503},
};

int sig_sdp_refuse(struct sig_sdp_error *error, int result, const char *code, const char *format,
                   ...) {
    error->status = 422;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        if (statuses[i].result == result)
            error->status = statuses[i].status;
    error->code = code;
    va_list args;
    va_start(args, format);
    vsnprintf(error->words, sizeof(error->words), format, args);
    va_end(args);
    return result;
}

const char *sig_sdp_way_name(enum sig_sdp_way way) {
    return way_names[way];
}

enum sig_sdp_way sig_sdp_way_mirror(enum sig_sdp_way way) {
    if (way == SIG_SDP_SENDONLY)
        return SIG_SDP_RECVONLY;
    return way == SIG_SDP_RECVONLY ? SIG_SDP_SENDONLY : way;
}

bool sig_sdp_way_parse(struct sig_sdp_text text, enum sig_sdp_way *out) {
    for (size_t i = 0; i < sizeof(way_names) / sizeof(way_names[0]); i++) {
        if (sig_sdp_text_is(text, way_names[i])) {
            *out = (enum sig_sdp_way)i;
            return true;
        }
    }
    return false;
}

const struct sig_sdp_attribute *sig_sdp_attribute_next(const struct sig_sdp_section *section,
                                                       const struct sig_sdp_attribute *after,
                                                       const char *name) {
    const struct sig_sdp_attribute *attribute = after ? after + 1 : section->first;
    for (; attribute < section->end; attribute++)
        if (sig_sdp_text_is(attribute->name, name))
            return attribute;
    return NULL;
}

bool sig_sdp_attribute_is_there(const struct sig_sdp_section *section, const char *name) {
    return sig_sdp_attribute_next(section, NULL, name) != NULL;
}

const struct sig_sdp_section *sig_sdp_section_find(const struct sig_sdp_offer *offer,
                                                   struct sig_sdp_text mid) {
    for (size_t i = 0; i < offer->section_count; i++)
        if (sig_sdp_text_equal(offer->sections[i].mid, mid))
            return &offer->sections[i];
    return NULL;
}

static bool has_control_characters(struct sig_sdp_text line) {
    for (size_t i = 0; i < line.len; i++)
        if (((unsigned char)line.at[i] < ' ' && line.at[i] != '\t') || line.at[i] == 0x7f)
            return true;
    return false;
}

static bool is_visible_ascii(struct sig_sdp_text text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] < ' ' || text.at[i] > '~')
            return false;
    return true;
}

/* Counts lines by type, and refuses what is no SDP at all, naming the line. */
static int check_lines(struct sig_sdp_offer *offer, size_t len, struct sig_sdp_error *error) {
    struct sig_sdp_text rest = {offer->text, len};
    if (len < 3 || memcmp(offer->text, "v=0", 3) != 0)
        return sig_sdp_refuse(error, -EBADMSG, "sdp_malformed", "the SDP does not begin with v=0");
    for (unsigned number = 1; rest.len > 0; number++) {
        struct sig_sdp_text line = sig_sdp_text_cut_line(&rest);
        if (line.len == 0)
            continue;
        if (line.len < 2 || line.at[1] != '=' || line.at[0] < 'a' || line.at[0] > 'z')
            return sig_sdp_refuse(error, -EBADMSG, "sdp_malformed",
                                  "line %u of the SDP is not a letter and \"=\"", number);
        if (has_control_characters(line))
            return sig_sdp_refuse(error, -EBADMSG, "sdp_malformed",
                                  "line %u of the SDP has control characters", number);
        offer->attribute_count += line.at[0] == 'a';
        offer->section_count += line.at[0] == 'm';
    }
    return 0;
}

static bool is_known_proto(struct sig_sdp_text proto) {
    for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++)
        if (sig_sdp_text_is(proto, protos[i]))
            return true;
    return false;
}

/* m=<kind> <port>[/<count>] <proto> <formats>. The port is kept as is_stopped for now. */
static bool parse_m_line(struct sig_sdp_section *section, struct sig_sdp_text value) {
    uint32_t port = 0;
    struct sig_sdp_text rest = value;
    section->kind = sig_sdp_text_word(&rest);
    struct sig_sdp_text ports = sig_sdp_text_word(&rest);
    section->proto = sig_sdp_text_word(&rest);
    section->formats = sig_sdp_text_trim(rest);
    section->is_video = sig_sdp_text_is(section->kind, "video");
    section->is_media = is_known_proto(section->proto) &&
                        (section->is_video || sig_sdp_text_is(section->kind, "audio"));
    bool has_port = sig_sdp_text_number(sig_sdp_text_cut(&ports, '/'), UINT16_MAX, &port);
    section->is_stopped = port == 0;
    return has_port && is_visible_ascii(value) && sig_sdp_text_is_token(section->kind) &&
           section->proto.len > 0 && section->formats.len > 0;
}

static void parse_attribute(struct sig_sdp_attribute *attribute, struct sig_sdp_text value) {
    attribute->value = value;
    attribute->name = sig_sdp_text_cut(&attribute->value, ':');
}

/* The second pass: fills the arrays, which are as long as check_lines counted. */
static int read_lines(struct sig_sdp_offer *offer, size_t len, struct sig_sdp_error *error) {
    struct sig_sdp_text rest = {offer->text, len};
    struct sig_sdp_attribute *next = offer->attributes;
    struct sig_sdp_section *section = &offer->session;
    struct sig_sdp_section *next_section = offer->sections;
    section->first = section->end = next;
    for (unsigned number = 1; rest.len > 0; number++) {
        struct sig_sdp_text line = sig_sdp_text_cut_line(&rest);
        if (line.len == 0)
            continue;
        struct sig_sdp_text value = {line.at + 2, line.len - 2};
        if (line.at[0] == 'a') {
            parse_attribute(next++, value);
            section->end = next;
        } else if (line.at[0] == 'm') {
            section = next_section++;
            section->first = section->end = next;
            if (!parse_m_line(section, value))
                return sig_sdp_refuse(error, -EBADMSG, "sdp_malformed",
                                      "line %u of the SDP is a malformed m-line", number);
        }
    }
    return 0;
}

static void read_way(struct sig_sdp_section *section, enum sig_sdp_way otherwise) {
    section->way = otherwise;
    for (const struct sig_sdp_attribute *at = section->first; at < section->end; at++)
        if (at->value.len == 0 && sig_sdp_way_parse(at->name, &section->way))
            return;
}

/* a=mid of every m-line: needed to answer in a BUNDLE, and what slots and tracks are called by. */
static int read_mid(struct sig_sdp_offer *offer, size_t index, struct sig_sdp_error *error) {
    struct sig_sdp_section *section = &offer->sections[index];
    const struct sig_sdp_attribute *mid = sig_sdp_attribute_next(section, NULL, "mid");
    if (mid == NULL || !sig_sdp_text_is_token(mid->value))
        return sig_sdp_refuse(error, -EBADMSG, "sdp_no_mid", "m-line %zu has no valid a=mid",
                              index + 1);
    if (mid->value.len > RTP_MID_MAX)
        return sig_sdp_refuse(error, -EPROTO, "sdp_mid_too_long",
                              "the mid of m-line %zu is longer than %d characters", index + 1,
                              RTP_MID_MAX);
    if (sig_sdp_section_find(offer, mid->value) != NULL)
        return sig_sdp_refuse(error, -EBADMSG, "sdp_double_mid",
                              "the mid \"%.*s\" of m-line %zu is another's already",
                              SIG_SDP_PRINT(mid->value), index + 1);
    section->mid = mid->value;
    return 0;
}

static int read_sections(struct sig_sdp_offer *offer, struct sig_sdp_error *error) {
    read_way(&offer->session, SIG_SDP_SENDRECV);
    for (size_t i = 0; i < offer->section_count; i++) {
        struct sig_sdp_section *section = &offer->sections[i];
        read_way(section, offer->session.way);
        section->allows_mixed = sig_sdp_attribute_is_there(section, "extmap-allow-mixed") ||
                                sig_sdp_attribute_is_there(&offer->session, "extmap-allow-mixed");
        if (sig_sdp_attribute_is_there(section, "bundle-only"))
            section->is_stopped = false;
        int result = read_mid(offer, i, error);
        if (result < 0)
            return result;
    }
    return 0;
}

/* One transport is all we give, so of several groups the first one counts. */
static int read_bundle(struct sig_sdp_offer *offer, struct sig_sdp_error *error) {
    const struct sig_sdp_attribute *group = NULL;
    while ((group = sig_sdp_attribute_next(&offer->session, group, "group")) != NULL) {
        struct sig_sdp_text mids = group->value;
        if (!sig_sdp_text_is(sig_sdp_text_word(&mids), "BUNDLE"))
            continue;
        offer->bundle = mids;
        break;
    }
    struct sig_sdp_text rest = offer->bundle;
    for (size_t i = 0; rest.len > 0 && i < offer->section_count; i++) {
        struct sig_sdp_text mid = sig_sdp_text_word(&rest);
        for (size_t k = 0; k < offer->section_count; k++)
            if (mid.len > 0 && sig_sdp_text_equal(offer->sections[k].mid, mid))
                offer->sections[k].is_bundled = true;
    }
    if (group == NULL && offer->section_count > 1)
        return sig_sdp_refuse(error, -EPROTO, "sdp_no_bundle",
                              "several m-lines need a=group:BUNDLE: there is one transport");
    if (group == NULL)
        offer->sections[0].is_bundled = true;
    return 0;
}

static int check_counts(const struct sig_sdp_offer *offer, size_t max_mlines,
                        struct sig_sdp_error *error) {
    if (offer->section_count == 0)
        return sig_sdp_refuse(error, -EBADMSG, "sdp_no_media", "the SDP has no m-line");
    if (offer->section_count > max_mlines)
        return sig_sdp_refuse(error, -EMSGSIZE, "too_many_mlines",
                              "the offer has %zu m-lines; at most %zu are taken",
                              offer->section_count, max_mlines);
    return 0;
}

static bool allocate(struct sig_sdp_offer *offer) {
    offer->attributes = calloc(offer->attribute_count + 1, sizeof(*offer->attributes));
    offer->sections = calloc(offer->section_count + 1, sizeof(*offer->sections));
    return offer->attributes != NULL && offer->sections != NULL;
}

static int parse(struct sig_sdp_offer *offer, size_t len, size_t max_mlines,
                 struct sig_sdp_error *error) {
    int result = check_lines(offer, len, error);
    if (result == 0)
        result = check_counts(offer, max_mlines, error);
    if (result < 0)
        return result;
    if (!allocate(offer))
        return sig_sdp_refuse(error, -ENOMEM, "no_memory", "out of memory");
    result = read_lines(offer, len, error);
    if (result == 0)
        result = read_sections(offer, error);
    return result < 0 ? result : read_bundle(offer, error);
}

int sig_sdp_offer_parse(const char *text, size_t len, size_t max_mlines, struct sig_sdp_offer **out,
                        struct sig_sdp_error *error) {
    struct sig_sdp_offer *offer = calloc(1, sizeof(*offer));
    if (offer != NULL)
        offer->text = malloc(len + 1);
    if (offer == NULL || offer->text == NULL) {
        free(offer);
        return sig_sdp_refuse(error, -ENOMEM, "no_memory", "out of memory");
    }
    if (len > 0)
        memcpy(offer->text, text, len);
    offer->text[len] = '\0';
    int result = parse(offer, len, max_mlines, error);
    if (result < 0) {
        sig_sdp_offer_destroy(offer);
        return result;
    }
    *out = offer;
    return 0;
}

void sig_sdp_offer_destroy(struct sig_sdp_offer *offer) {
    if (offer == NULL)
        return;
    free(offer->sections);
    free(offer->attributes);
    free(offer->text);
    free(offer);
}
