/* Two persons: approve, request list, request refuse; and what becomes of a command that needs a second one.
 *
 * What changes something is done by who agrees, with the arguments as they were asked. What is answered in bulk goes to who
 * asked, and to nobody else: once it is agreed to, the same command of the same user, with the same arguments, goes through
 * one time. Both persons stand in the history, with the number of the request. */
#include "redactions.h"

#include "focal/config.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static_assert((int)FOCAL_TWO_REDACT == (int)FOCAL_POLICY_TWO_REDACT && (int)FOCAL_TWO_EXPORT == (int)FOCAL_POLICY_TWO_EXPORT
    && (int)FOCAL_TWO_REVOKE == (int)FOCAL_POLICY_TWO_REVOKE && (int)FOCAL_TWO_VEIL == (int)FOCAL_POLICY_TWO_VEIL, "the bits of a statement are those of the configuration");

/* Of the configuration and of what the authority states, the stricter. */
static unsigned policy_two_persons(const struct focal_admin *a)
{
    struct focal_policy p;
    const bool stated = focal_oplog_policy(focal_node_oplog(a->is.node), FOCAL_POLICY_TWO_PERSONS, &p) && !FOCAL_PLANTED(POLICY_UNHEEDED);
    return a->is.two_persons | (stated ? (unsigned)(p.value & UINT32_MAX) : 0);
}

static bool fetched(const struct focal_command *c)
{
    return c->noted == NOTED_FIRST;
}

static int append(const char *data, size_t len, void *to)
{
    focal_buf_bytes(to, data, len);
    return 0;
}

/* Keys in one order, so that the same arguments are the same bytes. */
static bool print_with(struct focal_buf *out, const json_t *with)
{
    focal_buf_init(out, FOCAL_PENDING_WITH_MAX);
    return json_dump_callback(with, append, out, JSON_COMPACT | JSON_SORT_KEYS) == 0 && !out->failed;
}

/* ---- asking ---------------------------------------------------------------------------------------------------------------- */

struct asking { struct focal_pending_order order; struct focal_buf with; enum focal_status answer; const struct focal_command *what; };

static void asking_free(void *own)
{
    struct asking *v = own;
    focal_buf_close(&v->with);
}

static enum job_state say_waits(struct job *j, const struct focal_command *what, uint64_t number)
{
    char message[200], hint[240], words[FOCAL_CONTROL_VERB_MAX];
    command_words(words, what->name);
    (void)snprintf(message, sizeof message, "\"%s\" needs two persons here: it waits as request %llu", words, (unsigned long long)number);
    (void)snprintf(hint, sizeof hint, "within a day another user who may do it runs `focalctl approve %llu`%s", (unsigned long long)number,
                   fetched(what) ? "; then repeat your command, just as it was" : "");
    return job_end(j, FOCAL_PARTIAL, json_pack("{s:I,s:s,s:s}", "request", (json_int_t)number, "message", message, "hint", hint));
}

static job_run run_asking;
static const struct focal_command asking = { "", run_asking, FOCAL_MAY_ALL, false, NOTED, 0, "" };

static enum job_state run_asking(struct job *j)
{
    struct asking *v = j->own;
    struct focal_ref ref;
    struct focal_error err;
    const char *text = job_text(j, "ref");
    if (!v)
        return job_failf(j, FOCAL_TOO_BIG, "say less", "the request is too long to be kept for a second person");
    if (v->order.number && j->stage == 0) {             /* it waits already */
        j->noted = true;
        return say_waits(j, v->what, v->order.number);
    }
    if (j->stage == 0) {
        if (text && redactable_find(j, text, &ref, &err) != FOCAL_OK)
            return job_fail(j, &err);
        if (text) {
            j->note.record = ref;
            j->note.record_set = true;
        }
        v->order.op = FOCAL_PENDING_ASK;
        v->order.uid = j->conn->uid;
        v->order.command = v->what->name;
        v->order.with = focal_buf_view(&v->with);
        struct focal_node_event e = { .type = FOCAL_EVENT_PENDING, .answer = &v->answer, .is.pending = &v->order };
        if (!job_event(j, &e))
            return JOB_AGAIN;
        j->stage = 1;
        return JOB_STEP;
    }
    if (v->answer == FOCAL_FULL)
        return job_failf(j, FOCAL_FULL, "`focalctl request list` shows them; agree to some, or refuse them", "too many requests wait for a second person");
    if (v->answer != FOCAL_OK)
        return job_failf(j, v->answer, "`focalctl status` says how the disk is", "the request could not be kept");
    return say_waits(j, v->what, v->order.number);
}

