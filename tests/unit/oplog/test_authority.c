/* A new authority: whose word counts, in any order, over restarts and rollbacks; and a thief of the old key. */
#include "renewing.h"
#include "succeeding.h"

static struct network n;
static struct office hq, ken, thief, here;
static struct focal_sign_key second, third;

static int set_up(void **state)
{
    (void)state;
    network_make(&n);
    office_make(&hq, &n, "HQ", 1);
    office_make(&ken, &n, "KEN", 2);
    office_make(&thief, &n, "ZZZ", 3);
    office_make(&here, &n, "SSD", 4);
    later_key(&second, 21);
    later_key(&third, 22);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    office_close(&hq);
    office_close(&ken);
    office_close(&thief);
    office_close(&here);
    network_close(&n);
    return 0;
}

static enum focal_status offer(struct office *o, const struct focal_buf *statement)
{
    begin(o);
    const enum focal_status st = focal_oplog_add_statement(o->ol, focal_buf_view(statement));
    if (st == FOCAL_OK)
        commit(o);
    else
        roll_back(o);
    return st;
}

static bool member(struct office *at, const struct office *o)
{
    const struct focal_certificate *c = focal_oplog_certificate(at->ol, &o->code);
    assert_true((c != NULL) == (focal_oplog_certificate_by_sign(at->ol, &o->keys.sign_public) != NULL));
    assert_true((c != NULL) == (focal_oplog_certificate_by_channel(at->ol, &o->keys.channel_public) != NULL));
    return c != NULL;
}

static size_t idle(const struct office *o)
{
    struct focal_span one;
    size_t count = 0;
    while (focal_oplog_idle_statement(o->ol, count, &one))
        count++;
    return count;
}

static void reopen(struct office *o)
{
    focal_oplog_close(o->ol);
    office_open(o);
}

/* Until it is known, what the new authority signs waits; then it counts, and of what the old one signed what is named. */
static void it_follows(void **state)
{
    struct focal_buf change, by_second;
    uint64_t number;
    (void)state;
    const struct focal_buf *const good[] = { &here.statement, &ken.statement };
    succession_sign(&change, &n, &second, 1, good, 2);
    signed_by_later(&by_second, &n, &second, &hq.statement);
    hold(&here, &here.statement);
    hold(&here, &thief.statement);
    hold(&here, &ken.statement);
    assert_int_equal(offer(&here, &by_second), FOCAL_NOT_YET);
    assert_true(member(&here, &thief) && member(&here, &ken) && !member(&here, &hq));
    assert_true(focal_key_equal(focal_oplog_authority(here.ol, &number), &n.authority.public) && number == 0);

    assert_int_equal(offer(&here, &change), FOCAL_OK);
    for (int again = 0; again < 2; again++) {
        assert_true(!member(&here, &thief) && member(&here, &ken) && !member(&here, &hq));
        assert_true(focal_key_equal(focal_oplog_authority(here.ol, &number), &second.public) && number == 1);
        assert_int_equal(idle(&here), 1);
        assert_int_equal(offer(&here, &thief.statement), FOCAL_NOT_YET);
        assert_int_equal(offer(&here, &hq.statement), FOCAL_NOT_YET);       /* the old key goes on signing */
        assert_int_equal(offer(&here, &change), FOCAL_EXISTS);
        reopen(&here);
    }
    assert_int_equal(offer(&here, &by_second), FOCAL_OK);
    assert_true(member(&here, &hq));
    assert_verifies(&here, NULL);
    focal_buf_close(&change);
    focal_buf_close(&by_second);
}

