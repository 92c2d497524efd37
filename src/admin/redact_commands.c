/* redact: what is asked for, what it came to, and who has confirmed it. */
#include "redactions.h"

#include <stdio.h>
#include <string.h>

enum { HIDDEN_PER_SLICE = 16 };

struct redacting {
    struct focal_redact_order order;
    struct redaction_rows rows;         /* of what was asked for, by everybody */
    bool asked_before;
    json_t *left_to;
    struct focal_buf at;                /* in the shelf of hidden entries */
    bool hidden;
};

static void redacting_free(void *own)
{
    struct redacting *r = own;
    redaction_rows_free(&r->rows);
    json_decref(r->left_to);
    focal_buf_close(&r->at);
}

/* ---- what is asked for ---- */

static enum focal_status take_reason(struct job *j, uint8_t *reason, struct focal_error *err)
{
    const struct focal_code_table *table = redaction_reasons();
    const char *text = job_text(j, "reason");
    const struct focal_code *code = text ? focal_code_by_name(table, focal_span_text(text)) : NULL;
    if (code) {
        *reason = (uint8_t)code->number;
        return FOCAL_OK;
    }
    struct focal_buf all;
    focal_buf_init(&all, 300);
    for (const struct focal_code *c = table->codes; c->name; c++)
        focal_buf_printf(&all, "%s%s", c == table->codes ? "" : ", ", c->name);
    enum focal_status st = text ? focal_fail(err, FOCAL_USAGE, focal_buf_cstr(&all), "\"%.40s\" is not a reason to redact", text)
                                : focal_fail(err, FOCAL_USAGE, focal_buf_cstr(&all), "say why it is redacted");
    focal_buf_close(&all);
    return st;
}

/* Who can do what this office may not: the offices that write where the country part stands. */
static void put_left(struct job *j, struct redacting *r, const struct focal_record *record)
{
    struct focal_oplog *oplog = job_oplog(j);
    const struct focal_scope *home = record->kind && record->home_set ? focal_oplog_scope(oplog, &record->home) : NULL;
    const struct focal_certificate *c, *mine = focal_oplog_mine(oplog), *creator = focal_oplog_author(oplog, &r->order.record.log);
    for (size_t i = 0; home && (c = focal_oplog_office_at(oplog, i)); i++)
        if (c != mine && focal_certificate_lists(c->write, c->write_count, home))
            json_array_append_new(r->left_to, text_json(c->office.text));
    if (json_array_size(r->left_to) == 0 && creator && creator != mine)
        json_array_append_new(r->left_to, text_json(creator->office.text));
}

/* Nothing is left to ask for: in every scope where it was asked for and this office writes, it has asked itself. */
static bool all_asked(struct job *j, const struct redaction_rows *rows)
{
    const struct focal_certificate *mine = focal_oplog_mine(job_oplog(j));
    bool any = false;
    for (size_t i = 0; mine && i < rows->count; i++) {
        const struct focal_scope *scope = focal_oplog_scope(job_oplog(j), &rows->rows[i].scope);
        bool asked = false;
        for (size_t k = 0; k < rows->count; k++)
            asked = asked || (focal_hash_equal(&rows->rows[k].scope, &rows->rows[i].scope) && strcmp(rows->rows[k].by.text, mine->office.text) == 0);
        if (!asked && scope && focal_certificate_lists(mine->write, mine->write_count, scope))
            return false;
        any = any || asked;
    }
    return any;
}

static enum focal_status take_field(struct job *j, struct redacting *r, const struct focal_record *record, struct focal_error *err)
{
    const char *name = job_text(j, "field");
    if (!name)
        return FOCAL_OK;
    if (!record->kind)
        return redacted_error(j, &r->order.record, err);
    r->order.field = field_find(record->kind, name, err);
    return r->order.field ? FOCAL_OK : err->status;
}

static enum focal_status fits_kind(struct job *j, const struct redacting *r, const struct focal_record *record, struct focal_error *err)
{
    char code[32];
    focal_oplog_record_code(job_oplog(j), &r->order.record, code);
    if (!record->kind && r->rows.count == 0)
        return focal_fail(err, FOCAL_UNSUPPORTED, "update this program, or wait for the rest of it",
                          "the record %s needs a newer program, or its first part is not here yet", code);
    if (record->kind && record->kind != job_kind(j))
        return focal_fail(err, FOCAL_NOT_FOUND, "use the noun of its kind", "%s is a record of another kind: \"%s\"", code, record->kind->name);
    return FOCAL_OK;
}

/* The record, and what has been asked for of it. */
static enum focal_status take_record(struct job *j, struct redacting *r, struct focal_error *err)
{
    const char *text = job_text(j, "ref");
    struct focal_redact_order *o = &r->order;
    if (!text)
        return focal_fail(err, FOCAL_USAGE, "name it by its reference, such as KEN-4F7Q-29XD-0", "which record?");
    o->day = job_today(j);
    r->left_to = json_array();
    enum focal_status st = redactable_find(j, text, &o->record, err);
    if (st == FOCAL_OK)
        st = take_reason(j, &o->reason, err);
    if (st == FOCAL_OK && redaction_rows_of(&r->rows, job_oplog(j), &o->record, true) != FOCAL_OK)
        st = focal_fail(err, FOCAL_DAMAGED, "run `focalctl verify`", "the list of redactions cannot be read");
    return st;
}

