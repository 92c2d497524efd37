/* Redactions listed and shown; and what others have redacted of this office's own. */
#include "redactions.h"

#include <string.h>

struct walk {
    struct focal_buf at;                /* in the list of redactions */
    struct focal_buf hidden_at;         /* in that of hidden entries */
    struct focal_map hidden_records, hidden_entries;
    bool one; struct focal_ref record;  /* of this record alone */
    json_t *found;
    uint64_t limit, told;
};

static void walk_free(void *own)
{
    struct walk *w = own;
    focal_buf_close(&w->at);
    focal_buf_close(&w->hidden_at);
    focal_map_close(&w->hidden_records);
    focal_map_close(&w->hidden_entries);
    json_decref(w->found);
}

static struct walk *open_walk(struct job *j)
{
    struct walk *w = job_own(j, sizeof *w, walk_free);
    uint64_t seed = 0;
    if (!w)
        return NULL;
    j->admin->is.entropy.fill(j->admin->is.entropy.data, &seed, sizeof seed);
    focal_buf_init(&w->at, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&w->hidden_at, FOCAL_STORE_KEY_MAX);
    focal_map_init(&w->hidden_records, FOCAL_REF_BYTES, seed);
    focal_map_init(&w->hidden_entries, FOCAL_REF_BYTES, seed);
    w->limit = 1000;
    (void)job_number(j, "limit", &w->limit);
    return w;
}

/* Which records and entries wait here for a second office. OK: all are known; MORE: another slice. */
static enum focal_status gather_hidden(struct job *j, struct walk *w)
{
    for (int i = 0; looks_left(j, i); i++) {
        struct focal_entry_look look;
        uint8_t ref[FOCAL_REF_BYTES];
        enum focal_status st = focal_node_next_hidden(j->admin->is.node, &w->hidden_at, &look);
        if (st != FOCAL_OK)
            return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
        focal_ref_put(ref, &look.record);
        st = focal_map_put(&w->hidden_records, ref, w);
        focal_ref_put(ref, &look.ref);
        if (st == FOCAL_OK)
            st = focal_map_put(&w->hidden_entries, ref, w);
        if (st != FOCAL_OK)
            return st;
    }
    return FOCAL_MORE;
}

/* ---- one of them ---- */

void put_unique(json_t *list, json_t *text)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_equal(json_array_get(list, i), text)) {
            json_decref(text);
            return;
        }
    json_array_append_new(list, text);
}

static void put_requests(struct job *j, json_t *item, const struct redaction_rows *rows)
{
    json_t *scopes = json_array(), *by = json_array(), *reasons = json_array();
    for (size_t i = 0; i < rows->count; i++) {
        char text[16];
        struct focal_entry_look look;
        const struct redaction_row *row = &rows->rows[i];
        const struct focal_scope *scope = focal_oplog_scope(job_oplog(j), &row->scope);
        if (scope) {
            focal_scope_print(text, scope);
            put_unique(scopes, json_string(text));
        }
        if (row->counts)
            put_unique(by, text_json(row->by.text));
        if (focal_node_look(j->admin->is.node, &row->notice, &look) != FOCAL_OK)
            continue;
        for (const struct focal_code *c = redaction_reasons()->codes; c->name; c++)
            if (c->number == look.reason)
                put_unique(reasons, json_string(c->name));
        if (look.day_set)
            json_object_set_new(item, "day", day_json(look.day));
    }
    json_object_set_new(item, "scopes", scopes);
    json_object_set_new(item, "by", by);
    json_object_set_new(item, "reasons", reasons);
}

static const char *state_of(const struct walk *w, const struct redaction_rows *rows, const struct focal_ref *target, bool whole)
{
    uint8_t ref[FOCAL_REF_BYTES];
    bool counts = false;
    for (size_t i = 0; i < rows->count; i++)
        counts = counts || rows->rows[i].counts;
    focal_ref_put(ref, target);
    if (!counts)
        return "without_right";
    return focal_map_get(whole ? &w->hidden_records : &w->hidden_entries, ref) ? "hidden" : "erased";
}

