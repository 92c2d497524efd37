/* Verify: does what is stored still say what was signed, and do the derived shelves say what it means?
 * It works on a snapshot, in slices, and holds a bounded share of the derived state at a time. */
#include "verify.h"

#include <stdio.h>

/* ---- errors ------------------------------------------------------------------------------------------------------------------- */

void focal_verify_note(struct focal_verify *v, const char *fmt, ...)
{
    if (v->error_count < VERIFY_ERRORS_KEPT) {
        struct focal_error made;
        va_list args;
        va_start(args, fmt);
        vsnprintf(made.message, sizeof made.message, fmt, args);
        va_end(args);
        size_t len = strlen(made.message) + 1;
        v->errors[v->error_count] = focal_alloc(len);
        if (v->errors[v->error_count])
            memcpy(v->errors[v->error_count], made.message, len);
    }
    v->error_count++;
}

size_t focal_verify_error_count(const struct focal_verify *v)
{
    return v->error_count;
}

const char *focal_verify_error(const struct focal_verify *v, size_t i)
{
    if (i >= v->error_count)
        return NULL;
    return i < VERIFY_ERRORS_KEPT && v->errors[i] ? v->errors[i] : "one more that is not spelled out";
}

void focal_verify_note_log(struct focal_verify *v, const struct verify_log *log, uint64_t seq, const char *what)
{
    char name[2 * sizeof log->log.id.b + 1];
    focal_hex(name, log->log.id.b, sizeof log->log.id.b);
    focal_verify_note(v, "log %s at entry %llu: %s", name, (unsigned long long)seq, what);
}

/* ---- open and close --------------------------------------------------------------------------------------------------------------- */

static enum focal_status list_scopes(struct focal_verify *v)
{
    const struct focal_certificate *mine = focal_oplog_mine(v->ol);
    v->scopes = focal_alloc(v->ol->scope_count * sizeof *v->scopes);
    if (!v->scopes)
        return FOCAL_NO_MEMORY;
    v->scope_count = v->ol->scope_count;
    for (size_t i = 0; i < v->scope_count; i++) {
        v->scopes[i].scope = v->ol->scopes[i]->scope;
        v->scopes[i].id = v->ol->scopes[i]->id;
        v->scopes[i].reads = focal_oplog_reads(mine, &v->scopes[i].scope);
    }
    return FOCAL_OK;
}

static enum focal_status list_limits(struct focal_verify *v)
{
    v->limit_count = v->ol->log_count;
    v->limits = focal_alloc(v->limit_count * sizeof *v->limits);
    for (size_t i = 0; v->limits && i < v->limit_count; i++)
        v->limits[i] = v->ol->logs[i]->limited ? v->ol->logs[i]->limit : UINT64_MAX;
    return v->limits ? FOCAL_OK : FOCAL_NO_MEMORY;
}

enum focal_status focal_verify_open(struct focal_verify **out, struct focal_oplog *ol)
{
    *out = NULL;
    if (ol->again_due)                  /* what a cut has changed is half derived */
        return FOCAL_BUSY;
    struct focal_verify *v = focal_alloc(sizeof *v);
    if (!v)
        return FOCAL_NO_MEMORY;
    v->ol = ol;
    focal_arena_init(&v->arena, ARENA_BYTES_MAX);
    focal_buf_init(&v->key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&v->value, FOCAL_STORE_VALUE_MAX);
    focal_buf_init(&v->index, FOCAL_STORE_VALUE_MAX);
    focal_buf_init(&v->refs, 2 * FOCAL_STRETCH_ENTRIES_MAX * FOCAL_REF_BYTES);
    focal_buf_init(&v->encoded, FOCAL_STORE_VALUE_MAX);
    focal_part_init(&v->part);
    focal_part_lift_limit(&v->part);    /* all that the batch holds of it */
    focal_oplog_batch_init(&v->batch, ol->seed, SIZE_MAX, SIZE_MAX, UINT32_MAX);
    v->packer = focal_packer_open();
    enum focal_status st = v->packer ? list_scopes(v) : FOCAL_NO_MEMORY;
    if (st == FOCAL_OK)
        st = list_limits(v);
    if (st == FOCAL_OK)
        st = ol->store->ops->snapshot(ol->store, &v->store);
    if (st != FOCAL_OK) {
        focal_verify_close(v);
        return st;
    }
    *out = v;
    return FOCAL_OK;
}

