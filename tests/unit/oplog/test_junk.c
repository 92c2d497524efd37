/* Unsigned junk: anybody can send it under anybody's name, so it must cost nobody more than a transfer. */
#include "inside.h"
#include "forge.h"

static void hold_opening(uint8_t epoch)
{
    struct focal_log_name control = name_of(&ken, &scope_control, epoch);
    struct focal_buf payload;
    struct forged_entry first = begin_entry;
    struct carried p;
    opening(&payload, &control, 1);
    first.payload = focal_buf_view(&payload);
    forge(&p, &ken, &control, NULL, 1, &first, 1, true);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    focal_buf_close(&payload);
}

/* What a peer says comes next in the log that is being written here must not stand in the way of what is written. */
static void junk_on_our_own_log(void **state)
{
    (void)state;
    struct focal_ref ref;
    struct carried p;
    hold(&hq, &hq.statement);
    begin(&hq);
    write_value(&hq, &scope_network, NULL, FIELD_A, 1, &ref);
    commit(&hq);
    const struct focal_log *own = log_of(&hq, &net, &hq, &scope_network);
    const struct forged_entry next = creating(own->head.seq + 1);
    forge(&p, &ken, &own->name, &own->head.h, next.header.seq, &next, 1, false);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    assert_true(own->staged.seq > own->head.seq);
    begin(&hq);
    write_value(&hq, &scope_network, NULL, FIELD_A, 2, &ref);
    commit(&hq);
    assert_int_equal(own->head.seq, 3);
    assert_true(own->staged.seq == own->head.seq);
    assert_verifies(&hq, NULL);
}

static struct focal_log_name long_log;

/* The beginning of a log whose first signature stands beyond one message. */
static enum focal_status offer_beginning(uint8_t salt_kind)
{
    const uint8_t kind = salt_kind;
    struct forged_entry list[2] = { begin_entry, creating(2) };
    struct carried p;
    list[1].payload = focal_span_of(&kind, 1);
    forge(&p, &ken, &long_log, NULL, 1, list, 2, false);
    return offer_and_close(&p);
}

/* Pieces of one log that contradict each other take one place, not one each time. */
static void contradicting_junk_takes_one_place(void **state)
{
    (void)state;
    hold(&hq, &ken.statement);
    hold_opening(1);
    long_log = name_of(&ken, &scope_network, 1);
    for (int i = 0; i < 200; i++)
        assert_int_equal(offer_beginning(i % 2 ? FOCAL_KIND_CASE : FOCAL_KIND_ENTITY), FOCAL_OK);
    long_log = name_of(&ken, &scope_kenya, 1);
    assert_int_equal(offer_beginning(FOCAL_KIND_CASE), FOCAL_OK);
}

/* Openings that nobody signed, of epochs that nobody opened: their logs must not take the place of those that are. */
static void invented_epochs_block_nobody(void **state)
{
    (void)state;
    hold(&hq, &ken.statement);
    hold_opening(1);
    for (int i = 2; i < 202; i++) {
        struct focal_log_name control = name_of(&ken, &scope_control, (uint8_t)i);
        struct focal_buf payload;
        struct forged_entry first = begin_entry;
        struct carried p;
        opening(&payload, &control, 1);
        first.payload = focal_buf_view(&payload);
        forge(&p, &hq, &control, NULL, 1, &first, 1, false);
        (void)!offer_and_close(&p);
        focal_buf_close(&payload);
    }
    assert_true(focal_oplog_log_count(hq.ol) < 100);
    long_log = name_of(&ken, &scope_network, 1);
    assert_int_equal(offer_beginning(FOCAL_KIND_CASE), FOCAL_OK);
    focal_oplog_close(hq.ol);
    office_open(&hq);
    long_log = name_of(&ken, &scope_kenya, 1);
    assert_int_equal(offer_beginning(FOCAL_KIND_CASE), FOCAL_OK);
}

/* ---- branches ---- */

enum { LONG = 512 };

static const struct focal_log *hold_long_log(void)
{
    struct forged_entry list[64];
    struct carried p;
    hold(&hq, &ken.statement);
    hold_opening(1);
    const struct focal_log_name data = name_of(&ken, &scope_network, 1);
    for (uint64_t first = 1; first < LONG; first += 64) {
        for (uint64_t i = 0; i < 64; i++)
            list[i] = first + i == 1 ? begin_entry : creating(first + i);
        const struct focal_hash before = forge_head;
        forge(&p, &ken, &data, first == 1 ? NULL : &before, first, list, 64, true);
        assert_int_equal(offer_and_close(&p), FOCAL_OK);
    }
    struct focal_id id;
    focal_log_id(&id, &net.id, &data);
    return focal_oplog_log(hq.ol, &id);
}

