/* Our own entries. They are hashed, chained and applied as they are written, and signed when their transaction ends or
 * a segment is full.
 *
 * What one commit writes to one log forms salt runs, each with a seed used nowhere else. A run is over when a segment that
 * holds any of it is stored: from then on its first and last stand in bytes that others will hold. */
#include "inside.h"

#include <stdlib.h>

enum { PERMILLE_FIRST = 700, RUNS_MAX = FOCAL_STRETCH_ENTRIES_MAX };

struct own_entry { struct focal_hash h; uint32_t at, header_len, payload_len; };

struct own_stretch {
    struct focal_hash before;
    uint64_t first;
    size_t count, cap, run_count, run_cap;
    struct own_entry *entries;
    struct focal_salt_run *runs;
    bool run_open;                      /* the last run may grow */
    struct focal_buf bytes;             /* headers and payloads, as they lie */
    size_t canonical;
    uint32_t permille;                  /* packed for canonical bytes, as the last packing told */
};

void focal_oplog_own_free(struct oplog_log *log)
{
    struct own_stretch *own = log->own;
    if (!own)
        return;
    focal_free(own->entries);
    focal_free(own->runs);
    focal_buf_wipe_close(&own->bytes);
    focal_free(own);
    log->own = NULL;
}

void focal_oplog_own_forget(struct focal_oplog *ol)
{
    for (size_t i = 0; i < ol->log_count; i++)
        focal_oplog_own_free(ol->logs[i]);
}

/* ---- closing: packs, signs, stores --------------------------------------------------------------------------------------------- */

/* The first n entries as a stretch whose entries look into own->bytes; memory is the packing buffer's. */
static bool view(struct focal_stretch *s, struct own_stretch *own, size_t n, struct focal_stretch_entry *entries)
{
    *s = (struct focal_stretch){ .first = own->first, .count = n, .entries = entries, .runs = own->runs };
    for (size_t i = 0; i < own->run_count; i++) {       /* a quote has the salt that it quotes, kept where others have their seed */
        if (!own->runs[i].has_seed)
            own->runs[i].salts = focal_span_of(own->runs[i].seed, sizeof own->runs[i].seed);
    }
    for (size_t i = 0; i < n; i++) {
        const struct own_entry *e = &own->entries[i];
        const uint8_t *at = own->bytes.data + e->at;
        entries[i] = (struct focal_stretch_entry){ .header = focal_span_of(at, e->header_len), .has_payload = true,
            .payload = focal_span_of(at + e->header_len, e->payload_len) };
    }
    while (s->run_count < own->run_count && own->runs[s->run_count].first < own->first + n)
        s->run_count++;
    return s->run_count > 0;
}

/* Packs as many of the entries as fit a message; n: how many. */
static enum focal_status pack_some(struct focal_oplog *ol, struct own_stretch *own, size_t *n, size_t *canonical)
{
    struct focal_stretch_entry *entries = focal_alloc(own->count * sizeof *entries);
    if (!entries)
        return FOCAL_NO_MEMORY;
    enum focal_status st;
    for (*n = own->count;;) {
        struct focal_stretch s;
        bool salted = view(&s, own, *n, entries);
        focal_assert(salted);
        focal_buf_clear(&ol->scratch);
        st = focal_stretch_pack(ol->packer, &ol->scratch, &s);
        focal_assert(st == FOCAL_OK || st == FOCAL_NO_MEMORY);
        *canonical = focal_stretch_canonical_bytes(&s);
        if (st != FOCAL_OK || ol->scratch.len <= OWN_SEGMENT_MOST || *n == 1)
            break;
        const size_t fewer = (size_t)((uint64_t)*n * OWN_SEGMENT_TARGET / ol->scratch.len);     /* than n: it is over the target */
        *n = fewer == 0 ? 1 : fewer;
    }
    focal_free(entries);
    if (st == FOCAL_OK)
        own->permille = (uint32_t)((uint64_t)ol->scratch.len * 1000 / *canonical) + 1;
    return st;
}

static void shift(struct own_stretch *own, size_t n, size_t canonical)
{
    const size_t bytes = n < own->count ? own->entries[n].at : own->bytes.len;
    own->before = own->entries[n - 1].h;
    own->first += n;
    own->count -= n;
    own->canonical -= canonical;
    memmove(own->entries, own->entries + n, own->count * sizeof *own->entries);
    for (size_t i = 0; i < own->count; i++)
        own->entries[i].at -= (uint32_t)bytes;
    memmove(own->bytes.data, own->bytes.data + bytes, own->bytes.len - bytes);
    focal_buf_truncate(&own->bytes, own->bytes.len - bytes);
    size_t over = 0;
    while (over < own->run_count && own->runs[over].last < own->first)
        over++;
    own->run_count -= over;
    memmove(own->runs, own->runs + over, own->run_count * sizeof *own->runs);
    own->run_open = false;
}

