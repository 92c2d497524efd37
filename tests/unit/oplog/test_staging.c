/* Pieces that wait for their signature: what comes signed and contradicts them, more than a stretch may hold, rows that are not
 * as they were written, and a store that fails. Whatever is odd, they are dropped, nobody is blamed, and the transfer starts
 * again at the head. */
#include "inside.h"
#include "forge.h"

enum { LONG = 8, TWO_AT_A_TIME = 2 };

static struct focal_log_name data;
static struct focal_hash after[64];              /* h of each entry of ken's log as it was forged, by its sequence */
static struct oplog_log *line;                  /* at hq, once a piece of it is there */

static void hold_opening(const struct forged_entry *more, size_t more_count)
{
    const struct focal_log_name control = name_of(&ken, &scope_control, 1);
    struct forged_entry list[8] = { begin_entry };
    struct focal_buf payload;
    struct carried p;
    hold(&hq, &ken.statement);
    opening(&payload, &control, 1);
    list[0].payload = focal_buf_view(&payload);
    for (size_t i = 0; i < more_count; i++)
        list[i + 1] = more[i];
    forge(&p, &ken, &control, NULL, 1, list, 1 + more_count, true);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    focal_buf_close(&payload);
    data = name_of(&ken, &scope_network, 1);
    struct focal_id id;
    focal_log_id(&id, &net.id, &data);
    focal_chain_start(&after[0], &id);
}

/* Entries first..last of ken's log. */
static void piece_of(struct carried *p, uint64_t first, uint64_t last, bool sign)
{
    struct forged_entry list[64];
    for (uint64_t seq = first; seq <= last; seq++)
        list[seq - first] = seq == 1 ? begin_entry : creating(seq);
    forge(p, &ken, &data, &after[first - 1], first, list, (size_t)(last - first) + 1, sign);
    after[last] = forge_head;
}

static enum focal_status offer_piece(uint64_t first, uint64_t last, bool sign)
{
    struct carried p;
    piece_of(&p, first, last, sign);
    enum focal_status st = offer_and_close(&p);
    struct focal_id id;
    focal_log_id(&id, &net.id, &data);
    line = focal_oplog_log_of(hq.ol, &id);
    return st;
}

static uint64_t rows_of(enum focal_shelf shelf)
{
    uint64_t digest, rows;
    assert_int_equal(focal_shelf_digest(hq.store, shelf, &digest, &rows), FOCAL_OK);
    return rows;
}

static void assert_nothing_staged(void)
{
    assert_int_equal(line->pub.staged.seq, line->pub.head.seq);
    assert_int_equal(rows_of(FOCAL_SHELF_STAGING), 0);
    assert_int_equal(line->staged_entries, 0);
    assert_int_equal(line->staged_bytes, 0);
}

/* Entries 1..LONG in pieces of two, the last one signed. */
static void stage_all_but_the_last(void)
{
    for (uint64_t first = 1; first + TWO_AT_A_TIME <= LONG; first += TWO_AT_A_TIME)
        assert_int_equal(offer_piece(first, first + TWO_AT_A_TIME - 1, false), FOCAL_OK);
    assert_int_equal(line->pub.staged.seq, LONG - TWO_AT_A_TIME);
    assert_int_equal(line->pub.head.seq, 0);
}

static void all_comes_after_all(void)
{
    for (uint64_t first = line->pub.staged.seq + 1; first <= LONG; first += TWO_AT_A_TIME)
        assert_int_equal(offer_piece(first, first + TWO_AT_A_TIME - 1, first + TWO_AT_A_TIME > LONG), FOCAL_OK);
    assert_int_equal(line->pub.head.seq, LONG);
    assert_true(focal_hash_equal(&line->pub.head.h, &after[LONG]));
    assert_verifies(&hq, NULL);
}

/* ---- what comes signed ---- */

