/* Rescue: what a cut caught though it was honest is quoted by a living member, and counts as if it were the entry itself, also at
 * who never held that. */
#include "cutting.h"

#include <stdio.h>

/* All that counts at `from`. */
static void carry_good(struct office *from, struct office *to)
{
    begin(to);
    for (int rank = 0; rank < 3; rank++) {
        for (size_t i = 0; i < focal_oplog_log_count(from->ol); i++) {
            const struct focal_log *log = focal_oplog_log_at(from->ol, i);
            if (rank != (log->scope.cls == FOCAL_SCOPE_CONTROL ? 0 : log->name.lane == FOCAL_LANE_NOTICES ? 1 : 2))
                continue;
            for (uint64_t next = log->base.seq + 1; next <= focal_log_tip(log)->seq;) {
                struct carried c;
                assert_int_equal(take_up(from, log, next, 15872, &c), FOCAL_OK);
                assert_int_equal(hand_over(to, &c), FOCAL_OK);
                next = c.piece.last + 1;
                carried_close(&c);
            }
        }
    }
    commit(to);
}

static bool reads(struct office *at, const struct focal_ref *record, const char *text)
{
    struct focal_part part;
    struct focal_hash scope;
    struct focal_live lives[300];
    bool found = false;
    focal_part_init(&part);
    focal_scope_id(&scope, &net.id, &scope_network);
    if (focal_oplog_part(at->ol, record, &scope, &part) == FOCAL_OK) {
        size_t count = focal_part_live(&part, lives, 300);
        for (size_t i = 0; i < count && i < 300; i++)
            found = found || focal_span_equal(lives[i].value, mark(text));
    }
    focal_part_close(&part);
    return found;
}

struct seen { size_t entries, whole, brought_in, creates; char office[FOCAL_OFFICE_MAX + 1]; };

static void see(void *data, const struct focal_beyond *b)
{
    struct seen *s = data;
    s->entries++;
    s->whole += b->whole;
    s->brought_in += b->brought_in;
    s->creates += b->creates;
    assert_int_equal(b->scope.cls, FOCAL_SCOPE_NETWORK);
    memcpy(s->office, b->office.text, sizeof s->office);
}

static struct seen look(struct office *at)
{
    struct focal_beyond_walk walk = { 0 };
    struct seen s = { 0 };
    enum focal_status st;
    while ((st = focal_oplog_next_beyond(at->ol, &walk, see, &s)) == FOCAL_OK)
        ;
    assert_int_equal(st, FOCAL_NOT_FOUND);
    return s;
}

static struct focal_rescue rescue(struct office *by, const struct focal_ref *record)
{
    struct focal_rescue done = { .record = *record };
    struct focal_error err;
    enum focal_status st = FOCAL_MORE;
    while (st == FOCAL_MORE) {
        begin(by);
        st = focal_oplog_rescue(by->ol, &done, &scope_network, &err);
        commit(by);
    }
    assert_int_equal(st, FOCAL_OK);
    return done;
}

