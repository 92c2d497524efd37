/* What verify says of each thing that may be wrong with a row. The rows are changed past the log's own memory: verify reads the
 * store and nothing else. */
#include "verify.h"
#include "forge.h"

enum {      /* where things stand in rows */
    LOG_EPOCH = 32, LOG_SCOPE = 32 + 16, LOG_HEAD = 32 + 16 + 32 + 1, LOG_HEAD_H = LOG_HEAD + 8, LOG_TRUNK_BYTES = LOG_HEAD_H + 32 + 1 + 8,
    BRANCH_NUMBER = LOG_TRUNK_BYTES, BRANCH_PARENT = BRANCH_NUMBER + 4, BRANCH_BASE = BRANCH_PARENT + 16, BRANCH_BASE_H = BRANCH_BASE + 8,
    SEGMENT_BEFORE = 0, SEGMENT_LAST = 32, SEGMENT_LAST_H = 32 + 8, SEGMENT_SIGNATURE = SEGMENT_LAST_H + 32, SEGMENT_CANONICAL = SEGMENT_SIGNATURE + 64
};

static const uint8_t kind_entity = FOCAL_KIND_ENTITY;
static struct focal_log_name data;

static void offer_list(const struct focal_log_name *name, const struct focal_hash *before, uint64_t first, const struct forged_entry *list, size_t count, bool sign)
{
    struct carried p;
    forge(&p, &ken, name, before, first, list, count, sign);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
}

static void redact_at_hq(const struct focal_ref *record)
{
    struct focal_ref notice;
    const struct focal_redact r = { .scope = scope_network, .records = record, .record_count = 1, .reason = 2 };
    begin(&hq);
    assert_int_equal(focal_oplog_redact(hq.ol, &r, &notice, NULL), FOCAL_OK);
    commit(&hq);
}

static void keep_receipt(void)
{
    struct focal_buf body;
    struct focal_signature signature;
    focal_buf_init(&body, 1 << 16);
    begin(&hq);
    assert_int_equal(focal_oplog_make_receipt(hq.ol, &scope_network, 20100, &body, &signature), FOCAL_OK);
    commit(&hq);
    focal_buf_close(&body);
}

/* hq holds of ken: a log of six entries in two segments, with a branch and a branch of that, and one that nothing signed of is
 * held of; of its own: a record, redacted, and another in two versions, and a receipt. */
static int furnish(void **state)
{
    set_up(state);
    hold(&hq, &ken.statement);
    hold(&hq, &hq.statement);
    const struct focal_log_name control = name_of(&ken, &scope_control, 1);
    struct forged_entry first = begin_entry, one[] = { creating(3), creating(4), creating(5) }, two = creating(5);
    const struct forged_entry trunk[] = { begin_entry, creating(2), creating(3), creating(4), creating(5), creating(6) };
    struct focal_buf payload;
    struct focal_hash second, fourth;
    struct focal_ref record, edit;
    opening(&payload, &control, 1);
    first.payload = focal_buf_view(&payload);
    offer_list(&control, NULL, 1, &first, 1, true);
    focal_buf_close(&payload);
    data = name_of(&ken, &scope_network, 1);
    offer_list(&data, NULL, 1, trunk, 2, true);
    second = forge_head;
    offer_list(&data, &second, 3, trunk + 2, 4, true);
    one[0].payload = two.payload = focal_span_of(&kind_entity, 1);
    offer_list(&data, &second, 3, one, 2, true);
    fourth = forge_head;
    offer_list(&data, &second, 3, one, 3, true);
    offer_list(&data, &fourth, 5, &two, 1, true);
    const struct focal_log_name waits = name_of(&ken, &scope_chad, 1);
    offer_list(&waits, NULL, 1, trunk, 2, false);
    begin(&hq);
    write_value(&hq, &scope_network, NULL, FIELD_A, 1, &record);
    write_value(&hq, &scope_network, &record, FIELD_A, 2, &edit);
    commit(&hq);
    begin(&hq);
    write_value(&hq, &scope_network, NULL, FIELD_A, 3, &record);
    commit(&hq);
    redact_at_hq(&record);
    keep_receipt();
    assert_verifies(&hq, NULL);
    return 0;
}