/* A peer whose segments end elsewhere: the signature stands within what others sent unsigned. */
static void a_signature_within_what_is_staged(void **state)
{
    (void)state;
    hold_opening(NULL, 0);
    assert_int_equal(offer_piece(1, 3, false), FOCAL_OK);
    assert_int_equal(offer_piece(4, 8, false), FOCAL_OK);
    assert_int_equal(offer_piece(4, 6, true), FOCAL_OK);
    assert_int_equal(line->pub.head.seq, 6);
    assert_true(focal_hash_equal(&line->pub.head.h, &after[6]));
    assert_nothing_staged();            /* 7 and 8 are asked for again */
    assert_verifies(&hq, NULL);
    assert_int_equal(offer_piece(7, 8, true), FOCAL_OK);
    assert_int_equal(line->pub.head.seq, 8);
    assert_verifies(&hq, NULL);
}

/* Another beginning than the staged one comes signed, and ends before, at, or after what is staged. */
static void signed_and_another_than_what_is_staged(void **state)
{
    (void)state;
    static const uint8_t entity = FOCAL_KIND_ENTITY;
    hold_opening(NULL, 0);
    struct forged_entry other[LONG] = { begin_entry };
    for (uint64_t seq = 2; seq <= LONG; seq++) {
        other[seq - 1] = creating(seq);
        other[seq - 1].payload = focal_span_of(&entity, 1);
    }
    for (int epoch = 1; epoch <= 3; epoch++) {
        static const struct focal_scope *const scopes[] = { NULL, &scope_network, &scope_kenya, &scope_chad };
        const size_t upto = epoch == 1 ? 3 : epoch == 2 ? 4 : 7;
        struct carried p;
        struct focal_id id;
        data = name_of(&ken, scopes[epoch], 1);
        focal_log_id(&id, &net.id, &data);
        focal_chain_start(&after[0], &id);
        assert_int_equal(offer_piece(1, 4, false), FOCAL_OK);
        forge(&p, &ken, &data, NULL, 1, other, upto, true);
        assert_int_equal(offer_and_close(&p), FOCAL_OK);
        assert_int_equal(line->pub.head.seq, upto);
        assert_true(focal_hash_equal(&line->pub.head.h, &forge_head));
        assert_nothing_staged();
    }
    assert_verifies(&hq, NULL);
}

/* ---- more than a stretch may hold ---- */

static void entries_of_several_peers_are_too_many(void **state)
{
    (void)state;
    struct forged_entry list[64];
    struct carried p;
    hold_opening(NULL, 0);
    struct focal_hash before = after[0];
    for (uint64_t first = 1; first <= FOCAL_STRETCH_ENTRIES_MAX + 1; first += 64) {
        const bool last = first > FOCAL_STRETCH_ENTRIES_MAX;
        for (uint64_t i = 0; i < 64; i++)
            list[i] = first + i == 1 ? begin_entry : creating(first + i);
        forge(&p, &ken, &data, &before, first, list, 64, last);
        before = forge_head;
        assert_int_equal(offer_and_close(&p), last ? FOCAL_NOT_YET : FOCAL_OK);
    }
    line = focal_oplog_line_of(hq.ol, &focal_oplog_log_at(hq.ol, 1)->line);
    assert_int_equal(line->pub.head.seq, 0);
    assert_nothing_staged();
}

enum { LARGE = 3000 };

static void large_piece(struct carried *p, uint64_t first, struct focal_hash *before, bool sign)
{
    static uint8_t bytes[LARGE];
    struct forged_entry list[64];
    struct focal_buf payload;
    const struct focal_item item = { .field = FIELD_A, .value = focal_span_of(bytes, sizeof bytes) };
    focal_buf_init(&payload, 2 * LARGE);
    focal_payload_encode(&payload, FOCAL_KIND_CASE, NULL, NULL, &item, 1);
    for (uint64_t i = 0; i < 64; i++) {
        list[i] = first + i == 1 ? begin_entry : creating(first + i);
        if (first + i > 1)
            list[i].payload = focal_buf_view(&payload);
    }
    forge(p, &ken, &data, before, first, list, 64, sign);
    *before = forge_head;
    focal_buf_close(&payload);
}

