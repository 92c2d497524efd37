/* An office that was a member gets a new store: membership from the keepsake and the old database, entries from what of
 * the old one can be read.
 *
 *   statements -> secret, local rows -> names of logs -> entries: control, notices, data -> what has to wait -> receipts
 *
 * Nothing of the old database is believed for being there: statements are held against the authority's key, names of logs
 * against their ids, entries go the one way in. What nobody signed (last heard, open invitations) is taken as it is. */
#include "inner.h"

#include <stdio.h>
#include <string.h>

enum { COMMIT_ENTRIES = 20000, STATEMENT_KEY = 32, LOG_KEY = 16, RECEIPT_KEY = 32 + 32 + 16 + 8 };

struct pair { struct focal_key author; struct focal_id epoch; };        /* who opened which epoch */
struct known { struct focal_log_name name; struct focal_scope scope; struct focal_id log; uint64_t claimed; bool branch; };
struct row { size_t at; struct focal_id line; uint64_t first; bool used; };

struct again {
    struct focal_store *store;
    const struct focal_node_keys *keys;
    const struct focal_readable *rows;
    struct focal_rejoined *out;
    struct focal_error *err;
    struct focal_oplog *ol;
    struct keepsake kept;
    struct focal_buf key, value, made;
    enum focal_shelf shelf;             /* of the row last read */
    struct focal_hash network;
    bool founded;
    struct pair *pairs; size_t pair_count;
    struct focal_map names;             /* log id -> struct known in the arena */
    struct focal_arena arena;
    struct row *segments; size_t segment_count;
    uint64_t uncommitted;
};

static bool has_rows(const struct again *a)
{
    return a->rows && a->rows->count > 0;
}

/* MORE: not readable, or not of this length or shelf. */
static enum focal_status read_row(struct again *a, size_t i, size_t key_len, enum focal_shelf shelf)
{
    enum focal_status st = a->rows->row(a->rows->data, i, &a->shelf, &a->key, NULL);
    if (st == FOCAL_OK && ((key_len && a->key.len != key_len) || (a->shelf != 0 && a->shelf != shelf)))
        return FOCAL_MORE;
    if (st == FOCAL_OK)
        st = a->rows->row(a->rows->data, i, &a->shelf, &a->key, &a->value);
    return st == FOCAL_NOT_FOUND ? FOCAL_MORE : st;
}

static enum focal_status each_row(struct again *a, size_t key_len, enum focal_shelf shelf, enum focal_status (*take)(struct again *, size_t i))
{
    for (size_t i = 0; has_rows(a) && i < a->rows->count; i++) {
        enum focal_status st = read_row(a, i, key_len, shelf);
        if (st == FOCAL_OK)
            st = take(a, i);
        if (st != FOCAL_OK && st != FOCAL_MORE)
            return st;
    }
    return FOCAL_OK;
}

/* ---- membership ------------------------------------------------------------------------------------------------------------ */

static enum focal_status found_by(void *data, struct focal_span bytes)
{
    struct again *a = data;
    struct focal_statement s;
    if (a->founded || focal_statement_decode(&s, bytes) != FOCAL_OK || s.kind != FOCAL_STATEMENT_GENESIS || !focal_statement_verify(&s, NULL, NULL))
        return FOCAL_OK;
    focal_network_id(&a->network, s.body);
    (void)snprintf(a->out->label, sizeof a->out->label, "%s", s.is.genesis.label);
    a->founded = true;
    return focal_oplog_found(a->store, bytes);
}

static enum focal_status found_by_row(struct again *a, size_t i)
{
    (void)i;
    return found_by(a, focal_buf_view(&a->value));
}

static enum focal_status take_statement(void *data, struct focal_span bytes)
{
    struct again *a = data;
    enum focal_status st = focal_oplog_add_statement(a->ol, bytes);
    a->out->statements += st == FOCAL_OK;
    return focal_sync_world(st) ? st : FOCAL_OK;
}

static enum focal_status take_statement_row(struct again *a, size_t i)
{
    (void)i;
    return take_statement(a, focal_buf_view(&a->value));
}

