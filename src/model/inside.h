/* What the files of this room share with each other and with nobody else. */
#ifndef FOCAL_MODEL_INSIDE_H
#define FOCAL_MODEL_INSIDE_H

#include "focal/model.h"

/* ---- schema: the fields of a kind stand in ascending numbers ---- */

extern const struct focal_kind focal_model_opening, focal_model_address, focal_model_redaction, focal_model_case,
    focal_model_entity, focal_model_focal_point, focal_model_endorsement, focal_model_nil_return;

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* ---- code tables of a case ---- */

extern const struct focal_code_table focal_model_elapsed, focal_model_channel, focal_model_source_role,
    focal_model_entity_class, focal_model_personnel_category, focal_model_allegation_type, focal_model_sex,
    focal_model_age, focal_model_perpetrator_count, focal_model_paternity_claim, focal_model_status,
    focal_model_member_state_referral, focal_model_service, focal_model_assistance_state, focal_model_consent_what,
    focal_model_consent_whom, focal_model_consent_decision, focal_model_consent_by, focal_model_feedback_preference,
    focal_model_feedback_event, focal_model_interim_action, focal_model_outcome, focal_model_withdrawn;

/* Rows of the schema. `cls` and `mrg` are the last words of the names of FOCAL_SCOPE_… and FOCAL_MERGE_…. */
#define FIELD(serial, cls, mrg, kind_of, nm, label)                                                                    \
    .number = FOCAL_FIELD(serial, FOCAL_SCOPE_##cls, FOCAL_MERGE_##mrg), .name = nm, .label_en = label,                \
    .type = FOCAL_TYPE_##kind_of
#define CODE_FIELD(serial, cls, nm, label, table)                                                                      \
    FIELD(serial, cls, REGISTER, CODE, nm, label), .parts = 1, .part_names = { nm }, .tables = { &(table) }

/* ---- values ---- */

/* One value on its way in. */
struct focal_intake_value {
    const struct focal_field *field;
    struct focal_span text;
    uint32_t first_day, last_day;       /* days since 0001-01-01 that are not absurd for this field */
    struct focal_error *err;
};

/* FOCAL_REFUSED, with field and value named before the rule. hint is the next step. */
enum focal_status focal_model_refuse(const struct focal_intake_value *, const char *hint, const char *rule, ...)
    FOCAL_PRINTF(3, 4);
/* Refuses a word that is no code of the table: names the nearest code, and lists what is allowed. */
enum focal_status focal_model_refuse_code(const struct focal_intake_value *, const char *part,
                                          const struct focal_code_table *, struct focal_span word);
/* The anonymity guard and the form of one text field. */
FOCAL_MUST_USE enum focal_status focal_model_guard_text(const struct focal_intake_value *);
/* Can be put on a screen without fooling it: valid UTF-8, nothing that hides or turns text around. */
bool focal_model_text_plain(struct focal_span);

enum { FOCAL_YEAR_MIN = 1945, FOCAL_YEAR_MAX = 9999 };

/* The three letters of the country whose name or code this is, when case and article are forgiven; NULL if none. */
const char *focal_model_country_meant(struct focal_span text);

#endif