static bool at_limit(const struct own_stretch *own, size_t more_bytes)
{
    return own->count >= FOCAL_STRETCH_ENTRIES_MAX || own->canonical + more_bytes > FOCAL_STRETCH_BYTES_MAX;
}

static bool looks_full(const struct own_stretch *own)
{
    return (uint64_t)own->canonical * own->permille / 1000 >= OWN_SEGMENT_TARGET || at_limit(own, FOCAL_ORDINARY_MAX);
}

static enum focal_status post_own(struct focal_oplog *ol, const struct oplog_log *log, struct own_stretch *own, size_t n)
{
    if (!focal_oplog_redactable(&log->pub))
        return FOCAL_OK;
    struct focal_stretch_entry *entries = focal_alloc(n * sizeof *entries);
    struct focal_hash *hashes = focal_alloc(n * sizeof *hashes);
    enum focal_status st = entries && hashes ? FOCAL_OK : FOCAL_NO_MEMORY;
    if (st == FOCAL_OK) {
        struct focal_stretch s;
        bool salted = view(&s, own, n, entries);
        focal_assert(salted);
        for (size_t i = 0; i < n; i++)
            hashes[i] = own->entries[i].h;
        st = focal_oplog_post(ol, &log->pub, &s, hashes);
    }
    focal_free(entries);
    focal_free(hashes);
    return st;
}

/* all: until nothing is left. Else only while there is a segment's worth. */
enum focal_status focal_oplog_own_close(struct focal_oplog *ol, struct oplog_log *log, bool all)
{
    struct own_stretch *own = log->own;
    focal_assert(own != NULL);
    while (own->count > 0 && (all || looks_full(own))) {
        size_t n, canonical;
        enum focal_status st = pack_some(ol, own, &n, &canonical);
        if (st != FOCAL_OK)
            return st;
        /* Packs better than it looked: it goes on growing, and packing again later costs little. */
        if (!all && ol->scratch.len < OWN_SEGMENT_LEAST && !at_limit(own, FOCAL_ORDINARY_MAX))
            return FOCAL_OK;
        struct segment s = { .first = own->first, .before = own->before, .canonical = (uint32_t)canonical,
            .last = { .seq = own->first + (n - 1), .h = own->entries[n - 1].h }, .packed = focal_buf_view(&ol->scratch) };
        focal_sign_head(&s.signature, ol->keys->sign_secret, &ol->network, &log->pub.id, &s.last);
        st = focal_oplog_append(ol, log, &s);
        if (st == FOCAL_OK)
            st = post_own(ol, log, own, n);
        if (st != FOCAL_OK)
            return st;
        shift(own, n, canonical);
    }
    if (own->count == 0)
        focal_oplog_own_free(log);
    return FOCAL_OK;
}

enum focal_status focal_oplog_seal(struct focal_oplog *ol)
{
    for (size_t i = 0; i < ol->log_count; i++) {
        enum focal_status st = ol->logs[i]->own ? focal_oplog_own_close(ol, ol->logs[i], true) : FOCAL_OK;
        if (st != FOCAL_OK)
            return st;
    }
    enum focal_status st = focal_oplog_again_slice(ol);
    if (st == FOCAL_OK)
        st = focal_oplog_enforce(ol);
    return st == FOCAL_OK ? focal_oplog_flush(ol) : st;
}

/* ---- appending --------------------------------------------------------------------------------------------------------------------- */

static enum focal_status own_open(struct focal_oplog *ol, struct oplog_log *log)
{
    enum focal_status st = FOCAL_OK;
    if (log->own)
        return FOCAL_OK;
    if (log->pub.staged.seq > log->pub.head.seq)        /* what a peer says we are about to write, unsigned: anybody can */
        st = focal_oplog_staging_drop(ol, log);
    if (st != FOCAL_OK)
        return st;
    struct own_stretch *own = focal_alloc(sizeof *own);
    if (!own)
        return FOCAL_NO_MEMORY;
    own->before = log->pub.head.h;
    own->first = log->pub.head.seq + 1;
    own->permille = PERMILLE_FIRST;
    focal_buf_init(&own->bytes, FOCAL_STRETCH_BYTES_MAX + FOCAL_ENTRY_MAX);
    log->own = own;
    return FOCAL_OK;
}

