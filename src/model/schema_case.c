/* The case: an allegation reported to the mechanism. No field of it holds free text; the only bytes are digests that
 * programs write. */
#include "inside.h"

/* Several live values are shown by how far the concerned entity says the matter has come, the least first. */
static const char *const status_rank[] = {
    "received", "under_review_limited_info", "preliminary_assessment", "under_investigation", "closed_other",
    "not_substantiated", "substantiated", NULL
};

/* Whoever took consent back must be safe from a value written at the same time that still gives it. */
static const char *const consent_rank[] = { "withdrawn", "refused", "given", NULL };

/* What a person asked for is never hidden behind what an office found. */
static const char *const withdrawn_rank[] = { "complainant_request", "entered_in_error", "duplicate", "other", "restored", NULL };

static const struct focal_field case_fields[] = {
    { FIELD(16, NETWORK, REGISTER, COUNTRY, "country", "Country") },
    { FIELD(17, NETWORK, REGISTER, QUARTER, "received_quarter", "Quarter received") },
    { FIELD(18, COUNTRY, REGISTER, DATE, "received_date", "Day received") },
    { FIELD(19, NETWORK, REGISTER, PERIOD, "incident_period", "Year of incident") },
    { CODE_FIELD(20, COUNTRY, "elapsed", "Time from incident to report", focal_model_elapsed) },
    { CODE_FIELD(21, NETWORK, "channel", "Channel", focal_model_channel) },
    { CODE_FIELD(22, COUNTRY, "source_role", "Reported by", focal_model_source_role) },
    { CODE_FIELD(23, NETWORK, "entity_class", "Class of entity", focal_model_entity_class) },
    { FIELD(24, COUNTRY, REGISTER, REF, "concerned_entity", "Entity concerned") },
    { CODE_FIELD(25, COUNTRY, "personnel_category", "Category of personnel", focal_model_personnel_category) },
    { CODE_FIELD(26, NETWORK, "allegation_type", "Type of allegation", focal_model_allegation_type) },
    { FIELD(27, NETWORK, SET, ROW, "victims", "Victims"), .parts = 2, .part_names = { "sex", "age" },
      .tables = { &focal_model_sex, &focal_model_age } },
    { FIELD(28, NETWORK, SET, ROW, "perpetrators", "Alleged perpetrators"), .parts = 2, .part_names = { "sex", "count" },
      .tables = { &focal_model_sex, &focal_model_perpetrator_count } },
    { CODE_FIELD(29, COUNTRY, "paternity_claim", "Paternity claim", focal_model_paternity_claim) },
    { CODE_FIELD(30, NETWORK, "status", "Status", focal_model_status), .shown_first = status_rank },
    { CODE_FIELD(31, NETWORK, "member_state_referral", "Referral to Member State", focal_model_member_state_referral) },
    { FIELD(32, COUNTRY, MAP, ENTRY_CODE, "assistance", "Assistance"), .parts = 2, .key_parts = 1,
      .part_names = { "service", "state" }, .tables = { &focal_model_service, &focal_model_assistance_state } },
    { FIELD(33, COUNTRY, MAP, ENTRY_CODE, "consent", "Consent"), .parts = 4, .key_parts = 2,
      .part_names = { "what", "whom", "decision", "by" },
      .tables = { &focal_model_consent_what, &focal_model_consent_whom, &focal_model_consent_decision,
                  &focal_model_consent_by },
      .shown_first = consent_rank },
    { CODE_FIELD(34, SEALED, "feedback_preference", "Wish for feedback", focal_model_feedback_preference) },
    { FIELD(35, COUNTRY, EVENTS, EVENT, "feedback_events", "Feedback"), .parts = 1, .part_names = { "event", "day" },
      .tables = { &focal_model_feedback_event } },
    { CODE_FIELD(36, COUNTRY, "interim_action", "Interim action", focal_model_interim_action) },
    { CODE_FIELD(37, COUNTRY, "outcome", "Outcome", focal_model_outcome) },
    { FIELD(38, NETWORK, SET, REF, "same_as", "Same as") },
    { FIELD(39, COUNTRY, REGISTER, REF, "mailbox", "Mailbox") },
    { CODE_FIELD(40, NETWORK, "withdrawn", "Withdrawn", focal_model_withdrawn), .shown_first = withdrawn_rank,
      .intake = FOCAL_INTAKE_COMMAND },
    { FIELD(41, NETWORK, SET, BYTES, "withdrawn_saw", "Seen when withdrawn"), .max = 8, .intake = FOCAL_INTAKE_MACHINE },
    { FIELD(42, NETWORK, SET, BYTES, "withdrawn_saw_network", "Seen when withdrawn, network part alone"), .max = 8,
      .intake = FOCAL_INTAKE_MACHINE },
    { FIELD(43, COUNTRY, SET, BYTES, "withdrawn_saw_country", "Seen when withdrawn, country part"), .max = 8,
      .intake = FOCAL_INTAKE_MACHINE },
#ifdef FOCAL_NEXT_VERSION
    { CODE_FIELD(60, NETWORK, "made_up", "Made up", focal_model_sex) },
    { FIELD(61, NETWORK, SET, ROW, "made_up_rows", "Made up rows"), .parts = 2, .part_names = { "sex", "age" },
      .tables = { &focal_model_sex, &focal_model_age } },
    { FIELD(62, SEALED, REGISTER, TEXT, "made_up_sealed", "Made up, sealed"), .max = 2000 },
#endif
};
const struct focal_kind focal_model_case = {
    .number = FOCAL_KIND_CASE, .name = "case", .plural = "cases", .label_en = "Case",
    .creating_scope = FOCAL_SCOPE_NETWORK, .fields = case_fields, .field_count = COUNT_OF(case_fields)
};
