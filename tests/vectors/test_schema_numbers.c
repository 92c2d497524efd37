/* Numbers of kinds, fields and codes stand in signed bytes: they are held against schema.txt, line by line.
 * A line may be added there when the schema grows; a line that is there never changes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "focal/model.h"

static const char *const scopes[] = { "control", "network", "country", "sealed", "local" };
static const char *const merges[] = { "register", "set", "map", "events" };
static const char *const types[] = { "code", "row", "entry_code", "quarter", "period", "date", "country", "text",
                                     "number", "ref", "bytes", "event" };

static void tell_field(struct focal_buf *out, const struct focal_kind *kind, const struct focal_field *f)
{
    focal_buf_printf(out, "field %s.%s %u serial %u %s %s %s", kind->name, f->name, (unsigned)f->number,
                     (unsigned)f->number / 64, scopes[focal_field_scope(f->number)], merges[focal_field_merge(f->number)],
                     types[f->type]);
    for (unsigned i = 0; i < f->parts; i++)
        focal_buf_printf(out, "%s%s", i == 0 ? " " : i == f->key_parts ? " -> " : ".", f->tables[i]->name);
    focal_buf_text(out, "\n");
}

static void tell_table(struct focal_buf *out, const struct focal_code_table *table)
{
    for (const struct focal_code *code = table->codes; code->name; code++)
        focal_buf_printf(out, "code %s.%s %u\n", table->name, code->name, (unsigned)code->number);
}

static void tell_tables(struct focal_buf *out)
{
    const struct focal_code_table *told[64];
    size_t count = 0;
    for (size_t k = 0; k < focal_kind_count(); k++) {
        const struct focal_kind *kind = focal_kind_at(k);
        for (size_t i = 0; i < kind->field_count; i++) {
            for (unsigned p = 0; p < kind->fields[i].parts; p++) {
                size_t t = 0;
                while (t < count && told[t] != kind->fields[i].tables[p])
                    t++;
                if (t < count)
                    continue;
                assert_true(count < 64);
                told[count++] = kind->fields[i].tables[p];
                tell_table(out, kind->fields[i].tables[p]);
            }
        }
    }
}

static const char *schema(struct focal_buf *out)
{
    focal_buf_init(out, 1 << 16);
    for (size_t k = 0; k < focal_kind_count(); k++) {
        const struct focal_kind *kind = focal_kind_at(k);
        focal_buf_printf(out, "kind %s %u %s\n", kind->name, (unsigned)kind->number, scopes[kind->creating_scope]);
        for (size_t i = 0; i < kind->field_count; i++)
            tell_field(out, kind, &kind->fields[i]);
    }
    tell_tables(out);
    assert_false(out->failed);
    return focal_buf_cstr(out);
}

static void numbers_are_those_of_the_list(void **state)
{
    (void)state;
    struct focal_buf out;
    char *line, expected[256];
    const char *at = schema(&out);
    FILE *golden = fopen(FOCAL_SOURCE_DIR "/tests/vectors/schema.txt", "r");
    assert_non_null(golden);
    while ((line = fgets(expected, sizeof expected, golden))) {
        size_t len = strcspn(at, "\n");
        expected[strcspn(expected, "\n")] = 0;
        if (strlen(expected) != len || strncmp(expected, at, len) != 0)
            fail_msg("schema.txt has  %s\nthe schema has  %.*s", expected, (int)len, at);
        at += len + (at[len] == '\n');
    }
    fclose(golden);
    if (*at)
        fail_msg("not in schema.txt yet:\n%s", at);
    focal_buf_close(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(numbers_are_those_of_the_list) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