void focal_verify_close(struct focal_verify *v)
{
    if (!v)
        return;
    focal_store_close(v->store);
    focal_packer_close(v->packer);
    focal_arena_close(&v->arena);
    focal_buf_close(&v->key);
    focal_buf_close(&v->value);
    focal_buf_close(&v->index);
    focal_buf_close(&v->refs);
    focal_buf_close(&v->encoded);
    focal_part_close(&v->part);
    focal_oplog_batch_close(&v->batch);
    focal_free(v->limits);
    focal_free(v->logs);
    focal_free(v->scopes);
    for (size_t i = 0; i < VERIFY_ERRORS_KEPT; i++)
        focal_free(v->errors[i]);
    focal_free(v);
}

/* ---- statements and receipts -------------------------------------------------------------------------------------------------------- */

static enum focal_status check_statement(struct focal_verify *v)
{
    struct focal_statement s;
    struct focal_hash hash;
    if (focal_statement_decode(&s, focal_buf_view(&v->value)) != FOCAL_OK) {
        focal_verify_note(v, "a statement of the authority is malformed");
        return FOCAL_OK;
    }
    focal_statement_hash(&hash, &v->ol->network, s.body);
    if (!focal_span_equal(focal_buf_view(&v->key), focal_span_of(hash.b, sizeof hash.b))
        || !focal_oplog_statement_signed(v->ol, &s))
        focal_verify_note(v, "a statement's signature or name does not fit it");
    return FOCAL_OK;
}

static enum focal_status check_receipt(struct focal_verify *v)
{
    struct focal_receipt r;
    struct focal_signature signature;
    struct focal_cur cur = focal_cur_of(focal_buf_view(&v->value));
    focal_cur_copy(&cur, signature.b, sizeof signature.b);
    struct focal_span body = focal_cur_rest(&cur);
    if (cur.failed || focal_receipt_decode(&r, body) != FOCAL_OK || !focal_receipt_verify(&signature, &r.signer, &v->ol->network, body))
        focal_verify_note(v, "a receipt is malformed or its signature does not fit it");
    return FOCAL_OK;
}

/* Lines that hold the first entry of a control log; where it stands, its number is held against the row's. */
static bool may_open(const struct focal_log *log)
{
    return log->scope.cls == FOCAL_SCOPE_CONTROL && log->name.lane == FOCAL_LANE_DATA && log->base.seq == 0 && log->head.seq > 0;
}

static enum focal_status read_log(struct focal_verify *v)
{
    void *list = v->logs;
    enum focal_status st = focal_oplog_room(&list, &v->log_cap, v->log_count, sizeof *v->logs);
    v->logs = list;
    if (st != FOCAL_OK)
        return st;
    struct verify_log *log = &v->logs[v->log_count];
    memset(log, 0, sizeof *log);
    struct focal_id id, line;
    struct log_row row;
    bool sound = focal_oplog_log_decode(&row, focal_buf_view(&v->value)) == FOCAL_OK;
    focal_log_id(&id, &v->ol->network, &row.name);
    line = id;
    if (row.number > 0)
        focal_oplog_line_id(&line, &id, row.number);
    else
        focal_chain_start(&row.base.h, &id);
    const struct focal_scope *scope = focal_oplog_scope(v->ol, &row.name.scope);
    if (!sound || !scope || !focal_span_equal(focal_buf_view(&v->key), focal_span_of(line.b, sizeof line.b))) {
        focal_verify_note(v, "a log's row does not fit its name");
        return FOCAL_OK;
    }
    log->log = (struct focal_log){ .id = id, .line = line, .name = row.name, .base = row.base, .head = row.head };
    log->opening = row.opening;
    log->parent = row.parent;
    log->is_branch = row.number > 0;
    log->log.scope = *scope;
    if (row.opening > 0 && !may_open(&log->log))
        focal_verify_note_log(v, log, row.base.seq + 1, "its row names an opening, and it has none");
    const struct oplog_log *held = focal_oplog_line_of(v->ol, &line);
    log->limit = held && held->pub.serial < v->limit_count ? v->limits[held->pub.serial] : UINT64_MAX;
    log->contributes = focal_oplog_grants(v->ol, &log->log.name.author, scope);
    if (!log->contributes && log->log.head.seq > 0 && log->limit > 0)
        focal_verify_note_log(v, log, 1, "no certificate lets its author write there");
    v->total += log->log.head.seq - (log->log.head.seq < row.base.seq ? log->log.head.seq : row.base.seq);
    v->log_count++;
    return FOCAL_OK;
}

/* ---- chains ------------------------------------------------------------------------------------------------------------------------- */

