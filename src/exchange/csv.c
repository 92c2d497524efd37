/* CSV, byte by byte, so that a file may come in any pieces. */
#include "focal/exchange.h"

#include <string.h>

enum csv_state {
    CELL_START,
    CELL_PLAIN,
    CELL_QUOTED,
    QUOTE_IN_QUOTED,                    /* its end, or half of a doubled one */
    RETURN_SEEN                         /* CR: a line feed must follow */
};

struct focal_csv {
    enum focal_status (*row)(void *data, const struct focal_csv_row *);
    void *data;
    struct focal_buf text, source;      /* cells one after the other; the row as it stands */
    size_t starts[FOCAL_ROW_CELLS_MAX + 1];
    struct focal_span cells[FOCAL_ROW_CELLS_MAX];
    size_t cell_count;
    bool quoted;                        /* the row has a quoted cell, so it is not an empty line */
    enum csv_state state;
    uint64_t line, row_line;
    unsigned mark;                      /* bytes of the byte order mark seen; MARK_DONE: past it */
    enum focal_status failed; uint64_t failed_line;
    struct focal_error error;
};

static const uint8_t byte_order_mark[] = { 0xef, 0xbb, 0xbf };
enum { MARK_DONE = 4 };

static const uint8_t nothing[1];

_Static_assert(FOCAL_ROW_BYTES_MAX == 256 << 10 && FOCAL_ROW_CELLS_MAX == 256, "the sentences below name these limits");

enum focal_status focal_csv_open(struct focal_csv **out, enum focal_status (*row)(void *, const struct focal_csv_row *), void *data)
{
    struct focal_csv *csv = *out = focal_alloc(sizeof *csv);
    if (!csv)
        return FOCAL_NO_MEMORY;
    csv->row = row;
    csv->data = data;
    csv->line = csv->row_line = 1;
    csv->failed = FOCAL_OK;
    focal_buf_init(&csv->text, FOCAL_ROW_BYTES_MAX);
    focal_buf_init(&csv->source, FOCAL_ROW_BYTES_MAX);
    return FOCAL_OK;
}

void focal_csv_close(struct focal_csv *csv)
{
    if (!csv)
        return;
    focal_buf_close(&csv->text);
    focal_buf_close(&csv->source);
    focal_free(csv);
}

/* The first failure stays. */
static void fail(struct focal_csv *csv, enum focal_status status, uint64_t line, const char *hint, const char *what)
{
    if (csv->failed != FOCAL_OK)
        return;
    csv->failed = focal_fail(&csv->error, status, hint, "line %llu: %s", (unsigned long long)line, what);
    csv->failed_line = line;
}

static void malformed(struct focal_csv *csv, const char *hint, const char *what)
{
    fail(csv, FOCAL_MALFORMED, csv->line, hint, what);
}

static void put(struct focal_csv *csv, struct focal_buf *to, uint8_t byte)
{
    if (csv->failed != FOCAL_OK)
        return;
    focal_buf_u8(to, byte);
    if (to->failed && to->len >= FOCAL_ROW_BYTES_MAX)
        fail(csv, FOCAL_TOO_BIG, csv->row_line, "look for a quote that is never closed", "the row is over 256 KiB");
    else if (to->failed)
        fail(csv, FOCAL_NO_MEMORY, csv->row_line, "free some memory and try again", "no memory to read the row");
}

static void end_cell(struct focal_csv *csv)
{
    if (csv->cell_count == FOCAL_ROW_CELLS_MAX) {
        fail(csv, FOCAL_TOO_BIG, csv->row_line, "take the columns out that are not needed", "the row has more than 256 cells");
        return;
    }
    csv->starts[++csv->cell_count] = csv->text.len;
    csv->state = CELL_START;
}

/* A cell that a spreadsheet would take for a formula is written with an apostrophe before it; here it goes again. */
static bool looks_like_formula(const uint8_t *data, size_t len)
{
    size_t i = 0;
    while (i < len && data[i] == '\'')
        i++;
    return i < len && memchr("=+-@\t\r", data[i], 6) != NULL;
}

static struct focal_span cell_at(const struct focal_csv *csv, size_t i)
{
    size_t at = csv->starts[i], len = csv->starts[i + 1] - at;
    const uint8_t *data = csv->text.data ? csv->text.data + at : nothing;
    if (len >= 2 && data[0] == '\'' && looks_like_formula(data, len))
        return focal_span_of(data + 1, len - 1);
    return focal_span_of(data, len);
}

static void end_row(struct focal_csv *csv)
{
    end_cell(csv);
    bool empty = csv->cell_count == 1 && csv->text.len == 0 && !csv->quoted;
    if (csv->failed == FOCAL_OK && !empty) {
        for (size_t i = 0; i < csv->cell_count; i++)
            csv->cells[i] = cell_at(csv, i);
        struct focal_csv_row row = { .line = csv->row_line, .cells = csv->cells, .cell_count = csv->cell_count,
                                     .source = focal_buf_view(&csv->source) };
        enum focal_status status = csv->row(csv->data, &row);
        if (status != FOCAL_OK)
            fail(csv, status, csv->row_line, "", focal_status_text(status));
    }
    focal_buf_clear(&csv->text);
    focal_buf_clear(&csv->source);
    csv->cell_count = 0;
    csv->quoted = false;
}

