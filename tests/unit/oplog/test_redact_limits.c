/* Redaction when rows cannot be read or written, when there is too much of it, and what it costs. */
#include "inside.h"
#include "redactors.h"

static struct focal_hash scope_id(void)
{
    struct focal_hash id;
    focal_scope_id(&id, &net.id, &scope_network);
    return id;
}

static void plan(size_t at, uint64_t nth, unsigned kinds, enum focal_status status)
{
    focal_fake_store_plan(offices[at].store, (struct focal_fake_failure){ .nth = nth, .status = status, .kinds = kinds });
}

static const struct focal_log *notices_of(size_t by)
{
    for (size_t i = 0; i < focal_oplog_log_count(offices[by].ol); i++) {
        const struct focal_log *log = focal_oplog_log_at(offices[by].ol, i);
        if (log->mine && log->name.lane == FOCAL_LANE_NOTICES)
            return log;
    }
    fail_msg("%s has no notices", codes[by]);
    return NULL;
}

/* ---- what cannot be read ---- */

/* Whether a record was redacted may be unreadable: then it counts as if it was, and whoever asked hears that it is not known. */
static void what_cannot_be_read_is_not_shown(void **state)
{
    (void)state;
    const struct focal_hash scope = scope_id();
    struct focal_ref record = write_text(KEN, NULL, canary), other = write_text(KEN, NULL, "kept"), ref;
    struct focal_oplog *ol = offices[KEN].ol;
    struct focal_redaction r;
    struct focal_buf key;
    bool redacted = false;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    assert_int_equal(redact(KEN, &record, NULL), FOCAL_OK);
    plan(KEN, 1, FOCAL_FAKE_NEXT, FOCAL_IO);
    assert_int_equal(focal_oplog_record_redacted(ol, &record, &scope, &redacted), FOCAL_IO);
    assert_true(redacted);
    plan(KEN, 2, FOCAL_FAKE_NEXT, FOCAL_IO);        /* the first finds the row */
    assert_int_equal(focal_oplog_next_redaction(ol, &key, &r), FOCAL_IO);
    assert_true(r.in_force);
    begin(&offices[KEN]);
    plan(KEN, 1, FOCAL_FAKE_NEXT, FOCAL_IO);
    assert_int_equal(try_write(&offices[KEN], &scope_network, &record, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark("late"), &ref), FOCAL_IO);
    plan(KEN, 0, 0, FOCAL_OK);
    roll_back(&offices[KEN]);
    uint64_t hidden;
    plan(KEN, 1, FOCAL_FAKE_NEXT, FOCAL_IO);
    assert_int_equal(focal_oplog_hidden_count(ol, &hidden), FOCAL_IO);
    plan(KEN, 0, 0, FOCAL_OK);
    assert_int_equal(focal_oplog_record_redacted(ol, &record, &scope, &redacted), FOCAL_OK);
    assert_true(redacted);
    assert_int_equal(focal_oplog_record_redacted(ol, &other, &scope, &redacted), FOCAL_OK);
    assert_false(redacted);
    focal_buf_close(&key);
}

