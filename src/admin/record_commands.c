/* new, update, show, list: the same verbs on every kind of record. */
#include "redactions.h"

#include <stdio.h>
#include <string.h>

/* "focal-point.list" -> the kind. */
const struct focal_kind *job_kind(const struct job *j)
{
    char noun[FOCAL_CONTROL_VERB_MAX];
    (void)snprintf(noun, sizeof noun, "%.*s", (int)strcspn(j->command->name, "."), j->command->name);
    const struct focal_kind *kind = focal_kind_by_name(noun);
    focal_assert(kind);
    return kind;
}

/* ---- changes ---- */

static void change_free(void *own)
{
    draft_close(own);
}

static enum focal_status take_day(struct job *j, struct draft *d, struct focal_error *err)
{
    const char *text = job_text(j, "day");
    uint32_t day;
    if (!text)
        return FOCAL_OK;
    if (!focal_date_parse(&day, focal_span_text(text)) || day < focal_date_from_unix_days(0))
        return focal_fail(err, FOCAL_USAGE, "write YYYY-MM-DD", "\"%.20s\" is not a day", text);
    if (day > focal_date_from_unix_days(job_today(j) + 1))
        return focal_fail(err, FOCAL_REFUSED, "check the year, and this machine's clock", "day: \"%.20s\" lies after tomorrow", text);
    d->change.day = day - focal_date_from_unix_days(0);
    d->change.day_set = true;
    return FOCAL_OK;
}

enum focal_status job_if_version(struct job *j, struct focal_change *change, struct focal_error *err)
{
    const char *text = job_text(j, "if_version");
    if (!text)
        return FOCAL_OK;
    if (!focal_unhex(change->version, sizeof change->version, focal_span_text(text)))
        return focal_fail(err, FOCAL_USAGE, "`show` prints it", "\"%.40s\" is not a version", text);
    change->if_version = true;
    return FOCAL_OK;
}

/* Puts the change up, or says why it cannot be made. */
static enum job_state put_up(struct job *j, struct draft *d)
{
    struct focal_node_event e = { .type = FOCAL_EVENT_CHANGE, .is.change = &d->change };
    if (!job_event(j, &e))
        return JOB_AGAIN;
    j->stage = 2;
    return JOB_STEP;
}

static enum job_state changed(struct job *j, const struct focal_change *change)
{
    if (change->status != FOCAL_OK) {
        struct focal_error err = change->error;
        err.status = change->status;
        return job_fail(j, &err);
    }
    json_t *item = json_object();
    json_object_set_new(item, "id", code_json(job_oplog(j), &change->result));
    json_object_set_new(item, "record", ref_json(&change->result));
    json_object_set_new(item, "version", hex_json(change->result_version, sizeof change->result_version));
    return job_one(j, item);
}

static struct draft *draft_of(struct job *j)
{
    struct draft *d = job_own(j, sizeof *d, change_free);
    if (d)
        draft_open(d, j->admin->is.node, job_today(j));
    return d;
}

enum job_state run_new(struct job *j)
{
    struct focal_error err;
    struct draft *d = j->own;
    if (j->stage == 0) {
        d = draft_of(j);
        if (!d)
            return job_fail(j, NULL);
        enum focal_status st = take_day(j, d, &err);
        if (st == FOCAL_OK)
            st = draft_seal_to(d, json_object_get(j->with, "seal_to"), &err);
        if (st == FOCAL_OK)
            st = draft_new(d, job_kind(j), json_object_get(j->with, "fields"), &err);
        if (st != FOCAL_OK)
            return job_fail(j, &err);
        j->stage = 1;
    }
    return j->stage == 1 ? put_up(j, d) : changed(j, &d->change);
}

