/* Receipts: signed words that something is durable at an office.
 *
 * Per log the highest-numbered receipt that lists it counts, of the signer's newest epoch. One that counts for no log
 * any more says nothing that a later one does not say better, and is thrown away; so they stay as many as logs.
 * A receipt may come before a log it lists. Anyone can list logs that do not exist, so only a few such heads are kept.
 *
 * What is counted is a line of a log: of a forked log a receipt lists several heads, and each says something of its line.
 * A head that stands on no line held here is kept under the log itself. */
#include "inside.h"

#include <stdlib.h>

enum { HEAD_KEY_BYTES = 32 + 16, HEAD_BYTES = 16 + 8 + 32, SIGNER_KEY_BYTES = 32 + 32 };

void focal_oplog_receipts_init(struct focal_oplog *ol)
{
    focal_map_init(&ol->receipts.heads, HEAD_KEY_BYTES, ol->seed);
    focal_map_init(&ol->receipts.held, RECEIPT_KEY_BYTES, ol->seed);
}

static void free_values(struct focal_map *map)
{
    size_t at = 0;
    void *value;
    while (focal_map_next(map, &at, NULL, &value))
        focal_free(value);
}

void focal_oplog_receipts_close(struct focal_oplog *ol)
{
    free_values(&ol->receipts.heads);
    free_values(&ol->receipts.held);
    focal_map_close(&ol->receipts.heads);
    focal_map_close(&ol->receipts.held);
}

static void receipt_key(uint8_t out[RECEIPT_KEY_BYTES], const struct focal_receipt *r)
{
    memcpy(out, r->scope.b, 32);
    memcpy(out + 32, r->signer.b, 32);
    memcpy(out + 64, r->epoch.b, 16);
    focal_put_be64(out + 80, r->number);
}

/* By which number the signer opened this epoch; 0 while that is not known here. */
static uint64_t epoch_number(const struct focal_oplog *ol, const uint8_t signer[32], const uint8_t epoch[16])
{
    struct focal_log_name name = { .scope = ol->control_scope, .lane = FOCAL_LANE_DATA };
    struct focal_id id;
    memcpy(name.author.b, signer, 32);
    memcpy(name.epoch.b, epoch, 16);
    focal_log_id(&id, &ol->network, &name);
    const struct oplog_log *log = focal_oplog_log_of(ol, &id);
    return log ? log->opening : 0;
}

/* ---- the set ------------------------------------------------------------------------------------------------------------------ */

static void head_key(uint8_t out[HEAD_KEY_BYTES], const struct focal_key *signer, const struct focal_id *line)
{
    memcpy(out, signer->b, 32);
    memcpy(out + 32, line->b, 16);
}

static bool same_hash(const void *data, const struct focal_hash *h)
{
    return focal_hash_equal(data, h);
}

/* Only a forked log's heads have to be looked for: else the trunk is the log. */
static void line_of_head(struct focal_oplog *ol, const struct focal_receipt_head *head, struct focal_id *line)
{
    const struct oplog_log *trunk = focal_oplog_log_of(ol, &head->log);
    const struct focal_log *found;
    *line = head->log;
    if (trunk && trunk->pub.forked
        && focal_oplog_line_with(ol, &head->log, head->tip.seq, same_hash, &head->tip.h, &found) == FOCAL_OK)
        *line = found->line;
}

static bool newer(const struct focal_oplog *ol, const struct focal_receipt *r, const struct receipt_head *than)
{
    if (memcmp(than->of->key + 64, r->epoch.b, 16) == 0)
        return r->number > than->number;
    uint64_t ours = epoch_number(ol, r->signer.b, r->epoch.b), theirs = epoch_number(ol, r->signer.b, than->of->key + 64);
    if (ours != theirs)
        return ours > theirs;
    return memcmp(r->epoch.b, than->of->key + 64, 16) > 0;
}

static bool log_held(const struct focal_oplog *ol, const struct focal_receipt *r, const struct focal_receipt_head *head)
{
    const struct oplog_log *log = focal_oplog_log_of(ol, &head->log);
    return log && focal_hash_equal(&log->pub.name.scope, &r->scope);
}

