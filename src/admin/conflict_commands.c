/* Two versions: listed, shown side by side, and resolved by a person. Beside them stand withdrawn cases that are not what
 * their withdrawal saw. */
#include "job.h"

#include <stdio.h>
#include <string.h>

struct walk { struct focal_ref at; bool started; uint64_t limit, told; };

static json_t *conflict_item(const struct job *j, const struct focal_record *r)
{
    struct focal_oplog *oplog = job_oplog(j);
    json_t *item = record_head_json(oplog, r);
    json_object_set_new(item, "conflicts", conflicts_json(j->admin->is.node, r));
    json_t *withdrawal = withdrawal_json(oplog, r);
    if (withdrawal)
        json_object_set_new(item, "withdrawal", withdrawal);
    if (r->more)
        json_object_set_new(item, "not_all_shown", json_true());
    return item;
}

static enum job_state conflicts_of_one(struct job *j)
{
    struct focal_error err;
    struct focal_record_view view;
    if (job_record(j, &view, &err) != FOCAL_OK)
        return job_fail(j, &err);
    if (view.record.two_versions || view.record.more || withdrawal_needs_person(&view.record))
        job_item(j, conflict_item(j, &view.record));
    focal_record_view_close(&view);
    return job_end(j, FOCAL_OK, json_pack("{s:b}", "more", 0));
}

enum job_state run_conflicts(struct job *j)
{
    if (job_text(j, "ref"))
        return conflicts_of_one(j);
    struct walk *w = j->own ? j->own : job_own(j, sizeof *w, NULL);
    if (!w)
        return job_fail(j, NULL);
    if (j->stage == 0) {
        w->limit = 1000;
        (void)job_number(j, "limit", &w->limit);
        j->stage = 1;
    }
    for (int i = 0; i < RECORDS_PER_SLICE; i++) {
        struct focal_ref next;
        struct focal_record_view view;
        enum focal_status st = focal_oplog_next_conflict(job_oplog(j), NULL, w->started ? &w->at : NULL, &next);
        if (st == FOCAL_NOT_FOUND)
            return job_end(j, FOCAL_OK, json_pack("{s:b}", "more", 0));
        if (st == FOCAL_OK)
            st = focal_oplog_record(job_oplog(j), NULL, &next, &view);
        if (st != FOCAL_OK)
            return job_failf(j, st, "run `focalctl verify`", "the list of records with two versions cannot be read");
        bool shown = record_needs_person(&view.record) && view.record.kind == job_kind(j), room = w->told < w->limit;
        if (shown && room)
            job_item(j, conflict_item(j, &view.record));
        w->told += shown;
        focal_record_view_close(&view);
        if (shown && !room)
            return job_end(j, FOCAL_OK, json_pack("{s:b}", "more", 1));
        w->at = next;
        w->started = true;
    }
    return JOB_AGAIN;
}

/* ---- resolve ---- */

/* The register that "status" or "assistance.medical" names. */
static const struct focal_slot *slot_find(const struct focal_record *r, const char *name, struct focal_error *err)
{
    char field[64];
    (void)snprintf(field, sizeof field, "%.*s", (int)strcspn(name, "."), name);
    if (!field_find(r->kind, field, err))
        return NULL;
    for (size_t i = 0; i < r->slot_count; i++) {
        struct focal_buf text;
        focal_buf_init(&text, 256);
        slot_name(&text, &r->slots[i]);
        bool same = strcmp(focal_buf_cstr(&text), name) == 0;
        focal_buf_close(&text);
        if (same && r->slots[i].two_versions)
            return &r->slots[i];
    }
    (void)!focal_fail(err, FOCAL_CONFLICT, "look at it with `show`; `update --set` changes a field", "\"%.60s\" has no two versions (any more); nothing was changed", name);
    return NULL;
}

/* As `conflicts` shows it, or whole as the field's text. What is sealed and does not open looks like others of its kind, and is
 * taken by its office alone. */
static bool value_is(const struct job *j, const struct focal_record *r, const struct focal_slot *slot, size_t i, const char *typed)
{
    struct focal_buf text;
    struct opened o;
    focal_buf_init(&text, 65536);
    opened_begin(&o, j->admin->is.node, &r->ref, slot->field, &slot->values[i]);
    if (o.status == FOCAL_OK)
        value_text(&text, job_oplog(j), o.field, o.value);
    const char *whole = focal_buf_cstr(&text);
    size_t len = strlen(whole), typed_len = strlen(typed);
    bool same = strcmp(whole, typed) == 0
                || (slot->key.len && len > typed_len + 1 && strcmp(whole + len - typed_len, typed) == 0 && whole[len - typed_len - 1] == '.');
    same = same && o.status == FOCAL_OK;
    opened_end(&o);
    focal_buf_wipe_close(&text);
    return same;
}