/* One item for all requests that name this target as a record, or as an entry. */
static void tell(struct job *j, struct walk *w, const struct redaction_rows *rows, const struct focal_ref *target, bool whole)
{
    struct focal_oplog *oplog = job_oplog(j);
    struct focal_entry_look look = { .record = *target };
    bool known = whole || focal_node_look(j->admin->is.node, target, &look) == FOCAL_OK;
    if (w->one && (!known || focal_ref_compare(&look.record, &w->record) != 0))
        return;
    if (++w->told > w->limit)
        return;
    json_t *item = json_object();
    json_object_set_new(item, "id", known ? code_json(oplog, &look.record) : json_null());
    json_object_set_new(item, "record", known ? ref_json(&look.record) : json_null());
    json_object_set_new(item, "what", json_string(whole ? "record" : "entry"));
    if (!whole) {
        const struct focal_certificate *author = focal_oplog_author(oplog, &target->log);
        json_object_set_new(item, "entry", ref_json(target));
        json_object_set_new(item, "entry_of", author ? text_json(author->office.text) : json_null());
    }
    put_requests(j, item, rows);
    json_object_set_new(item, "state", json_string(state_of(w, rows, target, whole)));
    json_object_set_new(item, "confirmed", confirmed_json(j, rows));
    if (w->one)
        json_array_append_new(w->found, item);
    else
        job_item(j, item);
}

/* Requests stand in the order of what they name. The creating entry's name is the record's too. */
static enum focal_status next_target(struct job *j, struct walk *w, struct focal_ref *target, struct redaction_rows rows[2])
{
    struct focal_oplog *oplog = job_oplog(j);
    struct focal_redaction r;
    enum focal_status st;
    bool begun = false;
    struct focal_buf ahead;
    focal_buf_init(&ahead, FOCAL_STORE_KEY_MAX);
    focal_buf_span(&ahead, focal_buf_view(&w->at));
    while ((st = focal_oplog_next_redaction(oplog, &ahead, &r)) == FOCAL_OK && (!begun || focal_ref_compare(&r.target, target) == 0)) {
        struct focal_entry_look look = { .record = r.target };
        bool known = r.whole_record || focal_node_look(j->admin->is.node, &r.target, &look) == FOCAL_OK;
        struct redaction_row row = { .notice = r.notice, .scope = r.scope, .by = r.by };
        row.counts = redaction_counts(oplog, &r.by, focal_oplog_author(oplog, &r.target.log), known ? focal_oplog_author(oplog, &look.record.log) : NULL);
        *target = r.target;
        begun = true;
        st = redaction_rows_add(&rows[r.whole_record], &row);
        focal_buf_clear(&w->at);
        focal_buf_span(&w->at, focal_buf_view(&ahead));
        if (st != FOCAL_OK || w->at.failed)
            break;
    }
    bool no_room = ahead.failed || w->at.failed;
    focal_buf_close(&ahead);
    if (no_room)
        return FOCAL_NO_MEMORY;
    return begun && (st == FOCAL_NOT_FOUND || st == FOCAL_OK) ? FOCAL_OK : st;
}

/* OK: at the end; MORE: another slice. */
static enum focal_status walk_on(struct job *j, struct walk *w)
{
    for (int i = 0; looks_left(j, i); i++) {
        struct redaction_rows rows[2] = { 0 };
        struct focal_ref target;
        enum focal_status st = next_target(j, w, &target, rows);
        if (st == FOCAL_OK && rows[1].count)
            tell(j, w, &rows[1], &target, true);
        if (st == FOCAL_OK && rows[0].count)
            tell(j, w, &rows[0], &target, false);
        redaction_rows_free(&rows[0]);
        redaction_rows_free(&rows[1]);
        if (st != FOCAL_OK)
            return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
        if (w->told > w->limit)
            return FOCAL_OK;
    }
    return FOCAL_MORE;
}

/* First what is hidden, then the requests. */
static enum focal_status work(struct job *j, struct walk *w)
{
    enum focal_status st = j->stage == 1 ? gather_hidden(j, w) : walk_on(j, w);
    if (j->stage == 1 && st == FOCAL_OK) {
        j->stage = 2;
        return FOCAL_MORE;
    }
    return st;
}

enum job_state run_redactions(struct job *j)
{
    struct walk *w = j->own;
    if (j->stage == 0) {
        w = open_walk(j);
        j->stage = 1;
    }
    if (!w)
        return job_fail(j, NULL);
    enum focal_status st = work(j, w);
    if (st == FOCAL_MORE)
        return JOB_AGAIN;
    if (st != FOCAL_OK)
        return job_failf(j, st, "run `focalctl verify`", "the list of redactions cannot be read");
    return job_end(j, FOCAL_OK, json_pack("{s:b}", "more", w->told > w->limit));
}

