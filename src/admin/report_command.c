/* report: cases counted, from a snapshot of the store, in slices. */
#include "job.h"

#include "focal/report.h"

#include <string.h>

enum { PAGE_BYTES_MAX = 16 << 20, CHUNK_BYTES = 32 << 10, COUNTING = 1, TELLING = 2 };

struct reporting {
    struct focal_report *is;
    struct focal_figures *figures;
    struct focal_store *snapshot;
    const struct focal_renderer *renderer;
    struct focal_ref at; bool started;
    struct focal_buf page; size_t told;
};

static void reporting_free(void *own)
{
    struct reporting *v = own;
    focal_report_close(v->is);
    focal_figures_close(v->figures);
    focal_store_close(v->snapshot);
    focal_buf_close(&v->page);
}

/* "2018-Q2", or a list of them. */
static void put_period(struct job *j, struct focal_buf *out)
{
    const json_t *period = json_object_get(j->with, "period");
    for (size_t i = 0; i < json_array_size(period); i++)
        if (json_is_string(json_array_get(period, i)))
            focal_buf_printf(out, "%s%s", out->len ? "," : "", json_string_value(json_array_get(period, i)));
    if (json_is_string(period))
        focal_buf_text(out, json_string_value(period));
}

/* One digest over the frontiers of all scopes this node reads: equal digests, equal tables. */
static void put_frontier(struct focal_oplog *oplog, char hex[65])
{
    struct focal_buf all;
    struct focal_hash digest;
    const struct focal_certificate *mine = focal_oplog_mine(oplog);
    focal_buf_init(&all, 60000);
    for (size_t i = 0; mine && i < mine->read_count; i++) {
        struct focal_hash id;
        uint8_t frontier[16];
        focal_scope_id(&id, focal_oplog_network(oplog), &mine->read[i]);
        focal_oplog_frontier_hash(oplog, &id, frontier);
        focal_buf_bytes(&all, id.b, sizeof id.b);
        focal_buf_bytes(&all, frontier, sizeof frontier);
    }
    struct focal_span parts[] = { focal_span_text("focal report 1"), focal_buf_view(&all) };
    focal_hash_parts(&digest, parts, 2);
    focal_hex(hex, digest.b, sizeof digest.b);
    focal_buf_close(&all);
}

static enum focal_status take_figures(struct job *j, struct reporting *v, struct focal_error *err)
{
    const json_t *text = json_object_get(j->with, "figures");
    struct focal_refusals refusals;
    if (!json_is_string(text))
        return FOCAL_OK;
    focal_refusals_init(&refusals);
    enum focal_status st = focal_figures_parse(&v->figures, focal_span_of(json_string_value(text), json_string_length(text)), &refusals);
    if (st != FOCAL_OK)
        st = focal_fail(err, st == FOCAL_NO_MEMORY ? st : FOCAL_REFUSED, refusals.kept ? refusals.list[0].hint : "", "the figures, line %llu: %s",
                        (unsigned long long)(refusals.kept ? refusals.list[0].line : 0), refusals.kept ? refusals.list[0].reason : "cannot be read");
    focal_refusals_close(&refusals);
    return st;
}

static enum focal_status open_report(struct job *j, struct reporting *v, struct focal_error *err)
{
    struct focal_office office;
    struct focal_buf period;
    char day[16], frontier[65];
    const char *format = job_text(j, "format");
    v->renderer = focal_renderer_by_name(format ? format : "json");
    if (!v->renderer)
        return focal_fail(err, FOCAL_USAGE, "text, csv, json or html", "there is no format \"%.40s\"", format);
    enum focal_status st = take_figures(j, v, err);
    if (st != FOCAL_OK)
        return st;
    st = focal_store_snapshot(focal_node_store(j->admin->is.node), &v->snapshot);
    if (st != FOCAL_OK)
        return focal_fail(err, st, "try again later", "the store cannot be read beside its writer");
    focal_node_office(j->admin->is.node, &office);
    day_print(day, job_today(j));
    put_frontier(job_oplog(j), frontier);
    focal_buf_init(&period, 4096);
    put_period(j, &period);
    struct focal_report_setup setup = { .period = period.len ? focal_buf_cstr(&period) : NULL, .office = office.text,
        .network = focal_oplog_genesis(job_oplog(j))->label, .program = j->admin->is.program, .made_on = day, .frontier = frontier,
        .generated = job_flag(j, "generated"), .every_unit = job_flag(j, "every_unit") };
    st = focal_report_open(&v->is, &setup, err);
    focal_buf_close(&period);
    return st;
}