static const struct focal_live *take_value(struct job *j, const struct focal_record *r, const struct focal_slot *slot, const char *typed, struct focal_error *err)
{
    for (size_t i = 0; i < slot->value_count; i++)
        if (value_is(j, r, slot, i, typed))
            return &slot->values[i];
    struct focal_buf all;
    focal_buf_init(&all, 300);
    for (size_t i = 0; i < slot->value_count; i++) {
        focal_buf_text(&all, i ? ", " : "");
        live_text(&all, j->admin->is.node, &r->ref, slot->field, &slot->values[i]);
    }
    (void)!focal_fail(err, FOCAL_NOT_FOUND, focal_field_is_sealed(slot->number) ? "take what opens here, or --take-office CODE, or write another with `update --set`"
                                                                                : "take one of them, or write another with `update --set`", "none of the versions is \"%.60s\"; they are: %s", typed, focal_buf_cstr(&all));
    focal_buf_close(&all);
    return NULL;
}

static const struct focal_live *take_office(struct job *j, const struct focal_record *r, const struct focal_slot *slot, const char *typed, struct focal_error *err)
{
    struct focal_office office;
    const struct focal_live *found = NULL;
    if (office_find(job_oplog(j), typed, &office, err) != FOCAL_OK)
        return NULL;
    for (size_t i = 0; i < slot->value_count; i++) {
        const struct focal_certificate *author = focal_oplog_author(job_oplog(j), &slot->values[i].ref.log);
        if (!author || strcmp(author->office.text, office.text) != 0)
            continue;
        if (found && !lives_same(j->admin->is.node, &r->ref, slot->field, found, &slot->values[i])) {
            (void)!focal_fail(err, FOCAL_AMBIGUOUS, focal_field_is_sealed(slot->number) ? "--take VALUE where it opens; or write another with `update --set`" : "use --take VALUE",
                              "%s itself wrote more than one of the versions", office.text);
            return NULL;
        }
        found = &slot->values[i];
    }
    if (!found)
        (void)!focal_fail(err, FOCAL_NOT_FOUND, "`focalctl case conflicts REF` shows who wrote what", "none of the versions is by %s", office.text);
    return found;
}

static enum focal_status prepare(struct job *j, struct draft *d, const struct focal_record *r, struct focal_error *err)
{
    const char *name = job_text(j, "field"), *value = job_text(j, "take"), *office = job_text(j, "take_office");
    if (!name || !value == !office)
        return focal_fail(err, FOCAL_USAGE, "resolve REF FIELD --take VALUE, or --take-office CODE", "say which field, and one of value and office");
    const struct focal_slot *slot = slot_find(r, name, err);
    if (!slot)
        return err->status;
    const struct focal_live *live = value ? take_value(j, r, slot, value, err) : take_office(j, r, slot, office, err);
    if (!live)
        return err->status;
    d->items = focal_alloc(sizeof *d->items);
    const void *kept = focal_arena_copy(d->arena, live->value.data, live->value.len);
    if (!d->items || !kept)
        return focal_fail(err, FOCAL_NO_MEMORY, "try again later", "no memory for the change");
    d->items[0] = (struct focal_change_item){ .op = FOCAL_OP_SET, .field = slot->field, .value = focal_span_of(kept, live->value.len) };
    /* What is sealed stays where it stands, for it opens nowhere else; only the others are taken off. */
    if (focal_field_is_sealed(slot->number))
        d->items[0] = (struct focal_change_item){ .op = FOCAL_OP_KEEP, .field = slot->field, .row = live->ref, .ordinal = live->ordinal };
    d->count = d->cap = 1;
    d->change.kind = r->kind;
    d->change.record = r->ref;
    /* What is resolved is what was looked at: a version that came meanwhile must be seen first. */
    d->change.if_version = true;
    memcpy(d->change.version, r->version, sizeof r->version);
    d->change.items = d->items;
    d->change.item_count = 1;
    d->change.day_set = true;
    d->change.day = d->today;
    return job_if_version(j, &d->change, err);
}

enum job_state run_resolve(struct job *j)
{
    return job_edit(j, prepare);
}
