/* Coordination records: entities, focal points, endorsements, and the spoken "nothing to report". */
#include "inside.h"

static const struct focal_code entity_kinds[] = {
    { 2, "un", "United Nations" },
    { 3, "non_un", "Non-UN" },
    { 4, "intergovernmental", "Intergovernmental" },
    { 5, "government", "Government" },
    { 6, "other", "Other" },
    { 0 }
};
static const struct focal_code_table entity_kind_table = { "entity_kind", entity_kinds };

static const struct focal_code roles[] = {
    { 2, "coordinator", "Coordinator" },
    { 3, "focal_point", "Focal point" },
    { 4, "alternate", "Alternate" },
    { 0 }
};
static const struct focal_code_table role_table = { "focal_point_role", roles };

static const struct focal_field entity_fields[] = {
    { FIELD(48, NETWORK, REGISTER, TEXT, "name", "Name"), .max = 120 },
    { FIELD(49, NETWORK, REGISTER, TEXT, "short_name", "Short name"), .max = 24 },
    { CODE_FIELD(50, NETWORK, "kind", "Kind", entity_kind_table) },
    { FIELD(51, NETWORK, REGISTER, REF, "parent", "Part of") },
    { FIELD(52, NETWORK, REGISTER, DATE, "valid_from", "From"), .intake = FOCAL_INTAKE_AHEAD },
    { FIELD(53, NETWORK, REGISTER, DATE, "valid_to", "To"), .intake = FOCAL_INTAKE_AHEAD },
    { FIELD(54, NETWORK, REGISTER, REF, "renamed_to", "Renamed to") },
};
const struct focal_kind focal_model_entity = {
    .number = FOCAL_KIND_ENTITY, .name = "entity", .plural = "entities", .label_en = "Entity",
    .creating_scope = FOCAL_SCOPE_NETWORK, .fields = entity_fields, .field_count = COUNT_OF(entity_fields)
};

static const struct focal_field focal_point_fields[] = {
    { FIELD(56, NETWORK, REGISTER, REF, "entity", "Entity") },
    { FIELD(57, NETWORK, REGISTER, COUNTRY, "country", "Country") },
    { CODE_FIELD(58, NETWORK, "role", "Role", role_table) },
    { FIELD(59, NETWORK, REGISTER, TEXT, "duty_contact", "Duty contact"), .max = 120, .intake = FOCAL_INTAKE_CONTACT },
    { FIELD(60, NETWORK, SET, TEXT, "languages", "Languages"), .max = 12, .intake = FOCAL_INTAKE_LANGUAGE },
    { FIELD(61, NETWORK, REGISTER, DATE, "valid_from", "From"), .intake = FOCAL_INTAKE_AHEAD },
    { FIELD(62, NETWORK, REGISTER, DATE, "valid_to", "To"), .intake = FOCAL_INTAKE_AHEAD },
};
const struct focal_kind focal_model_focal_point = {
    .number = FOCAL_KIND_FOCAL_POINT, .name = "focal_point", .plural = "focal_points", .label_en = "Focal point",
    .creating_scope = FOCAL_SCOPE_NETWORK, .fields = focal_point_fields, .field_count = COUNT_OF(focal_point_fields)
};

static const struct focal_field endorsement_fields[] = {
    { FIELD(64, NETWORK, REGISTER, REF, "entity", "Entity") },
    { FIELD(65, NETWORK, REGISTER, DATE, "date", "Endorsed on") },
    { FIELD(66, NETWORK, REGISTER, DATE, "withdrawn_on", "Withdrawn on") },
};
const struct focal_kind focal_model_endorsement = {
    .number = FOCAL_KIND_ENDORSEMENT, .name = "endorsement", .plural = "endorsements", .label_en = "Endorsement",
    .creating_scope = FOCAL_SCOPE_NETWORK, .fields = endorsement_fields, .field_count = COUNT_OF(endorsement_fields)
};

static const struct focal_field nil_return_fields[] = {
    { FIELD(68, NETWORK, REGISTER, COUNTRY, "country", "Country") },
    { FIELD(69, NETWORK, REGISTER, REF, "entity", "Entity") },
    { FIELD(70, NETWORK, REGISTER, QUARTER, "period", "Quarter") },
};
const struct focal_kind focal_model_nil_return = {
    .number = FOCAL_KIND_NIL_RETURN, .name = "nil_return", .plural = "nil_returns", .label_en = "Nil return",
    .creating_scope = FOCAL_SCOPE_NETWORK, .fields = nil_return_fields, .field_count = COUNT_OF(nil_return_fields)
};