static enum focal_status put_address(void *data, struct focal_span office, struct focal_span list)
{
    struct again *a = data;
    focal_buf_clear(&a->made);
    focal_buf_text(&a->made, "address/");
    focal_buf_span(&a->made, office);
    if (office.len > FOCAL_OFFICE_MAX || list.len > 4096)
        return FOCAL_OK;
    return a->made.failed ? FOCAL_NO_MEMORY : focal_store_put(a->store, FOCAL_SHELF_META, focal_buf_view(&a->made), list);
}

static bool starts(const struct focal_buf *key, const char *with)
{
    size_t len = strlen(with);
    return key->len >= len && memcmp(key->data, with, len) == 0;
}

static bool is(const struct focal_buf *key, const char *text)
{
    return focal_span_equal(focal_buf_view(key), focal_span_text(text));
}

/* A damaged invitation would keep the node from starting. */
static bool invitation_good(const struct again *a)
{
    struct focal_invitation v;
    struct focal_buf bytes;
    focal_buf_init(&bytes, 16384);
    bool good = focal_invitation_decode(&v, &bytes, focal_buf_view(&a->value), NULL) == FOCAL_OK && focal_hash_equal(&v.network, &a->network);
    focal_wipe(&v, sizeof v);
    focal_buf_wipe_close(&bytes);
    return good;
}

/* The epoch is left out: the first write opens a new one. */
static bool wanted_fact(const struct again *a)
{
    if (is(&a->key, "network-secret"))
        return a->value.len == 32;
    if (is(&a->key, "invitation"))
        return invitation_good(a);
    if (is(&a->key, "pending-last"))    /* a number that stands in the history names nothing else later */
        return a->value.len == 8;
    return is(&a->key, "veil") || starts(&a->key, "paused/") || starts(&a->key, "address/") || starts(&a->key, SALVAGED_PREFIX);
}

/* The first readable one of a key counts. */
static enum focal_status put_once(struct again *a, enum focal_shelf shelf, struct focal_span key, struct focal_span value)
{
    enum focal_status st = focal_store_get(a->store, shelf, key, &a->made);
    if (st == FOCAL_OK)
        return st;
    return st == FOCAL_NOT_FOUND ? focal_store_put(a->store, shelf, key, value) : st;
}

static enum focal_status take_fact(struct again *a, size_t i)
{
    (void)i;
    return wanted_fact(a) ? put_once(a, FOCAL_SHELF_META, focal_buf_view(&a->key), focal_buf_view(&a->value)) : FOCAL_OK;
}

/* Forks are seen again when both branches come in. */
static bool told_by_entries(const struct again *a)
{
    return a->shelf == FOCAL_SHELF_INCIDENT && a->value.len > 0 && a->value.data[0] == FOCAL_INCIDENT_FORK;
}

static enum focal_status take_local(struct again *a, size_t i)
{
    (void)i;
    return a->shelf && !told_by_entries(a) ? put_once(a, a->shelf, focal_buf_view(&a->key), focal_buf_view(&a->value)) : FOCAL_OK;
}

static enum focal_status commit(struct again *a, bool go_on)
{
    enum focal_status st = focal_oplog_seal(a->ol);
    if (st == FOCAL_OK)
        st = focal_store_commit(a->store);
    if (st != FOCAL_OK)
        return st;
    focal_oplog_committed(a->ol);
    a->uncommitted = 0;
    return go_on ? focal_store_begin(a->store) : FOCAL_OK;
}

static enum focal_status find_network(struct again *a, struct focal_span keepsake)
{
    enum focal_status failed;
    a->out->keepsake = keepsake_read(keepsake, a->keys, &a->kept, found_by, NULL, a, &failed) && a->founded;
    if (failed == FOCAL_OK && !a->founded)
        failed = each_row(a, STATEMENT_KEY, FOCAL_SHELF_STATEMENT, found_by_row);
    if (failed != FOCAL_OK)
        return focal_fail(a->err, failed, "", "the new database could not be filled: %s", focal_status_text(failed));
    return a->founded ? FOCAL_OK : focal_fail(a->err, FOCAL_NOT_FOUND, "ask headquarters for a new invitation and set this office up anew in another directory",
                                              "nothing readable is left that says which network this office belongs to");
}

