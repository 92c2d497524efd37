/* The schema: which kinds there are, and how kinds, fields and codes are found in it. */
#include "inside.h"

#include <string.h>

static const struct focal_kind *const kinds[] = {
    &focal_model_opening, &focal_model_address, &focal_model_redaction, &focal_model_case, &focal_model_entity,
    &focal_model_focal_point, &focal_model_endorsement, &focal_model_nil_return,
};

enum focal_merge_class focal_field_merge(uint64_t number)
{
    unsigned merge = number & 7;
    return merge <= FOCAL_MERGE_EVENTS ? (enum focal_merge_class)merge : FOCAL_MERGE_SET;
}

uint8_t focal_field_scope(uint64_t number)
{
    return (uint8_t)(number >> 3 & 7);
}

size_t focal_kind_count(void)
{
    return COUNT_OF(kinds);
}

const struct focal_kind *focal_kind_at(size_t i)
{
    focal_assert(i < COUNT_OF(kinds));
    return kinds[i];
}

const struct focal_kind *focal_kind_by_number(uint64_t number)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (kinds[i]->number == number)
            return kinds[i];
    }
    return NULL;
}

/* People write "focal-point" where the table says "focal_point". */
static bool same_name(const char *table, const char *given)
{
    for (; *table && *given; table++, given++) {
        if (*table != (*given == '-' ? '_' : *given))
            return false;
    }
    return *table == *given;
}

const struct focal_kind *focal_kind_by_name(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (same_name(kinds[i]->name, name))
            return kinds[i];
    }
    return NULL;
}

const struct focal_field *focal_field_by_number(const struct focal_kind *kind, uint64_t number)
{
    size_t low = 0, high = kind->field_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint64_t found = kind->fields[middle].number;
        if (found == number)
            return &kind->fields[middle];
        if (number < found)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct focal_field *focal_field_by_name(const struct focal_kind *kind, const char *name)
{
    for (size_t i = 0; i < kind->field_count; i++) {
        if (same_name(kind->fields[i].name, name))
            return &kind->fields[i];
    }
    return NULL;
}

const struct focal_code *focal_code_by_number(const struct focal_code_table *table, uint64_t number)
{
    for (const struct focal_code *code = table->codes; code->name; code++) {
        if (code->number == number)
            return code;
    }
    return NULL;
}

const struct focal_code *focal_code_by_name(const struct focal_code_table *table, struct focal_span name)
{
    for (const struct focal_code *code = table->codes; code->name; code++) {
        if (focal_span_equal(focal_span_text(code->name), name))
            return code;
    }
    return NULL;
}