/* How many more heads of logs not held this signer may have here, in this scope. */
static size_t ahead_room(const struct focal_oplog *ol, const uint8_t key[RECEIPT_KEY_BYTES])
{
    size_t at = 0, used = 0;
    void *value;
    while (focal_map_next(&ol->receipts.held, &at, NULL, &value)) {
        const struct held_receipt *held = value;
        if (memcmp(held->key, key, SIGNER_KEY_BYTES) == 0)
            used += held->ahead;
    }
    return used < RECEIPT_AHEAD_MAX ? RECEIPT_AHEAD_MAX - used : 0;
}

static bool counts(struct focal_oplog *ol, const struct focal_receipt *r, const uint8_t receipt[RECEIPT_KEY_BYTES])
{
    const bool ahead = ahead_room(ol, receipt) > 0;
    for (size_t i = 0; i < focal_receipt_head_count(r); i++) {
        struct focal_receipt_head head;
        uint8_t key[HEAD_KEY_BYTES];
        focal_receipt_head(&head, r, i);
        struct focal_id line;
        if (!ahead && !log_held(ol, r, &head))
            continue;
        line_of_head(ol, &head, &line);
        head_key(key, &r->signer, &line);
        const struct receipt_head *held = focal_map_get(&ol->receipts.heads, key);
        if (!held || newer(ol, r, held))
            return true;
    }
    return false;
}

static enum focal_status drop(struct focal_oplog *ol, struct held_receipt *held, bool stored)
{
    enum focal_status st = FOCAL_OK;
    if (stored)
        st = focal_store_del(ol->store, FOCAL_SHELF_RECEIPT, focal_span_of(held->key, sizeof held->key));
    focal_map_remove(&ol->receipts.held, held->key);
    focal_free(held);
    return st;
}

static enum focal_status set_head(struct focal_oplog *ol, const uint8_t key[HEAD_KEY_BYTES], const struct focal_receipt_head *head,
                                  const struct focal_receipt *r, struct held_receipt *of, bool stored)
{
    struct receipt_head *held = focal_map_get(&ol->receipts.heads, key);
    enum focal_status st = FOCAL_OK;
    if (!held) {
        held = focal_alloc(sizeof *held);
        if (!held)
            return FOCAL_NO_MEMORY;
        st = focal_map_put(&ol->receipts.heads, key, held);
        if (st != FOCAL_OK) {
            focal_free(held);
            return st;
        }
    } else if (!newer(ol, r, held)) {
        return FOCAL_OK;
    } else if (--held->of->live == 0) {     /* another's: none is newer than itself */
        st = drop(ol, held->of, stored);
    }
    *held = (struct receipt_head){ .seq = head->tip.seq, .number = r->number, .day = r->day, .of = of };
    of->live++;
    return st;
}

/* Heads of an earlier epoch that the new one does not say again say nothing any more: its author may have lost them. */
static enum focal_status void_epoch(struct focal_oplog *ol, struct held_receipt *held, bool stored)
{
    size_t at = 0, left = held->live;
    const void *key;
    void *value;
    while (left > 0) {
        const bool more = focal_map_next(&ol->receipts.heads, &at, &key, &value);
        focal_assert(more);
        struct receipt_head *head = value;
        if (head->of != held)
            continue;
        uint8_t gone[HEAD_KEY_BYTES];
        memcpy(gone, key, sizeof gone);
        focal_map_remove(&ol->receipts.heads, gone);
        focal_free(head);
        left--;
    }
    return drop(ol, held, stored);
}

static enum focal_status void_earlier(struct focal_oplog *ol, const struct focal_receipt *r, const uint8_t by[RECEIPT_KEY_BYTES], bool stored)
{
    const uint64_t now = epoch_number(ol, r->signer.b, r->epoch.b);
    size_t at = 0;
    void *value;
    enum focal_status st = FOCAL_OK;
    while (st == FOCAL_OK && now > 0 && focal_map_next(&ol->receipts.held, &at, NULL, &value)) {
        struct held_receipt *held = value;
        if (memcmp(held->key, by, SIGNER_KEY_BYTES) == 0 && memcmp(held->key + 64, by + 64, 16) != 0
            && epoch_number(ol, r->signer.b, held->key + 64) < now)
            st = void_epoch(ol, held, stored);
    }
    return st;
}

