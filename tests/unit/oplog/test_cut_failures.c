/* Whatever fails while rights are taken back: in each step the first, the second, ... allocation or store operation fails until one
 * attempt meets no failure. What failed leaves nothing, in memory or on the disk; what went through is as if nothing had failed. */
#include "redactors.h"

enum { ATTEMPTS_MAX = 4000 };
enum trouble { MEMORY, MEMORY_GONE, READING, WRITING, TROUBLES };

static uint64_t left;                   /* allocations until one fails; 0: none does */
static bool fired, stays;
static struct office *o;                /* who lives through it: ssd */
static struct focal_buf cut_of_ken, cut_of_hq, cut_of_right, wider_cut, narrowed;
static struct carried whole;            /* ken's log, with what ssd had erased */
static struct focal_ref record, edit, own, foreign;

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
    fired = false;
    stays = t == MEMORY_GONE;
    left = t == MEMORY || t == MEMORY_GONE ? nth : 0;
    if (t == READING || t == WRITING)
        focal_fake_store_plan(o->store, (struct focal_fake_failure){ .nth = nth, .status = t == READING ? FOCAL_IO : FOCAL_DISK_FULL,
            .kinds = t == READING ? FOCAL_FAKE_GET | FOCAL_FAKE_NEXT | FOCAL_FAKE_PREV : FOCAL_FAKE_WRITES });
}

static void disarm(void)
{
    left = 0;
    focal_fake_store_plan(o->store, (struct focal_fake_failure){ .nth = 0 });
}

static uint64_t digest(void)
{
    uint64_t all = 0, one, rows;
    for (int shelf = FOCAL_SHELF_META; shelf <= FOCAL_SHELF_LAST; shelf++) {
        assert_int_equal(focal_shelf_digest(o->store, (enum focal_shelf)shelf, &one, &rows), FOCAL_OK);
        all = all * UINT64_C(0x100000001b3) ^ one;
    }
    return all;
}

/* ---- the steps ---- */

static enum focal_status take(const struct focal_buf *statement) { return focal_oplog_add_statement(o->ol, focal_buf_view(statement)); }
static enum focal_status take_cut_of_ken(void) { return take(&cut_of_ken); }
static enum focal_status take_cut_of_hq(void) { return take(&cut_of_hq); }
static enum focal_status take_cut_of_right(void) { return take(&cut_of_right); }
static enum focal_status take_wider_cut(void) { return take(&wider_cut); }
static enum focal_status take_narrowed(void) { return take(&narrowed); }
static enum focal_status fill_hole(void) { return hand_over(o, &whole); }
static enum focal_status leave(void) { return focal_oplog_leave(o->ol, &scope_kenya); }

static enum focal_status in_a_transaction(enum focal_status (*step)(void))
{
    enum focal_status st = focal_store_begin(o->store);
    if (st != FOCAL_OK)
        return st;
    st = step();
    if (st == FOCAL_EXISTS)
        st = FOCAL_OK;
    if (st == FOCAL_OK)
        st = focal_oplog_seal(o->ol);
    if (st == FOCAL_OK)
        st = focal_store_commit(o->store);
    if (st == FOCAL_OK)
        focal_oplog_committed(o->ol);
    return st;
}

static void opened_anew(void)
{
    focal_oplog_close(o->ol);
    office_open(o);
}

static void try_with(enum focal_status (*step)(void), enum trouble t, const struct focal_fake_image *before, uint64_t was, uint64_t is)
{
    uint64_t nth = 1;
    for (; nth < ATTEMPTS_MAX; nth++) {
        focal_oplog_close(o->ol);
        assert_int_equal(focal_fake_store_restore(o->store, before), FOCAL_OK);
        office_open(o);
        arm(t, nth);
        const enum focal_status st = in_a_transaction(step);
        const bool reached = fired || (t >= READING && focal_fake_store_failed(o->store));
        disarm();
        if (st == FOCAL_OK) {
            assert_true(digest() == is);
            assert_verifies(o, NULL);
            if (!reached)
                break;
            continue;
        }
        assert_true(st == FOCAL_NO_MEMORY || st == FOCAL_IO || st == FOCAL_DISK_FULL || st == FOCAL_DAMAGED);
        focal_store_rollback(o->store);
        assert_int_equal(focal_oplog_rolled_back(o->ol), FOCAL_OK);
        assert_true(digest() == was);
        assert_int_equal(in_a_transaction(step), FOCAL_OK);
        assert_true(digest() == is);
    }
    if (nth == ATTEMPTS_MAX)
        fail_msg("trouble %d was met %llu times", (int)t, (unsigned long long)nth - 1);
}