/* Opens the record that "ref" names and holds it against the command's kind. */
enum focal_status job_record(struct job *j, struct focal_record_view *view, struct focal_error *err)
{
    const char *text = job_text(j, "ref");
    const struct focal_kind *kind = job_kind(j);
    struct focal_ref ref;
    if (!text)
        return focal_fail(err, FOCAL_USAGE, "name it by its reference, such as KEN-4F7Q-29XD-0", "which %s?", kind->label_en);
    enum focal_status st = redactable_find(j, text, &ref, err);
    if (st != FOCAL_OK)
        return st;
    bool redacted;
    st = record_was_redacted(job_oplog(j), &ref, &redacted);
    if (st != FOCAL_OK)
        return redacted_unknown(st, text, err);
    if (redacted)
        return redacted_error(j, &ref, err);
    st = focal_oplog_record(job_oplog(j), NULL, &ref, view);
    if (st == FOCAL_NOT_FOUND)
        return focal_fail(err, st, "it may not have arrived yet: `focalctl status` shows what is on its way", "there is no record %.70s here", text);
    if (st != FOCAL_OK)
        return focal_fail(err, st, "run `focalctl verify`", "the record %.70s cannot be read", text);
    if (!view->record.kind) {
        focal_record_view_close(view);
        return focal_fail(err, FOCAL_UNSUPPORTED, "update this program, or wait for the rest of it",
                          "the record %.70s needs a newer program, or its first part is not here yet", text);
    }
    if (view->record.kind != kind) {
        const char *theirs = view->record.kind->name;
        focal_record_view_close(view);
        return focal_fail(err, FOCAL_NOT_FOUND, "use the noun of its kind", "%.70s is a record of another kind: \"%s\"", text, theirs);
    }
    return FOCAL_OK;
}

/* Values are set and rows added without a look at what stands there; what else is asked tells, by its answer, what that is. */
static bool tells_what_stands_there(const struct job *j)
{
    return json_object_size(json_object_get(j->with, "remove")) > 0 || job_text(j, "if_version");
}

enum job_state job_edit(struct job *j, job_preparing *prepare)
{
    struct focal_error err;
    struct draft *d = j->own;
    if (j->stage == 0) {
        struct focal_record_view view;
        d = draft_of(j);
        if (!d)
            return job_fail(j, NULL);
        if (job_record(j, &view, &err) != FOCAL_OK)
            return job_fail(j, &err);
        enum focal_status st = prepare(j, d, &view.record, &err);
        focal_record_view_close(&view);
        if (st != FOCAL_OK)
            return job_fail(j, &err);
        j->stage = 1;
    }
    return j->stage == 1 ? put_up(j, d) : changed(j, &d->change);
}

static enum focal_status prepare_update(struct job *j, struct draft *d, const struct focal_record *r, struct focal_error *err)
{
    enum focal_status st = take_day(j, d, err);
    if (st == FOCAL_OK)
        st = draft_seal_to(d, json_object_get(j->with, "seal_to"), err);
    if (st == FOCAL_OK)
        st = draft_update(d, r, j->with, err);
    if (st == FOCAL_OK)
        st = job_if_version(j, &d->change, err);
    if (st == FOCAL_OK && d->count == 0)
        return focal_fail(err, FOCAL_USAGE, "use --set, --add or --remove", "nothing was said that is to change");
    return st;
}

enum job_state run_update(struct job *j)
{
    struct focal_error err;
    if (j->stage == 0 && tells_what_stands_there(j) && veil_refuses(j, &err))
        return job_fail(j, &err);
    return job_edit(j, prepare_update);
}

/* ---- show ---- */

/* The newest entry that a live value stands in, by scope class: who holds these has seen what is shown. */
static json_t *seen_json(struct job *j, const struct focal_record *r)
{
    struct focal_node *node = j->admin->is.node;
    struct focal_oplog *oplog = job_oplog(j);
    json_t *out = json_array();
    const struct focal_certificate *c;
    for (size_t i = 0; (c = focal_oplog_office_at(oplog, i)); i++) {
        int seen = focal_node_seen(node, &c->office, &r->ref);
        for (size_t k = 0; k < r->live_count && seen == 1; k++) {
            const struct focal_log *log = focal_oplog_log(oplog, &r->lives[k].ref.log);
            if (log && focal_oplog_may_read(oplog, c, &log->scope))       /* a part it may not see it need not have seen */
                seen = focal_node_seen(node, &c->office, &r->lives[k].ref);
        }
        json_t *one = json_object();
        json_object_set_new(one, "office", text_json(c->office.text));
        json_object_set_new(one, "seen", seen < 0 ? json_null() : json_boolean(seen));
        json_array_append_new(out, one);
    }
    return out;
}

