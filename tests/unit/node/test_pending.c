/* Requests that wait for a second person, and notes, as events of a step: what goes together, what a full disk leaves out. */
#include "places.h"

static struct place *ken;

static int set_up(void **state)
{
    (void)state;
    (void)hq_make(true);
    ken = member_make("KEN");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    all_close();
    return 0;
}

static enum focal_status order(struct focal_pending_order *o)
{
    struct focal_node_event e = { .type = FOCAL_EVENT_PENDING, .is.pending = o };
    return answer_to(ken, e);
}

static uint64_t asked(uint32_t uid, const char *with)
{
    struct focal_pending_order o = { .op = FOCAL_PENDING_ASK, .uid = uid, .command = "case.redact", .with = focal_span_text(with) };
    assert_int_equal(order(&o), FOCAL_OK);
    return o.number;
}

static bool waits(uint64_t number, struct focal_pending *p, struct focal_buf *with)
{
    return focal_node_next_pending(ken->node, all.now, number - 1, p, with) == FOCAL_OK && p->number == number;
}

static void asked_agreed_closed(void **state)
{
    (void)state;
    struct focal_pending p;
    struct focal_buf with;
    focal_buf_init(&with, FOCAL_PENDING_WITH_MAX);
    uint64_t one = asked(1001, "{\"ref\":\"x\"}"), two = asked(1001, "{}");
    assert_int_equal(two, one + 1);
    focal_node_close(ken->node);
    place_open(ken);
    assert_true(waits(one, &p, &with));
    assert_int_equal(p.uid, 1001);
    assert_true(p.by == FOCAL_NOBODY);
    assert_string_equal(p.command, "case.redact");
    assert_string_equal(focal_buf_cstr(&with), "{\"ref\":\"x\"}");

    struct focal_pending_order agree = { .op = FOCAL_PENDING_AGREE, .number = one, .uid = 1001 };
    assert_int_equal(order(&agree), FOCAL_DENIED);              /* whoever calls, one is not two */
    assert_true(waits(one, &p, NULL) && p.by == FOCAL_NOBODY);
    agree.uid = 1002;
    assert_int_equal(order(&agree), FOCAL_OK);
    assert_true(waits(one, &p, &with) && p.by == 1002);
    assert_string_equal(focal_buf_cstr(&with), "{\"ref\":\"x\"}");
    agree.number = two + 1;
    assert_int_equal(order(&agree), FOCAL_NOT_FOUND);
    agree.number = 0;
    assert_int_equal(order(&agree), FOCAL_NOT_FOUND);

    /* Only when what it was for is done. */
    enum focal_status outcome = FOCAL_CONFLICT;
    struct focal_pending_order end = { .op = FOCAL_PENDING_CLOSE, .number = one, .only_if = &outcome };
    assert_int_equal(order(&end), FOCAL_OK);
    assert_true(waits(one, &p, NULL));
    outcome = FOCAL_OK;
    assert_int_equal(order(&end), FOCAL_OK);
    assert_false(waits(one, &p, NULL));
    assert_true(waits(two, &p, NULL));
    end.only_if = NULL;
    end.number = two;
    assert_int_equal(order(&end), FOCAL_OK);
    assert_int_equal(focal_node_next_pending(ken->node, all.now, 0, &p, NULL), FOCAL_NOT_FOUND);
    assert_int_equal(asked(1002, "{}"), two + 1);
    focal_buf_close(&with);
}

/* A stretch of a lost database waits on the same shelf, behind the requests, and is larger than any of them. */
static void beside_what_is_large(void **state)
{
    (void)state;
    struct focal_pending p;
    static uint8_t large[4 * FOCAL_PENDING_WITH_MAX];
    assert_int_equal(focal_store_begin(ken->store), FOCAL_OK);
    assert_int_equal(focal_store_put(ken->store, FOCAL_SHELF_META, focal_span_text("pending0"), focal_span_of(large, sizeof large)), FOCAL_OK);
    assert_int_equal(focal_store_put(ken->store, FOCAL_SHELF_META, focal_span_text("zzz"), focal_span_of(large, sizeof large)), FOCAL_OK);
    assert_int_equal(focal_store_commit(ken->store), FOCAL_OK);
    assert_int_equal(focal_node_next_pending(ken->node, all.now, 0, &p, NULL), FOCAL_NOT_FOUND);
    assert_int_equal(asked(1, "{}"), 1);
    assert_int_equal(asked(1, "{}"), 2);
    assert_int_equal(focal_node_next_pending(ken->node, all.now, 2, &p, NULL), FOCAL_NOT_FOUND);
}

static void what_is_old_or_too_long(void **state)
{
    (void)state;
    struct focal_pending p;
    static char long_text[FOCAL_PENDING_WITH_MAX + 2];
    memset(long_text, 'x', sizeof long_text - 1);
    struct focal_pending_order o = { .op = FOCAL_PENDING_ASK, .uid = 1, .command = "export", .with = focal_span_text(long_text) };
    assert_int_equal(order(&o), FOCAL_TOO_BIG);
    long_text[FOCAL_PENDING_WITH_MAX] = 0;
    assert_int_equal(asked(1, long_text), 1);
    struct focal_now later = all.now, before = all.now;
    later.wall_ms += FOCAL_PENDING_MS + 60000;
    before.wall_ms -= 10 * (uint64_t)FOCAL_PENDING_MS;
    assert_int_equal(focal_node_next_pending(ken->node, later, 0, &p, NULL), FOCAL_NOT_FOUND);
    assert_int_equal(focal_node_next_pending(ken->node, before, 0, &p, NULL), FOCAL_OK);        /* a clock set back makes nothing old */
    for (int i = 0; i < FOCAL_PENDING_MOST_OF_ONE - 1; i++)
        (void)asked(1, "{}");
    o.with = focal_span_text("{}");
    assert_int_equal(order(&o), FOCAL_FULL);
    o.uid = 2;
    assert_int_equal(order(&o), FOCAL_OK);
}