/* ---- looking ---- */

/* All that verify says, one after the other. */
static size_t findings(struct focal_buf *all)
{
    struct focal_verify *v;
    enum focal_status st;
    assert_int_equal(focal_verify_open(&v, hq.ol), FOCAL_OK);
    while ((st = focal_verify_slice(v, 0)) == FOCAL_MORE)       /* no budget is the least there is */
        ;
    assert_int_equal(st, FOCAL_OK);
    const size_t count = focal_verify_error_count(v);
    focal_buf_clear(all);
    for (size_t i = 0; i < count; i++) {
        focal_buf_bytes(all, focal_verify_error(v, i), strlen(focal_verify_error(v, i)));
        focal_buf_bytes(all, "\n", 1);
    }
    focal_verify_close(v);
    return count;
}

static void assert_says(const char *what, const char *harm)
{
    struct focal_buf all;
    focal_buf_init(&all, 1 << 16);
    if (findings(&all) == 0 || !strstr(focal_buf_cstr(&all), what))
        fail_msg("%s: not \"%s\" but \"%s\"", harm, what, all.len ? focal_buf_cstr(&all) : "nothing");
    focal_buf_close(&all);
}

/* ---- harming ---- */

static struct focal_buf row_key, row_value;
static enum focal_shelf row_shelf;

static void write_row(struct focal_span key, struct focal_span value)
{
    begin(&hq);
    /* Past the door, which keeps rows below a limit. */
    assert_int_equal(hq.store->ops->put(hq.store, row_shelf, key, value), FOCAL_OK);
    assert_int_equal(focal_store_commit(hq.store), FOCAL_OK);
}

static void delete_row(struct focal_span key)
{
    begin(&hq);
    assert_int_equal(focal_store_del(hq.store, row_shelf, key), FOCAL_OK);
    assert_int_equal(focal_store_commit(hq.store), FOCAL_OK);
}

static void take_row(enum focal_shelf shelf, struct focal_span key)
{
    row_shelf = shelf;
    focal_buf_init(&row_key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&row_value, FOCAL_STORE_VALUE_MAX);
    if (key.len == 0) {
        assert_int_equal(focal_store_next(hq.store, shelf, key, &row_key, &row_value), FOCAL_OK);
        return;
    }
    focal_buf_span(&row_key, key);
    assert_int_equal(focal_store_get(hq.store, shelf, key, &row_value), FOCAL_OK);
}

static void put_row_back(void)
{
    struct focal_buf all;
    focal_buf_init(&all, 1 << 16);
    write_row(focal_buf_view(&row_key), focal_buf_view(&row_value));
    if (findings(&all) > 0)
        fail_msg("put back, and still: %s", focal_buf_cstr(&all));
    focal_buf_close(&all);
    focal_buf_close(&row_key);
    focal_buf_close(&row_value);
}

/* One byte of the row taken is another; then it is as before. */
static void changed_byte(enum focal_shelf shelf, struct focal_span key, size_t at, uint8_t mask, const char *says)
{
    struct focal_buf other;
    take_row(shelf, key);
    focal_buf_init(&other, FOCAL_STORE_VALUE_MAX);
    focal_buf_span(&other, focal_buf_view(&row_value));
    assert_true(at < other.len);
    other.data[at] ^= mask;
    write_row(focal_buf_view(&row_key), focal_buf_view(&other));
    assert_says(says, "a changed byte");
    focal_buf_close(&other);
    put_row_back();
}

/* The last byte of a number at `at` is `to` instead of `from`. */
static void other_number(enum focal_shelf shelf, struct focal_span key, size_t at, uint8_t from, uint8_t to, const char *says)
{
    take_row(shelf, key);
    assert_int_equal(row_value.data[at], from);
    focal_buf_close(&row_key);
    focal_buf_close(&row_value);
    changed_byte(shelf, key, at, (uint8_t)(from ^ to), says);
}

