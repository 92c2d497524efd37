/* Redactions as people ask about them; shared by redact_commands.c, redaction_list.c and who says that a record was redacted. */
#ifndef FOCAL_ADMIN_REDACTIONS_H
#define FOCAL_ADMIN_REDACTIONS_H

#include "job.h"

#include "focal/store.h"

/* One request: in which scope, by whom, and in which notice. */
struct redaction_row {
    struct focal_ref notice;
    struct focal_hash scope;
    struct focal_office by;             /* "" if not known */
    bool counts;                        /* that office has the right, or wrote what it names, or created the record */
};
struct redaction_rows { struct redaction_row *rows; size_t count, cap; };
void redaction_rows_free(struct redaction_rows *);
FOCAL_MUST_USE enum focal_status redaction_rows_add(struct redaction_rows *, const struct redaction_row *);
/* All that names this target, as a whole record or as an entry. */
FOCAL_MUST_USE enum focal_status redaction_rows_of(struct redaction_rows *, struct focal_oplog *, const struct focal_ref *target, bool whole);
/* May this office's request count, of an entry by `author` on a record that `creator` created? Either may be NULL. */
bool redaction_counts(struct focal_oplog *, const struct focal_office *by, const struct focal_certificate *author, const struct focal_certificate *creator);

/* One look at an entry unpacks a piece of its log: a slice ends when the turn has taken its time. */
bool looks_left(const struct job *, int done);

/* [{"office", "confirmed", "last_heard_s"}]: who of those that read a scope is known to hold every request made there. */
json_t *confirmed_json(struct job *, const struct redaction_rows *);
const struct focal_code_table *redaction_reasons(void);

/* As record_find; a record that was redacted is found too, though no index has it any more. */
enum focal_status redactable_find(struct job *, const char *text, struct focal_ref *, struct focal_error *);
/* Was this record redacted as a whole in the scope it was created in? */
enum focal_status record_was_redacted(struct focal_oplog *, const struct focal_ref *, bool *redacted);
enum focal_status redacted_unknown(enum focal_status, const char *text, struct focal_error *);      /* the redactions could not be read: nothing is shown */
enum focal_status redacted_error(struct job *, const struct focal_ref *, struct focal_error *);      /* NOT_FOUND, and where to look */

#endif
