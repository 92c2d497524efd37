/* Stretches: what holds of them whether packed or not, and the packer's scratch. */
#include "pack.h"

#include <string.h>

size_t focal_stretch_canonical_bytes(const struct focal_stretch *s)
{
    size_t bytes = 0;
    for (size_t i = 0; i < s->count; i++)
        bytes += s->entries[i].header.len + (s->entries[i].has_payload ? s->entries[i].payload.len : 0);
    return bytes;
}

/* ---- salts ---- */

static bool in_stretch(const struct focal_stretch *s, uint64_t seq)
{
    return seq >= s->first && seq - s->first < s->count;
}

/* The run's part in this stretch as places from..to (to excluded). */
static void part_of_run(const struct focal_stretch *s, const struct focal_salt_run *run, size_t *from, size_t *to)
{
    uint64_t stretch_last = s->first + (s->count - 1);
    uint64_t first = run->first > s->first ? run->first : s->first;
    uint64_t last = run->last < stretch_last ? run->last : stretch_last;
    *from = (size_t)(first - s->first);
    *to = last < first ? *from : (size_t)(last - s->first) + 1;
}

size_t focal_pack_run_payloads(const struct focal_stretch *s, const struct focal_salt_run *run)
{
    size_t from, to, n = 0;
    part_of_run(s, run, &from, &to);
    for (size_t i = from; i < to; i++)
        n += s->entries[i].has_payload;
    return n;
}

/* A seed tells the salts of the whole run, and with its salt and commitment the payload of a stripped entry can be
 * guessed: so a run of which anything is stripped must not carry its seed. */
static bool run_fits(const struct focal_stretch *s, const struct focal_salt_run *run)
{
    if (run->first == 0 || run->last < run->first || run->last - run->first >= FOCAL_RUN_SEQS_MAX)
        return false;
    if (!in_stretch(s, run->first) && !(run->first < s->first && run->last >= s->first))
        return false;
    size_t from, to, payloads = focal_pack_run_payloads(s, run);
    part_of_run(s, run, &from, &to);
    return run->has_seed ? payloads == to - from && run->salts.len == 0 : run->salts.len == payloads * 16;
}

bool focal_pack_runs_fit(const struct focal_stretch *s)
{
    size_t covered = 0;
    for (size_t r = 0; r < s->run_count; r++) {
        const struct focal_salt_run *run = &s->runs[r];
        if (!run_fits(s, run) || (r > 0 && run->first <= run[-1].last))
            return false;
        covered += focal_pack_run_payloads(s, run);
    }
    size_t payloads = 0;
    for (size_t i = 0; i < s->count; i++)
        payloads += s->entries[i].has_payload;
    return covered == payloads;
}

bool focal_stretch_salt(const struct focal_stretch *s, size_t i, uint8_t out[16],
                        void (*derive)(uint8_t salt[16], const uint8_t seed[16], uint64_t seq))
{
    focal_assert(i < s->count);
    if (!s->entries[i].has_payload)
        return false;
    uint64_t seq = s->first + i;
    size_t low = 0, high = s->run_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->runs[middle].last < seq)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == s->run_count || s->runs[low].first > seq)
        return false;
    const struct focal_salt_run *run = &s->runs[low];
    if (run->has_seed) {
        derive(out, run->seed, seq);
        return true;
    }
    size_t from, to, at = 0;
    part_of_run(s, run, &from, &to);
    if (run->salts.len == (to - from) * 16) {
        at = i - from;
    } else {
        for (size_t k = from; k < i; k++)
            at += s->entries[k].has_payload;
    }
    if (run->salts.len < (at + 1) * 16)
        return false;
    memcpy(out, run->salts.data + at * 16, 16);
    return true;
}

/* ---- packer ---- */

/* Columns of codes have little that repeats: higher levels look longer for it and find matches that cost more than
 * the symbols they replace. */
enum { SQUEEZE_LEVEL = 1 };