static void cut_row(enum focal_shelf shelf, struct focal_span key, size_t len, const char *says)
{
    take_row(shelf, key);
    assert_true(len < row_value.len);
    write_row(focal_buf_view(&row_key), focal_span_of(row_value.data, len));
    assert_says(says, "a row cut short");
    put_row_back();
}

static void missing_row(enum focal_shelf shelf, struct focal_span key, const char *says)
{
    take_row(shelf, key);
    delete_row(focal_buf_view(&row_key));
    assert_says(says, "a missing row");
    put_row_back();
}

static const struct focal_log *ken_log(void)
{
    struct focal_id id;
    focal_log_id(&id, &net.id, &data);
    return focal_oplog_log(hq.ol, &id);
}

static struct focal_span line_key(const struct focal_log *log)
{
    return focal_span_of(log->line.b, sizeof log->line.b);
}

/* ---- of each shelf ---- */

static void of_statements_and_receipts(void **state)
{
    (void)state;
    const struct focal_span any = focal_span_of(NULL, 0);
    cut_row(FOCAL_SHELF_STATEMENT, any, 70, "a statement of the authority is malformed");
    changed_byte(FOCAL_SHELF_STATEMENT, any, 3, 1, "a statement's signature or name does not fit it");
    take_row(FOCAL_SHELF_STATEMENT, any);
    uint8_t other_name[32];
    memcpy(other_name, row_key.data, sizeof other_name);
    other_name[0] ^= 1;
    write_row(focal_span_of(other_name, sizeof other_name), focal_buf_view(&row_value));
    assert_says("a statement's signature or name does not fit it", "another name");
    delete_row(focal_span_of(other_name, sizeof other_name));
    put_row_back();
    cut_row(FOCAL_SHELF_RECEIPT, any, 10, "a receipt is malformed or its signature does not fit it");
    cut_row(FOCAL_SHELF_RECEIPT, any, 80, "a receipt is malformed or its signature does not fit it");
    changed_byte(FOCAL_SHELF_RECEIPT, any, 3, 1, "a receipt is malformed or its signature does not fit it");
}

static void of_logs(void **state)
{
    (void)state;
    const struct focal_log *log = ken_log();
    const char *const misfit = "a log's row does not fit its name";
    cut_row(FOCAL_SHELF_LOG, line_key(log), 60, misfit);
    changed_byte(FOCAL_SHELF_LOG, line_key(log), LOG_SCOPE, 1, misfit);
    changed_byte(FOCAL_SHELF_LOG, line_key(log), LOG_EPOCH, 1, misfit);
    other_number(FOCAL_SHELF_LOG, line_key(log), LOG_HEAD + 7, 6, 7, "its segment is missing or damaged");            /* 6 -> 7 */
    other_number(FOCAL_SHELF_LOG, line_key(log), LOG_HEAD + 7, 6, 5, "its head is not where its segments end");       /* within one */
    other_number(FOCAL_SHELF_LOG, line_key(log), LOG_HEAD + 7, 6, 2, "its head is not where its segments end");       /* at the end of another */
    changed_byte(FOCAL_SHELF_LOG, line_key(log), LOG_HEAD_H, 1, "its head is not where its segments end");
    changed_byte(FOCAL_SHELF_LOG, line_key(log), LOG_TRUNK_BYTES - 1, 1, "its row names an opening, and it has none");
    missing_row(FOCAL_SHELF_LOG, line_key(log), "the line that its branch leaves is missing");
}

/* The row of a branch says that it leaves another line. */
static void parent_instead(const struct focal_log *branch, const struct focal_log *other, const char *says)
{
    struct focal_buf value;
    take_row(FOCAL_SHELF_LOG, line_key(branch));
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    focal_buf_span(&value, focal_buf_view(&row_value));
    memcpy(value.data + BRANCH_PARENT, other->line.b, sizeof other->line.b);
    write_row(focal_buf_view(&row_key), focal_buf_view(&value));
    assert_says(says, "another parent");
    focal_buf_close(&value);
    put_row_back();
}

