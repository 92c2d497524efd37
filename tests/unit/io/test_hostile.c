/* Two thousand hostile callers against one listener, while an honest link exchanges frames all along: every honest frame
 * arrives, in order, and afterwards the listener still takes new callers. The hostile ones come from 127.0.0.2 to
 * 127.0.0.9 and the honest one from 127.0.0.1, as the caps count by address. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "raw_peer.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

enum { CALLERS = 2000, HELD = 48, KINDS = 10, WAVE = 40, WAVE_FRAMES = 200 };

struct attack {
    unsigned port;
    int progress;               /* an eventfd: the honest link got further */
    unsigned connected, refused;
    int held[HELD];
    atomic_bool done;
};

struct honest {
    struct attack attack;
    uint64_t seen_at_end;
};

static void reset(int fd)
{
    struct linger hard = { .l_onoff = 1, .l_linger = 0 };

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
}

/* Before the next wave the honest link must have got further, so the attack lasts as long as honest work is hindered by
 * it, and never overruns the kernel's backlog, which would only make it pause for a second. */
static void await_progress(struct attack *attack)
{
    uint64_t count;

    /* The first takes what had gathered before; the second waits for something new. */
    for (unsigned i = 0; i < 2; i++) {
        ssize_t n = read(attack->progress, &count, sizeof count);
        focal_assert(n == (ssize_t)sizeof count);
    }
}