/* The same asked by the same user, the newest. */
static bool find_same(struct job *j, const struct focal_command *what, struct focal_span with, struct focal_pending *out)
{
    struct focal_pending p = { .number = 0 };
    struct focal_buf theirs;
    bool found = false;
    focal_buf_init(&theirs, FOCAL_PENDING_WITH_MAX);
    while (focal_node_next_pending(j->admin->is.node, j->admin->now, p.number, &p, &theirs) == FOCAL_OK) {
        if (p.uid != j->conn->uid || strcmp(p.command, what->name) != 0 || !focal_span_equal(focal_buf_view(&theirs), with))
            continue;
        *out = p;
        found = true;
    }
    focal_buf_close(&theirs);
    return found;
}

void second_person_look(struct job *j)
{
    const struct focal_command *what = j->command;
    struct focal_pending p;
    struct focal_buf with;
    if (!(what->two_persons & policy_two_persons(j->admin)) || j->second.number)
        return;
    bool whole = print_with(&with, j->with), same = whole && find_same(j, what, focal_buf_view(&with), &p);
    if (same && fetched(what) && p.by != FOCAL_NOBODY) {
        j->second.number = p.number;
        j->second.uid = p.by;
        note_fill(j);
        focal_buf_close(&with);
        return;
    }
    struct asking *v = whole ? job_own(j, sizeof *v, asking_free) : NULL;
    j->command = &asking;
    if (!v) {
        focal_buf_close(&with);
        return;
    }
    v->with = with;
    v->what = what;
    v->order.number = same ? p.number : 0;
}

/* ---- one request ------------------------------------------------------------------------------------------------------------ */

struct looking { struct focal_pending is; struct focal_buf with; const struct focal_command *command; json_t *asked; };

static void looking_close(struct looking *l)
{
    focal_buf_close(&l->with);
    json_decref(l->asked);
}

/* NOT_FOUND at the end, and for what a newer program kept. Close it in any case. */
static enum focal_status look_next(struct job *j, uint64_t after, struct looking *l)
{
    struct focal_error err;
    memset(l, 0, sizeof *l);
    focal_buf_init(&l->with, FOCAL_PENDING_WITH_MAX);
    enum focal_status st = focal_node_next_pending(j->admin->is.node, j->admin->now, after, &l->is, &l->with);
    if (st == FOCAL_OK) {
        l->command = command_find(l->is.command);
        st = focal_json_parse(&l->asked, focal_buf_view(&l->with), &err);
    }
    return st;
}

static bool may_agree(const struct job *j, const struct looking *l)
{
    return l->command && job_may(j, command_needs(l->command, l->asked));
}

static enum focal_status look_up(struct job *j, struct looking *l, struct focal_error *err)
{
    uint64_t number = 0;
    memset(l, 0, sizeof *l);
    if (!job_number(j, "number", &number) || number == 0)
        return focal_fail(err, FOCAL_USAGE, "`focalctl request list` shows the numbers", "which request?");
    if (look_next(j, number - 1, l) != FOCAL_OK || l->is.number != number || !l->command)
        return focal_fail(err, FOCAL_NOT_FOUND, "`focalctl request list` shows what waits; after a day nothing waits any more", "no request %llu waits for a second person",
                          (unsigned long long)number);
    return FOCAL_OK;
}

/* ---- approve ---------------------------------------------------------------------------------------------------------------- */

