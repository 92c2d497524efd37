/* MERGE: remote changes of single fields in random order, admitted by a replica that holds the records: chain, signature,
 * storage and merging, in one process and without a link. An author on a store of its own makes the history first. */
#include "bench.h"
#include "focal/crypto_store.h"

#include "focal/node.h"
#include "focal/store_sqlite.h"

#include <string.h>
#include <time.h>

enum { WRITES_PER_COMMIT = 65536, CHECKED = 2000, DAY = 20000, PIECES_BYTES_MAX = 1 << 30 };

/* Remote entries in one transaction: as many as pay, and as many as a daemon takes whose loop must not stand still. The
 * second try takes in only a part of the changes. */
static const size_t transactions[] = { 65536, FOCAL_STEP_ENTRIES_MAX };
static const size_t parts[] = { 1, 5 };
enum { TRIES = sizeof transactions / sizeof *transactions };

struct replica { struct focal_store *store; struct focal_oplog *oplog; struct focal_node_keys keys; };

/* Pieces of the author's logs as they would travel. */
struct piece { struct focal_piece is; uint32_t log; size_t at, len; };
struct history {
    struct focal_log_name names[8]; size_t name_count;
    uint64_t told[8];                   /* of each log, the last sequence below */
    struct piece *pieces; size_t piece_count, piece_cap;
    struct focal_buf bytes;
};

struct merge {
    struct bench *b;
    struct cases before, after;         /* the values of the same records, first and last */
    struct replica author, reader;
    struct focal_buf genesis, certificate;
    struct focal_hash network, home;
    struct focal_entropy entropy;
    struct draw draw;
    struct focal_ref *refs;             /* of the records */
    uint32_t *order;                    /* of the changes */
    struct history creations, changes;
};

/* ---- two replicas of one network ---- */

static enum focal_status network_make(struct merge *m)
{
    struct focal_sign_key authority;
    struct focal_genesis g;
    struct focal_certificate c;
    struct focal_buf body;
    uint8_t random[96];

    draw_fill(&m->draw, random, sizeof random);
    focal_sign_key_make(&authority, random);
    memset(&g, 0, sizeof g);
    memset(&c, 0, sizeof c);
    (void)snprintf(g.label, sizeof g.label, "Bench");
    g.authority = g.recovery = authority.public;
    g.day = DAY;
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_genesis_encode(&body, &g);
    focal_network_id(&m->network, focal_buf_view(&body));
    focal_statement_sign(&m->genesis, authority.secret, NULL, focal_buf_view(&body));
    focal_buf_clear(&body);

    draw_fill(&m->draw, random, sizeof random);
    focal_node_keys_make(&m->author.keys, random);
    draw_fill(&m->draw, random, sizeof random);
    focal_node_keys_make(&m->reader.keys, random);
    (void)snprintf(c.office.text, sizeof c.office.text, "KEN");
    c.role = FOCAL_ROLE_OFFICE;
    c.read[0] = c.write[0] = (struct focal_scope){ .cls = FOCAL_SCOPE_CONTROL };
    c.read[1] = c.write[1] = (struct focal_scope){ .cls = FOCAL_SCOPE_NETWORK };
    c.read[2] = c.write[2] = (struct focal_scope){ .cls = FOCAL_SCOPE_COUNTRY, .country = "KEN" };
    c.read_count = c.write_count = 3;
    focal_node_keys_public(&c.keys, &m->author.keys);
    c.number = 1;
    c.from_day = DAY;
    c.to_day = DAY + 366;
    c.openings_max = 400;
    focal_certificate_encode(&body, &c);
    focal_statement_sign(&m->certificate, authority.secret, &m->network, focal_buf_view(&body));
    focal_scope_id(&m->home, &m->network, &c.read[2]);
    focal_sign_key_wipe(&authority);
    enum focal_status status = body.failed || m->genesis.failed || m->certificate.failed ? FOCAL_NO_MEMORY : FOCAL_OK;
    focal_buf_close(&body);
    return status;
}

static enum focal_status commit(struct replica *r)
{
    enum focal_status status = focal_oplog_seal(r->oplog);

    if (status == FOCAL_OK)
        status = focal_store_commit(r->store);
    if (status == FOCAL_OK)
        focal_oplog_committed(r->oplog);
    return status;
}

