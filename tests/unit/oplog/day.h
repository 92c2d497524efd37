/* A day of an office, in steps: what others send it in pieces, what it writes itself, branches of another's log and of its
 * own, redactions, receipts, a lost fence, an old copy. Everything an oplog has a row for is there at the end. */
#ifndef FOCAL_TESTS_DAY_H
#define FOCAL_TESTS_DAY_H

#include "offices.h"

enum { KEN, TCD, HQ, OFFICES, PIECES_MAX = 64 };
enum { FIELD_TEXT = FOCAL_FIELD(510, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_SET) };

static struct network net;
static struct office offices[OFFICES], twin_of_ken, twin_of_hq;
static struct focal_fake_image *beginning;      /* the disk of HQ when the day starts */

/* What comes from outside, in the order of the day. */
struct parcel { struct carried pieces[PIECES_MAX]; size_t count; };
static struct parcel control, written, staged, branch, own_branch, notices, late;
static struct focal_buf new_rights, receipt_body;
static struct focal_signature receipt_signature;
static struct focal_ref first_record, second_record, large_entry;

static struct office o;                          /* who lives the day */
static struct focal_hash digest;

/* ---- what is brought ---- */

static struct focal_ref write_bytes(struct office *by, const struct focal_scope *scope, const struct focal_ref *record, size_t len)
{
    struct focal_ref ref;
    uint8_t bytes[1024];
    chance_fill(&by->chance, bytes, len);
    assert_int_equal(try_write(by, scope, record, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, focal_span_of(bytes, len), &ref), FOCAL_OK);
    return ref;
}

static struct focal_ref write_alone(struct office *by, const struct focal_ref *record)
{
    begin(by);
    struct focal_ref ref = write_bytes(by, &scope_network, record, 30);
    commit(by);
    return ref;
}

static void collect(struct parcel *p, struct office *from, const struct focal_log *log, uint64_t first, size_t packed_max)
{
    assert_non_null(log);
    for (uint64_t next = first; next <= log->head.seq; p->count++) {
        assert_true(p->count < PIECES_MAX);
        assert_int_equal(take_up(from, log, next, packed_max, &p->pieces[p->count]), FOCAL_OK);
        next = p->pieces[p->count].piece.last + 1;
    }
}

static const struct focal_log *notices_of(struct office *by)
{
    for (size_t i = 0; i < focal_oplog_log_count(by->ol); i++) {
        const struct focal_log *log = focal_oplog_log_at(by->ol, i);
        if (log->mine && log->name.lane == FOCAL_LANE_NOTICES)
            return log;
    }
    return NULL;
}

static void redact(struct office *by, const struct focal_ref *record, const struct focal_ref *entry)
{
    struct focal_ref notice;
    const struct focal_redact r = { .scope = scope_network, .entries = entry, .entry_count = entry ? 1 : 0, .records = record,
        .record_count = record ? 1 : 0, .reason = 2 };
    begin(by);
    assert_int_equal(focal_oplog_redact(by->ol, &r, &notice, NULL), FOCAL_OK);
    commit(by);
}

static void copy_office(struct office *copy, const struct office *of)
{
    struct focal_fake_image *image = focal_fake_store_backup(of->store, true);
    assert_non_null(image);
    *copy = *of;
    copy->store = focal_fake_store_clone(image);
    assert_non_null(copy->store);
    focal_buf_init(&copy->statement, FOCAL_STATEMENT_MAX);
    copy->chance.state += 99;
    focal_fake_image_free(image);
    office_open(copy);
}

static void with_fence(struct office *of)
{
    focal_fake_store_fence(of->store, (struct focal_entropy){ .fill = chance_fill, .data = &of->chance }, "machine");
    focal_oplog_close(of->ol);
    office_open(of);
}

