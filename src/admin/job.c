/* Connections, their requests in order, and the turn. */
#include "job.h"

#include <stdio.h>
#include <string.h>

enum focal_status focal_admin_open(struct focal_admin **out, const struct focal_admin_setup *setup)
{
    struct focal_admin *a = focal_alloc(sizeof *a);
    *out = a;
    if (!a)
        return FOCAL_NO_MEMORY;
    a->is = *setup;
    a->next_ticket = 1;
    a->denied_left = DENIED_NOTES_AT_ONCE;
    return FOCAL_OK;
}

static void job_free(struct job *j)
{
    if (j->own) {
        if (j->own_close)
            j->own_close(j->own);
        focal_free(j->own);
    }
    focal_buf_wipe_close(&j->held);
    json_decref(j->with);
    focal_free(j);
}

static void conn_close(struct conn *c)
{
    while (c->first) {
        struct job *j = c->first;
        c->first = j->next;
        job_free(j);
    }
    import_forget(c->import);
    focal_buf_wipe_close(&c->out);      /* it may hold an invitation */
    memset(c, 0, sizeof *c);
}

void focal_admin_close(struct focal_admin *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < CONNS_MAX; i++)
        if (a->conns[i].number)
            conn_close(&a->conns[i]);
    focal_free(a);
}

static struct conn *conn_find(const struct focal_admin *a, uint64_t number)
{
    for (size_t i = 0; i < CONNS_MAX; i++)
        if (number && a->conns[i].number == number)
            return (struct conn *)(uintptr_t)&a->conns[i];
    return NULL;
}

/* A place is given to one user only so often, and to those without any right next to never: everybody on the machine may
 * connect, and must not keep others out. */
static bool may_connect(const struct focal_admin *a, uint32_t uid, unsigned rights)
{
    size_t of_one = 0, without = 0;
    for (size_t i = 0; i < CONNS_MAX; i++) {
        of_one += a->conns[i].number && a->conns[i].uid == uid;
        without += a->conns[i].number && !a->conns[i].rights;
    }
    return of_one < CONNS_OF_ONE_MAX && (rights || without < CONNS_WITHOUT_RIGHTS_MAX);
}

bool focal_admin_connect(struct focal_admin *a, uint64_t number, uint32_t uid, unsigned rights)
{
    for (size_t i = 0; i < CONNS_MAX && may_connect(a, uid, rights); i++) {
        struct conn *c = &a->conns[i];
        if (c->number)
            continue;
        c->number = number;
        c->uid = uid;
        c->rights = rights;
        focal_buf_init(&c->out, OUT_MAX_BYTES);
        focal_control_hello(&c->out);
        return true;
    }
    return false;
}

void focal_admin_disconnect(struct focal_admin *a, uint64_t number)
{
    struct conn *c = conn_find(a, number);
    if (c)
        conn_close(c);
}

