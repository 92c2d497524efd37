/* What one person asked for and a second has to agree to: kept on shelf META until it is done, refused or a day old.
 * Which commands are such, and who may agree, is not known here. */
#include "inner.h"

#include <string.h>

#define PREFIX "pending/"
#define LAST_KEY "pending-last"         /* the last number given: none is given twice */
enum { PREFIX_BYTES = sizeof PREFIX - 1, KEY_BYTES = PREFIX_BYTES + 8, ROW_ROOM = FOCAL_PENDING_WITH_MAX + 256 };

static struct focal_span key_of(uint8_t key[KEY_BYTES], uint64_t number)
{
    memcpy(key, PREFIX, PREFIX_BYTES);
    focal_put_be64(key + PREFIX_BYTES, number);
    return focal_span_of(key, KEY_BYTES);
}

/* uid 4, by 4, wall_ms 8, command: length 1, text; with. */
static enum focal_status decode(struct focal_pending *out, struct focal_span *with, uint64_t number, struct focal_span row)
{
    struct focal_cur cur = focal_cur_of(row);
    memset(out, 0, sizeof *out);
    out->number = number;
    out->uid = focal_cur_be32(&cur);
    out->by = focal_cur_be32(&cur);
    out->wall_ms = focal_cur_be64(&cur);
    size_t len = focal_cur_u8(&cur);
    struct focal_span command = focal_cur_bytes(&cur, len);
    if (cur.failed || len == 0 || len >= sizeof out->command)
        return FOCAL_DAMAGED;
    memcpy(out->command, command.data, len);
    *with = focal_cur_bytes(&cur, row.len - 17 - len);
    return cur.failed ? FOCAL_DAMAGED : FOCAL_OK;
}

static enum focal_status put(struct focal_node *n, const struct focal_pending *p, struct focal_span with)
{
    uint8_t key[KEY_BYTES];
    struct focal_buf row;
    focal_buf_init(&row, ROW_ROOM);
    focal_buf_be32(&row, p->uid);
    focal_buf_be32(&row, p->by);
    focal_buf_be64(&row, p->wall_ms);
    focal_buf_u8(&row, (uint8_t)strlen(p->command));
    focal_buf_text(&row, p->command);
    focal_buf_span(&row, with);
    enum focal_status st = row.failed ? FOCAL_NO_MEMORY : focal_store_put(n->store, FOCAL_SHELF_META, key_of(key, p->number), focal_buf_view(&row));
    focal_buf_close(&row);
    return st;
}

/* A clock that went back makes nothing older. */
static bool is_old(const struct focal_pending *p, uint64_t wall_ms)
{
    return wall_ms > p->wall_ms && wall_ms - p->wall_ms > FOCAL_PENDING_MS;
}

/* The next row, old or not. with: within row. */
static enum focal_status next(struct focal_node *n, uint64_t after, struct focal_pending *out, struct focal_buf *row, struct focal_span *with)
{
    uint8_t at[KEY_BYTES];
    struct focal_buf key;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    /* What stands behind the last of them is something else, and may be larger than any of these. */
    enum focal_status st = focal_store_next(n->store, FOCAL_SHELF_META, key_of(at, after), &key, NULL);
    if (st == FOCAL_OK && (key.len != KEY_BYTES || memcmp(key.data, PREFIX, PREFIX_BYTES) != 0))
        st = FOCAL_NOT_FOUND;
    if (st == FOCAL_OK)
        st = focal_store_get(n->store, FOCAL_SHELF_META, focal_buf_view(&key), row);
    if (st == FOCAL_TOO_BIG)
        st = FOCAL_DAMAGED;
    if (st == FOCAL_OK)
        st = decode(out, with, focal_get_be64(key.data + PREFIX_BYTES), focal_buf_view(row));
    focal_buf_close(&key);
    return st;
}

enum focal_status focal_node_next_pending(struct focal_node *n, struct focal_now now, uint64_t after, struct focal_pending *out, struct focal_buf *with)
{
    struct focal_buf row;
    struct focal_span asked;
    enum focal_status st;
    focal_buf_init(&row, ROW_ROOM);
    out->number = after;
    do
        st = next(n, out->number, out, &row, &asked);
    while (st == FOCAL_OK && is_old(out, now.wall_ms));
    if (st == FOCAL_OK && with) {
        focal_buf_clear(with);
        focal_buf_span(with, asked);
        st = with->failed ? FOCAL_NO_MEMORY : FOCAL_OK;
    }
    focal_buf_close(&row);
    return st;
}

