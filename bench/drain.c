#include "bench/drain.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/loop.h"

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum { RUN_BYTES = 65536 };

static void on_ready(struct bench_watch *watch, uint32_t events) {
    static uint8_t bytes[RUN_BYTES];
    (void)events;
    while (recv(watch->fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0) {
    }
}

static int open_one(struct bench_loop *loop, struct bench_watch *watch, const char *address,
                    uint16_t port) {
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1;
    if (inet_pton(AF_INET, address, &local.sin_addr) != 1)
        return -EINVAL;
    *watch = (struct bench_watch){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                                  .on_ready = on_ready};
    if (watch->fd < 0 || bind(watch->fd, (struct sockaddr *)&local, sizeof(local)) < 0)
        return -errno;
    setsockopt(watch->fd, SOL_UDP, UDP_GRO, &on, sizeof(on));
    return bench_loop_add(loop, watch, EPOLLIN);
}

int bench_drain_run(const char *address, uint16_t first_port, size_t count,
                    const volatile sig_atomic_t *stop) {
    struct rlimit limit;
    struct bench_loop loop;
    struct bench_watch *watches = calloc(count + 1, sizeof(*watches));
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    int result = bench_loop_init(&loop);
    if (watches == NULL)
        result = -ENOMEM;
    size_t opened = 0;
    for (; opened < count && result == 0; opened++)
        result = open_one(&loop, &watches[opened], address, (uint16_t)(first_port + opened));
    while (result == 0 && !*stop)
        bench_loop_turn(&loop);
    for (size_t i = 0; i < opened; i++)
        if (watches[i].fd >= 0)
            close(watches[i].fd);
    free(watches);
    bench_loop_deinit(&loop);
    return result;
}
