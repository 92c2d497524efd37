/* Words on standard output and standard error. */
#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

const char *paint(bool color, const char *how)
{
    static const struct { const char *how, *bytes; } table[] = {
        { "bold", "\033[1m" }, { "red", "\033[1;31m" }, { "green", "\033[32m" }, { "yellow", "\033[33m" }, { "", "\033[0m" }
    };
    for (size_t i = 0; color && i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].how, how) == 0)
            return table[i].bytes;
    return "";
}

/* One code point; 0 at the end; what is not UTF-8 is given byte by byte as U+FFFD. */
static uint32_t code_point(const unsigned char **at)
{
    const unsigned char *p = *at;
    int more = *p < 0x80 ? 0 : (*p & 0xe0) == 0xc0 ? 1 : (*p & 0xf0) == 0xe0 ? 2 : (*p & 0xf8) == 0xf0 ? 3 : -1;
    uint32_t value = more == 1 ? *p & 0x1fu : more == 2 ? *p & 0x0fu : more == 3 ? *p & 0x07u : *p;
    if (*p == 0)
        return 0;
    *at = p + 1;
    for (int i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0xfffd;
        value = value << 6 | (p[i] & 0x3fu);
    }
    *at = p + 1 + (more > 0 ? more : 0);
    return more < 0 ? 0xfffd : value;
}

/* Text comes from other offices: it must neither move the cursor nor turn the writing direction of a line. */
static bool unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xfffd || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069)
           || c == 0x200e || c == 0x200f || c == 0x2028 || c == 0x2029;
}

static void clean(struct focal_buf *out, const char *text, bool lines)
{
    const unsigned char *at = (const unsigned char *)text, *begin = at;
    for (uint32_t c; (c = code_point(&at)) != 0; begin = at) {
        if (unsafe(c) && !(lines && (c == '\n' || c == '\t')))
            focal_buf_u8(out, '?');
        else
            focal_buf_bytes(out, begin, (size_t)(at - begin));
    }
}

void say_clean(struct focal_buf *out, const char *text)
{
    clean(out, text, false);
}

static void put_clean(FILE *to, const char *text, bool lines)
{
    struct focal_buf buf;
    focal_buf_init(&buf, strlen(text) + 1);
    clean(&buf, text, lines);
    (void)fwrite(buf.len ? (const void *)buf.data : "", 1, buf.len, to);
    focal_buf_close(&buf);
}

void say_text(FILE *to, const char *text)
{
    put_clean(to, text, false);
}

void say_lines(FILE *to, const char *text)
{
    put_clean(to, text, true);
}

void put_text(json_t *with, const char *key, const char *text)
{
    if (text)
        json_object_set_new(with, key, focal_json_text(focal_span_text(text)));
}

const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* {"sealed_to":["HQ","KEN"]}: a value that does not open here. */
static void say_sealed(struct focal_buf *out, const json_t *value)
{
    const json_t *to = json_object_get(value, "sealed_to");
    const char *why = text_of(value, "why");
    focal_buf_text(out, json_is_array(to) ? "sealed to " : "sealed");
    for (size_t i = 0; i < json_array_size(to); i++) {
        const char *office = json_string_value(json_array_get(to, i));
        focal_buf_printf(out, "%s%s", i ? ", " : "", office ? office : "an office not known here");
    }
    if (strcmp(why, "does_not_open") == 0)
        focal_buf_text(out, "; it does not open: it was not written for this place by this office");
    else if (strcmp(why, "needs_newer") == 0)
        focal_buf_text(out, " in a form that needs a newer program");
    else if (*why)
        focal_buf_text(out, "; there is no memory to open it");
}

void say_scalar(struct focal_buf *out, const json_t *value)
{
    if (json_is_string(value))
        focal_buf_text(out, json_string_value(value));
    else if (json_is_integer(value))
        focal_buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_boolean(value))
        focal_buf_text(out, json_is_true(value) ? "yes" : "no");
    else if (json_is_real(value))
        focal_buf_printf(out, "%g", json_real_value(value));
    else if (json_is_null(value))
        focal_buf_text(out, "unknown");
    else if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            focal_buf_text(out, i ? (json_is_object(json_array_get(value, i)) ? "; " : ", ") : "");
            say_scalar(out, json_array_get(value, i));
        }
    } else if (json_object_get(value, "sealed_to")) {
        say_sealed(out, value);
    } else if (json_is_object(value)) {
        const char *between = "";
        void *at = json_object_iter((json_t *)(uintptr_t)value);
        for (; at; at = json_object_iter_next((json_t *)(uintptr_t)value, at)) {
            focal_buf_text(out, between);
            say_scalar(out, json_object_iter_value(at));
            between = ".";
        }
    }
}

