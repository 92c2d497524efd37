/* --rejects: the refused rows as they stood in the file, each with its reason, in a file that can be corrected and
 * imported. What the daemon gave no row for is looked up in the file. */
#include "cli.h"
#include "import.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 256 << 20, REJECTS_MAX = 2000000 };

void rejects_open(struct rejects *r)
{
    memset(r, 0, sizeof *r);
    focal_buf_init(&r->text, TEXT_BYTES_MAX);
}

void rejects_close(struct rejects *r)
{
    focal_buf_close(&r->text);
    focal_free(r->list);
}

static size_t keep(struct rejects *r, const char *text)
{
    size_t at = r->text.len;
    focal_buf_bytes(&r->text, text, strlen(text) + 1);
    return at;
}

static const char *kept(const struct rejects *r, size_t at)
{
    return (const char *)r->text.data + at;
}

static enum focal_status too_many(struct focal_error *err)
{
    return focal_fail(err, FOCAL_TOO_BIG, "look at the first ones with --dry-run", "too many rows are refused to keep them all");
}

enum focal_status rejects_add(struct rejects *r, const json_t *item, struct focal_error *err)
{
    const char *row = json_string_value(json_object_get(item, "row"));
    if (r->count == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 64;
        struct reject *grown = cap <= REJECTS_MAX ? focal_realloc(r->list, cap * sizeof *grown) : NULL;
        if (!grown)
            return too_many(err);
        r->list = grown;
        r->cap = cap;
    }
    struct reject *one = &r->list[r->count++];
    json_int_t line = json_integer_value(json_object_get(item, "line"));
    *one = (struct reject){ .line = line > 0 ? (uint64_t)line : 0, .has_row = row != NULL };
    one->row = keep(r, row ? row : "");
    one->field = keep(r, text_of(item, "field"));
    one->reason = keep(r, text_of(item, "reason"));
    one->hint = keep(r, text_of(item, "hint"));
    r->missing += !row;
    return r->text.failed ? too_many(err) : FOCAL_OK;
}

static int by_line(const void *a, const void *b)
{
    const struct reject *x = a, *y = b;
    return x->line < y->line ? -1 : x->line > y->line;
}

/* ---- looking up ---- */

struct lookup { struct rejects *r; size_t at; enum focal_form form; };

static enum focal_status found(struct lookup *l, uint64_t line, struct focal_span source)
{
    struct rejects *r = l->r;
    while (l->at < r->count && r->list[l->at].line < line)
        l->at++;
    for (size_t i = l->at; i < r->count && r->list[i].line == line; i++) {
        struct reject *one = &r->list[i];
        struct focal_refusal refusal = { .line = line };
        struct focal_buf row;
        if (one->has_row)
            continue;
        (void)snprintf(refusal.field, sizeof refusal.field, "%s", kept(r, one->field));
        (void)snprintf(refusal.reason, sizeof refusal.reason, "%s", kept(r, one->reason));
        (void)snprintf(refusal.hint, sizeof refusal.hint, "%s", kept(r, one->hint));
        focal_buf_init(&row, 2 * FOCAL_ROW_BYTES_MAX);
        focal_reject_row(&row, l->form, &refusal, source);
        while (row.len && (row.data[row.len - 1] == '\n' || row.data[row.len - 1] == '\r'))
            focal_buf_truncate(&row, row.len - 1);
        one->row = keep(r, focal_buf_cstr(&row));
        one->has_row = !row.failed;
        focal_buf_close(&row);
    }
    return FOCAL_OK;
}

static enum focal_status csv_row(void *data, const struct focal_csv_row *row)
{
    return found(data, row->line, row->source);
}

/* JSON lines; a piece ends where a line ends, but for the last. */
static void json_rows(struct lookup *l, uint64_t *line, struct focal_span text)
{
    while (text.len) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len, used = len + (end ? 1 : 0);
        (void)!found(l, ++*line, focal_span_of(text.data, len && text.data[len - 1] == '\r' ? len - 1 : len));
        text = focal_span_of(text.data + used, text.len - used);
    }
}

static enum focal_status look_up(struct rejects *r, struct pieces *file, enum focal_form form, struct focal_error *err)
{
    struct lookup l = { .r = r, .form = form };
    struct focal_csv *csv = NULL;
    struct focal_error stop;
    uint64_t line = 0;
    enum focal_status st = pieces_again(file, err);
    if (st == FOCAL_OK && focal_csv_open(&csv, csv_row, &l) != FOCAL_OK)
        st = focal_fail(err, FOCAL_NO_MEMORY, "", "no memory to read the file again");
    bool readable = true;
    while (st == FOCAL_OK && readable) {
        json_t *text;
        st = pieces_next(file, &text, err);
        if (st != FOCAL_OK || !text)
            break;
        struct focal_span piece = focal_span_of(json_string_value(text), json_string_length(text));
        if (form == FOCAL_FORM_CSV)
            readable = focal_csv_feed(csv, piece, &stop) == FOCAL_OK;
        else
            json_rows(&l, &line, piece);
        json_decref(text);
    }
    if (st == FOCAL_OK && readable && form == FOCAL_FORM_CSV)
        (void)!focal_csv_finish(csv, &stop);
    focal_csv_close(csv);
    return st;
}

enum focal_status rejects_write(struct rejects *r, struct pieces *file, enum focal_form form, const char *header, const char *path,
    struct focal_error *err)
{
    struct sink s;
    struct focal_error other;
    const char *end = form == FOCAL_FORM_CSV ? "\r\n" : "\n";
    if (r->count == 0)
        return FOCAL_OK;
    qsort(r->list, r->count, sizeof *r->list, by_line);
    enum focal_status st = r->missing ? look_up(r, file, form, err) : FOCAL_OK;
    if (st == FOCAL_OK)
        st = sink_open(&s, path, err);
    if (st != FOCAL_OK)
        return st;
    if (*header)
        st = sink_put(&s, header, strlen(header), err);
    if (st == FOCAL_OK && *header)
        st = sink_put(&s, end, strlen(end), err);
    for (size_t i = 0; i < r->count && st == FOCAL_OK; i++) {
        const char *row = kept(r, r->list[i].row);
        if (!*row)
            continue;                   /* of a line that cannot be read as a row */
        st = sink_put(&s, row, strlen(row), err);
        if (st == FOCAL_OK)
            st = sink_put(&s, end, strlen(end), err);
    }
    enum focal_status closed = sink_close(&s, st == FOCAL_OK, st == FOCAL_OK ? err : &other);
    return st == FOCAL_OK ? closed : st;
}
