/* Links: greeting, frames both ways and in order, limits, deadlines, caps, closing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "raw_peer.h"

static bool both_open(struct world *w) { return w->opened == 2; }
static bool one_open(struct world *w) { return w->opened == 1; }
static bool one_closed(struct world *w) { return w->closed == 1; }
static bool two_closed(struct world *w) { return w->closed == 2; }
static bool one_failed(struct world *w) { return w->failed == 1; }

static void open_pair(struct world *w, const struct focal_io_limits *limits)
{
    world_open(w, limits);
    assert_int_equal(focal_io_dial(w->io, 77, w->bound, 5000), FOCAL_OK);
    assert_true(world_run(w, both_open));
}

/* ---- frames ----------------------------------------------------------------------------------------------------- */

static bool one_frame_each(struct world *w)
{
    return w->links[0].frames == 1 && w->links[1].frames == 1 && w->links[0].ready == 1 && w->links[1].ready == 1;
}

static void test_opens_and_carries_frames_both_ways(void **state)
{
    struct world w;

    (void)state;
    open_pair(&w, NULL);
    struct world_link *dialled = world_side(&w, true, 0), *accepted = world_side(&w, false, 0);
    assert_non_null(dialled);
    assert_non_null(accepted);
    assert_int_equal(dialled->tag, 77);
    assert_string_equal(dialled->address, w.bound);
    assert_memory_equal(accepted->address, "127.0.0.1:", 10);

    assert_int_equal(focal_io_send(w.io, dialled->number, focal_span_text("over there")), FOCAL_OK);
    assert_int_equal(focal_io_send(w.io, dialled->number, focal_span_text("too early")), FOCAL_BUSY);
    assert_int_equal(focal_io_send(w.io, accepted->number, focal_span_text("")), FOCAL_OK);
    assert_true(world_run(&w, one_frame_each));
    assert_int_equal(accepted->last_len, 10);
    assert_memory_equal(accepted->last, "over there", 10);
    assert_int_equal(dialled->bytes, 0);
    /* Two greetings, two lengths, ten bytes; each counted once as sent and once as received. */
    assert_int_equal(focal_io_link_bytes(w.io, true), 8 + 8 + 8 + 8 + 10);
    assert_int_equal(focal_io_link_bytes(w.io, false), 8 + 8 + 8 + 8 + 10);
    focal_io_close(w.io);
}

enum { STREAM_FRAMES = 400, STREAM_MAX = 65536 };

static uint8_t stream_bytes[STREAM_MAX];

static size_t stream_len(unsigned n)
{
    static const size_t lens[] = { 1, 0, 7, 8, 9, 4087, 4088, 4089, 4096, 16384, 65535, 65536, 300, 2 };
    return lens[n % (sizeof lens / sizeof *lens)];
}

static void stream_next(struct world *w, struct world_link *link)
{
    unsigned n = (unsigned)link->ready;

    if (n >= STREAM_FRAMES)
        return;
    size_t len = stream_len(n);
    memset(stream_bytes, (int)(n & 0xff), len);
    assert_int_equal(focal_io_send(w->io, link->number, focal_span_of(stream_bytes, len)), FOCAL_OK);
}

static void stream_check(struct world *w, struct world_link *link, struct focal_span frame)
{
    unsigned n = (unsigned)link->frames - 1;

    (void)w;
    assert_int_equal(frame.len, stream_len(n));
    for (size_t i = 0; i < frame.len; i++) {
        if (frame.data[i] != (n & 0xff))
            fail_msg("frame %u differs at %zu", n, i);
    }
}

static bool stream_done(struct world *w)
{
    return w->links[0].frames == STREAM_FRAMES && w->links[1].frames == STREAM_FRAMES;
}

static void test_frames_of_all_sizes_arrive_whole_and_in_order(void **state)
{
    struct world w;

    (void)state;
    open_pair(&w, NULL);
    w.on_ready = stream_next;
    w.on_frame = stream_check;
    stream_next(&w, &w.links[0]);
    stream_next(&w, &w.links[1]);
    assert_true(world_run(&w, stream_done));
    assert_int_equal(focal_io_send(w.io, w.links[0].number, focal_span_of(stream_bytes, 65537)), FOCAL_TOO_BIG);
    focal_io_close(w.io);
}

enum { FLOOD_FRAMES = 3000, FLOOD_PER_TURN = 5 };

struct flood { unsigned turn, told, most; };

