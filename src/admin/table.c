/* THE table of commands. */
#include "job.h"

#include "focal/config.h"

#include <string.h>

/* Who may. ENTRY includes reading; ADMIN never does: no row with ADMIN in it may tell a record or a reference to who has
 * nothing else (status, history, verify and request.list look for themselves). */
enum { ANYBODY = FOCAL_MAY_ALL, ADMIN = FOCAL_MAY_ADMIN, WRITERS = FOCAL_MAY_ENTRY, READERS = FOCAL_MAY_READ | FOCAL_MAY_ENTRY, CARRIERS = FOCAL_MAY_ADMIN | FOCAL_MAY_ENTRY };

#define RECORDS(noun)                                                                                                  \
    { noun ".new", run_new, WRITERS, true, NOTED, 0, "fields, seal_to: writes a new record" },                                  \
    { noun ".list", run_list, READERS, false, NOTED_READING, 0, "limit, after, filter, withdrawn: records in the order of their references" }, \
    { noun ".show", run_show, READERS, false, NOTED_READING, 0, "ref: one record, its versions, and who has seen it" }, \
    { noun ".update", run_update, WRITERS, true, NOTED, 0, "ref, set, add, remove, if_version, seal_to: changes fields" },      \
    { noun ".conflicts", run_conflicts, READERS, false, NOTED_READING, 0, "ref: what has two versions, or was changed after it was withdrawn" }, \
    { noun ".resolve", run_resolve, WRITERS, true, NOTED, 0, "ref, field, take or take_office: ends two versions" },   \
    { noun ".redact", run_redact, WRITERS, false, NOTED, FOCAL_TWO_REDACT, "ref, reason, field: takes it out of the history, everywhere and for good" }

