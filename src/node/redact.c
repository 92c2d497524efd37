/* Redaction, from what a person asks for to notices. One notice a scope: what a member may not see, it is not told about.
 *
 * To redact one field, the other values of the entries that held it are written again first, in one entry that replaces
 * them, and then those entries are redacted whole: what is signed cannot be cut into. */
#include "inner.h"

#include <string.h>

enum { ENTRIES_MAX = 256, VALUES_MAX = 400 };

struct redacting {
    struct focal_node *node;
    struct focal_redact_order *order;
    const struct focal_certificate *mine;
    bool ours;                          /* this office created the record */
    bool wrote;
};

static enum focal_status fail(struct redacting *r, enum focal_status st, const char *hint, const char *what)
{
    return focal_fail(&r->order->error, st, hint, "%s", what);
}

static bool writes(const struct redacting *r, const struct focal_scope *scope)
{
    return focal_oplog_may_write(r->node->oplog, scope);
}

static enum focal_status put_notice(struct redacting *r, const struct focal_redact *notice)
{
    struct focal_redact_order *o = r->order;
    struct focal_redact dated = *notice;
    dated.reason = o->reason;
    dated.day = o->day;
    enum focal_status st = node_writing(r->node);
    if (st == FOCAL_OK)
        st = focal_oplog_redact(r->node->oplog, &dated, &o->notices[o->notice_count], &o->error);
    if (st == FOCAL_OK) {
        o->notice_count++;
        r->wrote = true;
    }
    return st;
}

/* ---- a record ------------------------------------------------------------------------------------------------------------ */

enum focal_status redact_speaks(struct focal_node *n, const struct focal_ref *record, const struct focal_scope *scope, bool *here)
{
    struct focal_part part;
    struct focal_hash id;
    focal_scope_id(&id, focal_oplog_network(n->oplog), scope);
    focal_part_init(&part);
    enum focal_status st = focal_oplog_part(n->oplog, record, &id, &part);
    /* What another office has redacted already has left an empty part: this office's request may erase it. What was redacted and
     * is no more is missing here, and others may have it. */
    *here = st == FOCAL_OK && !focal_part_empty(&part);
    focal_part_close(&part);
    if ((st != FOCAL_OK && st != FOCAL_NOT_FOUND) || *here)
        return st;
    st = focal_oplog_missing_about(n->oplog, record, &id, here);
    return st == FOCAL_OK && !*here ? focal_oplog_record_redacted(n->oplog, record, &id, here) : st;
}

/* Where the country part of the record stands, or will when it comes. False: not known, or nowhere. */
static bool home_of(struct redacting *r, struct focal_hash *home)
{
    struct focal_record_view view;
    if (!focal_oplog_log(r->node->oplog, &r->order->record.log) || focal_oplog_record(r->node->oplog, NULL, &r->order->record, &view) != FOCAL_OK)
        return false;
    const bool known = view.record.home_set && !focal_bytes_zero(view.record.home.b, 32);
    *home = view.record.home;
    focal_record_view_close(&view);
    return known;
}

/* In the home scope also when its part is not here yet: it is redacted whenever it comes. */
static enum focal_status redact_record(struct redacting *r)
{
    enum focal_status st = FOCAL_OK;
    struct focal_hash home = { { 0 } }, id;
    const bool home_known = home_of(r, &home);
    bool home_left = home_known;
    for (size_t i = 0; i < r->mine->read_count && st == FOCAL_OK; i++) {
        const struct focal_scope *scope = &r->mine->read[i];
        focal_scope_id(&id, focal_oplog_network(r->node->oplog), scope);
        bool here = home_known && focal_hash_equal(&id, &home);
        home_left = home_left && !here;
        if (!here && (scope->cls == FOCAL_SCOPE_NETWORK || scope->cls == FOCAL_SCOPE_COUNTRY))
            st = redact_speaks(r->node, &r->order->record, scope, &here);
        if (!here || st != FOCAL_OK)
            continue;
        if (!writes(r, scope)) {
            r->order->part_left = true;
            continue;
        }
        const struct focal_redact notice = { .scope = *scope, .records = &r->order->record, .record_count = 1, .everywhere = true };
        st = put_notice(r, &notice);
    }
    r->order->part_left = r->order->part_left || home_left;
    if (st == FOCAL_OK && r->order->notice_count == 0)
        return fail(r, FOCAL_DENIED, "ask an office that writes where the record stands", "this office may not write in any scope of the record");
    return st;
}

