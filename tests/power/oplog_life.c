/* A life of an office's history on the real store: own entries, a peer's entries in pieces, receipts.
 *
 * The model is where the logs stood after each commit that said OK: their tips name every entry before them. */
#include "life.h"

#include "office.h"

#include <stdlib.h>
#include <string.h>

enum { CUTS = 24, STEPS = 40, LOGS_MAX = 8, RECORDS_MAX = 400 };

struct stand {
    struct { struct focal_id log; struct focal_tip head, staged; } logs[LOGS_MAX];
    size_t count;
    uint64_t entries;                       /* up to all heads together */
};

struct oplog_life {
    struct life *l;
    const struct network *n;
    struct focal_oplog *ol;
    struct chance chance;                   /* the office's own */
    bool founded, member;
    struct stand acknowledged, in_flight;
    bool commit_called;
    struct focal_ref records[RECORDS_MAX];
    size_t record_count, record_count_in_flight;
};

/* ---- where the logs stand ---- */

static void stand_of(struct focal_oplog *ol, struct stand *out)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < focal_oplog_log_count(ol) && out->count < LOGS_MAX; i++) {
        const struct focal_log *log = focal_oplog_log_at(ol, i);
        /* A log that was rolled back is still known, and holds nothing. */
        if (log->staged.seq == 0)
            continue;
        out->logs[out->count].log = log->id;
        out->logs[out->count].head = log->head;
        out->logs[out->count].staged = log->staged;
        out->entries += log->head.seq;
        out->count++;
    }
}

static bool tips_equal(const struct focal_tip *a, const struct focal_tip *b)
{
    return a->seq == b->seq && memcmp(&a->h, &b->h, sizeof a->h) == 0;
}

/* In whatever order they were loaded. */
static bool same_stand(const struct stand *a, const struct stand *b)
{
    size_t found = 0;
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++)
            found += memcmp(&a->logs[i].log, &b->logs[k].log, sizeof a->logs[i].log) == 0
                && tips_equal(&a->logs[i].head, &b->logs[k].head) && tips_equal(&a->logs[i].staged, &b->logs[k].staged);
    return a->count == b->count && found == a->count;
}

/* ---- looking ---- */

static bool verify(struct oplog_life *s)
{
    struct life *l = s->l;
    struct focal_verify *v = NULL;
    enum focal_status status = focal_verify_open(&v, s->ol);
    if (status == FOCAL_OK)
        while ((status = focal_verify_slice(v, 1000)) == FOCAL_MORE)
            ;
    if (!life_is_well(l, status, "verify"))
        ;
    else if (focal_verify_error_count(v) > 0)
        life_fault(l, &l->totals->corrupt, "verify: %s", focal_verify_error(v, 0));
    else if (focal_verify_entries(v) < s->acknowledged.entries)
        life_fault(l, &l->totals->lost, "verify saw %llu entries of %llu", (unsigned long long)focal_verify_entries(v),
                   (unsigned long long)s->acknowledged.entries);
    focal_verify_close(v);
    return !l->why[0] && status == FOCAL_OK;
}

static bool records_there(struct oplog_life *s)
{
    for (size_t i = 0; i < s->record_count; i += 1 + s->record_count / 4) {
        struct focal_record_view view;
        enum focal_status status = focal_oplog_record(s->ol, NULL, &s->records[i], &view);
        if (status == FOCAL_NOT_FOUND)
            return life_fault(s->l, &s->l->totals->lost, "record %zu of %zu is not there", i, s->record_count);
        if (!life_is_well(s->l, status, "record"))
            return false;
        focal_record_view_close(&view);
    }
    return true;
}

static bool look(struct oplog_life *s)
{
    struct life *l = s->l;
    struct stand now;
    stand_of(s->ol, &now);
    if (s->commit_called && same_stand(&now, &s->in_flight)) {
        s->acknowledged = s->in_flight;
        s->record_count = s->record_count_in_flight;
    }
    s->commit_called = false;
    if (!same_stand(&now, &s->acknowledged))
        return life_fault(l, now.entries < s->acknowledged.entries ? &l->totals->lost : &l->totals->corrupt,
                          "the logs stand at %llu entries and not where they were left, at %llu", (unsigned long long)now.entries,
                          (unsigned long long)s->acknowledged.entries);
    return records_there(s) && verify(s) && (l->totals->openings % 16 != 0 || life_deep_check(l));
}

/* ---- writing ---- */

static bool finish(struct oplog_life *s, enum focal_status status, bool give_up)
{
    struct life *l = s->l;
    if (status == FOCAL_OK && !give_up)
        status = focal_oplog_seal(s->ol);
    if (status != FOCAL_OK || give_up) {
        focal_store_rollback(l->store);
        enum focal_status back = focal_oplog_rolled_back(s->ol);
        s->record_count_in_flight = s->record_count;
        return life_is_well(l, status, "writing") && life_is_well(l, back, "rolling back");
    }
    stand_of(s->ol, &s->in_flight);
    s->commit_called = true;
    status = focal_store_commit(l->store);
    if (status != FOCAL_OK) {
        (void)!focal_oplog_rolled_back(s->ol);
        return life_is_well(l, status, "commit");
    }
    focal_oplog_committed(s->ol);
    s->commit_called = false;
    l->totals->commits++;
    l->totals->entries += s->in_flight.entries - s->acknowledged.entries;
    s->acknowledged = s->in_flight;
    s->record_count = s->record_count_in_flight;
    return true;
}