/* As above, by their bytes: the second piece signed, or not. */
static void bytes_of_several_peers_are_too_many(void **state)
{
    (void)state;
    hold_opening(NULL, 0);
    for (int sign = 0; sign < 2; sign++) {
        struct focal_hash before = after[0];
        struct carried one, two;
        struct focal_error err;
        large_piece(&one, 1, &before, false);
        large_piece(&two, 65, &before, sign);
        assert_int_equal(offer(&one), FOCAL_OK);
        line = focal_oplog_line_of(hq.ol, &focal_oplog_log_at(hq.ol, 1)->line);
        assert_int_equal(line->pub.staged.seq, 64);
        assert_true(line->staged_bytes > 63 * LARGE);
        begin(&hq);
        assert_int_equal(hand_over_or(&hq, &two, &err), FOCAL_NOT_YET);
        commit(&hq);
        assert_true(strlen(err.message) > 10);
        assert_nothing_staged();
        carried_close(&one);
        carried_close(&two);
    }
}

/* ---- forks of which nothing signed is held ---- */

/* Control logs that anybody could invent are counted; an unsigned branch of one that is held is not one of them. */
static void a_branch_of_a_control_log_waits(void **state)
{
    (void)state;
    static const uint8_t entity = FOCAL_KIND_ENTITY;
    const struct forged_entry more[] = { creating(2), creating(3) };
    struct forged_entry other = creating(3);
    struct carried p;
    hold_opening(more, 2);
    const struct focal_log *control = focal_oplog_log_at(hq.ol, 0);
    for (int i = 0; i < UNSIGNED_LOGS_MAX + 5; i++) {
        const struct focal_log_name name = name_of(&ken, &scope_control, (uint8_t)(10 + i));
        struct forged_entry first = begin_entry;
        struct focal_buf payload;
        opening(&payload, &name, 2);
        first.payload = focal_buf_view(&payload);
        forge(&p, &hq, &name, NULL, 1, &first, 1, false);
        assert_int_equal(offer_and_close(&p), i < UNSIGNED_LOGS_MAX ? FOCAL_OK : FOCAL_NOT_YET);
        focal_buf_close(&payload);
    }
    other.payload = focal_span_of(&entity, 1);
    struct focal_hash before;
    assert_int_equal(focal_oplog_hash_on(hq.ol, control, 2, &before), FOCAL_OK);
    const struct focal_log *stands;
    for (int sign = 0; sign < 2; sign++) {
        forge(&p, &ken, &control->name, &before, 3, &other, 1, sign);
        const struct focal_incoming in = { .name = &p.name, .before = p.piece.before, .packed = focal_buf_view(&p.packed),
            .signature = sign ? &p.piece.signature : NULL };
        begin(&hq);
        assert_int_equal(focal_oplog_admit(hq.ol, &in, &stands, NULL), FOCAL_OK);
        commit(&hq);
        assert_non_null(stands);
        assert_int_equal(stands->base.seq, 2);
        assert_int_equal(stands->staged.seq, 3);
        assert_int_equal(stands->head.seq, sign ? 3 : 2);
        assert_int_equal(control->forked, sign);
        /* Beside it one more of what is not of control goes to staging, and is counted apart. */
        data = name_of(&ken, sign ? &scope_kenya : &scope_network, 1);
        struct focal_id id;
        focal_log_id(&id, &net.id, &data);
        focal_chain_start(&after[0], &id);
        assert_int_equal(offer_piece(1, 2, false), FOCAL_OK);
        assert_int_equal(line->pub.staged.seq, 2);
        carried_close(&p);
    }
    assert_verifies(&hq, NULL);
}

/* ---- rows that are not as they were written ---- */

enum harm { GONE, CUT_SHORT, GARBLED, OTHER_SALT, OTHER_CONTENT, OTHER_BEFORE, OTHER_FIRST, OTHER_LOG, HARMS };

