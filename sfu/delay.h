/* How long packets were inside the server, from the kernel's stamp of their arrival to the call
 * that sends them: a histogram, counted once for each such call, by the oldest packet in it. */
#ifndef SFU_DELAY_H
#define SFU_DELAY_H

#include <stdint.h>

#include "sfu/sfu.h"

void sfu_delays_note(struct sfu_delays *delays, uint64_t delay_us, uint64_t datagrams);

void sfu_delays_add(struct sfu_delays *sum, const struct sfu_delays *more);

#endif