/* By the recovery key and no other; and what names a later key must be signed by that. */
static void by_whom(void **state)
{
    struct focal_buf bad, change, statement;
    const struct focal_buf *const good[] = { &here.statement };
    (void)state;
    hold(&here, &here.statement);
    succession_sign_by(&bad, &n, &n.authority, &second, 1, good, 1);
    assert_int_equal(offer(&here, &bad), FOCAL_NEVER);
    focal_buf_close(&bad);
    succession_sign_by(&bad, &n, &second, &second, 1, good, 1);
    assert_int_equal(offer(&here, &bad), FOCAL_NEVER);
    focal_buf_close(&bad);
    succession_sign(&change, &n, &second, 1, good, 1);
    for (size_t bit = 0; bit < change.len * 8; bit++) {
        change.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(offer(&here, &change), FOCAL_NEVER);
        change.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(offer(&here, &change), FOCAL_OK);
    signed_by_later(&statement, &n, &second, &ken.statement);
    statement.data[3] ^= 1;
    assert_int_equal(offer(&here, &statement), FOCAL_NEVER);
    focal_buf_close(&statement);
    signed_by_later(&statement, &n, &third, &ken.statement);        /* well signed, by an authority that nobody named */
    assert_int_equal(offer(&here, &statement), FOCAL_NOT_YET);
    assert_false(member(&here, &ken));
    focal_buf_close(&statement);
    focal_buf_close(&change);
}

/* The highest number, then the smaller hash; lists of one number and key are one; and what a later list names comes back. */
static void of_several(void **state)
{
    struct focal_buf one, more, later;
    (void)state;
    const struct focal_buf *const first[] = { &here.statement, &ken.statement }, *const added[] = { &hq.statement }, *const back[] = { &here.statement, &thief.statement };
    hold(&here, &here.statement);
    hold(&here, &ken.statement);
    hold(&here, &hq.statement);
    hold(&here, &thief.statement);
    succession_sign(&one, &n, &second, 1, first, 2);
    succession_sign(&more, &n, &second, 1, added, 1);
    succession_sign(&later, &n, &third, 2, back, 2);
    assert_int_equal(offer(&here, &more), FOCAL_OK);
    assert_true(!member(&here, &ken) && member(&here, &hq) && !member(&here, &thief));
    assert_int_equal(offer(&here, &one), FOCAL_OK);
    assert_true(member(&here, &ken) && member(&here, &hq) && !member(&here, &thief));
    begin(&here);
    assert_int_equal(focal_oplog_add_statement(here.ol, focal_buf_view(&later)), FOCAL_OK);
    assert_true(!member(&here, &ken) && !member(&here, &hq) && member(&here, &thief));
    roll_back(&here);
    assert_true(member(&here, &ken) && member(&here, &hq) && !member(&here, &thief));
    assert_int_equal(offer(&here, &later), FOCAL_OK);
    reopen(&here);
    assert_true(!member(&here, &ken) && !member(&here, &hq) && member(&here, &thief));
    assert_int_equal(idle(&here), 2);
    focal_buf_close(&one);
    focal_buf_close(&more);
    focal_buf_close(&later);
}

/* Of two with one number and two keys one wins everywhere, whichever came first. */
static void equal_numbers(void **state)
{
    struct focal_buf one, other;
    (void)state;
    const struct focal_buf *const to_ken[] = { &here.statement, &ken.statement }, *const to_hq[] = { &here.statement, &hq.statement };
    struct office *const places[] = { &here, &thief };
    succession_sign(&one, &n, &second, 1, to_ken, 2);
    succession_sign(&other, &n, &third, 1, to_hq, 2);
    for (int i = 0; i < 2; i++) {
        hold(places[i], &here.statement);
        hold(places[i], &ken.statement);
        hold(places[i], &hq.statement);
        assert_int_equal(offer(places[i], i ? &other : &one), FOCAL_OK);
        assert_int_equal(offer(places[i], i ? &one : &other), FOCAL_OK);
    }
    const struct focal_hash a = name_of_statement(&n, &one), b = name_of_statement(&n, &other);
    const bool first = memcmp(a.b, b.b, sizeof a.b) < 0;
    for (int i = 0; i < 2; i++)
        assert_true(member(places[i], &ken) == first && member(places[i], &hq) == !first);
    struct focal_hash here_set, there_set;
    focal_oplog_statements_hash(here.ol, &here_set);
    focal_oplog_statements_hash(thief.ol, &there_set);
    assert_memory_equal(&here_set, &there_set, sizeof here_set);    /* what is set aside is told nobody, and keeps nobody apart */
    focal_buf_close(&one);
    focal_buf_close(&other);
}

/* A renewal by a key counts with its delegation, also one that is made after the change. */
static void renewals_under_a_delegation(void **state)
{
    struct focal_sign_key key;
    struct focal_buf given, stolen, renewal, by_thief, change;
    (void)state;
    later_key(&key, 31);
    delegation_sign(&given, &n, "HQ", &key, 1, 30000);
    delegation_sign(&stolen, &n, "HQ", &key, 2, 40000);
    renewal_sign(&renewal, &n, &ken.statement, 1, 20766, 800, &key, &given);
    renewal_sign(&by_thief, &n, &ken.statement, 2, 21900, 1600, &key, &stolen);
    const struct focal_buf *const good[] = { &here.statement, &ken.statement, &given };
    succession_sign(&change, &n, &second, 1, good, 3);
    hold(&here, &here.statement);
    hold(&here, &ken.statement);
    hold(&here, &stolen);
    hold(&here, &by_thief);
    assert_int_equal(focal_oplog_certificate(here.ol, &ken.code)->to_day, 21900);
    assert_int_equal(offer(&here, &change), FOCAL_OK);
    assert_int_equal(focal_oplog_certificate(here.ol, &ken.code)->to_day, 20400);
    assert_int_equal(focal_oplog_certificate(here.ol, &ken.code)->openings_max, 400);
    assert_int_equal(offer(&here, &given), FOCAL_OK);
    assert_int_equal(offer(&here, &renewal), FOCAL_OK);
    assert_int_equal(focal_oplog_certificate(here.ol, &ken.code)->to_day, 20766);
    assert_int_equal(focal_oplog_certificate(here.ol, &ken.code)->openings_max, 800);
    focal_buf_close(&given);
    focal_buf_close(&stolen);
    focal_buf_close(&renewal);
    focal_buf_close(&by_thief);
    focal_buf_close(&change);
}

/* What an office wrote that is no member any more: refused from then on, gone from what is shown, back when it is named again. */
static void what_the_thief_wrote(void **state)
{
    struct focal_buf change, back;
    struct focal_ref ours, theirs, edit;
    struct focal_record_view view;
    (void)state;
    const struct focal_buf *const good[] = { &here.statement, &ken.statement }, *const all[] = { &here.statement, &ken.statement, &thief.statement };
    struct office *const both[] = { &ken, &thief, &here };
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++)
            hold(both[i], &both[k]->statement);
    begin(&ken);
    write_value(&ken, &scope_network, NULL, FIELD_A, 1, &ours);
    commit(&ken);
    carry_all(&ken, &here);
    carry_all(&ken, &thief);
    begin(&thief);
    write_value(&thief, &scope_network, NULL, FIELD_A, 9, &theirs);
    const struct focal_replaced instead = { .entry = ours };
    uint8_t nine = 9;
    assert_int_equal(try_write(&thief, &scope_network, &ours, &instead, 1, FOCAL_KIND_CASE, FIELD_A, focal_span_of(&nine, 1), &edit), FOCAL_OK);
    commit(&thief);
    carry_all(&thief, &here);
    assert_int_equal(focal_oplog_record(here.ol, NULL, &theirs, &view), FOCAL_OK);
    focal_record_view_close(&view);

    succession_sign(&change, &n, &second, 1, good, 2);
    assert_int_equal(offer(&here, &change), FOCAL_OK);
    assert_int_equal(focal_oplog_record(here.ol, NULL, &theirs, &view), FOCAL_NOT_FOUND);
    reopen(&here);
    assert_int_equal(focal_oplog_record(here.ol, NULL, &theirs, &view), FOCAL_NOT_FOUND);
    assert_same_state(&ken, &here);     /* ken never heard of the thief's entries */
    begin(&thief);
    write_value(&thief, &scope_network, NULL, FIELD_A, 10, &edit);
    commit(&thief);
    struct carried c;
    const struct focal_log *log = log_of(&thief, &n, &thief, &scope_network);
    assert_int_equal(take_up(&thief, log, log_of(&here, &n, &thief, &scope_network)->head.seq + 1, 15872, &c), FOCAL_OK);
    begin(&here);
    assert_int_equal(hand_over(&here, &c), FOCAL_NOT_YET);
    roll_back(&here);
    assert_verifies(&here, NULL);

    succession_sign(&back, &n, &third, 2, all, 3);
    assert_int_equal(offer(&here, &back), FOCAL_OK);
    begin(&here);
    assert_int_equal(hand_over(&here, &c), FOCAL_OK);
    commit(&here);
    assert_same_state(&thief, &here);
    assert_verifies(&here, NULL);
    carried_close(&c);
    focal_buf_close(&change);
    focal_buf_close(&back);
}