struct agreeing { struct focal_pending_order order; enum focal_status answer; };

/* From here on the job is the command that was asked for, by two. */
static enum job_state do_it(struct job *j, struct looking *l)
{
    j->command = l->command;
    json_decref(j->with);
    j->with = json_incref(l->asked);
    j->second.number = l->is.number;
    j->second.uid = l->is.uid;
    note_fill(j);
    return JOB_AGAIN;
}

static enum focal_status check_agree(struct job *j, const struct looking *l, struct focal_error *err)
{
    if (l->is.uid == j->conn->uid && !FOCAL_PLANTED(ONE_PERSON_IS_TWO))
        return focal_fail(err, FOCAL_DENIED, "another user who may do it has to agree", "request %llu is your own", (unsigned long long)l->is.number);
    if (!may_agree(j, l))
        return rights_refuse(j->admin->is.groups, j->conn->uid, l->command->name, command_needs(l->command, l->asked), err);
    if (command_shows_records(l->command) && veil_refuses(j, err))
        return FOCAL_DENIED;
    return FOCAL_OK;
}

static void note_other(struct job *j, const struct looking *l)
{
    j->note.request = l->is.number;
    j->note.other_uid = l->is.uid;
}

static enum job_state begin_agree(struct job *j)
{
    struct looking l;
    struct focal_error err;
    enum focal_status st = look_up(j, &l, &err);
    if (st == FOCAL_OK) {
        note_other(j, &l);
        st = check_agree(j, &l, &err);
    }
    enum job_state state = JOB_AGAIN;
    if (st != FOCAL_OK) {
        state = job_fail(j, &err);
    } else if (!fetched(l.command)) {
        state = do_it(j, &l);
    } else {
        struct agreeing *v = job_own(j, sizeof *v, NULL);
        if (v) {
            v->order = (struct focal_pending_order){ .op = FOCAL_PENDING_AGREE, .number = l.is.number, .uid = j->conn->uid };
            j->stage = 1;
        } else {
            state = job_fail(j, NULL);
        }
    }
    looking_close(&l);
    return state;
}

enum job_state run_approve(struct job *j)
{
    struct agreeing *v = j->own;
    if (j->stage == 0)
        return begin_agree(j);
    if (j->stage == 1) {
        struct focal_node_event e = { .type = FOCAL_EVENT_PENDING, .answer = &v->answer, .is.pending = &v->order };
        if (!job_event(j, &e))
            return JOB_AGAIN;
        j->stage = 2;
        return JOB_STEP;
    }
    if (v->answer != FOCAL_OK)
        return job_failf(j, v->answer, "`focalctl request list` shows what waits", "request %llu was not agreed to", (unsigned long long)v->order.number);
    return job_one(j, json_pack("{s:I,s:b}", "request", (json_int_t)v->order.number, "approved", 1));
}

/* ---- refuse ----------------------------------------------------------------------------------------------------------------- */

enum job_state run_request_refuse(struct job *j)
{
    struct agreeing *v = j->own;
    if (j->stage == 0) {
        struct looking l;
        struct focal_error err;
        enum focal_status st = look_up(j, &l, &err);
        if (st == FOCAL_OK)
            note_other(j, &l);
        if (st == FOCAL_OK && l.is.uid != j->conn->uid && !may_agree(j, &l))
            st = rights_refuse(j->admin->is.groups, j->conn->uid, l.command->name, command_needs(l.command, l.asked), &err);
        v = st == FOCAL_OK ? job_own(j, sizeof *v, NULL) : NULL;
        if (v)
            v->order = (struct focal_pending_order){ .op = FOCAL_PENDING_CLOSE, .number = l.is.number };
        looking_close(&l);
        if (!v)
            return job_fail(j, st == FOCAL_OK ? NULL : &err);
        j->stage = 1;
    }
    if (j->stage == 1) {
        struct focal_node_event e = { .type = FOCAL_EVENT_PENDING, .answer = &v->answer, .is.pending = &v->order };
        if (!job_event(j, &e))
            return JOB_AGAIN;
        j->stage = 2;
        return JOB_STEP;
    }
    if (v->answer != FOCAL_OK)
        return job_failf(j, v->answer, "`focalctl status` says how the disk is", "request %llu was not refused", (unsigned long long)v->order.number);
    return job_one(j, json_pack("{s:I,s:b}", "request", (json_int_t)v->order.number, "refused", 1));
}

