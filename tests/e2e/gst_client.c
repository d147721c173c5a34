/* GStreamer's webrtcbin as a WHIP publisher or a WHEP player; the test does the HTTP.
 *
 *   gst_client publish R,G,B HZ     sends a picture of one colour and a tone
 *   gst_client play                 reports what it decodes
 *
 * One JSON object per line: to stdout {"offer": sdp} with all candidates, then {"connection":
 * state} and every half second {"frames", "rgb": [r, g, b], "samples", "hz"}; from stdin {"answer":
 * sdp}. The end of stdin ends it. Reports come from GStreamer's threads and the main loop: the
 * counts are under a lock. */
#define GST_USE_UNSTABLE_API
#include <agent.h>
#include <gst/gst.h>
#include <gst/sdp/sdp.h>
#include <gst/webrtc/webrtc.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUDIO_RATE 48000
#define REPORT_MS 500

struct client {
    /* Owned. */
    GMainLoop *loop;
    GstElement *pipeline;
    GstElement *webrtc;
    GIOChannel *input;
    /* State. */
    bool offered;
    /* Counters, under the lock. */
    GMutex lock;
    uint64_t frames;
    int rgb[3];
    uint64_t samples;
    int hz;
};

static void print_json(json_t *value) {
    char *text = json_dumps(value, JSON_COMPACT);
    printf("%s\n", text);
    fflush(stdout);
    free(text);
    json_decref(value);
}

static _Noreturn void give_up(const char *why) {
    fprintf(stderr, "gst_client: %s\n", why);
    exit(1);
}

/* ---- What is sent ---- */

static char *describe_publisher(const char *rgb_text, const char *hz_text) {
    unsigned r;
    unsigned g;
    unsigned b;
    if (sscanf(rgb_text, "%3u,%3u,%3u", &r, &g, &b) != 3) /* A test's own argument. */
        give_up("the colour is R,G,B");
    uint32_t argb = 0xff000000u | r << 16 | g << 8 | b;
    return g_strdup_printf(
        "webrtcbin name=webrtc bundle-policy=max-bundle "
        "videotestsrc is-live=true pattern=solid-color foreground-color=%u ! "
        "video/x-raw,width=320,height=180,framerate=15/1 ! videoconvert ! queue ! "
        "vp8enc deadline=1 keyframe-max-dist=60 target-bitrate=300000 ! rtpvp8pay "
        "picture-id-mode=2 ! "
        "application/x-rtp,media=video,encoding-name=VP8,payload=96 ! webrtc. "
        "audiotestsrc is-live=true freq=%s volume=0.3 ! audioconvert ! audioresample ! queue ! "
        "opusenc ! rtpopuspay ! application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! "
        "webrtc.",
        argb, hz_text);
}

/* webrtcbin would offer sendrecv; and a publisher answers NACKs. */
static void prepare_senders(GstElement *webrtc) {
    GArray *transceivers = NULL;
    g_signal_emit_by_name(webrtc, "get-transceivers", &transceivers);
    for (guint i = 0; i < transceivers->len; i++)
        g_object_set(g_array_index(transceivers, GstWebRTCRTPTransceiver *, i), "direction",
                     GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY, "do-nack", TRUE, NULL);
    g_array_unref(transceivers);
}

/* ---- What arrives ---- */

static void on_picture(GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data) {
    (void)sink;
    (void)pad;
    struct client *client = data;
    GstMapInfo map;
    if (!gst_buffer_map(buffer, &map, GST_MAP_READ))
        return;
    uint64_t sum[3] = {0, 0, 0};
    size_t pixels = map.size / 4; /* RGBx: rows have no padding. */
    for (size_t i = 0; i < pixels; i++)
        for (int c = 0; c < 3; c++)
            sum[c] += map.data[i * 4 + (size_t)c];
    gst_buffer_unmap(buffer, &map);
    g_mutex_lock(&client->lock);
    client->frames++;
    for (int c = 0; c < 3 && pixels > 0; c++)
        client->rgb[c] = (int)(sum[c] / pixels);
    g_mutex_unlock(&client->lock);
}

/* The tone from its rising zero crossings: enough for a sine. */
static void on_sound(GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data) {
    (void)sink;
    (void)pad;
    struct client *client = data;
    static int16_t last; /* Of the one audio track. */
    static int crossings;
    static int counted;
    GstMapInfo map;
    if (!gst_buffer_map(buffer, &map, GST_MAP_READ))
        return;
    const int16_t *samples = (const int16_t *)(const void *)map.data;
    size_t count = map.size / 2;
    for (size_t i = 0; i < count; i++) {
        crossings += last < 0 && samples[i] >= 0;
        last = samples[i];
    }
    counted += (int)count;
    gst_buffer_unmap(buffer, &map);
    g_mutex_lock(&client->lock);
    client->samples += count;
    if (counted >= AUDIO_RATE / 4) {
        client->hz = (int)((int64_t)crossings * AUDIO_RATE / counted);
        crossings = counted = 0;
    }
    g_mutex_unlock(&client->lock);
}

