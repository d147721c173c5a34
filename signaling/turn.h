/* The ICE servers that clients are given, with time-limited TURN credentials. */
#ifndef SIGNALING_TURN_H
#define SIGNALING_TURN_H

#include <jansson.h>
#include <stdint.h>

#include "signaling/config.h"

#define SIG_TURN_LIFETIME_S 21600 /* Six hours: longer than nearly every call. */

/* The configured STUN and TURN servers as RTCPeerConnection's iceServers (an array, maybe empty).
 * The TURN password is the HMAC-SHA1 of the user name "EXPIRY:USER" under the secret shared with
 * the TURN server (draft-uberti-behave-turn-rest section 2.2). */
json_t *sig_turn_servers(const struct sig_config *config, const char *user_id, uint64_t now_s);

#endif