static void ken_writes(void)
{
    struct office *ken = &offices[KEN];
    first_record = write_alone(ken, NULL);
    second_record = write_alone(ken, NULL);
    (void)write_alone(ken, &first_record);
    begin(ken);
    for (int i = 0; i < 40; i++)
        large_entry = write_bytes(ken, &scope_kenya, i % 2 ? &first_record : NULL, 250);
    commit(ken);
    copy_office(&twin_of_ken, ken);
    const uint64_t shared = log_of(ken, &net, ken, &scope_network)->head.seq;
    for (int i = 0; i < 3; i++) {
        (void)write_alone(ken, &second_record);
        (void)write_alone(&twin_of_ken, i ? &second_record : &first_record);
    }
    collect(&control, ken, log_of(ken, &net, ken, &scope_control), 1, 16000);
    collect(&written, ken, log_of(ken, &net, ken, &scope_network), 1, 500);
    collect(&branch, &twin_of_ken, log_of(&twin_of_ken, &net, ken, &scope_network), shared + 1, 500);
    collect(&staged, ken, log_of(ken, &net, ken, &scope_kenya), 1, 4000);
    focal_buf_init(&receipt_body, 64 * 1024);
    begin(ken);
    assert_int_equal(focal_oplog_make_receipt(ken->ol, &scope_network, 20100, &receipt_body, &receipt_signature), FOCAL_OK);
    commit(ken);
}

static void others_redact(void)
{
    struct office *ken = &offices[KEN], *tcd = &offices[TCD];
    struct focal_certificate c;
    carry_all(ken, tcd);
    const uint64_t before = log_of(ken, &net, ken, &scope_network)->head.seq;
    (void)write_alone(ken, &first_record);
    (void)write_alone(ken, &second_record);
    collect(&late, ken, log_of(ken, &net, ken, &scope_network), before + 1, 16000);
    redact(ken, &first_record, NULL);
    redact(tcd, &second_record, NULL);
    collect(&notices, ken, notices_of(ken), 1, 16000);
    collect(&control, tcd, log_of(tcd, &net, tcd, &scope_control), 1, 16000);
    collect(&notices, tcd, notices_of(tcd), 1, 16000);
    certificate_for(&c, tcd, 2);
    c.rights = FOCAL_RIGHT_REDACT;
    focal_buf_init(&new_rights, FOCAL_STATEMENT_MAX);
    certificate_sign(&new_rights, &net, &c);
}

static int set_up_all(void **state)
{
    (void)state;
    static const char *const codes[OFFICES] = { "KEN", "TCD", "HQ" };
    network_make(&net);
    for (size_t i = 0; i < OFFICES; i++)
        office_make(&offices[i], &net, codes[i], 50 + i);
    with_fence(&offices[KEN]);
    with_fence(&offices[HQ]);
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < 2; k++)
            hold(&offices[i], &offices[k].statement);
    hold(&offices[HQ], &offices[HQ].statement);
    (void)write_alone(&offices[HQ], NULL);
    beginning = focal_fake_store_backup(offices[HQ].store, true);
    copy_office(&twin_of_hq, &offices[HQ]);
    (void)write_alone(&twin_of_hq, NULL);
    (void)write_alone(&twin_of_hq, NULL);
    collect(&own_branch, &twin_of_hq, log_of(&twin_of_hq, &net, &twin_of_hq, &scope_network), 3, 500);
    ken_writes();
    others_redact();
    return 0;
}

static int tear_down_all(void **state)
{
    (void)state;
    struct parcel *const all[] = { &control, &written, &staged, &branch, &own_branch, &notices, &late };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (size_t k = 0; k < all[i]->count; k++)
            carried_close(&all[i]->pieces[k]);
    focal_buf_close(&new_rights);
    focal_buf_close(&receipt_body);
    focal_fake_image_free(beginning);
    for (size_t i = 0; i < OFFICES; i++)
        office_close(&offices[i]);
    office_close(&twin_of_ken);
    office_close(&twin_of_hq);
    network_close(&net);
    return 0;
}

/* ---- the steps of the day ---- */

static enum focal_status bring(const struct parcel *p)
{
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < p->count && st == FOCAL_OK; i++)
        st = hand_over(&o, &p->pieces[i]);
    return st;
}

static enum focal_status statement(const struct focal_buf *bytes)
{
    enum focal_status st = focal_oplog_add_statement(o.ol, focal_buf_view(bytes));
    return st == FOCAL_EXISTS ? FOCAL_OK : st;
}