static void of_branches(void **state)
{
    (void)state;
    const struct focal_log *log = ken_log(), *branch = focal_oplog_next_line(hq.ol, &log->id, log);
    const struct focal_log *leaf = focal_oplog_next_line(hq.ol, &log->id, branch);
    const char *const misplaced = "its branch leaves a place that the line does not have", *const misfit = "its branch does not fit the entry that it leaves";
    assert_int_equal(branch->base.seq, 2);
    assert_int_equal(leaf->base.seq, 4);
    assert_ptr_equal(focal_oplog_parent(hq.ol, leaf), branch);
    other_number(FOCAL_SHELF_LOG, line_key(branch), BRANCH_NUMBER + 3, 1, 9, "a log's row does not fit its name");
    changed_byte(FOCAL_SHELF_LOG, line_key(branch), BRANCH_PARENT, 1, "the line that its branch leaves is missing");
    other_number(FOCAL_SHELF_LOG, line_key(branch), BRANCH_BASE + 7, 2, 1, "its segment is missing or damaged");
    changed_byte(FOCAL_SHELF_LOG, line_key(branch), BRANCH_BASE_H, 1, "its segment does not follow the one before");
    other_number(FOCAL_SHELF_LOG, line_key(log), LOG_HEAD + 7, 6, 1, misplaced);               /* it leaves above the line's head */
    other_number(FOCAL_SHELF_LOG, line_key(branch), BRANCH_BASE + 7, 2, 5, misplaced);         /* and its own branch below its base */
    changed_byte(FOCAL_SHELF_LOG, line_key(branch), LOG_TRUNK_BYTES - 1, 1, "its row names an opening, and it has none");
    parent_instead(branch, focal_oplog_log_at(hq.ol, 0), "the line that its branch leaves is missing");
    parent_instead(leaf, log, misfit);          /* another line of its own log */
    /* The entry that it leaves cannot be read. */
    uint8_t bytes[SEGMENT_KEY_BYTES];
    const struct focal_span key = focal_oplog_segment_key(bytes, &log->line, 1);
    missing_row(FOCAL_SHELF_SEGMENT, key, misfit);
    cut_row(FOCAL_SHELF_SEGMENT, key, SEGMENT_HEAD_BYTES, misfit);
}

static void of_segments(void **state)
{
    (void)state;
    const struct focal_log *log = ken_log();
    uint8_t bytes[SEGMENT_KEY_BYTES];
    const struct focal_span key = focal_oplog_segment_key(bytes, &log->line, 3);
    changed_byte(FOCAL_SHELF_SEGMENT, key, SEGMENT_BEFORE, 1, "its segment does not follow the one before");
    changed_byte(FOCAL_SHELF_SEGMENT, key, SEGMENT_LAST + 7, 1, "its segment is missing or damaged");
    changed_byte(FOCAL_SHELF_SEGMENT, key, SEGMENT_LAST_H, 1, "what its segment holds does not give its hash");
    changed_byte(FOCAL_SHELF_SEGMENT, key, SEGMENT_SIGNATURE, 1, "its author's signature does not fit");
    changed_byte(FOCAL_SHELF_SEGMENT, key, SEGMENT_CANONICAL + 3, 1, "its segment's size is not as written down");
    cut_row(FOCAL_SHELF_SEGMENT, key, SEGMENT_HEAD_BYTES, "its segment is missing or damaged");
    cut_row(FOCAL_SHELF_SEGMENT, key, 20, "its segment is missing or damaged");
    missing_row(FOCAL_SHELF_SEGMENT, key, "its segment is missing or damaged");
    /* It does not unpack; it holds other salts; it stands under another number. */
    take_row(FOCAL_SHELF_SEGMENT, key);
    const size_t len = row_value.len;
    put_row_back();
    cut_row(FOCAL_SHELF_SEGMENT, key, len - 1, "its segment is missing or damaged");
    changed_byte(FOCAL_SHELF_SEGMENT, key, len - 1, 1, "what its segment holds does not give its hash");
    take_row(FOCAL_SHELF_SEGMENT, key);
    uint8_t elsewhere[SEGMENT_KEY_BYTES];
    write_row(focal_oplog_segment_key(elsewhere, &log->line, 7), focal_buf_view(&row_value));
    assert_says("1 segments more than there should be", "a segment twice");
    delete_row(focal_span_of(elsewhere, sizeof elsewhere));
    /* Larger than anything that is ever written. */
    static uint8_t huge[FOCAL_STORE_VALUE_MAX + 1];
    write_row(key, focal_span_of(huge, sizeof huge));
    assert_says("its segment is missing or damaged", "a huge row");
    put_row_back();
}