static enum job_state begin(struct job *j)
{
    struct focal_error err;
    struct reporting *v = job_own(j, sizeof *v, reporting_free);
    if (!v)
        return job_fail(j, NULL);
    memset(&err, 0, sizeof err);
    focal_buf_init(&v->page, PAGE_BYTES_MAX);
    enum focal_status st = open_report(j, v, &err);
    if (st != FOCAL_OK && !err.message[0])
        return job_fail(j, NULL);
    if (st != FOCAL_OK)
        return job_fail(j, &err);
    j->stage = COUNTING;
    return JOB_AGAIN;
}

static enum focal_status page_write(void *data, struct focal_span bytes)
{
    focal_buf_span(data, bytes);
    return ((struct focal_buf *)data)->failed ? FOCAL_TOO_BIG : FOCAL_OK;
}

static enum focal_status finish(struct job *j, struct reporting *v)
{
    struct focal_peer_status p;
    struct focal_office office;
    focal_node_office(j->admin->is.node, &office);
    enum focal_status st = focal_report_coverage(v->is, office.text, true, 0);
    for (size_t i = 0; st == FOCAL_OK && focal_node_peer(j->admin->is.node, j->admin->now, i, &p); i++)
        if (p.office.text[0])
            st = focal_report_coverage(v->is, p.office.text, p.heard, p.heard_ago_ms / 1000);
    if (v->figures)
        focal_report_publish(v->is, v->figures);
    if (st == FOCAL_OK)
        st = focal_report_finish(v->is);
    if (st == FOCAL_OK)
        st = focal_report_render(v->is, v->renderer, page_write, &v->page);
    focal_store_close(v->snapshot);
    v->snapshot = NULL;
    return st;
}

static enum job_state count(struct job *j, struct reporting *v)
{
    enum focal_status st = FOCAL_OK;
    for (int i = 0; i < RECORDS_PER_SLICE; i++) {
        struct focal_ref next;
        struct focal_record_view view;
        st = focal_oplog_next_of_kind(job_oplog(j), v->snapshot, FOCAL_KIND_CASE, v->started ? &v->at : NULL, &next);
        if (st != FOCAL_OK)
            break;
        st = focal_oplog_record(job_oplog(j), v->snapshot, &next, &view);
        if (st != FOCAL_OK)
            break;
        st = focal_report_add(v->is, &view.record);
        focal_record_view_close(&view);
        if (st != FOCAL_OK)
            break;
        v->at = next;
        v->started = true;
    }
    if (st == FOCAL_OK)
        return JOB_AGAIN;
    bool end = st == FOCAL_NOT_FOUND;
    if (end)
        st = finish(j, v);
    if (st != FOCAL_OK)
        return job_failf(j, st, "run `focalctl verify`", "the report could not be made: %s", focal_status_text(st));
    j->stage = TELLING;
    return JOB_AGAIN;
}

/* A piece ends where a character ends. */
static size_t piece_length(const struct reporting *v)
{
    size_t len = v->page.len - v->told;
    if (len <= CHUNK_BYTES)
        return len;
    len = CHUNK_BYTES;
    while (len > 1 && (v->page.data[v->told + len] & 0xc0) == 0x80)
        len--;
    return len;
}

static enum job_state tell(struct job *j, struct reporting *v)
{
    if (strcmp(v->renderer->name, "json") == 0) {
        struct focal_error err;
        json_t *item;
        if (focal_json_parse(&item, focal_buf_view(&v->page), &err) != FOCAL_OK)
            return job_fail(j, &err);
        return job_one(j, item);
    }
    if (v->told == v->page.len)
        return job_end(j, FOCAL_OK, NULL);
    size_t len = piece_length(v);
    json_t *item = json_object();
    json_object_set_new(item, "text", focal_json_text(focal_span_of(v->page.data + v->told, len)));
    job_item(j, item);
    v->told += len;
    return JOB_AGAIN;
}

enum job_state run_report(struct job *j)
{
    struct reporting *v = j->own;
    return j->stage == 0 ? begin(j) : j->stage == COUNTING ? count(j, v) : tell(j, v);
}
