/* zstd around the columns. */
#include "pack.h"

#include <zstd_errors.h>

enum {
    SQUEEZE_MIN = 64,           /* a frame's own bytes eat what could be won below this */
    BLOCK_MIN = 1024,           /* a block carries its own table of symbol lengths: too dear for less */
};

static enum focal_status status_of(size_t code)
{
    return ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation ? FOCAL_NO_MEMORY : FOCAL_MALFORMED;
}

/* Columns differ in what they hold, so each large one becomes a block with symbol lengths of its own. `squeezed` stays
 * empty when nothing is won. */
enum focal_status focal_pack_squeeze(struct focal_packer *p, const size_t *ends, size_t end_count)
{
    focal_buf_clear(&p->squeezed);
    if (p->whole.len < SQUEEZE_MIN)
        return FOCAL_OK;
    uint8_t *room = focal_buf_reserve(&p->squeezed, p->whole.len - 1);
    if (!room)
        return FOCAL_NO_MEMORY;
    size_t code = ZSTD_CCtx_reset(p->squeeze, ZSTD_reset_session_only);
    if (!ZSTD_isError(code))
        code = ZSTD_CCtx_setPledgedSrcSize(p->squeeze, p->whole.len);
    if (ZSTD_isError(code))
        return status_of(code);
    ZSTD_outBuffer out = { .dst = room, .size = p->squeezed.len };
    size_t from = 0;
    for (size_t i = 0; i < end_count; i++) {
        bool last = i + 1 == end_count;
        if (!last && (ends[i] - from < BLOCK_MIN || p->whole.len - ends[i] < BLOCK_MIN))
            continue;
        ZSTD_inBuffer in = { .src = p->whole.data + from, .size = ends[i] - from };
        code = ZSTD_compressStream2(p->squeeze, &out, &in, last ? ZSTD_e_end : ZSTD_e_flush);
        if (ZSTD_isError(code))
            return status_of(code);
        if (code != 0) {
            focal_buf_clear(&p->squeezed);
            return FOCAL_OK;
        }
        from = ends[i];
    }
    focal_buf_truncate(&p->squeezed, out.pos);
    return FOCAL_OK;
}

/* The declared length was checked against the cap; the output goes straight to its place, so the window that a frame
 * declares allocates nothing. Exactly one frame: a second one, or one to be skipped, would be bytes that nobody reads. */
enum focal_status focal_pack_swell(struct focal_packer *p, struct focal_span *columns, struct focal_span frame, size_t len)
{
    focal_buf_clear(&p->whole);
    uint8_t *room = focal_buf_reserve(&p->whole, len);
    if (!room)
        return FOCAL_NO_MEMORY;
    if (frame.len < 4 || ZSTD_findFrameCompressedSize(frame.data, frame.len) != frame.len)
        return FOCAL_MALFORMED;
    size_t made = ZSTD_decompressDCtx(p->swell, room, len, frame.data, frame.len);
    if (ZSTD_isError(made))
        return status_of(made);
    *columns = focal_buf_view(&p->whole);
    return made == len ? FOCAL_OK : FOCAL_MALFORMED;
}