static enum focal_status meet(void)
{
    enum focal_status st = statement(&offices[KEN].statement);
    if (st == FOCAL_OK)
        st = statement(&offices[TCD].statement);
    return st;
}

static enum focal_status take_control(void) { return bring(&control); }
static enum focal_status take_data(void) { return bring(&written); }
static enum focal_status take_branch(void) { return bring(&branch); }
static enum focal_status take_notices(void) { return bring(&notices); }
static enum focal_status take_late(void) { return bring(&late); }
static enum focal_status take_own_branch(void) { return bring(&own_branch); }
static enum focal_status take_rights(void) { return statement(&new_rights); }

static enum focal_status take_half(void)
{
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i + 1 < staged.count && st == FOCAL_OK; i++)
        st = hand_over(&o, &staged.pieces[i]);
    return st;
}

static enum focal_status take_rest(void)
{
    return hand_over(&o, &staged.pieces[staged.count - 1]);
}

/* As try_write, but the payload's own memory may be missing as well. */
static enum focal_status write_one(const struct focal_scope *scope, const struct focal_ref *record, const struct focal_replaced *replaced,
                                   struct focal_span value, struct focal_ref *out)
{
    struct focal_buf payload;
    const struct focal_item item = { .field = FIELD_TEXT, .value = value };
    focal_buf_init(&payload, 64 * 1024);
    focal_payload_encode(&payload, FOCAL_KIND_CASE, NULL, NULL, &item, 1);
    struct focal_write w = { .scope = *scope, .creates = record == NULL, .replaced = replaced, .replaced_count = replaced ? 1 : 0,
        .payload = focal_buf_view(&payload) };
    if (record)
        w.record = *record;
    enum focal_status st = payload.failed ? FOCAL_NO_MEMORY : focal_oplog_write(o.ol, &w, out, NULL);
    focal_buf_close(&payload);
    return st;
}

static enum focal_status write_some(void)
{
    static const uint8_t bytes[400] = { 7 };
    enum focal_status st = FOCAL_OK;
    struct focal_ref record, edit;
    for (int i = 0; i < 12 && st == FOCAL_OK; i++) {
        const struct focal_scope *scope = i % 3 ? &scope_network : &scope_kenya;
        st = write_one(scope, NULL, NULL, focal_span_of(bytes, sizeof bytes), &record);
        const struct focal_replaced replaced = { .entry = record };
        if (st == FOCAL_OK)
            st = write_one(scope, &record, &replaced, focal_span_of(bytes, 3), &edit);
    }
    return st;
}

static enum focal_status make_receipt(void)
{
    struct focal_buf body;
    struct focal_signature signature;
    focal_buf_init(&body, 64 * 1024);
    enum focal_status st = focal_oplog_make_receipt(o.ol, &scope_network, 20101, &body, &signature);
    focal_buf_close(&body);
    return st;
}

static enum focal_status take_receipt(void)
{
    enum focal_status st = focal_oplog_take_receipt(o.ol, focal_buf_view(&receipt_body), &receipt_signature);
    return st == FOCAL_EXISTS ? FOCAL_OK : st;
}

static enum focal_status redact_own(void)
{
    struct focal_ref notice, ref;
    const struct focal_redact r = { .scope = scope_network, .records = &ref, .record_count = 1, .reason = 2 };
    enum focal_status st = focal_oplog_next_of_kind(o.ol, NULL, FOCAL_KIND_CASE, NULL, &ref);
    return st == FOCAL_OK ? focal_oplog_redact(o.ol, &r, &notice, NULL) : st;
}

static enum focal_status two_live(void)
{
    const uint8_t one[8] = { 1 }, other[8] = { 2 };
    enum focal_status st = focal_oplog_incident_two_live(o.ol, &offices[KEN].keys.sign_public, one, other);
    return st == FOCAL_EXISTS ? FOCAL_OK : st;
}

static enum focal_status rebuild(void) { return focal_oplog_rebuild(o.ol); }
static enum focal_status lift_veil(void) { return focal_oplog_lift_veil(o.ol); }