/* SSD holds more of KEN's log than the cut leaves, and brings one record of two in; TCD, who never held it, has it from SSD alone. */
static void a_record_is_brought_in(void **state)
{
    (void)state;
    struct focal_buf cut;
    struct office *ken = &offices[KEN], *ssd = &offices[SSD], *tcd = &offices[TCD];
    const struct focal_ref kept = write_text(KEN, NULL, "before the theft");
    const struct focal_ref honest = write_text(KEN, NULL, canary);
    (void)write_text(KEN, &honest, other_canary);
    (void)write_text(KEN, &kept, "of the thief");
    carry_all(ken, ssd);
    const struct focal_cut_tip tip = tip_of(ssd, KEN, 2);
    cut_statement(&cut, ken, everything, 1, &tip, 1);
    hold(ssd, &cut);
    hold(tcd, &cut);
    assert_false(reads(ssd, &honest, canary));
    struct seen s = look(ssd);
    assert_true(s.entries == 3 && s.whole == 3 && s.brought_in == 0 && s.creates == 1 && strcmp(s.office, "KEN") == 0);

    struct focal_rescue done = rescue(ssd, &honest);
    assert_true(done.brought_in == 2 && done.gone == 0);
    assert_true(reads(ssd, &honest, canary) && reads(ssd, &honest, other_canary) && !reads(ssd, &kept, "of the thief"));
    s = look(ssd);
    assert_true(s.entries == 3 && s.brought_in == 2);
    assert_int_equal(rescue(ssd, &honest).brought_in, 0);       /* once is enough */
    assert_verifies(ssd, NULL);

    carry_good(ssd, tcd);
    assert_true(reads(tcd, &honest, canary) && reads(tcd, &honest, other_canary));
    assert_int_equal(log_of(tcd, &net, ken, &scope_network)->head.seq, 2);
    assert_int_equal(look(tcd).entries, 0);
    assert_same_state(ssd, tcd);
    assert_verifies(tcd, NULL);

    /* Whose record it is goes by the log that it was created in, of which something counts. */
    const struct focal_certificate *author = focal_oplog_author(tcd->ol, &honest.log);
    assert_non_null(author);
    assert_string_equal(author->office.text, "KEN");
    focal_oplog_close(tcd->ol);
    office_open(tcd);
    assert_true(reads(tcd, &honest, canary));
    assert_verifies(tcd, NULL);
    focal_buf_close(&cut);
}

/* As long as who brought it in does: then another may. */
static void it_counts_by_who_brought_it_in(void **state)
{
    (void)state;
    struct focal_buf cut, next;
    struct office *ken = &offices[KEN], *ssd = &offices[SSD], *hq = &offices[HQ], *tcd = &offices[TCD];
    (void)write_text(KEN, NULL, "before the theft");
    const struct focal_ref honest = write_text(KEN, NULL, canary);
    carry_all(ken, ssd);
    carry_all(ken, hq);
    const struct focal_cut_tip tip = tip_of(ssd, KEN, 2);
    cut_statement(&cut, ken, everything, 1, &tip, 1);
    cut_statement(&next, ssd, everything, 1, NULL, 0);
    for (size_t i = 0; i < OFFICES; i++)
        hold(&offices[i], &cut);
    assert_int_equal(rescue(ssd, &honest).brought_in, 1);
    carry_good(ssd, hq);
    assert_true(reads(hq, &honest, canary));
    assert_int_equal(rescue(hq, &honest).brought_in, 0);
    hold(hq, &next);
    hold(ssd, &next);
    hold(tcd, &next);
    assert_false(reads(hq, &honest, canary));
    struct seen s = look(hq);           /* the entry, and the quote that counts no more */
    assert_true(s.entries == 2 && s.brought_in == 0);

    struct focal_rescue none = { .record = honest };
    struct focal_error err = { .status = FOCAL_OK };
    begin(ssd);
    assert_int_equal(focal_oplog_rescue(ssd->ol, &none, &scope_network, &err), FOCAL_DENIED);
    commit(ssd);
    assert_non_null(strstr(err.message, "taken from this office"));

    assert_true(rescue(hq, &honest).brought_in >= 1);
    carry_good(hq, tcd);
    assert_true(reads(hq, &honest, canary) && reads(tcd, &honest, canary));
    assert_same_state(hq, tcd);
    assert_verifies(hq, NULL);
    assert_verifies(tcd, NULL);
    focal_buf_close(&cut);
    focal_buf_close(&next);
}

