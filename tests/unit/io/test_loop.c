/* The loop: turns, the wake timer, work off the loop, again, signals, stop; clocks and chance. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "focal/io.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

struct seen {
    struct focal_io *io;
    unsigned turns, wakes, done, signals[3], agains;
    uint64_t woken_ms;
    unsigned stop_after_turns;
    bool stop_on_done, stop_on_wake;
    pthread_t loop_thread, work_thread;
    unsigned work_ran;
};

static void on_turn(void *data)
{
    struct seen *s = data;

    s->turns++;
    if (s->agains) {
        s->agains--;
        focal_io_again(s->io);
    }
    if ((s->stop_after_turns && s->turns >= s->stop_after_turns) || (s->stop_on_done && s->done) || (s->stop_on_wake && s->wakes))
        focal_io_stop(s->io);
}

static void on_wake(void *data)
{
    struct seen *s = data;
    struct focal_now now;

    focal_clock_now(&now);
    s->woken_ms = now.mono_ms;
    s->wakes++;
}

static void on_signal(void *data, int number)
{
    struct seen *s = data;

    s->signals[number == SIGINT ? 0 : number == SIGTERM ? 1 : 2]++;
}

static void start(struct seen *s, bool signals)
{
    struct focal_io_handlers handlers = { .data = s, .wake = on_wake, .turn = on_turn, .signal = signals ? on_signal : NULL };

    memset(s, 0, sizeof *s);
    assert_int_equal(focal_io_open(&s->io, &handlers, NULL, NULL), FOCAL_OK);
}

static void test_wakes_once_and_not_early(void **state)
{
    struct seen s;
    struct focal_now now;

    (void)state;
    start(&s, false);
    focal_clock_now(&now);
    s.stop_on_wake = true;
    focal_io_wake_at(s.io, now.mono_ms + 500000);
    focal_io_wake_at(s.io, now.mono_ms + 30);
    focal_io_run(s.io);
    assert_int_equal(s.wakes, 1);
    assert_int_equal(s.turns, 1);
    assert_true(s.woken_ms >= now.mono_ms + 30);
    /* In the past: at once. */
    s.wakes = 0;
    focal_io_wake_at(s.io, 1);
    focal_io_run(s.io);
    assert_int_equal(s.wakes, 1);
    focal_io_close(s.io);
}

static void test_again_gives_that_many_turns(void **state)
{
    struct seen s;

    (void)state;
    start(&s, false);
    s.agains = 9;
    s.stop_after_turns = 10;
    focal_io_again(s.io);
    focal_io_run(s.io);
    assert_int_equal(s.turns, 10);
    focal_io_close(s.io);
}

static void work(void *data)
{
    struct seen *s = data;

    s->work_thread = pthread_self();
    s->work_ran++;
}

static void done(void *data)
{
    struct seen *s = data;

    assert_true(pthread_equal(s->loop_thread, pthread_self()));
    s->done++;
    focal_io_again(s->io);              /* as who has an answer to tell now; also when the loop is closing */
}

static void test_work_runs_elsewhere_and_ends_here(void **state)
{
    struct seen s;

    (void)state;
    start(&s, false);
    s.loop_thread = pthread_self();
    s.stop_on_done = true;
    assert_int_equal(focal_io_work(s.io, work, done, &s), FOCAL_OK);
    focal_io_run(s.io);
    assert_int_equal(s.work_ran, 1);
    assert_int_equal(s.done, 1);
    assert_false(pthread_equal(s.work_thread, pthread_self()));
    /* Closing waits for work that is under way, and done still comes, so that its data can be freed. */
    assert_int_equal(focal_io_work(s.io, work, done, &s), FOCAL_OK);
    focal_io_close(s.io);
    assert_int_equal(s.work_ran, 2);
    assert_int_equal(s.done, 2);
}

static void test_signals_are_told_on_the_loop(void **state)
{
    struct seen s;

    (void)state;
    start(&s, true);
    raise(SIGHUP);
    s.stop_after_turns = 1;
    focal_io_run(s.io);
    assert_int_equal(s.signals[2], 1);
    raise(SIGTERM);
    focal_io_run(s.io);
    assert_int_equal(s.signals[1], 1);
    assert_int_equal(s.signals[0], 0);
    focal_io_close(s.io);
}

static void test_stall_is_measured_and_reset(void **state)
{
    struct seen s;

    (void)state;
    start(&s, false);
    assert_true(focal_io_stall_ms(s.io, false) == 0);
    s.stop_after_turns = 1;
    focal_io_again(s.io);
    focal_io_run(s.io);
    assert_true(focal_io_stall_ms(s.io, true) > 0);
    assert_true(focal_io_stall_ms(s.io, false) == 0);
    focal_io_close(s.io);
}

static bool never(void *data, size_t bytes)
{
    unsigned *left = data;

    (void)bytes;
    if (*left == 0)
        return false;
    *left -= 1;
    return true;
}

static void test_open_without_memory(void **state)
{
    struct focal_io_handlers handlers = { 0 };

    (void)state;
    for (unsigned allowed = 0; allowed < 8; allowed++) {
        struct focal_io *io;
        unsigned left = allowed;
        focal_alloc_hook(never, &left);
        enum focal_status status = focal_io_open(&io, &handlers, NULL, NULL);
        focal_alloc_hook(NULL, NULL);
        if (status == FOCAL_OK) {
            assert_true(allowed > 0);
            focal_io_close(io);
            return;
        }
        assert_int_equal(status, FOCAL_NO_MEMORY);
        assert_null(io);
    }
    fail_msg("never opened");
}

static void test_clocks_chance_and_machine(void **state)
{
    struct focal_now a, b;
    uint8_t x[600] = { 0 }, y[600] = { 0 };
    char machine[33], boot[37];
    uint8_t id[16];

    (void)state;
    focal_clock_now(&a);
    focal_clock_now(&b);
    assert_true(b.mono_ms >= a.mono_ms);
    assert_true(a.wall_ms > UINT64_C(1600000000000));
    focal_entropy_fill(NULL, x, sizeof x);
    focal_entropy_fill(NULL, y, sizeof y);
    assert_memory_not_equal(x, y, sizeof x);
    assert_memory_not_equal(x + 300, (uint8_t[16]){ 0 }, 16);
    assert_memory_not_equal(x + 584, (uint8_t[16]){ 0 }, 16);
    focal_entropy_fill(NULL, x, 0);
    focal_machine_id(machine);
    assert_true(focal_unhex(id, sizeof id, focal_span_text(machine)));
    focal_boot_id(boot);
    assert_int_equal(strlen(boot), 36);
    assert_int_equal(boot[8], '-');
    assert_true(focal_process_rss_kib() > 0 && focal_process_peak_kib() > 0);
    uint64_t before = focal_process_cpu_us();
    assert_true(focal_process_cpu_us() >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wakes_once_and_not_early),
        cmocka_unit_test(test_again_gives_that_many_turns),
        cmocka_unit_test(test_work_runs_elsewhere_and_ends_here),
        cmocka_unit_test(test_signals_are_told_on_the_loop),
        cmocka_unit_test(test_stall_is_measured_and_reset),
        cmocka_unit_test(test_open_without_memory),
        cmocka_unit_test(test_clocks_chance_and_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