static void flood_count(struct world *w, struct world_link *link, struct focal_span frame)
{
    struct flood *flood = w->more;

    (void)link, (void)frame;
    if (flood->turn != w->turns)
        flood->told = 0;
    flood->turn = w->turns;
    if (++flood->told > flood->most)
        flood->most = flood->told;
}

static bool flood_done(struct world *w) { return w->links[0].frames == FLOOD_FRAMES; }

static void test_a_flood_is_told_in_measured_parts(void **state)
{
    struct focal_io_limits limits = { .queue_frames_per_link = FLOOD_PER_TURN };
    struct flood flood = { 0 };
    struct world w;

    (void)state;
    world_open(&w, &limits);
    w.more = &flood;
    w.on_frame = flood_count;
    int fd = raw_greeted(&w, "127.0.0.2");
    for (unsigned i = 0; i < FLOOD_FRAMES; i++)
        assert_true(raw_frame(fd, "x", 1));
    assert_true(world_run(&w, flood_done));
    assert_int_equal(flood.most, FLOOD_PER_TURN);
    close(fd);
    focal_io_close(w.io);
}

static void test_frames_before_the_end_are_told_before_it(void **state)
{
    struct world w;

    (void)state;
    world_open(&w, NULL);
    int fd = raw_greeted(&w, "127.0.0.2");
    assert_true(raw_frame(fd, "one", 3) && raw_frame(fd, "two", 3) && raw_frame(fd, "three", 5));
    /* The half frame after them is dropped with the link. */
    assert_true(raw_send(fd, "\0\0\0\0\0\0\0\5ab", 10));
    shutdown(fd, SHUT_WR);
    assert_true(world_run(&w, one_closed));
    assert_int_equal(w.links[0].frames, 3);
    assert_memory_equal(w.links[0].last, "three", 5);
    assert_int_equal(w.links[0].why, FOCAL_UNREACHABLE);
    assert_int_equal(focal_io_send(w.io, w.links[0].number, focal_span_text("x")), FOCAL_NOT_FOUND);
    close(fd);
    focal_io_close(w.io);
}

/* ---- hostile bytes ---------------------------------------------------------------------------------------------- */

static void test_an_oversize_length_closes_the_link(void **state)
{
    static const uint8_t lengths[][8] = { { 0, 0, 0, 0, 0, 1, 0, 1 }, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
                                          { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf8 }, { 0x80 } };

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct world w;
        world_open(&w, NULL);
        int fd = raw_greeted(&w, "127.0.0.2");
        assert_true(raw_frame(fd, "good", 4) && raw_send(fd, lengths[i], 8));
        assert_true(world_run(&w, one_closed));
        assert_int_equal(w.links[0].frames, 1);
        assert_int_equal(w.links[0].why, FOCAL_TOO_BIG);
        close(fd);
        focal_io_close(w.io);
    }
}

static int probe;

static bool probe_ended(struct world *w)
{
    (void)w;
    return raw_ended(probe);
}

static void test_a_wrong_greeting_gets_no_answer(void **state)
{
    static const uint8_t wrong[][8] = { { 'G', 'E', 'T', ' ', '/', ' ', 'H', 'T' }, { 0, 'S', 'P', 0, 0, 0x11, 0, 0 },
                                        { 0, 'S', 'P', 1, 0, 0x10, 0, 0 }, { 0, 'S', 'P', 0, 0, 0x10, 0, 1 } };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct world w;
        char answer[8];
        world_open(&w, NULL);
        probe = raw_connect(world_port(&w), "127.0.0.2");
        assert_true(probe >= 0 && raw_send(probe, wrong[i], 8));
        w.busy = true;
        assert_int_equal(recv(probe, answer, sizeof answer, MSG_DONTWAIT), -1);
        assert_true(world_run(&w, probe_ended));
        assert_int_equal(w.opened, 0);
        assert_int_equal(w.closed, 0);
        assert_int_equal(focal_io_link_bytes(w.io, true), 0);
        close(probe);
        focal_io_close(w.io);
    }
}

static void test_the_listener_answers_only_a_whole_greeting(void **state)
{
    struct world w;
    char answer[16];

    (void)state;
    world_open(&w, NULL);
    int fd = raw_connect(world_port(&w), "127.0.0.2");
    assert_true(fd >= 0 && raw_send(fd, raw_greeting, 7));
    /* Somebody else opens meanwhile, so the seven bytes have had their turn. */
    assert_int_equal(focal_io_dial(w.io, 1, w.bound, 5000), FOCAL_OK);
    assert_true(world_run(&w, both_open));
    assert_int_equal(recv(fd, answer, sizeof answer, MSG_DONTWAIT), -1);
    w.opened = 0;
    assert_true(raw_send(fd, raw_greeting + 7, 1));
    assert_true(world_run(&w, one_open));
    assert_int_equal(recv(fd, answer, sizeof answer, 0), 8);
    assert_memory_equal(answer, raw_greeting, 8);
    close(fd);
    focal_io_close(w.io);
}