static enum focal_status take_membership(struct again *a, struct focal_span keepsake)
{
    enum focal_status failed = FOCAL_OK;
    struct keepsake unused = { .secret_set = false };
    for (int time = 0; time < 2 && failed == FOCAL_OK; time++) {        /* what came before the authority that signed it is taken the second time */
        if (a->out->keepsake)
            (void)keepsake_read(keepsake, a->keys, &unused, take_statement, put_address, a, &failed);
        if (failed == FOCAL_OK)
            failed = each_row(a, STATEMENT_KEY, FOCAL_SHELF_STATEMENT, take_statement_row);
    }
    focal_wipe(&unused, sizeof unused);
    if (failed == FOCAL_OK && a->kept.secret_set)
        failed = focal_store_put(a->store, FOCAL_SHELF_META, focal_span_text("network-secret"), focal_span_of(a->kept.secret, sizeof a->kept.secret));
    if (failed == FOCAL_OK)
        failed = each_row(a, 0, FOCAL_SHELF_META, take_fact);
    static const enum focal_shelf local[] = { FOCAL_SHELF_PEER, FOCAL_SHELF_LOCAL, FOCAL_SHELF_INVITATION, FOCAL_SHELF_INCIDENT,
                                              FOCAL_SHELF_HISTORY, FOCAL_SHELF_REFUSED };
    for (size_t i = 0; i < sizeof local / sizeof local[0] && failed == FOCAL_OK; i++)
        failed = each_row(a, 0, local[i], take_local);
    return failed;
}

static enum focal_status look_at_membership(struct again *a)
{
    const char *const hint = "ask headquarters for a new invitation and set this office up anew in another directory";
    const struct focal_certificate *mine = focal_oplog_mine(a->ol);
    if (!mine)
        return focal_fail(a->err, FOCAL_NOT_FOUND, hint, "no membership of this office's key is left to be read");
    a->out->office = mine->office;
    focal_buf_clear(&a->made);
    enum focal_status st = focal_store_get(a->store, FOCAL_SHELF_META, focal_span_text("network-secret"), &a->made);
    focal_wipe(a->made.data, a->made.len);
    return st == FOCAL_NOT_FOUND ? focal_fail(a->err, st, hint, "the network's secret is not left to be read") : st;
}

/* ---- names of logs ------------------------------------------------------------------------------------------------------------ */

static enum focal_status add_pair(struct again *a, const struct focal_key *author, const struct focal_id *epoch)
{
    for (size_t i = 0; i < a->pair_count; i++)
        if (focal_key_equal(&a->pairs[i].author, author) && memcmp(a->pairs[i].epoch.b, epoch->b, sizeof epoch->b) == 0)
            return FOCAL_OK;
    struct pair *grown = focal_realloc(a->pairs, (a->pair_count + 1) * sizeof *grown);
    if (!grown)
        return FOCAL_NO_MEMORY;
    a->pairs = grown;
    a->pairs[a->pair_count++] = (struct pair){ .author = *author, .epoch = *epoch };
    return FOCAL_OK;
}

static enum focal_status add_name(struct again *a, const struct focal_log_name *name, const struct focal_scope *scope, const struct focal_id *line, struct known **out)
{
    struct known *k = focal_arena_alloc(&a->arena, sizeof *k);
    if (!k)
        return FOCAL_NO_MEMORY;
    *out = k;
    k->name = *name;
    k->scope = *scope;
    focal_log_id(&k->log, &a->network, name);
    k->branch = line && memcmp(line->b, k->log.b, sizeof line->b) != 0;
    return focal_map_put(&a->names, k->branch ? line->b : k->log.b, k);
}