static bool zstd_ready(struct focal_packer *p)
{
    p->squeeze = ZSTD_createCCtx();
    p->swell = ZSTD_createDCtx();
    if (!p->squeeze || !p->swell)
        return false;
    return !ZSTD_isError(ZSTD_CCtx_setParameter(p->squeeze, ZSTD_c_compressionLevel, SQUEEZE_LEVEL))
        && !ZSTD_isError(ZSTD_CCtx_setParameter(p->squeeze, ZSTD_c_windowLog, PACK_WINDOW_LOG))
        && !ZSTD_isError(ZSTD_CCtx_setParameter(p->squeeze, ZSTD_c_contentSizeFlag, 0))
        && !ZSTD_isError(ZSTD_DCtx_setParameter(p->swell, ZSTD_d_windowLogMax, PACK_WINDOW_LOG));
}

struct focal_packer *focal_packer_open(void)
{
    struct focal_packer *p = focal_alloc(sizeof *p);
    if (!p)
        return NULL;
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        focal_buf_init(&p->columns[i], PACK_COLUMNS_MAX);
    focal_buf_init(&p->record_h8, 8 * FOCAL_STRETCH_ENTRIES_MAX);
    focal_buf_init(&p->replaced_h8, FOCAL_STRETCH_BYTES_MAX);
    focal_buf_init(&p->whole, PACK_COLUMNS_MAX);
    focal_buf_init(&p->squeezed, PACK_COLUMNS_MAX);
    if (zstd_ready(p))
        return p;
    focal_packer_close(p);
    return NULL;
}

void focal_packer_close(struct focal_packer *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        focal_buf_close(&p->columns[i]);
    focal_buf_close(&p->record_h8);
    focal_buf_close(&p->replaced_h8);
    focal_buf_close(&p->whole);
    focal_buf_close(&p->squeezed);
    ZSTD_freeCCtx(p->squeeze);
    ZSTD_freeDCtx(p->swell);
    focal_free(p);
}

void focal_pack_forget(struct focal_packer *p)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        focal_buf_clear(&p->columns[i]);
    focal_buf_clear(&p->record_h8);
    focal_buf_clear(&p->replaced_h8);
    focal_buf_clear(&p->whole);
    focal_buf_clear(&p->squeezed);
    p->log_count = p->tag_count = p->shape_count = 0;
    memset(p->record_seq, 0, sizeof p->record_seq);
    memset(p->replaced_seq, 0, sizeof p->replaced_seq);
    memset(p->log_slots, 0, sizeof p->log_slots);
    memset(p->shape_slots, 0, sizeof p->shape_slots);
    memset(p->value_bytes, 0, sizeof p->value_bytes);
    p->last_log = p->last_shape = 0;
    p->record_set = false;
}

/* ---- head ---- */

enum focal_status focal_pack_head_read(struct pack_head *head, struct focal_cur *cur)
{
    uint8_t version = focal_cur_u8(cur);
    head->form = focal_cur_u8(cur);
    head->first = focal_cur_varint(cur);
    uint64_t count = focal_cur_varint(cur);
    uint64_t canonical = focal_cur_varint(cur);
    uint64_t columns = focal_cur_varint(cur);
    uint64_t frame = head->form == FORM_ZSTD ? focal_cur_varint(cur) : columns;
    if (cur->failed || version != PACK_VERSION || head->form > FORM_ZSTD)
        return FOCAL_MALFORMED;
    if (head->first == 0 || count == 0 || count > FOCAL_STRETCH_ENTRIES_MAX || head->first > UINT64_MAX - count)
        return FOCAL_MALFORMED;
    if (canonical == 0 || canonical > FOCAL_STRETCH_BYTES_MAX || (columns > PACK_COLUMNS_MAX && !FOCAL_PLANTED(LENGTH_BELIEVED)) || frame > columns)
        return FOCAL_MALFORMED;
    head->count = (size_t)count;
    head->canonical = (size_t)canonical;
    head->columns = (size_t)columns;
    head->frame = (size_t)frame;
    return FOCAL_OK;
}

enum focal_status focal_stretch_peek(uint64_t *first, uint32_t *count, struct focal_span packed)
{
    struct focal_cur cur = focal_cur_of(packed);
    struct pack_head head;
    enum focal_status status = focal_pack_head_read(&head, &cur);
    *first = status == FOCAL_OK ? head.first : 0;
    *count = status == FOCAL_OK ? (uint32_t)head.count : 0;
    return status;
}