/* The staged row that starts at first. */
static void harm_row(uint64_t first, enum harm how)
{
    uint8_t key[SEGMENT_KEY_BYTES];
    struct focal_span at = focal_oplog_segment_key(key, &line->pub.line, first);
    struct focal_buf value;
    struct carried other;
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    assert_int_equal(focal_store_get(hq.store, FOCAL_SHELF_STAGING, at, &value), FOCAL_OK);
    begin(&hq);
    if (how == GONE || how == OTHER_LOG || how == OTHER_FIRST)
        assert_int_equal(focal_store_del(hq.store, FOCAL_SHELF_STAGING, at), FOCAL_OK);
    if (how == CUT_SHORT)
        focal_buf_truncate(&value, STAGING_HEAD_BYTES + 1);
    if (how == GARBLED)                 /* its head is as it should be, and it does not unpack */
        focal_buf_truncate(&value, value.len - 1);
    if (how == OTHER_SALT)              /* of its second entry */
        value.data[value.len - 1] ^= 0xff;
    if (how == OTHER_BEFORE)
        value.data[0] ^= 1;
    if (how == OTHER_LOG)
        key[0] ^= 1;
    if (how == OTHER_FIRST)
        key[SEGMENT_KEY_BYTES - 1] ^= 0x40;
    if (how == OTHER_CONTENT) {
        static const uint8_t entity = FOCAL_KIND_ENTITY;
        struct forged_entry list[TWO_AT_A_TIME] = { creating(first), creating(first + 1) };
        list[0].payload = focal_span_of(&entity, 1);
        forge(&other, &ken, &data, &after[first - 1], first, list, TWO_AT_A_TIME, false);
        focal_buf_truncate(&value, STAGING_HEAD_BYTES);
        focal_buf_span(&value, focal_buf_view(&other.packed));
        carried_close(&other);
    }
    if (how != GONE)
        assert_int_equal(focal_store_put(hq.store, FOCAL_SHELF_STAGING, at, focal_buf_view(&value)), FOCAL_OK);
    assert_int_equal(focal_store_commit(hq.store), FOCAL_OK);
    focal_buf_close(&value);
}

/* The signature comes, and what is staged before it does not give what it signs. */
static void harmed_rows_are_asked_for_again(void **state)
{
    static const enum harm harms[] = { GONE, CUT_SHORT, GARBLED, OTHER_SALT, OTHER_CONTENT, OTHER_FIRST };
    for (size_t i = 0; i < sizeof harms / sizeof *harms; i++) {
        if (i > 0) {
            tear_down(state);
            set_up(state);
        }
        hold_opening(NULL, 0);
        stage_all_but_the_last();
        harm_row(3, harms[i]);
        assert_int_equal(offer_piece(LONG - 1, LONG, true), FOCAL_NOT_YET);
        assert_int_equal(line->pub.head.seq, 0);
        assert_nothing_staged();
        all_comes_after_all();
    }
}

/* A piece that overlaps a harmed one is held against it: it cannot be, so the staged ones go, and it is taken. */
static void overlapping_a_harmed_row(void **state)
{
    static const enum harm harms[] = { GONE, CUT_SHORT, GARBLED, OTHER_CONTENT };
    for (size_t i = 0; i < sizeof harms / sizeof *harms; i++) {
        if (i > 0) {
            tear_down(state);
            set_up(state);
        }
        hold_opening(NULL, 0);
        stage_all_but_the_last();
        harm_row(3, harms[i]);
        assert_int_equal(offer_piece(1, 3, false), FOCAL_OK);
        assert_int_equal(line->pub.staged.seq, 3);
        assert_true(focal_hash_equal(&line->pub.staged.h, &after[3]));
        assert_int_equal(rows_of(FOCAL_SHELF_STAGING), 1);
        assert_int_equal(offer_piece(4, LONG, true), FOCAL_OK);
        assert_int_equal(line->pub.head.seq, LONG);
        assert_verifies(&hq, NULL);
    }
}