/* Who is not named writes no more, whatever is under way, and nothing of what it wrote before is lost at its own place. */
static void who_is_not_named(void **state)
{
    struct focal_buf change;
    struct focal_ref ref;
    const struct focal_buf *const good[] = { &here.statement };
    (void)state;
    hold(&ken, &ken.statement);
    hold(&ken, &here.statement);
    begin(&ken);
    write_value(&ken, &scope_network, NULL, FIELD_A, 1, &ref);
    succession_sign(&change, &n, &second, 1, good, 1);
    assert_int_equal(focal_oplog_add_statement(ken.ol, focal_buf_view(&change)), FOCAL_OK);
    uint8_t value = 2;
    assert_int_equal(try_write(&ken, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_A, focal_span_of(&value, 1), &ref), FOCAL_DENIED);
    commit(&ken);
    assert_null(focal_oplog_mine(ken.ol));
    assert_int_equal(log_of(&ken, &n, &ken, &scope_network)->head.seq, 2);
    assert_verifies(&ken, NULL);
    focal_buf_close(&change);
}

/* ---- whatever fails ---- */

static uint64_t left;                   /* allocations until one fails; 0: none does */

static bool allow(void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    return left == 0 || --left > 0;
}

static enum focal_status in_a_transaction(const struct focal_buf *statement)
{
    enum focal_status st = focal_store_begin(here.store);
    if (st == FOCAL_OK)
        st = focal_oplog_add_statement(here.ol, focal_buf_view(statement));
    if (st == FOCAL_OK)
        st = focal_oplog_seal(here.ol);
    if (st == FOCAL_OK)
        st = focal_store_commit(here.store);
    if (st == FOCAL_OK)
        focal_oplog_committed(here.ol);
    return st;
}