/* ---- caps and deadlines ----------------------------------------------------------------------------------------- */

static unsigned awaited;

static bool awaited_open(struct world *w) { return w->opened == awaited; }
static bool second_spoke(struct world *w) { return w->links[1].frames == 1; }
static bool three_frames(struct world *w) { return w->links[0].frames && w->links[1].frames && w->links[2].frames; }

static void test_the_oldest_silent_caller_of_an_address_goes(void **state)
{
    struct focal_io_limits limits = { .unproven_per_address_max = 3 };
    struct world w;
    int fds[6];

    (void)state;
    world_open(&w, &limits);
    fds[0] = raw_greeted(&w, "127.0.0.3");      /* another address is another matter */
    assert_true(world_run(&w, one_open));
    for (unsigned i = 1; i < 5; i++) {
        fds[i] = raw_greeted(&w, "127.0.0.2");
        awaited = i + 1;
        assert_true(world_run(&w, awaited_open));
        if (i == 1) {                           /* the oldest of them, but not silent */
            assert_true(raw_frame(fds[i], "hello", 5));
            assert_true(world_run(&w, second_spoke));
        }
    }
    w.busy = true;
    probe = fds[2];
    assert_true(world_run(&w, probe_ended));
    fds[5] = raw_greeted(&w, "127.0.0.2");
    probe = fds[3];
    assert_true(world_run(&w, probe_ended));
    assert_false(raw_ended(fds[0]) || raw_ended(fds[1]) || raw_ended(fds[4]) || raw_ended(fds[5]));
    for (unsigned i = 0; i < WORLD_LINKS; i++) {
        if (w.links[i].closed)
            assert_int_equal(w.links[i].why, FOCAL_FULL);
    }
    for (unsigned i = 0; i < 6; i++)
        close(fds[i]);
    focal_io_close(w.io);
}

static void test_when_all_have_spoken_the_newcomer_goes(void **state)
{
    struct focal_io_limits limits = { .unproven_max = 3 };
    struct world w;
    char from[16] = "127.0.0.2";
    int fds[3];

    (void)state;
    world_open(&w, &limits);
    for (unsigned i = 0; i < 3; i++) {
        from[8] = (char)('2' + i);
        fds[i] = raw_greeted(&w, from);
        assert_true(raw_frame(fds[i], "hello", 5));
    }
    assert_true(world_run(&w, three_frames));
    probe = raw_connect(world_port(&w), "127.0.0.6");
    w.busy = true;
    assert_true(world_run(&w, probe_ended));
    close(probe);
    assert_false(raw_ended(fds[0]) || raw_ended(fds[1]) || raw_ended(fds[2]));
    /* One is proven: there is room for another caller. */
    focal_io_link_proven(w.io, w.links[1].number);
    w.opened = 0;
    probe = raw_greeted(&w, "127.0.0.6");
    assert_true(world_run(&w, one_open));
    close(probe);
    for (unsigned i = 0; i < 3; i++)
        close(fds[i]);
    focal_io_close(w.io);
}

/* A recorded first message counts as having spoken: a few addresses must not keep everybody else out with it. */
static void test_who_has_most_callers_makes_room(void **state)
{
    struct focal_io_limits limits = { .unproven_max = 3 };
    struct world w;
    int fds[3];

    (void)state;
    world_open(&w, &limits);
    for (unsigned i = 0; i < 3; i++) {
        fds[i] = raw_greeted(&w, i == 0 ? "127.0.0.2" : "127.0.0.3");
        assert_true(raw_frame(fds[i], "hello", 5));
        awaited = i + 1;
        assert_true(world_run(&w, awaited_open));
    }
    assert_true(world_run(&w, three_frames));
    w.busy = true;
    int newcomer = raw_greeted(&w, "127.0.0.6");
    probe = fds[1];
    assert_true(world_run(&w, probe_ended));
    assert_false(raw_ended(fds[0]) || raw_ended(fds[2]) || raw_ended(newcomer));
    close(newcomer);
    for (unsigned i = 0; i < 3; i++)
        close(fds[i]);
    focal_io_close(w.io);
}

