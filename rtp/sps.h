/* The picture size in an H.264 sequence parameter set (ITU-T H.264 section 7.3.2.1). */
#ifndef RTP_SPS_H
#define RTP_SPS_H

#include <stddef.h>
#include <stdint.h>

/* Reads the cropped size from an SPS NAL unit, its header byte included. 0, or -EBADMSG when it is
 * cut short or says a size that no stream can have. */
int rtp_sps_size(const uint8_t *nal, size_t len, uint16_t *width, uint16_t *height);

#endif
