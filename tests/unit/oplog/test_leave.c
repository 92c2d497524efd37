/* Leaving a scope, the ways that go wrong: the last copy, whoever wrote it and on whose word; and a scope that is given back. */
#include "cutting.h"

static const struct focal_reach kenya = { .kind = FOCAL_REACH_SCOPE, .scope = { .cls = FOCAL_SCOPE_COUNTRY, .country = "KEN" } };

static void write_in_kenya(struct office *o, size_t count, const char *text)
{
    struct focal_ref ref;
    begin(o);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(try_write(o, &scope_kenya, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark(text), &ref), FOCAL_OK);
    commit(o);
}

static const struct focal_log *kenya_log(struct office *at, size_t of)
{
    return log_of(at, &net, &offices[of], &scope_kenya);
}

/* `at` hears what this office signs to have. */
static void hears_receipt(struct office *at, struct office *of)
{
    struct focal_buf body;
    struct focal_signature signature;
    focal_buf_init(&body, FOCAL_RECEIPT_MAX);
    begin(of);
    assert_int_equal(focal_oplog_make_receipt(of->ol, &scope_kenya, 20100, &body, &signature), FOCAL_OK);
    commit(of);
    begin(at);
    assert_int_equal(focal_oplog_take_receipt(at->ol, focal_buf_view(&body), &signature), FOCAL_OK);
    commit(at);
    focal_buf_close(&body);
}

/* How much keeps it from leaving. UINT64_MAX: there is nothing to leave. */
static uint64_t kept_at(struct office *o)
{
    uint64_t kept;
    size_t at = 0;
    return focal_oplog_next_left(o->ol, &at, &kept) ? kept : UINT64_MAX;
}

static void leaves(struct office *o)
{
    assert_int_equal(kept_at(o), 0);
    begin(o);
    assert_int_equal(focal_oplog_leave(o->ol, &scope_kenya), FOCAL_OK);
    commit(o);
    assert_int_equal(kept_at(o), UINT64_MAX);
}

/* Leaves what `at` holds of it; all hear of it. */
static void cut_off(size_t who, struct office *at, struct focal_reach reach)
{
    struct focal_cut_tip tips[8];
    struct focal_buf cut;
    size_t count = 0;
    for (size_t i = 0; i < focal_oplog_log_count(at->ol); i++) {
        const struct focal_log *log = focal_oplog_log_at(at->ol, i);
        if (focal_key_equal(&log->name.author, &offices[who].keys.sign_public))
            tips[count++] = (struct focal_cut_tip){ .log = log->id, .tip = log->head };
    }
    cut_statement(&cut, &offices[who], reach, 1, tips, count);
    for (size_t i = 0; i < OFFICES; i++)
        hold(&offices[i], &cut);
    focal_buf_close(&cut);
}

/* What ssd has signed for is not elsewhere once ssd may not read it either. */
static void the_word_of_who_has_left(void **state)
{
    (void)state;
    struct office *ken = &offices[KEN], *ssd = &offices[SSD], *hq = &offices[HQ];
    write_in_kenya(ken, 1, canary);
    carry_all(ken, ssd);
    (void)write_text(SSD, NULL, "x");
    hears_receipt(ken, ssd);
    cut_off(SSD, ken, kenya);
    leaves(ssd);
    scrub(SSD);
    assert_false(readable(SSD, canary));
    cut_off(KEN, ken, kenya);
    assert_int_equal(kept_at(ken), 2);  /* the begin entry, and the case */
    assert_true(readable(KEN, canary));
    carry_all(ken, hq);
    (void)write_text(HQ, NULL, "x");
    hears_receipt(ken, hq);
    leaves(ken);
    assert_true(readable(HQ, canary));
}

/* What tcd wrote is nobody's but ours, once tcd is no member any more, or has lost its disk since. */
static void what_others_wrote(void **state)
{
    for (int lost = 0; lost < 2; lost++) {
        (void)tear_down(state);
        (void)set_up(state);
        struct office *ken = &offices[KEN], *tcd = &offices[TCD], *hq = &offices[HQ];
        focal_fake_store_fence(tcd->store, (struct focal_entropy){ .fill = chance_fill, .data = &tcd->chance }, "machine");
        focal_oplog_close(tcd->ol);
        office_open(tcd);
        write_in_kenya(tcd, 1, canary);
        carry_all(tcd, ken);
        (void)write_text(KEN, NULL, "x");
        cut_off(KEN, ken, kenya);
        assert_int_equal(kept_at(ken), 0);      /* who wrote it may read it, and has it */
        if (lost) {
            focal_fake_store_lose_fence(tcd->store);
            focal_oplog_close(tcd->ol);
            office_open(tcd);
            (void)write_text(TCD, NULL, "in another epoch");
            carry_all(tcd, ken);
        } else {
            cut_off(TCD, ken, everything);
        }
        assert_int_equal(kept_at(ken), 2);
        carry_all(ken, hq);
        (void)write_text(HQ, NULL, "x");
        hears_receipt(ken, hq);
        leaves(ken);
        assert_true(readable(HQ, canary));
    }
}