static void forge_branch(struct carried *p, const struct focal_log *log, uint64_t base, bool sign)
{
    static const uint8_t entity = FOCAL_KIND_ENTITY;
    struct forged_entry other = creating(base + 1);
    struct focal_hash before;
    other.payload = focal_span_of(&entity, 1);
    assert_int_equal(focal_oplog_hash_on(hq.ol, log, base, &before), FOCAL_OK);
    forge(p, &ken, &log->name, &before, base + 1, &other, 1, sign);
}

static void hold_branches(const struct focal_log *log, const uint64_t *bases, size_t count)
{
    size_t found = 0;
    for (const struct focal_log *line = log; (line = focal_oplog_next_line(hq.ol, &log->id, line)) != NULL;)
        for (size_t i = 0; i < count; i++)
            found += line->base.seq == bases[i] && line->head.seq == bases[i] + 1;
    assert_int_equal(found, count);
    assert_verifies(&hq, NULL);
}

/* Branches that nobody signed do not keep out those that the author did, whole or in pieces. */
static void invented_branches_keep_out_none(void **state)
{
    (void)state;
    struct carried p;
    const struct focal_log *log = hold_long_log();
    for (uint64_t base = 2; base < LONG - 8; base++) {
        forge_branch(&p, log, base, false);
        assert_int_equal(offer_and_close(&p), FOCAL_OK);
    }
    const uint64_t bases[] = { LONG - 2, LONG - 4, 100 };
    for (size_t i = 0; i < 3; i++) {
        forge_branch(&p, log, bases[i], false);
        assert_int_equal(offer_and_close(&p), FOCAL_OK);
        forge_branch(&p, log, bases[i], true);
        assert_int_equal(offer_and_close(&p), FOCAL_OK);
    }
    hold_branches(log, bases, 3);
    forge_branch(&p, log, LONG - 3, true);
    begin(&hq);
    assert_int_equal(hand_over(&hq, &p), FOCAL_OK);
    roll_back(&hq);
    hold_branches(log, bases, 3);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    focal_oplog_close(hq.ol);
    office_open(&hq);
    struct focal_id id;
    focal_log_id(&id, &net.id, &p.name);
    const uint64_t all[] = { LONG - 2, LONG - 4, 100, LONG - 3 };
    hold_branches(focal_oplog_log(hq.ol, &id), all, 4);
}

/* A full disk rolls back the same branch again and again; when there is room, it is taken in. */
static void tried_in_vain_and_then_held(void **state)
{
    (void)state;
    struct carried p;
    const struct focal_log *log = hold_long_log();
    const uint64_t base = 300;
    forge_branch(&p, log, base, true);
    for (int i = 0; i < 600; i++) {
        begin(&hq);
        assert_int_equal(hand_over(&hq, &p), FOCAL_OK);
        roll_back(&hq);
    }
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    hold_branches(log, &base, 1);
}

/* What an author signs is bounded too: of one log so many branches are held, and the others wait. */
static void so_many_branches_and_no_more(void **state)
{
    (void)state;
    struct carried p;
    const struct focal_log *log = hold_long_log();
    for (uint64_t base = 2; base < 2 + BRANCHES_MAX; base++) {
        forge_branch(&p, log, base, true);
        assert_int_equal(offer_and_close(&p), FOCAL_OK);
    }
    const size_t lines = focal_oplog_log_count(hq.ol);
    struct focal_error err;
    for (int sign = 0; sign < 2; sign++) {
        forge_branch(&p, log, 2 + BRANCHES_MAX, sign);
        begin(&hq);
        assert_int_equal(hand_over_or(&hq, &p, &err), FOCAL_NOT_YET);
        commit(&hq);
        assert_string_equal(err.message, "too many branches of one log");
        carried_close(&p);
    }
    assert_int_equal(focal_oplog_log_count(hq.ol), lines);
    forge_branch(&p, log, 100, true);           /* one that is held may come again */
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    assert_verifies(&hq, NULL);
}