/* Who knows author and epoch of one log can name all logs of that epoch: an epoch has one in each scope and lane. */
static enum focal_status add_names(struct again *a, const struct pair *p)
{
    const struct focal_hash *id;
    const struct focal_scope *scope;
    for (size_t i = 0; (scope = focal_oplog_scope_at(a->ol, i, &id)) != NULL; i++) {
        for (int lane = FOCAL_LANE_DATA; lane <= FOCAL_LANE_NOTICES; lane++) {
            struct focal_log_name name = { .author = p->author, .epoch = p->epoch, .scope = *id, .lane = (uint8_t)lane };
            struct known *made;
            enum focal_status st = add_name(a, &name, scope, NULL, &made);
            if (st != FOCAL_OK)
                return st;
        }
    }
    return FOCAL_OK;
}

/* A row is of the trunk when its key is the log's id, and of a branch when it says which line that leaves. A name that is not
 * right leads nowhere: no signature fits it. */
enum { TRUNK_ROW_BYTES = 32 + 16 + 32 + 1 + 8 + 32 + 1 + 8, BRANCH_ROW_BYTES = TRUNK_ROW_BYTES + 4 + 16 + 8 + 32 };

static bool log_name_of(const struct again *a, struct focal_log_name *name, uint64_t *claimed)
{
    struct focal_id id;
    struct focal_cur cur = focal_cur_of(focal_buf_view(&a->value));
    if (!salvaged_name_get(&cur, name))
        return false;
    *claimed = focal_cur_be64(&cur);
    focal_log_id(&id, &a->network, name);
    return !cur.failed && (focal_span_equal(focal_buf_view(&a->key), focal_span_of(id.b, sizeof id.b)) || a->value.len == BRANCH_ROW_BYTES);
}

static enum focal_status pair_of_log(struct again *a, size_t i)
{
    struct focal_log_name name;
    uint64_t claimed;
    (void)i;
    return log_name_of(a, &name, &claimed) ? add_pair(a, &name.author, &name.epoch) : FOCAL_OK;
}

static bool receipt_of(struct again *a, struct focal_receipt *r, struct focal_signature *signature, struct focal_span *body)
{
    struct focal_cur cur = focal_cur_of(focal_buf_view(&a->value));
    focal_cur_copy(&cur, signature->b, sizeof signature->b);
    *body = focal_cur_rest(&cur);
    return !cur.failed && focal_receipt_decode(r, *body) == FOCAL_OK;
}

static enum focal_status pair_of_receipt(struct again *a, size_t i)
{
    struct focal_receipt r;
    struct focal_signature signature;
    struct focal_span body;
    (void)i;
    return receipt_of(a, &r, &signature, &body) && focal_receipt_verify(&signature, &r.signer, &a->network, body) ? add_pair(a, &r.signer, &r.epoch) : FOCAL_OK;
}

static enum focal_status pair_of_epoch(struct again *a, size_t i)
{
    struct focal_id epoch;
    (void)i;
    if (!is(&a->key, "epoch") || a->value.len < sizeof epoch.b)
        return FOCAL_OK;
    memcpy(epoch.b, a->value.data, sizeof epoch.b);
    return add_pair(a, &a->keys->sign_public, &epoch);
}

/* How far a line reached, as its row says: only for telling what is missing. Branches are named by their rows alone. */
static enum focal_status claim(struct again *a, size_t i)
{
    struct focal_log_name name;
    struct focal_id line;
    uint64_t claimed;
    enum focal_status st = FOCAL_OK;
    (void)i;
    if (!log_name_of(a, &name, &claimed))
        return FOCAL_OK;
    memcpy(line.b, a->key.data, sizeof line.b);
    struct known *k = focal_map_get(&a->names, line.b);
    const struct focal_scope *scope = focal_oplog_scope(a->ol, &name.scope);
    if (!k && scope)
        st = add_name(a, &name, scope, &line, &k);
    if (k && st == FOCAL_OK && !k->branch && claimed > k->claimed && claimed < UINT32_MAX)
        k->claimed = claimed;
    return st;
}

static enum focal_status find_names(struct again *a)
{
    enum focal_status st = each_row(a, LOG_KEY, FOCAL_SHELF_LOG, pair_of_log);
    if (st == FOCAL_OK)
        st = each_row(a, RECEIPT_KEY, FOCAL_SHELF_RECEIPT, pair_of_receipt);
    if (st == FOCAL_OK)
        st = each_row(a, 0, FOCAL_SHELF_META, pair_of_epoch);
    for (size_t i = 0; i < a->pair_count && st == FOCAL_OK; i++)
        st = add_names(a, &a->pairs[i]);
    return st == FOCAL_OK ? each_row(a, LOG_KEY, FOCAL_SHELF_LOG, claim) : st;
}