/* Gives true when the socket is to be kept open for a while. */
static bool misbehave(int fd, unsigned kind)
{
    static const uint8_t oversize[8] = { 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    static const char garbage[] = "GET / HTTP/1.1\r\nHost: sync.example\r\n\r\n\xff\xfe\xfd";

    switch (kind) {
    case 0:                                     /* FIN */
        close(fd);
        return false;
    case 1:                                     /* RST */
        reset(fd);
        return false;
    case 2:                                     /* FIN, then RST */
        shutdown(fd, SHUT_WR);
        reset(fd);
        return false;
    case 3:                                     /* garbage for a greeting */
        (void)raw_send(fd, garbage, sizeof garbage);
        close(fd);
        return false;
    case 4:                                     /* half-open: says nothing, goes on saying nothing */
        return true;
    case 5:                                     /* slow: a part of the greeting, the rest byte by byte */
        (void)raw_send(fd, raw_greeting, 3);
        return true;
    case 6:                                     /* a length of nine exabytes */
        (void)raw_send(fd, raw_greeting, 8);
        (void)raw_send(fd, oversize, 8);
        return true;
    case 7:                                     /* half a frame, then RST */
        (void)raw_send(fd, raw_greeting, 8);
        (void)raw_send(fd, "\0\0\0\0\0\0\1\0half", 12);
        reset(fd);
        return false;
    case 8:                                     /* a whole frame of nonsense, then FIN and RST */
        (void)raw_send(fd, raw_greeting, 8);
        (void)raw_frame(fd, garbage, sizeof garbage);
        shutdown(fd, SHUT_WR);
        reset(fd);
        return false;
    default:                                    /* a whole frame, and then stays */
        (void)raw_send(fd, raw_greeting, 8);
        (void)raw_frame(fd, garbage, sizeof garbage);
        return true;
    }
}

static void *attack_run(void *data)
{
    struct attack *attack = data;
    char from[16] = "127.0.0.2";
    unsigned next = 0;

    for (unsigned i = 0; i < HELD; i++)
        attack->held[i] = -1;
    for (unsigned i = 0; i < CALLERS; i++) {
        from[8] = (char)('2' + i / KINDS % 8);
        if (i % WAVE == WAVE - 1)
            await_progress(attack);
        int fd = raw_connect(attack->port, from);
        if (fd < 0) {
            attack->refused++;
            continue;
        }
        attack->connected++;
        if (!misbehave(fd, i % KINDS))
            continue;
        int *place = &attack->held[next++ % HELD];
        if (*place >= 0) {
            (void)raw_send(*place, raw_greeting + 3, 1);        /* a slow one gets one byte further */
            if (i % 3)
                close(*place);
            else
                reset(*place);
        }
        *place = fd;
    }
    atomic_store(&attack->done, true);
    return NULL;
}

static void tell_progress(struct attack *attack)
{
    uint64_t one = 1;
    ssize_t n = write(attack->progress, &one, sizeof one);

    focal_assert(n == (ssize_t)sizeof one);
}

/* Both ends send as fast as the link takes it, and check what comes. */
static void send_next(struct world *w, struct world_link *link)
{
    uint8_t frame[512] = { 0 };

    focal_put_be64(frame, link->ready);
    enum focal_status status = focal_io_send(w->io, link->number, focal_span_of(frame, 8 + link->ready % 500));
    focal_assert(status == FOCAL_OK);
}

static void check_next(struct world *w, struct world_link *link, struct focal_span frame)
{
    struct honest *honest = w->more;

    focal_assert(frame.len == 8 + (link->frames - 1) % 500);
    focal_assert(focal_get_be64(frame.data) == link->frames - 1);
    if (link->dialled && link->frames % WAVE_FRAMES == 0)
        tell_progress(&honest->attack);
}

/* Each accepted link of the honest address counts as having finished its handshake. */
static void opened(void *data, uint64_t number, bool dialled, uint64_t tag, const char *address)
{
    struct world *w = data;

    (void)tag;
    if (strncmp(address, "127.0.0.1:", 10) != 0)
        return;
    struct world_link *link = &w->links[w->opened++ % WORLD_LINKS];
    *link = (struct world_link){ .number = number, .dialled = dialled };
    memcpy(link->address, "127.0.0.1:", 11);
    focal_io_link_proven(w->io, number);
}

static void frame_told(void *data, uint64_t number, struct focal_span frame)
{
    struct world *w = data;

    if (world_link(w, number))
        world_frame(data, number, frame);
}

static bool two_open(struct world *w) { return w->opened == 2; }

static bool four_open(struct world *w) { return w->opened == 4; }

static bool attack_over(struct world *w)
{
    struct honest *honest = w->more;

    if (!atomic_load(&honest->attack.done))
        return false;
    if (!honest->seen_at_end)
        honest->seen_at_end = world_side(w, true, 0)->frames;
    /* And the link goes on after it. */
    return world_side(w, true, 0)->frames >= honest->seen_at_end + 100;
}

static void test_two_thousand_hostile_callers(void **state)
{
    struct focal_io_limits limits = { .first_frame_ms = 1000 };
    struct focal_io_handlers handlers = { .link_opened = opened, .link_frame = frame_told, .link_ready = world_ready, .link_closed = world_closed,
                                          .wake = world_wake, .turn = world_turn };
    struct honest honest = { 0 };
    struct world w = { 0 };
    struct focal_error err;
    pthread_t thread;

    (void)state;
    handlers.data = &w;
    w.more = &honest;
    w.on_frame = check_next;
    w.on_ready = send_next;
    assert_int_equal(focal_io_open(&w.io, &handlers, &limits, NULL), FOCAL_OK);
    assert_int_equal(focal_io_listen(w.io, "127.0.0.1:0", w.bound, &err), FOCAL_OK);
    assert_int_equal(focal_io_dial(w.io, 1, w.bound, 5000), FOCAL_OK);
    assert_true(world_run(&w, two_open));

    honest.attack.port = world_port(&w);
    honest.attack.progress = eventfd(0, EFD_CLOEXEC);
    assert_true(honest.attack.progress >= 0);
    assert_int_equal(pthread_create(&thread, NULL, attack_run, &honest.attack), 0);
    send_next(&w, &w.links[0]);
    send_next(&w, &w.links[1]);
    bool in_time = world_run(&w, attack_over);
    assert_true(in_time);
    pthread_join(thread, NULL);
    assert_int_equal(honest.attack.connected, CALLERS);
    assert_false(world_side(&w, true, 0)->closed);
    assert_false(world_side(&w, false, 0)->closed);
    assert_true(honest.seen_at_end >= CALLERS / WAVE * WAVE_FRAMES);
    print_message("honest frames each way during the attack: %llu, longest turn %.1f ms\n",
                  (unsigned long long)honest.seen_at_end, focal_io_stall_ms(w.io, false));

    /* The listener lives: an honest newcomer, and one from an address that misbehaved. */
    assert_int_equal(focal_io_dial(w.io, 2, w.bound, 5000), FOCAL_OK);
    assert_true(world_run(&w, four_open));
    for (unsigned i = 0; i < HELD; i++) {
        if (honest.attack.held[i] >= 0)
            close(honest.attack.held[i]);
    }
    close(honest.attack.progress);
    focal_io_close(w.io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_thousand_hostile_callers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