/* The same of rows that are there and are none. */
static void damaged_rows_are_not_shown(void **state)
{
    (void)state;
    const struct focal_hash scope = scope_id();
    struct focal_ref record = write_text(KEN, NULL, canary);
    struct focal_oplog *ol = offices[KEN].ol;
    struct focal_redaction r;
    struct focal_buf key, value;
    bool redacted;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, 100);
    assert_int_equal(redact(KEN, &record, NULL), FOCAL_OK);
    assert_int_equal(focal_store_next(offices[KEN].store, FOCAL_SHELF_REDACTION, focal_buf_view(&key), &key, &value), FOCAL_OK);
    for (int harm = 0; harm < 2; harm++) {
        struct focal_span name = focal_buf_view(&key), rest = focal_buf_view(&value);
        begin(&offices[KEN]);
        assert_int_equal(focal_store_del(offices[KEN].store, FOCAL_SHELF_REDACTION, name), FOCAL_OK);
        name.len -= harm == 0;
        rest.len -= harm == 1;
        assert_int_equal(focal_store_put(offices[KEN].store, FOCAL_SHELF_REDACTION, name, rest), FOCAL_OK);
        redacted = false;
        assert_int_equal(focal_oplog_record_redacted(ol, &record, &scope, &redacted), FOCAL_DAMAGED);
        assert_true(redacted);
        struct focal_buf from;
        focal_buf_init(&from, FOCAL_STORE_KEY_MAX);
        assert_int_equal(focal_oplog_next_redaction(ol, &from, &r), FOCAL_DAMAGED);
        focal_buf_close(&from);
        focal_store_rollback(offices[KEN].store);
    }
    static const uint8_t last[3] = { 0xff, 0xff, 0xff };    /* of no target at all: opening says so, and no target is the worse for it */
    begin(&offices[KEN]);
    assert_int_equal(focal_store_put(offices[KEN].store, FOCAL_SHELF_REDACTION, focal_span_of(last, sizeof last), focal_buf_view(&value)), FOCAL_OK);
    assert_int_equal(focal_oplog_record_redacted(ol, &record, &scope, &redacted), FOCAL_OK);
    assert_true(redacted);
    assert_int_equal(focal_oplog_redactions_load(ol), FOCAL_DAMAGED);
    roll_back(&offices[KEN]);
    focal_buf_close(&key);
    focal_buf_close(&value);
}

static void refusals_are_read(void **state)
{
    (void)state;
    enum { FIELDS = FOCAL_REFUSED_FIELDS_MAX + 5 };
    struct focal_item items[FIELDS];
    struct focal_buf payload, key, row;
    struct focal_refused refused;
    struct focal_ref ref;
    for (size_t i = 0; i < FIELDS; i++)
        items[i] = (struct focal_item){ .field = FOCAL_FIELD(600 + i, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_SET), .value = focal_span_text("v") };
    focal_buf_init(&payload, FOCAL_ORDINARY_MAX);
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&row, 1000);
    focal_payload_encode(&payload, FOCAL_KIND_CASE, NULL, NULL, items, FIELDS);
    const struct focal_write w = { .scope = scope_network, .creates = true, .payload = focal_buf_view(&payload) };
    begin(&offices[KEN]);
    assert_int_equal(focal_oplog_write(offices[KEN].ol, &w, &ref, NULL), FOCAL_OK);
    commit(&offices[KEN]);
    exchange();
    assert_int_equal(redact(HQ, &ref, NULL), FOCAL_OK);
    exchange();
    assert_int_equal(focal_oplog_next_refused(offices[KEN].ol, &key, &refused), FOCAL_OK);
    assert_int_equal(focal_ref_compare(&refused.entry, &ref), 0);
    assert_int_equal(refused.kind, FOCAL_KIND_CASE);
    assert_int_equal(refused.field_count, FOCAL_REFUSED_FIELDS_MAX);        /* as many as there is room for */
    assert_int_equal(refused.fields[FOCAL_REFUSED_FIELDS_MAX - 1], items[FOCAL_REFUSED_FIELDS_MAX - 1].field);
    assert_int_equal(focal_store_get(offices[KEN].store, FOCAL_SHELF_REFUSED, focal_buf_view(&key), &row), FOCAL_OK);
    begin(&offices[KEN]);
    assert_int_equal(focal_store_put(offices[KEN].store, FOCAL_SHELF_REFUSED, focal_buf_view(&key), focal_span_of(row.data, 2 * FOCAL_REF_BYTES - 1)), FOCAL_OK);
    focal_buf_clear(&key);
    assert_int_equal(focal_oplog_next_refused(offices[KEN].ol, &key, &refused), FOCAL_DAMAGED);
    focal_store_rollback(offices[KEN].store);
    focal_buf_close(&payload);
    focal_buf_close(&key);
    focal_buf_close(&row);
}

/* ---- limits ---- */