/* A start finds them: what follows from the head up to the harmed row is there, and the rest is asked for. */
static void harmed_rows_at_a_start(void **state)
{
    for (int how = GONE; how < HARMS; how++) {
        if (how > 0) {
            tear_down(state);
            set_up(state);
        }
        hold_opening(NULL, 0);
        stage_all_but_the_last();
        harm_row(3, (enum harm)how);
        const struct focal_id id = line->pub.line;
        focal_oplog_close(hq.ol);
        office_open(&hq);
        line = focal_oplog_line_of(hq.ol, &id);
        assert_non_null(line);
        if (how == GARBLED || how == OTHER_SALT || how == OTHER_CONTENT) {      /* found out when it is unpacked */
            assert_int_equal(line->pub.staged.seq, LONG - TWO_AT_A_TIME);
            assert_int_equal(offer_piece(LONG - 1, LONG, true), FOCAL_NOT_YET);
            assert_nothing_staged();
        } else {
            assert_int_equal(line->pub.staged.seq, 2);
            assert_int_equal(line->staged_entries, 2);
        }
        assert_verifies(&hq, NULL);
        all_comes_after_all();
    }
}

/* Rows with a name of no form, or of no entry, are nobody's pieces, and stop neither a start nor a transfer. */
static void rows_with_names_of_no_form(void **state)
{
    (void)state;
    hold_opening(NULL, 0);
    stage_all_but_the_last();
    uint8_t name[SEGMENT_KEY_BYTES + 1];
    (void)focal_oplog_segment_key(name, &line->pub.line, LONG + 9);
    name[SEGMENT_KEY_BYTES] = 1;
    begin(&hq);
    assert_int_equal(focal_store_put(hq.store, FOCAL_SHELF_STAGING, focal_span_of(name, sizeof name), focal_span_text("x")), FOCAL_OK);
    assert_int_equal(focal_store_put(hq.store, FOCAL_SHELF_STAGING, focal_span_of(name, 3), focal_span_text("x")), FOCAL_OK);
    struct focal_buf value;
    uint8_t bytes[SEGMENT_KEY_BYTES];
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    assert_int_equal(focal_store_get(hq.store, FOCAL_SHELF_STAGING, focal_oplog_segment_key(bytes, &line->pub.line, 1), &value), FOCAL_OK);
    assert_int_equal(focal_store_put(hq.store, FOCAL_SHELF_STAGING, focal_oplog_segment_key(bytes, &line->pub.line, 0), focal_buf_view(&value)), FOCAL_OK);
    focal_buf_close(&value);
    assert_int_equal(focal_store_commit(hq.store), FOCAL_OK);
    const struct focal_id id = line->pub.line;
    focal_oplog_close(hq.ol);
    office_open(&hq);
    line = focal_oplog_line_of(hq.ol, &id);
    assert_int_equal(line->pub.staged.seq, LONG - TWO_AT_A_TIME);
    all_comes_after_all();
    assert_int_equal(line->pub.staged.seq, LONG);
    assert_int_equal(rows_of(FOCAL_SHELF_STAGING), 3);      /* those, which are left alone */
}

/* ---- a store that fails ---- */

enum { READS = FOCAL_FAKE_GET | FOCAL_FAKE_NEXT | FOCAL_FAKE_PREV, CHANGES = FOCAL_FAKE_PUT | FOCAL_FAKE_DEL };

/* Offers it with the first, second, ... operation failing; each time all is as before. Then it goes through with `expected`. */
static void offer_on_a_failing_store(const struct carried *p, enum focal_status expected, uint64_t least)
{
    static const unsigned kinds[] = { READS, CHANGES };
    uint64_t failures = 0;
    const uint64_t head = line->pub.head.seq, staged = line->pub.staged.seq, rows = rows_of(FOCAL_SHELF_STAGING);
    for (size_t k = 0; k < 2; k++) {
        enum focal_status st = FOCAL_IO;
        struct focal_error err = { .status = FOCAL_OK };
        for (uint64_t nth = 1; st == FOCAL_IO; nth++) {
            begin(&hq);
            focal_fake_store_plan(hq.store, (struct focal_fake_failure){ .nth = nth, .kinds = kinds[k], .status = FOCAL_IO });
            st = hand_over_or(&hq, p, &err);
            focal_fake_store_plan(hq.store, (struct focal_fake_failure){ .nth = 0 });
            failures += st == FOCAL_IO;
            roll_back(&hq);
            assert_int_equal(line->pub.head.seq, head);
            assert_int_equal(line->pub.staged.seq, staged);
            assert_int_equal(rows_of(FOCAL_SHELF_STAGING), rows);
        }
        if (st != expected)
            fail_msg("%s instead of %s: %s", focal_status_name(st), focal_status_name(expected), err.message);
    }
    assert_true(failures >= least);
    assert_int_equal(offer(p), expected);
}

