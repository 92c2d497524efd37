/* A history lived through once more, with everything failing in it that can fail. Behind history.h. */
#ifndef FOCAL_TESTS_SWEEP_H
#define FOCAL_TESTS_SWEEP_H

enum trouble { MEMORY, READING, WRITING, TROUBLES };
static uint64_t allocations_left;       /* until one fails; 0: none does */
static bool fired;

static inline bool allow(void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    if (allocations_left == 0 || --allocations_left > 0)
        return true;
    fired = true;
    return false;
}

static inline void arm(const struct office *o, enum trouble t, uint64_t nth)
{
    fired = false;
    allocations_left = t == MEMORY ? nth : 0;
    if (t != MEMORY)
        focal_fake_store_plan(o->store, (struct focal_fake_failure){ .nth = nth, .status = t == READING ? FOCAL_IO : FOCAL_DISK_FULL,
            .kinds = t == READING ? FOCAL_FAKE_GET | FOCAL_FAKE_NEXT | FOCAL_FAKE_PREV : FOCAL_FAKE_WRITES });
}

static inline bool disarm(const struct office *o, enum trouble t)
{
    const bool met = t == MEMORY ? fired : focal_fake_store_failed(o->store);
    allocations_left = 0;
    focal_fake_store_plan(o->store, (struct focal_fake_failure){ .nth = 0 });
    return met;
}

static inline uint64_t shelves_of(const struct office *o, bool derived)
{
    uint64_t all = 0, one, rows;
    for (int shelf = FOCAL_SHELF_META; shelf <= FOCAL_SHELF_LAST; shelf++) {
        const bool is_derived = shelf == FOCAL_SHELF_PART || shelf == FOCAL_SHELF_CODE || shelf == FOCAL_SHELF_KIND || shelf == FOCAL_SHELF_CONFLICT
                                || shelf == FOCAL_SHELF_REDACTION || shelf == FOCAL_SHELF_STATEMENT;
        assert_int_equal(focal_shelf_digest(o->store, (enum focal_shelf)shelf, &one, &rows), FOCAL_OK);
        all = all * UINT64_C(0x100000001b3) ^ (is_derived || !derived ? one : 0);
    }
    return all;
}

/* What is not admitted is an answer, and no failure. */
static inline enum focal_status in_a_transaction(struct office *o, const struct step *s)
{
    enum focal_status st = focal_store_begin(o->store);
    if (st == FOCAL_OK)
        st = s->is_statement ? focal_oplog_add_statement(o->ol, focal_buf_view(&s->statement)) : hand_over(o, &s->piece);
    if (st == FOCAL_EXISTS || st == FOCAL_NOT_YET || st == FOCAL_CONFLICT || st == FOCAL_NO_LONGER)
        st = FOCAL_OK;
    if (st == FOCAL_OK)
        st = focal_oplog_seal(o->ol);
    if (st == FOCAL_OK)
        st = focal_store_commit(o->store);
    if (st == FOCAL_OK)
        focal_oplog_committed(o->ol);
    return st;
}

/* Each allocation, each read and each write of the step fails in turn: then it leaves nothing, and does the same when it is tried
 * again. */
static inline void sweep(struct office *o, const struct step *s)
{
    struct focal_fake_image *before = focal_fake_store_backup(o->store, true);
    const uint64_t was = shelves_of(o, false);
    assert_non_null(before);
    assert_int_equal(in_a_transaction(o, s), FOCAL_OK);
    const uint64_t is = shelves_of(o, false), means = shelves_of(o, true);
    focal_alloc_hook(allow, NULL);
    for (int t = MEMORY; t < TROUBLES; t++) {
        bool met = true;
        for (uint64_t nth = 1; met; nth++) {
            focal_oplog_close(o->ol);
            assert_int_equal(focal_fake_store_restore(o->store, before), FOCAL_OK);
            office_open(o);
            arm(o, (enum trouble)t, nth);
            const enum focal_status st = in_a_transaction(o, s);
            met = disarm(o, (enum trouble)t);
            if (st != FOCAL_OK) {
                assert_true(met);
                focal_store_rollback(o->store);
                assert_int_equal(focal_oplog_rolled_back(o->ol), FOCAL_OK);
                assert_true(shelves_of(o, false) == was);
                assert_int_equal(in_a_transaction(o, s), FOCAL_OK);
                assert_true(shelves_of(o, true) == means);      /* a branch may have another name here */
                continue;
            }
            assert_true(shelves_of(o, false) == is);
        }
    }
    focal_alloc_hook(NULL, NULL);
    focal_fake_image_free(before);
}

/* Cuts first or last, and each of the steps that come after the others swept. */
static inline void whatever_fails(const struct history *h, struct office *reference, bool cuts_first)
{
    struct office o;
    office_make(&o, &net, "MLI", 900);
    hold(&o, &o.statement);
    for (size_t i = 0; i < h->count; i++)
        if (i < h->fixed || h->steps[i].is_statement == cuts_first)
            assert_int_equal(in_a_transaction(&o, &h->steps[i]), FOCAL_OK);
    for (size_t i = h->fixed; i < h->count; i++)
        if (h->steps[i].is_statement != cuts_first)
            sweep(&o, &h->steps[i]);
    for (size_t round = 0; round < 2; round++)          /* what could not come in yet, and what is missing */
        for (size_t i = 0; i < h->count; i++)
            assert_int_equal(in_a_transaction(&o, &h->steps[i]), FOCAL_OK);
    assert_same_state(reference, &o);
    assert_verifies(&o, NULL);
    office_close(&o);
}

#endif