static void of_what_is_derived(void **state)
{
    (void)state;
    const struct focal_span any = focal_span_of(NULL, 0);
    missing_row(FOCAL_SHELF_POSTING, any, "a record that it speaks of cannot be found by it");
    missing_row(FOCAL_SHELF_REDACTION, any, "what it redacts is not listed so");
    missing_row(FOCAL_SHELF_PART, any, "missing from the derived state");
    missing_row(FOCAL_SHELF_KIND, any, "missing among the records of its kind");
    missing_row(FOCAL_SHELF_CODE, any, "cannot be found by its code");
    missing_row(FOCAL_SHELF_CONFLICT, any, "has two versions and is not listed so");
    changed_byte(FOCAL_SHELF_CODE, any, 3, 1, "found by its code as one of another kind");
    changed_byte(FOCAL_SHELF_PART, any, 0, 0x80, "the derived state is not what the log gives");
    take_row(FOCAL_SHELF_PART, any);
    write_row(focal_span_text("short"), focal_buf_view(&row_value));
    assert_says("a derived row with a malformed name", "a short name");
    delete_row(focal_span_text("short"));
    uint8_t name[PART_KEY_BYTES];
    memset(name, 0xf0, sizeof name);
    write_row(focal_span_of(name, sizeof name), focal_buf_view(&row_value));
    assert_says("a derived row that nothing in the log stands behind", "one more");
    delete_row(focal_span_of(name, sizeof name));
    put_row_back();
}

/* The last of all parts is missing: nothing stands behind which it could be missed. */
static void the_last_part(void **state)
{
    (void)state;
    uint8_t beyond[FOCAL_STORE_KEY_MAX];
    memset(beyond, 0xff, sizeof beyond);
    row_shelf = FOCAL_SHELF_PART;
    focal_buf_init(&row_key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&row_value, FOCAL_STORE_VALUE_MAX);
    assert_int_equal(focal_store_prev(hq.store, FOCAL_SHELF_PART, focal_span_of(beyond, sizeof beyond), &row_key, &row_value), FOCAL_OK);
    delete_row(focal_buf_view(&row_key));
    assert_says("missing from the derived state", "the last part");
    put_row_back();
}

/* ---- rows that a start stumbles over ---- */

/* The row taken, with other bytes: a start names it as damage. It is then put back. */
static void assert_start_refused(struct focal_span other)
{
    struct focal_error err = { .status = FOCAL_OK };
    write_row(focal_buf_view(&row_key), other);
    focal_oplog_close(hq.ol);
    assert_int_equal(focal_oplog_open(&hq.ol, hq.store, &hq.keys, &hq.entropy, NULL, &err), FOCAL_DAMAGED);
    assert_int_equal(err.status, FOCAL_DAMAGED);
    assert_non_null(strstr(err.message, "holds a log whose name or last segment does not fit it"));
    assert_true(strlen(err.hint) > 10);
    write_row(focal_buf_view(&row_key), focal_buf_view(&row_value));
    office_open(&hq);
    put_row_back();
}

