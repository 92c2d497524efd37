/* Whatever fails, and wherever: a day of an office in steps, and in each step the first, the second, ... allocation or store
 * operation fails until one attempt meets no failure. What failed comes out as its status; the transaction is rolled back,
 * nothing of it is left, in memory or after opening anew; and at the end all is as if nothing had ever failed. */
#include "stand.h"
#include "verify.h"

enum { ATTEMPTS_MAX = 20000 };

/* ---- failing ---- */

enum trouble { NOTHING, MEMORY, MEMORY_GONE, READING, WRITING };
static uint64_t left;               /* allocations until one fails; 0: none does */
static bool fired, stays;

static bool allow(void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    if (left == 0 || (left > 1 && left--))
        return true;
    fired = true;
    if (!stays)
        left = 0;
    return false;
}

static void arm(enum trouble t, uint64_t nth)
{
    const bool reading = t == READING;
    fired = false;
    stays = t == MEMORY_GONE;
    left = t == MEMORY || t == MEMORY_GONE ? nth : 0;
    if (t == READING || t == WRITING)
        focal_fake_store_plan(o.store, (struct focal_fake_failure){ .nth = nth, .status = reading ? FOCAL_IO : FOCAL_DISK_FULL,
            .kinds = reading ? FOCAL_FAKE_GET | FOCAL_FAKE_NEXT | FOCAL_FAKE_PREV | FOCAL_FAKE_SNAPSHOT : FOCAL_FAKE_WRITES });
}

static void disarm(void)
{
    left = 0;
    focal_fake_store_plan(o.store, (struct focal_fake_failure){ .nth = 0 });
}

/* A new start, so that the fence is looked at anew. */
static void start_anew(void)
{
    focal_oplog_close(o.ol);
    focal_fake_store_crash(o.store);
    office_open(&o);
}

/* A step that went through although something failed: what it left must be whole, and the same every time. It is then undone,
 * for the next failure to be tried. */
static void got_by(const struct step *s, uint64_t nth, struct stand *first, const struct focal_fake_image *before)
{
    struct stand now;
    if (s->way == LOOK)
        return;
    stand_of(&now);
    if (first->shelves == 0)
        *first = now;
    expect_stand(first, s->name, nth, "got by");
    assert_verifies(&o, NULL);
    focal_oplog_close(o.ol);
    assert_int_equal(focal_fake_store_restore(o.store, before), FOCAL_OK);
    office_open(&o);
}

static void failed(const struct step *s, uint64_t nth, enum trouble t, enum focal_status st, enum focal_status back, const struct stand *before)
{
    static const enum focal_status expected[] = { FOCAL_OK, FOCAL_NO_MEMORY, FOCAL_NO_MEMORY, FOCAL_IO, FOCAL_DISK_FULL };
    if (st != expected[t])
        fail_msg("%s, failure %llu: %s", s->name, (unsigned long long)nth, focal_status_text(st));
    assert_true(back == FOCAL_OK || (t == MEMORY_GONE && back == FOCAL_NO_MEMORY));
    if (s->way == WRITE && back == FOCAL_OK)
        expect_stand(before, s->name, nth, "rolled back");
    start_anew();
    if (!s->before)
        expect_stand(before, s->name, nth, "opened anew");
}

/* How often the step failed before it met no failure. */
static uint64_t live_step(const struct step *s, uint64_t seed, enum trouble t)
{
    struct stand before, passed = { .shelves = 0 };
    struct focal_fake_image *image = focal_fake_store_backup(o.store, true);
    uint64_t nth = 0, failures = 0;
    enum focal_status st, back;
    assert_non_null(image);
    stand_of(&before);
    do {
        assert_true(++nth < ATTEMPTS_MAX);
        if (s->before)
            s->before();
        o.chance.state = seed;
        arm(t, nth);
        st = attempt(s, &back);
        disarm();
        failures += st != FOCAL_OK;
        if (st != FOCAL_OK)
            failed(s, nth, t, st, back, &before);
        else if (fired)
            got_by(s, nth, &passed, image);
    } while (st != FOCAL_OK || fired);
    if (passed.shelves != 0)
        expect_stand(&passed, s->name, nth, "got by otherwise");
    focal_fake_image_free(image);
    return failures;
}

static uint64_t live(enum trouble t, struct focal_hash *end)
{
    uint64_t failures = 0;
    wake_up();
    focal_alloc_hook(allow, NULL);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        failures += live_step(&steps[i], 1000 + i, t);
        if (steps[i].run == verify && steps[i - 1].way == LOOK)
            *end = digest;
    }
    focal_alloc_hook(NULL, NULL);
    focal_oplog_close(o.ol);
    focal_store_close(o.store);
    return failures;
}

static void as_if_nothing_had_failed(enum trouble t)
{
    struct focal_hash quiet, end;
    assert_int_equal(live(NOTHING, &quiet), 0);
    assert_true(live(t, &end) > 300);
    assert_memory_equal(quiet.b, end.b, sizeof end.b);
}

static void memory_fails_once(void **state) { (void)state; as_if_nothing_had_failed(MEMORY); }
static void memory_is_gone(void **state) { (void)state; as_if_nothing_had_failed(MEMORY_GONE); }
static void reading_fails(void **state) { (void)state; as_if_nothing_had_failed(READING); }
static void writing_fails(void **state) { (void)state; as_if_nothing_had_failed(WRITING); }

/* Verify reads a snapshot, which is a store of its own. */
static void reading_the_snapshot_fails(void **state)
{
    (void)state;
    enum focal_status st = FOCAL_IO, back;
    uint64_t nth = 0;
    wake_up();
    for (size_t i = 0; steps[i].run != verify; i++) {
        o.chance.state = 1000 + i;
        assert_int_equal(attempt(&steps[i], &back), FOCAL_OK);
    }
    while (st != FOCAL_OK) {
        struct focal_verify *v;
        assert_true(++nth < ATTEMPTS_MAX);
        assert_int_equal(focal_verify_open(&v, o.ol), FOCAL_OK);
        focal_fake_store_plan(v->store, (struct focal_fake_failure){ .nth = nth, .status = FOCAL_IO, .kinds = FOCAL_FAKE_GET | FOCAL_FAKE_NEXT | FOCAL_FAKE_PREV });
        while ((st = focal_verify_slice(v, 37)) == FOCAL_MORE)
            ;
        assert_true(st == FOCAL_OK || st == FOCAL_IO);
        assert_int_equal(focal_verify_error_count(v), 0);       /* not to be read is not damaged */
        focal_verify_close(v);
    }
    assert_true(nth > 300);
    focal_oplog_close(o.ol);
    focal_store_close(o.store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_fails_once), cmocka_unit_test(memory_is_gone),
        cmocka_unit_test(reading_fails), cmocka_unit_test(writing_fails),
        cmocka_unit_test(reading_the_snapshot_fails),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
