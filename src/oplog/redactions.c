/* The set of redactions, and what each is worth. The set is derived from the notices logs; whether one is in force follows
 * from it and from the statements, asked anew each time: a set that only grows would differ between nodes as soon as a
 * redactor loses his right.
 *
 * A redaction is in force when its author's office has the right to redact, or wrote the entry, or created its record.
 * Source: PROTOCOL §6. */
#include "inside.h"

enum { ROW_KEY_BYTES = FOCAL_REDACTION_KEY_BYTES, ROW_BYTES = 32, KIND_AT = ROW_KEY_BYTES - 1 };

/* ---- the set --------------------------------------------------------------------------------------------------------- */

/* Targets stand in memory, so that an entry nobody speaks of costs no look into the store. */
static enum focal_status remember(struct focal_oplog *ol, const uint8_t target[FOCAL_REF_BYTES])
{
    return focal_map_put(&ol->redacted, target, ol);
}

enum focal_status focal_oplog_redactions_load(struct focal_oplog *ol)
{
    enum focal_status st;
    focal_map_clear(&ol->redacted);
    ol->target_count = ol->begun_count = 0;
    ol->targets_all = false;
    focal_buf_clear(&ol->key);
    while ((st = focal_store_next(ol->store, FOCAL_SHELF_REDACTION, focal_buf_view(&ol->key), &ol->key, NULL)) == FOCAL_OK) {
        if (ol->key.len != ROW_KEY_BYTES)
            return FOCAL_DAMAGED;
        st = remember(ol, ol->key.data);
        if (st != FOCAL_OK)
            return st;
    }
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

bool focal_oplog_maybe_redacted(const struct focal_oplog *ol, const struct focal_ref *ref)
{
    uint8_t target[FOCAL_REF_BYTES];
    if (ol->redacted.count == 0)
        return false;
    focal_ref_put(target, ref);
    return focal_map_get(&ol->redacted, target) != NULL;
}

enum focal_status focal_oplog_target_add(struct focal_oplog *ol, uint8_t kind, const struct focal_ref *ref, const struct focal_hash *scope)
{
    void *list = ol->targets;
    enum focal_status st = focal_oplog_room(&list, &ol->target_cap, ol->target_count, sizeof *ol->targets);
    ol->targets = list;
    if (st == FOCAL_OK)
        ol->targets[ol->target_count++] = (struct redaction_target){ .kind = kind, .ref = *ref, .scope = *scope };
    return st;
}

bool focal_oplog_redactable(const struct focal_log *log)
{
    return log->name.lane == FOCAL_LANE_DATA && (log->scope.cls == FOCAL_SCOPE_NETWORK || log->scope.cls == FOCAL_SCOPE_COUNTRY);
}

bool focal_oplog_redaction_key(uint8_t key[FOCAL_REDACTION_KEY_BYTES], const struct focal_log *log, const struct focal_ref *notice, uint8_t kind, struct focal_span target)
{
    if (target.len != FOCAL_REF_BYTES)
        return false;
    memcpy(key, target.data, FOCAL_REF_BYTES);
    memcpy(key + FOCAL_REF_BYTES, log->name.scope.b, 32);
    focal_ref_put(key + FOCAL_REF_BYTES + 32, notice);
    key[KIND_AT] = kind;
    return true;
}

static enum focal_status put_target(struct focal_oplog *ol, const struct focal_log *log, const struct focal_ref *notice, uint8_t kind, struct focal_span value)
{
    uint8_t key[ROW_KEY_BYTES];
    struct focal_ref target;
    if (!focal_oplog_redaction_key(key, log, notice, kind, value))
        return FOCAL_OK;        /* of a form that comes later: kept, hashed and relayed as it is */
    focal_ref_get(&target, key);
    enum focal_status st = focal_store_put(ol->store, FOCAL_SHELF_REDACTION, focal_span_of(key, sizeof key), focal_span_of(log->name.author.b, ROW_BYTES));
    if (st == FOCAL_OK)
        st = remember(ol, key);
    return st == FOCAL_OK ? focal_oplog_target_add(ol, kind, &target, &log->name.scope) : st;
}

enum focal_status focal_oplog_notice_targets(const struct focal_log *log, const struct focal_stretch_entry *e, notice_target *each, void *data)
{
    struct focal_header header;
    struct focal_payload payload;
    struct focal_value_walk at = { 0 };
    struct focal_item item;
    enum focal_status st = FOCAL_OK;
    if (log->scope.cls != FOCAL_SCOPE_NETWORK && log->scope.cls != FOCAL_SCOPE_COUNTRY)
        return FOCAL_OK;
    if (!e->has_payload)
        return FOCAL_OK;
    /* Nothing else comes out of a stretch, and nothing else is written. */
    focal_assert(focal_header_decode(&header, e->header) == FOCAL_OK && focal_payload_decode(&payload, e->payload) == FOCAL_OK);
    if (header.shape != FOCAL_SHAPE_ORDINARY || payload.kind != FOCAL_KIND_REDACTION)
        return FOCAL_OK;
    while (st == FOCAL_OK && focal_payload_next(&payload, &at, &item)) {
        if (item.field == FOCAL_REDACTION_ENTRY || item.field == FOCAL_REDACTION_RECORD)
            st = each(data, item.field == FOCAL_REDACTION_ENTRY ? TARGET_ENTRY : TARGET_RECORD, item.value);
    }
    return st;
}

struct noting { struct focal_oplog *ol; const struct focal_log *log; struct focal_ref notice; };

static enum focal_status note_target(void *data, uint8_t kind, struct focal_span value)
{
    struct noting *n = data;
    return put_target(n->ol, n->log, &n->notice, kind, value);
}

enum focal_status focal_oplog_notice(struct focal_oplog *ol, const struct focal_log *log, const struct focal_stretch_entry *e, uint64_t seq,
                                     const struct focal_hash *h)
{
    struct noting n = { .ol = ol, .log = log, .notice = { .log = log->id, .seq = seq } };
    memcpy(n.notice.h8, h->b, sizeof n.notice.h8);
    return focal_oplog_notice_targets(log, e, note_target, &n);
}

static enum focal_status void_target(void *data, uint8_t kind, struct focal_span value)
{
    struct noting *n = data;
    uint8_t key[ROW_KEY_BYTES];
    struct focal_ref target;
    if (!focal_oplog_redaction_key(key, n->log, &n->notice, kind, value))
        return FOCAL_OK;
    focal_ref_get(&target, key);
    n->ol->unhide_due = true;           /* it stays in the memory of targets: that only costs a look */
    enum focal_status st = focal_store_del(n->ol->store, FOCAL_SHELF_REDACTION, focal_span_of(key, sizeof key));
    return st == FOCAL_OK ? focal_oplog_target_add(n->ol, kind, &target, &n->log->name.scope) : st;
}

enum focal_status focal_oplog_notice_void(struct focal_oplog *ol, const struct focal_log *log, const struct focal_stretch_entry *e, uint64_t seq,
                                          const struct focal_hash *h)
{
    struct noting n = { .ol = ol, .log = log, .notice = { .log = log->id, .seq = seq } };
    memcpy(n.notice.h8, h->b, sizeof n.notice.h8);
    return focal_oplog_notice_targets(log, e, void_target, &n);
}

/* ---- what an entry is called -------------------------------------------------------------------------------------------- */

void focal_oplog_entry_name(const struct focal_oplog *ol, struct entry_name *out, const struct focal_log *log, struct focal_span header_bytes, uint64_t seq,
                            const struct focal_hash *h)
{
    struct focal_header header;
    memset(out, 0, sizeof *out);
    enum focal_status st = focal_header_decode(&header, header_bytes);
    focal_assert(st == FOCAL_OK);
    out->author = log->name.author;
    out->ref = (struct focal_ref){ .log = log->id, .seq = seq };
    out->h = *h;
    if (header.shape == FOCAL_SHAPE_QUOTE) {
        const struct focal_log_name quoted = { .author = header.quoted_author, .epoch = header.quoted_epoch, .scope = log->name.scope, .lane = FOCAL_LANE_DATA };
        struct focal_header inner;
        st = focal_header_decode(&inner, header.quoted_header);
        focal_assert(st == FOCAL_OK && inner.shape == FOCAL_SHAPE_ORDINARY);       /* decoding the quote has seen to that */
        out->is_quote = true;
        out->author = header.quoted_author;
        out->header = header.quoted_header;
        focal_log_id(&out->ref.log, &ol->network, &quoted);
        out->ref.seq = inner.seq;
        focal_chain_next(&out->h, &header.quoted_before, &out->ref.log, header.quoted_header, &header.quoted_commitment);
        header = inner;
    } else {
        out->header = header_bytes;
    }
    memcpy(out->ref.h8, out->h.b, sizeof out->ref.h8);
    out->makes_part = header.shape == FOCAL_SHAPE_ORDINARY && log->name.lane == FOCAL_LANE_DATA;
    out->creates = header.creates;
    out->record = header.creates ? out->ref : header.record;
}

/* ---- what a redaction is worth ------------------------------------------------------------------------------------------- */

static const struct focal_office *office_of(const struct focal_oplog *ol, const uint8_t key[32])
{
    struct focal_key author;
    memcpy(author.b, key, sizeof author.b);
    const struct focal_certificate *c = focal_oplog_certificate_by_sign(ol, &author);
    return c ? &c->office : NULL;
}

static bool has_right(const struct focal_oplog *ol, const struct focal_key *author)
{
    for (const struct held_statement *held = focal_oplog_held_by_sign(ol, author); held; held = held->same_sign) {
        if (held->certificate->rights & FOCAL_RIGHT_REDACT)
            return true;
    }
    return false;
}

/* By any certificate, and not beyond what a cut leaves of the right. */
static enum focal_status right_for(struct focal_oplog *ol, const uint8_t key[32], const struct focal_ref *notice, bool *has)
{
    struct focal_key author;
    memcpy(author.b, key, sizeof author.b);
    *has = has_right(ol, &author);
    return *has ? focal_oplog_right_reaches(ol, &author, FOCAL_RIGHT_REDACT, notice, has) : FOCAL_OK;
}

struct redactor focal_oplog_redactor(const struct focal_oplog *ol, const struct focal_key *key)
{
    const struct focal_office *office = office_of(ol, key->b);
    struct redactor found = { .right = has_right(ol, key) };
    if (office)
        found.office = *office;
    return found;
}

static void count_office(struct redaction_force *f, const struct focal_oplog *ol, const struct focal_office *office)
{
    const struct focal_certificate *mine = focal_oplog_mine(ol);
    f->by_others = f->by_others && !(mine && strcmp(mine->office.text, office->text) == 0);
    for (size_t i = 0; i < f->offices; i++) {
        if (strcmp(f->office[i].text, office->text) == 0)
            return;
    }
    if (f->offices < sizeof f->office / sizeof *f->office)
        f->office[f->offices++] = *office;
}

/* Adds what redactions of this target are worth; owner, creator: the offices whose entry and whose record it is, NULL if not
 * known here. */
static enum focal_status add_force(struct focal_oplog *ol, struct redaction_force *f, uint8_t kind, const struct focal_ref *target,
                                   const struct focal_hash *scope, const struct focal_office *owner, const struct focal_office *creator)
{
    uint8_t prefix[FOCAL_REF_BYTES + 32];
    struct focal_buf key, value;
    if (!focal_oplog_maybe_redacted(ol, target))
        return FOCAL_OK;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, ROW_BYTES);
    focal_ref_put(prefix, target);
    memcpy(prefix + FOCAL_REF_BYTES, scope->b, 32);
    focal_buf_bytes(&key, prefix, sizeof prefix);
    enum focal_status st = key.failed ? FOCAL_NO_MEMORY : FOCAL_OK;     /* from another row the walk would find nothing */
    while (st == FOCAL_OK
           && (st = focal_store_next(ol->store, FOCAL_SHELF_REDACTION, focal_buf_view(&key), &key, &value)) == FOCAL_OK) {
        if (key.len < sizeof prefix || memcmp(key.data, prefix, sizeof prefix) != 0)
            break;
        if (key.len != ROW_KEY_BYTES || value.len != ROW_BYTES) {
            st = FOCAL_DAMAGED;
            break;
        }
        const struct focal_office *by = office_of(ol, value.data);
        if (key.data[KIND_AT] != kind || !by)
            continue;
        bool own = (owner && strcmp(owner->text, by->text) == 0) || (creator && strcmp(creator->text, by->text) == 0);
        bool right = own;
        struct focal_ref notice;
        focal_ref_get(&notice, key.data + FOCAL_REF_BYTES + 32);
        if (!own && (st = right_for(ol, value.data, &notice, &right)) != FOCAL_OK)
            break;
        if (!right && !FOCAL_PLANTED(REDACTION_SET_GROWS))
            continue;
        f->in_force = true;
        f->by_owner = f->by_owner || own;
        count_office(f, ol, by);
    }
    focal_buf_close(&key);
    focal_buf_close(&value);
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

static const struct focal_office *office_of_log(const struct focal_oplog *ol, const struct focal_id *id)
{
    const struct oplog_log *log = focal_oplog_log_of(ol, id);
    return log && focal_oplog_has_author(log) ? office_of(ol, log->pub.name.author.b) : NULL;
}

/* The log that the entry stands in may not be known yet but for its name. */
static const struct focal_office *creator_of(const struct focal_oplog *ol, const struct entry_name *name, const struct focal_log *in)
{
    if (name->creates)
        return office_of(ol, name->author.b);
    if (focal_id_equal(&name->record.log, &in->id))
        return office_of(ol, in->name.author.b);
    return office_of_log(ol, &name->record.log);
}

enum focal_status focal_oplog_force(struct focal_oplog *ol, const struct entry_name *name, const struct focal_log *in, struct redaction_force *out)
{
    const struct focal_hash *scope = &in->name.scope;
    *out = (struct redaction_force){ .by_others = true };
    const struct focal_office *creator = creator_of(ol, name, in);
    enum focal_status st = add_force(ol, out, TARGET_ENTRY, &name->ref, scope, office_of(ol, name->author.b), creator);
    return st == FOCAL_OK ? add_force(ol, out, TARGET_RECORD, &name->record, scope, NULL, creator) : st;
}

static bool same_office(const struct focal_office *one, const struct focal_office *other)
{
    return one && other && strcmp(one->text, other->text) == 0;
}

/* A redaction counts by the right, or because it is of the office that wrote the entry or created its record; whose that is may
 * not be known here, and then it may be anybody's. */
bool focal_oplog_maybe_void(const struct focal_oplog *ol, const struct entry_name *name, const struct focal_log *in)
{
    const struct focal_office *owner = office_of(ol, name->author.b), *creator = creator_of(ol, name, in);
    for (size_t i = 0; i < ol->statements.cut_count; i++) {
        const struct focal_cut *cut = ol->statements.cuts[i]->cut;
        const struct focal_office *by = office_of(ol, cut->key.b);
        const bool right = has_right(ol, &cut->key), own = !owner || !creator || same_office(owner, by) || same_office(creator, by);
        if (cut->reach.kind == FOCAL_REACH_RIGHT ? right && cut->reach.right == FOCAL_RIGHT_REDACT
            : (right || own) && (cut->reach.kind == FOCAL_REACH_EVERYTHING || focal_scope_compare(&cut->reach.scope, &in->scope) == 0))
            return true;
    }
    return false;
}

enum focal_status focal_oplog_record_redacted(struct focal_oplog *ol, const struct focal_ref *record, const struct focal_hash *scope, bool *redacted)
{
    struct redaction_force f = { .by_others = true };
    const struct focal_office *creator = office_of_log(ol, &record->log);
    enum focal_status st = add_force(ol, &f, TARGET_RECORD, record, scope, NULL, creator);
    *redacted = st != FOCAL_OK || f.in_force;
    return st;
}

/* One row of the set after key, without what it is worth: that costs a walk over all of its target. */
enum focal_status focal_oplog_next_request(struct focal_oplog *ol, struct focal_buf *key, struct focal_redaction *out)
{
    struct focal_buf value;
    focal_buf_init(&value, ROW_BYTES);
    enum focal_status st = focal_store_next(ol->store, FOCAL_SHELF_REDACTION, focal_buf_view(key), key, &value);
    if (st == FOCAL_OK && (key->len != ROW_KEY_BYTES || value.len != ROW_BYTES))
        st = FOCAL_DAMAGED;
    if (st == FOCAL_OK) {
        memset(out, 0, sizeof *out);
        focal_ref_get(&out->target, key->data);
        memcpy(out->scope.b, key->data + FOCAL_REF_BYTES, 32);
        focal_ref_get(&out->notice, key->data + FOCAL_REF_BYTES + 32);
        out->whole_record = key->data[KIND_AT] == TARGET_RECORD;
        const struct focal_office *by = office_of(ol, value.data);
        if (by)
            out->by = *by;
    }
    focal_buf_close(&value);
    return st;
}

enum focal_status focal_oplog_log_begun(struct focal_oplog *ol, const struct focal_log *log)
{
    if (!focal_oplog_redactable(log) || ol->redacted.count == 0)
        return FOCAL_OK;
    void *list = ol->begun;
    enum focal_status st = focal_oplog_room(&list, &ol->begun_cap, ol->begun_count, sizeof *ol->begun);
    ol->begun = list;
    if (st == FOCAL_OK)
        ol->begun[ol->begun_count++] = log->id;
    return st;
}

/* Of a whole record its log alone says whose it is; an entry's reference does not say which record it speaks of. */
static bool judged_anew(const struct focal_oplog *ol, const struct focal_redaction *r)
{
    for (size_t i = 0; i < ol->begun_count && !ol->targets_all; i++) {
        /* By name, also of a log that a cut has just left nothing of. */
        const struct oplog_log *log = focal_oplog_log_of(ol, &ol->begun[i]);
        const struct focal_office *author = log ? office_of(ol, log->pub.name.author.b) : NULL;
        if (author && strcmp(author->text, r->by.text) == 0 && (!r->whole_record || focal_id_equal(&r->target.log, &ol->begun[i])))
            return true;
    }
    return ol->targets_all;
}

enum focal_status focal_oplog_judge_again(struct focal_oplog *ol)
{
    struct focal_buf key;
    struct focal_redaction r;
    enum focal_status st = FOCAL_OK;
    if (!ol->targets_all && ol->begun_count == 0)
        return st;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    while (st == FOCAL_OK && (st = focal_oplog_next_request(ol, &key, &r)) == FOCAL_OK) {
        if (judged_anew(ol, &r))
            st = focal_oplog_target_add(ol, r.whole_record ? TARGET_RECORD : TARGET_ENTRY, &r.target, &r.scope);
    }
    focal_buf_close(&key);
    if (st != FOCAL_NOT_FOUND)
        return st;
    ol->targets_all = false;            /* the logs that have begun are still to be looked at by index_begun */
    return FOCAL_OK;
}

/* ---- erasing --------------------------------------------------------------------------------------------------------------- */

/* By one office alone, and be it its own, at most so many records a day are erased here: one stolen key must not be able to
 * erase an office's history in a minute. The rest waits, hidden, for a second office. */
enum { ALONE_RECORDS_A_DAY = 20, ALONE_HEAD_BYTES = 8 };

/* Row: the day, the count in the eighth byte, then the records. */
static enum focal_status erase_alone(struct focal_oplog *ol, const struct focal_office *office, const struct focal_ref *record, bool *may)
{
    char name[32] = "alone/";
    uint8_t row[ALONE_HEAD_BYTES + ALONE_RECORDS_A_DAY * FOCAL_REF_BYTES] = { 0 }, ref[FOCAL_REF_BYTES], day[4];
    struct focal_buf value;
    focal_buf_init(&value, sizeof row);
    memcpy(name + 6, office->text, strlen(office->text) + 1);
    enum focal_status st = focal_store_get(ol->store, FOCAL_SHELF_META, focal_span_text(name), &value);
    if (st == FOCAL_OK && value.len == sizeof row)
        memcpy(row, value.data, sizeof row);
    focal_buf_close(&value);
    if (st != FOCAL_OK && st != FOCAL_NOT_FOUND)
        return st;
    focal_oplog_put_be32(day, ol->day);
    if (memcmp(row, day, sizeof day) != 0) {
        memset(row, 0, sizeof row);
        memcpy(row, day, sizeof day);
    }
    focal_ref_put(ref, record);
    *may = false;
    size_t at = ALONE_HEAD_BYTES;
    const size_t end = ALONE_HEAD_BYTES + row[7] * (size_t)FOCAL_REF_BYTES;
    for (; at < end && at < sizeof row && !*may; at += FOCAL_REF_BYTES)
        *may = memcmp(row + at, ref, sizeof ref) == 0;
    if (*may || at + FOCAL_REF_BYTES > sizeof row)
        return FOCAL_OK;
    *may = true;
    row[7]++;
    memcpy(row + at, ref, sizeof ref);
    return focal_store_put(ol->store, FOCAL_SHELF_META, focal_span_text(name), focal_span_of(row, sizeof row));
}

enum focal_status focal_oplog_may_erase(struct focal_oplog *ol, const struct redaction_force *f, const struct focal_ref *record, bool *may)
{
    *may = f->offices >= 2;
    return *may || !f->by_owner ? FOCAL_OK : erase_alone(ol, &f->office[0], record, may);
}

void focal_oplog_set_day(struct focal_oplog *ol, uint32_t day)
{
    ol->day = day;
}

/* ---- for people ------------------------------------------------------------------------------------------------------------ */

enum focal_status focal_oplog_next_redaction(struct focal_oplog *ol, struct focal_buf *key, struct focal_redaction *out)
{
    enum focal_status st = focal_oplog_next_request(ol, key, out);
    return st == FOCAL_OK && out->whole_record ? focal_oplog_record_redacted(ol, &out->target, &out->scope, &out->in_force) : st;
}

enum focal_status focal_oplog_hidden_count(struct focal_oplog *ol, uint64_t *count)
{
    enum focal_status st;
    *count = 0;
    focal_buf_clear(&ol->key);
    while ((st = focal_store_next(ol->store, FOCAL_SHELF_HIDDEN, focal_buf_view(&ol->key), &ol->key, NULL)) == FOCAL_OK)
        ++*count;
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

enum focal_status focal_oplog_next_refused(struct focal_oplog *ol, struct focal_buf *key, struct focal_refused *out)
{
    enum focal_status st = focal_store_next(ol->store, FOCAL_SHELF_REFUSED, focal_buf_view(key), key, &ol->value);
    if (st != FOCAL_OK)
        return st;
    struct focal_cur cur = focal_cur_of(focal_buf_view(&ol->value));
    uint8_t ref[FOCAL_REF_BYTES];
    memset(out, 0, sizeof *out);
    focal_cur_copy(&cur, ref, sizeof ref);
    focal_ref_get(&out->record, ref);
    focal_cur_copy(&cur, ref, sizeof ref);
    focal_ref_get(&out->entry, ref);
    out->kind = focal_cur_varint(&cur);
    while (focal_cur_left(&cur) > 0 && out->field_count < FOCAL_REFUSED_FIELDS_MAX)
        out->fields[out->field_count++] = focal_cur_varint(&cur);
    return cur.failed ? FOCAL_DAMAGED : FOCAL_OK;
}

/* ---- writing one ------------------------------------------------------------------------------------------------------------- */

enum focal_status focal_oplog_redact(struct focal_oplog *ol, const struct focal_redact *r, struct focal_ref *notice, struct focal_error *err)
{
    static const uint8_t everywhere = FOCAL_CODE_EVERYWHERE;
    enum { TARGETS_MAX = 400 };
    if (r->entry_count + r->record_count == 0 || r->entry_count + r->record_count > TARGETS_MAX)
        return focal_fail(err, FOCAL_TOO_BIG, "redact the whole record", "one redaction names at most %d entries", TARGETS_MAX);
    struct focal_item *items = focal_alloc((r->entry_count + r->record_count + 2) * sizeof *items);
    uint8_t (*names)[FOCAL_REF_BYTES] = focal_alloc((r->entry_count + r->record_count) * FOCAL_REF_BYTES);
    struct focal_buf payload;
    size_t n = 0;
    focal_buf_init(&payload, FOCAL_ORDINARY_MAX);
    enum focal_status st = items && names ? FOCAL_OK : FOCAL_NO_MEMORY;
    for (size_t i = 0; st == FOCAL_OK && i < r->entry_count + r->record_count; i++, n++) {
        const bool entry = i < r->entry_count;
        focal_ref_put(names[i], entry ? &r->entries[i] : &r->records[i - r->entry_count]);
        items[n] = (struct focal_item){ .field = entry ? FOCAL_REDACTION_ENTRY : FOCAL_REDACTION_RECORD, .value = focal_span_of(names[i], FOCAL_REF_BYTES) };
    }
    if (st == FOCAL_OK) {
        items[n++] = (struct focal_item){ .field = FOCAL_REDACTION_REASON, .value = focal_span_of(&r->reason, 1) };
        if (r->everywhere)
            items[n++] = (struct focal_item){ .field = FOCAL_REDACTION_REACH, .value = focal_span_of(&everywhere, 1) };
        focal_payload_encode(&payload, FOCAL_KIND_REDACTION, NULL, r->scope.cls == FOCAL_SCOPE_COUNTRY && r->day ? &r->day : NULL, items, n);
        st = payload.failed ? FOCAL_NO_MEMORY : FOCAL_OK;
    }
    if (st == FOCAL_OK) {
        const struct focal_write w = { .scope = r->scope, .lane = FOCAL_LANE_NOTICES, .creates = true, .payload = focal_buf_view(&payload) };
        st = focal_oplog_write(ol, &w, notice, err);
    }
    focal_buf_close(&payload);
    focal_free(items);
    focal_free(names);
    return st;
}