static void failing_while_pieces_are_dropped(void **state)
{
    (void)state;
    struct carried p;
    static const uint8_t entity = FOCAL_KIND_ENTITY;
    struct forged_entry other[3] = { begin_entry, creating(2), creating(3) };
    other[1].payload = focal_span_of(&entity, 1);
    hold_opening(NULL, 0);
    /* Another beginning. */
    stage_all_but_the_last();
    forge(&p, &ken, &data, NULL, 1, other, 3, false);
    offer_on_a_failing_store(&p, FOCAL_OK, 4);
    assert_int_equal(line->pub.staged.seq, 3);
    carried_close(&p);
    /* What follows nothing of what is staged. */
    struct forged_entry stray = creating(3);
    struct focal_hash nowhere = { { 1 } };
    forge(&p, &ken, &data, &nowhere, 3, &stray, 1, false);
    offer_on_a_failing_store(&p, FOCAL_NOT_YET, 2);
    assert_nothing_staged();
    carried_close(&p);
    /* A signature that does not fit. */
    stage_all_but_the_last();
    piece_of(&p, LONG - 1, LONG, true);
    p.piece.signature.b[0] ^= 1;
    offer_on_a_failing_store(&p, FOCAL_NEVER, 2);
    assert_nothing_staged();
    carried_close(&p);
    /* A row of them does not unpack. */
    stage_all_but_the_last();
    harm_row(3, GARBLED);
    piece_of(&p, LONG - 1, LONG, true);
    offer_on_a_failing_store(&p, FOCAL_NOT_YET, 3);
    assert_nothing_staged();
    carried_close(&p);
    all_comes_after_all();
}

/* A piece that follows, or ends, in the middle of a staged one has it read. */
static void failing_while_pieces_are_compared(void **state)
{
    (void)state;
    struct carried p;
    hold_opening(NULL, 0);
    assert_int_equal(offer_piece(1, 3, false), FOCAL_OK);
    assert_int_equal(offer_piece(4, 7, false), FOCAL_OK);
    piece_of(&p, 3, 6, false);
    offer_on_a_failing_store(&p, FOCAL_OK, 2);
    assert_int_equal(line->pub.staged.seq, 7);
    carried_close(&p);
    piece_of(&p, 7, LONG, true);
    offer_on_a_failing_store(&p, FOCAL_OK, 10);
    assert_int_equal(line->pub.head.seq, LONG);
    assert_nothing_staged();
    carried_close(&p);
    assert_verifies(&hq, NULL);
}

static void failing_while_too_many_are_dropped(void **state)
{
    (void)state;
    hold_opening(NULL, 0);
    struct focal_hash before = after[0];
    struct carried one, two;
    large_piece(&one, 1, &before, false);
    large_piece(&two, 65, &before, false);
    assert_int_equal(offer(&one), FOCAL_OK);
    line = focal_oplog_line_of(hq.ol, &focal_oplog_log_at(hq.ol, 1)->line);
    offer_on_a_failing_store(&two, FOCAL_NOT_YET, 2);
    assert_nothing_staged();
    carried_close(&one);
    carried_close(&two);
}

/* The same with an arena that may hold more and more. */
static void offer_with_a_small_arena(const struct carried *p, enum focal_status expected)
{
    const uint64_t head = line->pub.head.seq, staged = line->pub.staged.seq, rows = rows_of(FOCAL_SHELF_STAGING);
    enum focal_status st = FOCAL_NO_MEMORY;
    size_t failures = 0;
    for (size_t limit = 16; st == FOCAL_NO_MEMORY; limit += 16) {
        begin(&hq);
        hq.ol->arena.limit = limit;
        st = hand_over(&hq, p);
        hq.ol->arena.limit = ARENA_BYTES_MAX;
        roll_back(&hq);
        failures += st == FOCAL_NO_MEMORY;
        assert_int_equal(line->pub.head.seq, head);
        assert_int_equal(line->pub.staged.seq, staged);
        assert_int_equal(rows_of(FOCAL_SHELF_STAGING), rows);
    }
    assert_int_equal(st, expected);
    assert_true(failures > 10);
    assert_int_equal(offer(p), expected);
}