/* stored: what it supersedes is taken out of the store too. */
static enum focal_status take_in(struct focal_oplog *ol, const struct focal_receipt *r, bool stored)
{
    struct held_receipt *of = focal_alloc(sizeof *of);
    if (!of)
        return FOCAL_NO_MEMORY;
    receipt_key(of->key, r);
    of->number = r->number;
    of->day = r->day;
    size_t room = ahead_room(ol, of->key);
    enum focal_status st = focal_map_put(&ol->receipts.held, of->key, of);
    if (st != FOCAL_OK) {
        focal_free(of);
        return st;
    }
    for (size_t i = 0; i < focal_receipt_head_count(r) && st == FOCAL_OK; i++) {
        struct focal_receipt_head head;
        uint8_t key[HEAD_KEY_BYTES];
        focal_receipt_head(&head, r, i);
        if (!log_held(ol, r, &head)) {
            if (of->ahead == room)
                continue;
            of->ahead++;
        }
        struct focal_id line;
        line_of_head(ol, &head, &line);
        head_key(key, &r->signer, &line);
        st = set_head(ol, key, &head, r, of, stored);
    }
    if (st == FOCAL_OK && of->live > 0)
        st = void_earlier(ol, r, of->key, stored);
    else if (st == FOCAL_OK)
        st = drop(ol, of, stored);
    return st;
}

/* They come in order of their numbers: the last that lists a line counts, also where it says less. */
static void note_own(struct focal_oplog *ol, const struct focal_receipt *r)
{
    if (!ol->has_keys || !ol->epoch_set || !focal_key_equal(&r->signer, &ol->keys->sign_public)
        || !focal_id_equal(&r->epoch, &ol->epoch))
        return;
    for (size_t i = 0; i < focal_receipt_head_count(r); i++) {
        struct focal_receipt_head head;
        focal_receipt_head(&head, r, i);
        struct focal_id line;
        line_of_head(ol, &head, &line);
        struct oplog_log *log = focal_oplog_line_of(ol, &line);
        if (log)
            log->receipted = head.tip.seq;
    }
}

static enum focal_status load_one(struct focal_oplog *ol, struct focal_span key, struct focal_span value)
{
    struct focal_receipt r;
    uint8_t own_key[RECEIPT_KEY_BYTES];
    if (value.len < 64 || focal_receipt_decode(&r, focal_span_of(value.data + 64, value.len - 64)) != FOCAL_OK)
        return FOCAL_DAMAGED;
    receipt_key(own_key, &r);
    if (!focal_span_equal(key, focal_span_of(own_key, sizeof own_key)))
        return FOCAL_DAMAGED;
    note_own(ol, &r);
    return take_in(ol, &r, false);
}

