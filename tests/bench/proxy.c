/* Counts the wire where it passes: a thread that hands bytes on between the office, which dials it, and headquarters.
 * It reads the lengths in front of the frames, so it knows what belongs to the handshake without knowing any key. */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* SP's opening, then frames, each behind its length (nng's TCP mapping). */
enum { PAIRS_MAX = 16, CHUNK = 64 * 1024, SP_HEADER = 8, LENGTH = 8 };
static const uint64_t handshake_frames[2] = { 2, 1 };   /* of who dialled; of who was dialled */

/* One direction of a connection. */
struct way { uint64_t skip; uint8_t length[LENGTH]; size_t have; uint64_t frames; bool begun; };
struct pair { int fds[2]; struct way ways[2]; bool newest; };   /* fds[0] dialled us; -1: free */

struct proxy {
    pthread_t thread;
    pthread_mutex_t mutex;              /* over passed */
    struct passed passed;
    int listener, stop;
    unsigned to_port;
    int last_way;
    struct pair pairs[PAIRS_MAX];
    uint8_t chunk[CHUNK];
};

static void count_session(struct proxy *x, struct pair *p, int way, uint64_t bytes, bool begins)
{
    if (!p->newest)
        return;
    x->passed.session_bytes[way] += bytes;
    if (!begins)
        return;
    x->passed.session_frames[way]++;
    if (x->last_way != way)
        x->passed.turns++;
    x->last_way = way;
}

/* Bytes of one direction, in order. */
static void count(struct proxy *x, struct pair *p, int way, const uint8_t *data, size_t len)
{
    struct way *w = &p->ways[way];

    x->passed.bytes[way] += len;
    x->passed.last_s = seconds();
    while (len) {
        bool session = w->frames >= handshake_frames[way];
        if (w->skip) {
            size_t n = w->skip < len ? (size_t)w->skip : len;
            if (w->begun && session)
                count_session(x, p, way, n, false);
            w->skip -= n;
            data += n;
            len -= n;
            if (w->skip == 0 && w->begun && ++w->frames == handshake_frames[way] && way == 0 && p->newest)
                x->passed.handshake_s = seconds();
            continue;
        }
        w->length[w->have++] = *data++;
        len--;
        if (w->have < LENGTH)
            continue;
        w->have = 0;
        w->begun = true;
        w->skip = focal_get_be64(w->length);
        if (session)
            count_session(x, p, way, LENGTH, true);
    }
}