bool say_gone(void)
{
    return ferror(stdout) != 0;
}

/* A failed write may be long past and its errno gone; whether anybody still reads can be asked now. */
static bool reader_gone(void)
{
    struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
    return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP));
}

int say_done(int code)
{
    errno = 0;
    bool failed = fflush(stdout) != 0 || ferror(stdout);
    int why = errno;
    if (!failed || why == EPIPE || reader_gone())       /* whoever read has seen enough */
        return code;
    fprintf(stderr, "focalctl: standard output: %s\n", why ? strerror(why) : "not all of it could be written");
    return 1;
}

int say_error(const struct args *args, const struct focal_error *err)
{
    (void)fflush(stdout);
    if (args && args->json) {
        json_t *body = focal_error_json(err), *whole = json_pack("{s:o}", "error", body);
        if (whole && json_dumpf(whole, stderr, JSON_COMPACT) == 0)
            fputc('\n', stderr);
        json_decref(whole);
        return focal_status_exit(err->status);
    }
    bool color = args && args->color_err;
    fprintf(stderr, "%sfocalctl:%s ", paint(color, "red"), paint(color, ""));
    say_text(stderr, err->message[0] ? err->message : focal_status_text(err->status));
    if (err->status != FOCAL_USAGE)
        fprintf(stderr, " (FD-%03d)", (int)err->status);
    fputc('\n', stderr);
    if (err->hint[0]) {
        fputs("  ", stderr);
        say_text(stderr, err->hint);
        fputc('\n', stderr);
    }
    return focal_status_exit(err->status);
}

/* focal.case.new/1: the words of the verb with dots between. */
void say_schema(char out[SCHEMA_BYTES], const struct args *args)
{
    (void)snprintf(out, SCHEMA_BYTES, "focal.%s/1", args->words);
    for (char *c = out; *c; c++)
        if (*c == ' ')
            *c = '.';
}

int say_object(const struct args *args, const json_t *item)
{
    char schema[SCHEMA_BYTES];
    say_schema(schema, args);
    json_t *whole = json_object();
    json_object_set_new(whole, "schema", json_string(schema));
    json_object_update(whole, (json_t *)(uintptr_t)item);
    json_object_set_new(whole, "schema", json_string(schema));     /* keeps its place */
    int failed = json_dumpf(whole, stdout, JSON_COMPACT);
    json_decref(whole);
    putchar('\n');
    return failed ? 1 : 0;
}

void say_progress(const struct args *args, const char *what, uint64_t done, uint64_t of)
{
    if (!args->terminal_err || args->json)
        return;
    if (of)
        fprintf(stderr, "\r%s%u %%\033[K", what, (unsigned)(done >= of ? 100 : (double)done * 100 / (double)of));
    else
        fprintf(stderr, "\r%s%llu\033[K", what, (unsigned long long)done);
    (void)fflush(stderr);
}

void say_progress_end(const struct args *args)
{
    if (args->terminal_err && !args->json)
        fputs("\r\033[K", stderr);
}

void say_age(struct focal_buf *out, uint64_t seconds)
{
    unsigned long long s = seconds;
    if (s < 60)
        focal_buf_printf(out, "%llu s", s);
    else if (s < 3600)
        focal_buf_printf(out, "%llu min", s / 60);
    else if (s < 86400)
        focal_buf_printf(out, s % 3600 / 60 ? "%llu h %llu min" : "%llu h", s / 3600, s % 3600 / 60);
    else
        focal_buf_printf(out, s % 86400 / 3600 ? "%llu d %llu h" : "%llu d", s / 86400, s % 86400 / 3600);
}

void say_bytes(struct focal_buf *out, uint64_t bytes)
{
    static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
    double n = (double)bytes;
    size_t unit = 0;
    while (n >= 1000 && unit < 4) {
        n /= 1000;
        unit++;
    }
    focal_buf_printf(out, unit ? "%.1f %s" : "%.0f %s", n, units[unit]);
}