static void step(enum focal_status (*what)(void))
{
    struct focal_fake_image *before = focal_fake_store_backup(o->store, true);
    const uint64_t was = digest();
    assert_non_null(before);
    assert_int_equal(in_a_transaction(what), FOCAL_OK);
    const uint64_t is = digest();
    focal_alloc_hook(allow, NULL);
    for (int t = MEMORY; t < TROUBLES; t++)
        try_with(what, (enum trouble)t, before, was, is);
    focal_alloc_hook(NULL, NULL);
    opened_anew();
    assert_true(digest() == is);
    assert_verifies(o, NULL);
    focal_fake_image_free(before);
}

/* ---- what it is lived over ---- */

static void statement_of(struct focal_buf *out, size_t of, struct focal_reach reach, uint64_t number, const struct focal_cut_tip *tips, size_t count)
{
    struct focal_buf list, body;
    focal_buf_init(out, FOCAL_STATEMENT_MAX);
    focal_buf_init(&list, FOCAL_STATEMENT_MAX);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    for (size_t i = 0; i < count; i++)
        focal_cut_tip_put(&list, &tips[i]);
    const struct focal_cut c = { .office = offices[of].code, .key = offices[of].keys.sign_public, .reach = reach, .number = number,
        .tips = focal_buf_view(&list), .day = 20100, .reason = FOCAL_CUT_REVOKED };
    focal_cut_encode(&body, &c);
    focal_statement_sign(out, net.authority.secret, &net.id, focal_buf_view(&body));
    assert_false(out->failed);
    focal_buf_close(&list);
    focal_buf_close(&body);
}

static void write_here_and_there(void)
{
    struct focal_ref ref;
    struct office *ken = &offices[KEN];
    record = write_text(KEN, NULL, "seen by all");
    edit = write_text(KEN, &record, canary);
    (void)write_text(KEN, &record, "beyond");
    begin(ken);
    assert_int_equal(try_write(ken, &scope_kenya, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark("of the country"), &ref), FOCAL_OK);
    commit(ken);
    assert_int_equal(take_up(ken, log_of(ken, &net, ken, &scope_network), 1, 15000, &whole), FOCAL_OK);
    assert_int_equal(redact(KEN, NULL, &edit), FOCAL_OK);
    carry_all(ken, o);
    own = write_text(SSD, &record, other_canary);
    carry_all(o, &offices[HQ]);
    assert_int_equal(redact(HQ, NULL, &own), FOCAL_OK);
    foreign = write_text(HQ, &record, "by headquarters");
    carry_all(&offices[HQ], o);
}

static void whatever_fails(void **state)
{
    (void)state;
    const struct focal_reach everything = { .kind = FOCAL_REACH_EVERYTHING }, right = { .kind = FOCAL_REACH_RIGHT, .right = FOCAL_RIGHT_REDACT };
    struct focal_cut_tip tips[2];
    struct focal_certificate c;
    o = &offices[SSD];
    write_here_and_there();
    const struct focal_log *log = log_of(o, &net, &offices[KEN], &scope_network);
    tips[0] = (struct focal_cut_tip){ .log = log->id, .tip = { .seq = 3 } };
    tips[1] = (struct focal_cut_tip){ .log = log->id, .tip = log->head };
    assert_int_equal(focal_oplog_hash_on(o->ol, log, 3, &tips[0].tip.h), FOCAL_OK);
    statement_of(&cut_of_ken, KEN, everything, 1, tips, 1);
    statement_of(&wider_cut, KEN, everything, 2, tips, 2);
    statement_of(&cut_of_right, HQ, right, 1, NULL, 0);
    statement_of(&cut_of_hq, HQ, everything, 1, NULL, 0);
    certificate_for(&c, o, 2);
    c.read_count = 2;
    focal_buf_init(&narrowed, FOCAL_STATEMENT_MAX);
    certificate_sign(&narrowed, &net, &c);

    step(take_cut_of_ken);              /* a hole: its redaction of its own counts no more */
    assert_true(focal_oplog_has_holes(o->ol));
    step(fill_hole);
    assert_false(focal_oplog_has_holes(o->ol));
    step(take_wider_cut);
    step(take_cut_of_right);            /* what headquarters hid of ours is shown again */
    step(take_cut_of_hq);
    step(take_narrowed);
    step(leave);
    focal_buf_close(&cut_of_ken);
    focal_buf_close(&cut_of_hq);
    focal_buf_close(&cut_of_right);
    focal_buf_close(&wider_cut);
    focal_buf_close(&narrowed);
    carried_close(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(whatever_fails, set_up, tear_down) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
