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

/* ---- a fuller one: forks, finished work in one segment, control, what is staged ---- */

static struct focal_ref texts[8], first_of_two, second_of_two;
static struct office copy;              /* of headquarters, started as if it were the only one */
static struct carried unsigned_of_ken, unsigned_of_tcd;

static void copy_headquarters(void)
{
    struct focal_fake_image *image = focal_fake_store_backup(offices[HQ].store, true);
    copy = offices[HQ];
    copy.store = focal_fake_store_clone(image);
    assert_non_null(copy.store);
    focal_buf_init(&copy.statement, FOCAL_STATEMENT_MAX);
    copy.chance.state += 99;
    focal_fake_image_free(image);
    office_open(&copy);
}

static void in_control(struct office *of, const struct focal_ref *of_record, struct focal_ref *ref)
{
    begin(of);
    assert_int_equal(try_write(of, &scope_control, of_record, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark("of control"), ref), FOCAL_OK);
    commit(of);
}

/* Several in one segment, whose salts are one run. */
static void many_at_once(struct office *of, struct focal_ref *refs, size_t count)
{
    begin(of);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(try_write(of, &scope_network, i ? &refs[0] : NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark(canary), &refs[i]), FOCAL_OK);
    commit(of);
}

/* The beginning of a segment that is not here yet, without its signature. */
static void beginning_of(struct office *of, struct carried *out)
{
    struct focal_ref refs[8];
    many_at_once(of, refs, 8);
    const struct focal_log *log = log_of(of, &net, of, &scope_network);
    memset(out, 0, sizeof *out);
    focal_buf_init(&out->packed, 1 << 20);
    out->name = log->name;
    assert_int_equal(focal_oplog_read_upto(of->ol, log, refs[0].seq, refs[4].seq, 15000, &out->piece, &out->packed), FOCAL_OK);
    assert_int_equal(out->piece.last, refs[4].seq);
    assert_false(out->piece.is_signed);
}

/* All that it says of its notices, from the beginning: so that a branch of them gets in. */
static void carry_notices(struct office *from, struct office *to)
{
    for (size_t i = 0; i < focal_oplog_log_count(from->ol); i++) {
        const struct focal_log *log = focal_oplog_log_at(from->ol, i);
        struct carried c;
        if (!log->mine || log->name.lane != FOCAL_LANE_NOTICES)
            continue;
        assert_int_equal(take_up(from, log, 1, 15000, &c), FOCAL_OK);
        begin(to);
        assert_int_equal(hand_over(to, &c), FOCAL_OK);
        commit(to);
        carried_close(&c);
    }
}

static enum focal_status redact_by(struct office *by, const struct focal_ref *entry)
{
    struct focal_ref notice;
    struct focal_error err;
    const struct focal_redact r = { .scope = scope_network, .entries = entry, .entry_count = 1, .reason = 2 };
    begin(by);
    enum focal_status st = focal_oplog_redact(by->ol, &r, &notice, &err);
    commit(by);
    return st;
}

static void a_fuller_day(void)
{
    struct office *ken = &offices[KEN], *hq = &offices[HQ], *tcd = &offices[TCD];
    struct focal_ref ref;
    focal_fake_store_fence(hq->store, (struct focal_entropy){ .fill = chance_fill, .data = &hq->chance }, "machine");
    focal_oplog_close(hq->ol);          /* what keeps a fence can be copied */
    office_open(hq);
    in_control(ken, NULL, &first_of_two);
    in_control(ken, NULL, &second_of_two);
    many_at_once(ken, texts, 8);
    record = write_text(KEN, NULL, "seen by all");
    edit = write_text(KEN, &record, canary);
    own = write_text(KEN, &record, canary);
    (void)write_text(KEN, &record, "after them");
    assert_int_equal(take_up(ken, log_of(ken, &net, ken, &scope_network), 1, 15000, &whole), FOCAL_OK);
    carry_all(ken, hq);
    carry_all(tcd, hq);
    foreign = write_text(HQ, &record, "by headquarters");
    assert_int_equal(redact(HQ, NULL, &texts[1]), FOCAL_OK);
    copy_headquarters();
    for (int i = 2; i < 6; i++)
        assert_int_equal(redact_by(i % 2 ? hq : &copy, &texts[i]), FOCAL_OK);
    carry_all(ken, o);
    assert_int_equal(redact(KEN, NULL, &edit), FOCAL_OK);
    assert_int_equal(redact(KEN, NULL, &own), FOCAL_OK);
    assert_int_equal(redact(TCD, NULL, &foreign), FOCAL_OK);    /* without the right */
    carry_all(ken, o);
    carry_all(hq, o);
    carry_notices(&copy, o);
    carry_all(tcd, o);
    in_control(ken, &first_of_two, &ref);
    in_control(ken, &second_of_two, &ref);
    carry_all(ken, o);
    beginning_of(ken, &unsigned_of_ken);
    (void)write_text(TCD, &record, "of the last");
    carry_all(tcd, o);
    beginning_of(tcd, &unsigned_of_tcd);
    begin(o);
    assert_int_equal(hand_over(o, &unsigned_of_ken), FOCAL_OK);
    assert_int_equal(hand_over(o, &unsigned_of_tcd), FOCAL_OK);
    commit(o);
}

