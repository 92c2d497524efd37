/* Whatever fails in a talk, and wherever: in each part of a talk of two offices the first, the second, ... allocation or store
 * operation fails. It comes out as its status at the end where it happened and costs the link, never the entries: the
 * transaction is rolled back, and the next link brings both to the same. */
#include "ends.h"

enum { PATIENCE = 100000, ATTEMPTS_MAX = 20000 };

static struct network net;
static struct office ken, twin, hq, tcd;            /* twin: ken's disk, copied and written on */
static struct focal_fake_image *images[2];          /* of HQ and TCD before they talk */
static struct office offices[2];
static struct end ends[2];
static int at_fault;                                 /* which end the last status comes from */

/* ---- two disks that differ ---- */

static void write_to(struct office *o, const struct focal_scope *scope, int count, size_t len)
{
    uint8_t bytes[600];
    struct focal_ref ref;
    begin(o);
    for (int i = 0; i < count; i++) {
        chance_fill(&o->chance, bytes, len);
        assert_int_equal(try_write(o, scope, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_A, focal_span_of(bytes, len), &ref), FOCAL_OK);
    }
    commit(o);
}

static int set_up_all(void **state)
{
    (void)state;
    struct office *const all[] = { &ken, &hq, &tcd };
    struct focal_certificate c;
    struct focal_buf newer;
    network_make(&net);
    office_make(&ken, &net, "KEN", 7);
    office_make(&hq, &net, "HQ", 8);
    office_make(&tcd, &net, "TCD", 9);
    for (size_t i = 0; i < 9; i++)
        hold(all[i / 3], &all[i % 3]->statement);
    for (size_t i = 0; i < 3; i++)
        office_fence(all[i]);
    write_to(&ken, &scope_network, 3, 20);
    carry_all(&ken, &hq);
    carry_all(&ken, &tcd);
    office_copy(&twin, &ken);
    for (int i = 0; i < 3; i++) {
        write_to(&ken, &scope_network, 1, 20);
        write_to(&twin, &scope_network, 1, 20);
    }
    write_to(&ken, &scope_kenya, 60, 600);
    carry_all(&ken, &hq);
    carry_all(&twin, &tcd);
    write_to(&hq, &scope_chad, 5, 30);
    write_to(&tcd, &scope_chad, 5, 30);
    certificate_for(&c, &ken, 2);
    focal_buf_init(&newer, FOCAL_STATEMENT_MAX);
    certificate_sign(&newer, &net, &c);
    hold(&hq, &newer);
    focal_buf_close(&newer);
    images[0] = focal_fake_store_backup(hq.store, true);
    images[1] = focal_fake_store_backup(tcd.store, true);
    return 0;
}

static int tear_down_all(void **state)
{
    (void)state;
    focal_fake_image_free(images[0]);
    focal_fake_image_free(images[1]);
    office_close(&ken);
    office_close(&twin);
    office_close(&hq);
    office_close(&tcd);
    network_close(&net);
    return 0;
}

static void talk_open(void)
{
    for (size_t i = 0; i < 2; i++) {
        offices[i] = i ? tcd : hq;
        offices[i].store = focal_fake_store_clone(images[i]);
        assert_non_null(offices[i].store);
        office_open(&offices[i]);
        end_make(&ends[i], &offices[i], 1000);
    }
}

static void talk_close(void)
{
    for (size_t i = 0; i < 2; i++) {
        end_close(&ends[i]);
        focal_oplog_close(offices[i].ol);
        focal_store_close(offices[i].store);
    }
}

/* ---- a talk, step by step ---- */

static enum focal_status writing(void *data)
{
    struct end *e = data;
    enum focal_status st = e->tx ? FOCAL_OK : focal_store_begin(e->office->store);
    e->tx = e->tx || st == FOCAL_OK;
    return st;
}

static enum focal_status changed(struct end *from)
{
    for (int i = 0; i < 2; i++)
        if (&ends[i] == from)
            at_fault = i;
    return from->s ? focal_session_rights_changed(from->s) : FOCAL_OK;
}

static enum focal_status changed_status;

static void statements_changed(void *data, struct focal_session *from)
{
    (void)from;
    changed_status = changed(data);
}

/* What a node does at the end of a step. */
static enum focal_status finish(struct end *e)
{
    enum focal_status st = changed_status;
    changed_status = FOCAL_OK;
    if (st == FOCAL_OK && e->tx)
        st = focal_oplog_seal(e->office->ol);
    for (size_t i = 0; i < focal_oplog_log_count(e->office->ol) && st == FOCAL_OK; i++) {
        const struct focal_log *log = focal_oplog_log_at(e->office->ol, i);
        if (log->head.seq == e->told[i])
            continue;
        e->told[i] = log->head.seq;
        st = focal_session_log_changed(e->s, log);
    }
    if (st == FOCAL_OK && e->tx)
        st = focal_store_commit(e->office->store);
    if (st == FOCAL_OK && e->tx) {
        focal_oplog_committed(e->office->ol);
        e->tx = false;
    }
    return st;
}

