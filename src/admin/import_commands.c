/* Import: a file comes in pieces and is written as it comes, or only looked at. The client looks at all of it first when one
 * refused line is to keep the whole out, so the daemon holds no more than one piece.
 *
 *     import.begin ── import.rows … import.rows ── import.end
 *
 * Every refusal that can be known before writing is made here, in the looking pass as in the writing one. */
#include "job.h"

#include "focal/exchange.h"

#include <stdio.h>
#include <string.h>

enum { PIECE_BYTES_MAX = 128 << 10, PIECE_ARENA_MAX = 96 << 20, BATCH = 1000, ITEMS_MAX = 512, ENTRY_SPARE = 1024 };

struct pending { struct focal_change change; uint64_t line; };
struct counts { uint64_t created, updated, refused; };

struct import {                         /* of a connection */
    struct focal_import *is;
    const struct focal_kind *kind;
    enum focal_form form;
    bool check;
    struct job *job;                    /* whose piece is being fed */
    struct counts all;
};

struct piece {                          /* of a job */
    struct focal_arena arena;
    struct pending *rows; size_t count, cap, done, up;
    struct counts counts;
    bool last;
};

void import_forget(struct import *v)
{
    if (!v)
        return;
    focal_import_close(v->is);
    focal_free(v);
}

static void piece_free(void *own)
{
    struct piece *p = own;
    focal_arena_close(&p->arena);
    focal_free(p->rows);
}

/* ---- refusals ---- */

static void refuse(struct job *j, uint64_t line, const char *field, const char *reason, const char *hint, size_t count, const char *row)
{
    struct piece *p = j->own;
    json_t *item = json_object();
    json_object_set_new(item, "line", json_integer((json_int_t)line));
    json_object_set_new(item, "field", field && field[0] ? text_json(field) : json_null());
    json_object_set_new(item, "reason", text_json(reason));
    json_object_set_new(item, "hint", text_json(hint));
    json_object_set_new(item, "count", json_integer((json_int_t)count));
    if (row)
        json_object_set_new(item, "row", text_json(row));
    job_item(j, item);
    p->counts.refused++;
}

static enum focal_status refused(void *data, const struct focal_refusal *first, size_t count, struct focal_span source)
{
    struct import *v = data;
    struct focal_buf row;
    focal_buf_init(&row, 2 * FOCAL_ROW_BYTES_MAX);
    focal_reject_row(&row, v->form, first, source);
    while (row.len && (row.data[row.len - 1] == '\n' || row.data[row.len - 1] == '\r'))
        focal_buf_truncate(&row, row.len - 1);
    refuse(v->job, first->line, first->field, first->reason, first->hint, count, row.failed ? NULL : focal_buf_cstr(&row));
    focal_buf_close(&row);
    return FOCAL_OK;
}

static enum focal_status resolve(void *data, struct focal_ref *out, const struct focal_field *field, struct focal_span text, struct focal_error *err)
{
    struct import *v = data;
    char typed[81] = "";
    (void)field;
    if (text.len >= sizeof typed)
        return focal_fail(err, FOCAL_REFUSED, "use a reference code", "it is too long for a reference");
    memcpy(typed, text.data, text.len);
    return record_find(job_oplog(v->job), focal_node_store(v->job->admin->is.node), typed, out, err);
}

/* What the node would refuse at writing; known now, so that nothing is written when one line is refused. */
static enum focal_status look_ahead(struct job *j, const struct draft *d, const struct focal_record *r, const char **field, struct focal_error *err)
{
    const struct focal_certificate *mine = focal_oplog_mine(job_oplog(j));
    bool country = false;
    size_t bytes = ENTRY_SPARE;
    if (r && r->home_set) {
        const struct focal_scope *home = focal_oplog_scope(job_oplog(j), &r->home);
        country = home && focal_oplog_may_write(job_oplog(j), home);
    }
    for (size_t i = 0; !r && i < mine->write_count; i++)
        country = country || (mine->write[i].cls == FOCAL_SCOPE_COUNTRY && focal_oplog_may_write(job_oplog(j), &mine->write[i]));
    for (size_t i = 0; i < d->count; i++) {
        *field = d->items[i].field->name;
        bytes += d->items[i].value.len + 12;
        if (focal_field_is_sealed(d->items[i].field->number) && focal_sealed_bytes(d->items[i].value.len, FOCAL_SEALED_ADDRESSEES_MAX) == 0)
            return focal_fail(err, FOCAL_TOO_BIG, "make it shorter", "it is too long to be sealed");
        if (focal_field_scope(d->items[i].field->number) == FOCAL_SCOPE_COUNTRY && !country)
            return focal_fail(err, FOCAL_REFUSED, "leave the field out, or let an office of the country record it",
                              "it is seen only inside a country, and this office writes no country scope for the record");
    }
    *field = "";
    if (d->count > ITEMS_MAX || bytes > FOCAL_ORDINARY_MAX)
        return focal_fail(err, FOCAL_TOO_BIG, "split it", "the row holds more than one record may hold at once");
    return FOCAL_OK;
}