static enum focal_status prepare(struct job *j, struct redacting *r, struct focal_error *err)
{
    struct focal_record_view view;
    struct focal_redact_order *o = &r->order;
    enum focal_status st = take_record(j, r, err);
    if (st != FOCAL_OK)
        return st;
    st = focal_oplog_record(job_oplog(j), NULL, &o->record, &view);
    if (st != FOCAL_OK)
        return st == FOCAL_NOT_FOUND ? focal_fail(err, st, "look at the list of records", "there is no such record here")
                                     : focal_fail(err, st, "run `focalctl verify`", "the record cannot be read");
    put_left(j, r, &view.record);
    st = fits_kind(j, r, &view.record, err);
    if (st == FOCAL_OK)
        st = take_field(j, r, &view.record, err);
    r->asked_before = !o->field && all_asked(j, &r->rows);
    focal_record_view_close(&view);
    return st;
}

/* ---- what it came to ---- */

/* Of a record as a whole all notices count; else those of this order alone. */
static enum focal_status rows_after(struct job *j, struct redacting *r)
{
    struct focal_redact_order *o = &r->order;
    struct focal_oplog *oplog = job_oplog(j);
    redaction_rows_free(&r->rows);
    if (!o->field && !o->agree)
        return redaction_rows_of(&r->rows, oplog, &o->record, true);
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < o->notice_count && st == FOCAL_OK; i++) {
        const struct focal_log *log = focal_oplog_log(oplog, &o->notices[i].log);
        focal_assert(log);
        struct redaction_row row = { .notice = o->notices[i], .scope = log->name.scope, .counts = true };
        row.by = focal_oplog_mine(oplog)->office;
        st = redaction_rows_add(&r->rows, &row);
    }
    return st;
}

/* Is anything of the record hidden here and not erased? */
static enum focal_status look_hidden(struct job *j, struct redacting *r)
{
    for (int i = 0; i < HIDDEN_PER_SLICE; i++) {
        struct focal_entry_look look;
        enum focal_status st = focal_node_next_hidden(j->admin->is.node, &r->at, &look);
        if (st != FOCAL_OK)
            return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
        if (focal_ref_compare(&look.record, &r->order.record) == 0) {
            r->hidden = true;
            return FOCAL_OK;
        }
    }
    return FOCAL_MORE;
}

static enum job_state answer(struct job *j, struct redacting *r)
{
    const struct focal_redact_order *o = &r->order;
    json_t *item = json_object();
    json_object_set_new(item, "id", code_json(job_oplog(j), &o->record));
    json_object_set_new(item, "record", ref_json(&o->record));
    if (o->field)
        json_object_set_new(item, "field", json_string(o->field->name));
    json_object_set_new(item, "asked_before", json_boolean(r->asked_before));
    json_object_set_new(item, "notices", json_integer((json_int_t)o->notice_count));
    json_object_set_new(item, "entries", json_integer((json_int_t)o->entry_count));
    json_object_set_new(item, "part_left", json_boolean(o->part_left));
    if (o->part_left)
        json_object_set(item, "left_to", r->left_to);
    json_object_set_new(item, "erased", json_boolean(!r->hidden));
    json_object_set_new(item, "confirmed", confirmed_json(j, &r->rows));
    return job_one(j, item);
}

enum job_state run_redact(struct job *j)
{
    struct focal_error err;
    struct redacting *r = j->own;
    if (j->stage == 0) {
        r = job_own(j, sizeof *r, redacting_free);
        if (!r)
            return job_fail(j, NULL);
        focal_buf_init(&r->at, FOCAL_STORE_KEY_MAX);
        r->order.agree = strcmp(j->command->name, "redaction.agree") == 0;
        if ((r->order.agree ? take_record(j, r, &err) : prepare(j, r, &err)) != FOCAL_OK)
            return job_fail(j, &err);
        j->stage = r->asked_before ? 3 : 1;
    }
    if (j->stage == 1) {
        struct focal_node_event e = { .type = FOCAL_EVENT_REDACT, .is.redact = &r->order };
        if (!job_event(j, &e))
            return JOB_AGAIN;
        j->stage = 2;
        return JOB_STEP;
    }
    if (j->stage == 2) {
        if (r->order.status != FOCAL_OK) {
            err = r->order.error;
            err.status = r->order.status;
            return job_fail(j, &err);
        }
        if (rows_after(j, r) != FOCAL_OK)
            return job_fail(j, NULL);
        j->stage = 3;
    }
    enum focal_status st = look_hidden(j, r);
    if (st == FOCAL_MORE)
        return JOB_AGAIN;
    return st == FOCAL_OK ? answer(j, r) : job_failf(j, st, "run `focalctl verify`", "it is redacted, but the list of what is hidden cannot be read");
}