/* ---- entries ---------------------------------------------------------------------------------------------------------------------- */

static enum focal_status list_segments(struct again *a)
{
    if (!has_rows(a))
        return FOCAL_OK;
    a->segments = focal_alloc(a->rows->count * sizeof *a->segments);
    if (!a->segments)
        return FOCAL_NO_MEMORY;
    for (size_t i = 0; i < a->rows->count; i++) {
        enum focal_status st = a->rows->row(a->rows->data, i, &a->shelf, &a->key, NULL);
        if (st == FOCAL_NOT_FOUND || (st == FOCAL_OK && (a->key.len != SEGMENT_KEY_BYTES || (a->shelf && a->shelf != FOCAL_SHELF_SEGMENT))))
            continue;
        if (st != FOCAL_OK)
            return st;
        struct row *r = &a->segments[a->segment_count++];
        *r = (struct row){ .at = i, .first = focal_get_be64(a->key.data + sizeof r->line.b) };
        memcpy(r->line.b, a->key.data, sizeof r->line.b);
    }
    return FOCAL_OK;
}

static uint64_t held_of(const struct again *a, const struct focal_id *id)
{
    const struct focal_log *log = focal_oplog_log(a->ol, id);
    return log ? log->head.seq : 0;
}

static bool read_segment(struct again *a, const struct row *r, struct salvaged_segment *s, enum focal_status *failed)
{
    *failed = read_row(a, r->at, SEGMENT_KEY_BYTES, FOCAL_SHELF_SEGMENT);
    if (*failed == FOCAL_MORE)
        *failed = FOCAL_OK;
    else if (*failed == FOCAL_OK)
        return salvaged_decode(s, r->first, focal_buf_view(&a->value));
    return false;
}

static bool is_hash(const void *data, const struct focal_hash *h)
{
    return focal_hash_equal(data, h);
}

/* OK: a line of its log has it. */
static enum focal_status find_held(const struct again *a, const struct known *k, const struct salvaged_segment *s)
{
    const struct focal_log *line;
    return focal_oplog_line_with(a->ol, &k->log, s->last.seq, is_hash, &s->last.h, &line);
}

/* Of the trunk only what goes on from its head: an older form of what is held would look like a branch that its author signed. */
static enum focal_status offer(struct again *a, struct row *r, const struct known *k)
{
    struct salvaged_segment s;
    struct focal_error why;
    enum focal_status st = FOCAL_OK;
    if ((!k->branch && r->first != held_of(a, &k->log) + 1) || !read_segment(a, r, &s, &st))
        return st;
    if (k->branch && (st = find_held(a, k, &s)) != FOCAL_NOT_FOUND)
        return st;
    struct focal_incoming in = { .name = &k->name, .before = s.before, .packed = s.packed,
                                 .signature = salvaged_signature(&s) };
    st = focal_oplog_admit(a->ol, &in, NULL, &why);
    if (st != FOCAL_OK)
        return focal_sync_world(st) ? st : FOCAL_OK;
    const uint64_t count = s.last.seq - (s.first - 1);
    r->used = true;
    a->out->entries += count;
    a->out->own_entries += focal_key_equal(&k->name.author, &a->keys->sign_public) ? count : 0;
    a->uncommitted += count;
    return a->uncommitted >= COMMIT_ENTRIES ? commit(a, true) : FOCAL_OK;
}

/* What opens an epoch before what stands in it, and what is redacted before what was. */
enum turn { TURN_CONTROL, TURN_NOTICES, TURN_DATA, TURN_BRANCHES, TURN_COUNT };

static enum turn turn_of(const struct known *k)
{
    if (k->branch)
        return TURN_BRANCHES;
    return k->name.lane == FOCAL_LANE_NOTICES ? TURN_NOTICES : k->scope.cls == FOCAL_SCOPE_CONTROL ? TURN_CONTROL : TURN_DATA;
}