static void test_an_accepted_link_must_bring_a_frame_in_time(void **state)
{
    struct focal_io_limits limits = { .first_frame_ms = 100 };
    struct world w;

    (void)state;
    world_open(&w, &limits);
    int spoke = raw_greeted(&w, "127.0.0.2");
    assert_true(raw_frame(spoke, "hello", 5));
    int silent = raw_greeted(&w, "127.0.0.2");
    int slow = raw_greeted(&w, "127.0.0.2");
    assert_true(raw_send(slow, "\0\0\0\0\0\0\0\5abcd", 12));
    probe = raw_connect(world_port(&w), "127.0.0.2");       /* never greets */
    assert_true(world_run(&w, two_closed));
    w.busy = true;
    assert_true(world_run(&w, probe_ended));
    assert_true(raw_ended(silent) && raw_ended(slow));
    assert_false(raw_ended(spoke));
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(w.links[i].closed, w.links[i].frames == 0);
        if (w.links[i].closed)
            assert_int_equal(w.links[i].why, FOCAL_TIMEOUT);
    }
    close(spoke), close(silent), close(slow), close(probe);
    focal_io_close(w.io);
}

static void test_links_are_bounded(void **state)
{
    struct focal_io_limits limits = { .links_max = 2 };
    struct world w;

    (void)state;
    open_pair(&w, &limits);
    assert_int_equal(focal_io_dial(w.io, 5, w.bound, 1000), FOCAL_FULL);
    probe = raw_connect(world_port(&w), "127.0.0.2");
    w.busy = true;
    assert_true(world_run(&w, probe_ended));
    assert_int_equal(w.closed, 0);
    close(probe);
    /* A link that ended makes room, under a number never used before. */
    uint64_t first = w.links[0].number, second = w.links[1].number;
    focal_io_link_close(w.io, first);
    assert_true(world_run(&w, two_closed));
    w.opened = 0;
    assert_int_equal(focal_io_dial(w.io, 6, w.bound, 1000), FOCAL_OK);
    assert_true(world_run(&w, both_open));
    for (unsigned i = 0; i < 2; i++)
        assert_true(w.links[i].number != first && w.links[i].number != second);
    assert_int_equal(focal_io_send(w.io, first, focal_span_text("x")), FOCAL_NOT_FOUND);
    focal_io_close(w.io);
}

/* ---- dialling --------------------------------------------------------------------------------------------------- */

static int silent_listener(char address[32])
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t len = sizeof a;

    inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    snprintf(address, 32, "127.0.0.1:%u", (unsigned)ntohs(a.sin_port));
    return fd;
}

static void test_dials_fail_once_and_by_name(void **state)
{
    struct world w;
    char address[32];

    (void)state;
    world_open(&w, NULL);
    int fd = silent_listener(address);
    assert_int_equal(focal_io_dial(w.io, 9, address, 100), FOCAL_OK);
    assert_true(world_run(&w, one_failed));
    assert_int_equal(w.failed_tag, 9);
    assert_int_equal(w.failed_why, FOCAL_TIMEOUT);
    close(fd);
    w.failed = 0;
    assert_int_equal(focal_io_dial(w.io, 10, address, 5000), FOCAL_OK);
    assert_true(world_run(&w, one_failed));
    assert_int_equal(w.failed_tag, 10);
    assert_int_equal(w.failed_why, FOCAL_UNREACHABLE);
    assert_int_equal(w.opened + w.closed, 0);
    focal_io_close(w.io);
}