static enum focal_status replica_open(struct merge *m, struct replica *r, const char *name, struct focal_error *err)
{
    static const struct focal_store_key key = { .id = "the bench", .secret = "as the daemon's, and not secret" };
    char path[PATH_BYTES];
    struct focal_sqlite_options options = { .path = path, .create = true, .key = &key, .entropy = m->entropy };
    enum focal_status status = place_path(path, err, "%s/%s.focal", m->b->dir, name);

    if (status == FOCAL_OK)
        status = focal_sqlite_open(&r->store, &options, err);
    if (status == FOCAL_OK)
        status = focal_oplog_found(r->store, focal_buf_view(&m->genesis));
    if (status == FOCAL_OK)
        status = focal_oplog_open(&r->oplog, r->store, &r->keys, &m->entropy, NULL, err);
    if (status == FOCAL_OK)
        status = focal_store_begin(r->store);
    if (status == FOCAL_OK)
        status = focal_oplog_add_statement(r->oplog, focal_buf_view(&m->certificate));
    return status ? status : commit(r);
}

static void replica_close(struct replica *r)
{
    focal_oplog_close(r->oplog);
    focal_store_close(r->store);
    r->oplog = NULL;
    r->store = NULL;
}

/* ---- what the author writes ---- */

/* One entry of record k: field f alone, or all of them (f = FIELDS) with the home scope, which creates the record. */
static enum focal_status write_one(struct merge *m, size_t k, size_t f, struct focal_buf *payload, struct focal_error *err)
{
    bool creates = f == FIELDS;
    struct focal_item items[FIELDS];
    struct focal_span home = focal_span_of(m->home.b, sizeof m->home.b);
    struct focal_replaced replaced = { .entry = m->refs[k], .ordinal = (uint16_t)(creates ? 0 : f) };
    struct focal_ref ref;
    size_t n = 0;

    for (size_t i = creates ? 0 : f; i < (creates ? FIELDS : f + 1); i++) {
        const struct choice *v = cases_value(creates ? &m->before : &m->after, k, i);
        items[n++] = (struct focal_item){ .field = m->before.fields[i].field->number, .value = focal_span_of(v->bytes, v->len) };
    }
    focal_buf_clear(payload);
    focal_payload_encode(payload, FOCAL_KIND_CASE, creates ? &home : NULL, NULL, items, n);
    struct focal_write w = { .scope = { .cls = FOCAL_SCOPE_NETWORK }, .creates = creates, .record = m->refs[k], .replaced = &replaced,
                             .replaced_count = creates ? 0 : 1, .payload = focal_buf_view(payload) };
    enum focal_status status = payload->failed ? FOCAL_NO_MEMORY : focal_oplog_write(m->author.oplog, &w, &ref, err);
    if (status == FOCAL_OK && creates)
        m->refs[k] = ref;
    return status;
}

/* All creations, or all changes in their random order. */
static enum focal_status write_all(struct merge *m, bool creations, struct focal_error *err)
{
    size_t count = creations ? m->b->records : m->b->records * FIELDS;
    enum focal_status status = focal_store_begin(m->author.store);
    struct focal_buf payload;

    focal_buf_init(&payload, FOCAL_ENTRY_MAX);
    for (size_t i = 0; status == FOCAL_OK && i < count; i++) {
        size_t k = creations ? i : m->order[i] / FIELDS, f = creations ? FIELDS : m->order[i] % FIELDS;
        status = write_one(m, k, f, &payload, err);
        if (status == FOCAL_OK && (i + 1) % WRITES_PER_COMMIT == 0 && i + 1 < count) {
            status = commit(&m->author);
            if (status == FOCAL_OK)
                status = interrupted(m->b) ? focal_fail(err, FOCAL_CANCELLED, "", "interrupted") : focal_store_begin(m->author.store);
            progress(m->b, "merge: an author writes %s, %zu of %zu", creations ? "records" : "changes", i + 1, count);
        }
    }
    focal_buf_close(&payload);
    return status ? status : commit(&m->author);
}

static enum focal_status keep_piece(struct history *h, const struct piece *p)
{
    if (h->piece_count == h->piece_cap) {
        size_t cap = h->piece_cap ? 2 * h->piece_cap : 1024;
        struct piece *grown = focal_realloc(h->pieces, cap * sizeof *grown);
        if (!grown)
            return FOCAL_NO_MEMORY;
        h->pieces = grown;
        h->piece_cap = cap;
    }
    h->pieces[h->piece_count++] = *p;
    return FOCAL_OK;
}

/* Everything of the author's after what `since` tells, as pieces. */
static enum focal_status collect(struct merge *m, struct history *h, const struct history *since)
{
    struct focal_buf packed;
    enum focal_status status = FOCAL_OK;