static void one_notice_names_so_many(void **state)
{
    (void)state;
    static struct focal_ref many[401];
    struct focal_ref notice, record = write_text(KEN, NULL, canary);
    struct focal_error err;
    struct focal_redact r = { .scope = scope_network, .reason = 2 };
    begin(&offices[KEN]);
    assert_int_equal(focal_oplog_redact(offices[KEN].ol, &r, &notice, &err), FOCAL_TOO_BIG);       /* nothing */
    r.entries = many;
    r.entry_count = 400;
    r.records = &record;
    r.record_count = 1;
    assert_int_equal(focal_oplog_redact(offices[KEN].ol, &r, &notice, &err), FOCAL_TOO_BIG);
    assert_non_null(strstr(err.message, "at most 400"));
    assert_non_null(strstr(err.hint, "whole record"));
    r.entry_count = 399;
    assert_int_equal(focal_oplog_redact(offices[KEN].ol, &r, &notice, &err), FOCAL_OK);
    commit(&offices[KEN]);
    assert_false(shown(KEN, &record));
    assert_true(focal_store_begin(offices[KEN].store) == FOCAL_OK);
    r.scope = (struct focal_scope){ .cls = FOCAL_SCOPE_COUNTRY, .country = "KEN" };
    r.day = 20001;
    assert_int_equal(focal_oplog_redact(offices[KEN].ol, &r, &notice, &err), FOCAL_OK);            /* dated, in a country */
    commit(&offices[KEN]);
    assert_verifies(&offices[KEN], NULL);
}

/* Who asks twice is one office all the same: its word alone erases nothing of another's. */
static void one_office_asks_twice(void **state)
{
    (void)state;
    struct focal_ref record = write_text(KEN, NULL, canary);
    exchange();
    assert_int_equal(redact(HQ, NULL, &record), FOCAL_OK);
    assert_int_equal(redact(HQ, &record, NULL), FOCAL_OK);
    assert_int_equal(redact(HQ, &record, NULL), FOCAL_OK);
    exchange();
    for (size_t i = 0; i < OFFICES; i++) {
        assert_false(shown(i, &record));
        assert_int_equal(rows_of(i, FOCAL_SHELF_HIDDEN), 1);
    }
    all_equal();
}

/* The measure of a day that was written by somebody else: what it says is taken for all that there may be. */
static void a_measure_that_is_damaged(void **state)
{
    (void)state;
    struct focal_ref record = write_text(KEN, NULL, canary);
    enum { ROW = 8 + 20 * FOCAL_REF_BYTES };
    uint8_t row[ROW] = { 0 };
    focal_oplog_set_day(offices[KEN].ol, 20000);
    focal_oplog_put_be32(row, 20000);
    row[7] = 255;
    begin(&offices[KEN]);
    assert_int_equal(focal_store_put(offices[KEN].store, FOCAL_SHELF_META, focal_span_text("alone/KEN"), focal_span_of(row, sizeof row)), FOCAL_OK);
    assert_int_equal(focal_store_commit(offices[KEN].store), FOCAL_OK);
    assert_int_equal(redact(KEN, &record, NULL), FOCAL_OK);
    assert_false(shown(KEN, &record));
    assert_int_equal(rows_of(KEN, FOCAL_SHELF_HIDDEN), 1);
    begin(&offices[KEN]);                   /* of a length that is none: a day begins anew */
    assert_int_equal(focal_store_put(offices[KEN].store, FOCAL_SHELF_META, focal_span_text("alone/KEN"), focal_span_of(row, 9)), FOCAL_OK);
    assert_int_equal(focal_store_commit(offices[KEN].store), FOCAL_OK);
    struct focal_ref other = write_text(KEN, NULL, other_canary);
    assert_int_equal(redact(KEN, &other, NULL), FOCAL_OK);
    assert_int_equal(rows_of(KEN, FOCAL_SHELF_HIDDEN), 1);
    assert_false(readable(KEN, other_canary));
}

/* ---- what it costs ---- */

enum { NAMED = 120 };