static enum focal_status write_some(struct oplog_life *s)
{
    struct chance *c = &s->l->chance;
    enum focal_status status = FOCAL_OK;
    uint64_t count = chance_of(c, 10) ? 1 + chance_below(c, 60) : 1 + chance_below(c, 4);
    for (uint64_t i = 0; i < count && status == FOCAL_OK; i++) {
        struct focal_ref ref;
        bool creates = s->record_count_in_flight == 0 || chance_of(c, 40);
        const struct focal_ref *record = creates ? NULL : &s->records[chance_below(c, s->record_count_in_flight)];
        status = office_write(s->ol, &office_scopes[creates ? 1 : 1 + chance_below(c, 2)], record, 1 + chance_below(c, 300),
                              (uint8_t)chance_next(c), &ref);
        if (status == FOCAL_OK && creates && s->record_count_in_flight < RECORDS_MAX)
            s->records[s->record_count_in_flight++] = ref;
    }
    return status;
}

static enum focal_status take_some(struct oplog_life *s)
{
    uint64_t count = 1 + chance_below(&s->l->chance, 3);
    enum focal_status status = FOCAL_OK;
    for (uint64_t i = 0; i < count && status == FOCAL_OK; i++)
        status = office_carry(s->ol, 300 + chance_below(&s->l->chance, 3000));
    return status == FOCAL_NOT_FOUND ? FOCAL_OK : status;
}

static enum focal_status make_receipt(struct oplog_life *s)
{
    struct focal_buf body;
    struct focal_signature signature;
    focal_buf_init(&body, 64 * 1024);
    enum focal_status status = focal_oplog_make_receipt(s->ol, &office_scopes[1], 20100, &body, &signature);
    focal_buf_close(&body);
    return status == FOCAL_NOT_FOUND ? FOCAL_OK : status;
}

static bool step(struct oplog_life *s)
{
    struct life *l = s->l;
    s->record_count_in_flight = s->record_count;
    if (!life_is_well(l, focal_store_begin(l->store), "begin"))
        return false;
    enum focal_status status;
    switch (chance_below(&l->chance, 8)) {
    case 0:
        status = make_receipt(s);
        break;
    case 1:
    case 2:
        status = take_some(s);
        break;
    default:
        status = write_some(s);
    }
    return finish(s, status, chance_of(&l->chance, 6));
}

/* ---- opening ---- */

static bool found(struct oplog_life *s)
{
    enum focal_status status = focal_oplog_found(s->l->store, focal_buf_view(&s->n->genesis));
    if (status == FOCAL_EXISTS && !s->founded)
        status = FOCAL_OK;
    if (!life_is_well(s->l, status, "founding"))
        return false;
    s->founded = true;
    return true;
}

static bool join(struct oplog_life *s)
{
    struct life *l = s->l;
    if (!life_is_well(l, focal_store_begin(l->store), "begin"))
        return false;
    enum focal_status status = focal_oplog_add_statement(s->ol, focal_buf_view(&s->n->ours.certificate));
    if (status == FOCAL_OK)
        status = focal_oplog_add_statement(s->ol, focal_buf_view(&s->n->peers.certificate));
    if (!finish(s, status, false))
        return false;
    s->member = true;
    return true;
}

static bool open_oplog(struct oplog_life *s)
{
    struct life *l = s->l;
    struct focal_error err = { .message = "" };
    struct focal_entropy entropy = { chance_fill, &s->chance };
    if (!s->founded && !found(s))
        return false;
    enum focal_status status = focal_oplog_open(&s->ol, l->store, &s->n->ours.keys, &entropy, NULL, &err);
    if (status != FOCAL_OK && !disk_is_off(l->disk) && !disk_failure_happened(l->disk))
        return life_fault(l, &l->totals->unopenable, "the history cannot be opened: %s: %s", focal_status_name(status), err.message);
    if (status != FOCAL_OK)
        return false;
    bool knows = focal_oplog_mine(s->ol) != NULL;
    if (s->member && !knows)
        return life_fault(l, &l->totals->lost, "the certificate is not there");
    if (!look(s))
        return false;
    s->member = knows;
    return knows || join(s);
}

static void between_cuts(struct oplog_life *s)
{
    struct life *l = s->l;
    life_plan(l);
    if (life_open(l) != OPENED || !open_oplog(s))
        return;
    for (int i = 0; i < STEPS && !disk_is_off(l->disk) && !l->why[0]; i++)
        if (!step(s))
            return;
}

bool oplog_life(struct life *l)
{
    struct oplog_life *s = calloc(1, sizeof *s);
    focal_assert(s);
    s->l = l;
    s->n = office_network();
    s->chance.state = l->seed ^ 0x5EED;
    for (int i = 0; i <= CUTS && !l->why[0]; i++) {
        between_cuts(s);
        focal_oplog_close(s->ol);
        s->ol = NULL;
        life_end(l);
    }
    free(s);
    return !l->why[0];
}