static void plain_byte(struct focal_csv *csv, uint8_t byte)
{
    if (byte == ',') {
        end_cell(csv);
    } else if (byte == '\n') {
        end_row(csv);
    } else if (byte == '\r') {
        csv->state = RETURN_SEEN;
    } else if (byte == '"' && csv->state == CELL_START) {
        csv->state = CELL_QUOTED;
        csv->quoted = true;
    } else if (byte == '"') {
        malformed(csv, "put the whole cell in quotes and double the quotes inside it", "a quote stands inside a cell without quotes");
    } else {
        csv->state = CELL_PLAIN;
        put(csv, &csv->text, byte);
    }
}

static void take(struct focal_csv *csv, uint8_t byte)
{
    if (byte == 0)
        malformed(csv, "save the file as UTF-8 text", "a zero byte: this is not a text file");
    bool ends_row = byte == '\n' && csv->state != CELL_QUOTED;
    if (!ends_row && !(byte == '\r' && csv->state != CELL_QUOTED))
        put(csv, &csv->source, byte);
    switch (csv->state) {
    case CELL_START:
    case CELL_PLAIN:
        plain_byte(csv, byte);
        break;
    case CELL_QUOTED:
        if (byte == '"')
            csv->state = QUOTE_IN_QUOTED;
        else
            put(csv, &csv->text, byte);
        break;
    case QUOTE_IN_QUOTED:
        if (byte == '"') {
            csv->state = CELL_QUOTED;
            put(csv, &csv->text, byte);
        } else if (byte == ',' || byte == '\n' || byte == '\r') {
            plain_byte(csv, byte);
        } else {
            malformed(csv, "double the quotes inside a quoted cell", "something stands between a closing quote and the comma");
        }
        break;
    case RETURN_SEEN:
        if (byte == '\n')
            end_row(csv);
        else
            malformed(csv, "save the file with line ends of one kind", "a carriage return stands alone");
        break;
    }
    if (byte == '\n')
        csv->line++;
    if (ends_row) {
        csv->row_line = csv->line;
        csv->state = CELL_START;
    }
}

static void take_after_mark(struct focal_csv *csv, uint8_t byte)
{
    if (csv->mark < sizeof byte_order_mark && byte == byte_order_mark[csv->mark]) {
        csv->mark++;
        return;
    }
    unsigned held = csv->mark < sizeof byte_order_mark ? csv->mark : 0;
    csv->mark = MARK_DONE;
    for (unsigned i = 0; i < held; i++)
        take(csv, byte_order_mark[i]);
    take(csv, byte);
}

uint64_t focal_csv_line(const struct focal_csv *csv)
{
    return csv->failed == FOCAL_OK ? csv->line : csv->failed_line;
}

static enum focal_status outcome(const struct focal_csv *csv, struct focal_error *err)
{
    if (csv->failed != FOCAL_OK && err)
        *err = csv->error;
    return csv->failed;
}

enum focal_status focal_csv_feed(struct focal_csv *csv, struct focal_span bytes, struct focal_error *err)
{
    for (size_t i = 0; i < bytes.len && csv->failed == FOCAL_OK; i++) {
        if (csv->mark != MARK_DONE)
            take_after_mark(csv, bytes.data[i]);
        else
            take(csv, bytes.data[i]);
    }
    return outcome(csv, err);
}

enum focal_status focal_csv_finish(struct focal_csv *csv, struct focal_error *err)
{
    if (csv->failed == FOCAL_OK && csv->mark < sizeof byte_order_mark && csv->mark > 0)
        malformed(csv, "save the file as UTF-8 text", "the file ends inside a byte order mark");
    if (csv->failed == FOCAL_OK && csv->state == CELL_QUOTED)
        fail(csv, FOCAL_MALFORMED, csv->row_line, "close it, or double it when it is part of the text",
             "the row has a quote that is never closed");
    if (csv->failed == FOCAL_OK && (csv->source.len > 0 || csv->cell_count > 0 || csv->state != CELL_START))
        end_row(csv);
    return outcome(csv, err);
}

void focal_csv_cell(struct focal_buf *out, struct focal_span text)
{
    /* At the head of a file it would be taken for the mark itself. */
    bool quote = text.len >= sizeof byte_order_mark && memcmp(text.data, byte_order_mark, sizeof byte_order_mark) == 0;
    for (size_t i = 0; i < text.len && !quote; i++)
        quote = text.data[i] == '"' || text.data[i] == ',' || text.data[i] == '\n' || text.data[i] == '\r';
    /* A spreadsheet runs a cell that begins so; an apostrophe makes text of it. One that is there already gets another,
     * so that reading gives back what was written. */
    bool guard = text.len > 0 && looks_like_formula(text.data, text.len);
    if (quote)
        focal_buf_u8(out, '"');
    if (guard)
        focal_buf_u8(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"')
            focal_buf_u8(out, '"');
        focal_buf_u8(out, text.data[i]);
    }
    if (quote)
        focal_buf_u8(out, '"');
}