/* ---- rows to changes ---- */

static enum focal_status put_new(struct draft *d, const struct focal_row *row, struct focal_error *err)
{
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < row->item_count && st == FOCAL_OK; i++)
        st = draft_put(d, row->items[i].op == FOCAL_ROW_SET ? FOCAL_OP_SET : FOCAL_OP_ADD, row->items[i].field, row->items[i].value, err);
    return st;
}

/* Does row i of the file stand for the k-th of its equals, and has the record so many of them? */
static bool has_already(const struct focal_slot *slot, const struct focal_row *row, size_t i)
{
    size_t before = 0, there = 0;
    for (size_t k = 0; k < i; k++)
        before += row->items[k].field == row->items[i].field && focal_span_equal(row->items[k].value, row->items[i].value);
    for (size_t k = 0; slot && k < slot->value_count; k++)
        there += focal_span_equal(slot->values[k].value, row->items[i].value);
    return there > before;
}

static enum focal_status take_off(struct draft *d, const struct focal_row *row, const struct focal_slot *slot, struct focal_error *err)
{
    enum focal_status st = FOCAL_OK;
    for (size_t k = 0; k < slot->value_count && st == FOCAL_OK; k++) {
        size_t before = 0, wanted = 0;
        for (size_t n = 0; n < k; n++)
            before += focal_span_equal(slot->values[n].value, slot->values[k].value);
        for (size_t n = 0; n < row->item_count; n++)
            wanted += row->items[n].field == slot->field && focal_span_equal(row->items[n].value, slot->values[k].value);
        if (before >= wanted)
            st = draft_put_row(d, slot->field, &slot->values[k], err);
    }
    return st;
}

/* The file has the whole set: rows that stand there stay, others come or go. */
static enum focal_status put_update(struct draft *d, const struct focal_row *row, const struct focal_record *r, struct focal_error *err)
{
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < row->item_count && st == FOCAL_OK; i++) {
        const struct focal_row_item *item = &row->items[i];
        const struct focal_slot *slot = focal_record_slot(r, item->field->number, focal_span_of(NULL, 0));
        if (item->op == FOCAL_ROW_SET) {
            st = draft_put(d, FOCAL_OP_SET, item->field, item->value, err);
            continue;
        }
        bool first = i == 0 || row->items[i - 1].field != item->field;
        if (first && slot && focal_field_merge(item->field->number) == FOCAL_MERGE_SET)
            st = take_off(d, row, slot, err);
        if (st == FOCAL_OK && !has_already(slot, row, i))
            st = draft_put(d, FOCAL_OP_ADD, item->field, item->value, err);
    }
    return st;
}

static enum focal_status open_old(struct import *v, const struct focal_row *row, struct focal_record_view *view, struct focal_error *err)
{
    struct focal_ref ref;
    enum focal_status st = resolve(v, &ref, NULL, row->id, err);
    if (st != FOCAL_OK)
        return st;
    st = focal_oplog_record(job_oplog(v->job), NULL, &ref, view);
    if (st != FOCAL_OK)
        return focal_fail(err, st, "leave the column empty for a new record", "the record is not here");
    if (view->record.kind != v->kind) {
        focal_record_view_close(view);
        return focal_fail(err, FOCAL_NOT_FOUND, "import each kind from a file of its own", "the record is of another kind");
    }
    return FOCAL_OK;
}