/* Entries base+1..base+count of ken, other than those held, signed; after the entry of `line` at base. */
static void offer_other(const struct focal_log *line, uint64_t base, size_t count, uint8_t salt)
{
    struct forged_entry list[8];
    struct focal_hash before;
    struct carried p;
    assert_int_equal(focal_oplog_hash_on(hq.ol, line, base, &before), FOCAL_OK);
    for (size_t i = 0; i < count; i++) {
        list[i] = creating(base + 1 + i);
        list[i].salt = salt;
    }
    forge(&p, &ken, &line->name, &before, base + 1, list, count, true);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
}

static const struct focal_log *line_with_head(const struct focal_id *id, const struct focal_hash *h)
{
    const struct focal_log *line = NULL;
    while ((line = focal_oplog_next_line(hq.ol, id, line)) != NULL && !focal_hash_equal(&line->head.h, h))
        ;
    assert_non_null(line);
    return line;
}

/* Where all places of branches are taken by junk, those that are signed move into them, also as branches of branches that were
 * made after them; each leaves the line on which its base stands. And none moves when the store fails. */
static void moved_branches_leave_the_right_line(void **state)
{
    (void)state;
    struct carried p;
    const struct focal_log *log = hold_long_log();
    for (uint64_t base = 2; base < 2 + BRANCHES_MAX; base++) {
        forge_branch(&p, log, base, false);
        assert_int_equal(offer_and_close(&p), FOCAL_OK);
    }
    const uint64_t last = 1 + BRANCHES_MAX;
    offer_other(log, last, 5, 0x51);            /* into the place of the last one, which leaves there */
    const struct focal_log *parent = line_with_head(&log->id, &forge_head);
    assert_int_equal(parent->base.seq, last);
    offer_other(parent, last + 3, 2, 0x52);     /* into the place of the first one */
    const struct focal_log *child = line_with_head(&log->id, &forge_head);
    assert_true(child->serial < parent->serial);
    assert_ptr_equal(focal_oplog_parent(hq.ol, child), parent);
    assert_int_equal(child->base.seq, last + 3);
    offer_other(parent, last + 2, 1, 0x53);     /* below where the child leaves: on the parent itself */
    const struct focal_log *other = line_with_head(&log->id, &forge_head);
    assert_ptr_equal(focal_oplog_parent(hq.ol, other), parent);
    assert_int_equal(other->base.seq, last + 2);
    assert_verifies(&hq, NULL);

    uint64_t failures = 0;
    forge_branch(&p, log, 300, true);           /* where a junk branch leaves already, and none needs to move */
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    forge_branch(&p, log, LONG - 5, true);
    enum focal_status st = FOCAL_IO;
    for (int writes = 0; writes < 2; writes++, st = FOCAL_IO) {
        for (uint64_t nth = 1; st == FOCAL_IO; nth++) {
            begin(&hq);
            focal_fake_store_plan(hq.store, (struct focal_fake_failure){ .nth = nth, .status = FOCAL_IO,
                .kinds = writes ? FOCAL_FAKE_PUT | FOCAL_FAKE_DEL : FOCAL_FAKE_GET | FOCAL_FAKE_NEXT | FOCAL_FAKE_PREV });
            st = hand_over(&hq, &p);
            focal_fake_store_plan(hq.store, (struct focal_fake_failure){ .nth = 0 });
            failures += st == FOCAL_IO;
            roll_back(&hq);
        }
        assert_int_equal(st, FOCAL_OK);
        assert_verifies(&hq, NULL);
    }
    assert_true(failures > 3);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    const uint64_t bases[] = { last, last + 3, last + 2, 300, LONG - 5 };
    size_t held = 0;
    for (const struct focal_log *line = log; (line = focal_oplog_next_line(hq.ol, &log->id, line)) != NULL; held++)
        assert_true(line->base.seq == bases[0] || line->base.seq == bases[1] || line->base.seq == bases[2] || line->base.seq == bases[3] || line->base.seq == bases[4]);
    assert_int_equal(held, 5);
    focal_oplog_close(hq.ol);
    office_open(&hq);
    assert_verifies(&hq, NULL);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(junk_on_our_own_log),
        WITH(contradicting_junk_takes_one_place),
        WITH(invented_epochs_block_nobody),
        WITH(invented_branches_keep_out_none),
        WITH(tried_in_vain_and_then_held),
        WITH(so_many_branches_and_no_more),
        WITH(moved_branches_leave_the_right_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
