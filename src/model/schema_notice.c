/* Kinds of the notices lane: the redaction.
 *
 * A notice is no record that people list. It stands in the notices log of the scope it speaks about, be that `network` or the
 * scope of a country, and names nothing outside it; so the class in its field numbers says only that any such scope will do. */
#include "inside.h"

static const struct focal_code reasons[] = {
    { 2, "survivor_request", "Request of the survivor" },
    { 3, "entered_in_error", "Entered in error" },
    { 4, "identifies_a_person", "Identifies a person" },
    { 5, "retention", "Kept long enough" },
    { 6, "other", "Other" },
    { 0 }
};
static const struct focal_code_table reason_table = { "redaction_reason", reasons };

/* What the asking office means beyond the scope of the notice: other copies of it, who may be told of no other notice, ask for
 * the rest as well. Without it, nothing. */
static const struct focal_code reaches[] = {
    { 2, "everywhere", "Wherever the office writes" },
    { 0 }
};
static const struct focal_code_table reach_table = { "redaction_reach", reaches };

static const struct focal_field redaction_fields[] = {
    { FIELD(7, NETWORK, SET, REF, "entry", "Entry") },
    { FIELD(8, NETWORK, SET, REF, "record", "Record") },
    { CODE_FIELD(9, NETWORK, "reason", "Reason", reason_table) },
    { CODE_FIELD(10, NETWORK, "reach", "Reach", reach_table) },
};
const struct focal_kind focal_model_redaction = {
    .number = FOCAL_KIND_REDACTION, .name = "redaction", .plural = "redactions", .label_en = "Redaction",
    .creating_scope = FOCAL_SCOPE_NETWORK, .fields = redaction_fields, .field_count = COUNT_OF(redaction_fields)
};