/* ---- list ------------------------------------------------------------------------------------------------------------------- */

/* What it is about, as far as this caller may know. */
static json_t *about_json(struct job *j, const struct looking *l)
{
    static const char *const plain[] = { "office", "kind" };
    struct focal_ref ref;
    struct focal_error err;
    const char *text = json_string_value(json_object_get(l->asked, "ref"));
    if (text && job_may(j, FOCAL_MAY_READ | FOCAL_MAY_ENTRY) && redactable_find(j, text, &ref, &err) == FOCAL_OK)
        return code_json(job_oplog(j), &ref);
    for (size_t i = 0; i < sizeof plain / sizeof plain[0] && !text; i++)
        if ((text = json_string_value(json_object_get(l->asked, plain[i]))) != NULL)
            return text_json(text);
    return json_null();
}

static json_t *request_json(struct job *j, const struct looking *l)
{
    char words[FOCAL_CONTROL_VERB_MAX];
    json_t *out = json_object();
    char day[16], until[40];
    const uint64_t minutes = (l->is.wall_ms + FOCAL_PENDING_MS) / 60000;
    day_print(day, (uint32_t)(minutes / 1440));
    (void)snprintf(until, sizeof until, "%s %02u:%02u UTC", day, (unsigned)(minutes % 1440 / 60), (unsigned)(minutes % 60));
    command_words(words, l->is.command);
    json_object_set_new(out, "id", json_integer((json_int_t)l->is.number));
    json_object_set_new(out, "uid", json_integer((json_int_t)l->is.uid));
    json_object_set_new(out, "command", text_json(words));
    json_object_set_new(out, "about", about_json(j, l));
    json_object_set_new(out, "at_ms", json_integer((json_int_t)l->is.wall_ms));
    json_object_set_new(out, "until", json_string(until));
    json_object_set_new(out, "approved_by", l->is.by == FOCAL_NOBODY ? json_null() : json_integer((json_int_t)l->is.by));
    json_object_set_new(out, "mine", json_boolean(l->is.uid == j->conn->uid));
    return out;
}

/* One's own, and those one may agree to. There are never many. */
enum job_state run_requests(struct job *j)
{
    struct looking l;
    uint64_t at = 0;
    for (enum focal_status st = FOCAL_OK; st == FOCAL_OK; looking_close(&l)) {
        st = look_next(j, at, &l);
        at = l.is.number;
        if (st == FOCAL_OK && (l.is.uid == j->conn->uid || may_agree(j, &l)))
            job_item(j, request_json(j, &l));
    }
    return job_end(j, FOCAL_OK, json_pack("{s:b}", "more", 0));
}

void need_requests(struct job *j, json_t *list)
{
    struct looking l;
    uint64_t at = 0;
    for (enum focal_status st = FOCAL_OK; st == FOCAL_OK; looking_close(&l)) {
        char words[FOCAL_CONTROL_VERB_MAX], command[60];
        st = look_next(j, at, &l);
        at = l.is.number;
        if (st != FOCAL_OK)
            continue;
        command_words(words, l.is.command);
        (void)snprintf(command, sizeof command, "focalctl approve %llu", (unsigned long long)at);
        if (l.is.uid == j->conn->uid && l.is.by != FOCAL_NOBODY)
            need(list, NULL, "request %llu (%s) was agreed to: repeat the command, just as it was", (unsigned long long)at, words);
        else if (l.is.uid != j->conn->uid && l.is.by == FOCAL_NOBODY && may_agree(j, &l))
            need(list, command, "user %u asks for \"%s\", which needs a second person", (unsigned)l.is.uid, words);
    }
}
