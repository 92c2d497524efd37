/* What handlers say and are told. */
#include "job.h"

#include <stdio.h>
#include <string.h>

bool job_events_left(const struct job *j, size_t count)
{
    return j->admin->event_room - j->admin->event_count >= count + note_events(j);
}

bool job_event(struct job *j, const struct focal_node_event *e)
{
    struct focal_admin *a = j->admin;
    if (!a->events || !job_events_left(j, 1))
        return false;
    a->events[a->event_count++] = *e;
    note_behind(j, e);
    return true;
}

static struct focal_buf *out(struct job *j)
{
    return j == j->conn->first ? &j->conn->out : &j->held;
}

void job_item(struct job *j, json_t *item)
{
    focal_answer_item(out(j), j->id, item);
    json_decref(item);
}

enum job_state job_end(struct job *j, enum focal_status status, json_t *more)
{
    j->outcome = status;
    focal_answer_end(out(j), j->id, status, more);
    json_decref(more);
    return JOB_DONE;
}

enum job_state job_one(struct job *j, json_t *item)
{
    job_item(j, item);
    return job_end(j, FOCAL_OK, NULL);
}

enum job_state job_fail(struct job *j, const struct focal_error *err)
{
    struct focal_error none;
    if (!err) {
        (void)!focal_fail(&none, FOCAL_NO_MEMORY, "try again later", "no memory for the request");
        err = &none;
    }
    j->outcome = err->status;
    focal_answer_error(out(j), j->id, err);
    return JOB_DONE;
}

enum job_state job_failf(struct job *j, enum focal_status status, const char *hint, const char *fmt, ...)
{
    struct focal_error err;
    char message[sizeof err.message];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    if (status == FOCAL_DISK_FULL)      /* whatever it was that could not be done */
        (void)!focal_fail(&err, status, "free some space on the disk of the office's directory, then try again", "the disk is full: %s", message);
    else
        (void)!focal_fail(&err, status, hint, "%s", message);
    return job_fail(j, &err);
}

void job_progress(struct job *j, uint64_t done, uint64_t of)
{
    focal_answer_progress(out(j), j->id, done, of);
}

void *job_own(struct job *j, size_t bytes, void (*close)(void *own))
{
    focal_assert(!j->own);
    j->own = focal_alloc(bytes);
    j->own_close = close;
    return j->own;
}

bool job_waited(const struct job *j, uint64_t default_ms)
{
    uint64_t most = default_ms;
    (void)job_number(j, "timeout_ms", &most);
    return most && j->admin->now.mono_ms - j->began_ms >= most;
}

uint32_t job_today(const struct job *j)
{
    return (uint32_t)(j->admin->now.wall_ms / 86400000u);
}

struct focal_oplog *job_oplog(const struct job *j)
{
    return focal_node_oplog(j->admin->is.node);
}

const char *job_text(const struct job *j, const char *key)
{
    const json_t *value = json_object_get(j->with, key);
    const char *text = json_string_value(value);
    return text && strlen(text) == json_string_length(value) ? text : NULL;
}

bool job_flag(const struct job *j, const char *key)
{
    return json_is_true(json_object_get(j->with, key));
}

bool job_number(const struct job *j, const char *key, uint64_t *out)
{
    const json_t *value = json_object_get(j->with, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

void focal_admin_store_done(struct focal_admin *a, uint64_t ticket, enum focal_status status, const struct focal_error *err)
{
    for (size_t i = 0; i < CONNS_MAX; i++)
        for (struct job *j = a->conns[i].number ? a->conns[i].first : NULL; j; j = j->next)
            if (j->command->run == run_store_order)
                store_order_done(j, ticket, status, err);
    a->again = true;
}

void focal_admin_checked(struct focal_admin *a, uint64_t ticket, enum focal_status status, struct focal_span findings)
{
    for (size_t i = 0; i < CONNS_MAX; i++)
        for (struct job *j = a->conns[i].number ? a->conns[i].first : NULL; j; j = j->next)
            if (j->command->run == run_verify)
                verify_checked(j, ticket, status, findings);
    a->again = true;
}