static const struct focal_command table[] = {
    { "help", run_help, ANYBODY, false, NOT_NOTED, 0, "what of this list you may do" },
    { "status", run_status, ANYBODY, false, NOT_NOTED, 0, "office, wait, timeout_ms: links, what is lacking, what needs you" },
    { "matrix", run_matrix, ANYBODY, false, NOT_NOTED, 0, "whose changes have reached whom" },
    { "verify", run_verify, ADMIN, false, NOTED_READING, 0, "deep: checks log and derived state" },
    { "sync.now", run_sync, CARRIERS, false, NOT_NOTED, 0, "office, wait, timeout_ms: dials at once" },
    { "ping", run_ping, CARRIERS, false, NOT_NOTED, 0, "office, timeout_ms: asks a peer for an answer" },
    { "lock", run_store_order, ADMIN, false, NOTED, 0, "closes the store, wipes its key, takes the links down" },
    { "unlock", run_unlock, ADMIN, false, NOTED, 0, "passphrase: opens a store that is locked" },
    { "destroy", run_store_order, ADMIN, false, NOTED, 0, "confirm: DESTROY; makes the store and the office's keys unreadable for good" },
    { "store-key.show", run_store_key, ADMIN, false, NOT_NOTED, 0, "how the key of the store is kept" },
    { "store-key.rotate", run_store_order, ADMIN, false, NOTED, 0, "passphrase: encrypts everything anew, under another key" },
    { "store-key.change", run_store_order, ADMIN, false, NOTED, 0, "to, passphrase, new_passphrase: keeps the key in another way, or under another passphrase" },
    { "office.list", run_offices, ANYBODY, false, NOT_NOTED, 0, "members and invitations" },
    { "office.show", run_office, ANYBODY, false, NOT_NOTED, 0, "office: one of them" },
    { "office.invite", run_invite, ADMIN, false, NOTED, 0, "office, country, days, addresses, may_redact: makes a token" },
    { "office.admit.begin", run_admit_begin, ADMIN, false, NOT_NOTED, 0, "office, timeout_ms: what is to be signed" },
    { "office.admit", run_admit, ADMIN, false, NOTED, 0, "statement: the signed membership, in hex" },
    { "office.heads", run_heads, ADMIN, false, NOTED_READING, 0, "office: what is held here of its logs" },
    { "office.revoke.begin", run_revoke_begin, ADMIN, false, NOT_NOTED, 0, "office, reason, scope or right, known, void, again: the cuts that are to be signed" },
    { "office.revoke", run_admit, ADMIN, false, NOTED, FOCAL_TWO_REVOKE, "statement: a signed cut, in hex" },
    { "office.renew.begin", run_renew_begin, ADMIN, false, NOT_NOTED, 0, "office, months: the renewal that is to be signed" },
    { "office.renew", run_admit, ADMIN, false, NOTED, 0, "statement: a signed renewal, in hex" },
    { "network.delegate.begin", run_delegate_begin, ADMIN, false, NOT_NOTED, 0, "until or end: the delegation that is to be signed" },
    { "network.delegate", run_admit, ADMIN, false, NOTED, 0, "statement: a signed delegation, in hex" },
    { "membership.export", run_membership_export, ADMIN, false, NOT_NOTED, 0, "office: what the authority signed of it, as a file" },
    { "membership.import", run_membership_import, ADMIN, false, NOTED, 0, "office, file: such a file; all of it or nothing" },
    { "network.policy.begin", run_policy_begin, ADMIN, false, NOT_NOTED, 0, "two_persons: the policy that is to be signed" },
    { "network.policy", run_admit, ADMIN, false, NOTED, 0, "statement: a signed policy, in hex" },
    { "network.rotate-authority.begin", run_rotate_authority_begin, ADMIN, false, NOT_NOTED, 0, "what a new authority would have to name" },
    { "network.rotate-authority", run_rotate_authority, ADMIN, false, NOTED, 0, "statements: a new authority, signed with the recovery key, in hex" },
    { "network.export", run_network_export, ADMIN, false, NOTED, 0, "office, addresses: what another headquarters needs from a member, as a file" },
    { "network.import", run_network_import, ADMIN, false, NOTED, 0, "file: what another headquarters made for members; all of it or nothing" },
    { "network.show", run_network, ANYBODY, false, NOT_NOTED, 0, "the network, its authority, and what rights were taken back" },
    { "office.pause", run_pause, ADMIN, false, NOTED, 0, "office: cuts the link by hand" },
    { "office.resume", run_resume, ADMIN, false, NOTED, 0, "office: heals it" },
    { "history", run_history, ANYBODY, false, NOT_NOTED, 0, "after, limit, follow, readings: what happened here and who did it, with this office's own times" },
    { "history.proof", run_proof, READERS, false, NOTED_FIRST, 0, "number: an incident, so that anybody can check it; it names records" },
    { "approve", run_approve, ANYBODY, false, NOTED, 0, "number: agrees, as the second person, to what another user asked for" },
    { "request.list", run_requests, ANYBODY, false, NOT_NOTED, 0, "what waits for a second person" },
    { "request.refuse", run_request_refuse, ANYBODY, false, NOTED, 0, "number: it waits no more" },
    { "veil.lift", run_lift_veil, ADMIN, false, NOTED, FOCAL_TWO_VEIL, "reason: shows records though nobody has told what was redacted" },
    { "import.begin", run_import_begin, WRITERS, false, NOTED_FIRST, 0, "kind, format, check: a file follows; check: looked at only" },
    { "import.rows", run_import_rows, WRITERS, false, NOT_NOTED, 0, "text: a piece of it; refused rows are answered one by one" },
    { "import.end", run_import_end, WRITERS, false, NOT_NOTED, 0, "that was all of it" },
    { "export", run_export, READERS, false, NOTED_FIRST, FOCAL_TWO_EXPORT, "kind, format, withdrawn, sealed: all records of a kind as a file; sealed: with what opens here of sealed fields, in clear" },
    { "report", run_report, READERS, false, NOTED_READING, 0, "period, format, every_unit, generated, figures: cases counted" },
    RECORDS("case"),
    { "case.withdraw", run_withdraw, WRITERS, true, NOTED, 0, "ref, reason, if_version: takes a case out of lists, files and reports" },
    { "case.restore", run_restore, WRITERS, true, NOTED, 0, "ref, if_version: ends a withdrawal" },
    { "redaction.list", run_redactions, READERS, false, NOTED_READING, 0, "limit: what was redacted, who asked, who has confirmed" },
    { "redaction.show", run_redaction, READERS, false, NOTED_READING, 0, "ref: the same of one record" },
    { "redaction.agree", run_redact, WRITERS, false, NOTED, FOCAL_TWO_REDACT, "ref, reason: asks as well for what others have redacted of it" },
    { "rescue.list", run_rescue_list, READERS, false, NOTED_READING, 0, "limit: records of which something lies beyond a cut" },
    { "rescue.show", run_rescue, READERS, false, NOTED_READING, 0, "ref: what lies beyond a cut of one record, entry by entry" },
    { "rescue.take", run_rescue, WRITERS, false, NOTED, 0, "ref, entries: brings in again what a cut caught of it" },
    { "refused", run_refusals, READERS, false, NOTED_READING, 0, "limit: what of this office's own others have redacted; seen: all was looked at" },
    RECORDS("entity"),
    RECORDS("focal-point"),
    RECORDS("endorsement"),
    RECORDS("nil-return"),
};

/* To say that all was looked at changes what others are told. */
static bool marks_as_seen(const struct focal_command *c, const json_t *with)
{
    return c->run == run_refusals && json_is_true(json_object_get(with, "seen"));
}

unsigned command_needs(const struct focal_command *c, const json_t *with)
{
    return marks_as_seen(c, with) ? WRITERS : c->permission;
}

enum noted command_noted(const struct focal_command *c, const json_t *with)
{
    if (marks_as_seen(c, with))
        return NOTED;
    if (c->run == run_import_begin && json_is_true(json_object_get(with, "check")))
        return NOT_NOTED;
    return c->noted;
}

bool command_shows_records(const struct focal_command *c)
{
    static job_run *const shows[] = { run_list, run_show, run_conflicts, run_resolve, run_withdraw, run_restore, run_export, run_report, run_refusals, run_rescue_list,
                                      run_rescue };
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

bool focal_command_at(size_t i, const char **name, unsigned *permission, const char **help)
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
        if (!job_may(j, table[i].permission))
            continue;
        json_t *one = json_object();
        json_object_set_new(one, "do", json_string(table[i].name));
        json_object_set_new(one, "help", json_string(table[i].help));
        job_item(j, one);
    }
    return job_end(j, FOCAL_OK, NULL);
}