/* TCD names 120 entries that are not its own, without any right. */
static void name_many(struct focal_ref *notice)
{
    static struct focal_ref refs[NAMED];
    for (size_t i = 0; i < NAMED; i++)
        refs[i] = (struct focal_ref){ .log = { { (uint8_t)i, 1 } }, .seq = 2 };
    const struct focal_redact r = { .scope = scope_network, .entries = refs, .entry_count = NAMED, .reason = 2 };
    begin(&offices[TCD]);
    assert_int_equal(focal_oplog_redact(offices[TCD].ol, &r, notice, NULL), FOCAL_OK);
    commit(&offices[TCD]);
    carry_all(&offices[TCD], &offices[SSD]);
    assert_int_equal(rows_of(SSD, FOCAL_SHELF_REDACTION), NAMED);
}

static uint64_t cost_of_holding(size_t at, const struct focal_buf *statement)
{
    const uint64_t before = focal_fake_store_operations(offices[at].store);
    hold(&offices[at], statement);
    return focal_fake_store_operations(offices[at].store) - before;
}

/* A certificate that says nothing new of a right to redact costs the same however much was redacted. */
static void a_renewal_judges_nothing_again(void **state)
{
    (void)state;
    struct focal_ref notice;
    struct office fresh;
    name_many(&notice);
    certify(KEN, 2, 0);
    assert_true(cost_of_holding(SSD, &offices[KEN].statement) < 20);
    certify(HQ, 2, 0);                          /* a right once given is never taken back */
    assert_true(cost_of_holding(SSD, &offices[HQ].statement) < 20);
    certify(HQ, 3, FOCAL_RIGHT_REDACT);
    assert_true(cost_of_holding(SSD, &offices[HQ].statement) < 20);
    certify(TCD, 2, FOCAL_RIGHT_REDACT);        /* news */
    assert_true(cost_of_holding(SSD, &offices[TCD].statement) > NAMED);
    office_make(&fresh, &net, "UGA", 70);       /* its key was not known: it may have redacted, or been redacted */
    assert_true(cost_of_holding(SSD, &fresh.statement) > NAMED);
    office_close(&fresh);
}

/* However many logs begin in one transaction, all redactions are walked over once; whole records of other logs are left alone. */
static void logs_that_begin_are_judged_together(void **state)
{
    (void)state;
    struct focal_ref notice, record = write_text(TCD, NULL, "kept");
    struct focal_oplog *ol = offices[SSD].ol;
    name_many(&notice);
    assert_int_equal(redact(TCD, &record, NULL), FOCAL_OK);
    carry_all(&offices[TCD], &offices[SSD]);
    const struct focal_log *theirs = log_of(&offices[SSD], &net, &offices[TCD], &scope_network);
    (void)write_text(KEN, NULL, "kept");
    carry_all(&offices[KEN], &offices[SSD]);
    const struct focal_log *others = log_of(&offices[SSD], &net, &offices[KEN], &scope_network);
    struct focal_log elsewhere = *theirs;
    const uint64_t before = focal_fake_store_operations(offices[SSD].store);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(focal_oplog_log_begun(ol, theirs), FOCAL_OK);
        assert_int_equal(focal_oplog_log_begun(ol, others), FOCAL_OK);
    }
    assert_int_equal(focal_fake_store_operations(offices[SSD].store), before);
    assert_int_equal(focal_oplog_judge_again(ol), FOCAL_OK);
    assert_int_equal(focal_fake_store_operations(offices[SSD].store) - before, NAMED + 2);
    assert_int_equal(ol->target_count, NAMED + 1);
    ol->target_count = ol->begun_count = 0;
    elsewhere.id = notices_of(TCD)->id;         /* another log of TCD: what it named of entries, and not that record */
    assert_int_equal(focal_oplog_log_begun(ol, &elsewhere), FOCAL_OK);
    assert_int_equal(focal_oplog_judge_again(ol), FOCAL_OK);
    assert_int_equal(ol->target_count, NAMED);
    ol->target_count = ol->begun_count = 0;
    elsewhere.id = (struct focal_id){ { 0xff } };
    assert_int_equal(focal_oplog_log_begun(ol, &elsewhere), FOCAL_OK);  /* nobody's */
    assert_int_equal(focal_oplog_log_begun(ol, others), FOCAL_OK);      /* KEN redacted nothing */
    assert_int_equal(focal_oplog_judge_again(ol), FOCAL_OK);
    assert_int_equal(ol->target_count, 0);
    assert_int_equal(focal_oplog_log_begun(ol, others), FOCAL_OK);
    plan(SSD, 3, FOCAL_FAKE_NEXT, FOCAL_IO);
    assert_int_equal(focal_oplog_judge_again(ol), FOCAL_IO);
    plan(SSD, 0, 0, FOCAL_OK);
    assert_int_equal(focal_oplog_rolled_back(ol), FOCAL_OK);
    assert_int_equal(ol->begun_count, 0);
}

