/* What the history keeps of commands: who, by which right, what, on which record, with what outcome. Never what stood or
 * came to stand in a record, and of what was typed only names of offices and kinds that exist.
 *
 * A change is noted by an event that stands behind its own in the same step: there is no change without its note. What
 * gives much out is noted, and the note committed, before its work begins. Readings and refusals go into the next step. */
#include "job.h"

#include "focal/config.h"

#include <stdio.h>
#include <string.h>

/* Of the arguments, what is neither content nor free text. */
static void put_about(const struct job *j, char about[FOCAL_NOTE_ABOUT_MAX])
{
    struct focal_office office;
    struct focal_error err;
    const char *text = job_text(j, "office"), *kind = job_text(j, "kind");
    const struct focal_kind *known = kind ? focal_kind_by_name(kind) : NULL;
    if (text && strlen(text) <= FOCAL_OFFICE_MAX) {
        enum focal_status st = office_find(job_oplog(j), text, &office, &err);
        if (st == FOCAL_OK || st == FOCAL_NOT_FOUND)
            (void)snprintf(about, FOCAL_NOTE_ABOUT_MAX, "%s", office.text);
    } else if (known) {
        (void)snprintf(about, FOCAL_NOTE_ABOUT_MAX, "%s", known->name);
    }
    /* It takes out in clear what is sealed everywhere else: of all exports these are the ones to be found again. */
    if (j->command->run == run_export && job_flag(j, "sealed") && (!known || known->number == FOCAL_KIND_CASE))
        (void)snprintf(about, FOCAL_NOTE_ABOUT_MAX, "case, unsealed");
}

void note_fill(struct job *j)
{
    struct focal_note *n = &j->note;
    memset(n, 0, sizeof *n);
    n->uid = j->conn->uid;
    n->right = (uint8_t)right_used(command_needs(j->command, j->with), j->conn->rights);
    n->request = j->second.number;
    n->other_uid = j->second.number ? j->second.uid : FOCAL_NOBODY;
    (void)snprintf(n->command, sizeof n->command, "%s", j->command->name);
    put_about(j, n->about);
}

/* ---- later ---------------------------------------------------------------------------------------------------------------- */

static void put_later(struct focal_admin *a, const struct focal_note *note)
{
    if (a->later_count < NOTES_MAX)     /* notes_room held back what is more than that */
        a->later[a->later_count++] = *note;
    a->again = true;
}

bool notes_room(const struct focal_admin *a)
{
    return a->later_count < NOTES_MAX / 2;
}

void notes_put_up(struct focal_admin *a)
{
    size_t count = 0;
    while (count < a->later_count && a->event_count < a->event_room) {
        a->up[count] = a->later[count];
        struct focal_node_event e = { .type = FOCAL_EVENT_NOTE };
        e.is.note.is = &a->up[count++];
        a->events[a->event_count++] = e;
    }
    a->up_count = count;
    a->later_count -= count;
    memmove(a->later, a->later + count, a->later_count * sizeof a->later[0]);
}

/* Who asks in vain, and often, must not keep the disk at work. */
void note_denied(struct job *j)
{
    struct focal_admin *a = j->admin;
    uint64_t gained = (a->now.mono_ms - a->denied_noted_ms) / 1000 * DENIED_NOTES_PER_S;
    if (gained) {
        a->denied_left = gained + a->denied_left > DENIED_NOTES_AT_ONCE ? DENIED_NOTES_AT_ONCE : (unsigned)(a->denied_left + gained);
        a->denied_noted_ms = a->now.mono_ms;
    }
    if (a->denied_left == 0)
        return;
    a->denied_left--;
    note_fill(j);
    j->note.cls = FOCAL_NOTE_DENIED;
    j->note.outcome = FOCAL_DENIED;
    put_later(a, &j->note);
}

/* Which record was looked at; only a reference that was read as one gets here, never what else was typed. */
static void put_record(struct job *j)
{
    struct focal_error err;
    const char *text = job_text(j, "ref");
    j->note.record_set = text && record_find(job_oplog(j), focal_node_store(j->admin->is.node), text, &j->note.record, &err) == FOCAL_OK;
}

void note_done(struct job *j)
{
    enum noted how = command_noted(j->command, j->with);
    if (j->noted || how == NOT_NOTED || j->outcome == FOCAL_USAGE)
        return;
    j->noted = true;
    j->note.cls = j->outcome == FOCAL_DENIED ? FOCAL_NOTE_DENIED : how == NOTED_READING ? FOCAL_NOTE_READING : FOCAL_NOTE_COMMAND;
    j->note.outcome = j->outcome;
    put_record(j);
    put_later(j->admin, &j->note);
}