static void narrower_and_back(struct office *o, struct focal_buf *two, struct focal_buf *three)
{
    struct focal_certificate c;
    certificate_for(&c, o, 2);
    c.read_count = c.write_count = 2;   /* control and network */
    focal_buf_init(two, FOCAL_STATEMENT_MAX);
    certificate_sign(two, &net, &c);
    certificate_for(&c, o, 3);
    focal_buf_init(three, FOCAL_STATEMENT_MAX);
    certificate_sign(three, &net, &c);
}

/* What it writes when it has the scope again stands in another log: the one it wrote in before is not here any more. */
static void given_back(void **state)
{
    (void)state;
    struct office *ssd = &offices[SSD], *hq = &offices[HQ];
    struct focal_buf two, three;
    struct focal_incident incident = { .number = 0 };
    struct focal_id before, after;
    write_in_kenya(ssd, 3, canary);
    carry_all(ssd, hq);
    (void)write_text(HQ, NULL, "x");
    hears_receipt(ssd, hq);
    narrower_and_back(ssd, &two, &three);
    assert_true(focal_oplog_epoch(ssd->ol, &before));
    hold(ssd, &two);
    leaves(ssd);
    assert_false(focal_oplog_epoch(ssd->ol, &after));
    focal_oplog_close(ssd->ol);
    office_open(ssd);
    hold(ssd, &three);
    hold(hq, &two);
    hold(hq, &three);
    write_in_kenya(ssd, 1, other_canary);
    assert_true(focal_oplog_epoch(ssd->ol, &after) && !focal_id_equal(&before, &after));
    carry_all(ssd, hq);
    carry_all(hq, ssd);
    assert_int_equal(focal_oplog_next_incident(hq->ol, 0, &incident), FOCAL_NOT_FOUND);
    assert_int_equal(focal_oplog_next_incident(ssd->ol, 0, &incident), FOCAL_NOT_FOUND);
    for (size_t i = 0; i < focal_oplog_log_count(hq->ol); i++)
        assert_false(focal_oplog_log_at(hq->ol, i)->forked);
    assert_true(readable(SSD, canary) && readable(HQ, other_canary));
    assert_same_state(hq, ssd);
    assert_verifies(ssd, NULL);
    assert_verifies(hq, NULL);
    focal_buf_close(&two);
    focal_buf_close(&three);
}

/* A copy of ken wrote as well, and what comes back first is what came second before: an h is that of what stands there now. */
static void another_branch_comes_back_first(void **state)
{
    (void)state;
    struct office *ken = &offices[KEN], *ssd = &offices[SSD], *hq = &offices[HQ], copy;
    struct focal_buf two, three;
    struct focal_hash was, is, other;
    focal_fake_store_fence(ken->store, (struct focal_entropy){ .fill = chance_fill, .data = &ken->chance }, "machine");
    focal_oplog_close(ken->ol);
    office_open(ken);
    write_in_kenya(ken, 1, "shared");
    struct focal_fake_image *image = focal_fake_store_backup(ken->store, true);
    assert_non_null(image);
    copy = *ken;
    copy.store = focal_fake_store_clone(image);
    focal_fake_image_free(image);
    copy.chance.state += 99;
    focal_buf_init(&copy.statement, FOCAL_STATEMENT_MAX);
    office_open(&copy);
    write_in_kenya(ken, 3, canary);
    write_in_kenya(&copy, 3, other_canary);
    assert_true(focal_id_equal(&kenya_log(ken, KEN)->id, &kenya_log(&copy, KEN)->id));
    carry_all(ken, ssd);
    carry_all(&copy, hq);
    (void)write_text(HQ, NULL, "x");
    assert_int_equal(focal_oplog_hash_on(ssd->ol, kenya_log(ssd, KEN), 4, &was), FOCAL_OK);
    assert_int_equal(focal_oplog_hash_on(hq->ol, kenya_log(hq, KEN), 4, &other), FOCAL_OK);
    assert_false(focal_hash_equal(&was, &other));
    narrower_and_back(ssd, &two, &three);
    hold(ssd, &two);
    leaves(ssd);
    hold(ssd, &three);
    carry_all(hq, ssd);
    assert_int_equal(kenya_log(ssd, KEN)->head.seq, 5);
    assert_int_equal(focal_oplog_hash_on(ssd->ol, kenya_log(ssd, KEN), 4, &is), FOCAL_OK);
    assert_true(focal_hash_equal(&is, &other));
    assert_verifies(ssd, NULL);
    focal_buf_close(&two);
    focal_buf_close(&three);
    office_close(&copy);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(the_word_of_who_has_left), WITH(what_others_wrote), WITH(given_back), WITH(another_branch_comes_back_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
