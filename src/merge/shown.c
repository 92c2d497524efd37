/* Display rules: which of several live values of a register is shown first.
 *
 * Rule (PROTOCOL §5): "a rank table per field, then known before unknown, then code order, then author key, then h. A display
 * rule of a network field reads only network fields."
 * Our reading: it looks at nothing but the live values of that one register, which are all of one scope class, and at who
 * wrote them; so every node that holds the same entries of the scope shows the same value first. Steps, the first that
 * tells two values apart decides:
 *   1. the place of the value's first code (of a map: after the key) in the field's rank table; codes not in it come after
 *      all that are, and a field without table has no ranks;
 *   2. values this program reads, then values only a newer one can read, then the value `unknown`. Newer codes are added at
 *      the end of a table, before `unknown`, so old and new programs agree here;
 *   3. the codes, part by part, in the order of their tables; codes not in a table by number, after those in it; an absent
 *      part last; types without codes have no order here;
 *   4. the author's key, bytewise; an author not known here comes last;
 *   5. h, bytewise; and within one entry the ordinal. */
#include "shown.h"

#define LAST UINT32_MAX
enum { READ = 0, NEWER = 1, UNKNOWN = 2 };

static const struct focal_key *author_of(const struct focal_authors *authors, const struct focal_id *log)
{
    return authors && authors->of_log ? authors->of_log(authors->data, log) : NULL;
}

static uint32_t rank_of(const struct focal_field *field, unsigned part, uint32_t code)
{
    const struct focal_code *known = field->tables[part] ? focal_code_by_number(field->tables[part], code) : NULL;
    for (uint32_t i = 0; known && field->shown_first && field->shown_first[i]; i++) {
        if (strcmp(field->shown_first[i], known->name) == 0)
            return i;
    }
    return LAST;
}

static uint32_t place_of(const struct focal_code_table *table, uint32_t code)
{
    uint32_t i = 0;
    if (code == 0)
        return LAST;
    for (; table && table->codes[i].name; i++) {
        if (table->codes[i].number == code)
            return i;
    }
    return code < LAST - 1 - i ? i + code : LAST - 1;
}

static void ask(struct focal_shown *out, const struct focal_field *field, const struct focal_live *live,
    const struct focal_authors *authors)
{
    *out = (struct focal_shown){ .rank = LAST, .grade = NEWER, .author = author_of(authors, &live->ref.log), .live = *live };
    if (!field)
        return;
    if (focal_value_is_unknown(field, live->value))
        out->grade = UNKNOWN;
    else if (focal_value_known(field, live->value))
        out->grade = READ;
    uint32_t codes[FOCAL_PARTS_MAX];
    if (field->parts == 0 || !focal_value_codes(field, live->value, codes))
        return;
    unsigned first = field->key_parts;
    out->rank = first < field->parts ? rank_of(field, first, codes[first]) : LAST;
    for (unsigned i = first; i < field->parts; i++)
        out->code[i] = place_of(field->tables[i], codes[i]);
}

static int number_order(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

static int shown_order(const void *one, const void *other)
{
    const struct focal_shown *a = one, *b = other;
    int c = number_order(a->rank, b->rank);
    if (c == 0)
        c = number_order(a->grade, b->grade);
    for (unsigned i = 0; i < FOCAL_PARTS_MAX && c == 0; i++)
        c = number_order(a->code[i], b->code[i]);
    if (c == 0 && FOCAL_PLANTED(LATER_DAY_FIRST))
        c = number_order(b->live.day, a->live.day);
    if (c == 0 && a->author && b->author)
        c = memcmp(a->author->b, b->author->b, sizeof a->author->b);
    else if (c == 0)
        c = (b->author != NULL) - (a->author != NULL);
    if (c == 0)
        c = memcmp(a->live.h.b, b->live.h.b, sizeof a->live.h.b);
    return c ? c : focal_merge_row_order(&a->live, &b->live);
}

void focal_shown_sort(struct focal_live *lives, size_t count, const struct focal_field *field, const struct focal_authors *authors,
    struct focal_shown *scratch)
{
    for (size_t i = 0; i < count; i++)
        ask(&scratch[i], field, &lives[i], authors);
    focal_merge_sort(scratch, count, sizeof *scratch, shown_order);
    for (size_t i = 0; i < count; i++)
        lives[i] = scratch[i].live;
}

static int value_order(const void *one, const void *other)
{
    const struct focal_shown *a = one, *b = other;
    return focal_span_compare(a->live.value, b->live.value);
}

size_t focal_shown_distinct(const struct focal_live *lives, size_t count, struct focal_shown *scratch)
{
    if (count < 2)
        return count;
    if (count == 2)
        return focal_span_equal(lives[0].value, lives[1].value) ? 1 : 2;
    for (size_t i = 0; i < count; i++)
        scratch[i].live = lives[i];
    focal_merge_sort(scratch, count, sizeof *scratch, value_order);
    size_t distinct = 1;
    for (size_t i = 1; i < count; i++)
        distinct += !focal_span_equal(scratch[i - 1].live.value, scratch[i].live.value);
    return distinct;
}

bool focal_shown_several_authors(const struct focal_live *lives, size_t count, const struct focal_authors *authors)
{
    for (size_t i = 1; i < count; i++) {
        if (focal_id_equal(&lives[0].ref.log, &lives[i].ref.log))
            continue;
        const struct focal_key *a = author_of(authors, &lives[0].ref.log), *b = author_of(authors, &lives[i].ref.log);
        if (!a || !b || !focal_key_equal(a, b))
            return true;
    }
    return false;
}