static enum focal_status offer_all(struct again *a, enum turn turn)
{
    for (size_t i = 0; i < a->segment_count; i++) {
        const struct known *k = focal_map_get(&a->names, a->segments[i].line.b);
        enum focal_status st = k && turn_of(k) == turn ? offer(a, &a->segments[i], k) : FOCAL_OK;
        if (st != FOCAL_OK)
            return st;
    }
    return FOCAL_OK;
}

/* The signature shows that its author has written that far; what the entries are is seen when they are admitted. */
static bool worth_keeping(const struct again *a, const struct salvaged_segment *s, const struct known *k)
{
    return k ? focal_verify_head(&s->signature, &k->name.author, &a->network, &k->log, &s->last) || focal_oplog_is_vouched(a->ol, &k->log, &s->last)
             : a->shelf == FOCAL_SHELF_SEGMENT;
}

static enum focal_status put_waiting(struct again *a, const struct row *r, const struct salvaged_segment *s, struct known *k)
{
    static const struct focal_log_name nobody;
    uint8_t key[SALVAGED_KEY_BYTES];
    const uint64_t count = s->last.seq - (s->first - 1);
    salvaged_key(key, k ? &k->log : &r->line, s);
    enum focal_status st = focal_store_get(a->store, FOCAL_SHELF_META, focal_span_of(key, sizeof key), &a->made);
    if (st != FOCAL_NOT_FOUND)
        return st;
    focal_buf_clear(&a->made);
    salvaged_name_put(&a->made, k ? &k->name : &nobody);
    focal_buf_span(&a->made, focal_buf_view(&a->value));
    a->out->waiting += count;
    a->out->waiting_own += k && focal_key_equal(&k->name.author, &a->keys->sign_public) ? count : 0;
    if (k && !k->branch && k->claimed < s->last.seq)
        k->claimed = s->last.seq;
    return a->made.failed ? FOCAL_NO_MEMORY : focal_store_put(a->store, FOCAL_SHELF_META, focal_span_of(key, sizeof key), focal_buf_view(&a->made));
}

static enum focal_status keep_waiting(struct again *a, struct row *r)
{
    struct salvaged_segment s;
    enum focal_status st = FOCAL_OK;
    struct known *k = focal_map_get(&a->names, r->line.b);
    if (r->used || !read_segment(a, r, &s, &st))
        return st;
    /* Below the head of a trunk it is an older form of what is held. */
    if (!worth_keeping(a, &s, k) || (k && !k->branch && s.last.seq <= held_of(a, &k->log)))
        return FOCAL_OK;
    if (k && (st = find_held(a, k, &s)) != FOCAL_NOT_FOUND)
        return st;
    return put_waiting(a, r, &s, k);
}

static enum focal_status take_entries(struct again *a)
{
    enum focal_status st = list_segments(a);
    for (int turn = 0; turn < TURN_COUNT && st == FOCAL_OK; turn++)
        st = offer_all(a, (enum turn)turn);
    for (size_t i = 0; i < a->segment_count && st == FOCAL_OK; i++)
        st = keep_waiting(a, &a->segments[i]);
    return st;
}

/* Ours of earlier epochs say what we held then, and it may not be so any more. */
static enum focal_status take_receipt(struct again *a, size_t i)
{
    struct focal_receipt r;
    struct focal_signature signature;
    struct focal_span body;
    (void)i;
    if (!receipt_of(a, &r, &signature, &body) || focal_key_equal(&r.signer, &a->keys->sign_public))
        return FOCAL_OK;
    enum focal_status st = focal_oplog_take_receipt(a->ol, body, &signature);
    return focal_sync_world(st) ? st : FOCAL_OK;
}

/* ---- the report --------------------------------------------------------------------------------------------------------------------- */