enum focal_status focal_verify_segment(struct focal_verify *v, const struct verify_log *log, struct segment *s, struct focal_stretch *stretch,
                                       struct focal_hash **hashes)
{
    uint8_t key[SEGMENT_KEY_BYTES];
    struct focal_span at = focal_oplog_segment_key(key, &log->log.line, v->next);
    enum focal_status st = focal_store_get(v->store, FOCAL_SHELF_SEGMENT, at, &v->value);
    if (st == FOCAL_OK)
        st = focal_oplog_segment_decode(s, at, focal_buf_view(&v->value), false);
    focal_arena_reset(&v->arena);
    if (st == FOCAL_OK)
        st = focal_stretch_unpack(v->packer, stretch, &v->arena, s->packed);
    if (st != FOCAL_OK)
        return st == FOCAL_DAMAGED || st == FOCAL_MALFORMED || st == FOCAL_TOO_BIG ? FOCAL_NOT_FOUND : st;
    *hashes = focal_arena_alloc(&v->arena, stretch->count * sizeof **hashes);
    if (!*hashes)
        return FOCAL_NO_MEMORY;
    focal_oplog_hash(*hashes, stretch, 0, stretch->count, &log->log.id, &v->h);
    return FOCAL_OK;
}

static const char *fault(const struct focal_verify *v, const struct verify_log *log, const struct segment *s, const struct focal_stretch *stretch,
                         const struct focal_hash *hashes)
{
    const struct focal_tip tip = { .seq = s->last.seq, .h = hashes[stretch->count - 1] };
    if (!focal_hash_equal(&s->before, &v->h))
        return "its segment does not follow the one before";
    if (!focal_hash_equal(&tip.h, &s->last.h))
        return "what its segment holds does not give its hash";
    if (focal_stretch_canonical_bytes(stretch) != s->canonical)
        return "its segment's size is not as written down";
    if (focal_bytes_zero(s->signature.b, sizeof s->signature.b) ? !focal_oplog_is_vouched(v->ol, &log->log.id, &tip)
        : !focal_verify_head(&s->signature, &log->log.name.author, &v->ol->network, &log->log.id, &tip))
        return "its author's signature does not fit";
    if (s->first == 1 && may_open(&log->log) && focal_oplog_opening(&log->log.name, stretch->entries[0].payload) != log->opening)
        return "its opening is not as written down";
    return NULL;
}

void focal_verify_next_log(struct focal_verify *v)
{
    v->at++;
    if (v->at < v->log_count) {
        v->next = v->logs[v->at].log.base.seq + 1;
        v->h = v->logs[v->at].log.base.h;
    }
}

/* A branch begins at an entry of the line that it leaves. */
static enum focal_status base_fault(struct focal_verify *v, const struct verify_log *log, const char **wrong)
{
    const struct verify_log *parent = NULL;
    struct focal_hash h;
    *wrong = NULL;
    if (!log->is_branch)
        return FOCAL_OK;
    for (size_t i = 0; i < v->log_count && !parent; i++) {
        if (focal_id_equal(&v->logs[i].log.line, &log->parent))
            parent = &v->logs[i];
    }
    if (!parent || !focal_id_equal(&parent->log.id, &log->log.id)) {
        *wrong = "the line that its branch leaves is missing";
        return FOCAL_OK;
    }
    if (log->log.base.seq < parent->log.base.seq || log->log.base.seq >= parent->log.head.seq) {
        *wrong = "its branch leaves a place that the line does not have";
        return FOCAL_OK;
    }
    focal_arena_reset(&v->ol->arena);
    enum focal_status st = focal_oplog_hash_at(v->ol, v->store, &parent->log, log->log.base.seq, &h);
    if (st != FOCAL_OK && st != FOCAL_NOT_FOUND && st != FOCAL_DAMAGED)
        return st;
    if (st != FOCAL_OK || !focal_hash_equal(&h, &log->log.base.h))
        *wrong = "its branch does not fit the entry that it leaves";
    return FOCAL_OK;
}

static void start_logs(struct focal_verify *v)
{
    v->at = SIZE_MAX;
    focal_verify_next_log(v);
}

/* ---- what redaction needs ----------------------------------------------------------------------------------------------------------- */

static enum focal_status row_held(struct focal_verify *v, const struct verify_log *log, enum focal_shelf shelf, struct focal_span key, const char *what)
{
    v->wanted[shelf]++;
    enum focal_status st = focal_store_get(v->store, shelf, key, &v->index);
    if (st != FOCAL_NOT_FOUND)
        return st;
    focal_verify_note_log(v, log, v->next, what);
    return FOCAL_OK;
}

struct noticing { struct focal_verify *v; const struct verify_log *log; struct focal_ref notice; };