/* What was redacted stays out; a redaction that comes later takes the quote as well. */
static void what_was_redacted_stays_out(void **state)
{
    (void)state;
    struct focal_buf cut;
    struct office *ken = &offices[KEN], *ssd = &offices[SSD], *hq = &offices[HQ], *tcd = &offices[TCD];
    (void)write_text(KEN, NULL, "before the theft");
    const struct focal_ref honest = write_text(KEN, NULL, canary);
    const struct focal_ref edit = write_text(KEN, &honest, other_canary);
    carry_all(ken, ssd);
    carry_all(ken, hq);
    const struct focal_cut_tip tip = tip_of(ssd, KEN, 2);
    cut_statement(&cut, ken, everything, 1, &tip, 1);
    hold(ssd, &cut);
    hold(hq, &cut);
    hold(tcd, &cut);
    assert_int_equal(redact(HQ, NULL, &edit), FOCAL_OK);
    carry_good(hq, ssd);
    struct focal_rescue done = rescue(ssd, &honest);
    assert_true(done.brought_in == 1 && done.gone == 1);
    assert_false(reads(ssd, &honest, other_canary));
    assert_int_equal(look(ssd).whole, 1);

    assert_int_equal(redact(HQ, NULL, &honest), FOCAL_OK);
    carry_good(ssd, tcd);
    assert_true(reads(tcd, &honest, canary));
    carry_good(hq, ssd);
    carry_good(hq, tcd);
    assert_false(reads(ssd, &honest, canary) || reads(tcd, &honest, canary));
    assert_same_state(ssd, tcd);
    assert_verifies(ssd, NULL);
    assert_verifies(tcd, NULL);
    focal_buf_close(&cut);
}

/* The largest that an office may write, and more of them than a segment holds, among entries of its own. */
static void many_and_large(void **state)
{
    (void)state;
    enum { MANY = 200, LARGE = FOCAL_ORDINARY_MAX - 100 };
    struct focal_buf cut;
    struct office *ken = &offices[KEN], *ssd = &offices[SSD], *tcd = &offices[TCD];
    struct chance chance = { 7 };
    static uint8_t large[LARGE];
    struct focal_ref r, ref;
    chance_fill(&chance, large, sizeof large);
    (void)write_text(KEN, NULL, "before the theft");
    begin(ken);
    assert_int_equal(try_write(ken, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark(canary), &r), FOCAL_OK);
    for (int i = 0; i < MANY; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "value %d of many", i);
        assert_int_equal(try_write(ken, &scope_network, &r, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, i % 20 ? mark(text) : focal_span_of(large, sizeof large - (size_t)i), &ref), FOCAL_OK);
    }
    commit(ken);
    carry_all(ken, ssd);
    const struct focal_cut_tip tip = tip_of(ssd, KEN, 2);
    cut_statement(&cut, ken, everything, 1, &tip, 1);
    hold(ssd, &cut);
    hold(tcd, &cut);
    begin(ssd);
    assert_int_equal(try_write(ssd, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark("one of its own"), &ref), FOCAL_OK);
    struct focal_rescue done = { .record = r };
    struct focal_error err;
    assert_int_equal(focal_oplog_rescue(ssd->ol, &done, &scope_network, &err), FOCAL_OK);
    assert_int_equal(done.brought_in, MANY + 1);
    assert_int_equal(try_write(ssd, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark("another of its own"), &ref), FOCAL_OK);
    commit(ssd);
    assert_int_equal(look(ssd).brought_in, MANY + 1);
    assert_true(reads(ssd, &r, canary) && reads(ssd, &r, "value 199 of many"));
    carry_good(ssd, tcd);
    assert_same_state(ssd, tcd);
    assert_verifies(ssd, NULL);
    assert_verifies(tcd, NULL);
    assert_int_equal(redact(SSD, &ref, NULL), FOCAL_OK);        /* beside quotes: no seed stays that reaches it */
    no_seed_reaches(SSD);
    focal_buf_close(&cut);
}

static uint64_t left;                   /* allocations until one fails; 0: none does */
static bool failed;

static bool allow(void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    failed = failed || left == 1;
    return left == 0 || left-- != 1;
}

static void fail_at(uint64_t nth)
{
    left = nth;
    failed = false;
    focal_alloc_hook(allow, NULL);
}

/* A revoked office that wrote without end on one record: a slice is bounded, what it writes is looked at once, and one entry of
 * many can be brought in alone. */
