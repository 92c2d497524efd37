/* A fixed day of an office's history on the real store, with each thing that can fail in it failing in turn: memory goes back
 * to what the store holds, the office goes on, and what it acknowledged is there after a new start and after a power cut. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "focal/store_sqlite.h"
#include "inside_store.h"
#include "office.h"
#include "trouble.h"
#include "store_key.h"

#define DATABASE DISK_PREFIX "/db"
enum { SCOPES_MAX = 8, STEPS = 14 };

/* What an oplog says it holds: the entries up to its heads, what is staged, and the hash of each scope's frontier. */
struct stand { uint64_t entries, staged; size_t scopes, statements; uint8_t frontiers[SCOPES_MAX][16]; bool epoch; };

struct day {
    const struct trouble *trouble;
    uint64_t nth;
    int step;
    struct disk *disk;
    const struct network *n;
    struct chance chance;
    struct focal_store *store;
    struct focal_oplog *ol;
    bool created, founded, found_called;
    struct stand acknowledged, in_flight;
    bool commit_called;
    struct focal_ref record;
};

#define expect(d, condition) \
    do { \
        if (!(condition)) \
            fail_msg("%s, the %llu-th, step %d: %s", (d)->trouble->name, (unsigned long long)(d)->nth, (d)->step, #condition); \
    } while (0)

static void stand_of(struct focal_oplog *ol, struct stand *out)
{
    struct focal_subject subject;
    memset(out, 0, sizeof *out);
    trouble_lay_aside();
    for (size_t i = 0; i < focal_oplog_log_count(ol); i++) {
        out->entries += focal_oplog_log_at(ol, i)->head.seq;
        out->staged += focal_oplog_log_at(ol, i)->staged.seq;
    }
    const struct focal_hash *id;
    for (; out->scopes < SCOPES_MAX && focal_oplog_scope_at(ol, out->scopes, &id); out->scopes++)
        focal_oplog_frontier_hash(ol, id, out->frontiers[out->scopes]);
    while (focal_oplog_subject(ol, out->statements, &subject))
        out->statements++;
    struct focal_id epoch;
    out->epoch = focal_oplog_epoch(ol, &epoch);
    trouble_take_up();
}

/* Scopes of statements that were rolled back may still be known; they hold nothing. */
static bool same_stand(const struct stand *a, const struct stand *b)
{
    size_t scopes = a->scopes < b->scopes ? a->scopes : b->scopes;
    return a->entries == b->entries && a->staged == b->staged && a->statements == b->statements && a->epoch == b->epoch
        && memcmp(a->frontiers, b->frontiers, scopes * sizeof *a->frontiers) == 0;
}

static bool stands_at(struct day *d, const struct stand *wanted)
{
    struct stand now;
    stand_of(d->ol, &now);
    return same_stand(&now, wanted);
}

/* ---- what is done ---- */

static enum focal_status open_store(struct day *d)
{
    struct focal_sqlite_options options = { SEALED, .path = DATABASE, .create = !d->created };
    enum focal_status status = focal_sqlite_open(&d->store, &options, NULL);
    if (status == FOCAL_EXISTS && !d->created) {
        options.create = false;
        status = focal_sqlite_open(&d->store, &options, NULL);
    }
    if (status != FOCAL_OK)
        return status;
    d->created = true;
    (void)sqlite3_exec(power_connection(d->store), "PRAGMA wal_autocheckpoint=10; PRAGMA cache_size=12", NULL, NULL, NULL);
    return FOCAL_OK;
}

static enum focal_status found(struct day *d)
{
    d->found_called = true;
    enum focal_status status = focal_oplog_found(d->store, focal_buf_view(&d->n->genesis));
    d->founded = status == FOCAL_OK;
    return status;
}

static enum focal_status open_oplog(struct day *d)
{
    struct focal_entropy entropy = { chance_fill, &d->chance };
    struct focal_error err = { .status = FOCAL_OK };
    enum focal_status status = focal_oplog_open(&d->ol, d->store, &d->n->ours.keys, &entropy, NULL, &err);
    if (status != FOCAL_OK) {
        expect(d, err.status == status && d->ol == NULL);
    }
    return status;
}

static enum focal_status join(struct day *d)
{
    enum focal_status status = focal_oplog_add_statement(d->ol, focal_buf_view(&d->n->ours.certificate));
    return status == FOCAL_OK ? focal_oplog_add_statement(d->ol, focal_buf_view(&d->n->peers.certificate)) : status;
}

static enum focal_status write_some(struct day *d, int count)
{
    enum focal_status status = FOCAL_OK;
    for (int i = 0; i < count && status == FOCAL_OK; i++) {
        struct focal_ref ref;
        bool creates = i % 3 == 0;
        status = office_write(d->ol, &office_scopes[creates ? 1 : 1 + i % 2], creates ? NULL : &d->record, (size_t)(20 + 60 * (i % 7)),
                              (uint8_t)i, &ref);
        if (status == FOCAL_OK && creates)
            d->record = ref;
    }
    return status;
}

static enum focal_status carry(struct day *d, int count, size_t most)
{
    enum focal_status status = FOCAL_OK;
    for (int i = 0; i < count && status == FOCAL_OK; i++)
        status = office_carry(d->ol, most);
    return status;
}

static enum focal_status make_receipt(struct day *d)
{
    struct focal_buf body;
    struct focal_signature signature;
    focal_buf_init(&body, 64 * 1024);
    enum focal_status status = focal_oplog_make_receipt(d->ol, &office_scopes[1], 20100, &body, &signature);
    focal_buf_close(&body);
    return status;
}

static enum focal_status change(struct day *d, int step)
{
    switch (step) {
    case 3:
        return join(d);
    case 4:
        return write_some(d, 2);
    case 5:
        return carry(d, 3, 900);
    case 6:
        return write_some(d, 40);
    case 7:
        return make_receipt(d);
    case 8:
        return carry(d, 4, 2000);
    case 9:
        return focal_oplog_rebuild(d->ol);
    default:
        return write_some(d, 3);
    }
}

/* One transaction. After a failure the trouble is over, and memory must go back to what the store holds. */
static enum focal_status transact(struct day *d, int step)
{
    enum focal_status status = focal_store_begin(d->store);
    if (status != FOCAL_OK)
        return status;
    status = change(d, step);
    if (status == FOCAL_OK)
        status = focal_oplog_seal(d->ol);
    if (status == FOCAL_OK) {
        stand_of(d->ol, &d->in_flight);
        d->commit_called = true;
        status = focal_store_commit(d->store);
    } else {
        focal_store_rollback(d->store);
    }
    if (status == FOCAL_OK) {
        focal_oplog_committed(d->ol);
        d->commit_called = false;
        d->acknowledged = d->in_flight;
        return status;
    }
    /* While the trouble goes on it may fail too; then the history can only be closed. */
    bool lasting = d->trouble->from_then_on || d->trouble->disk.from_then_on;
    if (!lasting)
        trouble_lift(d->disk);
    enum focal_status back = focal_oplog_rolled_back(d->ol);
    expect(d, back == FOCAL_OK || lasting);
    if (back == FOCAL_OK) {
        expect(d, stands_at(d, &d->acknowledged));
        return status;
    }
    focal_oplog_close(d->ol);
    d->ol = NULL;
    return status;
}

static enum focal_status verify(struct day *d, bool *clean)
{
    struct focal_verify *v = NULL;
    enum focal_status status = focal_verify_open(&v, d->ol);
    if (status == FOCAL_OK)
        while ((status = focal_verify_slice(v, 50)) == FOCAL_MORE)
            ;
    if (status == FOCAL_OK && focal_verify_error_count(v) > 0) {
        print_message("verify: %s\n", focal_verify_error(v, 0));
        *clean = false;
    }
    focal_verify_close(v);
    return status;
}

static enum focal_status step(struct day *d, int i)
{
    bool clean = true;
    enum focal_status status;
    switch (i) {
    case 0:
        return open_store(d);
    case 1:
        return found(d);
    case 2:
        status = open_oplog(d);
        if (status == FOCAL_OK)
            stand_of(d->ol, &d->acknowledged);
        return status;
    case 10:
        status = verify(d, &clean);
        expect(d, clean);
        return status;
    case 12:
        focal_oplog_close(d->ol);
        d->ol = NULL;
        return open_oplog(d);
    default:
        return transact(d, i);
    }
}

/* ---- what is looked at afterwards ---- */

static void close_all(struct day *d)
{
    focal_oplog_close(d->ol);
    d->ol = NULL;
    focal_store_close(d->store);
    d->store = NULL;
}

static void expect_whole(struct day *d)
{
    bool clean = true;
    expect(d, open_store(d) == FOCAL_OK);
    enum focal_status status = open_oplog(d);
    if (status == FOCAL_NOT_FOUND && !d->founded) {
        expect(d, found(d) == FOCAL_OK);
        status = open_oplog(d);
    }
    expect(d, status == FOCAL_OK);
    d->founded = true;
    if (d->acknowledged.statements == 0)
        stand_of(d->ol, &d->acknowledged);
    if (d->commit_called && stands_at(d, &d->in_flight))
        d->acknowledged = d->in_flight;
    expect(d, stands_at(d, &d->acknowledged));
    expect(d, verify(d, &clean) == FOCAL_OK);
    expect(d, clean);
}

/* The office goes on after the failure, unless its store is dead. */
static void go_on(struct day *d, enum focal_status status)
{
    static const enum focal_status may_be[] = { FOCAL_NO_MEMORY, FOCAL_DISK_FULL, FOCAL_IO, FOCAL_NOT_FOUND, FOCAL_BUSY };
    bool known = status == FOCAL_OK;
    for (size_t i = 0; i < sizeof may_be / sizeof *may_be; i++)
        known = known || status == may_be[i];
    known = known || (status == FOCAL_DAMAGED && d->trouble->disk.from_then_on && (d->trouble->disk.kinds & DISK_READ));
    if (!known)
        fail_msg("%s, the %llu-th, step %d: gave %s", d->trouble->name, (unsigned long long)d->nth, d->step, focal_status_name(status));
    if (!d->ol || !focal_oplog_mine(d->ol) || d->commit_called)
        return;
    status = transact(d, 4);
    expect(d, status == FOCAL_OK || status == FOCAL_IO);
}

static bool live(struct day *d)
{
    enum focal_status status = FOCAL_OK;
    trouble_arm(d->disk, d->trouble, d->nth);
    for (d->step = 0; d->step < STEPS && status == FOCAL_OK; d->step++)
        status = step(d, d->step);
    bool happened = trouble_happened(d->disk);
    trouble_lift(d->disk);
    if (!happened) {
        expect(d, status == FOCAL_OK);
        close_all(d);
        return false;
    }
    go_on(d, status);
    close_all(d);
    expect_whole(d);
    disk_cut(d->disk);
    close_all(d);
    disk_power_on_bare(d->disk);
    d->commit_called = false;
    expect_whole(d);
    if (!focal_oplog_mine(d->ol))
        expect(d, transact(d, 3) == FOCAL_OK);
    expect(d, transact(d, 4) == FOCAL_OK);
    close_all(d);
    return true;
}

static bool one_day(const struct trouble *trouble, uint64_t nth)
{
    struct day d = { .trouble = trouble, .nth = nth, .disk = disk_new(nth), .n = office_network(), .chance = { 77 } };
    power_mount(d.disk);
    bool happened = live(&d);
    disk_free(d.disk);
    return happened;
}

static void each_failure_in_turn(void **state)
{
    (void)state;
    (void)office_network();
    for (size_t i = 0; i < trouble_count; i++) {
        /* SQLite's own ways without memory are those of the store's day. */
        uint64_t tried = 0, stride = trouble_stride(&troubles[i]) * (troubles[i].memory == TROUBLE_SQLITE ? 7 : 1);
        for (uint64_t nth = 1; one_day(&troubles[i], nth); nth += stride)
            tried++;
        printf("%-34s %6llu\n", troubles[i].name, (unsigned long long)tried);
        assert_true(tried > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_failure_in_turn) };
    trouble_install();
    return cmocka_run_group_tests_name("power sweep oplog", tests, NULL, NULL);
}