static void rows_that_stop_a_start(void **state)
{
    (void)state;
    struct focal_id trunk_id, branch_line;
    struct focal_buf other;
    trunk_id = ken_log()->id;
    branch_line = focal_oplog_next_line(hq.ol, &trunk_id, ken_log())->line;
    focal_buf_init(&other, FOCAL_STORE_VALUE_MAX);
    /* A head at the last number of all. */
    take_row(FOCAL_SHELF_LOG, focal_span_of(trunk_id.b, sizeof trunk_id.b));
    focal_buf_span(&other, focal_buf_view(&row_value));
    focal_put_be64(other.data + LOG_HEAD, UINT64_MAX);
    assert_start_refused(focal_buf_view(&other));
    /* The branch of number nought. */
    take_row(FOCAL_SHELF_LOG, focal_span_of(branch_line.b, sizeof branch_line.b));
    focal_buf_clear(&other);
    focal_buf_span(&other, focal_buf_view(&row_value));
    memset(other.data + BRANCH_NUMBER, 0, 4);
    assert_start_refused(focal_buf_view(&other));
    focal_buf_close(&other);
}

/* No segment holds what has no number, or the one before which nothing can be looked for; nor does a row with a short name. */
static void segments_of_no_number(void **state)
{
    (void)state;
    struct segment s;
    const struct focal_id first_of_all = { { 0 } };
    const struct focal_id line = ken_log()->line;
    assert_int_equal(focal_oplog_segment_of(hq.ol, hq.store, &line, 1, false, &s), FOCAL_OK);
    assert_int_equal(focal_oplog_segment_of(hq.ol, hq.store, &line, 0, false, &s), FOCAL_NOT_FOUND);
    assert_int_equal(focal_oplog_segment_of(hq.ol, hq.store, &line, UINT64_MAX, false, &s), FOCAL_NOT_FOUND);
    row_shelf = FOCAL_SHELF_SEGMENT;
    write_row(focal_span_of(first_of_all.b, 3), focal_span_text("x"));
    assert_int_equal(focal_oplog_segment_of(hq.ol, hq.store, &first_of_all, 9, false, &s), FOCAL_NOT_FOUND);
    assert_says("1 segments more than there should be", "a short name");
    delete_row(focal_span_of(first_of_all.b, 3));
    assert_verifies(&hq, NULL);
}

/* ---- what is no damage ---- */

static void nothing_is_wrong_with(void **state)
{
    (void)state;
    /* A notice whose target has a form that comes later; notices in the control scope, where nothing is redacted. */
    struct focal_log_name notices = data;
    struct forged_entry list[] = { begin_entry, creating(2) };
    struct focal_buf payload;
    const struct focal_item items[] = { { .field = FOCAL_REDACTION_ENTRY, .value = focal_span_text("a target as none is today") } };
    notices.lane = FOCAL_LANE_NOTICES;
    focal_buf_init(&payload, 1024);
    focal_payload_encode(&payload, FOCAL_KIND_REDACTION, NULL, NULL, items, 1);
    list[1].payload = focal_buf_view(&payload);
    offer_list(&notices, NULL, 1, list, 2, true);
    focal_scope_id(&notices.scope, &net.id, &scope_control);
    offer_list(&notices, NULL, 1, list, 2, true);
    focal_buf_close(&payload);
    assert_verifies(&hq, NULL);

    /* An author of whom nothing signed is held may have no certificate; one of whom there is must. */
    struct focal_hash hash;
    struct focal_statement s;
    assert_int_equal(focal_statement_decode(&s, focal_buf_view(&ken.statement)), FOCAL_OK);
    focal_statement_hash(&hash, &net.id, s.body);
    row_shelf = FOCAL_SHELF_STATEMENT;
    delete_row(focal_span_of(hash.b, sizeof hash.b));
    focal_oplog_close(hq.ol);
    office_open(&hq);
    struct focal_verify *v;
    enum focal_status st;
    size_t without = 0, signed_lines = 0;
    assert_int_equal(focal_verify_open(&v, hq.ol), FOCAL_OK);
    while ((st = focal_verify_slice(v, 10)) == FOCAL_MORE)
        ;
    assert_int_equal(st, FOCAL_OK);
    for (size_t i = 0; i < focal_verify_error_count(v); i++)
        without += strstr(focal_verify_error(v, i), "no certificate lets its author write there") != NULL;
    for (size_t i = 0; i < focal_oplog_log_count(hq.ol); i++)
        signed_lines += !focal_oplog_log_at(hq.ol, i)->mine && focal_oplog_log_at(hq.ol, i)->head.seq > 0;
    assert_true(signed_lines >= 6);
    assert_int_equal(without, signed_lines);
    focal_verify_close(v);
    focal_verify_close(NULL);
}