static void link_sink(struct client *client, GstPad *pad, const char *description,
                      GCallback callback) {
    GError *error = NULL;
    GstElement *bin = gst_parse_bin_from_description(description, TRUE, &error);
    if (!bin)
        give_up(error->message);
    GstElement *sink = gst_bin_get_by_name(GST_BIN(bin), "sink");
    g_signal_connect(sink, "handoff", callback, client);
    gst_object_unref(sink);
    gst_bin_add(GST_BIN(client->pipeline), bin);
    gst_element_sync_state_with_parent(bin);
    GstPad *input = gst_element_get_static_pad(bin, "sink");
    gst_pad_link(pad, input);
    gst_object_unref(input);
}

static void on_incoming_stream(GstElement *webrtc, GstPad *pad, gpointer data) {
    (void)webrtc;
    if (GST_PAD_DIRECTION(pad) != GST_PAD_SRC)
        return;
    GstCaps *caps = gst_pad_get_current_caps(pad);
    const char *media = gst_structure_get_string(gst_caps_get_structure(caps, 0), "media");
    if (g_strcmp0(media, "video") == 0)
        link_sink(data, pad,
                  "rtpvp8depay ! vp8dec ! videoconvert ! video/x-raw,format=RGBx ! "
                  "fakesink name=sink signal-handoffs=true sync=false",
                  G_CALLBACK(on_picture));
    else
        link_sink(data, pad,
                  "rtpopusdepay ! opusdec ! audioconvert ! audioresample ! "
                  "audio/x-raw,format=S16LE,channels=1,rate=48000 ! "
                  "fakesink name=sink signal-handoffs=true sync=false",
                  G_CALLBACK(on_sound));
    gst_caps_unref(caps);
}

static void add_receiver(GstElement *webrtc, const char *caps_text) {
    GstCaps *caps = gst_caps_from_string(caps_text);
    GstWebRTCRTPTransceiver *transceiver = NULL;
    g_signal_emit_by_name(webrtc, "add-transceiver", GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY,
                          caps, &transceiver);
    g_object_set(transceiver, "do-nack", TRUE, NULL);
    gst_object_unref(transceiver);
    gst_caps_unref(caps);
}

static gboolean report(gpointer data) {
    struct client *client = data;
    g_mutex_lock(&client->lock);
    json_t *value = json_pack("{s:I, s:[i,i,i], s:I, s:i}", "frames", (json_int_t)client->frames,
                              "rgb", client->rgb[0], client->rgb[1], client->rgb[2], "samples",
                              (json_int_t)client->samples, "hz", client->hz);
    g_mutex_unlock(&client->lock);
    print_json(value);
    return G_SOURCE_CONTINUE;
}

/* ---- Negotiation ---- */

static void on_offer_made(GstPromise *promise, gpointer data) {
    struct client *client = data;
    GstWebRTCSessionDescription *offer = NULL;
    gst_structure_get(gst_promise_get_reply(promise), "offer", GST_TYPE_WEBRTC_SESSION_DESCRIPTION,
                      &offer, NULL);
    gst_promise_unref(promise);
    if (!offer)
        give_up("no offer");
    g_signal_emit_by_name(client->webrtc, "set-local-description", offer, NULL);
    gst_webrtc_session_description_free(offer);
}

static void on_negotiation_needed(GstElement *webrtc, gpointer data) {
    GstPromise *promise = gst_promise_new_with_change_func(on_offer_made, data, NULL);
    g_signal_emit_by_name(webrtc, "create-offer", NULL, promise);
}

static void on_gathering(GstElement *webrtc, GParamSpec *spec, gpointer data) {
    (void)spec;
    struct client *client = data;
    GstWebRTCICEGatheringState state;
    g_object_get(webrtc, "ice-gathering-state", &state, NULL);
    if (state != GST_WEBRTC_ICE_GATHERING_STATE_COMPLETE || client->offered)
        return;
    client->offered = true;
    GstWebRTCSessionDescription *local = NULL;
    g_object_get(webrtc, "local-description", &local, NULL);
    char *sdp = gst_sdp_message_as_text(local->sdp);
    print_json(json_pack("{s:s}", "offer", sdp));
    g_free(sdp);
    gst_webrtc_session_description_free(local);
}

