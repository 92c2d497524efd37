/* import: a file in pieces to the daemon. Two passes, the first of which only checks: all or nothing, and nothing of a file
 * whose rows cannot all be told apart. */
#include "import.h"

#include <signal.h>
#include <sys/stat.h>
#include <string.h>

enum { AHEAD = 4, KEPT_REFUSALS = 1000, LEAVE_MS = 10000 };

struct importing {
    const struct args *args;
    struct talk talk;
    struct pieces file;
    struct rejects rejects; bool keep_rejects;
    const char *kind, *format;
    json_t *last;                       /* the end of import.end */
    bool checking;
    int ahead;                          /* pieces sent and not answered */
    uint64_t fresh, updated, refused;
    json_t *list;                       /* the first refusals */
};

static enum focal_status refused(void *data, const json_t *item, struct focal_error *err)
{
    struct importing *m = data;
    m->refused++;
    if (json_array_size(m->list) < KEPT_REFUSALS) {
        json_t *kept = json_copy((json_t *)(uintptr_t)item);
        json_object_del(kept, "row");
        json_array_append_new(m->list, kept);
    }
    return m->keep_rejects ? rejects_add(&m->rejects, item, err) : FOCAL_OK;
}

static uint64_t number_of(const json_t *object, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(object, key));
    return n > 0 ? (uint64_t)n : 0;
}

/* One answer: a piece is committed there. */
static enum focal_status hear(struct importing *m, struct focal_error *err)
{
    json_t *end = NULL;
    enum focal_status st = talk_hear(&m->talk, refused, m, &end, err);
    m->fresh += number_of(end, "new");
    m->updated += number_of(end, "updated");
    json_decref(end);
    return st;
}

/* The last answer counts the whole. */
static enum focal_status finish(struct importing *m, struct focal_error *err)
{
    json_decref(m->last);
    enum focal_status st = talk_ask(&m->talk, "import.end", NULL, err);
    m->last = NULL;
    if (st == FOCAL_OK)
        st = talk_hear(&m->talk, refused, m, &m->last, err);
    if (st != FOCAL_OK)
        return st;
    m->fresh = number_of(m->last, "new");
    m->updated = number_of(m->last, "updated");
    return FOCAL_OK;
}

static enum focal_status begin(struct importing *m, struct focal_error *err)
{
    json_t *with = json_object();
    json_object_set_new(with, "kind", json_string(m->kind));
    json_object_set_new(with, "format", json_string(m->format));
    json_object_set_new(with, "check", json_boolean(m->checking));
    enum focal_status st = talk_ask(&m->talk, "import.begin", with, err);
    return st == FOCAL_OK ? talk_hear(&m->talk, NULL, NULL, NULL, err) : st;
}

static enum focal_status send_all(struct importing *m, struct focal_error *err)
{
    for (;;) {
        json_t *text, *with;
        enum focal_status st = pieces_next(&m->file, &text, err);
        if (st != FOCAL_OK || !text)
            return st;
        with = json_object();
        json_object_set_new(with, "text", text);
        st = talk_ask(&m->talk, "import.rows", with, err);
        if (st != FOCAL_OK)
            return st;
        m->ahead++;
        while (st == FOCAL_OK && m->ahead >= AHEAD) {
            st = hear(m, err);
            if (st != FOCAL_CANCELLED)
                m->ahead--;
            say_progress(m->args, m->checking ? "checking: " : "importing: ", m->file.done, m->file.size);
        }
        if (st != FOCAL_OK)
            return st;
    }
}

/* What was sent is not taken back: its answers tell how far it came. */
static void drain(struct importing *m)
{
    struct focal_error ignored;
    m->talk.stop_on_signal = false;
    m->talk.idle_ms = LEAVE_MS;
    while (m->ahead > 0 && hear(m, &ignored) == FOCAL_OK)
        m->ahead--;
}

static enum focal_status pass(struct importing *m, bool checking, struct focal_error *err)
{
    m->checking = checking;
    m->fresh = m->updated = m->refused = 0;
    json_array_clear(m->list);
    enum focal_status st = begin(m, err);
    if (st == FOCAL_OK)
        st = send_all(m, err);
    while (st == FOCAL_OK && m->ahead > 0) {
        st = hear(m, err);
        if (st != FOCAL_CANCELLED)
            m->ahead--;
    }
    if (st == FOCAL_OK)
        st = finish(m, err);
    say_progress_end(m->args);
    return st;
}

/* ---- what came of it ---- */

static void put_refusals(const struct importing *m, FILE *to)
{
    size_t shown = json_array_size(m->list);
    for (size_t i = 0; i < shown; i++) {
        const json_t *one = json_array_get(m->list, i);
        if (strncmp(text_of(one, "reason"), "line ", 5) != 0)   /* a fault of the file says its line itself */
            fprintf(to, "line %" JSON_INTEGER_FORMAT ": ", json_integer_value(json_object_get(one, "line")));
        if (*text_of(one, "field") && !strstr(text_of(one, "reason"), text_of(one, "field"))) {
            say_text(to, text_of(one, "field"));
            fputs(": ", to);
        }
        say_text(to, text_of(one, "reason"));
        if (*text_of(one, "hint")) {
            fputs("; ", to);
            say_text(to, text_of(one, "hint"));
        }
        fputc('\n', to);
    }
    if (m->refused > shown)
        fprintf(to, "and %llu more\n", (unsigned long long)(m->refused - shown));
}

