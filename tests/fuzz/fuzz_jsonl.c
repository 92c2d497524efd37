/* The first byte chooses kind and pieces; the rest are JSON lines. Each is refused with a reason, or all its values are
 * understood; and a refused line, written with its reason, is an import again. */
#include <string.h>

#include "focal/exchange.h"
#include "fuzz.h"

enum { TODAY = 20000, ROOM = 16 << 20 };

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
    focal_reject_row(data, FOCAL_FORM_JSONL, first, source);
    return FOCAL_OK;
}

static void read_all(const struct focal_kind *kind, struct focal_span bytes, size_t piece, struct focal_buf *rejects, uint64_t *good, uint64_t *bad)
{
    struct focal_import_setup setup = { .form = FOCAL_FORM_JSONL, .intake = { .kind = kind, .today = TODAY }, .row = take, .refused = refused, .data = rejects };
    struct focal_import *import;
    struct focal_error err;
    *good = *bad = 0;
    if (focal_import_open(&import, &setup) != FOCAL_OK)
        return;
    for (size_t at = 0; at < bytes.len; at += piece)
        focal_assert(focal_import_feed(import, focal_span_of(bytes.data + at, bytes.len - at < piece ? bytes.len - at : piece), &err) == FOCAL_OK);
    focal_assert(focal_import_finish(import, &err) == FOCAL_OK);
    focal_assert(!focal_import_broken(import) && focal_import_refusals(import)->total >= focal_import_bad(import));
    *good = focal_import_good(import);
    *bad = focal_import_bad(import);
    focal_import_close(import);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 1)
        return 0;
    size_t piece = data[0] ? data[0] : 1;
    const struct focal_kind *kind = focal_kind_at(data[0] % focal_kind_count());
    struct focal_span bytes = focal_span_of(data + 1, len - 1);
    struct focal_buf rejects, none;
    uint64_t good, bad, good_whole, bad_whole, again_good, again_bad;
    focal_buf_init(&rejects, ROOM);
    focal_buf_init(&none, ROOM);
    read_all(kind, bytes, piece, &rejects, &good, &bad);
    read_all(kind, bytes, bytes.len ? bytes.len : 1, &none, &good_whole, &bad_whole);
    focal_assert(good == good_whole && bad == bad_whole);
    if (!rejects.failed) {
        focal_buf_clear(&none);
        read_all(kind, focal_buf_view(&rejects), piece, &none, &again_good, &again_bad);
        focal_assert(again_good == 0 && again_bad == bad);      /* nothing was corrected */
    }
    focal_buf_close(&rejects);
    focal_buf_close(&none);
    return 0;
}