static void tell_cut(struct again *a)
{
    size_t at = 0;
    void *value;
    uint64_t waiting = a->out->waiting;
    while (focal_map_next(&a->names, &at, NULL, &value)) {
        const struct known *k = value;
        struct focal_cut_log cut = { .scope = k->scope, .known = k->claimed, .log = k->log };
        cut.held = held_of(a, &cut.log);
        if (cut.held >= cut.known)
            continue;
        const struct focal_certificate *author = focal_oplog_certificate_by_sign(a->ol, &k->name.author);
        if (author)
            cut.author = author->office;
        a->out->missing += cut.known - cut.held;
        if (a->out->cut_count < FOCAL_CUT_LOGS_MAX)
            a->out->cut[a->out->cut_count] = cut;
        a->out->cut_count++;
    }
    a->out->missing -= waiting < a->out->missing ? waiting : a->out->missing;
}

/* The next epoch is opened by an office that comes back to a network that knows it. What was read may be an older copy, of
 * which nothing tells: the fence does not know the new database. So nothing of it is shown before another office has told
 * what has been redacted. */
static enum focal_status put_doubts(struct again *a)
{
    static const uint8_t restored = 3;  /* the code of opening.reason */
    enum focal_status st = focal_store_put(a->store, FOCAL_SHELF_META, focal_span_text("epoch-ended"), focal_span_of(&restored, 1));
    tell_cut(a);
    if (st == FOCAL_OK && a->out->entries + a->out->waiting > 0)
        st = focal_store_put(a->store, FOCAL_SHELF_META, focal_span_text("veil"), focal_span_of(&restored, 1));
    return st;
}

/* ---- all of it ------------------------------------------------------------------------------------------------------------------------ */

static enum focal_status fill(struct again *a, struct focal_span keepsake)
{
    enum focal_status st = focal_store_begin(a->store);
    if (st != FOCAL_OK)
        return st;
    st = take_membership(a, keepsake);
    if (st == FOCAL_OK)
        st = look_at_membership(a);
    if (st == FOCAL_OK)
        st = commit(a, true);
    if (st == FOCAL_OK)
        st = find_names(a);
    if (st == FOCAL_OK)
        st = take_entries(a);
    if (st == FOCAL_OK)
        st = each_row(a, RECEIPT_KEY, FOCAL_SHELF_RECEIPT, take_receipt);
    if (st == FOCAL_OK)
        st = put_doubts(a);
    if (st == FOCAL_OK)
        st = commit(a, false);
    if (st != FOCAL_OK)
        focal_store_rollback(a->store);
    return st;
}

enum focal_status focal_node_found_again(struct focal_store *store, const struct focal_node_keys *keys, const struct focal_entropy *entropy,
                                         struct focal_span keepsake, const struct focal_readable *rows, struct focal_rejoined *out, struct focal_error *err)
{
    struct focal_error failure = { .status = FOCAL_OK };
    struct again a = { .store = store, .keys = keys, .rows = rows, .out = out, .err = &failure };
    uint64_t seed;
    memset(out, 0, sizeof *out);
    entropy->fill(entropy->data, &seed, sizeof seed);
    focal_map_init(&a.names, sizeof(struct focal_id), seed);
    focal_arena_init(&a.arena, SIZE_MAX / 2);
    focal_buf_init(&a.key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&a.value, FOCAL_STORE_VALUE_MAX);
    focal_buf_init(&a.made, FOCAL_STORE_VALUE_MAX);
    enum focal_status st = find_network(&a, keepsake);
    if (st == FOCAL_OK)
        st = focal_oplog_open(&a.ol, store, keys, entropy, NULL, &failure);
    if (st == FOCAL_OK)
        st = fill(&a, keepsake);
    if (st != FOCAL_OK && err)
        *err = failure;
    if (st != FOCAL_OK && failure.status == FOCAL_OK)
        focal_fail(err, st, "look at the disk of this directory", "the new database could not be filled: %s", focal_status_text(st));
    focal_oplog_close(a.ol);
    focal_map_close(&a.names);
    focal_arena_close(&a.arena);
    focal_free(a.pairs);
    focal_free(a.segments);
    focal_buf_close(&a.key);
    focal_buf_wipe_close(&a.value);
    focal_buf_wipe_close(&a.made);
    focal_wipe(&a.kept, sizeof a.kept);
    return st;
}