/* ---- a field ------------------------------------------------------------------------------------------------------------- */

struct held { struct focal_record_entry entries[ENTRIES_MAX]; struct focal_ref refs[ENTRIES_MAX]; size_t count; bool home; };

static bool among(const struct held *held, const struct focal_ref *ref)
{
    for (size_t i = 0; i < held->count; i++)
        if (focal_ref_compare(&held->refs[i], ref) == 0)
            return true;
    return false;
}

/* A value as it can stand in an entry of ours. */
static enum focal_status value_again(struct redacting *r, const struct focal_live *live, struct focal_buf *sealed, struct focal_item *out)
{
    const size_t start = sealed->len;
    *out = (struct focal_item){ .field = live->field, .value = live->value };
    if (!focal_field_is_sealed(live->field))
        return FOCAL_OK;
    enum focal_status st = sealed_again(r->node, sealed, &r->order->record, live, &r->order->error);
    if (st == FOCAL_OK)
        out->value = focal_span_of(sealed->data + start, sealed->len - start);
    return st;
}

/* The other live values of those entries, in one entry of ours in their place. */
static enum focal_status write_again(struct redacting *r, const struct held *held, const struct focal_scope *scope, const struct focal_part *part, const struct focal_creation *creation)
{
    struct focal_live *live = focal_alloc(VALUES_MAX * sizeof *live);
    struct focal_item *values = focal_alloc(VALUES_MAX * sizeof *values);
    struct focal_replaced *replaced = focal_alloc(VALUES_MAX * sizeof *replaced);
    struct focal_buf payload, sealed;
    size_t kept = 0, gone = 0;
    focal_buf_init(&payload, FOCAL_ENTRY_MAX);
    focal_buf_init(&sealed, FOCAL_ENTRY_MAX);
    /* All the room there may be, so that it does not move under the values that look into it. */
    bool room = focal_buf_reserve(&sealed, FOCAL_ENTRY_MAX) != NULL;
    focal_buf_clear(&sealed);
    enum focal_status st = live && values && replaced && room ? FOCAL_OK : FOCAL_NO_MEMORY;
    size_t count = st == FOCAL_OK ? focal_part_live(part, live, VALUES_MAX) : 0;
    if (count > VALUES_MAX || part->more)
        st = fail(r, FOCAL_TOO_BIG, "redact the whole record", "the record holds too many values to write those again that stay");
    for (size_t i = 0; i < count && st == FOCAL_OK; i++) {
        if (!among(held, &live[i].ref))
            continue;
        replaced[gone++] = (struct focal_replaced){ .entry = live[i].ref, .ordinal = live[i].ordinal };
        if (live[i].field != r->order->field->number)
            st = value_again(r, &live[i], &sealed, &values[kept++]);
    }
    if (st == FOCAL_NO_MEMORY && sealed.failed)
        st = fail(r, FOCAL_TOO_BIG, "redact the whole record", "what stays of the record does not fit one entry");
    if (st == FOCAL_OK && (kept > 0 || held->home)) {
        const struct focal_span home = focal_span_of(creation->home.b, focal_bytes_zero(creation->home.b, 32) ? 0 : 32);
        const bool dated = scope->cls == FOCAL_SCOPE_COUNTRY;
        focal_payload_encode(&payload, creation->kind, held->home && creation->home_set ? &home : NULL, dated ? &r->order->day : NULL, values, kept);
        const struct focal_write w = { .scope = *scope, .record = r->order->record, .replaced = replaced, .replaced_count = gone, .payload = focal_buf_view(&payload) };
        struct focal_ref ref;
        st = payload.failed ? fail(r, FOCAL_TOO_BIG, "redact the whole record", "what stays of the record does not fit one entry") : node_writing(r->node);
        if (st == FOCAL_OK)
            st = focal_oplog_write(r->node->oplog, &w, &ref, &r->order->error);
        r->wrote = r->wrote || st == FOCAL_OK;
    }
    focal_buf_close(&payload);
    focal_buf_close(&sealed);
    focal_free(live);
    focal_free(values);
    focal_free(replaced);
    return st;
}

static enum focal_status may_redact(struct redacting *r, const struct held *held)
{
    for (size_t i = 0; i < held->count; i++) {
        const struct focal_record_entry *e = &held->entries[i];
        bool own = strcmp(e->office.text, r->mine->office.text) == 0;
        if (!own && !r->ours && !focal_oplog_may_redact(r->node->oplog, r->mine))
            return fail(r, FOCAL_DENIED, "ask the office that created the record, or headquarters", "another office wrote this field, and this office has no right to redact");
        if ((e->creates || e->has_home) && !r->ours)
            return fail(r, FOCAL_DENIED, "ask the office that created the record, or redact the whole record", "the field stands in the entry that created the record");
    }
    return FOCAL_OK;
}

