/* A plain TCP socket that speaks, or mis-speaks, to a world's listener. */
#ifndef FOCAL_TEST_RAW_PEER_H
#define FOCAL_TEST_RAW_PEER_H

#include "io_world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static const uint8_t raw_greeting[8] = { 0, 'S', 'P', 0, 0, 0x10, 0, 0 };

/* From the given loopback address; -1 with errno when it cannot. */
static inline int raw_connect(unsigned port, const char *from)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = { .sin_family = AF_INET };

    if (fd < 0)
        return -1;
    inet_pton(AF_INET, from, &a.sin_addr);
    int rv = bind(fd, (struct sockaddr *)&a, sizeof a);
    a.sin_port = htons((uint16_t)port);
    inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
    if (rv || connect(fd, (struct sockaddr *)&a, sizeof a)) {
        close(fd);
        return -1;
    }
    return fd;
}

static inline bool raw_send(int fd, const void *data, size_t len)
{
    return send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static inline bool raw_frame(int fd, const void *data, size_t len)
{
    uint8_t head[8];

    focal_put_be64(head, len);
    return raw_send(fd, head, sizeof head) && raw_send(fd, data, len);
}

static inline int raw_greeted(const struct world *w, const char *from)
{
    int fd = raw_connect(world_port(w), from);

    focal_assert(fd >= 0 && raw_send(fd, raw_greeting, sizeof raw_greeting));
    return fd;
}

/* The far end closed: nothing, or a reset, after what is there to read has been thrown away. */
static inline bool raw_ended(int fd)
{
    char bytes[256];
    ssize_t n;

    do
        n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    while (n > 0);
    return n == 0 || errno == ECONNRESET || errno == EPIPE;
}

#endif