static enum focal_status pump_until(void)
{
    struct focal_buf frame;
    enum focal_status st = FOCAL_OK;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    size_t moved = 0;
    for (bool any = true; any && st == FOCAL_OK;) {
        any = false;
        for (int i = 0; i < 2 && st == FOCAL_OK; i++) {
            bool taken = false;
            focal_buf_clear(&frame);
            at_fault = i;
            st = focal_session_take(ends[i].s, &frame, &taken);
            if (st != FOCAL_OK || !taken)
                continue;
            assert_true(++moved < PATIENCE);
            any = true;
            at_fault = !i;
            st = focal_session_frame(ends[!i].s, focal_buf_view(&frame));
            if (st == FOCAL_OK)
                st = finish(&ends[!i]);
        }
    }
    focal_buf_close(&frame);
    return st;
}

static enum focal_status dial(void)
{
    for (int i = 0; i < 2; i++) {
        at_fault = i;
        ends[i].host.writing = writing;
        ends[i].host.statements_changed = statements_changed;
        ends[i].s = i ? focal_session_accepted(&ends[1].host, 2)
                      : focal_session_dialled(&ends[0].host, 1, &offices[1].keys.channel_public, &ends[0].psks[0]);
        if (!ends[i].s)
            return FOCAL_NO_MEMORY;
    }
    return pump_until();
}

static enum focal_status write_both(void)
{
    for (int i = 0; i < 2; i++) {
        struct focal_buf payload;
        struct focal_ref ref;
        const uint8_t value = 5;
        const struct focal_item item = { .field = FIELD_A, .value = focal_span_of(&value, 1) };
        at_fault = i;
        enum focal_status st = writing(&ends[i]);
        focal_buf_init(&payload, 1024);
        focal_payload_encode(&payload, FOCAL_KIND_CASE, NULL, NULL, &item, 1);
        const struct focal_write w = { .scope = i ? scope_chad : scope_network, .creates = true, .payload = focal_buf_view(&payload) };
        if (st == FOCAL_OK)
            st = payload.failed ? FOCAL_NO_MEMORY : focal_oplog_write(offices[i].ol, &w, &ref, NULL);
        focal_buf_close(&payload);
        if (st == FOCAL_OK)
            st = finish(&ends[i]);
        if (st != FOCAL_OK)
            return st;
    }
    return pump_until();
}

static enum focal_status receipts(void)
{
    for (int i = 0; i < 2; i++) {
        struct focal_buf body;
        struct focal_signature signature;
        struct focal_hash scope;
        at_fault = i;
        focal_buf_init(&body, 64 * 1024);
        focal_scope_id(&scope, &net.id, &scope_network);
        enum focal_status st = writing(&ends[i]);
        if (st == FOCAL_OK)
            st = focal_oplog_make_receipt(offices[i].ol, &scope_network, 20100, &body, &signature);
        if (st == FOCAL_OK)
            focal_session_receipt(ends[i].s, &scope, focal_buf_view(&body), &signature);
        focal_buf_close(&body);
        if (st == FOCAL_OK || st == FOCAL_NOT_FOUND)
            st = finish(&ends[i]);
        if (st != FOCAL_OK)
            return st;
    }
    return pump_until();
}

/* One end pauses while the other writes, and takes up again. */
static enum focal_status pause_and_resume(void)
{
    ends[1].host.pause = true;
    enum focal_status st = write_both();
    ends[1].host.pause = false;
    at_fault = 1;
    if (st == FOCAL_OK)
        st = focal_session_resume(ends[1].s);
    return st == FOCAL_OK ? pump_until() : st;
}

static enum focal_status time_goes_by(void)
{
    for (int k = 1; k <= 3; k++) {
        ends_time(&ends[0], &ends[1], ends[0].host.now.mono_ms + 26000);
        for (int i = 0; i < 2; i++) {
            at_fault = i;
            enum focal_status st = focal_session_tick(ends[i].s);
            if (st != FOCAL_OK)
                return st;
        }
        enum focal_status st = pump_until();
        if (st != FOCAL_OK)
            return st;
    }
    return FOCAL_OK;
}

static const struct part { const char *name; enum focal_status (*run)(void); } parts[] = {
    { "dial", dial }, { "write", write_both }, { "receipts", receipts }, { "pause", pause_and_resume }, { "time", time_goes_by },
};
enum { PARTS = sizeof parts / sizeof *parts };

