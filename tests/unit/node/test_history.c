/* What happened here, for people; and the proof of a fork, checked with nothing but hashes and one signature key. */
#include "places.h"

static struct place *hq, *ken;
static struct focal_fake_image *image;

static int set_up(void **state)
{
    (void)state;
    struct focal_ref ref;
    keep_fences = true;
    hq = hq_make(true);
    ken = member_make("KEN");
    new_case(hq, &ref);
    new_case(ken, &ref);
    live_on(3000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    all_close();
    focal_fake_image_free(image);
    image = NULL;
    keep_fences = false;
    return 0;
}

static size_t rows(struct place *p, int code, struct focal_history *last)
{
    struct focal_history row = { .number = 0 };
    size_t count = 0;
    uint64_t before = 0;
    while (focal_node_next_history(p->node, row.number, &row) == FOCAL_OK) {
        assert_true(row.number > before && row.wall_ms >= (uint64_t)DAY * 86400000u && row.wall_ms <= all.now.wall_ms);
        before = row.number;
        count += code < 0 || row.code == code;
        if (row.code == code && last)
            *last = row;
    }
    return count;
}

/* A snapshot of the whole machine is put back, fence and all: nothing tells the office, and it signs twice. */
static void fork_ken(size_t before, size_t after)
{
    struct focal_ref ref;
    image = focal_fake_store_backup(ken->store, true);
    assert_non_null(image);
    for (size_t i = 0; i < before; i++)
        new_case(ken, &ref);
    live_on(3000);
    for (size_t i = 0; i < LINES; i++)
        cut(&all.lines[i], FOCAL_UNREACHABLE);
    place_restore(ken, image);
    assert_int_equal(focal_store_fence(ken->store), FOCAL_FENCE_GOOD);
    for (size_t i = 0; i < after; i++)
        new_case(ken, &ref);
    live_on(10000);
}

static void epochs_members_and_incidents(void **state)
{
    (void)state;
    struct focal_history row;
    struct focal_id epoch;
    assert_int_equal(rows(hq, FOCAL_HISTORY_EPOCH, &row), 2);
    assert_int_equal(row.detail_len, 49);
    assert_memory_equal(row.detail, ken->keys.sign_public.b, 32);
    assert_true(focal_oplog_epoch(focal_node_oplog(ken->node), &epoch));
    assert_memory_equal(row.detail + 32, epoch.b, 16);
    assert_int_equal(row.detail[48], 2);                /* the first */
    assert_int_equal(rows(hq, FOCAL_HISTORY_MEMBER, &row), 1);
    assert_int_equal(row.detail_len, 3);
    assert_memory_equal(row.detail, "KEN", 3);
    assert_int_equal(rows(hq, FOCAL_HISTORY_INCIDENT, NULL), 0);

    fork_ken(1, 1);
    struct focal_incident is = { .number = 0 };
    struct focal_incident each = is;
    size_t incidents = 0;
    for (; focal_oplog_next_incident(focal_node_oplog(hq->node), each.number, &each) == FOCAL_OK; incidents++)
        is = each;
    assert_true(incidents >= 1);
    assert_int_equal(rows(hq, FOCAL_HISTORY_INCIDENT, &row), incidents);
    assert_int_equal(row.detail_len, 9);
    assert_int_equal(focal_get_be64(row.detail), is.number);
    assert_int_equal(row.detail[8], is.kind);
    assert_int_equal(rows(ken, FOCAL_HISTORY_INCIDENT, NULL), incidents_of(ken, FOCAL_INCIDENT_FORK, NULL) + incidents_of(ken, FOCAL_INCIDENT_ROLLBACK, NULL)
                     + incidents_of(ken, FOCAL_INCIDENT_OPENED, NULL));
    size_t all_rows = rows(hq, -1, NULL);
    focal_node_close(hq->node);
    place_open(hq);
    live_on(3000);
    assert_int_equal(rows(hq, -1, NULL), all_rows);     /* a start adds nothing */
}

static void withdrawals_are_noted(void **state)
{
    (void)state;
    struct focal_ref ref;
    struct focal_history row;
    uint8_t bytes[FOCAL_REF_BYTES];
    const struct focal_kind *kind = focal_kind_by_number(FOCAL_KIND_CASE);
    const struct focal_change_item item = { .op = FOCAL_OP_SET, .field = focal_field_by_number(kind, FOCAL_CASE_WITHDRAWN),
                                            .value = focal_span_of("\x03", 1) };      /* a duplicate */
    new_case(ken, &ref);
    assert_int_equal(rows(ken, FOCAL_HISTORY_WITHDRAWN, NULL), 0);
    struct focal_change c = { .kind = kind, .record = ref, .items = &item, .item_count = 1 };
    struct focal_node_event e = { .type = FOCAL_EVENT_CHANGE };
    e.is.change = &c;
    assert_int_equal(step_with(ken, &e), FOCAL_OK);
    if (c.status != FOCAL_OK)
        fail_msg("%s", c.error.message);
    assert_int_equal(rows(ken, FOCAL_HISTORY_WITHDRAWN, &row), 1);
    focal_ref_put(bytes, &ref);
    assert_int_equal(row.detail_len, sizeof bytes);
    assert_memory_equal(row.detail, bytes, sizeof bytes);
    live_on(3000);
    assert_true(has_case(hq, &ref));
    assert_int_equal(rows(hq, FOCAL_HISTORY_WITHDRAWN, NULL), 0);       /* one's own only */
}

static void the_oldest_rows_give_way(void **state)
{
    (void)state;
    struct focal_history row;
    hq->node->in_step = true;
    size_t at_first = rows(hq, -1, NULL);
    for (size_t i = 0; i < 10007; i++)
        assert_int_equal(history_note(hq->node, FOCAL_HISTORY_MEMBER, focal_span_text("X")), FOCAL_OK);
    assert_int_equal(focal_store_commit(hq->store), FOCAL_OK);
    hq->node->tx_open = hq->node->in_step = false;
    assert_int_equal(rows(hq, -1, NULL), 10000);
    assert_int_equal(focal_node_prev_history(hq->node, 0, &row), FOCAL_OK);
    assert_int_equal(row.number, at_first + 10007);
    assert_int_equal(focal_node_next_history(hq->node, 0, &row), FOCAL_OK);
    assert_int_equal(row.number, at_first + 8);
    assert_int_equal(focal_node_prev_history(hq->node, row.number, &row), FOCAL_NOT_FOUND);
}

/* Each kind of row has its own room: who asks and looks without end drives out nothing but older asking and looking. */
static void rings_give_way_apart(void **state)
{
    (void)state;
    static const struct { enum focal_history_code code; unsigned ring; size_t most; } rings[] = {
        { FOCAL_HISTORY_COMMAND, FOCAL_RING_COMMANDS, 20000 }, { FOCAL_HISTORY_READING, FOCAL_RING_READINGS, 20000 }, { FOCAL_HISTORY_DENIED, FOCAL_RING_DENIED, 2000 },
    };
    struct focal_history row, first;
    hq->node->in_step = true;
    size_t at_first = rows(hq, -1, NULL);
    uint64_t numbers = 0;
    assert_int_equal(focal_node_next_history(hq->node, 0, &first), FOCAL_OK);
    assert_int_equal(focal_node_history_before(hq->node, 15, 0, &row), FOCAL_OK);
    numbers = row.number;
    for (size_t r = 0; r < 3; r++)
        for (size_t i = 0; i < rings[r].most + 3; i++, numbers++)
            assert_int_equal(history_note(hq->node, rings[r].code, focal_span_text("X")), FOCAL_OK);
    assert_int_equal(focal_store_commit(hq->store), FOCAL_OK);
    hq->node->tx_open = hq->node->in_step = false;
    uint64_t newest = numbers;
    for (size_t r = 3; r-- > 0;) {
        size_t count = 0;
        assert_int_equal(focal_node_history_before(hq->node, rings[r].ring, 0, &row), FOCAL_OK);
        assert_int_equal(row.number, newest);           /* the oldest went */
        for (uint64_t at = 0; focal_node_history_after(hq->node, rings[r].ring, at, &row) == FOCAL_OK; at = row.number) {
            assert_int_equal(row.code, rings[r].code);
            count++;
        }
        assert_int_equal(count, rings[r].most);
        newest -= rings[r].most + 3;
    }
    assert_int_equal(rows(hq, -1, NULL), at_first);
    assert_int_equal(focal_node_next_history(hq->node, 0, &row), FOCAL_OK);
    assert_int_equal(row.number, first.number);
    /* All rings in one order, both ways. */
    size_t up = 0, down = 0;
    uint64_t before = 0;
    for (uint64_t at = 0; focal_node_history_after(hq->node, 15, at, &row) == FOCAL_OK; at = row.number, up++)
        assert_true(row.number > at);
    for (uint64_t at = 0; focal_node_history_before(hq->node, 15, at, &row) == FOCAL_OK; at = row.number, down++) {
        assert_true(before == 0 || row.number < before);
        before = row.number;
    }
    assert_int_equal(up, at_first + 42000);
    assert_int_equal(down, up);
    /* The counts are made anew where they are gone, as after a salvage. */
    hq->node->in_step = true;
    assert_int_equal(focal_store_begin(hq->store), FOCAL_OK);
    hq->node->tx_open = true;
    assert_int_equal(focal_store_del(hq->store, FOCAL_SHELF_META, focal_span_text("history-counts")), FOCAL_OK);
    assert_int_equal(history_note(hq->node, FOCAL_HISTORY_DENIED, focal_span_text("Y")), FOCAL_OK);
    assert_int_equal(focal_store_commit(hq->store), FOCAL_OK);
    hq->node->tx_open = hq->node->in_step = false;
    size_t denied = 0;
    for (uint64_t at = 0; focal_node_history_after(hq->node, FOCAL_RING_DENIED, at, &row) == FOCAL_OK; at = row.number)
        denied++;
    assert_int_equal(denied, 2000);
    assert_memory_equal(row.detail, "Y", 1);
}

static void notes_come_back_whole(void **state)
{
    (void)state;
    struct focal_note note = { .cls = FOCAL_NOTE_READING, .uid = 4294967294u, .right = 4, .outcome = FOCAL_CONFLICT, .request = UINT64_MAX, .other_uid = 7, .record_set = true };
    struct focal_note again;
    struct focal_history row = { .code = FOCAL_HISTORY_READING };
    struct focal_buf detail;
    memset(note.command, 'c', sizeof note.command - 1);
    memset(note.about, 'a', sizeof note.about - 1);
    memset(&note.record, 5, sizeof note.record);
    focal_buf_init(&detail, FOCAL_HISTORY_DETAIL_MAX);
    focal_note_put(&detail, &note);
    assert_false(detail.failed);        /* the longest there can be has room */
    row.detail_len = detail.len;
    memcpy(row.detail, detail.data, detail.len);
    assert_true(focal_note_get(&again, &row));
    assert_int_equal(again.cls, note.cls);
    assert_int_equal(again.uid, note.uid);
    assert_int_equal(again.outcome, note.outcome);
    assert_true(again.request == note.request && again.other_uid == 7 && again.record_set && again.right == 4);
    assert_int_equal(focal_ref_compare(&again.record, &note.record), 0);
    assert_string_equal(again.command, note.command);
    assert_string_equal(again.about, note.about);
    for (size_t len = 0; len < detail.len; len++) {
        row.detail_len = len;
        assert_false(focal_note_get(&again, &row));
    }
    row.detail_len = detail.len;
    row.code = FOCAL_HISTORY_MEMBER;
    assert_false(focal_note_get(&again, &row));
    focal_buf_close(&detail);
}

/* ---- the proof ------------------------------------------------------------------------------------------------------------ */

struct chain { struct focal_id log; struct focal_tip at; struct focal_hash first; size_t count; size_t stop; };

static enum focal_status follow(void *data, uint64_t seq, struct focal_span header, const struct focal_hash *c)
{
    struct chain *chain = data;
    assert_int_equal(seq, chain->at.seq + 1);
    focal_chain_next(&chain->at.h, &chain->at.h, &chain->log, header, c);
    chain->at.seq = seq;
    if (chain->count++ == 0)
        chain->first = chain->at.h;
    return chain->count == chain->stop ? FOCAL_CANCELLED : FOCAL_OK;
}

static void a_fork_proves_itself(void **state)
{
    (void)state;
    struct focal_incident is;
    struct chain ways[2];
    fork_ken(3, 5);
    assert_true(incidents_of(hq, FOCAL_INCIDENT_FORK, &is) >= 1);
    for (int i = 0; i < 2; i++) {
        memset(&ways[i], 0, sizeof ways[i]);
        focal_log_id(&ways[i].log, &all.network, &is.log);
        ways[i].at = is.base;
        assert_int_equal(focal_node_proof_way(hq->node, &is, i, follow, &ways[i]), FOCAL_OK);
        assert_true(ways[i].count > 0);
        assert_int_equal(ways[i].at.seq, is.tips[i].seq);
        assert_memory_equal(ways[i].at.h.b, is.tips[i].h.b, 32);
        assert_true(focal_verify_head(&is.signatures[i], &ken->keys.sign_public, &all.network, &ways[i].log, &ways[i].at));
    }
    assert_memory_not_equal(ways[0].first.b, ways[1].first.b, 32);

    struct chain half = { .log = ways[0].log, .at = is.base, .stop = 1 };       /* what each says ends it */
    assert_int_equal(focal_node_proof_way(hq->node, &is, 0, follow, &half), FOCAL_CANCELLED);
    assert_int_equal(half.count, 1);
    struct focal_incident none = is;
    none.tips[1].seq = 0;
    assert_int_equal(focal_node_proof_way(hq->node, &none, 1, follow, &half), FOCAL_NOT_FOUND);
    assert_int_equal(focal_node_incident(hq->node, is.number, &none), FOCAL_OK);
    assert_int_equal(none.number, is.number);
    assert_int_equal(focal_node_incident(hq->node, 0, &none), FOCAL_NOT_FOUND);
    assert_int_equal(focal_node_incident(hq->node, 1000, &none), FOCAL_NOT_FOUND);
}

/* Longer than one piece, and over more than one line. */
static void a_long_way_is_told_whole(void **state)
{
    (void)state;
    struct focal_incident is;
    fork_ken(900, 900);
    assert_true(incidents_of(hq, FOCAL_INCIDENT_FORK, &is) >= 1);
    struct focal_id log;
    focal_log_id(&log, &all.network, &is.log);
    size_t lines = 0;
    for (const struct focal_log *line = NULL; (line = focal_oplog_next_line(focal_node_oplog(hq->node), &log, line)) != NULL; lines++) {
        struct chain chain = { .log = log };
        is.base = (struct focal_tip){ .seq = 0 };
        focal_chain_start(&is.base.h, &log);
        is.tips[0] = line->head;
        chain.at = is.base;
        assert_int_equal(focal_node_proof_way(hq->node, &is, 0, follow, &chain), FOCAL_OK);
        assert_int_equal(chain.count, line->head.seq);
        assert_true(chain.count > 900);
        assert_memory_equal(chain.at.h.b, line->head.h.b, 32);
    }
    assert_int_equal(lines, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(epochs_members_and_incidents, set_up, tear_down),
        cmocka_unit_test_setup_teardown(withdrawals_are_noted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_oldest_rows_give_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rings_give_way_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(notes_come_back_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fork_proves_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_way_is_told_whole, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("node_history", tests, NULL, NULL);
}
