/* Of the bandwidth estimate: whether what arrived says what the link carries, or only what was
 * there to send. */
#ifndef RTP_BWE_OFFERED_H
#define RTP_BWE_OFFERED_H

#include <stdbool.h>

#include "rtp/bwe.h"

/* Whether the newest packets came as fast as they were sent, all of them, and that was much less
 * than the estimate: the link was not full. Looks at every packet that it remembers; to be asked in
 * overuse only. */
bool rtp_bwe_is_underfed(const struct rtp_bwe *bwe);

#endif