/* ---- failing ---- */

enum trouble { MEMORY, READING, WRITING };
static uint64_t left;
static bool fired;

static bool allow(void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    if (left == 0 || (left > 1 && left--))
        return true;
    left = 0;
    fired = true;
    return false;
}

static void arm(enum trouble t, int end, uint64_t nth)
{
    const bool reading = t == READING;
    fired = false;
    left = t == MEMORY ? nth : 0;
    if (t != MEMORY)
        focal_fake_store_plan(offices[end].store, (struct focal_fake_failure){ .nth = nth, .status = reading ? FOCAL_IO : FOCAL_DISK_FULL,
            .kinds = reading ? FOCAL_FAKE_GET | FOCAL_FAKE_NEXT | FOCAL_FAKE_PREV : FOCAL_FAKE_WRITES });
}

static void disarm(void)
{
    left = 0;
    for (int i = 0; i < 2; i++)
        focal_fake_store_plan(offices[i].store, (struct focal_fake_failure){ .nth = 0 });
}

/* The link is lost at both ends; the one where it happened rolls back. */
static void cut(void)
{
    changed_status = FOCAL_OK;
    for (int i = 0; i < 2; i++) {
        struct end *e = &ends[i];
        focal_session_free(e->s);
        e->s = NULL;
        e->host.pause = false;
        if (e->tx)
            roll_back(e->office);
        e->tx = false;
        for (size_t k = 0; k < focal_oplog_log_count(e->office->ol); k++)
            e->told[k] = focal_oplog_log_at(e->office->ol, k)->head.seq;
    }
}

static void assert_equal_ends(const char *name, uint64_t nth)
{
    const struct focal_scope *const scopes[] = { &scope_control, &scope_network, &scope_kenya, &scope_chad };
    struct focal_hash sets[2];
    for (size_t i = 0; i < 4; i++)
        if (!same_frontier(&offices[0], &offices[1], &net, scopes[i]))
            fail_msg("%s, failure %llu: scope %zu differs", name, (unsigned long long)nth, i);
    for (size_t i = 0; i < 2; i++)
        focal_oplog_statements_hash(offices[i].ol, &sets[i]);
    assert_true(focal_hash_equal(&sets[0], &sets[1]));
    assert_true(focal_session_equal(ends[0].s));
    assert_true(focal_session_equal(ends[1].s));
}

/* False: the part ended before the nth could fail. */
static bool live(enum trouble t, int end, size_t failing, uint64_t nth)
{
    static const enum focal_status expected[] = { FOCAL_NO_MEMORY, FOCAL_IO, FOCAL_DISK_FULL };
    bool lost = false;
    talk_open();
    for (size_t k = 0; k < PARTS && !lost; k++) {
        if (k == failing)
            arm(t, end, nth);
        enum focal_status st = parts[k].run();
        const bool here = k == failing;
        if (here)
            disarm();
        if (st != (here && st != FOCAL_OK ? expected[t] : FOCAL_OK))
            fail_msg("%s, failure %llu at end %d: %s", parts[k].name, (unsigned long long)nth, at_fault, focal_status_text(st));
        lost = st != FOCAL_OK;
    }
    const bool met = lost || fired;
    if (lost) {
        cut();
        assert_int_equal(dial(), FOCAL_OK);
    }
    assert_equal_ends(parts[failing].name, nth);
    assert_same_state(&offices[0], &offices[1]);
    talk_close();
    return met;
}

static void each_fails(enum trouble t, int end)
{
    uint64_t failures = 0;
    focal_alloc_hook(allow, NULL);
    for (size_t failing = 0; failing < PARTS; failing++) {
        /* Later failures of a part are of what it does over and over. */
        for (uint64_t nth = 1; live(t, end, failing, nth); nth += 1 + nth / 400) {
            assert_true(nth < ATTEMPTS_MAX);
            failures++;
        }
    }
    focal_alloc_hook(NULL, NULL);
    assert_true(failures > 20);
}

static void memory_fails(void **state) { (void)state; each_fails(MEMORY, 0); }
static void reading_fails_here(void **state) { (void)state; each_fails(READING, 0); }
static void reading_fails_there(void **state) { (void)state; each_fails(READING, 1); }
static void writing_fails_here(void **state) { (void)state; each_fails(WRITING, 0); }
static void writing_fails_there(void **state) { (void)state; each_fails(WRITING, 1); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_fails), cmocka_unit_test(reading_fails_here), cmocka_unit_test(reading_fails_there),
        cmocka_unit_test(writing_fails_here), cmocka_unit_test(writing_fails_there),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