    focal_buf_init(&h->bytes, PIECES_BYTES_MAX);
    focal_buf_init(&packed, FOCAL_SEGMENT_PACKED_MAX);
    h->name_count = focal_oplog_log_count(m->author.oplog);
    focal_assert(h->name_count <= sizeof h->names / sizeof h->names[0]);
    for (uint32_t i = 0; status == FOCAL_OK && i < h->name_count; i++) {
        const struct focal_log *log = focal_oplog_log_at(m->author.oplog, i);
        h->names[i] = log->name;
        h->told[i] = since && i < since->name_count ? since->told[i] : 0;
        while (status == FOCAL_OK && h->told[i] < log->head.seq) {
            struct piece p = { .log = i, .at = h->bytes.len };
            focal_buf_clear(&packed);
            status = focal_oplog_read(m->author.oplog, log, h->told[i] + 1, FOCAL_SEGMENT_PACKED_MAX, &p.is, &packed);
            p.len = packed.len;
            focal_buf_span(&h->bytes, focal_buf_view(&packed));
            h->told[i] = p.is.last;
            if (status == FOCAL_OK)
                status = keep_piece(h, &p);
        }
    }
    if (h->bytes.failed || packed.failed)
        status = FOCAL_NO_MEMORY;
    focal_buf_close(&packed);
    return status;
}

/* ---- what the reader does with it ---- */

static enum focal_status admit(struct merge *m, const struct history *h, const struct piece *p, struct focal_error *err)
{
    const struct focal_log *log;
    struct focal_incoming in = { .name = &h->names[p->log], .before = p->is.before, .packed = focal_span_of(h->bytes.data + p->at, p->len),
                                 .signature = p->is.is_signed ? &p->is.signature : NULL };

    return focal_oplog_admit(m->reader.oplog, &in, &log, err);
}

static enum focal_status admit_some(struct merge *m, const struct history *h, size_t pieces, size_t entries_per_commit, size_t *admitted,
                                    struct focal_error *err)
{
    enum focal_status status = focal_store_begin(m->reader.store);
    size_t waiting = 0;

    *admitted = 0;
    for (size_t i = 0; status == FOCAL_OK && i < pieces; i++) {
        const struct piece *p = &h->pieces[i];
        size_t entries = (size_t)(p->is.last - p->is.first + 1);
        if (waiting && waiting + entries > entries_per_commit) {
            status = commit(&m->reader);
            if (status == FOCAL_OK)
                status = interrupted(m->b) ? focal_fail(err, FOCAL_CANCELLED, "", "interrupted") : focal_store_begin(m->reader.store);
            waiting = 0;
            if (i % 64 < 4)
                progress(m->b, "merge: a reader takes them in, %zu of %zu pieces, %zu entries a commit", i, pieces, entries_per_commit);
        }
        if (status == FOCAL_OK)
            status = admit(m, h, p, err);
        waiting += entries;
        *admitted += entries;
    }
    return status ? status : commit(&m->reader);
}

/* A drawn few of the records: exactly the last values are live. */
static enum focal_status check(struct merge *m)
{
    struct focal_part part;
    struct focal_hash scope;
    struct focal_live live[2 * FIELDS];
    struct focal_scope network = { .cls = FOCAL_SCOPE_NETWORK };
    enum focal_status status = FOCAL_OK;
    size_t wrong = 0;

    focal_scope_id(&scope, &m->network, &network);
    focal_part_init(&part);
    for (size_t i = 0; status == FOCAL_OK && i < CHECKED; i++) {
        size_t k = (size_t)draw_below(&m->draw, m->b->records);
        focal_part_clear(&part);
        status = focal_oplog_part(m->reader.oplog, &m->refs[k], &scope, &part);
        bool right = status == FOCAL_OK && focal_part_live(&part, live, 2 * FIELDS) == FIELDS;
        for (size_t f = 0; right && f < FIELDS; f++) {
            const struct choice *v = cases_value(&m->after, k, f);
            right = live[f].field == m->after.fields[f].field->number && focal_span_equal(live[f].value, focal_span_of(v->bytes, v->len));
        }
        wrong += !right;
    }
    focal_part_close(&part);
    (void)claim(m->b, wrong == 0, "after %zu changes, %zu of %d records looked at do not show the last value of each field",
                m->b->records * FIELDS, wrong, CHECKED);
    return status;
}