static enum focal_status redact_field(struct redacting *r, const struct focal_record_view *view, struct held *held)
{
    struct focal_redact_order *o = r->order;
    const bool narrow = focal_field_scope(o->field->number) == FOCAL_SCOPE_COUNTRY;
    const struct focal_scope wide = { .cls = view->record.kind->creating_scope };
    const struct focal_scope *scope = narrow ? focal_oplog_scope(r->node->oplog, &view->record.home) : &wide;
    if (!scope || !writes(r, scope))
        return fail(r, FOCAL_DENIED, "ask an office of that country", "this office may not write where the field stands");
    struct focal_hash id;
    focal_scope_id(&id, focal_oplog_network(r->node->oplog), scope);
    enum focal_status st = focal_oplog_record_entries(r->node->oplog, &o->record, &id, o->field->number, held->entries, ENTRIES_MAX, &held->count);
    if (st != FOCAL_OK)
        return st;
    if (held->count == 0)
        return fail(r, FOCAL_NOT_FOUND, "look at the record", "the field was never set in this record");
    if (held->count > ENTRIES_MAX)
        return fail(r, FOCAL_TOO_BIG, "redact the whole record", "the field was set too often to be redacted by itself");
    for (size_t i = 0; i < held->count; i++) {
        held->refs[i] = held->entries[i].ref;
        held->home = held->home || held->entries[i].creates || held->entries[i].has_home;
    }
    st = may_redact(r, held);
    struct focal_creation creation = { .kind = view->record.kind_number, .home_set = view->record.home_set, .home = view->record.home };
    if (st == FOCAL_OK)
        st = write_again(r, held, scope, narrow ? &view->home : &view->widest, &creation);
    o->entry_count = held->count;
    const struct focal_redact notice = { .scope = *scope, .entries = held->refs, .entry_count = held->count };
    return st == FOCAL_OK ? put_notice(r, &notice) : st;
}

/* ---- as another office asked --------------------------------------------------------------------------------------------- */

struct agreeing {
    struct redacting *r;
    struct focal_hash scope;
    struct focal_ref target; bool begun;
    bool ours[2], others[2];            /* has this office, has another asked for the target, as an entry and as a record? */
    struct focal_ref refs[ENTRIES_MAX]; size_t count;
    bool whole;
};

static bool is_office(const struct focal_certificate *c, const struct focal_office *office)
{
    return c && strcmp(c->office.text, office->text) == 0;
}

static bool may(const struct agreeing *a, const struct focal_certificate *who, const struct focal_certificate *author)
{
    const struct focal_certificate *creator = focal_oplog_author(a->r->node->oplog, &a->r->order->record.log);
    return who && (focal_oplog_may_redact(a->r->node->oplog, who) || is_office(author, &who->office) || is_office(creator, &who->office));
}

static void take_target(struct agreeing *a)
{
    struct focal_entry_look look;
    const struct focal_ref *record = &a->r->order->record;
    const struct focal_certificate *author = focal_oplog_author(a->r->node->oplog, &a->target.log);
    if (!a->begun)
        return;
    if (a->others[1] && !a->ours[1] && focal_ref_compare(&a->target, record) == 0 && may(a, a->r->mine, NULL))
        a->whole = true;
    if (a->others[0] && !a->ours[0] && a->count < ENTRIES_MAX && may(a, a->r->mine, author) && focal_node_look(a->r->node, &a->target, &look) == FOCAL_OK
        && focal_ref_compare(&look.record, record) == 0)
        a->refs[a->count++] = a->target;
}