static void on_connection(GstElement *webrtc, GParamSpec *spec, gpointer data) {
    (void)spec;
    (void)data;
    static const char *const names[] = {"new",          "connecting", "connected",
                                        "disconnected", "failed",     "closed"};
    GstWebRTCPeerConnectionState state;
    g_object_get(webrtc, "connection-state", &state, NULL);
    print_json(json_pack("{s:s}", "connection", names[state]));
}

static void set_answer(struct client *client, const char *text) {
    GstSDPMessage *sdp;
    if (gst_sdp_message_new_from_text(text, &sdp) != GST_SDP_OK)
        give_up("the answer is no SDP");
    GstWebRTCSessionDescription *answer =
        gst_webrtc_session_description_new(GST_WEBRTC_SDP_TYPE_ANSWER, sdp);
    g_signal_emit_by_name(client->webrtc, "set-remote-description", answer, NULL);
    gst_webrtc_session_description_free(answer);
}

static gboolean on_input(GIOChannel *input, GIOCondition condition, gpointer data) {
    (void)condition;
    struct client *client = data;
    char *line = NULL;
    if (g_io_channel_read_line(input, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL) {
        g_main_loop_quit(client->loop);
        return G_SOURCE_REMOVE;
    }
    json_t *message = json_loads(line, 0, NULL);
    const char *answer = json_string_value(json_object_get(message, "answer"));
    if (answer)
        set_answer(client, answer);
    json_decref(message);
    g_free(line);
    return G_SOURCE_CONTINUE;
}

/* ---- The whole ---- */

/* The agent's sockets on other addresses do not reach loopback by UDP. */
static void use_loopback(GstElement *webrtc) {
    GObject *ice = NULL;
    NiceAgent *agent = NULL;
    NiceAddress loopback;
    nice_address_init(&loopback);
    nice_address_set_from_string(&loopback, "127.0.0.1");
    g_object_get(webrtc, "ice-agent", &ice, NULL);
    g_object_get(ice, "agent", &agent, NULL);
    nice_agent_add_local_address(agent, &loopback);
    g_object_unref(agent);
    g_object_unref(ice);
}

static void build(struct client *client, int argc, char **argv) {
    bool publishes = argc == 4 && strcmp(argv[1], "publish") == 0;
    if (!publishes && (argc != 2 || strcmp(argv[1], "play") != 0))
        give_up("usage: gst_client publish R,G,B HZ | gst_client play");
    char *description = publishes ? describe_publisher(argv[2], argv[3])
                                  : g_strdup("webrtcbin name=webrtc bundle-policy=max-bundle");
    GError *error = NULL;
    client->pipeline = gst_parse_launch(description, &error);
    g_free(description);
    if (!client->pipeline || error)
        give_up(error->message);
    /* A pipeline of one element is that element. */
    if (!GST_IS_BIN(client->pipeline) || !GST_IS_PIPELINE(client->pipeline)) {
        client->webrtc = client->pipeline;
        client->pipeline = gst_pipeline_new(NULL);
        gst_bin_add(GST_BIN(client->pipeline), client->webrtc);
    } else {
        client->webrtc = gst_bin_get_by_name(GST_BIN(client->pipeline), "webrtc");
    }
    use_loopback(client->webrtc);
    if (publishes) {
        prepare_senders(client->webrtc);
        return;
    }
    add_receiver(client->webrtc,
                 "application/x-rtp,media=video,encoding-name=VP8,clock-rate=90000,payload=96,"
                 "rtcp-fb-nack=true,rtcp-fb-nack-pli=true,rtcp-fb-ccm-fir=true");
    add_receiver(client->webrtc,
                 "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,"
                 "encoding-params=(string)2,payload=97");
}

int main(int argc, char **argv) {
    gst_init(NULL, NULL);
    struct client client = {.loop = g_main_loop_new(NULL, FALSE)};
    g_mutex_init(&client.lock);
    build(&client, argc, argv);
    g_signal_connect(client.webrtc, "on-negotiation-needed", G_CALLBACK(on_negotiation_needed),
                     &client);
    g_signal_connect(client.webrtc, "pad-added", G_CALLBACK(on_incoming_stream), &client);
    g_signal_connect(client.webrtc, "notify::ice-gathering-state", G_CALLBACK(on_gathering),
                     &client);
    g_signal_connect(client.webrtc, "notify::connection-state", G_CALLBACK(on_connection), &client);
    client.input = g_io_channel_unix_new(0);
    g_io_add_watch(client.input, G_IO_IN | G_IO_HUP, on_input, &client);
    g_timeout_add(REPORT_MS, report, &client);
    gst_element_set_state(client.pipeline, GST_STATE_PLAYING);
    g_main_loop_run(client.loop);
    gst_element_set_state(client.pipeline, GST_STATE_NULL);
    gst_object_unref(client.pipeline);
    g_io_channel_unref(client.input);
    g_main_loop_unref(client.loop);
    return 0;
}