/* salt: of a quote, in a run by itself; NULL: drawn. */
static enum focal_status extend_run(struct focal_oplog *ol, struct own_stretch *own, uint64_t seq, const uint8_t *salt)
{
    struct focal_salt_run *last = own->run_count ? &own->runs[own->run_count - 1] : NULL;
    if (last && !salt && own->run_open && seq - last->first < FOCAL_RUN_SEQS_MAX) {
        last->last = seq;
        return FOCAL_OK;
    }
    void *list = own->runs;
    enum focal_status st = focal_oplog_room(&list, &own->run_cap, own->run_count, sizeof *own->runs);
    own->runs = list;
    if (st != FOCAL_OK)
        return st;
    struct focal_salt_run *run = &own->runs[own->run_count++];
    *run = (struct focal_salt_run){ .first = seq, .last = seq, .has_seed = !salt };
    if (salt)
        memcpy(run->seed, salt, sizeof run->seed);
    else if (!FOCAL_PLANTED(SEED_USED_AGAIN))
        ol->entropy.fill(ol->entropy.data, run->seed, sizeof run->seed);
    own->run_open = !salt;
    return FOCAL_OK;
}

static uint64_t next_seq(const struct oplog_log *log)
{
    return log->own ? log->own->first + log->own->count : log->pub.head.seq + 1;
}

/* Appends, hashes and applies. The header's sequence is next_seq. quoted_salt: NULL but for quotes. */
static enum focal_status put(struct focal_oplog *ol, struct oplog_log *log, const struct focal_header *header, struct focal_span payload,
                             const uint8_t *quoted_salt, struct focal_hash *h)
{
    enum focal_status st = own_open(ol, log);
    if (st != FOCAL_OK)
        return st;
    struct own_stretch *own = log->own;
    focal_assert(!at_limit(own, FOCAL_ORDINARY_MAX));       /* after each entry it is closed as long as it looks full */
    void *list = own->entries;
    st = focal_oplog_room(&list, &own->cap, own->count, sizeof *own->entries);
    own->entries = list;
    if (st == FOCAL_OK)
        st = extend_run(ol, own, header->seq, quoted_salt);
    if (st != FOCAL_OK)
        return st;

    struct own_entry *e = &own->entries[own->count];
    e->at = (uint32_t)own->bytes.len;
    focal_header_encode(&own->bytes, header);
    e->header_len = (uint32_t)(own->bytes.len - e->at);
    focal_buf_span(&own->bytes, payload);
    e->payload_len = (uint32_t)payload.len;
    if (own->bytes.failed)
        return FOCAL_NO_MEMORY;
    const struct focal_stretch_entry entry = { .has_payload = true,
        .header = focal_span_of(own->bytes.data + e->at, e->header_len),
        .payload = focal_span_of(own->bytes.data + e->at + e->header_len, e->payload_len) };
    uint8_t salt[FOCAL_SALT_BYTES];
    struct focal_hash c;
    if (quoted_salt)
        memcpy(salt, quoted_salt, sizeof salt);
    else
        focal_salt_from_seed(salt, own->runs[own->run_count - 1].seed, header->seq);
    focal_commitment(&c, salt, payload);
    focal_chain_next(&e->h, own->count ? &own->entries[own->count - 1].h : &own->before, &log->pub.id, entry.header, &c);
    *h = e->h;
    own->count++;
    own->canonical += e->header_len + e->payload_len;
    st = focal_oplog_apply_one(ol, log, &entry, header->seq, h);
    return st == FOCAL_OK && looks_full(own) ? focal_oplog_own_close(ol, log, false) : st;
}

/* ---- logs ------------------------------------------------------------------------------------------------------------------ */

static int previous_order(const void *a, const void *b)
{
    return memcmp(a, b, FOCAL_PREVIOUS_BYTES);
}

/* Tips of what this office wrote in this scope and lane under earlier epochs and keys. */
static void previous_tips(const struct focal_oplog *ol, const struct focal_log *of, struct focal_buf *out)
{
    const struct focal_certificate *mine = focal_oplog_mine(ol);
    size_t count = 0;
    for (size_t i = 0; i < ol->log_count; i++) {
        const struct focal_log *log = &ol->logs[i]->pub;
        const struct focal_certificate *c = focal_oplog_certificate_by_sign(ol, &log->name.author);
        if (log == of || focal_log_tip(log)->seq <= log->base.seq || log->name.lane != of->name.lane || !c || !mine
            || !focal_hash_equal(&log->name.scope, &of->name.scope) || strcmp(c->office.text, mine->office.text) != 0)
            continue;
        if ((count + 1) * FOCAL_PREVIOUS_BYTES > FOCAL_ORDINARY_MAX / 2)
            break;
        focal_buf_bytes(out, log->id.b, sizeof log->id.b);
        focal_buf_be64(out, focal_log_tip(log)->seq);
        focal_buf_bytes(out, focal_log_tip(log)->h.b, sizeof log->head.h.b);
        count++;
    }
    if (count > 1 && !out->failed)
        qsort(out->data, count, FOCAL_PREVIOUS_BYTES, previous_order);
}