/* ---- failing ---- */

static uint64_t digest_of(size_t at)
{
    static const enum focal_shelf shelves[] = { FOCAL_SHELF_SEGMENT, FOCAL_SHELF_HIDDEN, FOCAL_SHELF_REFUSED, FOCAL_SHELF_PART,
        FOCAL_SHELF_REDACTION, FOCAL_SHELF_LOG, FOCAL_SHELF_STAGING };
    uint64_t all = 0, one, rows;
    for (size_t i = 0; i < sizeof shelves / sizeof *shelves; i++) {
        assert_int_equal(focal_shelf_digest(offices[at].store, shelves[i], &one, &rows), FOCAL_OK);
        all = all * 31 + one;
    }
    return all;
}

/* Whatever fails while a notice is taken in: nothing of it is left, and the next try does all. No kinds: an arena that is too small. */
static void take_notice(size_t from, size_t to, uint64_t first, unsigned kinds, enum focal_status status)
{
    struct carried c;
    enum focal_status st = status;
    const uint64_t before = digest_of(to);
    assert_int_equal(take_up(&offices[from], notices_of(from), first, 16000, &c), FOCAL_OK);
    for (uint64_t nth = 1; st != FOCAL_OK; nth++) {
        begin(&offices[to]);
        if (kinds)
            plan(to, nth, kinds, status);
        else
            offices[to].ol->arena.limit = nth * 64;
        st = hand_over(&offices[to], &c);
        if (st == FOCAL_OK)
            st = focal_oplog_seal(offices[to].ol);
        plan(to, 0, 0, FOCAL_OK);
        offices[to].ol->arena.limit = ARENA_BYTES_MAX;
        if (st == FOCAL_OK)
            break;
        assert_int_equal(st, status);
        assert_true(nth < 10000);
        roll_back(&offices[to]);
        assert_true(digest_of(to) == before);
    }
    assert_int_equal(focal_store_commit(offices[to].store), FOCAL_OK);
    focal_oplog_committed(offices[to].ol);
    carried_close(&c);
}