static enum focal_status drop(struct focal_node *n, uint64_t number)
{
    uint8_t key[KEY_BYTES];
    return focal_store_del(n->store, FOCAL_SHELF_META, key_of(key, number));
}

/* Old ones go; FULL: too many are left. */
static enum focal_status make_room(struct focal_node *n, uint32_t uid)
{
    struct focal_pending p = { .number = 0 };
    struct focal_buf row;
    struct focal_span with;
    size_t all = 0, of_one = 0;
    enum focal_status st, dropped = FOCAL_OK;
    focal_buf_init(&row, ROW_ROOM);
    while (dropped == FOCAL_OK && (st = next(n, p.number, &p, &row, &with)) == FOCAL_OK) {
        if (is_old(&p, n->host.now.wall_ms)) {
            dropped = drop(n, p.number);
            continue;
        }
        all++;
        of_one += p.uid == uid;
    }
    focal_buf_close(&row);
    if (dropped != FOCAL_OK)
        return dropped;
    if (st != FOCAL_NOT_FOUND)
        return st;
    return all >= FOCAL_PENDING_MOST || of_one >= FOCAL_PENDING_MOST_OF_ONE ? FOCAL_FULL : FOCAL_OK;
}

static enum focal_status next_number(struct focal_node *n, uint64_t *number)
{
    uint8_t bytes[8];
    struct focal_buf value;
    focal_buf_init(&value, 64);
    enum focal_status st = focal_store_get(n->store, FOCAL_SHELF_META, focal_span_text(LAST_KEY), &value);
    *number = st == FOCAL_OK && value.len == 8 ? focal_get_be64(value.data) + 1 : 1;
    focal_buf_close(&value);
    if (st != FOCAL_OK && st != FOCAL_NOT_FOUND)
        return st;
    focal_put_be64(bytes, *number);
    return focal_store_put(n->store, FOCAL_SHELF_META, focal_span_text(LAST_KEY), focal_span_of(bytes, sizeof bytes));
}

static enum focal_status ask(struct focal_node *n, struct focal_pending_order *o)
{
    struct focal_pending p = { .uid = o->uid, .by = FOCAL_NOBODY, .wall_ms = n->host.now.wall_ms };
    if (strlen(o->command) >= sizeof p.command || o->with.len > FOCAL_PENDING_WITH_MAX)
        return FOCAL_TOO_BIG;
    memcpy(p.command, o->command, strlen(o->command));
    enum focal_status st = make_room(n, o->uid);
    if (st == FOCAL_OK)
        st = next_number(n, &p.number);
    if (st == FOCAL_OK)
        st = put(n, &p, o->with);
    o->number = p.number;
    return st;
}

/* The same person is no second one, whatever the caller made of it. */
static enum focal_status agree(struct focal_node *n, const struct focal_pending_order *o)
{
    struct focal_pending p;
    struct focal_buf row;
    struct focal_span with;
    focal_buf_init(&row, ROW_ROOM);
    enum focal_status st = o->number ? next(n, o->number - 1, &p, &row, &with) : FOCAL_NOT_FOUND;
    if (st == FOCAL_OK && (p.number != o->number || is_old(&p, n->host.now.wall_ms)))
        st = FOCAL_NOT_FOUND;
    if (st == FOCAL_OK && p.uid == o->uid)
        st = FOCAL_DENIED;
    if (st == FOCAL_OK) {
        p.by = o->uid;
        st = put(n, &p, with);
    }
    focal_buf_close(&row);
    return st;
}

enum focal_status pending_run(struct focal_node *n, struct focal_pending_order *o)
{
    enum focal_status st = node_writing(n);
    if (st != FOCAL_OK)
        return st;
    switch (o->op) {
    case FOCAL_PENDING_ASK:
        return ask(n, o);
    case FOCAL_PENDING_AGREE:
        return agree(n, o);
    case FOCAL_PENDING_CLOSE:
        return o->only_if && *o->only_if != FOCAL_OK ? FOCAL_OK : drop(n, o->number);
    }
    focal_assert(false);
}
