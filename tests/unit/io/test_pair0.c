/* The far end is a genuine nng_pair0 socket: what we speak is nng's own SP/TCP mapping, whoever dials. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "io_world.h"

#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <pthread.h>
#include <stdio.h>

enum { FRAMES = 200 };

static size_t frame_len(unsigned n)
{
    static const size_t lens[] = { 1, 0, 8, 300, 4096, 65535, 65536 };
    return lens[n % (sizeof lens / sizeof *lens)];
}

struct far_end {
    nng_socket socket;
    const char *went_wrong;
};

/* Sends every message back until one has three bytes. */
static void *echo(void *data)
{
    struct far_end *far = data;

    for (;;) {
        nng_msg *msg;
        if (nng_recvmsg(far->socket, &msg, 0)) {
            far->went_wrong = "receive";
            return NULL;
        }
        if (nng_msg_len(msg) == 3) {
            nng_msg_free(msg);
            return NULL;
        }
        if (nng_sendmsg(far->socket, msg, 0)) {
            nng_msg_free(msg);
            far->went_wrong = "send";
            return NULL;
        }
    }
}

static void send_next(struct world *w, struct world_link *link)
{
    static uint8_t bytes[65536];
    unsigned n = (unsigned)link->ready;

    if (n > FRAMES)
        return;
    memset(bytes, (int)(n & 0xff), sizeof bytes);
    size_t len = n == FRAMES ? 3 : frame_len(n);
    assert_int_equal(focal_io_send(w->io, link->number, focal_span_of(bytes, len)), FOCAL_OK);
}

static void check(struct world *w, struct world_link *link, struct focal_span frame)
{
    unsigned n = (unsigned)link->frames - 1;

    (void)w;
    assert_int_equal(frame.len, frame_len(n));
    for (size_t i = 0; i < frame.len; i++) {
        if (frame.data[i] != (n & 0xff))
            fail_msg("frame %u came back changed at %zu", n, i);
    }
}

static bool one_open(struct world *w) { return w->opened == 1; }
static bool all_back(struct world *w) { return w->links[0].frames == FRAMES && w->links[0].ready == FRAMES + 1; }
static bool closed(struct world *w) { return w->closed == 1; }

static void converse(struct world *w, struct far_end *far)
{
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, echo, far), 0);
    assert_true(world_run(w, one_open));
    w->on_ready = send_next;
    w->on_frame = check;
    send_next(w, &w->links[0]);
    assert_true(world_run(w, all_back));
    pthread_join(thread, NULL);
    assert_null(far->went_wrong);
    assert_int_equal(nng_close(far->socket), 0);
    assert_true(world_run(w, closed));
    assert_int_equal(w->links[0].why, FOCAL_UNREACHABLE);
    focal_io_close(w->io);
}

static void test_a_pair0_socket_dials_us(void **state)
{
    struct world w;
    struct far_end far = { 0 };
    char url[80];

    (void)state;
    world_open(&w, NULL);
    snprintf(url, sizeof url, "tcp://%s", w.bound);
    assert_int_equal(nng_pair0_open(&far.socket), 0);
    assert_int_equal(nng_dial(far.socket, url, NULL, NNG_FLAG_NONBLOCK), 0);
    converse(&w, &far);
}

static void test_we_dial_a_pair0_socket(void **state)
{
    struct world w;
    struct far_end far = { 0 };
    nng_listener listener;
    char address[80];
    int port;

    (void)state;
    world_open(&w, NULL);
    assert_int_equal(nng_pair0_open(&far.socket), 0);
    assert_int_equal(nng_listen(far.socket, "tcp://127.0.0.1:0", &listener, 0), 0);
    assert_int_equal(nng_listener_get_int(listener, NNG_OPT_TCP_BOUND_PORT, &port), 0);
    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    assert_int_equal(focal_io_dial(w.io, 1, address, 5000), FOCAL_OK);
    converse(&w, &far);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pair0_socket_dials_us),
        cmocka_unit_test(test_we_dial_a_pair0_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