static void no_memory_for_pieces(void **state)
{
    (void)state;
    struct carried p;
    hold_opening(NULL, 0);
    assert_int_equal(offer_piece(1, 3, false), FOCAL_OK);
    piece_of(&p, 3, 6, false);                  /* its tail is new */
    offer_with_a_small_arena(&p, FOCAL_OK);
    assert_int_equal(line->pub.staged.seq, 6);
    carried_close(&p);
    piece_of(&p, 4, 5, true);                   /* signed within what is staged */
    offer_with_a_small_arena(&p, FOCAL_OK);
    assert_int_equal(line->pub.head.seq, 5);
    assert_nothing_staged();
    carried_close(&p);
    assert_int_equal(offer_piece(6, 9, false), FOCAL_OK);
    piece_of(&p, 7, 12, true);                  /* signed after it, and overlapping */
    offer_with_a_small_arena(&p, FOCAL_OK);
    assert_int_equal(line->pub.head.seq, 12);
    assert_nothing_staged();
    carried_close(&p);
    assert_verifies(&hq, NULL);
}

/* What a peer says that we wrote next is dropped before we write; when that fails, nothing is written. */
static void failing_while_our_own_log_is_cleared(void **state)
{
    (void)state;
    struct focal_ref ref;
    struct carried p;
    uint8_t value = 2;
    uint64_t failures = 0;
    enum focal_status st = FOCAL_IO;
    hold(&hq, &hq.statement);
    begin(&hq);
    write_value(&hq, &scope_network, NULL, FIELD_A, 1, &ref);
    commit(&hq);
    const struct focal_log *own = log_of(&hq, &net, &hq, &scope_network);
    line = focal_oplog_line_of(hq.ol, &own->line);
    const struct forged_entry next = creating(own->head.seq + 1);
    forge(&p, &ken, &own->name, &own->head.h, next.header.seq, &next, 1, false);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    assert_int_equal(own->staged.seq, 3);
    for (uint64_t nth = 1; st == FOCAL_IO; nth++) {
        begin(&hq);
        focal_fake_store_plan(hq.store, (struct focal_fake_failure){ .nth = nth, .kinds = FOCAL_FAKE_DEL | FOCAL_FAKE_NEXT, .status = FOCAL_IO });
        st = try_write(&hq, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_A, focal_span_of(&value, 1), &ref);
        focal_fake_store_plan(hq.store, (struct focal_fake_failure){ .nth = 0 });
        if (st == FOCAL_OK) {
            commit(&hq);
            continue;
        }
        failures++;
        roll_back(&hq);
        assert_int_equal(own->head.seq, 2);
        assert_int_equal(own->staged.seq, 3);
    }
    assert_int_equal(st, FOCAL_OK);
    assert_true(failures >= 2);
    assert_int_equal(ref.seq, 3);
    assert_int_equal(own->head.seq, 3);
    assert_nothing_staged();
    assert_verifies(&hq, NULL);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(a_signature_within_what_is_staged), WITH(signed_and_another_than_what_is_staged),
        WITH(entries_of_several_peers_are_too_many), WITH(bytes_of_several_peers_are_too_many), WITH(a_branch_of_a_control_log_waits),
        WITH(harmed_rows_are_asked_for_again), WITH(overlapping_a_harmed_row), WITH(harmed_rows_at_a_start), WITH(rows_with_names_of_no_form),
        WITH(failing_while_pieces_are_dropped), WITH(failing_while_pieces_are_compared), WITH(failing_while_too_many_are_dropped),
        WITH(no_memory_for_pieces), WITH(failing_while_our_own_log_is_cleared),
    };
    return cmocka_run_group_tests_name("oplog_staging", tests, NULL, NULL);
}
