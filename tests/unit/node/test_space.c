/* A disk that fills up: who waits, who does not, and that a step taken back leaves nothing, in memory either. */
#include "places.h"

static struct place *hq, *ken;

static void join_up(void)
{
    for (int i = 0; i < 20; i++) {
        pass(1000);
        while (ken->dial_count)
            (void)answer_dial(ken, hq);
        run();
    }
}

static int set_up(void **state)
{
    (void)state;
    hq = hq_make(true);
    ken = member_make("KEN");
    (void)dial(ken, hq);
    run();
    pass(1000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    all_close();
    return 0;
}

static void whole_digest(struct place *p, uint64_t out[FOCAL_SHELF_LAST + 1])
{
    for (int s = FOCAL_SHELF_META; s <= FOCAL_SHELF_LAST; s++) {
        uint64_t rows;
        assert_int_equal(focal_shelf_digest(p->store, (enum focal_shelf)s, &out[s], &rows), FOCAL_OK);
    }
}

static enum focal_status try_case(struct place *p, struct focal_ref *ref)
{
    static const char *const pairs[][2] = { { "country", "KEN" }, { "allegation_type", "other" } };
    struct focal_change c;
    assert_int_equal(set_text(p, ref, true, pairs, 2, &c), FOCAL_OK);
    if (c.status == FOCAL_DISK_FULL)
        assert_true(c.error.message[0] && c.error.hint[0]);
    return c.status;
}

static void both_equal(const struct focal_ref *a, const struct focal_ref *b)
{
    struct focal_peer_status s;
    join_up();
    status_of(ken, "HQ", &s);
    assert_int_equal(s.link, FOCAL_LINK_UP);
    assert_true(s.equal);
    status_of(hq, "KEN", &s);
    assert_true(s.equal);
    assert_true(has_case(hq, a) && has_case(ken, a));
    if (b)
        assert_true(has_case(hq, b) && has_case(ken, b));
}

/* What memory says of our logs is what a node says that reads the store anew. */
static void memory_is_the_store(struct place *p)
{
    struct focal_oplog *fresh = NULL;
    assert_int_equal(focal_oplog_open(&fresh, p->store, NULL, NULL, NULL, NULL), FOCAL_OK);
    const struct focal_oplog *held = focal_node_oplog(p->node);
    assert_int_equal(focal_oplog_log_count(held), focal_oplog_log_count(fresh));
    for (size_t i = 0; i < focal_oplog_log_count(fresh); i++) {
        const struct focal_log *a = focal_oplog_log_at(fresh, i), *b = focal_oplog_log(held, &a->id);
        assert_non_null(b);
        assert_int_equal(a->head.seq, b->head.seq);
        assert_true(focal_hash_equal(&a->head.h, &b->head.h));
    }
    struct focal_hash x, y;
    focal_oplog_statements_hash(fresh, &x);
    focal_oplog_statements_hash(held, &y);
    assert_true(focal_hash_equal(&x, &y));
    focal_oplog_close(fresh);
}

/* Every operation of the store finds the disk full in turn: the change is refused whole, and the next one is taken. */
static void full_at_every_operation(void **state)
{
    (void)state;
    size_t refused = 0;
    struct focal_ref ref = { .seq = 0 }, last = { .seq = 0 };
    for (uint64_t nth = 1; nth < 60; nth++) {
        uint64_t before[FOCAL_SHELF_LAST + 1] = { 0 }, after[FOCAL_SHELF_LAST + 1] = { 0 };
        whole_digest(ken, before);
        focal_fake_store_plan(ken->store, (struct focal_fake_failure){ .nth = nth, .kinds = FOCAL_FAKE_ALL, .status = FOCAL_DISK_FULL });
        enum focal_status st = try_case(ken, &ref);
        focal_fake_store_plan(ken->store, (struct focal_fake_failure){ .nth = 0 });
        if (st == FOCAL_OK)
            continue;
        refused++;
        assert_int_equal(st, FOCAL_DISK_FULL);
        assert_int_equal(focal_node_failed(ken->node), FOCAL_OK);
        whole_digest(ken, after);
        assert_memory_equal(before, after, sizeof before);
        memory_is_the_store(ken);
        assert_int_equal(try_case(ken, &last), FOCAL_OK);
    }
    assert_true(refused > 3);
    both_equal(&last, NULL);
}

static enum focal_status try_redact(struct place *p, const struct focal_ref *ref)
{
    struct focal_redact_order o = { .record = *ref, .reason = 2, .day = DAY, .status = FOCAL_BUSY };
    struct focal_node_event e = { .type = FOCAL_EVENT_REDACT };
    e.is.redact = &o;
    assert_int_equal(step_with(p, &e), FOCAL_OK);
    if (o.status == FOCAL_DISK_FULL)
        assert_true(o.error.message[0] && o.error.hint[0]);
    return o.status;
}

static bool case_is_shown(struct place *p, const struct focal_ref *ref)
{
    struct focal_record_view view;
    if (focal_oplog_record(focal_node_oplog(p->node), NULL, ref, &view) != FOCAL_OK)
        return false;
    bool shown = view.record.kind != NULL;
    focal_record_view_close(&view);
    return shown;
}

/* Nobody is told that something is redacted which was taken back; or that nothing was, after the commit. */
static void redacting_on_a_full_disk(void **state)
{
    (void)state;
    size_t refused = 0;
    struct focal_ref ref;
    for (uint64_t nth = 1; nth < 80; nth++) {
        uint64_t before[FOCAL_SHELF_LAST + 1] = { 0 }, after[FOCAL_SHELF_LAST + 1] = { 0 };
        new_case(ken, &ref);
        whole_digest(ken, before);
        focal_fake_store_plan(ken->store, (struct focal_fake_failure){ .nth = nth, .kinds = FOCAL_FAKE_ALL, .status = FOCAL_DISK_FULL });
        enum focal_status st = try_redact(ken, &ref);
        focal_fake_store_plan(ken->store, (struct focal_fake_failure){ .nth = 0 });
        assert_int_equal(focal_node_failed(ken->node), FOCAL_OK);
        assert_int_equal(case_is_shown(ken, &ref), st != FOCAL_OK);
        if (st == FOCAL_OK)
            continue;
        refused++;
        assert_int_equal(st, FOCAL_DISK_FULL);
        whole_digest(ken, after);
        assert_memory_equal(before, after, sizeof before);
        memory_is_the_store(ken);
        assert_int_equal(try_redact(ken, &ref), FOCAL_OK);
    }
    assert_true(refused > 3);
    /* Committed, but what it was for still stands in the files: it is done, and it is scrubbed later. */
    new_case(ken, &ref);
    focal_fake_store_plan(ken->store, (struct focal_fake_failure){ .nth = 1, .kinds = FOCAL_FAKE_SCRUB, .status = FOCAL_DISK_FULL });
    assert_int_equal(try_redact(ken, &ref), FOCAL_OK);
    assert_false(case_is_shown(ken, &ref));
    assert_true(focal_oplog_scrub_due(focal_node_oplog(ken->node)));
    join_up();
    assert_false(focal_oplog_scrub_due(focal_node_oplog(ken->node)));
    assert_true(has_case(hq, &ref) && !case_is_shown(hq, &ref));
}

/* All that `from` has to say and then a tick, in one step, as a busy loop hands them over. */
static void frames_and_tick(struct place *from, struct place *to)
{
    enum { FRAMES = 16 };
    struct focal_buf frames[FRAMES];
    struct focal_node_event e[FRAMES + 1];
    size_t count = 0;
    memset(e, 0, sizeof e);
    for (size_t i = 0; i < LINES; i++) {
        struct line *l = &all.lines[i];
        const int k = l->at[1] == from;
        for (; l->open; count++) {
            assert_true(count < FRAMES);
            focal_buf_init(&frames[count], FOCAL_NOISE_MAX);
            if (!focal_node_take_frame(from->node, l->id[k], &frames[count]))
                break;
            e[count].type = FOCAL_EVENT_LINK_FRAME;
            e[count].is.frame.link = l->id[1 - k];
            e[count].is.frame.bytes = focal_buf_view(&frames[count]);
        }
        if (l->open)
            focal_buf_close(&frames[count]);
    }
    e[count].type = FOCAL_EVENT_TICK;
    assert_int_equal(focal_node_step(to->node, all.now, e, count + 1), FOCAL_OK);
    while (count-- > 0)
        focal_buf_close(&frames[count]);
}

/* A receipt says that what it covers is erased: also when one was due in the very step that brings a notice. */
static void no_receipt_before_it_is_scrubbed(void **state)
{
    struct focal_ref ref, other;
    struct focal_peer_status s;
    (void)state;
    new_case(ken, &ref);
    join_up();
    new_case(ken, &other);
    frames_and_tick(ken, hq);         /* from now on a receipt is due */
    all.now.mono_ms += RECEIPT_DELAY_MS;
    focal_fake_store_plan(hq->store, (struct focal_fake_failure){ .nth = 1, .kinds = FOCAL_FAKE_SCRUB, .status = FOCAL_BUSY, .from_then_on = true });
    struct focal_redact_order o = { .record = ref, .reason = 2, .day = DAY };
    struct focal_node_event e = { .type = FOCAL_EVENT_REDACT };
    e.is.redact = &o;
    assert_int_equal(step_with(ken, &e), FOCAL_OK);
    assert_int_equal(o.status, FOCAL_OK);
    frames_and_tick(ken, hq);
    run();
    assert_true(focal_oplog_scrub_due(focal_node_oplog(hq->node)));
    assert_false(case_is_shown(hq, &ref));
    status_of(ken, "HQ", &s);
    uint64_t seq = 0;
    uint32_t day;
    const struct focal_log *notices = focal_oplog_log(focal_node_oplog(ken->node), &o.notices[0].log);
    assert_non_null(notices);
    if (focal_oplog_receipt_of(focal_node_oplog(ken->node), &s.office, notices, &seq, &day) && seq >= o.notices[0].seq)
        fail_msg("headquarters has signed for a redaction whose content still stands in its files");
    /* It is known to hold the notice, and that is not its word. */
    assert_int_equal(focal_node_seen(ken->node, &s.office, &o.notices[0]), 1);
    assert_int_equal(focal_node_confirmed(ken->node, &s.office, &o.notices[0]), 0);
    assert_int_equal(focal_node_confirmed(hq->node, &s.office, &o.notices[0]), 0);
    focal_fake_store_plan(hq->store, (struct focal_fake_failure){ .nth = 0 });
    join_up();
    assert_true(focal_oplog_receipt_of(focal_node_oplog(ken->node), &s.office, notices, &seq, &day) && seq >= o.notices[0].seq);
    assert_int_equal(focal_node_confirmed(ken->node, &s.office, &o.notices[0]), 1);
    assert_int_equal(focal_node_confirmed(hq->node, &s.office, &o.notices[0]), 1);
}

/* With something in reserve nobody notices. */
static void the_reserve_is_used_first(void **state)
{
    (void)state;
    struct focal_ref ref = { .seq = 0 };
    focal_fake_store_space(ken->store, FOCAL_SPACE_SHORT, 1);
    focal_fake_store_plan(ken->store, (struct focal_fake_failure){ .nth = 1, .kinds = FOCAL_FAKE_COMMIT, .status = FOCAL_DISK_FULL, .from_then_on = true });
    assert_int_equal(try_case(ken, &ref), FOCAL_OK);
    focal_fake_store_plan(ken->store, (struct focal_fake_failure){ .nth = 1, .kinds = FOCAL_FAKE_COMMIT, .status = FOCAL_DISK_FULL, .from_then_on = true });
    struct focal_ref second = { .seq = 0 };
    assert_int_equal(try_case(ken, &second), FOCAL_DISK_FULL);
    focal_fake_store_plan(ken->store, (struct focal_fake_failure){ .nth = 0 });
    focal_fake_store_space(ken->store, FOCAL_SPACE_ENOUGH, 0);
    both_equal(&ref, NULL);
}

/* Entries of another office and a change of ours in one step that fails: nothing of the other's is acknowledged. */
static void a_remote_step_is_taken_back(void **state)
{
    (void)state;
    struct focal_ref ref, mine = { .seq = 0 };
    for (uint64_t nth = 1; nth < 12; nth++) {
        struct focal_peer_status s;
        new_case(hq, &ref);
        focal_fake_store_plan(ken->store, (struct focal_fake_failure){ .nth = nth, .kinds = FOCAL_FAKE_WRITES, .status = FOCAL_DISK_FULL });
        run();
        bool met = !has_case(ken, &ref);
        focal_fake_store_plan(ken->store, (struct focal_fake_failure){ .nth = 0 });
        if (met) {
            memory_is_the_store(ken);
            status_of(hq, "KEN", &s);
            assert_true(s.link != FOCAL_LINK_UP && !s.equal);
            assert_int_equal(focal_node_seen(hq->node, &s.office, &ref), s.they_lack_known ? 0 : -1);
        }
        assert_int_equal(try_case(ken, &mine), FOCAL_OK);
        both_equal(&ref, &mine);
    }
}

static void other_offices_wait_first(void **state)
{
    (void)state;
    struct focal_ref theirs, mine;
    struct focal_peer_status s;
    uint64_t wanted;
    focal_fake_store_space(ken->store, FOCAL_SPACE_SHORT, 0);
    pass(1000);
    assert_int_equal(focal_node_space(ken->node, &wanted), FOCAL_SPACE_SHORT);
    assert_true(wanted > 0);
    status_of(hq, "KEN", &s);
    assert_true(s.link == FOCAL_LINK_UP && s.they_pause && s.why[0]);
    new_case(hq, &theirs);
    new_case(ken, &mine);
    pass(1000);
    pass(20000);
    assert_true(has_case(hq, &mine));
    assert_false(has_case(ken, &theirs));
    status_of(hq, "KEN", &s);
    assert_int_equal(focal_node_seen(hq->node, &s.office, &theirs), 0);
    assert_true(s.link == FOCAL_LINK_UP && s.they_lack > 0);
    assert_true(focal_node_deadline_ms(ken->node) <= all.now.mono_ms + 1000);
    focal_fake_store_space(ken->store, FOCAL_SPACE_ENOUGH, 0);
    pass(1000);
    status_of(hq, "KEN", &s);
    assert_true(!s.they_pause && !s.why[0]);
    both_equal(&theirs, &mine);
}

/* On the reserve not even a receipt is written; people's changes are, and go out. */
static void only_what_is_entered_here(void **state)
{
    (void)state;
    struct focal_ref theirs, mine;
    uint64_t before[FOCAL_SHELF_LAST + 1] = { 0 }, after[FOCAL_SHELF_LAST + 1] = { 0 };
    focal_fake_store_space(ken->store, FOCAL_SPACE_RESERVE, 5);
    pass(1000);
    whole_digest(ken, before);
    size_t peers = focal_node_peer_count(ken->node);
    struct focal_public_keys keys;
    struct focal_buf statement;
    focal_node_keys_public(&keys, &ken->keys);
    keys.sign.b[0] ^= 1;
    keys.channel.b[0] ^= 1;
    certify(&statement, "SSD", FOCAL_ROLE_OFFICE, &keys, 1, 0, true);
    assert_int_equal(give_statement(hq, &statement), FOCAL_OK);
    focal_buf_close(&statement);
    new_case(hq, &theirs);
    for (int i = 0; i < 10; i++)
        pass(10000);
    whole_digest(ken, after);
    assert_memory_equal(before, after, sizeof before);
    new_case(ken, &mine);
    run();
    assert_true(has_case(hq, &mine));
    focal_fake_store_space(ken->store, FOCAL_SPACE_ENOUGH, 0);
    both_equal(&theirs, &mine);
    assert_int_equal(focal_node_peer_count(ken->node), peers + 1);
    struct focal_peer_status s;
    status_of(hq, "KEN", &s);
    pass(1000);
    assert_true(focal_node_receipted(hq->node, &s.office));
}

static void nothing_at_all(void **state)
{
    (void)state;
    struct focal_ref ref = { .seq = 0 };
    struct focal_node_event e = { .type = FOCAL_EVENT_PAUSE };
    focal_fake_store_space(ken->store, FOCAL_SPACE_NONE, 0);
    pass(1000);
    uint64_t asked = focal_fake_store_operations(ken->store);
    assert_int_equal(try_case(ken, &ref), FOCAL_DISK_FULL);
    assert_true(focal_office_parse(&e.is.pause.office, focal_span_text("HQ")));
    e.is.pause.on = true;
    assert_int_equal(answer_to(ken, e), FOCAL_DISK_FULL);
    assert_int_equal(try_redact(ken, &ref), FOCAL_DISK_FULL);
    assert_int_equal(focal_fake_store_operations(ken->store), asked);
    new_case(hq, &ref);
    pass(5000);
    assert_false(has_case(ken, &ref));
    focal_fake_store_space(ken->store, FOCAL_SPACE_ENOUGH, 0);
    both_equal(&ref, NULL);
}

/* Addresses are published when there is room; until then they must not fail one step after the other. */
static void addresses_wait(void **state)
{
    (void)state;
    static const char *const list[] = { "ken.example:7443" };
    struct focal_peer_status s;
    struct focal_ref ref;
    focal_fake_store_space(ken->store, FOCAL_SPACE_RESERVE, 0);
    focal_fake_store_plan(ken->store, (struct focal_fake_failure){ .nth = 1, .kinds = FOCAL_FAKE_COMMIT, .status = FOCAL_DISK_FULL, .from_then_on = true });
    say_addresses(ken, list, 1);
    pass(1000);
    status_of(ken, "HQ", &s);
    assert_int_equal(s.link, FOCAL_LINK_UP);
    focal_fake_store_plan(ken->store, (struct focal_fake_failure){ .nth = 0 });
    focal_fake_store_space(ken->store, FOCAL_SPACE_ENOUGH, 0);
    new_case(ken, &ref);
    both_equal(&ref, NULL);
    const struct peer *p = peer_of(hq->node, &(struct focal_office){ .text = "KEN" });
    assert_int_equal(p->address_count, 1);
    assert_string_equal(p->addresses[0], list[0]);
}

/* Memory that a step had already changed for other reasons than entries. */
static void what_else_is_taken_back(void **state)
{
    (void)state;
    struct focal_node_event e = { .type = FOCAL_EVENT_PAUSE };
    struct focal_peer_status s;
    struct focal_public_keys keys;
    struct focal_buf statement;
    assert_true(focal_office_parse(&e.is.pause.office, focal_span_text("KEN")));
    e.is.pause.on = true;
    focal_fake_store_plan(hq->store, (struct focal_fake_failure){ .nth = 1, .kinds = FOCAL_FAKE_COMMIT, .status = FOCAL_DISK_FULL });
    assert_int_equal(answer_to(hq, e), FOCAL_DISK_FULL);
    status_of(hq, "KEN", &s);
    assert_true(s.link != FOCAL_LINK_PAUSED);
    size_t peers = focal_node_peer_count(hq->node);
    focal_node_keys_public(&keys, &ken->keys);
    keys.sign.b[0] ^= 1;
    keys.channel.b[0] ^= 1;
    certify(&statement, "SSD", FOCAL_ROLE_OFFICE, &keys, 1, 0, true);
    focal_fake_store_plan(hq->store, (struct focal_fake_failure){ .nth = 1, .kinds = FOCAL_FAKE_COMMIT, .status = FOCAL_DISK_FULL });
    assert_int_equal(give_statement(hq, &statement), FOCAL_DISK_FULL);
    memory_is_the_store(hq);
    assert_int_equal(focal_node_peer_count(hq->node), peers);
    assert_int_equal(give_statement(hq, &statement), FOCAL_OK);
    assert_int_equal(focal_node_peer_count(hq->node), peers + 1);
    focal_buf_close(&statement);
    struct focal_ref ref;
    new_case(ken, &ref);
    both_equal(&ref, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(full_at_every_operation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(redacting_on_a_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_receipt_before_it_is_scrubbed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_reserve_is_used_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_remote_step_is_taken_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_offices_wait_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_what_is_entered_here, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_at_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(addresses_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_else_is_taken_back, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("node space", tests, NULL, NULL);
}