static void test_addresses_are_checked(void **state)
{
    static const char *const bad[] = { "", ":", "host", "host:", ":80", "host:0", "host:65536", "host:-1", "host:8 0", "a b:80",
                                       "a/b:80", "u@h:80", "[::1:80", "::1:80", "[zz]:80", "[]:80", "*:80", "h?x:80", "tcp://h:80" };
    struct world w;
    struct focal_error err;
    char bound[64];

    (void)state;
    world_open(&w, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(focal_io_dial(w.io, 1, bad[i], 100), FOCAL_USAGE);
    char *lengthy = focal_alloc(400);
    memset(lengthy, 'a', 380);
    memcpy(lengthy + 380, ":80", 4);
    assert_int_equal(focal_io_dial(w.io, 1, lengthy, 100), FOCAL_USAGE);
    assert_int_equal(focal_io_listen(w.io, lengthy, bound, &err), FOCAL_USAGE);
    focal_free(lengthy);
    assert_int_equal(focal_io_listen(w.io, w.bound, bound, &err), FOCAL_BUSY);
    assert_non_null(strstr(err.message, w.bound));
    assert_int_equal(w.failed, 0);
    focal_io_close(w.io);
}

static void test_ipv6_in_brackets(void **state)
{
    struct world w;
    struct focal_error err;
    char bound[64];

    (void)state;
    world_open(&w, NULL);
    if (focal_io_listen(w.io, "[::1]:0", bound, &err)) {
        focal_io_close(w.io);
        skip();
    }
    assert_memory_equal(bound, "[::1]:", 6);
    assert_int_equal(focal_io_dial(w.io, 3, bound, 5000), FOCAL_OK);
    assert_true(world_run(&w, both_open));
    assert_string_equal(world_side(&w, true, 0)->address, bound);
    focal_io_close(w.io);
}

/* ---- closing ---------------------------------------------------------------------------------------------------- */

static void close_at_once(struct world *w, struct world_link *link, struct focal_span frame)
{
    (void)frame;
    focal_io_link_close(w->io, link->number);
    focal_io_link_close(w->io, link->number);
    assert_int_equal(focal_io_send(w->io, link->number, focal_span_text("x")), FOCAL_NOT_FOUND);
}

static void test_a_handler_may_close_the_link_it_is_told_about(void **state)
{
    struct world w;

    (void)state;
    world_open(&w, NULL);
    w.on_frame = close_at_once;
    int fd = raw_greeted(&w, "127.0.0.2");
    assert_true(raw_frame(fd, "one", 3) && raw_frame(fd, "two", 3));
    assert_true(world_run(&w, one_closed));
    assert_int_equal(w.links[0].frames, 1);
    assert_int_equal(w.links[0].why, FOCAL_CANCELLED);
    close(fd);
    focal_io_close(w.io);
}

static void test_all_closes_in_the_middle_of_everything(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        struct world w;
        open_pair(&w, NULL);
        for (unsigned i = 0; i < 2; i++)
            assert_int_equal(focal_io_send(w.io, w.links[i].number, focal_span_of(stream_bytes, STREAM_MAX)), FOCAL_OK);
        int fd = raw_connect(world_port(&w), "127.0.0.2");
        assert_int_equal(focal_io_dial(w.io, 2, w.bound, 5000), FOCAL_OK);
        if (round % 2)
            focal_io_link_close(w.io, w.links[0].number);
        focal_io_close(w.io);
        close(fd);
    }
}

static bool no_big_ones(void *data, size_t bytes)
{
    (void)data;
    return bytes <= 4096;
}

static void test_want_of_memory_costs_the_link_only(void **state)
{
    struct world w;

    (void)state;
    world_open(&w, NULL);
    int fd = raw_greeted(&w, "127.0.0.2");
    assert_true(world_run(&w, one_open));
    focal_alloc_hook(no_big_ones, NULL);
    assert_true(raw_frame(fd, stream_bytes, 20000));
    assert_true(world_run(&w, one_closed));
    assert_int_equal(w.links[0].why, FOCAL_NO_MEMORY);
    w.opened = 0;
    int other = raw_greeted(&w, "127.0.0.2");
    assert_true(world_run(&w, one_open));
    focal_alloc_hook(NULL, NULL);
    close(fd);
    close(other);
    focal_io_close(w.io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opens_and_carries_frames_both_ways),
        cmocka_unit_test(test_frames_of_all_sizes_arrive_whole_and_in_order),
        cmocka_unit_test(test_a_flood_is_told_in_measured_parts),
        cmocka_unit_test(test_frames_before_the_end_are_told_before_it),
        cmocka_unit_test(test_an_oversize_length_closes_the_link),
        cmocka_unit_test(test_a_wrong_greeting_gets_no_answer),
        cmocka_unit_test(test_the_listener_answers_only_a_whole_greeting),
        cmocka_unit_test(test_the_oldest_silent_caller_of_an_address_goes),
        cmocka_unit_test(test_when_all_have_spoken_the_newcomer_goes),
        cmocka_unit_test(test_who_has_most_callers_makes_room),
        cmocka_unit_test(test_an_accepted_link_must_bring_a_frame_in_time),
        cmocka_unit_test(test_links_are_bounded),
        cmocka_unit_test(test_dials_fail_once_and_by_name),
        cmocka_unit_test(test_addresses_are_checked),
        cmocka_unit_test(test_ipv6_in_brackets),
        cmocka_unit_test(test_a_handler_may_close_the_link_it_is_told_about),
        cmocka_unit_test(test_all_closes_in_the_middle_of_everything),
        cmocka_unit_test(test_want_of_memory_costs_the_link_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
