/* Kinds of the control scope: the opening of an epoch, the addresses of an office. */
#include "inside.h"

static const struct focal_code reasons[] = {
    { 2, "first", "First start" },
    { 3, "restored", "Restored from a backup" },
    { 4, "moved", "Moved to another machine" },
    { 5, "fence_missing", "Fence missing" },
    { 6, "forked", "Two copies wrote" },
    { 7, "restarted", "Restarted without a fence" },
    { 8, "scope_left", "Erased a scope that it had written in" },
    { 0 }
};
static const struct focal_code_table reason_table = { "opening_reason", reasons };

static const struct focal_field opening_fields[] = {
    { FIELD(1, CONTROL, REGISTER, NUMBER, "number", "Number") },
    { FIELD(2, CONTROL, REGISTER, BYTES, "author", "Author"), .max = 32 },
    { FIELD(3, CONTROL, REGISTER, BYTES, "epoch", "Epoch"), .max = 16 },
    { CODE_FIELD(4, CONTROL, "reason", "Reason", reason_table) },
};
const struct focal_kind focal_model_opening = {
    .number = FOCAL_KIND_OPENING, .name = "opening", .plural = "openings", .label_en = "Opening",
    .creating_scope = FOCAL_SCOPE_CONTROL, .fields = opening_fields, .field_count = COUNT_OF(opening_fields)
};

static const struct focal_field address_fields[] = {
    { FIELD(5, CONTROL, REGISTER, TEXT, "office", "Office"), .max = FOCAL_OFFICE_MAX, .intake = FOCAL_INTAKE_OFFICE },
    { FIELD(6, CONTROL, SET, TEXT, "at", "Address"), .max = 262, .intake = FOCAL_INTAKE_ADDRESS },
};
const struct focal_kind focal_model_address = {
    .number = FOCAL_KIND_ADDRESS, .name = "address", .plural = "addresses", .label_en = "Address",
    .creating_scope = FOCAL_SCOPE_CONTROL, .fields = address_fields, .field_count = COUNT_OF(address_fields)
};
