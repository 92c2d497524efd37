/* What came out: figures, limits, claims; as a table for people and as JSON. */
#include "bench.h"

#include <string.h>

const char *scene_name(enum scene scene)
{
    static const char *const names[SCENE_COUNT] = {
#define X(name, needs) [SCENE_##name] = #name,
        SCENES(X)
#undef X
    };

    return names[scene];
}

void note(struct bench *b, const char *name, double value, const char *unit)
{
    focal_assert(b->figure_count < FIGURES_MAX);
    b->figures[b->figure_count++] = (struct figure){ .scene = b->scene, .name = name, .unit = unit, .value = value };
}

static void must(struct bench *b, const char *what, double value, double limit, const char *unit, bool least)
{
    focal_assert(b->must_count < MUSTS_MAX);
    b->musts[b->must_count++] = (struct must){ .what = what, .unit = unit, .least = least, .limit = limit, .value = value };
}

void must_least(struct bench *b, const char *what, double value, double limit, const char *unit)
{
    must(b, what, value, limit, unit, true);
}

void must_most(struct bench *b, const char *what, double value, double limit, const char *unit)
{
    must(b, what, value, limit, unit, false);
}

static bool reached(const struct must *m)
{
    return m->least ? m->value >= m->limit : m->value <= m->limit;
}

bool claim(struct bench *b, bool held, const char *fmt, ...)
{
    if (held)
        return true;
    progress_end(b);
    char *to = b->broken_count < BROKEN_MAX ? b->broken[b->broken_count++] : b->broken[BROKEN_MAX - 1];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(to, sizeof b->broken[0], fmt, args);
    va_end(args);
    fprintf(stderr, "focal_bench: %s: does not hold: %s\n", scene_name(b->scene), to);
    return false;
}

void progress(struct bench *b, const char *fmt, ...)
{
    char text[160];
    va_list args;

    if (!b->terminal)
        return;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    fprintf(stderr, "\r\033[K%4.0f s  %.100s", seconds() - b->began_s, text);
    b->drawn = true;
}

void progress_end(struct bench *b)
{
    if (b->drawn)
        fprintf(stderr, "\r\033[K");
    b->drawn = false;
}

/* As many digits as a reader can use. */
static void number(char out[32], double v)
{
    double size = v < 0 ? -v : v;

    (void)snprintf(out, 32, "%.*f", size >= 100 || v == (double)(int64_t)v ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3, v);
}

void show_table(struct bench *b, FILE *to)
{
    enum scene last = SCENE_COUNT;
    char value[32], limit[32];
    size_t missed = 0;

    fprintf(to, "%zu case records of %d fields\n\n", b->records, FIELDS);
    for (size_t i = 0; i < b->figure_count; i++) {
        const struct figure *f = &b->figures[i];
        number(value, f->value);
        fprintf(to, "%-10s %-28s %12s %s\n", f->scene == last ? "" : scene_name(f->scene), f->name, value, f->unit);
        last = f->scene;
    }
    if (b->must_count)
        fprintf(to, "\n%-40s %12s %12s\n", "MUST REACH", "limit", "measured");
    for (size_t i = 0; i < b->must_count; i++) {
        const struct must *m = &b->musts[i];
        number(value, m->value);
        number(limit, m->limit);
        fprintf(to, "%-40s %s %9s %12s %-10s %s\n", m->what, m->least ? ">=" : "<=", limit, value, m->unit,
                reached(m) ? "reached" : m->least ? "below" : "above");
        missed += !reached(m);
    }
    if (missed)
        fprintf(to, "\nMissed: %zu of %zu.\n", missed, b->must_count);
    for (size_t i = 0; i < b->broken_count; i++)
        fprintf(to, "%sDoes not hold: %s\n", i ? "" : "\n", b->broken[i]);
}

void show_json(struct bench *b, FILE *to)
{
    json_t *figures = json_object(), *musts = json_array(), *missed = json_array(), *broken = json_array();

    for (size_t i = 0; i < b->figure_count; i++) {
        const struct figure *f = &b->figures[i];
        json_t *of = json_object_get(figures, scene_name(f->scene));
        if (!of) {
            of = json_object();
            json_object_set_new(figures, scene_name(f->scene), of);
        }
        json_object_set_new(of, f->name, json_pack("{s:f, s:s}", "value", f->value, "unit", f->unit));
    }
    for (size_t i = 0; i < b->must_count; i++) {
        const struct must *m = &b->musts[i];
        json_array_append_new(musts, json_pack("{s:s, s:f, s:s, s:f, s:s, s:b}", "what", m->what, "value", m->value, "relation",
                                               m->least ? ">=" : "<=", "limit", m->limit, "unit", m->unit, "reached", (int)reached(m)));
        if (!reached(m))
            json_array_append_new(missed, json_string(m->what));
    }
    for (size_t i = 0; i < b->broken_count; i++)
        json_array_append_new(broken, json_string(b->broken[i]));
    json_t *all = json_pack("{s:s, s:I, s:i, s:f, s:o, s:o, s:o, s:b, s:o}", "schema", "focal.bench/1", "records", (json_int_t)b->records,
                            "fields", FIELDS, "seconds", seconds() - b->began_s, "figures", figures, "must", musts, "missed", missed,
                            "correct", b->broken_count == 0, "broken", broken);
    if (all)
        (void)json_dumpf(all, to, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    fputc('\n', to);
    json_decref(all);
}
