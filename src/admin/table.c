/* THE table of commands. */
#include "job.h"

#include <string.h>

#define RECORDS(noun)                                                                                                  \
    { noun ".new", run_new, FOCAL_MAY_ENTRY, true, "fields: writes a new record" },                                    \
    { noun ".list", run_list, FOCAL_MAY_READ, false, "limit, after, filter, withdrawn: records in the order of their references" }, \
    { noun ".show", run_show, FOCAL_MAY_READ, false, "ref: one record, its versions, and who has seen it" },           \
    { noun ".update", run_update, FOCAL_MAY_ENTRY, true, "ref, set, add, remove, if_version: changes fields" },        \
    { noun ".conflicts", run_conflicts, FOCAL_MAY_READ, false, "ref: what has two versions, or was changed after it was withdrawn" },                         \
    { noun ".resolve", run_resolve, FOCAL_MAY_ENTRY, true, "ref, field, take or take_office: ends two versions" },     \
    { noun ".redact", run_redact, FOCAL_MAY_ENTRY, false, "ref, reason, field: takes it out of the history, everywhere and for good" }

static const struct focal_command table[] = {
    { "help", run_help, FOCAL_MAY_READ, false, "this list" },
    { "status", run_status, FOCAL_MAY_READ, false, "office, wait, timeout_ms: links, what is lacking, what needs you" },
    { "matrix", run_matrix, FOCAL_MAY_READ, false, "whose changes have reached whom" },
    { "verify", run_verify, FOCAL_MAY_ADMIN, false, "deep: checks log and derived state" },
    { "sync.now", run_sync, FOCAL_MAY_ADMIN, false, "office, wait, timeout_ms: dials at once" },
    { "ping", run_ping, FOCAL_MAY_ADMIN, false, "office, timeout_ms: asks a peer for an answer" },
    { "office.list", run_offices, FOCAL_MAY_READ, false, "members and invitations" },
    { "office.show", run_office, FOCAL_MAY_READ, false, "office: one of them" },
    { "office.invite", run_invite, FOCAL_MAY_ADMIN, false, "office, country, days, addresses, may_redact: makes a token" },
    { "office.admit.begin", run_admit_begin, FOCAL_MAY_ADMIN, false, "office, timeout_ms: what is to be signed" },
    { "office.admit", run_admit, FOCAL_MAY_ADMIN, false, "statement: the signed membership, in hex" },
    { "office.pause", run_pause, FOCAL_MAY_ADMIN, false, "office: cuts the link by hand" },
    { "office.resume", run_resume, FOCAL_MAY_ADMIN, false, "office: heals it" },
    { "history", run_history, FOCAL_MAY_READ, false, "after, limit, follow: what happened here, with this office's own times" },
    { "history.proof", run_proof, FOCAL_MAY_READ, false, "number: an incident, so that anybody can check it" },
    { "veil.lift", run_lift_veil, FOCAL_MAY_ADMIN, false, "reason: shows records though nobody has told what was redacted" },
    { "import.begin", run_import_begin, FOCAL_MAY_ENTRY, false, "kind, format, check: a file follows; check: looked at only" },
    { "import.rows", run_import_rows, FOCAL_MAY_ENTRY, false, "text: a piece of it; refused rows are answered one by one" },
    { "import.end", run_import_end, FOCAL_MAY_ENTRY, false, "that was all of it" },
    { "export", run_export, FOCAL_MAY_READ, false, "kind, format, withdrawn: all records of a kind as a file" },
    { "report", run_report, FOCAL_MAY_READ, false, "period, format, every_unit, generated, figures: cases counted" },
    RECORDS("case"),
    { "case.withdraw", run_withdraw, FOCAL_MAY_ENTRY, true, "ref, reason, if_version: takes a case out of lists, files and reports" },
    { "case.restore", run_restore, FOCAL_MAY_ENTRY, true, "ref, if_version: ends a withdrawal" },
    { "redaction.list", run_redactions, FOCAL_MAY_READ, false, "limit: what was redacted, who asked, who has confirmed" },
    { "redaction.show", run_redaction, FOCAL_MAY_READ, false, "ref: the same of one record" },
    { "redaction.agree", run_redact, FOCAL_MAY_ENTRY, false, "ref, reason: asks as well for what others have redacted of it" },
    { "refused", run_refusals, FOCAL_MAY_READ, false, "limit: what of this office's own others have redacted; seen: all was looked at" },
    RECORDS("entity"),
    RECORDS("focal-point"),
    RECORDS("endorsement"),
    RECORDS("nil-return"),
};

bool command_shows_records(const struct focal_command *c)
{
    static job_run *const shows[] = { run_list, run_show, run_conflicts, run_resolve, run_withdraw, run_restore, run_export, run_report };
    for (size_t i = 0; i < sizeof shows / sizeof *shows; i++)
        if (c->run == shows[i])
            return true;
    return false;
}

const struct focal_command *command_find(const char *name)
{
    for (size_t i = 0; i < focal_command_count(); i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

size_t focal_command_count(void) { return sizeof table / sizeof table[0]; }

bool focal_command_at(size_t i, const char **name, enum focal_permission *permission, const char **help)
{
    if (i >= focal_command_count())
        return false;
    *name = table[i].name;
    *permission = table[i].permission;
    *help = table[i].help;
    return true;
}

enum job_state run_help(struct job *j)
{
    for (size_t i = 0; i < focal_command_count(); i++) {
        json_t *one = json_object();
        json_object_set_new(one, "do", json_string(table[i].name));
        json_object_set_new(one, "help", json_string(table[i].help));
        job_item(j, one);
    }
    return job_end(j, FOCAL_OK, NULL);
}