/* A transaction with something of everything that is not wanted after all. */
static enum focal_status change_of_mind(void)
{
    enum focal_status st = focal_store_begin(o.store);
    if (st == FOCAL_OK)
        st = write_some();
    if (st == FOCAL_OK)
        st = take_branch();
    if (st == FOCAL_OK)
        st = take_notices();
    if (st == FOCAL_OK)
        st = take_rights();
    focal_store_rollback(o.store);
    enum focal_status after = focal_oplog_rolled_back(o.ol);
    return st == FOCAL_OK ? after : st;
}

static enum focal_status open_again(void)
{
    struct focal_error err = { .status = FOCAL_OK };
    focal_oplog_close(o.ol);
    o.ol = NULL;
    enum focal_status st = focal_oplog_open(&o.ol, o.store, &o.keys, &o.entropy, NULL, &err);
    assert_int_equal(st, err.status);
    return st;
}

static enum focal_status verify(void)
{
    struct focal_verify *v;
    struct focal_scope scope;
    enum focal_status st = focal_verify_open(&v, o.ol);
    if (st != FOCAL_OK)
        return st;
    while ((st = focal_verify_slice(v, 37)) == FOCAL_MORE)
        ;
    if (st == FOCAL_OK) {
        if (focal_verify_error_count(v) > 0)
            fail_msg("verify: %s", focal_verify_error(v, 0));
        for (size_t i = 0; focal_verify_digest(v, i, &scope, &digest); i++)
            if (scope.cls == FOCAL_SCOPE_NETWORK)
                break;
    }
    focal_verify_close(v);
    return st;
}

static enum focal_status at_end(enum focal_status st)
{
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

static enum focal_status look_at_lists(void)
{
    struct focal_buf key, body;
    struct focal_redaction redaction;
    struct focal_refused refused;
    struct focal_incident incident = { .number = 0 };
    struct focal_signature signature;
    struct focal_scope scope;
    uint64_t hidden;
    enum focal_status st;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&body, 64 * 1024);
    while ((st = focal_oplog_next_redaction(o.ol, &key, &redaction)) == FOCAL_OK)
        ;
    focal_buf_clear(&key);
    while (st == FOCAL_NOT_FOUND && focal_oplog_next_refused(o.ol, &key, &refused) == FOCAL_OK)
        ;
    focal_buf_clear(&key);
    st = at_end(st);
    while (st == FOCAL_OK)
        st = focal_oplog_next_receipt(o.ol, &key, &body, &signature, &scope);
    st = at_end(st);
    while (st == FOCAL_OK)
        st = focal_oplog_next_incident(o.ol, incident.number, &incident);
    st = at_end(st);
    if (st == FOCAL_OK)
        st = focal_oplog_hidden_count(o.ol, &hidden);
    focal_buf_close(&key);
    focal_buf_close(&body);
    return st;
}

static enum focal_status look_at_records(void)
{
    struct focal_ref ref, out;
    struct focal_record_view view;
    struct focal_record_entry entries[4];
    struct focal_hash scope;
    size_t count, seen = 0;
    enum focal_status st = focal_oplog_next_of_kind(o.ol, NULL, FOCAL_KIND_CASE, NULL, &ref);
    focal_scope_id(&scope, &net.id, &scope_network);
    while (st == FOCAL_OK && seen++ < 4) {
        st = focal_oplog_record(o.ol, NULL, &ref, &view);
        if (st == FOCAL_OK)
            focal_record_view_close(&view);
        if (st == FOCAL_OK || st == FOCAL_NOT_FOUND)
            st = focal_oplog_record_entries(o.ol, &ref, &scope, FIELD_TEXT, entries, 4, &count);
        if (st == FOCAL_OK)
            st = at_end(focal_oplog_by_code(o.ol, &o.code, focal_short_code(&ref), &out));
        if (st == FOCAL_OK)
            st = focal_oplog_next_of_kind(o.ol, NULL, FOCAL_KIND_CASE, &ref, &ref);
    }
    assert_true(st != FOCAL_OK || seen > 1);
    if (st == FOCAL_OK || st == FOCAL_NOT_FOUND)
        st = at_end(focal_oplog_next_conflict(o.ol, NULL, NULL, &ref));
    return st;
}