/* ---- with a change -------------------------------------------------------------------------------------------------------- */

size_t note_events(const struct job *j)
{
    return command_noted(j->command, j->with) == NOTED && !FOCAL_PLANTED(CHANGE_WITHOUT_NOTE) ? 1 + (j->second.number != 0) : 0;
}

static const enum focal_status *outcome_of(const struct focal_node_event *e)
{
    switch (e->type) {
    case FOCAL_EVENT_CHANGE: return &e->is.change->status;
    case FOCAL_EVENT_REDACT: return &e->is.redact->status;
    case FOCAL_EVENT_RESCUE: return &e->is.rescue->status;
    default: return e->answer;
    }
}

static const struct focal_ref *record_of(const struct focal_node_event *e)
{
    if (e->type == FOCAL_EVENT_REDACT)
        return &e->is.redact->record;
    if (e->type == FOCAL_EVENT_RESCUE)
        return &e->is.rescue->is.record;
    if (e->type != FOCAL_EVENT_CHANGE)
        return NULL;
    return e->is.change->is_new ? &e->is.change->result : &e->is.change->record;
}

static void put_event(struct focal_admin *a, const struct focal_node_event *e)
{
    focal_assert(a->event_count < a->event_room);
    a->events[a->event_count++] = *e;
}

/* The request that this does is over when it is done, and not before. */
static void close_request(struct job *j, const enum focal_status *only_if)
{
    j->closing = (struct focal_pending_order){ .op = FOCAL_PENDING_CLOSE, .number = j->second.number, .only_if = only_if };
    put_event(j->admin, &(struct focal_node_event){ .type = FOCAL_EVENT_PENDING, .is.pending = &j->closing });
}

void note_behind(struct job *j, const struct focal_node_event *change)
{
    if (note_events(j) == 0)
        return;
    struct focal_node_event e = { .type = FOCAL_EVENT_NOTE };
    e.is.note.is = &j->note;
    e.is.note.outcome = outcome_of(change);
    e.is.note.record = record_of(change);
    if (change->type == FOCAL_EVENT_PENDING)
        e.is.note.request = &change->is.pending->number;
    if (j->second.number)
        close_request(j, e.is.note.outcome);
    j->note.cls = FOCAL_NOTE_COMMAND;
    j->noted = true;
    put_event(j->admin, &e);
}

/* What is done is done, whether the history finds room for it or not. */
bool note_alone(struct job *j)
{
    struct focal_admin *a = j->admin;
    if (!a->events || a->event_count == a->event_room)
        return false;
    j->note.cls = FOCAL_NOTE_COMMAND;
    j->noted = true;
    struct focal_node_event e = { .type = FOCAL_EVENT_NOTE, .answer = &j->note_answer };
    e.is.note.is = &j->note;
    put_event(a, &e);
    return true;
}

void focal_admin_unlocked(struct focal_admin *a, uint32_t uid, unsigned rights)
{
    struct focal_note n = { .cls = FOCAL_NOTE_COMMAND, .uid = uid, .right = (uint8_t)right_used(FOCAL_MAY_ADMIN, rights), .other_uid = FOCAL_NOBODY };
    (void)snprintf(n.command, sizeof n.command, "unlock");
    put_later(a, &n);
}

size_t focal_admin_last(struct focal_admin *a, struct focal_node_event *events, size_t room)
{
    a->events = events;
    a->event_count = 0;
    a->event_room = room;
    notes_put_up(a);
    a->events = NULL;
    return a->event_count;
}

/* ---- first ---------------------------------------------------------------------------------------------------------------- */

enum job_state job_clear(struct job *j)
{
    struct focal_admin *a = j->admin;
    if (!j->noted)
        second_person_look(j);
    j->cleared = command_noted(j->command, j->with) != NOTED_FIRST || FOCAL_PLANTED(NOTED_AFTERWARDS);
    if (j->cleared)
        return JOB_AGAIN;
    if (!j->noted) {
        if (!a->events || a->event_room - a->event_count < 2)
            return JOB_AGAIN;
        put_record(j);
        j->note.cls = FOCAL_NOTE_COMMAND;
        struct focal_node_event e = { .type = FOCAL_EVENT_NOTE, .answer = &j->note_answer };
        e.is.note.is = &j->note;
        put_event(a, &e);
        if (j->second.number)
            close_request(j, &j->note_answer);
        j->noted = true;
        return JOB_STEP;
    }
    if (j->note_answer != FOCAL_OK)
        return job_failf(j, j->note_answer, "`focalctl status` says how the disk is", "the history cannot be written, and without it nothing is given out");
    j->cleared = true;
    return JOB_AGAIN;
}