enum job_state run_redaction(struct job *j)
{
    struct focal_error err;
    struct walk *w = j->own;
    const char *text = job_text(j, "ref");
    if (j->stage == 0) {
        w = open_walk(j);
        if (!w)
            return job_fail(j, NULL);
        if (!text)
            return job_failf(j, FOCAL_USAGE, "name it by its reference, such as KEN-4F7Q-29XD-0", "which record?");
        if (redactable_find(j, text, &w->record, &err) != FOCAL_OK)
            return job_fail(j, &err);
        w->one = true;
        w->limit = UINT64_MAX - 1;
        w->found = json_array();
        j->stage = 1;
    }
    enum focal_status st = work(j, w);
    if (st == FOCAL_MORE)
        return JOB_AGAIN;
    if (st != FOCAL_OK)
        return job_failf(j, st, "run `focalctl verify`", "the list of redactions cannot be read");
    if (json_array_size(w->found) == 0)
        return job_failf(j, FOCAL_NOT_FOUND, "`focalctl redaction list` shows all redactions", "nothing of %.70s was redacted", text);
    json_t *item = json_object();
    json_object_set_new(item, "id", code_json(job_oplog(j), &w->record));
    json_object_set_new(item, "record", ref_json(&w->record));
    json_object_set(item, "redactions", w->found);
    return job_one(j, item);
}

/* ---- refused: what others have redacted of ours ---- */

struct refusals { struct focal_buf at; uint64_t limit, told; enum focal_status answer; };

static void refusals_free(void *own)
{
    struct refusals *v = own;
    focal_buf_close(&v->at);
}

static json_t *refused_json(struct focal_oplog *oplog, const struct focal_refused *r)
{
    const struct focal_kind *kind = focal_kind_by_number(r->kind);
    json_t *out = json_object(), *fields = json_array();
    json_object_set_new(out, "id", code_json(oplog, &r->record));
    json_object_set_new(out, "record", ref_json(&r->record));
    json_object_set_new(out, "entry", ref_json(&r->entry));
    json_object_set_new(out, "kind", kind ? json_string(kind->name) : json_null());
    for (size_t i = 0; i < r->field_count; i++) {
        const struct focal_field *field = kind ? focal_field_by_number(kind, r->fields[i]) : NULL;
        if (!field || field->intake != FOCAL_INTAKE_MACHINE)
            put_unique(fields, json_string(field ? field->name : "of a newer program"));
    }
    json_object_set_new(out, "fields", fields);
    return out;
}

static enum job_state mark_seen(struct job *j, struct refusals *v)
{
    if (j->stage == 0) {
        struct focal_node_event e = { .type = FOCAL_EVENT_REFUSED_SEEN, .answer = &v->answer };
        if (!job_event(j, &e))
            return JOB_AGAIN;
        j->stage = 1;
        return JOB_STEP;
    }
    if (v->answer != FOCAL_OK)
        return job_failf(j, v->answer, "look at the daemon's log", "it could not be kept that they were seen");
    return job_one(j, json_pack("{s:b}", "seen", 1));
}

enum job_state run_refusals(struct job *j)
{
    struct refusals *v = j->own;
    if (!v) {
        v = job_own(j, sizeof *v, refusals_free);
        if (!v)
            return job_fail(j, NULL);
        focal_buf_init(&v->at, FOCAL_STORE_KEY_MAX);
        v->limit = 1000;
        (void)job_number(j, "limit", &v->limit);
    }
    if (job_flag(j, "seen"))
        return mark_seen(j, v);
    for (int i = 0; i < RECORDS_PER_SLICE; i++) {
        struct focal_refused r;
        enum focal_status st = focal_oplog_next_refused(job_oplog(j), &v->at, &r);
        if (st == FOCAL_NOT_FOUND)
            return job_end(j, FOCAL_OK, json_pack("{s:b}", "more", 0));
        if (st != FOCAL_OK)
            return job_failf(j, st, "run `focalctl verify`", "the list of what others redacted cannot be read");
        if (v->told == v->limit)
            return job_end(j, FOCAL_OK, json_pack("{s:b}", "more", 1));
        job_item(j, refused_json(job_oplog(j), &r));
        v->told++;
    }
    return JOB_AGAIN;
}

/* ---- status ---- */

void redactions_waiting(struct job *j, uint64_t *hidden, uint64_t *refused)
{
    uint64_t seen;
    if (focal_oplog_hidden_count(job_oplog(j), hidden) != FOCAL_OK)
        *hidden = 0;
    focal_node_refused(j->admin->is.node, refused, &seen);
    if (*refused == seen)
        *refused = 0;
}