enum focal_status focal_oplog_own_log(struct focal_oplog *ol, struct oplog_log **out, struct oplog_scope *scope, uint8_t lane, struct focal_span begin)
{
    if (scope->own[lane]) {
        *out = scope->own[lane];
        return FOCAL_OK;
    }
    struct focal_log_name name = { .author = ol->keys->sign_public, .epoch = ol->epoch, .scope = scope->id, .lane = lane };
    struct focal_id id;
    focal_log_id(&id, &ol->network, &name);
    struct oplog_log *log = focal_oplog_log_of(ol, &id);
    enum focal_status st = FOCAL_OK;
    if (!log)
        st = focal_oplog_log_add(ol, &log, &name, &scope->scope);
    if (st != FOCAL_OK)
        return st;
    *out = scope->own[lane] = log;
    if (next_seq(log) > 1)
        return FOCAL_OK;
    struct focal_buf tips;
    struct focal_hash h;
    focal_buf_init(&tips, FOCAL_ORDINARY_MAX);
    previous_tips(ol, &log->pub, &tips);
    const struct focal_header header = { .shape = FOCAL_SHAPE_BEGIN, .seq = 1, .previous = focal_buf_view(&tips) };
    st = tips.failed ? FOCAL_NO_MEMORY : put(ol, log, &header, begin, NULL, &h);
    focal_buf_close(&tips);
    return st;
}

/* ---- the door ---------------------------------------------------------------------------------------------------------------------------- */

static int replaced_order(const void *a, const void *b)
{
    return memcmp(a, b, FOCAL_REPLACED_BYTES);
}

/* Names in strict order, whatever the caller's; in ol->names. */
static bool put_replaced(struct focal_oplog *ol, const struct focal_write *w, struct focal_span *out)
{
    struct focal_buf *names = &ol->names;
    focal_buf_clear(names);
    for (size_t i = 0; i < w->replaced_count; i++)
        focal_replaced_put(names, &w->replaced[i]);
    if (names->failed)
        return false;
    size_t kept = names->len > 0 ? 1 : 0;
    if (w->replaced_count > 1)
        qsort(names->data, w->replaced_count, FOCAL_REPLACED_BYTES, replaced_order);
    for (size_t i = 1; i < w->replaced_count; i++) {
        const uint8_t *name = names->data + i * FOCAL_REPLACED_BYTES;
        if (memcmp(names->data + (kept - 1) * FOCAL_REPLACED_BYTES, name, FOCAL_REPLACED_BYTES) != 0)
            memmove(names->data + kept++ * FOCAL_REPLACED_BYTES, name, FOCAL_REPLACED_BYTES);
    }
    focal_buf_truncate(names, kept * FOCAL_REPLACED_BYTES);
    *out = focal_buf_view(names);
    return true;
}

enum { HEADER_FIXED_MAX = 2 + 10 + 2 + FOCAL_REF_BYTES + 4 };

static struct oplog_scope *writable(const struct focal_oplog *ol, const struct focal_scope *scope)
{
    struct oplog_scope *found = NULL;
    for (size_t i = 0; i < ol->scope_count && !found; i++) {
        if (focal_scope_compare(&ol->scopes[i]->scope, scope) == 0)
            found = ol->scopes[i];
    }
    /* A log of ours in it is proof enough: certificates grant for ever, unless the authority was changed. */
    return found && ol->has_keys && !focal_oplog_cut_off(ol, &ol->keys->sign_public, scope) && focal_oplog_epoch_allowed(ol)
           && ((found->own[FOCAL_LANE_DATA] && !ol->statements.authority) || focal_oplog_grants(ol, &ol->keys->sign_public, scope)) ? found : NULL;
}

