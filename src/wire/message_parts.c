/* The messages with an inner form: HELLO, FRONTIER, SEGMENT. */
#include "message.h"

#include <assert.h>

enum {
    HELLO_WANTS_CERTIFICATES = 1,
    HELLO_VEILED = 2,
    FRONTIER_WHOLE = 1,
    FRONTIER_LAST = 2,
    SEGMENT_SIGNED = 1,
};
static_assert(FOCAL_FRAME_MAX % FOCAL_SEGMENT_PAD == 0, "a full SEGMENT stays within a frame when padded");
static_assert(FOCAL_SEGMENT_PACKED_MAX <= UINT16_MAX, "a SEGMENT's packed length has two bytes");

/* ---- HELLO ---- */

void focal_message_hello_encode(struct focal_buf *buf, const struct focal_message *m)
{
    const struct focal_hello *hello = &m->is.hello;
    focal_assert(hello->version_least > 0 && hello->version_least <= hello->version_most && hello->version_most < 16);
    focal_assert(hello->scope_count <= FOCAL_HELLO_SCOPES_MAX);
#ifdef FOCAL_NEXT_VERSION
    focal_buf_u8(buf, (uint8_t)(hello->version_least << 4 | (hello->version_most + 1)));
#else
    focal_buf_u8(buf, (uint8_t)(hello->version_least << 4 | hello->version_most));
#endif
    focal_buf_bytes(buf, hello->epoch, sizeof hello->epoch);
    focal_buf_be32(buf, hello->certificate_number);
    focal_buf_bytes(buf, hello->certificate, sizeof hello->certificate);
    focal_buf_bytes(buf, hello->statements, sizeof hello->statements);
    focal_buf_u8(buf, (uint8_t)((hello->wants_certificates ? HELLO_WANTS_CERTIFICATES : 0) | (hello->veiled ? HELLO_VEILED : 0)));
    focal_buf_u8(buf, hello->scope_count);
    for (size_t i = 0; i < hello->scope_count; i++) {
        focal_buf_bytes(buf, hello->scopes[i].tag, sizeof hello->scopes[i].tag);
        focal_buf_bytes(buf, hello->scopes[i].frontier, sizeof hello->scopes[i].frontier);
    }
}

/* Flags that this version does not know are let through: HELLO is spoken before the version is agreed on. */
bool focal_message_hello_decode(struct focal_message *m, struct focal_cur *cur)
{
    struct focal_hello *hello = &m->is.hello;
    uint8_t versions = focal_cur_u8(cur);
    hello->version_least = versions >> 4;
    hello->version_most = versions & 15;
    focal_cur_copy(cur, hello->epoch, sizeof hello->epoch);
    hello->certificate_number = focal_cur_be32(cur);
    focal_cur_copy(cur, hello->certificate, sizeof hello->certificate);
    focal_cur_copy(cur, hello->statements, sizeof hello->statements);
    const uint8_t flags = focal_cur_u8(cur);
    hello->wants_certificates = flags & HELLO_WANTS_CERTIFICATES;
    hello->veiled = flags & HELLO_VEILED;
    hello->scope_count = focal_cur_u8(cur);
    if (cur->failed || hello->scope_count > FOCAL_HELLO_SCOPES_MAX)
        return false;
    for (size_t i = 0; i < hello->scope_count; i++) {
        focal_cur_copy(cur, hello->scopes[i].tag, sizeof hello->scopes[i].tag);
        focal_cur_copy(cur, hello->scopes[i].frontier, sizeof hello->scopes[i].frontier);
    }
    return hello->version_least > 0 && hello->version_least <= hello->version_most;
}

/* ---- FRONTIER ---- */

void focal_message_frontier_encode(struct focal_buf *buf, const struct focal_message *m)
{
    const struct focal_frontier *frontier = &m->is.frontier;
    focal_buf_bytes(buf, frontier->tag, sizeof frontier->tag);
    focal_buf_u8(buf, (uint8_t)((frontier->whole ? FRONTIER_WHOLE : 0) | (frontier->last ? FRONTIER_LAST : 0)));
    focal_buf_span(buf, frontier->items);
}

static bool take_item(struct focal_cur *cur, struct focal_frontier_item *item)
{
    focal_cur_copy(cur, item->author.b, sizeof item->author.b);
    focal_cur_copy(cur, item->epoch.b, sizeof item->epoch.b);
    item->lane = focal_cur_u8(cur);
    item->tip_count = focal_cur_u8(cur);
    if (cur->failed || item->lane > FOCAL_LANE_NOTICES || item->tip_count == 0 || item->tip_count > FOCAL_TIPS_MAX)
        return false;
    for (size_t i = 0; i < item->tip_count; i++) {
        item->tips[i].seq = focal_cur_be64(cur);
        focal_cur_copy(cur, item->tips[i].keyed, sizeof item->tips[i].keyed);
    }
    return !cur->failed;
}

