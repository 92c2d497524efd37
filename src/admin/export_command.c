/* export: every record of a kind as a file, as it stood when the export began; withdrawn ones only when asked for, and so
 * are sealed fields, for in the file they are sealed no more. */
#include "job.h"

#include "focal/exchange.h"

enum { CHUNK_BYTES = 32 << 10, CHUNK_MAX = 8 << 20 };

struct exporting {
    struct focal_store *snapshot;
    struct focal_export_for what;
    enum focal_form form;
    struct focal_ref at; bool started;
    struct focal_buf chunk;
    struct job *job;
    uint64_t shut;                      /* sealed values that do not open here, and so are not in the file */
};

static void exporting_free(void *own)
{
    struct exporting *v = own;
    focal_store_close(v->snapshot);
    focal_buf_close(&v->chunk);
}

static void print_ref(void *data, struct focal_buf *out, const struct focal_ref *ref)
{
    char code[32];
    struct exporting *v = data;
    focal_oplog_record_code(job_oplog(v->job), ref, code);
    focal_buf_text(out, code);
}

static bool open_value(void *data, struct focal_buf *plain, const struct focal_ref *record, const struct focal_live *live)
{
    struct exporting *v = data;
    if (focal_node_unseal(v->job->admin->is.node, record, live, plain, NULL) == FOCAL_OK)
        return true;
    v->shut++;
    return false;
}

static enum job_state begin(struct job *j)
{
    const char *kind = job_text(j, "kind"), *form = job_text(j, "format");
    struct exporting *v = job_own(j, sizeof *v, exporting_free);
    if (!v)
        return job_fail(j, NULL);
    focal_buf_init(&v->chunk, CHUNK_MAX);
    v->what = (struct focal_export_for){ .kind = focal_kind_by_name(kind ? kind : "case"), .print = print_ref, .data = v, .withdrawn = job_flag(j, "withdrawn") };
    if (job_flag(j, "sealed"))
        v->what.open = open_value;
    v->job = j;
    if (!v->what.kind || v->what.kind->number < FOCAL_KIND_CASE)
        return job_failf(j, FOCAL_USAGE, "case, entity, focal-point, endorsement or nil-return", "there is no kind \"%.40s\"", kind);
    if (form && !focal_form_by_name(&v->form, form))
        return job_failf(j, FOCAL_USAGE, "csv or jsonl", "there is no format \"%.40s\"", form);
    enum focal_status st = focal_store_snapshot(focal_node_store(j->admin->is.node), &v->snapshot);
    if (st != FOCAL_OK)
        return job_failf(j, st, "try again later", "the store cannot be read beside its writer");
    if (v->form == FOCAL_FORM_CSV)
        focal_export_csv_header(&v->chunk, &v->what);
    j->stage = 1;
    return JOB_AGAIN;
}

static void put_chunk(struct job *j, struct exporting *v)
{
    json_t *item = json_object();
    json_object_set_new(item, "text", focal_json_text(focal_buf_view(&v->chunk)));
    job_item(j, item);
    focal_buf_clear(&v->chunk);
}

static enum job_state ended(struct job *j, const struct exporting *v)
{
    json_t *end = v->what.open ? json_object() : NULL;
    if (end)
        json_object_set_new(end, "sealed_left_out", json_integer((json_int_t)v->shut));
    return job_end(j, FOCAL_OK, end);
}

enum job_state run_export(struct job *j)
{
    struct exporting *v = j->own;
    if (j->stage == 0)
        return begin(j);
    for (int i = 0; i < RECORDS_PER_SLICE; i++) {
        struct focal_ref next;
        struct focal_record_view view;
        char code[32];
        enum focal_status st = focal_oplog_next_of_kind(job_oplog(j), v->snapshot, v->what.kind->number, v->started ? &v->at : NULL, &next);
        if (st == FOCAL_NOT_FOUND) {
            if (v->chunk.len)
                put_chunk(j, v);
            return ended(j, v);
        }
        if (st == FOCAL_OK)
            st = focal_oplog_record(job_oplog(j), v->snapshot, &next, &view);
        if (st != FOCAL_OK)
            return job_failf(j, st, "run `focalctl verify`", "the records cannot be read");
        focal_oplog_record_code(job_oplog(j), &next, code);
        bool wanted = focal_export_wants(&v->what, &view.record);
        if (wanted && v->form == FOCAL_FORM_CSV)
            focal_export_csv_row(&v->chunk, &v->what, &view.record, code);
        else if (wanted)
            focal_export_json_line(&v->chunk, &v->what, &view.record, code);
        focal_record_view_close(&view);
        if (v->chunk.failed)
            return job_fail(j, NULL);
        if (v->chunk.len >= CHUNK_BYTES)
            put_chunk(j, v);
        v->at = next;
        v->started = true;
    }
    return JOB_AGAIN;
}
