/* Case records with ten network fields whose codes are drawn evenly. The same seed gives the same records. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

enum { CHOICES_MAX = 512, TODAY = 20000 };      /* any day after the last quarter below */

uint64_t draw_u64(struct draw *d)
{
    d->state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t v = d->state;
    v = (v ^ v >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    v = (v ^ v >> 27) * UINT64_C(0x94D049BB133111EB);
    return v ^ v >> 31;
}

uint64_t draw_below(struct draw *d, uint64_t below)
{
    return draw_u64(d) % below;
}

void draw_fill(void *draw, void *out, size_t len)
{
    uint8_t *bytes = out;

    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)draw_u64(draw);
}

void draw_shuffle(struct draw *d, uint32_t *list, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t k = (size_t)draw_below(d, i);
        uint32_t held = list[i - 1];
        list[i - 1] = list[k];
        list[k] = held;
    }
}

static enum focal_status add(struct choices *c, const char *text, struct focal_error *err)
{
    struct choice *at = &c->list[c->count];
    struct focal_buf bytes;

    focal_assert(c->count < CHOICES_MAX && strlen(text) < sizeof at->text);
    (void)snprintf(at->text, sizeof at->text, "%s", text);
    focal_buf_init(&bytes, 64);
    enum focal_status status = focal_value_parse(&bytes, c->field, focal_span_text(text), TODAY, err);
    if (status == FOCAL_OK) {
        focal_assert(bytes.len <= sizeof at->bytes);
        memcpy(at->bytes, bytes.data, bytes.len);
        at->len = (uint8_t)bytes.len;
        c->count++;
    }
    focal_buf_close(&bytes);
    return status;
}

static enum focal_status add_countries(struct choices *c, struct focal_error *err)
{
    enum focal_status status = FOCAL_OK;
    char code[4] = "";

    for (unsigned i = 0; status == FOCAL_OK && i < 26 * 26 * 26; i++) {
        code[0] = (char)('A' + i / 676);
        code[1] = (char)('A' + i / 26 % 26);
        code[2] = (char)('A' + i % 26);
        if (focal_country_known(code))
            status = add(c, code, err);
    }
    return status;
}

static enum focal_status add_codes(struct choices *c, struct focal_error *err)
{
    enum focal_status status = FOCAL_OK;
    char text[64];

    for (const struct focal_code *a = c->field->tables[0]->codes; status == FOCAL_OK && a->name; a++) {
        if (c->field->type == FOCAL_TYPE_CODE)
            status = add(c, a->name, err);
        else
            for (const struct focal_code *b = c->field->tables[1]->codes; status == FOCAL_OK && b->name; b++) {
                (void)snprintf(text, sizeof text, "%s.%s", a->name, b->name);
                status = add(c, text, err);
            }
    }
    return status;
}

static enum focal_status add_times(struct choices *c, struct focal_error *err)
{
    bool quarters = c->field->type == FOCAL_TYPE_QUARTER;
    enum focal_status status = quarters ? FOCAL_OK : add(c, "unknown", err);
    char text[24];

    if (status == FOCAL_OK && !quarters)
        status = add(c, "before-2010", err);
    for (unsigned year = 2010; status == FOCAL_OK && year < 2020; year++)
        for (unsigned q = 1; status == FOCAL_OK && q <= (quarters ? 4u : 1u); q++) {
            (void)snprintf(text, sizeof text, quarters ? "%u-Q%u" : "%u%.0u", year, quarters ? q : 0);
            status = add(c, text, err);
        }
    return status;
}

static enum focal_status add_all(struct choices *c, struct focal_error *err)
{
    c->list = focal_alloc(CHOICES_MAX * sizeof *c->list);
    if (!c->list)
        return FOCAL_NO_MEMORY;
    switch (c->field->type) {
    case FOCAL_TYPE_COUNTRY: return add_countries(c, err);
    case FOCAL_TYPE_QUARTER: case FOCAL_TYPE_PERIOD: return add_times(c, err);
    case FOCAL_TYPE_CODE: case FOCAL_TYPE_ROW: return add_codes(c, err);
    default: focal_unreachable();
    }
}

static int by_number(const void *a, const void *b)
{
    const struct choices *x = a, *y = b;

    return x->field->number < y->field->number ? -1 : x->field->number > y->field->number;
}

enum focal_status cases_open(struct cases *c, size_t count, uint64_t seed, struct focal_error *err)
{
    static const char *const names[FIELDS] = { "country", "received_quarter", "incident_period", "channel", "entity_class",
                                               "allegation_type", "victims", "perpetrators", "status", "member_state_referral" };
    struct draw d = { .state = seed };
    enum focal_status status = FOCAL_OK;

    memset(c, 0, sizeof *c);
    c->kind = focal_kind_by_number(FOCAL_KIND_CASE);
    c->count = count;
    for (size_t f = 0; f < FIELDS; f++) {
        c->fields[f].field = focal_field_by_name(c->kind, names[f]);
        focal_assert(c->fields[f].field);
    }
    qsort(c->fields, FIELDS, sizeof c->fields[0], by_number);
    for (size_t f = 0; status == FOCAL_OK && f < FIELDS; f++)
        status = add_all(&c->fields[f], err);
    c->drawn = focal_alloc(count * FIELDS * sizeof *c->drawn);
    if (!c->drawn)
        status = FOCAL_NO_MEMORY;
    for (size_t i = 0; status == FOCAL_OK && i < count * FIELDS; i++)
        c->drawn[i] = (uint16_t)draw_below(&d, c->fields[i % FIELDS].count);
    return status;
}

void cases_close(struct cases *c)
{
    for (size_t f = 0; f < FIELDS; f++)
        focal_free(c->fields[f].list);
    focal_free(c->drawn);
    memset(c, 0, sizeof *c);
}

const struct choice *cases_value(const struct cases *c, size_t record, size_t field)
{
    return &c->fields[field].list[c->drawn[record * FIELDS + field]];
}

enum focal_status cases_write_csv(const struct cases *c, const char *path, struct focal_error *err)
{
    FILE *to = fopen(path, "wx");

    if (!to)
        return focal_fail(err, FOCAL_IO, "", "cannot write %s", path);
    for (size_t f = 0; f < FIELDS; f++)
        fprintf(to, "%s%s", c->fields[f].field->name, f + 1 < FIELDS ? "," : "\n");
    for (size_t i = 0; i < c->count * FIELDS; i++)
        fprintf(to, "%s%s", cases_value(c, i / FIELDS, i % FIELDS)->text, (i + 1) % FIELDS ? "," : "\n");
    bool well = !ferror(to);
    if (fclose(to) || !well)
        return focal_fail(err, FOCAL_IO, "", "cannot write %s", path);
    return FOCAL_OK;
}

json_t *cases_json(const struct cases *c, size_t record)
{
    json_t *out = json_object();

    for (size_t f = 0; f < FIELDS; f++) {
        const struct focal_field *field = c->fields[f].field;
        const char *text = cases_value(c, record, f)->text, *dot = strchr(text, '.');
        if (field->type == FOCAL_TYPE_ROW && dot)
            json_object_set_new(out, field->name, json_pack("[{s:s%, s:s}]", field->part_names[0], text, (size_t)(dot - text),
                                                            field->part_names[1], dot + 1));
        else
            json_object_set_new(out, field->name, json_string(text));
    }
    return out;
}