static enum focal_status draft_row(struct import *v, struct draft *d, const struct focal_row *row, const char **field, struct focal_error *err)
{
    struct focal_record_view view;
    bool old = row->id.len > 0;
    *field = old ? "id" : "";
    enum focal_status st = old ? open_old(v, row, &view, err) : FOCAL_OK;
    if (st != FOCAL_OK)
        return st;
    d->change.kind = v->kind;
    d->change.is_new = !old;
    if (old)
        d->change.record = view.record.ref;
    st = old ? put_update(d, row, &view.record, err) : put_new(d, row, err);
    *field = "received_quarter";
    if (st == FOCAL_OK)
        st = draft_finish(d, err);
    if (st == FOCAL_OK)
        st = look_ahead(v->job, d, old ? &view.record : NULL, field, err);
    if (old)
        focal_record_view_close(&view);
    return st;
}

static enum focal_status keep(struct import *v, struct piece *p, const struct draft *d, uint64_t line)
{
    if (d->change.is_new)
        p->counts.created++;
    else
        p->counts.updated++;
    if (v->check || (!d->change.is_new && d->count == 0))
        return FOCAL_OK;
    if (p->count == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 256;
        struct pending *grown = focal_realloc(p->rows, cap * sizeof *grown);
        if (!grown)
            return FOCAL_NO_MEMORY;
        p->rows = grown;
        p->cap = cap;
    }
    const void *items = focal_arena_copy(&p->arena, d->items ? (const void *)d->items : "", d->count * sizeof *d->items);
    if (!items)
        return FOCAL_NO_MEMORY;
    p->rows[p->count] = (struct pending){ .change = d->change, .line = line };
    p->rows[p->count++].change.items = items;
    return FOCAL_OK;
}

static enum focal_status took(void *data, const struct focal_row *row)
{
    struct import *v = data;
    struct piece *p = v->job->own;
    struct draft d;
    struct focal_error err;
    const char *field = "";
    draft_open(&d, v->job->admin->is.node, job_today(v->job));
    d.arena = &p->arena;
    enum focal_status st = draft_row(v, &d, row, &field, &err);
    if (st == FOCAL_OK)
        st = keep(v, p, &d, row->line);
    else if (st != FOCAL_NO_MEMORY && st != FOCAL_IO && st != FOCAL_DAMAGED) {
        refuse(v->job, row->line, field, err.message, err.hint, 1, NULL);
        st = FOCAL_OK;
    }
    draft_close(&d);
    return st;
}

/* ---- commands ---- */

enum job_state run_import_begin(struct job *j)
{
    const char *kind = job_text(j, "kind"), *form = job_text(j, "format");
    struct import *v = focal_alloc(sizeof *v);
    if (!v)
        return job_fail(j, NULL);
    import_forget(j->conn->import);
    j->conn->import = v;
    v->kind = focal_kind_by_name(kind ? kind : "case");
    v->check = job_flag(j, "check");
    struct focal_import_setup setup = { .form = FOCAL_FORM_CSV, .row = took, .refused = refused, .data = v };
    setup.intake = (struct focal_intake_for){ .kind = v->kind, .today = job_today(j), .resolve = resolve, .data = v };
    if (!v->kind || v->kind->number < FOCAL_KIND_CASE)
        return job_failf(j, FOCAL_USAGE, "case, entity, focal-point, endorsement or nil-return", "there is no kind \"%.40s\"", kind);
    if (form && !focal_form_by_name(&setup.form, form))
        return job_failf(j, FOCAL_USAGE, "csv or jsonl", "there is no format \"%.40s\"", form);
    const struct focal_certificate *mine = focal_oplog_mine(job_oplog(j));
    const struct focal_scope wide = { .cls = v->kind->creating_scope };
    if (!mine || !focal_certificate_lists(mine->write, mine->write_count, &wide))
        return job_failf(j, FOCAL_DENIED, "headquarters must admit it first", "this office may not write in the network yet");
    v->form = setup.form;
    enum focal_status st = focal_import_open(&v->is, &setup);
    return st == FOCAL_OK ? job_end(j, FOCAL_OK, NULL) : job_fail(j, NULL);
}

static enum job_state stopped(struct job *j, const struct focal_error *err)
{
    import_forget(j->conn->import);
    j->conn->import = NULL;
    return job_fail(j, err);
}