static bool shown(const struct focal_ref *record)
{
    struct focal_record_view view;
    const enum focal_status st = focal_oplog_record(here.ol, NULL, record, &view);
    if (st == FOCAL_OK)
        focal_record_view_close(&view);
    assert_true(st == FOCAL_OK || st == FOCAL_NOT_FOUND);
    return st == FOCAL_OK;
}

/* The first, the second, ... allocation or write fails, until one attempt meets no failure: each leaves what was. */
static void goes_through(const struct focal_buf *statement, const struct focal_ref *record, bool before)
{
    enum { ATTEMPTS_MAX = 2000 };
    for (int memory = 0; memory < 2; memory++) {
        enum focal_status st = FOCAL_NO_MEMORY;
        struct focal_fake_image *image = focal_fake_store_backup(here.store, true);
        assert_non_null(image);
        uint64_t nth = 1;
        for (; st != FOCAL_OK; nth++) {
            assert_true(nth < ATTEMPTS_MAX);
            left = memory ? nth : 0;
            focal_fake_store_plan(here.store, (struct focal_fake_failure){ .nth = memory ? 0 : nth, .status = FOCAL_DISK_FULL, .kinds = FOCAL_FAKE_WRITES });
            focal_alloc_hook(allow, NULL);
            st = in_a_transaction(statement);
            focal_alloc_hook(NULL, NULL);
            focal_fake_store_plan(here.store, (struct focal_fake_failure){ .nth = 0 });
            if (st == FOCAL_OK)
                break;
            focal_store_rollback(here.store);
            assert_int_equal(focal_oplog_rolled_back(here.ol), FOCAL_OK);
            assert_true(shown(record) == before && member(&here, &thief) == before && member(&here, &ken));
        }
        assert_true(nth > 2);           /* something failed */
        assert_true(shown(record) == !before && member(&here, &thief) == !before && member(&here, &ken));
        assert_verifies(&here, NULL);
        if (!memory) {                  /* and all of it once more */
            focal_oplog_close(here.ol);
            assert_int_equal(focal_fake_store_restore(here.store, image), FOCAL_OK);
            office_open(&here);
        }
        focal_fake_image_free(image);
    }
    reopen(&here);
    assert_true(shown(record) == !before);
}

