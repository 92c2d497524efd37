/* verify: the log, its chains and signatures, and that what is derived from it is what it gives. */
#include "job.h"

#include <stdio.h>
#include <string.h>

enum { ENTRIES_PER_SLICE = 500, OPENED = 1, DEEP = 2, CHECKED = 3 };

struct verifying {
    struct focal_verify *is;
    uint64_t ticket;
    enum focal_status found;
    struct focal_buf findings;
    uint64_t told_permille;
};

static void verifying_free(void *own)
{
    struct verifying *v = own;
    focal_verify_close(v->is);
    focal_buf_close(&v->findings);
}

void verify_checked(struct job *j, uint64_t ticket, enum focal_status status, struct focal_span findings)
{
    struct verifying *v = j->own;
    if (!v || v->ticket != ticket || j->stage != DEEP)
        return;
    v->found = status;
    focal_buf_span(&v->findings, findings);
    j->stage = CHECKED;
    j->look_ms = 0;
}

static void put_findings(json_t *errors, struct verifying *v)
{
    struct focal_span rest = focal_buf_view(&v->findings);
    bool any = false;
    while (rest.len) {
        const uint8_t *end = memchr(rest.data, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.data) : rest.len;
        if (len) {
            char line[400];
            (void)snprintf(line, sizeof line, "focal.db: %.*s", (int)(len < 300 ? len : 300), (const char *)rest.data);
            json_array_append_new(errors, text_json(line));
        }
        any = any || len;
        rest = focal_span_of(rest.data + len + (end ? 1 : 0), rest.len - len - (end ? 1 : 0));
    }
    if (v->found != FOCAL_OK && !any)
        json_array_append_new(errors, text_json(focal_status_text(v->found)));
}

/* One command mends all of it: what is derived is made anew from the log there, what the log lacks comes from the others. */
static const char *next_step(const struct job *j, char out[240])
{
    int n = snprintf(out, 240, "stop the daemon, then `focald setup --rejoin --dir %s`", j->admin->is.dir);
    return n > 0 && n < 240 ? out : "stop the daemon, then `focald setup --rejoin --dir DIR`";
}

/* A finding about a record begins with its name, which is not for who reads no records. */
static json_t *finding_json(const struct job *j, const char *text)
{
    static const char named[] = "record ";
    const char *rest = strncmp(text, named, sizeof named - 1) == 0 ? strchr(text, ':') : NULL;
    char plain[400];
    if (!rest || job_may(j, FOCAL_MAY_READ | FOCAL_MAY_ENTRY))
        return text_json(text);
    (void)snprintf(plain, sizeof plain, "a record%s", rest);
    return text_json(plain);
}

static enum job_state report(struct job *j, struct verifying *v)
{
    json_t *out = json_object(), *errors = json_array(), *digests = json_object();
    for (size_t i = 0; i < focal_verify_error_count(v->is); i++)
        json_array_append_new(errors, finding_json(j, focal_verify_error(v->is, i)));
    put_findings(errors, v);
    struct focal_scope scope;
    struct focal_hash digest;
    for (size_t i = 0; focal_verify_digest(v->is, i, &scope, &digest); i++) {
        char name[16];
        focal_scope_print(name, &scope);
        json_object_set_new(digests, name, hex_json(digest.b, sizeof digest.b));
    }
    bool bad = json_array_size(errors) > 0;
    json_object_set_new(out, "entries", json_integer((json_int_t)focal_verify_entries(v->is)));
    json_object_set_new(out, "errors", errors);
    json_object_set_new(out, "digests", digests);
    char next[240];
    json_object_set_new(out, "next", bad ? text_json(next_step(j, next)) : json_null());
    job_item(j, out);
    return job_end(j, bad ? FOCAL_DAMAGED : FOCAL_OK, NULL);
}

enum job_state run_verify(struct job *j)
{
    struct verifying *v = j->own;
    if (j->stage == 0) {
        v = job_own(j, sizeof *v, verifying_free);
        if (!v)
            return job_fail(j, NULL);
        focal_buf_init(&v->findings, 64 << 10);
        enum focal_status st = focal_verify_open(&v->is, job_oplog(j));
        if (st != FOCAL_OK)
            return job_failf(j, st, "look at the daemon's log", "the store cannot be read for checking");
        j->stage = OPENED;
    }
    if (j->stage == DEEP)
        return JOB_WAIT;
    if (j->stage == CHECKED)
        return report(j, v);
    enum focal_status st = focal_verify_slice(v->is, ENTRIES_PER_SLICE);
    if (st == FOCAL_MORE) {
        uint64_t permille = focal_verify_progress_permille(v->is);
        if (permille > v->told_permille + 20) {
            v->told_permille = permille;
            job_progress(j, permille, 1000);
        }
        return JOB_AGAIN;
    }
    if (st != FOCAL_OK) {
        char next[240];
        return job_failf(j, st, st == FOCAL_DAMAGED ? next_step(j, next) : "look at the daemon's log", "checking stopped: %s", focal_status_text(st));
    }
    if (!job_flag(j, "deep"))
        return report(j, v);
    v->ticket = j->admin->next_ticket++;
    j->stage = DEEP;
    st = j->admin->is.deep_check(j->admin->is.data, v->ticket);
    if (st != FOCAL_OK)
        return job_failf(j, st, "try again later", "the full check of the database could not begin");
    return JOB_WAIT;
}