enum focal_status focal_oplog_receipts_load(struct focal_oplog *ol)
{
    free_values(&ol->receipts.heads);
    free_values(&ol->receipts.held);
    focal_map_clear(&ol->receipts.heads);
    focal_map_clear(&ol->receipts.held);
    for (size_t i = 0; i < ol->log_count; i++)
        ol->logs[i]->receipted = 0;
    /* Of its own: the line of a head is looked for in the segments of a forked log, and they are read into the oplog's. */
    struct focal_buf key, value;
    enum focal_status st;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    while ((st = focal_store_next(ol->store, FOCAL_SHELF_RECEIPT, focal_buf_view(&key), &key, &value)) == FOCAL_OK
           && (st = load_one(ol, focal_buf_view(&key), focal_buf_view(&value))) == FOCAL_OK)
        ;
    focal_buf_close(&key);
    focal_buf_close(&value);
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

static enum focal_status put(struct focal_oplog *ol, const struct focal_receipt *r, struct focal_span body, const struct focal_signature *signature)
{
    uint8_t key[RECEIPT_KEY_BYTES];
    receipt_key(key, r);
    focal_buf_clear(&ol->encoded);
    focal_buf_bytes(&ol->encoded, signature->b, sizeof signature->b);
    focal_buf_span(&ol->encoded, body);
    if (ol->encoded.failed)
        return FOCAL_NO_MEMORY;
    enum focal_status st = focal_store_put(ol->store, FOCAL_SHELF_RECEIPT, focal_span_of(key, sizeof key), focal_buf_view(&ol->encoded));
    return st == FOCAL_OK ? take_in(ol, r, true) : st;
}

/* ---- ours ------------------------------------------------------------------------------------------------------------------------ */

/* Highest number of our receipts in this scope and epoch. Its receipt may have been thrown away only if a higher one is there. */
static enum focal_status last_number(struct focal_oplog *ol, const struct focal_receipt *r, uint64_t *number)
{
    uint8_t key[RECEIPT_KEY_BYTES];
    receipt_key(key, r);
    memset(key + 80, 0xff, 8);
    *number = 0;
    enum focal_status st = focal_store_prev(ol->store, FOCAL_SHELF_RECEIPT, focal_span_of(key, sizeof key), &ol->key, NULL);
    if (st == FOCAL_NOT_FOUND)
        return FOCAL_OK;
    if (st == FOCAL_OK && ol->key.len == sizeof key && memcmp(ol->key.data, key, 80) == 0)
        *number = focal_get_be64(ol->key.data + 80);
    return st;
}

static int head_order(const void *a, const void *b)
{
    return memcmp(a, b, HEAD_BYTES);
}

/* What is to be said of a line: how far it is held whole, if that is not what was said last. Where a cut leaves less than that, it
 * is not said again; but where something is missing now that we have signed for, less is. Of a branch that misses its first entry
 * there is nothing to say: what was said of it stands until it comes, or an epoch is opened. */
static bool to_be_said(struct focal_oplog *ol, const struct oplog_log *log, uint64_t *upto)
{
    const uint64_t tip = focal_log_tip(&log->pub)->seq;
    if (tip <= log->pub.base.seq || (tip <= log->receipted && !ol->holes))
        return false;
    *upto = focal_oplog_whole(ol, &log->pub);
    return *upto > log->pub.base.seq && (*upto > log->receipted || (*upto < log->receipted && *upto < tip));
}

static enum focal_status changed_heads(struct focal_oplog *ol, const struct focal_hash *scope_id, struct focal_buf *heads)
{
    const struct oplog_scope *scope = focal_oplog_scope_of(ol, scope_id);
    size_t count = 0;
    for (size_t i = 0; scope && i < scope->log_count && count < FOCAL_RECEIPT_HEADS_MAX; i++) {
        const struct oplog_log *log = scope->logs[i];
        struct focal_hash h = focal_log_tip(&log->pub)->h;
        uint64_t upto;
        if (!to_be_said(ol, log, &upto))
            continue;
        if (upto < focal_log_tip(&log->pub)->seq) {
            enum focal_status st = focal_oplog_hash_at(ol, ol->store, &log->pub, upto, &h);
            if (st != FOCAL_OK)
                return st == FOCAL_NOT_FOUND ? FOCAL_DAMAGED : st;
        }
        focal_buf_bytes(heads, log->pub.id.b, sizeof log->pub.id.b);
        focal_buf_be64(heads, upto + FOCAL_PLANTED(RECEIPT_AHEAD));
        focal_buf_bytes(heads, h.b, sizeof h.b);
        count++;
    }
    if (!heads->failed && count > 1)
        qsort(heads->data, count, HEAD_BYTES, head_order);
    return heads->failed ? FOCAL_NO_MEMORY : heads->len == 0 ? FOCAL_NOT_FOUND : FOCAL_OK;
}

enum focal_status focal_oplog_make_receipt(struct focal_oplog *ol, const struct focal_scope *scope, uint32_t day, struct focal_buf *body,
                                           struct focal_signature *signature)
{
    const struct focal_certificate *mine = focal_oplog_mine(ol);
    if (!mine || focal_oplog_cut_of(ol, &ol->keys->sign_public))     /* who is no member confirms nothing */
        return FOCAL_NOT_FOUND;
    struct focal_receipt r = { .office = mine->office, .signer = ol->keys->sign_public, .day = day, .statements = ol->statements.hash };
    struct focal_buf heads;
    focal_scope_id(&r.scope, &ol->network, scope);
    focal_buf_init(&heads, FOCAL_RECEIPT_HEADS_MAX * HEAD_BYTES);
    enum focal_status st = changed_heads(ol, &r.scope, &heads);
    if (st == FOCAL_OK)
        st = focal_oplog_epoch_ensure(ol, NULL);
    if (st == FOCAL_OK) {
        r.epoch = ol->epoch;
        r.heads = focal_buf_view(&heads);
        st = last_number(ol, &r, &r.number);
    }
    if (st == FOCAL_OK) {
        r.number++;
        focal_buf_clear(body);
        focal_receipt_encode(body, &r);
        st = body->failed ? FOCAL_NO_MEMORY : FOCAL_OK;
    }
    if (st == FOCAL_OK) {
        focal_receipt_sign(signature, ol->keys->sign_secret, &ol->network, focal_buf_view(body));
        st = put(ol, &r, focal_buf_view(body), signature);
    }
    if (st == FOCAL_OK)
        note_own(ol, &r);
    focal_buf_close(&heads);
    return st;
}

/* ---- theirs ------------------------------------------------------------------------------------------------------------------------ */

static bool office_has_key(const struct focal_oplog *ol, const struct focal_office *office, const struct focal_key *key)
{
    for (const struct held_statement *held = focal_oplog_held_by_sign(ol, key); held; held = held->same_sign) {
        if (strcmp(held->certificate->office.text, office->text) == 0)
            return true;
    }
    return false;
}

static size_t held_of_signer(const struct focal_oplog *ol, const uint8_t key[RECEIPT_KEY_BYTES])
{
    size_t at = 0, count = 0;
    void *value;
    while (focal_map_next(&ol->receipts.held, &at, NULL, &value)) {
        const struct held_receipt *held = value;
        count += memcmp(held->key, key, SIGNER_KEY_BYTES) == 0;
    }
    return count;
}

enum focal_status focal_oplog_take_receipt(struct focal_oplog *ol, struct focal_span body, const struct focal_signature *signature)
{
    struct focal_receipt r;
    if (focal_receipt_decode(&r, body) != FOCAL_OK || !(FOCAL_PLANTED(RECEIPT_UNSIGNED) || focal_receipt_verify(signature, &r.signer, &ol->network, body)))
        return FOCAL_NEVER;
    if (!office_has_key(ol, &r.office, &r.signer) || !focal_oplog_scope_of(ol, &r.scope))
        return FOCAL_NOT_YET;
    uint8_t key[RECEIPT_KEY_BYTES];
    receipt_key(key, &r);
    if (focal_map_get(&ol->receipts.held, key) || !counts(ol, &r, key))
        return FOCAL_EXISTS;
    /* A signer whose receipts never supersede each other would fill the store with them. */
    if (held_of_signer(ol, key) >= RECEIPTS_PER_SIGNER_MAX)
        return FOCAL_NOT_YET;
    return put(ol, &r, body, signature);
}

bool focal_oplog_receipt_of(const struct focal_oplog *ol, const struct focal_office *office, const struct focal_log *line, uint64_t *seq, uint32_t *day)
{
    const struct focal_certificate *c = focal_oplog_certificate(ol, office);
    if (!c)
        return false;
    uint8_t key[HEAD_KEY_BYTES];
    head_key(key, &c->keys.sign, &line->line);
    const struct receipt_head *head = focal_map_get(&ol->receipts.heads, key);
    if (!head)
        return false;
    if (seq)
        *seq = head->seq;
    if (day)
        *day = head->day;
    return true;
}

bool focal_oplog_next_signed(const struct focal_oplog *ol, size_t *at, struct focal_signed_head *out)
{
    const void *key;
    void *value;
    if (!focal_map_next(&ol->receipts.heads, at, &key, &value))
        return false;
    const struct receipt_head *head = value;
    memcpy(out->signer.b, key, sizeof out->signer.b);
    memcpy(out->line.b, (const uint8_t *)key + sizeof out->signer.b, sizeof out->line.b);
    memcpy(out->scope.b, head->of->key, sizeof out->scope.b);
    out->seq = head->seq;
    const struct oplog_log *line = focal_oplog_line_of(ol, &out->line);
    out->held = line && !line->void_here ? &line->pub : NULL;
    return true;
}

enum focal_status focal_oplog_next_receipt(struct focal_oplog *ol, struct focal_buf *key, struct focal_buf *body, struct focal_signature *signature,
                                           struct focal_scope *scope)
{
    for (;;) {
        enum focal_status st = focal_store_next(ol->store, FOCAL_SHELF_RECEIPT, focal_buf_view(key), key, &ol->value);
        if (st != FOCAL_OK)
            return st;
        if (key->len != RECEIPT_KEY_BYTES || ol->value.len < 64)
            return FOCAL_DAMAGED;
        struct focal_hash id;
        memcpy(id.b, key->data, sizeof id.b);
        const struct focal_scope *known = focal_oplog_scope(ol, &id);
        if (!known)
            continue;
        *scope = *known;
        memcpy(signature->b, ol->value.data, sizeof signature->b);
        focal_buf_clear(body);
        focal_buf_bytes(body, ol->value.data + 64, ol->value.len - 64);
        return body->failed ? FOCAL_NO_MEMORY : FOCAL_OK;
    }
}