/* The digests are of the scopes that this office reads, and of no other. */
static void digests_of_what_is_read(void **state)
{
    (void)state;
    struct focal_certificate c;
    struct focal_buf statement;
    struct focal_verify *v;
    struct focal_scope scope;
    struct focal_hash digest;
    enum focal_status st;
    size_t count = 0;
    certificate_for(&c, &hq, 2);
    c.read_count = 2;                   /* control and network; what others may write elsewhere is known all the same */
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    certificate_sign(&statement, &net, &c);
    hold(&hq, &statement);
    assert_int_equal(focal_oplog_scope_count(hq.ol), 4);
    assert_int_equal(focal_verify_open(&v, hq.ol), FOCAL_OK);
    while ((st = focal_verify_slice(v, 10)) == FOCAL_MORE)
        ;
    assert_int_equal(st, FOCAL_OK);
    assert_int_equal(focal_verify_error_count(v), 0);
    for (; focal_verify_digest(v, count, &scope, &digest); count++)
        assert_true(scope.cls == FOCAL_SCOPE_CONTROL || scope.cls == FOCAL_SCOPE_NETWORK);
    assert_int_equal(count, 2);
    focal_verify_close(v);
    focal_buf_close(&statement);
}

/* ---- too much ---- */

/* More is counted than is spelled out. */
static void more_than_is_kept(void **state)
{
    (void)state;
    struct focal_verify *v;
    struct focal_ref ref;
    enum focal_status st;
    size_t gone = 0;
    begin(&hq);
    for (int i = 0; i < VERIFY_ERRORS_KEPT + 30; i++)
        write_value(&hq, &scope_network, NULL, FIELD_A, (uint8_t)i, &ref);
    commit(&hq);
    row_shelf = FOCAL_SHELF_KIND;
    focal_buf_init(&row_key, FOCAL_STORE_KEY_MAX);
    for (; focal_store_next(hq.store, FOCAL_SHELF_KIND, focal_span_of(NULL, 0), &row_key, NULL) == FOCAL_OK; gone++)
        delete_row(focal_buf_view(&row_key));
    focal_buf_close(&row_key);
    assert_true(gone > VERIFY_ERRORS_KEPT);
    assert_int_equal(focal_verify_open(&v, hq.ol), FOCAL_OK);
    while ((st = focal_verify_slice(v, 10)) == FOCAL_MORE)
        ;
    assert_int_equal(st, FOCAL_OK);
    assert_int_equal(focal_verify_error_count(v), gone);
    for (size_t i = 0; i < gone; i++) {
        const bool spelled = strstr(focal_verify_error(v, i), "missing among the records of its kind") != NULL;
        assert_int_equal(spelled, i < VERIFY_ERRORS_KEPT);
        if (!spelled)
            assert_string_equal(focal_verify_error(v, i), "one more that is not spelled out");
    }
    assert_null(focal_verify_error(v, gone));
    focal_verify_close(v);
}

/* ---- trouble ---- */

static uint64_t left;

static bool allow(void *data_of, size_t bytes)
{
    (void)data_of;
    (void)bytes;
    return left == 0 || --left > 0;
}

/* Verify on a store where much is wrong. A sentence without memory is counted all the same; anything else without memory, or
 * without an answer, ends it with that status and never with a finding that is not one. */