/* A row that nobody can read is said to be damaged, and asks for nothing. */
static void a_damaged_row(void **state)
{
    (void)state;
    struct focal_pending p;
    (void)asked(1, "{}");
    for (size_t len = 0; len <= 17; len++) {
        assert_int_equal(focal_store_begin(ken->store), FOCAL_OK);
        assert_int_equal(focal_store_put(ken->store, FOCAL_SHELF_META, focal_span_of("pending/\0\0\0\0\0\0\0\1", 16), focal_span_of("\0\0\0\1\xff\xff\xff\xff\0\0\0\0\0\0\0\0\x30", len)), FOCAL_OK);
        assert_int_equal(focal_store_commit(ken->store), FOCAL_OK);
        assert_int_equal(focal_node_next_pending(ken->node, all.now, 0, &p, NULL), FOCAL_DAMAGED);
    }
}

/* A change and what is noted of it are one transaction, also on the reserve; who only looked is not told there. */
static void on_a_full_disk(void **state)
{
    (void)state;
    static const struct { enum focal_space space; enum focal_note_class cls; enum focal_status answer; } told[] = {
        { FOCAL_SPACE_ENOUGH, FOCAL_NOTE_COMMAND, FOCAL_OK },       { FOCAL_SPACE_ENOUGH, FOCAL_NOTE_READING, FOCAL_OK },
        { FOCAL_SPACE_SHORT, FOCAL_NOTE_READING, FOCAL_OK },        { FOCAL_SPACE_RESERVE, FOCAL_NOTE_COMMAND, FOCAL_OK },
        { FOCAL_SPACE_RESERVE, FOCAL_NOTE_READING, FOCAL_DISK_FULL }, { FOCAL_SPACE_RESERVE, FOCAL_NOTE_DENIED, FOCAL_DISK_FULL },
        { FOCAL_SPACE_NONE, FOCAL_NOTE_COMMAND, FOCAL_DISK_FULL },  { FOCAL_SPACE_NONE, FOCAL_NOTE_READING, FOCAL_DISK_FULL },
    };
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        struct focal_note note = { .cls = told[i].cls, .uid = 1, .other_uid = FOCAL_NOBODY, .command = "case.show" };
        struct focal_node_event e = { .type = FOCAL_EVENT_NOTE };
        struct focal_history row, last = { .number = 0 };
        (void)!focal_node_history_before(ken->node, 15, 0, &last);
        e.is.note.is = &note;
        focal_fake_store_space(ken->store, told[i].space, 5);
        assert_int_equal(answer_to(ken, e), told[i].answer);
        assert_int_equal(focal_node_history_after(ken->node, 15, last.number, &row), told[i].answer == FOCAL_OK ? FOCAL_OK : FOCAL_NOT_FOUND);
        focal_fake_store_space(ken->store, FOCAL_SPACE_ENOUGH, 0);
        pass(1000);
    }
    struct focal_pending_order o = { .op = FOCAL_PENDING_ASK, .uid = 1, .command = "export", .with = focal_span_text("{}") };
    focal_fake_store_space(ken->store, FOCAL_SPACE_NONE, 5);
    assert_int_equal(order(&o), FOCAL_DISK_FULL);
}

/* Every operation of the store fails in turn: the step fails whole or is whole, and the counts stay right. */
static void failing_at_every_operation(void **state)
{
    (void)state;
    struct focal_note note = { .cls = FOCAL_NOTE_COMMAND, .uid = 1, .other_uid = FOCAL_NOBODY, .command = "export" };
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        struct focal_pending_order o = { .op = FOCAL_PENDING_ASK, .uid = (uint32_t)nth, .command = "export", .with = focal_span_text("{}") };
        enum focal_status answers[2];
        struct focal_node_event events[2] = { { .type = FOCAL_EVENT_PENDING, .answer = &answers[0], .is.pending = &o }, { .type = FOCAL_EVENT_NOTE, .answer = &answers[1] } };
        struct focal_history row, last = { .number = 0 };
        struct focal_pending p;
        (void)!focal_node_history_before(ken->node, FOCAL_RING_COMMANDS, 0, &last);
        events[1].is.note.is = &note;
        focal_fake_store_plan(ken->store, (struct focal_fake_failure){ .nth = nth, .kinds = FOCAL_FAKE_ALL, .status = FOCAL_NO_MEMORY });
        failed = focal_node_step(ken->node, all.now, events, 2) != FOCAL_OK;
        focal_fake_store_plan(ken->store, (struct focal_fake_failure){ .nth = 0 });
        bool noted = focal_node_history_after(ken->node, FOCAL_RING_COMMANDS, last.number, &row) == FOCAL_OK;
        bool kept = o.number && waits(o.number, &p, NULL) && p.uid == nth;
        assert_int_equal(noted, !failed);
        assert_int_equal(kept, !failed);
        assert_true(nth < 100);
        focal_node_close(ken->node);
        place_open(ken);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(asked_agreed_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(beside_what_is_large, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_old_or_too_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(on_a_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failing_at_every_operation, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("node pending", tests, NULL, NULL);
}