enum job_state run_show(struct job *j)
{
    struct focal_error err;
    struct focal_record_view view;
    struct focal_oplog *oplog = job_oplog(j);
    if (job_record(j, &view, &err) != FOCAL_OK)
        return job_fail(j, &err);
    const struct focal_record *r = &view.record;
    json_t *item = record_head_json(oplog, r);
    const struct focal_certificate *author = focal_oplog_author(oplog, &r->ref.log);
    json_object_set_new(item, "kind", json_string(r->kind->name));
    json_object_set_new(item, "office", author ? text_json(author->office.text) : json_null());
    json_object_set_new(item, "complete", json_boolean(r->complete));
    json_object_set_new(item, "needs_newer", json_boolean(r->needs_newer));
    if (r->more)
        json_object_set_new(item, "not_all_shown", json_true());
    json_object_set_new(item, "fields", fields_json(j->admin->is.node, r));
    json_object_set_new(item, "conflicts", conflicts_json(j->admin->is.node, r));
    json_object_set_new(item, "rows", rows_json(j->admin->is.node, r));
    json_object_set_new(item, "seen_by", seen_json(j, r));
    json_t *sealed = sealed_json(j->admin->is.node, r);
    if (sealed)
        json_object_set_new(item, "sealed", sealed);
    json_t *withdrawal = withdrawal_json(oplog, r);
    if (withdrawal)
        json_object_set_new(item, "withdrawal", withdrawal);
    focal_record_view_close(&view);
    return job_one(j, item);
}

/* ---- list ---- */

enum { FILTERS_MAX = 16 };
struct listing {
    struct focal_ref at; bool started;
    uint64_t limit, told;
    bool withdrawn;                     /* the withdrawn ones, instead of the others */
    struct filter { const struct focal_field *field; struct focal_span value; } filters[FILTERS_MAX];
    size_t filter_count;
    struct focal_arena arena;
};

static void listing_free(void *own)
{
    struct listing *l = own;
    focal_arena_close(&l->arena);
}

/* What only a command writes can be looked for all the same. */
static enum focal_status filter_value(struct job *j, const struct focal_field *field, struct focal_span text, struct focal_buf *out, struct focal_error *err)
{
    const struct focal_code *code = field->intake == FOCAL_INTAKE_COMMAND && field->type == FOCAL_TYPE_CODE
                                    ? focal_code_by_name(field->tables[0], text) : NULL;
    if (!code)
        return value_parse(job_oplog(j), focal_node_store(j->admin->is.node), field, text, job_today(j), out, err);
    focal_buf_varint(out, code->number);
    return FOCAL_OK;
}

static enum focal_status take_filters(struct job *j, struct listing *l, const struct focal_kind *kind, struct focal_error *err)
{
    const json_t *filters = json_object_get(j->with, "filter");
    void *at = json_object_iter((json_t *)(uintptr_t)filters);
    for (; at; at = json_object_iter_next((json_t *)(uintptr_t)filters, at)) {
        const struct focal_field *field = field_find(kind, json_object_iter_key(at), err);
        const json_t *value = json_object_iter_value(at);
        if (!field)
            return FOCAL_REFUSED;
        if (l->filter_count == FILTERS_MAX || !json_is_string(value))
            return focal_fail(err, FOCAL_USAGE, "use --filter field=value, at most 16 times", "the filter on \"%s\" cannot be used", field->name);
        struct focal_buf bytes;
        focal_buf_init(&bytes, FOCAL_ORDINARY_MAX);
        enum focal_status st = filter_value(j, field, focal_span_of(json_string_value(value), json_string_length(value)), &bytes, err);
        void *kept = st == FOCAL_OK ? focal_arena_copy(&l->arena, bytes.data, bytes.len) : NULL;
        l->filters[l->filter_count++] = (struct filter){ field, focal_span_of(kept, bytes.len) };
        focal_buf_close(&bytes);
        if (st != FOCAL_OK)
            return st;
        if (!kept)
            return focal_fail(err, FOCAL_NO_MEMORY, "try again later", "no memory for the filter");
    }
    return FOCAL_OK;
}