static void trouble_among_findings(void **state)
{
    (void)state;
    const struct focal_span any = focal_span_of(NULL, 0);
    static const enum focal_shelf shelves[] = { FOCAL_SHELF_PART, FOCAL_SHELF_KIND, FOCAL_SHELF_CONFLICT, FOCAL_SHELF_REDACTION, FOCAL_SHELF_RECEIPT };
    struct focal_buf all;
    focal_buf_init(&all, 1 << 16);
    for (size_t i = 0; i < sizeof shelves / sizeof *shelves; i++) {
        take_row(shelves[i], any);
        delete_row(focal_buf_view(&row_key));
        focal_buf_close(&row_key);
        focal_buf_close(&row_value);
    }
    const size_t wanted = findings(&all);
    assert_in_range(wanted, 4, 20);
    size_t unspelled = 0, memory = 0, reading = 0;
    for (int reads = 0; reads < 2; reads++) {
        enum focal_status st = FOCAL_IO;
        for (uint64_t nth = 1;; nth++) {
            struct focal_verify *v = NULL;
            if (!reads) {
                focal_alloc_hook(allow, NULL);
                left = nth;
            }
            st = focal_verify_open(&v, hq.ol);
            if (st == FOCAL_OK && reads)
                focal_fake_store_plan(v->store, (struct focal_fake_failure){ .nth = nth, .status = FOCAL_IO, .kinds = FOCAL_FAKE_GET | FOCAL_FAKE_NEXT | FOCAL_FAKE_PREV });
            if (st == FOCAL_OK)
                while ((st = focal_verify_slice(v, 3)) == FOCAL_MORE)
                    ;
            const bool met = reads ? st == FOCAL_IO : left == 0;
            left = 0;
            focal_alloc_hook(NULL, NULL);
            assert_true(st == FOCAL_OK || st == (reads ? FOCAL_IO : FOCAL_NO_MEMORY));
            memory += st == FOCAL_NO_MEMORY;
            reading += st == FOCAL_IO;
            assert_true(!v || focal_verify_error_count(v) <= wanted);
            if (st == FOCAL_OK) {
                assert_int_equal(focal_verify_error_count(v), wanted);
                for (size_t i = 0; i < wanted; i++)
                    unspelled += strcmp(focal_verify_error(v, i), "one more that is not spelled out") == 0;
            }
            focal_verify_close(v);
            if (st == FOCAL_OK && !met)
                break;
        }
    }
    assert_int_equal(unspelled, wanted);        /* each of them once */
    assert_true(memory > 10 && reading > 30);
    focal_buf_close(&all);
}

/* The arenas of verify and of the log may hold more and more. */
static void arenas_that_are_too_small(void **state)
{
    (void)state;
    size_t failures = 0;
    for (int of_log = 0; of_log < 2; of_log++) {
        enum focal_status st = FOCAL_NO_MEMORY;
        for (size_t limit = 16; st == FOCAL_NO_MEMORY; limit += 16) {
            struct focal_verify *v;
            assert_int_equal(focal_verify_open(&v, hq.ol), FOCAL_OK);
            if (of_log)
                hq.ol->arena.limit = limit;
            else
                v->arena.limit = limit;
            while ((st = focal_verify_slice(v, 100)) == FOCAL_MORE)
                ;
            hq.ol->arena.limit = ARENA_BYTES_MAX;
            assert_true(st == FOCAL_OK || st == FOCAL_NO_MEMORY);
            assert_int_equal(focal_verify_error_count(v), 0);
            failures += st == FOCAL_NO_MEMORY;
            focal_verify_close(v);
        }
    }
    assert_true(failures > 20);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, furnish, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(of_statements_and_receipts), WITH(of_logs), WITH(of_branches), WITH(of_segments), WITH(of_what_is_derived), WITH(the_last_part),
        WITH(rows_that_stop_a_start), WITH(segments_of_no_number),
        WITH(nothing_is_wrong_with), WITH(digests_of_what_is_read), WITH(more_than_is_kept),
        WITH(trouble_among_findings), WITH(arenas_that_are_too_small),
    };
    return cmocka_run_group_tests_name("oplog_findings", tests, NULL, NULL);
}