static void one_of_very_many(void **state)
{
    (void)state;
    enum { VERY_MANY = 9000 };
    struct focal_buf cut;
    struct office *ken = &offices[KEN], *ssd = &offices[SSD], *tcd = &offices[TCD];
    struct focal_ref ref;
    const struct focal_ref kept = write_text(KEN, NULL, "before the theft");
    const struct focal_ref honest = write_text(KEN, &kept, canary);
    begin(ken);
    for (int i = 0; i < VERY_MANY; i++)
        assert_int_equal(try_write(ken, &scope_network, &kept, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark("of the thief"), &ref), FOCAL_OK);
    commit(ken);
    carry_all(ken, ssd);
    const struct focal_cut_tip tip = tip_of(ssd, KEN, 2);
    cut_statement(&cut, ken, everything, 1, &tip, 1);
    hold(ssd, &cut);
    hold(tcd, &cut);
    while (focal_oplog_again_due(ssd->ol)) {
        begin(ssd);
        commit(ssd);
    }
    struct focal_rescue one = { .record = kept, .only = &honest, .only_count = 1 };
    struct focal_error err;
    begin(ssd);
    assert_int_equal(focal_oplog_rescue(ssd->ol, &one, &scope_network, &err), FOCAL_OK);
    commit(ssd);
    assert_true(one.brought_in == 1 && one.gone == 0);
    assert_true(reads(ssd, &kept, canary) && !reads(ssd, &kept, "of the thief"));
    assert_int_equal(look(ssd).brought_in, 1);
    struct focal_rescue all = { .record = kept };
    int slices = 0;
    for (enum focal_status st = FOCAL_MORE; st == FOCAL_MORE; slices++) {
        const size_t before = all.brought_in;
        begin(ssd);
        st = focal_oplog_rescue(ssd->ol, &all, &scope_network, &err);
        commit(ssd);
        assert_true(st == FOCAL_MORE || st == FOCAL_OK);
        assert_true(all.brought_in - before < 1024 + FOCAL_STRETCH_ENTRIES_MAX);
    }
    assert_int_equal(all.brought_in, VERY_MANY);
    assert_in_range(slices, 2, 12);
    assert_int_equal(look(ssd).brought_in, VERY_MANY + 1);
    carry_good(ssd, tcd);
    assert_same_state(ssd, tcd);
    focal_buf_close(&cut);
}

/* Without memory, wherever, it says so and nothing is half done. */
static void failures(void **state)
{
    (void)state;
    struct focal_buf cut;
    struct office *ken = &offices[KEN], *ssd = &offices[SSD];
    (void)write_text(KEN, NULL, "before the theft");
    const struct focal_ref honest = write_text(KEN, NULL, canary);
    (void)write_text(KEN, &honest, other_canary);
    carry_all(ken, ssd);
    const struct focal_cut_tip tip = tip_of(ssd, KEN, 2);
    cut_statement(&cut, ken, everything, 1, &tip, 1);
    hold(ssd, &cut);
    bool worked = false;
    for (uint64_t nth = 1; !worked; nth++) {
        struct focal_rescue done = { .record = honest };
        struct focal_error err;
        begin(ssd);
        fail_at(nth);
        enum focal_status st = focal_oplog_rescue(ssd->ol, &done, &scope_network, &err);
        focal_alloc_hook(NULL, NULL);
        worked = !failed;
        assert_true(worked ? st == FOCAL_OK : st == FOCAL_NO_MEMORY);
        if (worked)
            commit(ssd);
        else
            roll_back(ssd);
        assert_true(reads(ssd, &honest, canary) == worked);
    }
    struct focal_beyond_walk walk = { 0 };
    struct seen s = { 0 };
    fail_at(1);
    assert_int_equal(focal_oplog_next_beyond(ssd->ol, &walk, see, &s), FOCAL_NO_MEMORY);
    focal_alloc_hook(NULL, NULL);
    assert_int_equal(look(ssd).brought_in, 2);
    assert_verifies(ssd, NULL);
    focal_buf_close(&cut);
}