static enum focal_status ask_what_is_missing(void)
{
    struct focal_hash network;
    bool any = false;
    focal_scope_id(&network, &net.id, &scope_network);
    enum focal_status st = focal_oplog_missing_about(o->ol, &record, &network, &any);
    assert_true(st != FOCAL_OK || any);
    return st;
}

/* The tips of all lines of a log's author in a scope, as far as they are held by the one that is cut. */
static size_t tips_of(size_t of, const struct focal_scope *scope, uint8_t lane, uint64_t less, struct focal_cut_tip *tips)
{
    size_t count = 0;
    for (size_t i = 0; i < focal_oplog_log_count(o->ol); i++) {
        const struct focal_log *log = focal_oplog_log_at(o->ol, i);
        if (!focal_key_equal(&log->name.author, &offices[of].keys.sign_public) || log->name.lane != lane || focal_scope_compare(&log->scope, scope) != 0
            || log->head.seq <= log->base.seq)
            continue;
        tips[count] = (struct focal_cut_tip){ .log = log->id, .tip = { .seq = log->head.seq - less } };
        assert_int_equal(focal_oplog_hash_on(o->ol, log, tips[count].tip.seq, &tips[count].tip.h), FOCAL_OK);
        count++;
    }
    return count;
}

static void whatever_fails_in_a_fuller_day(void **state)
{
    (void)state;
    const struct focal_reach everything = { .kind = FOCAL_REACH_EVERYTHING }, right = { .kind = FOCAL_REACH_RIGHT, .right = FOCAL_RIGHT_REDACT };
    const struct focal_reach network = { .kind = FOCAL_REACH_SCOPE, .scope = scope_network };
    struct focal_cut_tip tips[8];
    o = &offices[SSD];
    a_fuller_day();
    size_t count = tips_of(KEN, &scope_network, FOCAL_LANE_DATA, 0, tips);
    assert_int_equal(count, 1);
    statement_of(&cut_of_ken, KEN, everything, 1, tips, count);
    count = tips_of(HQ, &scope_network, FOCAL_LANE_NOTICES, 1, tips);
    assert_int_equal(count, 2);         /* of both lines, all but the last */
    statement_of(&cut_of_right, HQ, right, 1, tips, count);
    statement_of(&wider_cut, TCD, right, 1, NULL, 0);
    count = tips_of(TCD, &scope_network, FOCAL_LANE_DATA, 1, tips);
    statement_of(&narrowed, TCD, network, 1, tips, count);
    statement_of(&cut_of_hq, HQ, right, 2, NULL, 0);
    const struct focal_certificate *c = focal_oplog_certificate_by_sign(o->ol, &offices[HQ].keys.sign_public);
    assert_true(focal_oplog_may_redact(o->ol, c));
    step(take_narrowed);                /* of tcd's log all but the last counts, and something is staged behind it */
    step(take_wider_cut);
    step(take_cut_of_ken);              /* two holes, and its control goes */
    step(ask_what_is_missing);
    assert_true(focal_oplog_may_redact(o->ol, focal_oplog_certificate_by_sign(o->ol, &offices[HQ].keys.sign_public)));
    step(take_cut_of_right);            /* of what it hid, what the last of each line says is shown */
    assert_false(focal_oplog_may_redact(o->ol, focal_oplog_certificate_by_sign(o->ol, &offices[HQ].keys.sign_public)));
    step(take_cut_of_hq);               /* and now all of it */
    step(fill_hole);
    assert_false(focal_oplog_has_holes(o->ol));
    focal_buf_close(&cut_of_ken);
    focal_buf_close(&cut_of_hq);
    focal_buf_close(&cut_of_right);
    focal_buf_close(&wider_cut);
    focal_buf_close(&narrowed);
    carried_close(&whole);
    carried_close(&unsigned_of_ken);
    carried_close(&unsigned_of_tcd);
    office_close(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(whatever_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whatever_fails_in_a_fuller_day, set_up, tear_down) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
