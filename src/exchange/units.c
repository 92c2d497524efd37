/* The units that are counted, and the words of figures files. */
#include "focal/exchange.h"

const char *focal_unit_name(enum focal_unit unit)
{
    static const char *const names[FOCAL_UNITS] = { "allegation", "victim", "perpetrator" };
    focal_assert((unsigned)unit < FOCAL_UNITS);
    return names[unit];
}

const char *focal_unit_plural(enum focal_unit unit, uint64_t count)
{
    static const char *const names[FOCAL_UNITS] = { "allegations", "victims", "perpetrators" };
    focal_assert((unsigned)unit < FOCAL_UNITS);
    return count == 1 ? focal_unit_name(unit) : names[unit];
}

bool focal_unit_by_name(enum focal_unit *out, struct focal_span text)
{
    for (unsigned i = 0; i < FOCAL_UNITS; i++) {
        *out = (enum focal_unit)i;
        if (focal_span_equal(text, focal_span_text(focal_unit_name(*out))))
            return true;
    }
    *out = FOCAL_UNIT_ALLEGATION;
    return false;
}

const char *focal_part_kind_name(enum focal_part_kind part)
{
    switch (part) {
    case FOCAL_PART_PARTIAL: return "partial";
    case FOCAL_PART_OVERLAP: return "overlap";
    default:                 return "";
    }
}