/* Requests about one target stand together. */
static enum focal_status gather(struct agreeing *a)
{
    struct focal_oplog *oplog = a->r->node->oplog;
    struct focal_redaction row;
    struct focal_buf key;
    enum focal_status st;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    while ((st = focal_oplog_next_redaction(oplog, &key, &row)) == FOCAL_OK) {
        if (!focal_hash_equal(&row.scope, &a->scope))
            continue;
        if (!a->begun || focal_ref_compare(&row.target, &a->target) != 0) {
            take_target(a);
            a->ours[0] = a->ours[1] = a->others[0] = a->others[1] = false;
        }
        a->target = row.target;
        a->begun = true;
        if (is_office(a->r->mine, &row.by))
            a->ours[row.whole_record] = true;
        else if (row.by.text[0] && may(a, focal_oplog_certificate(oplog, &row.by), row.whole_record ? NULL : focal_oplog_author(oplog, &row.target.log)))
            a->others[row.whole_record] = true;
    }
    take_target(a);
    focal_buf_close(&key);
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

static enum focal_status agree(struct redacting *r)
{
    enum focal_status st = FOCAL_OK;
    struct agreeing *a = focal_alloc(sizeof *a);
    if (!a)
        return FOCAL_NO_MEMORY;
    for (size_t i = 0; i < r->mine->write_count && st == FOCAL_OK; i++) {
        const struct focal_scope *scope = &r->mine->write[i];
        if ((scope->cls != FOCAL_SCOPE_NETWORK && scope->cls != FOCAL_SCOPE_COUNTRY) || !writes(r, scope))
            continue;
        memset(a, 0, sizeof *a);
        a->r = r;
        focal_scope_id(&a->scope, focal_oplog_network(r->node->oplog), scope);
        st = gather(a);
        const struct focal_redact notice = { .scope = *scope, .entries = a->refs, .entry_count = a->count, .records = &r->order->record,
                                             .record_count = a->whole ? 1 : 0 };
        if (st == FOCAL_OK && (a->count > 0 || a->whole))
            st = put_notice(r, &notice);
        r->order->entry_count += a->count;
    }
    focal_free(a);
    if (st == FOCAL_OK && r->order->notice_count == 0)
        return fail(r, FOCAL_NOT_FOUND, "`focalctl redaction show REF` says who has asked for what", "nothing of this record waits for this office to ask as well");
    return st;
}

/* ---- the order ----------------------------------------------------------------------------------------------------------- */

static enum focal_status run(struct redacting *r)
{
    struct focal_redact_order *o = r->order;
    r->mine = focal_oplog_mine(r->node->oplog);
    if (!r->mine)
        return fail(r, FOCAL_DENIED, "let headquarters run `focalctl office admit`", "this office is not admitted to the network yet");
    const struct focal_certificate *creator = focal_oplog_author(r->node->oplog, &o->record.log);
    if (!focal_oplog_log(r->node->oplog, &o->record.log))
        return fail(r, FOCAL_NOT_FOUND, "look at the list of records", "no such record is here");
    r->ours = creator && strcmp(creator->office.text, r->mine->office.text) == 0;
    if (o->agree)
        return agree(r);
    if (!o->field) {
        if (!r->ours && !focal_oplog_may_redact(r->node->oplog, r->mine))
            return fail(r, FOCAL_DENIED, "ask the office that created it, or headquarters", "another office created this record, and this office has no right to redact");
        return redact_record(r);
    }
    struct focal_record_view view;
    enum focal_status st = focal_oplog_record(r->node->oplog, NULL, &o->record, &view);
    if (st != FOCAL_OK)
        return st == FOCAL_NOT_FOUND ? fail(r, st, "look at the list of records", "no such record is here") : st;
    struct held *held = focal_alloc(sizeof *held);
    if (!view.record.kind)
        st = fail(r, FOCAL_NOT_FOUND, "look at the list of records", "the record was redacted, or its first part is not here yet");
    else if (!held)
        st = FOCAL_NO_MEMORY;
    else
        st = redact_field(r, &view, held);
    focal_free(held);
    focal_record_view_close(&view);
    return st;
}

void redact_run(struct focal_node *n, struct focal_redact_order *order, enum focal_status *world)
{
    struct redacting r = { .node = n, .order = order };
    memset(&order->error, 0, sizeof order->error);
    order->notice_count = order->entry_count = 0;
    order->part_left = false;
    /* What this step has written already is to be found as well. */
    order->status = n->tx_open ? focal_oplog_seal(n->oplog) : FOCAL_OK;
    if (order->status == FOCAL_OK)
        order->status = run(&r);
    if (order->status == FOCAL_OK) {
        uint8_t detail[FOCAL_REF_BYTES];
        focal_ref_put(detail, &order->record);
        order->status = history_note(n, FOCAL_HISTORY_REDACTED, focal_span_of(detail, sizeof detail));
    }
    *world = focal_sync_world(order->status) ? order->status : order->status != FOCAL_OK && r.wrote ? FOCAL_IO : FOCAL_OK;
}
