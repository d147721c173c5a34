#include "signaling/refusal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static int status_errno(unsigned status) {
    switch (status) {
    case 400:
        return -EBADMSG;
    case 403:
        return -EPERM;
    case 404:
        return -ENOENT;
    case 429:
        return -EDQUOT;
    case 503:
        return -EBUSY;
    default:
        return -EPROTO;
    }
}

int sig_refuse(struct sig_refusal *refusal, unsigned status, const char *code, const char *format,
               ...) {
    refusal->status = status;
    refusal->code = code;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(refusal->words, sizeof(refusal->words), format, arguments);
    va_end(arguments);
    return status_errno(status);
}

int sig_refuse_memory(struct sig_refusal *refusal) {
    sig_refuse(refusal, 503, "out_of_memory", "The server is out of memory");
    return -ENOMEM;
}