static int dial(unsigned port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof at)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void let_in(struct proxy *x)
{
    int one = 1, in = accept4(x->listener, NULL, NULL, SOCK_CLOEXEC), out = in >= 0 ? dial(x->to_port) : -1;
    size_t i = 0;

    while (i < PAIRS_MAX && x->pairs[i].fds[0] >= 0)
        i++;
    if (in < 0 || out < 0 || i == PAIRS_MAX) {
        if (in >= 0)
            close(in);
        if (out >= 0)
            close(out);
        return;
    }
    (void)setsockopt(in, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    (void)setsockopt(out, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    for (size_t k = 0; k < PAIRS_MAX; k++)
        x->pairs[k].newest = false;
    x->pairs[i] = (struct pair){ .fds = { in, out }, .ways = { { .skip = SP_HEADER }, { .skip = SP_HEADER } }, .newest = true };
    pthread_mutex_lock(&x->mutex);
    memset(x->passed.session_bytes, 0, sizeof x->passed.session_bytes);
    memset(x->passed.session_frames, 0, sizeof x->passed.session_frames);
    x->passed.turns = 0;
    x->passed.handshake_s = 0;
    x->passed.connections++;
    x->last_way = -1;
    pthread_mutex_unlock(&x->mutex);
}

static void shut(struct pair *p)
{
    for (int i = 0; i < 2; i++) {
        if (p->fds[i] >= 0)
            close(p->fds[i]);
        p->fds[i] = -1;
    }
}

static bool write_all(int fd, const uint8_t *data, size_t len)
{
    while (len) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* Writing blocks, which holds back the reader of that connection as a full pipe would; nothing else waits for it. */
static void hand_on(struct proxy *x, struct pair *p, int way)
{
    ssize_t n = recv(p->fds[way], x->chunk, sizeof x->chunk, 0);

    if (n < 0 && errno == EINTR)
        return;
    if (n > 0) {
        pthread_mutex_lock(&x->mutex);
        count(x, p, way, x->chunk, (size_t)n);
        pthread_mutex_unlock(&x->mutex);
    }
    if (n <= 0 || !write_all(p->fds[1 - way], x->chunk, (size_t)n))
        shut(p);
}

static void *serve(void *data)
{
    struct proxy *x = data;
    struct pollfd look[2 + 2 * PAIRS_MAX];

    for (;;) {
        look[0] = (struct pollfd){ .fd = x->stop, .events = POLLIN };
        look[1] = (struct pollfd){ .fd = x->listener, .events = POLLIN };
        for (size_t i = 0; i < 2 * PAIRS_MAX; i++)
            look[2 + i] = (struct pollfd){ .fd = x->pairs[i / 2].fds[i % 2], .events = POLLIN };
        if (poll(look, 2 + 2 * PAIRS_MAX, -1) < 0 && errno != EINTR)
            return NULL;
        if (look[0].revents)
            return NULL;
        for (size_t i = 0; i < 2 * PAIRS_MAX; i++)
            if (look[2 + i].revents && x->pairs[i / 2].fds[i % 2] >= 0)
                hand_on(x, &x->pairs[i / 2], (int)(i % 2));
        if (look[1].revents)
            let_in(x);
    }
}

static enum focal_status listen_on(struct proxy *x, unsigned *port, struct focal_error *err)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;

    x->stop = eventfd(0, EFD_CLOEXEC);
    x->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (x->stop < 0 || x->listener < 0 || bind(x->listener, (const struct sockaddr *)&at, sizeof at) || listen(x->listener, 16)
        || getsockname(x->listener, (struct sockaddr *)&at, &len))
        return focal_fail(err, FOCAL_IO, "", "the proxy cannot listen: %s", strerror(errno));
    *port = ntohs(at.sin_port);
    return FOCAL_OK;
}

enum focal_status proxy_open(struct proxy **out, unsigned *port, unsigned to_port, struct focal_error *err)
{
    struct proxy *x = focal_alloc(sizeof *x);

    *out = NULL;
    if (!x)
        return FOCAL_NO_MEMORY;
    x->to_port = to_port;
    x->last_way = -1;
    for (size_t i = 0; i < PAIRS_MAX; i++)
        x->pairs[i].fds[0] = x->pairs[i].fds[1] = -1;
    enum focal_status status = listen_on(x, port, err);
    (void)pthread_mutex_init(&x->mutex, NULL);
    if (status == FOCAL_OK && pthread_create(&x->thread, NULL, serve, x))
        status = focal_fail(err, FOCAL_IO, "", "the proxy's thread does not start");
    if (status == FOCAL_OK) {
        *out = x;
        return FOCAL_OK;
    }
    if (x->listener >= 0)
        close(x->listener);
    if (x->stop >= 0)
        close(x->stop);
    focal_free(x);
    return status;
}

void proxy_look(struct proxy *x, struct passed *out)
{
    pthread_mutex_lock(&x->mutex);
    *out = x->passed;
    pthread_mutex_unlock(&x->mutex);
}

void proxy_close(struct proxy *x)
{
    uint64_t one = 1;

    if (!x)
        return;
    if (write(x->stop, &one, sizeof one) == (ssize_t)sizeof one)
        (void)pthread_join(x->thread, NULL);
    for (size_t i = 0; i < PAIRS_MAX; i++)
        shut(&x->pairs[i]);
    close(x->listener);
    close(x->stop);
    (void)pthread_mutex_destroy(&x->mutex);
    focal_free(x);
}
