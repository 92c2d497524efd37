/* How the office of a day stands: all that a step which failed must leave as it was. */
#ifndef FOCAL_TESTS_STAND_H
#define FOCAL_TESTS_STAND_H

#include "day.h"

struct stand { uint64_t entries, staged, statements, shelves; uint8_t frontiers[4][16]; bool epoch, veiled; };

static inline void stand_of(struct stand *out)
{
    struct focal_subject subject;
    struct focal_id epoch;
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < focal_oplog_log_count(o.ol); i++) {
        const struct focal_log *log = focal_oplog_log_at(o.ol, i);
        out->entries += log->head.seq - log->base.seq;
        out->staged += log->staged.seq - log->base.seq;
    }
    const struct focal_scope *const scopes[] = { &scope_control, &scope_network, &scope_kenya, &scope_chad };
    for (size_t i = 0; i < 4; i++) {
        struct focal_hash id;
        focal_scope_id(&id, &net.id, scopes[i]);
        focal_oplog_frontier_hash(o.ol, &id, out->frontiers[i]);
    }
    while (focal_oplog_subject(o.ol, (size_t)out->statements, &subject))
        out->statements++;
    for (int shelf = FOCAL_SHELF_META + 1; shelf <= FOCAL_SHELF_LAST; shelf++) {       /* the mark of the fence is new at each commit */
        uint64_t one, rows;
        assert_int_equal(focal_shelf_digest(o.store, (enum focal_shelf)shelf, &one, &rows), FOCAL_OK);
        out->shelves = out->shelves * 31 + one;
    }
    out->epoch = focal_oplog_epoch(o.ol, &epoch);
    out->veiled = focal_oplog_veiled(o.ol);
}

static inline void expect_stand(const struct stand *wanted, const char *step, uint64_t nth, const char *when)
{
    struct stand now;
    stand_of(&now);
    if (now.entries != wanted->entries || now.staged != wanted->staged || now.statements != wanted->statements
        || now.shelves != wanted->shelves || now.epoch != wanted->epoch || now.veiled != wanted->veiled
        || memcmp(now.frontiers, wanted->frontiers, sizeof now.frontiers) != 0)
        fail_msg("%s, failure %llu: not as before, %s", step, (unsigned long long)nth, when);
}

#endif
