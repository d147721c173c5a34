#include "sfu/udp_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <stddef.h>

#include "rtp/bytes.h"

/* Offsets count from the UDP header, or with SKF_NET_OFF from the IP header. */
enum {
    PAYLOAD = 8,
    COOKIE = PAYLOAD + 4, /* RFC 8489 section 5 */
    SHORTEST = PAYLOAD + 12,
    IPV4_SOURCE = 12,
    IPV6_SOURCE = 8,
    FINGERPRINT_LEN = 8, /* RFC 8489 section 14.7 */
    PASS = 0x40000,
    SPREAD = 0x10001, /* The port, twice over. */
    INDEX_BITS = 13,
    BIT_BITS = 5,
    CODE_MAX = 1400,
};

_Static_assert(SFU_UDP_FILTER_WORDS == 1 << (INDEX_BITS - BIT_BITS), "one index, one bit");

/* --- Addresses --- */

static uint32_t fold(const struct sfu_address *address) {
    uint32_t folded = address->port * (uint32_t)SPREAD;
    for (size_t i = 0; i < (address->family == AF_INET6 ? 16 : 4); i += 4)
        folded ^= rtp_get32(address->ip + i);
    return folded;
}

void sfu_udp_filter_add(struct sfu_udp_filter *filter, const struct sfu_address *address) {
    uint32_t index = fold(address) * filter->key >> (32 - INDEX_BITS);
    filter->words[index >> BIT_BITS] |= UINT32_C(1) << (index & 31);
}

/* --- Programs --- */

struct program {
    struct sock_filter code[CODE_MAX];
    uint16_t len;
};

static void emit(struct program *program, struct sock_filter instruction) {
    program->code[program->len++] = instruction;
}

static void emit_all(struct program *program, const struct sock_filter *code, size_t count) {
    for (size_t i = 0; i < count; i++)
        emit(program, code[i]);
}

/* STUN goes through only with its magic cookie, and nothing that is shorter than an RTP header.
 * Ends behind itself with what remains: DTLS, RTP and RTCP. With doubts about addresses, STUN
 * without a FINGERPRINT at its end remains too: checks have it (RFC 8445 section 7.1.2). */
static void emit_kinds(struct program *program, bool doubts) {
    const struct sock_filter before_stun[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, SHORTEST, 0, 6),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, PAYLOAD),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 192, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 128, 4, 0), /* RTP, RTCP */
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 64, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 20, 2, 0), /* DTLS */
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 4, 0, 2),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_JMP | BPF_JA, doubts ? 9 : 4), /* To the end. */
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, COOKIE),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x2112a442, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_filter fingerprint[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
        BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, FINGERPRINT_LEN),
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x80280004, 0, 1),
    };
    emit_all(program, before_stun, sizeof(before_stun) / sizeof(before_stun[0]));
    if (doubts)
        emit_all(program, fingerprint, sizeof(fingerprint) / sizeof(fingerprint[0]));
    emit(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, PASS));
}

/* The index of the source's bit into M[0], and of its word into A. */
static void emit_index(struct program *program, bool ipv6, uint32_t key) {
    uint32_t source = (uint32_t)SKF_NET_OFF + (ipv6 ? IPV6_SOURCE : IPV4_SOURCE);
    emit(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0));
    emit(program, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, SPREAD));
    for (uint32_t at = 0; at < (ipv6 ? 16 : 4); at += 4) {
        emit(program, (struct sock_filter)BPF_STMT(BPF_MISC | BPF_TAX, 0));
        emit(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, source + at));
        emit(program, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0));
    }
    const struct sock_filter hash[] = {
        BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, key),
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 32 - INDEX_BITS),
        BPF_STMT(BPF_ST, 0),
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, BIT_BITS),
    };
    emit_all(program, hash, sizeof(hash) / sizeof(hash[0]));
}

/* A = words[A]: a binary tree in the order of a heap, nodes of three instructions before leaves of
 * two. */
static void emit_lookup(struct program *program, const uint32_t words[SFU_UDP_FILTER_WORDS]) {
    enum { NODES = SFU_UDP_FILTER_WORDS, NODE_LEN = 3, LEAF_LEN = 2 };
    for (uint32_t node = 1; node < NODES; node++) {
        uint32_t place = (node - 1) * NODE_LEN, left = 2 * node, first = 1, width = NODES;
        for (; first * 2 <= node; first *= 2)
            width /= 2;
        uint32_t to = left < NODES ? (left - 1) * NODE_LEN
                                   : (NODES - 1) * NODE_LEN + (left - NODES) * LEAF_LEN;
        uint32_t step = left < NODES ? NODE_LEN : LEAF_LEN;
        emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K,
                                                   (node - first) * width + width / 2, 1, 0));
        emit(program, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, to - (place + 2)));
        emit(program, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, to + step - (place + 3)));
    }
    for (uint32_t i = 0; i < SFU_UDP_FILTER_WORDS; i++) {
        emit(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, words[i]));
        emit(program, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA,
                                                   (SFU_UDP_FILTER_WORDS - 1 - i) * LEAF_LEN));
    }
}

static void emit_bit_test(struct program *program) {
    const struct sock_filter code[] = {
        BPF_STMT(BPF_ST, 1),
        BPF_STMT(BPF_LD | BPF_MEM, 0),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 31),
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_MEM, 1),
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_X, 0),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    emit_all(program, code, sizeof(code) / sizeof(code[0]));
}

int sfu_udp_filter_attach(int fd, bool ipv6, const struct sfu_udp_filter *addresses) {
    struct program program;
    program.len = 0;
    emit_kinds(&program, addresses != NULL);
    if (addresses != NULL) {
        emit_index(&program, ipv6, addresses->key);
        emit_lookup(&program, addresses->words);
        emit_bit_test(&program);
    }
    emit(&program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, PASS));
    struct sock_fprog given = {.len = program.len, .filter = program.code};
    int none = 0;
    /* Two at once are more than the kernel gives a socket (net.core.optmem_max, 20 KB). */
    setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none));
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &given, sizeof(given)) < 0 ? -errno : 0;
}