static bool passes(struct focal_node *node, const struct listing *l, const struct focal_record *r)
{
    if ((focal_record_withdrawn_by(r) != NULL) != l->withdrawn)
        return false;
    for (size_t f = 0; f < l->filter_count; f++) {
        bool found = false;
        for (size_t s = 0; s < r->slot_count && !found; s++)
            for (size_t v = 0; r->slots[s].field == l->filters[f].field && v < r->slots[s].value_count && !found; v++)
                found = live_is(node, &r->ref, r->slots[s].field, &r->slots[s].values[v], l->filters[f].value);
        if (!found)
            return false;
    }
    return true;
}

static json_t *list_item(struct job *j, const struct focal_record *r)
{
    struct focal_oplog *oplog = job_oplog(j);
    json_t *item = record_head_json(oplog, r);
    json_object_set_new(item, "fields", fields_json(j->admin->is.node, r));
    json_object_set_new(item, "two_versions", json_integer((json_int_t)r->two_versions));
    json_object_set_new(item, "complete", json_boolean(r->complete));
    json_t *withdrawal = withdrawal_json(oplog, r);
    if (withdrawal)
        json_object_set_new(item, "withdrawal", withdrawal);
    return item;
}

static enum focal_status open_listing(struct job *j, const struct focal_kind *kind, struct focal_error *err)
{
    struct listing *l = job_own(j, sizeof *l, listing_free);
    if (!l)
        return focal_fail(err, FOCAL_NO_MEMORY, "try again later", "no memory for the list");
    focal_arena_init(&l->arena, 64 << 10);
    l->limit = 1000;
    (void)job_number(j, "limit", &l->limit);
    l->withdrawn = job_flag(j, "withdrawn");
    const char *after = job_text(j, "after");
    if (after) {
        enum focal_status st = record_find(job_oplog(j), focal_node_store(j->admin->is.node), after, &l->at, err);
        if (st != FOCAL_OK)
            return st;
        l->started = true;
    }
    j->stage = 1;
    return take_filters(j, l, kind, err);
}

static enum job_state end_list(struct job *j, bool more)
{
    json_t *end = json_object();
    json_object_set_new(end, "more", json_boolean(more));
    return job_end(j, FOCAL_OK, end);
}

/* Goes on after the reference it told last, so what changes meanwhile harms nothing and nothing is held open. */
enum job_state run_list(struct job *j)
{
    struct focal_error err;
    const struct focal_kind *kind = job_kind(j);
    if (j->stage == 0 && open_listing(j, kind, &err) != FOCAL_OK)
        return job_fail(j, &err);
    struct listing *l = j->own;
    for (int i = 0; i < RECORDS_PER_SLICE; i++) {
        struct focal_ref next;
        struct focal_record_view view;
        enum focal_status st = focal_oplog_next_of_kind(job_oplog(j), NULL, kind->number, l->started ? &l->at : NULL, &next);
        if (st == FOCAL_NOT_FOUND)
            return end_list(j, false);
        if (st == FOCAL_OK)
            st = focal_oplog_record(job_oplog(j), NULL, &next, &view);
        if (st != FOCAL_OK)
            return job_failf(j, st, "run `focalctl verify`", "the list of records cannot be read");
        bool shown = view.record.kind == kind && passes(j->admin->is.node, l, &view.record);
        bool room = l->told < l->limit;
        if (shown && room)
            job_item(j, list_item(j, &view.record));
        l->told += shown;
        focal_record_view_close(&view);
        if (shown && !room)
            return end_list(j, true);
        l->at = next;
        l->started = true;
    }
    return JOB_AGAIN;
}