/* NULL: err says why. */
static struct oplog_scope *scope_to_write(const struct focal_oplog *ol, const struct focal_scope *of, struct focal_error *err)
{
    struct oplog_scope *scope = writable(ol, of);
    char name[16];
    focal_scope_print(name, of);
    if (!scope && ol->has_keys && focal_oplog_cut_off(ol, &ol->keys->sign_public, of))
        (void)focal_fail(err, FOCAL_DENIED, "what is written now would count nowhere; ask headquarters. A new membership needs a new key",
                         "the authority has taken from this office the right to write in %s", name);
    else if (!scope)
        (void)focal_fail(err, FOCAL_DENIED, "ask headquarters for a certificate that lists this scope", "this office may not write in %s", name);
    return scope;
}

/* The last look before bytes that every member reads are signed for ever. */
static bool in_clear(const struct focal_payload *payload)
{
    struct focal_value_walk walk = { 0 };
    struct focal_item item;
    struct focal_sealed sealed;
    while (focal_payload_next(payload, &walk, &item))
        if (focal_field_is_sealed(item.field) && focal_sealed_decode(&sealed, item.value) != FOCAL_OK)
            return true;
    return false;
}

enum focal_status focal_oplog_write(struct focal_oplog *ol, const struct focal_write *w, struct focal_ref *ref, struct focal_error *err)
{
    static const uint8_t nothing = FOCAL_KIND_NOTHING;
    struct oplog_scope *scope = scope_to_write(ol, &w->scope, err);
    if (!scope)
        return FOCAL_DENIED;
    if (w->payload.len + w->replaced_count * FOCAL_REPLACED_BYTES + HEADER_FIXED_MAX > FOCAL_ORDINARY_MAX)
        return focal_fail(err, FOCAL_TOO_BIG, "split it into several changes", "a change of more than %d bytes", FOCAL_ORDINARY_MAX);
    struct focal_payload payload;
    enum focal_status st = focal_payload_decode(&payload, w->payload);
    focal_assert(st == FOCAL_OK);       /* signed bytes cannot be taken back */
    if (in_clear(&payload) && !FOCAL_PLANTED(SEALED_IN_CLEAR))
        return focal_fail(err, FOCAL_REFUSED, "leave the field out, and report this", "a sealed field is not sealed");
    struct oplog_log *log = NULL;
    st = focal_oplog_epoch_ensure(ol, err);
    if (st == FOCAL_OK)
        st = focal_oplog_own_log(ol, &log, scope, w->lane, focal_span_of(&nothing, 1));
    if (st != FOCAL_OK)
        return st;
    bool redacted = false;
    if (!w->creates)
        st = focal_oplog_record_redacted(ol, &w->record, &scope->id, &redacted);
    if (st != FOCAL_OK)
        return st;
    if (redacted)
        return focal_fail(err, FOCAL_NO_LONGER, "`focalctl history` says by whom", "the record was redacted, and takes nothing more");
    struct focal_header header = { .shape = FOCAL_SHAPE_ORDINARY, .seq = next_seq(log), .creates = w->creates, .record = w->record };
    struct focal_hash h;
    if (!put_replaced(ol, w, &header.replaced))
        return FOCAL_NO_MEMORY;
    st = put(ol, log, &header, w->payload, NULL, &h);
    if (st != FOCAL_OK)
        return st;
    ref->log = log->pub.id;
    ref->seq = header.seq;
    memcpy(ref->h8, h.b, sizeof ref->h8);
    return FOCAL_OK;
}

enum focal_status focal_oplog_quote(struct focal_oplog *ol, const struct focal_scope *of, const struct focal_quote *q, struct focal_error *err)
{
    static const uint8_t nothing = FOCAL_KIND_NOTHING;
    struct oplog_scope *scope = scope_to_write(ol, of, err);
    struct oplog_log *log = NULL;
    struct focal_hash h;
    if (!scope)
        return FOCAL_DENIED;
    enum focal_status st = focal_oplog_epoch_ensure(ol, err);
    if (st == FOCAL_OK)
        st = focal_oplog_own_log(ol, &log, scope, FOCAL_LANE_DATA, focal_span_of(&nothing, 1));
    if (st == FOCAL_OK && log->own && at_limit(log->own, FOCAL_ENTRY_MAX))     /* it may be larger than what we write else */
        st = focal_oplog_own_close(ol, log, true);
    if (st != FOCAL_OK)
        return st;
    struct focal_header header = { .shape = FOCAL_SHAPE_QUOTE, .seq = next_seq(log), .quoted_author = q->author, .quoted_epoch = q->epoch,
                                   .quoted_before = q->before, .quoted_header = q->header };
    focal_commitment(&header.quoted_commitment, q->salt, q->payload);
    return put(ol, log, &header, q->payload, q->salt, &h);
}