static void report(const struct importing *m, bool dry, bool nothing, const char *rejects)
{
    const struct args *args = m->args;
    uint64_t fresh = nothing ? 0 : m->fresh, updated = nothing ? 0 : m->updated;
    if (args->json) {
        json_t *out = json_object();
        json_object_set_new(out, "new", json_integer((json_int_t)fresh));
        json_object_set_new(out, "updated", json_integer((json_int_t)updated));
        json_object_set(out, "refused", m->list);
        json_object_set_new(out, "refused_total", json_integer((json_int_t)m->refused));
        json_object_set_new(out, "dry_run", json_boolean(dry));
        (void)say_object(args, out);
        json_decref(out);
        return;
    }
    put_refusals(m, stderr);
    if (nothing)
        printf("nothing was imported: %llu refused\n", (unsigned long long)m->refused);
    else
        printf("%s%llu new, %llu updated, %llu refused\n", dry ? "nothing was written; it would be " : "", (unsigned long long)fresh,
               (unsigned long long)updated, (unsigned long long)m->refused);
    (void)fflush(stdout);
    if (nothing && json_is_true(json_object_get(m->last, "broken")))
        fprintf(stderr, "The file cannot be read to its end. Correct it and import it again.\n");
    else if (nothing)
        fprintf(stderr, "Correct the lines and import the file again, or take the good ones with --rejects FILE.\n");
    else if (m->refused && rejects && !dry)
        fprintf(stderr, "The refused rows and their reasons are in %s: correct them there and import that file.\n", rejects);
}

/* Stopped on the way: what was acknowledged stays, and how much that is must be known. */
static int stopped(struct importing *m, enum focal_status st, struct focal_error *err)
{
    if (st == FOCAL_CANCELLED || st == FOCAL_UNREACHABLE)
        drain(m);
    if (m->checking || m->fresh + m->updated == 0) {
        if (st == FOCAL_CANCELLED)
            (void)!focal_fail(err, st, "", "interrupted%s", m->checking ? " while it was checked: nothing was imported" : ": no record was acknowledged");
        return say_error(m->args, err);
    }
    struct focal_error why = *err;
    (void)!focal_fail(err, why.status, "what was acknowledged is kept; importing the whole file again would double new records without an id",
                      "%.200s; %llu records were acknowledged (%llu new, %llu updated)%s", why.message, (unsigned long long)(m->fresh + m->updated),
                      (unsigned long long)m->fresh, (unsigned long long)m->updated, m->ahead ? ", and more may have been taken" : "");
    return say_error(m->args, err);
}

static int work(struct importing *m, struct focal_error *err)
{
    const char *rejects = args_value(m->args, OPTION_REJECTS);
    bool dry = args_has(m->args, OPTION_DRY_RUN);
    enum focal_status st = talk_open(&m->talk, m->args, err);
    m->talk.stop_on_signal = true;
    if (st == FOCAL_OK)
        st = pass(m, true, err);
    if (st == FOCAL_OK) {
        bool none = m->refused && (!rejects || json_is_true(json_object_get(m->last, "broken")));
        if (dry || none) {
            report(m, dry, none, rejects);
            return m->refused ? focal_status_exit(none ? FOCAL_REFUSED : FOCAL_PARTIAL) : 0;
        }
        st = pieces_again(&m->file, err);
    }
    m->keep_rejects = rejects != NULL;
    if (st == FOCAL_OK)
        st = pass(m, false, err);
    enum focal_form form = strcmp(m->format, "csv") == 0 ? FOCAL_FORM_CSV : FOCAL_FORM_JSONL;
    if (st == FOCAL_OK && rejects)
        st = rejects_write(&m->rejects, &m->file, form, text_of(m->last, "header"), rejects, err);
    if (st != FOCAL_OK)
        return stopped(m, st, err);
    report(m, false, false, rejects);
    return m->refused ? focal_status_exit(FOCAL_PARTIAL) : 0;
}

static const char *form_of(const struct args *args)
{
    const char *format = args_value(args, OPTION_FORMAT), *dot = strrchr(args->operands[0], '.');
    if (format)
        return strcmp(format, "csv") == 0 || strcmp(format, "jsonl") == 0 ? format : NULL;
    if (dot && (strcmp(dot, ".jsonl") == 0 || strcmp(dot, ".ndjson") == 0))
        return "jsonl";
    return dot && strcmp(dot, ".csv") == 0 ? "csv" : NULL;
}

/* The refused rows would take the place of the rows themselves. */
static bool same_file(const char *a, const char *b)
{
    struct stat first, second;
    return a && b && stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

int run_import(const struct args *args)
{
    struct focal_error err = { 0 };
    struct importing m = { .args = args, .kind = args_value(args, OPTION_KIND), .format = form_of(args) };
    sigset_t ends;
    m.kind = m.kind ? m.kind : "case";
    const struct focal_kind *kind = focal_kind_by_name(m.kind);
    if (!kind || kind->number < FOCAL_KIND_CASE) {
        return no_kind(args, m.kind);
    }
    if (!m.format) {
        (void)!focal_fail(&err, FOCAL_USAGE, "--format csv or --format jsonl", "the format of %.200s is not clear from its name", args->operands[0]);
        return say_error(args, &err);
    }
    if (same_file(args_value(args, OPTION_REJECTS), args->operands[0])) {
        (void)!focal_fail(&err, FOCAL_USAGE, "name another file for the refused rows", "--rejects %.200s is the file to import", args->operands[0]);
        return say_error(args, &err);
    }
    rejects_open(&m.rejects);
    m.list = json_array();
    enum focal_status st = pieces_open(&m.file, args->operands[0], &err);
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &ends, NULL);          /* from here on they are heard between two answers */
    int code = st == FOCAL_OK ? work(&m, &err) : say_error(args, &err);
    talk_close(&m.talk);
    pieces_close(&m.file);
    rejects_close(&m.rejects);
    json_decref(m.last);
    json_decref(m.list);
    return say_done(code);
}