static enum focal_status check_target(void *data, uint8_t kind, struct focal_span target)
{
    struct noticing *n = data;
    uint8_t key[FOCAL_REDACTION_KEY_BYTES];
    if (!focal_oplog_redaction_key(key, &n->log->log, &n->notice, kind, target))
        return FOCAL_OK;
    return row_held(n->v, n->log, FOCAL_SHELF_REDACTION, focal_span_of(key, sizeof key), "what it redacts is not listed so");
}

/* Its postings, and the redactions in it. */
static enum focal_status check_listed(struct focal_verify *v, const struct verify_log *log, const struct focal_stretch *stretch, const struct focal_hash *hashes)
{
    enum focal_status st = focal_oplog_spoken_of(v->ol, &v->refs, &log->log, stretch, hashes);
    for (size_t at = 0; at < v->refs.len && st == FOCAL_OK; at += FOCAL_REF_BYTES) {
        uint8_t key[POSTING_KEY_BYTES];
        memcpy(key, v->refs.data + at, FOCAL_REF_BYTES);
        (void)focal_oplog_segment_key(key + FOCAL_REF_BYTES, &log->log.line, stretch->first);
        st = row_held(v, log, FOCAL_SHELF_POSTING, focal_span_of(key, sizeof key), "a record that it speaks of cannot be found by it");
    }
    for (size_t i = 0; i < stretch->count && st == FOCAL_OK && log->log.name.lane == FOCAL_LANE_NOTICES && log->contributes && stretch->first + i <= log->limit; i++) {
        struct noticing n = { .v = v, .log = log, .notice = { .log = log->log.id, .seq = stretch->first + i } };
        memcpy(n.notice.h8, hashes[i].b, sizeof n.notice.h8);
        st = focal_oplog_notice_targets(&log->log, &stretch->entries[i], check_target, &n);
    }
    return st;
}

static enum focal_status chains_slice(struct focal_verify *v, size_t *budget)
{
    while (v->at < v->log_count) {
        struct verify_log *log = &v->logs[v->at];
        if (v->next > log->log.head.seq) {
            const char *wrong;
            enum focal_status at_base = base_fault(v, log, &wrong);
            if (at_base != FOCAL_OK)
                return at_base;
            if (wrong)
                focal_verify_note_log(v, log, log->log.base.seq, wrong);
            if (v->next != log->log.head.seq + 1 || (log->log.head.seq > 0 && !focal_hash_equal(&v->h, &log->log.head.h)))
                focal_verify_note_log(v, log, log->log.head.seq, "its head is not where its segments end");
            focal_verify_next_log(v);
            continue;
        }
        if (*budget == 0)
            return FOCAL_MORE;
        struct segment s;
        struct focal_stretch stretch;
        struct focal_hash *hashes;
        enum focal_status st = focal_verify_segment(v, log, &s, &stretch, &hashes);
        if (st != FOCAL_OK && st != FOCAL_NOT_FOUND)
            return st;
        const char *what = st == FOCAL_NOT_FOUND ? "its segment is missing or damaged" : fault(v, log, &s, &stretch, hashes);
        if (what) {
            focal_verify_note_log(v, log, v->next, what);
            focal_verify_next_log(v);
            continue;
        }
        st = check_listed(v, log, &stretch, hashes);
        if (st == FOCAL_OK)
            st = focal_verify_redacted(v, log, &stretch, hashes);
        if (st != FOCAL_OK)
            return st;
        log->good = s.last.seq;
        v->h = s.last.h;
        v->next = s.last.seq + 1;
        v->entries += stretch.count;
        v->wanted[FOCAL_SHELF_SEGMENT]++;
        v->derived_bytes += s.canonical + (uint64_t)stretch.count * VERIFY_ENTRY_BYTES;
        *budget -= stretch.count < *budget ? stretch.count : *budget;
    }
    return FOCAL_OK;
}

/* ---- rows that nothing stands behind --------------------------------------------------------------------------------------------------- */

static const struct { enum focal_shelf shelf; const char *name; } counted[] = {
    { FOCAL_SHELF_SEGMENT, "segments" }, { FOCAL_SHELF_KIND, "records by kind" }, { FOCAL_SHELF_CODE, "records by code" },
    { FOCAL_SHELF_CONFLICT, "records in two versions" }, { FOCAL_SHELF_POSTING, "postings of records" },
    { FOCAL_SHELF_REDACTION, "redactions" },
};