static double cpu_seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static enum focal_status read_all(struct merge *m, struct focal_error *err)
{
    double rates[TRIES] = { 0, 0 }, cpu[TRIES] = { 0, 0 }, changes = (double)m->b->records * FIELDS;
    enum focal_status status = FOCAL_OK;

    for (int i = 0; status == FOCAL_OK && i < TRIES; i++) {
        char name[32];
        size_t admitted = 0;
        (void)snprintf(name, sizeof name, "reader%d", i);
        status = replica_open(m, &m->reader, name, err);
        if (status == FOCAL_OK)
            status = admit_some(m, &m->creations, m->creations.piece_count, FOCAL_STEP_ENTRIES_MAX, &admitted, err);
        double began = seconds(), cpu_began = cpu_seconds();
        if (status == FOCAL_OK)
            status = admit_some(m, &m->changes, m->changes.piece_count / parts[i], transactions[i], &admitted, err);
        if (status == FOCAL_OK) {
            rates[i] = (double)admitted / (seconds() - began);
            cpu[i] = (cpu_seconds() - cpu_began) / (double)admitted * 1e6;
        }
        if (status == FOCAL_OK && parts[i] == 1)
            status = check(m);
        replica_close(&m->reader);
    }
    note(m->b, "changes_per_s", rates[0], "changes/s");
    note(m->b, "ratio_to_bound", m->b->bound_random_per_s > 0 ? rates[0] / m->b->bound_random_per_s : 0, "");
    note(m->b, "cpu_per_change", cpu[0], "us");
    note(m->b, "changes_per_s_in_small_commits", rates[1], "changes/s");
    note(m->b, "cpu_per_change_in_small_commits", cpu[1], "us");
    note(m->b, "bytes_per_change", (double)m->changes.bytes.len / changes, "bytes");
    note(m->b, "bytes_per_record", (double)m->creations.bytes.len / (double)m->b->records, "bytes");
    return status;
}

/* ---- the scene ---- */

static enum focal_status prepare(struct merge *m, struct focal_error *err)
{
    size_t changes = m->b->records * FIELDS;
    enum focal_status status = cases_open(&m->before, m->b->records, 1, err);

    if (status == FOCAL_OK)
        status = cases_open(&m->after, m->b->records, 2, err);
    m->refs = focal_alloc(m->b->records * sizeof *m->refs);
    m->order = focal_alloc(changes * sizeof *m->order);
    if (status == FOCAL_OK && (!m->refs || !m->order))
        status = FOCAL_NO_MEMORY;
    if (status)
        return status;
    for (size_t i = 0; i < changes; i++)
        m->order[i] = (uint32_t)i;
    draw_shuffle(&m->draw, m->order, changes);
    status = network_make(m);
    return status ? status : replica_open(m, &m->author, "author", err);
}

static enum focal_status author_all(struct merge *m, struct focal_error *err)
{
    enum focal_status status = write_all(m, true, err);
    double began = seconds();

    if (status == FOCAL_OK)
        status = collect(m, &m->creations, NULL);
    if (status == FOCAL_OK)
        status = write_all(m, false, err);
    note(m->b, "author_changes_per_s", (double)m->b->records * FIELDS / (seconds() - began), "changes/s");
    if (status == FOCAL_OK)
        status = collect(m, &m->changes, &m->creations);
    replica_close(&m->author);
    return status;
}

static void history_close(struct history *h)
{
    focal_free(h->pieces);
    focal_buf_close(&h->bytes);
}

enum focal_status scene_merge(struct bench *b, struct focal_error *err)
{
    struct merge *m = focal_alloc(sizeof *m);

    if (!m)
        return FOCAL_NO_MEMORY;
    m->b = b;
    m->draw.state = 3;
    m->entropy = (struct focal_entropy){ .fill = draw_fill, .data = &m->draw };
    focal_buf_init(&m->genesis, FOCAL_STATEMENT_MAX);
    focal_buf_init(&m->certificate, FOCAL_STATEMENT_MAX);
    enum focal_status status = prepare(m, err);
    if (status == FOCAL_OK)
        status = author_all(m, err);
    if (status == FOCAL_OK)
        status = read_all(m, err);
    replica_close(&m->author);
    replica_close(&m->reader);
    history_close(&m->creations);
    history_close(&m->changes);
    focal_buf_close(&m->genesis);
    focal_buf_close(&m->certificate);
    cases_close(&m->before);
    cases_close(&m->after);
    focal_free(m->refs);
    focal_free(m->order);
    focal_free(m);
    return status;
}