static void failures_while_hiding(void **state)
{
    (void)state;
    static const struct { unsigned kinds; enum focal_status status; } troubles[] = {
        { FOCAL_FAKE_PUT | FOCAL_FAKE_DEL, FOCAL_DISK_FULL }, { FOCAL_FAKE_GET | FOCAL_FAKE_NEXT | FOCAL_FAKE_PREV, FOCAL_IO } };
    for (size_t t = 0; t < 2; t++) {
        struct focal_ref record = write_text(KEN, NULL, canary);
        for (int i = 0; i < 3; i++)
            (void)write_text(KEN, i ? &record : NULL, i ? canary : "kept");
        exchange();
        assert_int_equal(redact(HQ, &record, NULL), FOCAL_OK);
        const uint64_t first = notices_of(HQ)->head.seq;
        if (t == 0) {
            struct carried c;       /* its opening comes before */
            assert_int_equal(take_up(&offices[HQ], log_of(&offices[HQ], &net, &offices[HQ], &scope_control), 1, 16000, &c), FOCAL_OK);
            begin(&offices[KEN]);
            assert_int_equal(hand_over(&offices[KEN], &c), FOCAL_OK);
            commit(&offices[KEN]);
            carried_close(&c);
        }
        take_notice(HQ, KEN, t == 0 ? 1 : first, troubles[t].kinds, troubles[t].status);
        assert_false(shown(KEN, &record));
        assert_int_equal(rows_of(KEN, FOCAL_SHELF_HIDDEN), 3);
        assert_int_equal(rows_of(KEN, FOCAL_SHELF_REFUSED), 3 * (t + 1));
        no_seed_reaches(KEN);
        exchange();
        certify(TCD, 2, FOCAL_RIGHT_REDACT);
        for (size_t i = 0; i < OFFICES; i++)
            hold(&offices[i], &offices[TCD].statement);
        assert_int_equal(redact(TCD, &record, NULL), FOCAL_OK);
        if (t == 0)
            carry_all(&offices[TCD], &offices[KEN]);
        else
            take_notice(TCD, KEN, notices_of(TCD)->head.seq, troubles[t].kinds, troubles[t].status);
        exchange();
        assert_int_equal(rows_of(KEN, FOCAL_SHELF_HIDDEN), 0);
        assert_false(readable(KEN, canary));
        all_equal();
    }
}

/* A segment of KEN's, from `first` on, of which only the beginning has come. */
static struct focal_ref stage_of_ken(size_t at, uint64_t first)
{
    struct focal_ref ref;
    struct carried c;
    begin(&offices[KEN]);
    for (int i = 0; i < 60; i++) {
        char text[100];
        for (size_t k = 0; k < sizeof text; k++)
            text[k] = (char)(33 + chance_below(&offices[KEN].chance, 90));
        struct focal_ref one;
        assert_int_equal(try_write(&offices[KEN], &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, focal_span_of(text, sizeof text), &one), FOCAL_OK);
        ref = i == 0 ? one : ref;
    }
    commit(&offices[KEN]);
    assert_int_equal(take_up(&offices[KEN], log_of(&offices[KEN], &net, &offices[KEN], &scope_network), first, 1000, &c), FOCAL_OK);
    assert_false(c.piece.is_signed);
    begin(&offices[at]);
    assert_int_equal(hand_over(&offices[at], &c), FOCAL_OK);
    commit(&offices[at]);
    carried_close(&c);
    return ref;
}

/* The same while a piece waits for its signature: one that says nothing of what is redacted, and one that does. */
static void failures_with_what_waits(void **state)
{
    (void)state;
    static const struct { unsigned kinds; enum focal_status status; } troubles[] = {
        { FOCAL_FAKE_PUT | FOCAL_FAKE_DEL, FOCAL_DISK_FULL }, { FOCAL_FAKE_GET | FOCAL_FAKE_NEXT | FOCAL_FAKE_PREV, FOCAL_IO }, { 0, FOCAL_NO_MEMORY } };
    struct focal_ref record = write_text(KEN, NULL, canary);
    uint64_t first = 1;
    carry_all(&offices[KEN], &offices[SSD]);
    for (size_t t = 0; t < sizeof troubles / sizeof *troubles; t++) {
        for (int speaks = 0; speaks < 2; speaks++) {
            const uint64_t next = log_of(&offices[SSD], &net, &offices[KEN], &scope_network)->head.seq + 1;
            const struct focal_ref waiting = stage_of_ken(SSD, next);
            assert_int_equal(redact(KEN, speaks ? NULL : &record, speaks ? &waiting : NULL), FOCAL_OK);
            take_notice(KEN, SSD, first, troubles[t].kinds, troubles[t].status);
            first = notices_of(KEN)->head.seq + 1;
            carry_all(&offices[KEN], &offices[SSD]);
            assert_int_equal(rows_of(SSD, FOCAL_SHELF_STAGING), 0);
            assert_false(shown(SSD, speaks ? &waiting : &record));
            assert_true(shown(SSD, speaks ? &record : &waiting));
            no_seed_reaches(SSD);
            record = write_text(KEN, NULL, canary);
            carry_all(&offices[KEN], &offices[SSD]);
        }
    }
    exchange();
    all_equal();
}