static enum focal_status counts_slice(struct focal_verify *v, size_t *budget)
{
    while (v->at < sizeof counted / sizeof *counted) {
        enum focal_shelf shelf = counted[v->at].shelf;
        if (*budget == 0)
            return FOCAL_MORE;
        --*budget;
        enum focal_status st = focal_store_next(v->store, shelf, focal_buf_view(&v->key), &v->key, NULL);
        if (st == FOCAL_OK) {
            v->rows[shelf]++;
            continue;
        }
        if (st != FOCAL_NOT_FOUND)
            return st;
        if (v->rows[shelf] > v->wanted[shelf])
            focal_verify_note(v, "%llu %s more than there should be", (unsigned long long)(v->rows[shelf] - v->wanted[shelf]), counted[v->at].name);
        focal_buf_clear(&v->key);
        v->at++;
    }
    return FOCAL_OK;
}

/* ---- slices -------------------------------------------------------------------------------------------------------------------------------- */

/* Every row of a shelf, one after the other. */
static enum focal_status walk(struct focal_verify *v, size_t *budget, enum focal_shelf shelf, enum focal_status (*check)(struct focal_verify *))
{
    for (; *budget > 0; --*budget) {
        enum focal_status st = focal_store_next(v->store, shelf, focal_buf_view(&v->key), &v->key, &v->value);
        if (st != FOCAL_OK)
            return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
        st = check(v);
        if (st != FOCAL_OK)
            return st;
    }
    return FOCAL_MORE;
}

static enum focal_status phase_slice(struct focal_verify *v, size_t *budget)
{
    switch (v->phase) {
    case VERIFY_STATEMENTS: return walk(v, budget, FOCAL_SHELF_STATEMENT, check_statement);
    case VERIFY_RECEIPTS: return walk(v, budget, FOCAL_SHELF_RECEIPT, check_receipt);
    case VERIFY_LOGS: return walk(v, budget, FOCAL_SHELF_LOG, read_log);
    case VERIFY_CHAINS: return chains_slice(v, budget);
    case VERIFY_ENTRIES: return focal_verify_entries_slice(v, budget);
    case VERIFY_PARTS: return focal_verify_parts_slice(v, budget);
    case VERIFY_COUNTS: return counts_slice(v, budget);
    case VERIFY_DONE: break;
    }
    return FOCAL_OK;
}

static void next_phase(struct focal_verify *v)
{
    focal_buf_clear(&v->key);
    v->phase++;
    if (v->phase == VERIFY_CHAINS)
        start_logs(v);
    if (v->phase == VERIFY_ENTRIES) {
        v->pass_count = v->derived_bytes / VERIFY_PASS_BYTES + 1;
        v->pass = 0;
    }
    if (v->phase == VERIFY_COUNTS && ++v->pass < v->pass_count)
        v->phase = VERIFY_ENTRIES;
    if (v->phase == VERIFY_ENTRIES) {
        start_logs(v);
        focal_verify_pass_start(v);
    }
    if (v->phase == VERIFY_COUNTS) {
        if (v->pieces > v->wanted[FOCAL_SHELF_PART])
            focal_verify_note(v, "%llu pieces of parts more than there should be", (unsigned long long)(v->pieces - v->wanted[FOCAL_SHELF_PART]));
        v->at = 0;
        focal_oplog_batch_clear(&v->batch);
    }
}

enum focal_status focal_verify_slice(struct focal_verify *v, size_t budget)
{
    if (budget == 0)
        budget = 1;
    while (v->phase != VERIFY_DONE) {
        enum focal_status st = phase_slice(v, &budget);
        if (st != FOCAL_OK)
            return st;
        next_phase(v);
    }
    return FOCAL_OK;
}

uint64_t focal_verify_entries(const struct focal_verify *v)
{
    return v->entries;
}

uint64_t focal_verify_progress_permille(const struct focal_verify *v)
{
    const uint64_t total = v->total ? v->total : 1;
    if (v->phase == VERIFY_DONE)
        return 1000;
    if (v->phase < VERIFY_ENTRIES)
        return v->phase < VERIFY_CHAINS ? 0 : v->entries * 300 / total;
    if (v->phase == VERIFY_COUNTS)
        return 990;
    uint64_t share = 680 / v->pass_count, done = v->phase == VERIFY_ENTRIES ? v->pass_entries * share / total : share;
    return 300 + v->pass * share + (done > share ? share : done);
}

bool focal_verify_digest(const struct focal_verify *v, size_t i, struct focal_scope *scope, struct focal_hash *digest)
{
    for (size_t s = 0; s < v->scope_count; s++) {
        if (!v->scopes[s].reads || i-- > 0)
            continue;
        *scope = v->scopes[s].scope;
        memcpy(digest->b, v->scopes[s].sum, sizeof digest->b);
        return true;
    }
    return false;
}
