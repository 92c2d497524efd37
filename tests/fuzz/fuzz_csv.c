/* The first byte chooses the size of the pieces; the rest is a CSV file. In pieces it gives what it gives as a whole, and
 * cells written again are read again the same. As an import it refuses or takes each row, and what is refused can be written
 * beside its reason. */
#include <string.h>

#include "focal/exchange.h"
#include "fuzz.h"

enum { TODAY = 20000, ROOM = 16 << 20 };

struct seen { struct focal_buf text, again; };

static enum focal_status note(void *data, const struct focal_csv_row *row)
{
    struct seen *seen = data;
    focal_assert(row->cell_count > 0 && row->line > 0);
    focal_buf_printf(&seen->text, "%llu", (unsigned long long)row->line);
    for (size_t i = 0; i < row->cell_count; i++) {
        focal_buf_printf(&seen->text, " %zu:", row->cells[i].len);
        focal_buf_span(&seen->text, row->cells[i]);
        focal_buf_text(&seen->again, i ? "," : "");
        focal_csv_cell(&seen->again, row->cells[i]);
    }
    /* One empty cell would be an empty line. */
    if (row->cell_count == 1 && row->cells[0].len == 0)
        focal_buf_text(&seen->again, "\"\"");
    focal_buf_text(&seen->again, "\r\n");
    focal_buf_u8(&seen->text, '\n');
    return FOCAL_OK;
}

static enum focal_status read_all(struct seen *seen, struct focal_span bytes, size_t piece)
{
    struct focal_csv *csv;
    struct focal_error err = { 0 };
    enum focal_status status = focal_csv_open(&csv, note, seen);
    for (size_t at = 0; status == FOCAL_OK && at < bytes.len; at += piece)
        status = focal_csv_feed(csv, focal_span_of(bytes.data + at, bytes.len - at < piece ? bytes.len - at : piece), &err);
    if (status == FOCAL_OK)
        status = focal_csv_finish(csv, &err);
    focal_assert(status == FOCAL_OK || (err.status == status && err.message[0] && focal_csv_line(csv) > 0));
    focal_csv_close(csv);
    return status;
}

static void open_seen(struct seen *seen)
{
    focal_buf_init(&seen->text, ROOM);
    focal_buf_init(&seen->again, ROOM);
}

static void close_seen(struct seen *seen)
{
    focal_buf_close(&seen->text);
    focal_buf_close(&seen->again);
}

/* Lines differ when it is written again, but cells do not: so the second writing equals the first. */
static void goes_round(struct focal_span bytes, size_t piece)
{
    struct seen whole, pieces, again;
    open_seen(&whole);
    open_seen(&pieces);
    open_seen(&again);
    enum focal_status status = read_all(&whole, bytes, bytes.len ? bytes.len : 1);
    focal_assert(read_all(&pieces, bytes, piece) == status);
    focal_assert(focal_span_equal(focal_buf_view(&whole.text), focal_buf_view(&pieces.text)));
    if (status == FOCAL_OK && !whole.again.failed) {
        focal_assert(read_all(&again, focal_buf_view(&whole.again), piece) == FOCAL_OK);
        focal_assert(focal_span_equal(focal_buf_view(&whole.again), focal_buf_view(&again.again)));
    }
    close_seen(&whole);
    close_seen(&pieces);
    close_seen(&again);
}

static enum focal_status take(void *data, const struct focal_row *row)
{
    (void)data;
    focal_assert(row->item_count > 0 && row->line > 0);
    for (size_t i = 0; i < row->item_count; i++)
        focal_assert(focal_value_known(row->items[i].field, row->items[i].value));
    return FOCAL_OK;
}

static enum focal_status refused(void *data, const struct focal_refusal *first, size_t count, struct focal_span source)
{
    focal_assert(count > 0 && first->reason[0]);
    focal_reject_row(data, FOCAL_FORM_CSV, first, source);
    return FOCAL_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 1)
        return 0;
    size_t piece = data[0] ? data[0] : 1;
    struct focal_span bytes = focal_span_of(data + 1, len - 1);
    struct focal_buf rejects;
    struct focal_import_setup setup = { .form = FOCAL_FORM_CSV, .intake = { .kind = focal_kind_at(data[0] % focal_kind_count()), .today = TODAY },
                                        .row = take, .refused = refused, .data = &rejects };
    struct focal_import *import;
    struct focal_error err;
    goes_round(bytes, piece);
    focal_buf_init(&rejects, ROOM);
    if (focal_import_open(&import, &setup) != FOCAL_OK)
        return 0;
    for (size_t at = 0; at < bytes.len; at += piece)
        focal_assert(focal_import_feed(import, focal_span_of(bytes.data + at, bytes.len - at < piece ? bytes.len - at : piece), &err) == FOCAL_OK);
    focal_assert(focal_import_finish(import, &err) == FOCAL_OK);
    focal_reject_header(&rejects, import);
    focal_assert(focal_import_refusals(import)->total >= focal_import_bad(import));
    focal_import_close(import);
    focal_buf_close(&rejects);
    return 0;
}