/* Whatever the disk refuses, wherever: it says so, and nothing is half done. An office whose certificate is not known is no reason. */
static void disk_failures(void **state)
{
    (void)state;
    struct focal_buf cut;
    struct office *ken = &offices[KEN], *ssd = &offices[SSD], *hq = &offices[HQ];
    (void)write_text(KEN, NULL, "before the theft");
    const struct focal_ref honest = write_text(KEN, NULL, canary);
    const struct focal_ref edit = write_text(KEN, &honest, other_canary);
    const struct focal_ref both[] = { edit, honest };
    carry_all(ken, ssd);
    carry_all(ken, hq);
    const struct focal_cut_tip tip = tip_of(ssd, KEN, 2);
    cut_statement(&cut, ken, everything, 1, &tip, 1);
    hold(ssd, &cut);
    hold(hq, &cut);
    /* One of the two is brought in by another: that is looked for in its log. */
    struct focal_rescue one = { .record = honest, .only = &edit, .only_count = 1 };
    struct focal_error err;
    begin(hq);
    assert_int_equal(focal_oplog_rescue(hq->ol, &one, &scope_network, &err), FOCAL_OK);
    commit(hq);
    carry_good(hq, ssd);
    bool worked = false;
    for (uint64_t nth = 1; !worked; nth++) {
        struct focal_rescue r = { .record = honest, .only = both, .only_count = 2 };
        begin(ssd);
        focal_fake_store_plan(ssd->store, (struct focal_fake_failure){ .nth = nth, .status = FOCAL_IO, .kinds = FOCAL_FAKE_GET | FOCAL_FAKE_NEXT | FOCAL_FAKE_PREV | FOCAL_FAKE_PUT | FOCAL_FAKE_DEL });
        enum focal_status st = focal_oplog_rescue(ssd->ol, &r, &scope_network, &err);
        worked = !focal_fake_store_failed(ssd->store);
        focal_fake_store_plan(ssd->store, (struct focal_fake_failure){ .nth = 0 });
        assert_true(worked ? st == FOCAL_OK && r.brought_in == 1 : st != FOCAL_OK && st != FOCAL_MORE);
        if (worked)
            commit(ssd);
        else
            roll_back(ssd);
        assert_true(reads(ssd, &honest, canary) == worked);
    }
    worked = false;
    for (uint64_t nth = 1; !worked; nth++) {
        struct focal_beyond_walk walk = { 0 };
        struct seen s = { 0 };
        focal_fake_store_plan(ssd->store, (struct focal_fake_failure){ .nth = nth, .status = FOCAL_IO, .kinds = FOCAL_FAKE_GET | FOCAL_FAKE_NEXT | FOCAL_FAKE_PREV });
        enum focal_status st = focal_oplog_next_beyond(ssd->ol, &walk, see, &s);
        worked = !focal_fake_store_failed(ssd->store);
        focal_fake_store_plan(ssd->store, (struct focal_fake_failure){ .nth = 0 });
        assert_true(worked == (st == FOCAL_OK));
    }
    for (uint64_t nth = 1, done = 0; !done; nth++) {
        struct focal_beyond_walk walk = { 0 };
        struct seen s = { 0 };
        fail_at(nth);
        enum focal_status st = focal_oplog_next_beyond(ssd->ol, &walk, see, &s);
        focal_alloc_hook(NULL, NULL);
        done = !failed;
        assert_true(done ? st == FOCAL_OK : st == FOCAL_NO_MEMORY);
    }
    assert_int_equal(look(ssd).brought_in, 2);
    assert_verifies(ssd, NULL);
    focal_buf_close(&cut);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(a_record_is_brought_in), WITH(it_counts_by_who_brought_it_in), WITH(what_was_redacted_stays_out), WITH(many_and_large), WITH(one_of_very_many), WITH(failures), WITH(disk_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