static void whatever_fails(void **state)
{
    struct focal_buf change, back;
    struct focal_ref ref;
    (void)state;
    const struct focal_buf *const good[] = { &here.statement, &ken.statement }, *const all[] = { &here.statement, &ken.statement, &thief.statement };
    hold(&thief, &thief.statement);
    hold(&here, &here.statement);
    hold(&here, &ken.statement);
    hold(&here, &thief.statement);
    begin(&thief);
    write_value(&thief, &scope_network, NULL, FIELD_A, 9, &ref);
    commit(&thief);
    carry_all(&thief, &here);
    succession_sign(&change, &n, &second, 1, good, 2);
    succession_sign(&back, &n, &third, 2, all, 3);
    goes_through(&change, &ref, true);
    goes_through(&back, &ref, false);
    focal_buf_close(&change);
    focal_buf_close(&back);
}

/* Of KEN's log in `network`, as far as `at` holds it, `upto` stays. */
static void cut_at(struct focal_buf *statement, struct office *at, uint64_t upto)
{
    const struct focal_log *log = log_of(at, &n, &ken, &scope_network);
    struct focal_cut_tip tip = { .log = log->id, .tip = { .seq = upto } };
    struct focal_buf tips, body;
    assert_int_equal(focal_oplog_hash_on(at->ol, log, upto, &tip.tip.h), FOCAL_OK);
    focal_buf_init(&tips, FOCAL_STATEMENT_MAX);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(statement, FOCAL_STATEMENT_MAX);
    focal_cut_tip_put(&tips, &tip);
    const struct focal_cut cut = { .office = ken.code, .key = ken.keys.sign_public, .reach = { .kind = FOCAL_REACH_EVERYTHING }, .number = 1,
                                   .tips = focal_buf_view(&tips), .day = 20300, .reason = FOCAL_CUT_REVOKED };
    focal_cut_encode(&body, &cut);
    focal_statement_sign(statement, n.authority.secret, &n.id, focal_buf_view(&body));
    assert_false(statement->failed);
    focal_buf_close(&tips);
    focal_buf_close(&body);
}

/* Both take: what a cut leaves of an office counts while a certificate of it stays good, and where that does not, nothing; where
 * the cut is not named, all counts again. In whichever order the two come. */
static void beside_a_cut(void **state)
{
    (void)state;
    static const struct { bool certificate, cut; uint64_t upto; } kinds[] = { { true, true, 2 }, { false, true, 0 }, { true, false, 3 }, { false, false, 0 } };
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (int cut_first = 0; cut_first < 2; cut_first++) {
            struct focal_buf change, cut;
            struct focal_ref record, edit;
            (void)tear_down(state);
            (void)set_up(state);
            hold(&here, &here.statement);
            hold(&here, &ken.statement);
            hold(&ken, &ken.statement);
            begin(&ken);
            write_value(&ken, &scope_network, NULL, FIELD_A, 1, &record);
            write_value(&ken, &scope_network, &record, FIELD_A, 2, &edit);
            commit(&ken);
            carry_all(&ken, &here);
            cut_at(&cut, &ken, 2);
            const struct focal_buf *good[3] = { &here.statement };
            size_t count = 1;
            if (kinds[k].certificate)
                good[count++] = &ken.statement;
            if (kinds[k].cut)
                good[count++] = &cut;
            succession_sign(&change, &n, &second, 1, good, count);
            for (int i = 0; i < 2; i++) {
                const bool is_cut = (i == 0) == (cut_first != 0);
                const enum focal_status st = offer(&here, is_cut ? &cut : &change);
                assert_true(st == FOCAL_OK || (is_cut && !kinds[k].cut && !cut_first && st == FOCAL_NOT_YET));
            }
            const struct focal_log *log = log_of(&here, &n, &ken, &scope_network);
            for (int again = 0; again < 2; again++) {
                log = log_of(&here, &n, &ken, &scope_network);
                assert_int_equal(focal_log_tip(log)->seq, kinds[k].upto);
                const uint64_t most = focal_oplog_limit(here.ol, &log->id, &log->name);
                assert_true(most >= kinds[k].upto && (kinds[k].upto == 3 || most == kinds[k].upto));
                assert_verifies(&here, NULL);
                reopen(&here);
            }
            focal_buf_close(&change);
            focal_buf_close(&cut);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_follows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(by_whom, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_several, set_up, tear_down),
        cmocka_unit_test_setup_teardown(equal_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(renewals_under_a_delegation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_thief_wrote, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_not_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whatever_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(beside_a_cut, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
