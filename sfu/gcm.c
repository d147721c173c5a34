#include "sfu/gcm.h"

const struct sfu_gcm_library *sfu_gcm_library(void) {
    return sfu_gcm_multibuffer.usable() ? &sfu_gcm_multibuffer : &sfu_gcm_openssl;
}