/* A segment that is gone may have had a seed that reaches what is stripped: that cannot be said to be done. */
static void a_neighbour_that_is_gone(void **state)
{
    (void)state;
    struct focal_ref notice, record;
    uint8_t key[SEGMENT_KEY_BYTES];
    for (int i = 0; i < 3; i++)
        record = write_text(KEN, NULL, canary);
    const struct focal_redact r = { .scope = scope_network, .records = &record, .record_count = 1, .reason = 2 };
    begin(&offices[KEN]);
    assert_int_equal(focal_store_del(offices[KEN].store, FOCAL_SHELF_SEGMENT, focal_oplog_segment_key(key, &record.log, 3)), FOCAL_OK);
    assert_int_equal(focal_oplog_redact(offices[KEN].ol, &r, &notice, NULL), FOCAL_OK);
    assert_int_equal(focal_oplog_seal(offices[KEN].ol), FOCAL_DAMAGED);
    roll_back(&offices[KEN]);
    assert_true(shown(KEN, &record));
}

/* What waits for a signature and cannot be looked through any more goes when there is something to look for. */
static void staging_that_cannot_be_read_goes(void **state)
{
    (void)state;
    struct focal_ref record = write_text(KEN, NULL, canary);
    struct carried c;
    struct focal_buf key, value;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, 1 << 16);
    carry_all(&offices[KEN], &offices[SSD]);
    (void)stage_of_ken(SSD, 3);
    assert_int_equal(focal_store_next(offices[SSD].store, FOCAL_SHELF_STAGING, focal_buf_view(&key), &key, &value), FOCAL_OK);
    assert_int_equal(redact(KEN, &record, NULL), FOCAL_OK);
    assert_int_equal(take_up(&offices[KEN], notices_of(KEN), 1, 16000, &c), FOCAL_OK);
    for (int gone = 1; gone >= 0; gone--) {
        begin(&offices[SSD]);
        if (gone)       /* that it should be there and is not is another thing */
            assert_int_equal(focal_store_del(offices[SSD].store, FOCAL_SHELF_STAGING, focal_buf_view(&key)), FOCAL_OK);
        else
            assert_int_equal(focal_store_put(offices[SSD].store, FOCAL_SHELF_STAGING, focal_buf_view(&key), focal_span_of(value.data, value.len - 40)), FOCAL_OK);
        assert_int_equal(hand_over(&offices[SSD], &c), FOCAL_OK);
        enum focal_status st = focal_oplog_seal(offices[SSD].ol);
        if (gone) {
            assert_int_equal(st, FOCAL_DAMAGED);
            roll_back(&offices[SSD]);
            continue;
        }
        assert_int_equal(st, FOCAL_OK);
        assert_int_equal(focal_store_commit(offices[SSD].store), FOCAL_OK);
        focal_oplog_committed(offices[SSD].ol);
    }
    carried_close(&c);
    assert_int_equal(rows_of(SSD, FOCAL_SHELF_STAGING), 0);
    assert_true(focal_oplog_scrub_due(offices[SSD].ol));
    assert_false(shown(SSD, &record));
    exchange();
    all_equal();
    focal_buf_close(&key);
    focal_buf_close(&value);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(what_cannot_be_read_is_not_shown), WITH(damaged_rows_are_not_shown), WITH(refusals_are_read), WITH(one_notice_names_so_many),
        WITH(one_office_asks_twice), WITH(failures_with_what_waits), WITH(a_measure_that_is_damaged), WITH(a_renewal_judges_nothing_again), WITH(logs_that_begin_are_judged_together),
        WITH(failures_while_hiding), WITH(a_neighbour_that_is_gone), WITH(staging_that_cannot_be_read_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
