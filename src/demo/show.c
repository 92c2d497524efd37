/* The screen: what a person watches, or JSON lines for a program. Colour never carries meaning alone. */
#include "stage.h"

#include "focal/control.h"

#include <jansson.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 1000, NAME_WIDTH = 20, HELD_BYTES_MAX = 1 << 20, DRAW_MS = 50 };

static const char *const scene_names[STAGE_SCENES + 1] = {
    "", "Figures", "Headquarters", "Offices", "Cases", "Replication", "Two versions", "Verify", "Matrix", "Tables", "Report",
};
static const char *const scene_words[STAGE_SCENES + 1] = {
    "", "figures", "headquarters", "offices", "cases", "replication", "two-versions", "verify", "matrix", "tables", "report",
};

static const char *colour(const struct stage *s, const char *code)
{
    return s->colour ? code : "";
}

static void put_json(json_t *line)
{
    struct focal_buf out;

    focal_buf_init(&out, 1 << 20);
    focal_json_print(&out, line);
    json_decref(line);
    if (!out.failed) {
        fwrite(out.data, 1, out.len, stdout);
        fputc('\n', stdout);
    }
    fflush(stdout);
    focal_buf_close(&out);
}

static json_t *event(const struct stage *s, const char *what, const char *text)
{
    json_t *line = json_object();

    json_object_set_new(line, "schema", json_string("focal.demo.event/1"));
    json_object_set_new(line, "event", json_string(what));
    if (s->scene) {
        json_object_set_new(line, "step", json_integer(s->scene));
        json_object_set_new(line, "name", json_string(scene_words[s->scene]));
    }
    json_object_set_new(line, "text", focal_json_text(focal_span_text(text)));
    return line;
}

static void erase(struct stage *s)
{
    if (s->drawn)
        fputs("\r\033[K", stdout);
    s->drawn = false;
}

/* Beneath the scene's line: at once when that stands, else held until it does. */
static void put_beneath(struct stage *s, const char *mark, const char *text)
{
    if (s->in_scene) {
        focal_buf_printf(&s->held, "      %s%s\n", mark, text);
        return;
    }
    erase(s);
    printf("      %s%s\n", mark, text);
    fflush(stdout);
}

static void put_held(struct stage *s)
{
    erase(s);
    if (s->held.len)
        fwrite(s->held.data, 1, s->held.len, stdout);
    fflush(stdout);
    focal_buf_close(&s->held);
    s->in_scene = false;
}

void focal_show_opening(struct stage *s)
{
    if (s->options.json)
        return;
    printf("%sFocal demo%s: a headquarters and %u offices, real processes on 127.0.0.1, under %s\n", colour(s, "\033[1m"),
           colour(s, "\033[0m"), s->options.offices, s->dir);
    fflush(stdout);
}

void focal_show_scene(struct stage *s, int number, const char *doing)
{
    s->scene = number;
    s->scene_ms = focal_stage_mono_ms();
    s->in_scene = !s->options.json;
    focal_buf_init(&s->held, HELD_BYTES_MAX);
    if (s->options.json || !s->terminal)
        return;
    erase(s);
    printf("%2d  %-*s%s ...", number, NAME_WIDTH, scene_names[number], doing);
    fflush(stdout);
    s->drawn = true;
}

void focal_show_progress(struct stage *s, size_t done, size_t of)
{
    uint64_t now = focal_stage_mono_ms();

    if (s->options.json || !s->terminal || of == 0 || (now < s->drawn_ms + DRAW_MS && done < of))
        return;
    s->drawn_ms = now;
    char bar[33];
    size_t full = done >= of ? sizeof bar - 1 : done * (sizeof bar - 1) / of;
    memset(bar, '.', sizeof bar - 1);
    memset(bar, '#', full);
    bar[sizeof bar - 1] = 0;
    erase(s);
    printf("%2d  %-*s[%s] %zu of %zu", s->scene, NAME_WIDTH, scene_names[s->scene], bar, done, of);
    fflush(stdout);
    s->drawn = true;
}

void focal_show_done(struct stage *s, json_t *facts, const char *fmt, ...)
{
    char text[TEXT_MAX];
    double seconds = (double)(focal_stage_mono_ms() - s->scene_ms) / 1000;
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (s->options.json) {
        json_t *line = event(s, "step", text);
        json_object_set_new(line, "ms", json_integer((json_int_t)(focal_stage_mono_ms() - s->scene_ms)));
        if (facts)
            json_object_update_missing(line, facts);
        put_json(line);
    } else {
        erase(s);
        printf("%s%2d%s  %-*s%s  %s(%.1f s)%s\n", colour(s, "\033[1m"), s->scene, colour(s, "\033[0m"), NAME_WIDTH,
               scene_names[s->scene], text, colour(s, "\033[2m"), seconds, colour(s, "\033[0m"));
        put_held(s);
    }
    json_decref(facts);
}

void focal_show_line(struct stage *s, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (s->options.json) {
        put_json(event(s, "line", text));
        return;
    }
    put_beneath(s, "", text);
}

bool focal_show_claim(struct stage *s, bool held, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list args;

    if (held)
        return true;
    s->broken++;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (s->options.json) {
        put_json(event(s, "differs", text));
        return false;
    }
    put_beneath(s, s->colour ? "\033[31mDIFFERS\033[0m " : "DIFFERS ", text);
    return false;
}

void focal_show_error(struct stage *s, const struct focal_error *e)
{
    if (s->options.json) {
        json_t *line = json_object();
        json_object_set_new(line, "error", focal_error_json(e));
        struct focal_buf out;
        focal_buf_init(&out, 1 << 16);
        focal_json_print(&out, line);
        json_decref(line);
        fprintf(stderr, "%s\n", focal_buf_cstr(&out));
        focal_buf_close(&out);
        return;
    }
    put_held(s);
    fprintf(stderr, "focald demo: %s\n", e->message[0] ? e->message : focal_status_text(e->status));
    if (e->hint[0])
        fprintf(stderr, "%s\n", e->hint);
}

void focal_show_closing(struct stage *s, bool well)
{
    double seconds = (double)(focal_stage_mono_ms() - s->began_ms) / 1000;

    s->scene = 0;
    if (s->options.json) {
        json_t *account = focal_stage_account(s, s->options.keep && well);
        json_object_set_new(account, "ok", json_boolean(well));
        json_object_set_new(account, "ms", json_integer((json_int_t)(focal_stage_mono_ms() - s->began_ms)));
        put_json(account);
        return;
    }
    erase(s);
    if (well)
        printf("%sAll of it held%s, in %.1f s.\n", colour(s, "\033[32m"), colour(s, "\033[0m"), seconds);
    else if (s->broken)
        printf("%s%u of the checks did not hold%s, see DIFFERS above (%.1f s).\n", colour(s, "\033[31m"), s->broken, colour(s, "\033[0m"), seconds);
    if (!well && s->options.keep && s->dir[0])
        printf("Files and logs are in %s\n", s->dir);
    else if (!well && !s->signal)
        printf("Run it again with --keep to look at files and logs.\n");
    if (well && s->options.keep) {
        printf("The daemons go on. Look around, for example:\n");
        printf("  %s --socket %s status\n", s->ctl, s->nodes[0].socket);
        printf("End them with:\n  %s demo --stop --dir %s\n", s->exe, s->dir);
    }
    fflush(stdout);
}