bool focal_message_frontier_decode(struct focal_message *m, struct focal_cur *cur)
{
    struct focal_frontier *frontier = &m->is.frontier;
    focal_cur_copy(cur, frontier->tag, sizeof frontier->tag);
    uint8_t flags = message_flags(cur, FRONTIER_WHOLE | FRONTIER_LAST);
    frontier->whole = flags & FRONTIER_WHOLE;
    frontier->last = flags & FRONTIER_LAST;
    frontier->items = focal_cur_rest(cur);
    struct focal_cur items = focal_cur_of(frontier->items);
    struct focal_frontier_item item;
    while (focal_cur_left(&items) > 0) {
        if (!take_item(&items, &item))
            return false;
    }
    return true;
}

bool focal_frontier_next(const struct focal_frontier *frontier, size_t *offset, struct focal_frontier_item *out)
{
    if (*offset >= frontier->items.len)
        return false;
    struct focal_cur cur = focal_cur_of(focal_span_of(frontier->items.data + *offset, frontier->items.len - *offset));
    *out = (struct focal_frontier_item){ 0 };
    focal_assert(take_item(&cur, out));
    *offset = frontier->items.len - focal_cur_left(&cur);
    return true;
}

void focal_frontier_put(struct focal_buf *items, const struct focal_frontier_item *item)
{
    focal_assert(item->lane <= FOCAL_LANE_NOTICES && item->tip_count > 0 && item->tip_count <= FOCAL_TIPS_MAX);
    focal_buf_bytes(items, item->author.b, sizeof item->author.b);
    focal_buf_bytes(items, item->epoch.b, sizeof item->epoch.b);
    focal_buf_u8(items, item->lane);
    focal_buf_u8(items, item->tip_count);
    for (size_t i = 0; i < item->tip_count; i++) {
        focal_buf_be64(items, item->tips[i].seq);
        focal_buf_bytes(items, item->tips[i].keyed, sizeof item->tips[i].keyed);
    }
}

/* ---- SEGMENT ---- */

/* How many zeros bring a message of so many bytes to a multiple of the padding, so that its length on the wire says
 * little of what is in it. */
static size_t padding(size_t bytes)
{
    return (FOCAL_SEGMENT_PAD - bytes % FOCAL_SEGMENT_PAD) % FOCAL_SEGMENT_PAD;
}

static size_t segment_bytes(const struct focal_segment *segment)
{
    return FOCAL_SEGMENT_HEAD - (segment->is_signed ? 0 : sizeof segment->signature.b) + segment->packed.len;
}

void focal_message_segment_encode(struct focal_buf *buf, const struct focal_message *m)
{
    const struct focal_segment *segment = &m->is.segment;
    if (segment->packed.len > UINT16_MAX) {
        buf->failed = true;
        return;
    }
    focal_buf_bytes(buf, segment->log.b, sizeof segment->log.b);
    focal_buf_bytes(buf, segment->before, sizeof segment->before);
    focal_buf_u8(buf, segment->is_signed ? SEGMENT_SIGNED : 0);
    if (segment->is_signed)
        focal_buf_bytes(buf, segment->signature.b, sizeof segment->signature.b);
    focal_buf_be16(buf, (uint16_t)segment->packed.len);
    focal_buf_span(buf, segment->packed);
    static const uint8_t zeros[FOCAL_SEGMENT_PAD];
    focal_buf_bytes(buf, zeros, padding(segment_bytes(segment)));
}

bool focal_message_segment_decode(struct focal_message *m, struct focal_cur *cur)
{
    struct focal_segment *segment = &m->is.segment;
    focal_cur_copy(cur, segment->log.b, sizeof segment->log.b);
    focal_cur_copy(cur, segment->before, sizeof segment->before);
    segment->is_signed = message_flags(cur, SEGMENT_SIGNED) & SEGMENT_SIGNED;
    if (segment->is_signed)
        focal_cur_copy(cur, segment->signature.b, sizeof segment->signature.b);
    segment->packed = focal_cur_bytes(cur, focal_cur_be16(cur));
    struct focal_span zeros = focal_cur_rest(cur);
    if (cur->failed || segment->packed.len == 0 || zeros.len != padding(segment_bytes(segment)))
        return false;
    return focal_bytes_zero(zeros.data, zeros.len);
}