static enum job_state feed(struct job *j, bool last)
{
    struct focal_error err;
    struct import *v = j->conn->import;
    memset(&err, 0, sizeof err);
    if (!v || !v->is)
        return job_failf(j, FOCAL_USAGE, "import.begin comes first", "no import is under way on this connection");
    struct piece *p = job_own(j, sizeof *p, piece_free);
    if (!p)
        return job_fail(j, NULL);
    p->last = last;
    focal_arena_init(&p->arena, PIECE_ARENA_MAX);
    v->job = j;
    const json_t *text = json_object_get(j->with, "text");
    if (!last && json_string_length(text) > PIECE_BYTES_MAX)
        return job_failf(j, FOCAL_TOO_BIG, "send smaller pieces", "a piece has at most %d bytes", PIECE_BYTES_MAX);
    enum focal_status st = last ? focal_import_finish(v->is, &err)
                                : focal_import_feed(v->is, focal_span_of(json_string_value(text), json_string_length(text)), &err);
    v->job = NULL;
    if (st != FOCAL_OK && !err.message[0])
        (void)!focal_fail(&err, st, "send smaller pieces, or try again later", "the rows could not be taken in: %s", focal_status_text(st));
    if (st != FOCAL_OK)
        return stopped(j, &err);
    j->stage = 1;
    return JOB_AGAIN;
}

/* Of changes that were committed just now. */
static void settle(struct job *j, struct piece *p)
{
    for (; p->done < p->up; p->done++) {
        const struct pending *row = &p->rows[p->done];
        if (row->change.status == FOCAL_OK)
            continue;
        if (row->change.is_new)
            p->counts.created--;
        else
            p->counts.updated--;
        refuse(j, row->line, NULL, row->change.error.message, row->change.error.hint, 1, NULL);
    }
}

/* A fault of the file itself belongs to no row, so no callback told of it: a first line that cannot be used, each of whose
 * faults is in the list before any row, or the place where reading stopped, which is the last. */
static void refuse_file(struct job *j, const struct import *v)
{
    const struct focal_refusals *all = focal_import_refusals(v->is);
    bool at_once = focal_import_good(v->is) + focal_import_bad(v->is) == 0;
    if (!focal_import_broken(v->is))
        return;
    if (all->kept == 0 || (!at_once && all->total > all->kept)) {
        refuse(j, 0, NULL, "the file cannot be read to its end", "correct the lines before that first", 1, NULL);
        return;
    }
    for (size_t i = at_once ? 0 : all->kept - 1; i < all->kept; i++)
        refuse(j, all->list[i].line, all->list[i].field, all->list[i].reason, all->list[i].hint, 1, NULL);
}

static enum job_state end_piece(struct job *j, struct piece *p)
{
    struct import *v = j->conn->import;
    if (p->last)
        refuse_file(j, v);
    v->all.created += p->counts.created;
    v->all.updated += p->counts.updated;
    v->all.refused += p->counts.refused;
    const struct counts *c = p->last ? &v->all : &p->counts;
    json_t *end = json_object();
    json_object_set_new(end, "new", json_integer((json_int_t)c->created));
    json_object_set_new(end, "updated", json_integer((json_int_t)c->updated));
    json_object_set_new(end, "refused", json_integer((json_int_t)c->refused));
    if (p->last) {
        struct focal_buf header;
        focal_buf_init(&header, 2 * FOCAL_ROW_BYTES_MAX);
        focal_reject_header(&header, v->is);
        while (header.len && (header.data[header.len - 1] == '\n' || header.data[header.len - 1] == '\r'))
            focal_buf_truncate(&header, header.len - 1);
        json_object_set_new(end, "header", focal_json_text(focal_buf_view(&header)));
        json_object_set_new(end, "broken", json_boolean(focal_import_broken(v->is)));
        focal_buf_close(&header);
        import_forget(v);
        j->conn->import = NULL;
    }
    return job_end(j, FOCAL_OK, end);
}

static enum job_state run_piece(struct job *j, bool last)
{
    if (j->stage == 0)
        return feed(j, last);
    struct piece *p = j->own;
    settle(j, p);
    if (p->done == p->count)
        return end_piece(j, p);
    while (p->up < p->count && p->up - p->done < BATCH) {
        struct focal_node_event e = { .type = FOCAL_EVENT_CHANGE, .is.change = &p->rows[p->up].change };
        if (!job_event(j, &e))
            break;
        p->up++;
    }
    return p->up > p->done ? JOB_STEP : JOB_AGAIN;
}

enum job_state run_import_rows(struct job *j)
{
    return run_piece(j, false);
}

enum job_state run_import_end(struct job *j)
{
    return run_piece(j, true);
}