void focal_admin_ended(struct focal_admin *a, uint64_t number)
{
    struct conn *c = conn_find(a, number);
    if (c)
        c->finished = true;
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static void refuse(struct conn *c, uint64_t id, const struct focal_error *err)
{
    focal_answer_error(&c->out, id, err);
}

static void refuse_hello(struct conn *c, struct focal_span line)
{
    struct focal_error err;
    if (focal_control_hello_check(line, &err) == FOCAL_OK) {
        c->greeted = true;
        return;
    }
    refuse(c, 0, &err);
    c->finished = true;
}

/* Answers keep the order of the requests, so a request that fails at once stands in the line like any other. */
static job_run run_refused;
static const struct focal_command refused = { "", run_refused, FOCAL_MAY_ALL, true, NOT_NOTED, 0, "" };

static enum job_state run_refused(struct job *j)
{
    return job_fail(j, j->own);
}

/* Rights come first: who may not is told nothing that depends on what stands here. */
static enum focal_status check_rights(struct job *j, const char *verb, struct focal_error *err)
{
    const struct conn *c = j->conn;
    if (!j->command && c->rights)
        return focal_fail(err, FOCAL_UNSUPPORTED, "{\"id\":1,\"do\":\"help\"} lists the commands", "there is no command \"%s\"", verb);
    unsigned needs = j->command ? command_needs(j->command, j->with) : FOCAL_MAY_ALL;
    if (FOCAL_PLANTED(RIGHTS_ARE_A_LADDER) && c->rights & FOCAL_MAY_ADMIN)
        return FOCAL_OK;
    if (needs & c->rights)
        return FOCAL_OK;
    if (j->command)
        note_denied(j);
    return rights_refuse(j->admin->is.groups, c->uid, j->command ? j->command->name : "focalctl", needs, err);
}

static enum focal_status take_request(struct job *j, struct focal_span line, struct focal_error *err)
{
    struct focal_request r;
    enum focal_status st = focal_request_parse(&r, line, err);
    j->id = r.id;
    if (st == FOCAL_OK) {
        j->command = command_find(r.verb);
        j->with = r.with ? json_incref(r.with) : json_object();
        st = !j->with ? focal_fail(err, FOCAL_NO_MEMORY, "try again later", "no memory for the request") : check_rights(j, r.verb, err);
        if (st == FOCAL_OK)
            note_fill(j);
        if (st == FOCAL_OK && command_shows_records(j->command) && veil_refuses(j, err))
            st = FOCAL_DENIED;
    }
    focal_request_close(&r);
    return st;
}

void focal_admin_line(struct focal_admin *a, uint64_t number, struct focal_span line, struct focal_now now)
{
    struct conn *c = conn_find(a, number);
    if (!c || c->finished || line.len == 0)
        return;
    if (!c->greeted) {
        refuse_hello(c, line);
        return;
    }
    struct job *j = c->job_count < JOBS_MAX ? focal_alloc(sizeof *j) : NULL;
    struct focal_error err;
    memset(&err, 0, sizeof err);
    if (!j) {
        (void)!focal_fail(&err, FOCAL_BUSY, "wait for answers before you send more", "too many requests are under way on this connection");
        refuse(c, 0, &err);
        c->finished = true;
        return;
    }
    j->conn = c;
    j->admin = a;
    focal_buf_init(&j->held, OUT_PAUSE_BYTES);
    j->began_ms = now.mono_ms;
    j->state = JOB_AGAIN;
    if (take_request(j, line, &err) != FOCAL_OK) {
        j->command = &refused;
        struct focal_error *kept = job_own(j, sizeof err, NULL);
        if (kept)
            *kept = err;
    }
    if (c->last)
        c->last->next = j;
    else
        c->first = j;
    c->last = j;
    c->job_count++;
    a->again = true;
}

/* ---- the turn ---------------------------------------------------------------------------------------------------- */

static void drop_first(struct conn *c)
{
    struct job *j = c->first;
    c->first = j->next;
    if (!c->first)
        c->last = NULL;
    c->job_count--;
    job_free(j);
    if (c->first) {                     /* it has the word now */
        focal_buf_span(&c->out, focal_buf_view(&c->first->held));
        c->out.failed = c->out.failed || c->first->held.failed;
        focal_buf_clear(&c->first->held);
    }
}

static bool time_left(const struct focal_admin *a)
{
    return a->is.spent_ms(a->is.data) < FOCAL_ADMIN_TURN_MS;
}

static void slice(struct focal_admin *a, struct job *j)
{
    enum job_state st = j->cleared ? JOB_AGAIN : job_clear(j);
    j->state = j->cleared ? j->command->run(j) : st;
    j->committed = false;
    if (j->state == JOB_DONE)
        note_done(j);
    if (j->state == JOB_WAIT)
        j->look_ms = a->now.mono_ms + POLL_MS;
}

/* Finishes what can be finished at the front of the line. */
static void advance(struct focal_admin *a, struct conn *c)
{
    while (c->first) {
        struct job *j = c->first;
        if (j->state == JOB_STEP && j->committed)
            slice(a, j);
        if (j->state != JOB_DONE)
            break;
        drop_first(c);
    }
    if (c->first && c->first->state == JOB_AGAIN)
        a->again = true;
}

/* Runs the front of a connection's requests, and those behind a change that waits for its commit and may be overtaken. */
static void run_conn(struct focal_admin *a, struct conn *c)
{
    advance(a, c);
    for (struct job *j = c->first; j && c->out.len < OUT_PAUSE_BYTES; j = j->next) {
        if (j->state == JOB_AGAIN || (j->state == JOB_WAIT && a->now.mono_ms >= j->look_ms)) {
            if (!time_left(a) || !notes_room(a)) {
                a->again = true;
                return;
            }
            slice(a, j);
            if (j->state == JOB_AGAIN)
                a->again = true;        /* others first */
        }
        bool done = j->state == JOB_DONE || j->state == JOB_STEP;
        if (!done || !j->command->ahead || !j->next || !j->next->command->ahead)
            break;
    }
    advance(a, c);
}

static void run_all(struct focal_admin *a)
{
    a->turn_first = (a->turn_first + 1) % CONNS_MAX;
    for (size_t i = 0; i < CONNS_MAX; i++) {
        struct conn *c = &a->conns[(a->turn_first + i) % CONNS_MAX];
        if (c->number)
            run_conn(a, c);
    }
}

size_t focal_admin_before(struct focal_admin *a, struct focal_now now, struct focal_node_event *events, size_t room)
{
    a->now = now;
    a->again = false;
    a->events = events;
    a->event_count = 0;
    a->event_room = room < EVENTS_MAX ? room : EVENTS_MAX;
    notes_put_up(a);
    run_all(a);
    a->events = NULL;
    return a->event_count;
}

void focal_admin_after(struct focal_admin *a, struct focal_now now)
{
    a->now = now;
    for (size_t i = 0; i < CONNS_MAX; i++) {
        struct conn *c = &a->conns[i];
        for (struct job *j = c->number ? c->first : NULL; j; j = j->next) {
            if (j->state == JOB_STEP)
                j->committed = true;
        }
        if (!c->number)
            continue;
        if (c->first && c->first->state == JOB_WAIT)
            slice(a, c->first);         /* what it waits for may have come with this step */
        advance(a, c);
    }
    a->up_count = 0;
    if (a->later_count)
        a->again = true;
}

bool focal_admin_again(const struct focal_admin *a)
{
    return a->again;
}

uint64_t focal_admin_deadline_ms(const struct focal_admin *a)
{
    uint64_t by = UINT64_MAX;
    for (size_t i = 0; i < CONNS_MAX; i++) {
        const struct job *j = a->conns[i].first;
        if (j && j->state == JOB_WAIT && a->now.mono_ms + POLL_MS < by)
            by = a->now.mono_ms + POLL_MS;
    }
    return by;
}

/* ---- out ---------------------------------------------------------------------------------------------------- */

bool focal_admin_next(struct focal_admin *a, size_t *at, uint64_t *number)
{
    for (; *at < CONNS_MAX; (*at)++) {
        struct conn *c = &a->conns[*at];
        if (!c->number || (c->out.len == 0 && !c->finished && !c->out.failed))
            continue;
        *number = c->number;
        (*at)++;
        return true;
    }
    return false;
}

struct focal_span focal_admin_take(struct focal_admin *a, uint64_t number)
{
    struct conn *c = conn_find(a, number);
    if (!c)
        return focal_span_of(NULL, 0);
    c->broken = c->broken || c->out.failed;     /* an answer that cannot be told whole must not look whole */
    return c->broken ? focal_span_of(NULL, 0) : focal_buf_view(&c->out);
}

void focal_admin_taken(struct focal_admin *a, uint64_t number)
{
    struct conn *c = conn_find(a, number);
    if (!c)
        return;
    bool paused = c->out.len >= OUT_PAUSE_BYTES;
    focal_buf_clear(&c->out);
    if (paused && c->first)
        a->again = true;
}

bool focal_admin_finished(const struct focal_admin *a, uint64_t number)
{
    const struct conn *c = conn_find(a, number);
    return !c || c->broken || (c->finished && !c->first);
}