/* Every line as pieces of two sizes, and every hash on the way. */
static enum focal_status look_at_lines(void)
{
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < focal_oplog_log_count(o.ol); i++) {
        const struct focal_log *log = focal_oplog_log_at(o.ol, i);
        struct focal_hash h;
        for (uint64_t next = log->base.seq + 1; next <= log->head.seq && st == FOCAL_OK;) {
            struct carried c;
            st = take_up(&o, log, next, i % 2 ? 700 : 15872, &c);
            next = c.piece.last + 1;
            carried_close(&c);
        }
        for (uint64_t seq = 0; seq <= log->head.seq && st == FOCAL_OK; seq += 3)
            st = focal_oplog_hash_on(o.ol, log, seq, &h);
    }
    return st;
}

static void close_and_lose_fence(void)
{
    focal_oplog_close(o.ol);
    o.ol = NULL;
    focal_fake_store_lose_fence(o.store);
}

static void close_and_restore(void)
{
    focal_oplog_close(o.ol);
    o.ol = NULL;
    assert_int_equal(focal_fake_store_restore(o.store, beginning), FOCAL_OK);
}

enum way { LOOK, WRITE, OPEN };
static const struct step { const char *name; enum way way; enum focal_status (*run)(void); void (*before)(void); } steps[] = {
    { "meet", WRITE, meet, NULL }, { "control", WRITE, take_control, NULL }, { "data", WRITE, take_data, NULL },
    { "half a segment", WRITE, take_half, NULL }, { "open with staging", OPEN, open_again, NULL }, { "its rest", WRITE, take_rest, NULL },
    { "write", WRITE, write_some, NULL }, { "receipt", WRITE, take_receipt, NULL }, { "own receipt", WRITE, make_receipt, NULL },
    { "change of mind", LOOK, change_of_mind, NULL },
    { "branch", WRITE, take_branch, NULL }, { "two live", WRITE, two_live, NULL }, { "own branch", WRITE, take_own_branch, NULL },
    { "write again", WRITE, write_some, NULL }, { "notices", WRITE, take_notices, NULL }, { "late", WRITE, take_late, NULL },
    { "rights", WRITE, take_rights, NULL }, { "redact", WRITE, redact_own, NULL },
    { "change of mind again", LOOK, change_of_mind, NULL }, { "rebuild", WRITE, rebuild, NULL }, { "open", OPEN, open_again, NULL },
    { "lists", LOOK, look_at_lists, NULL }, { "records", LOOK, look_at_records, NULL }, { "lines", LOOK, look_at_lines, NULL },
    { "verify", LOOK, verify, NULL }, { "fence lost", OPEN, open_again, close_and_lose_fence },
    { "write anew", WRITE, write_some, NULL }, { "verify again", LOOK, verify, NULL },
    { "restored", OPEN, open_again, close_and_restore }, { "veil", WRITE, lift_veil, NULL },
};

/* The office as it is in the morning, on a disk of its own. */
static void wake_up(void)
{
    o = offices[HQ];
    o.store = focal_fake_store_clone(beginning);
    assert_non_null(o.store);
    office_open(&o);
}

/* back: what rolled_back says, when it was called. */
static enum focal_status attempt(const struct step *s, enum focal_status *back)
{
    *back = FOCAL_OK;
    if (s->way != WRITE)
        return s->run();
    enum focal_status st = focal_store_begin(o.store);
    if (st != FOCAL_OK)
        return st;
    st = s->run();
    if (st == FOCAL_OK)
        st = focal_oplog_seal(o.ol);
    if (st == FOCAL_OK)
        st = focal_store_commit(o.store);
    if (st == FOCAL_OK) {
        focal_oplog_committed(o.ol);
        return st;
    }
    focal_store_rollback(o.store);
    *back = focal_oplog_rolled_back(o.ol);
    return st;
}

#endif
