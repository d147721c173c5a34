/* Fragments of any bytes: what is taken has to be usable as ICE credentials. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "signaling/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sig_sdp_error error;
    struct sig_sdpfrag fragment;
    if (sig_sdpfrag_parse(&fragment, (const char *)data, size, &error) < 0) {
        assert(error.status == 400 && error.words[0] != '\0');
        return 0;
    }
    size_t ufrag_len = strlen(fragment.ufrag);
    size_t pwd_len = strlen(fragment.pwd);
    assert(ufrag_len == 0 ? pwd_len == 0 : ufrag_len >= 4 && pwd_len >= 22);
    assert(ufrag_len > 0 || fragment.candidate_count > 0 || fragment.end_of_candidates);
    return 0;
}
