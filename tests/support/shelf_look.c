/* Comparing what stores hold, through the door alone. A fake store's planned failure is for the code under test, so
 * it is laid aside while we look. */
#include "fake_store.h"

typedef enum focal_status visit(void *data, struct focal_span key, struct focal_span value);

static enum focal_status walk(struct focal_store *store, enum focal_shelf shelf, visit *each, void *data)
{
    focal_fake_store_lay_aside(store);
    struct focal_buf key, value;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    enum focal_status status = FOCAL_OK;
    while (status == FOCAL_OK) {
        status = focal_store_next(store, shelf, focal_buf_view(&key), &key, &value);
        if (status == FOCAL_OK)
            status = each(data, focal_buf_view(&key), focal_buf_view(&value));
    }
    focal_buf_close(&key);
    focal_buf_close(&value);
    focal_fake_store_take_up(store);
    return status == FOCAL_NOT_FOUND ? FOCAL_OK : status;
}

struct digest { uint64_t hash, rows; };

/* Lengths go in too, so that a byte that moves from a key to its value changes the digest. */
static uint64_t mix(uint64_t hash, struct focal_span bytes)
{
    hash = (hash ^ bytes.len) * 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < bytes.len; i++) {
        hash = (hash ^ bytes.data[i]) * 0x100000001B3u;
        hash ^= hash >> 29;
    }
    return hash;
}

static enum focal_status digest_row(void *data, struct focal_span key, struct focal_span value)
{
    struct digest *digest = data;
    digest->hash = mix(mix(digest->hash, key), value);
    digest->rows++;
    return FOCAL_OK;
}

enum focal_status focal_shelf_digest(struct focal_store *store, enum focal_shelf shelf, uint64_t *digest, uint64_t *rows)
{
    struct digest state = { .hash = 0xCBF29CE484222325u };
    enum focal_status status = walk(store, shelf, digest_row, &state);
    *digest = state.hash;
    if (rows)
        *rows = state.rows;
    return status;
}

static void hex(struct focal_buf *out, struct focal_span bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.len; i++) {
        focal_buf_u8(out, (uint8_t)digits[bytes.data[i] >> 4]);
        focal_buf_u8(out, (uint8_t)digits[bytes.data[i] & 15]);
    }
}

static enum focal_status dump_row(void *data, struct focal_span key, struct focal_span value)
{
    struct focal_buf *out = data;
    hex(out, key);
    focal_buf_u8(out, ' ');
    hex(out, value);
    focal_buf_u8(out, '\n');
    return out->failed ? FOCAL_TOO_BIG : FOCAL_OK;
}

enum focal_status focal_shelf_dump(struct focal_store *store, enum focal_shelf shelf, struct focal_buf *out)
{
    return walk(store, shelf, dump_row, out);
}

struct comparison { struct focal_store *other; enum focal_shelf shelf; struct focal_buf *why, key, value; };

static enum focal_status differ(struct focal_buf *why, const char *what, struct focal_span key)
{
    if (why) {
        focal_buf_printf(why, "%s ", what);
        hex(why, key);
    }
    return FOCAL_CONFLICT;
}

static enum focal_status compare_row(void *data, struct focal_span key, struct focal_span value)
{
    struct comparison *c = data;
    enum focal_status status =
        focal_store_next(c->other, c->shelf, focal_buf_view(&c->key), &c->key, &c->value);
    if (status == FOCAL_NOT_FOUND)
        return differ(c->why, "only in the first:", key);
    if (status != FOCAL_OK)
        return status;
    int order = focal_span_compare(key, focal_buf_view(&c->key));
    if (order < 0)
        return differ(c->why, "only in the first:", key);
    if (order > 0)
        return differ(c->why, "only in the second:", focal_buf_view(&c->key));
    if (!focal_span_equal(value, focal_buf_view(&c->value)))
        return differ(c->why, "another value under", key);
    return FOCAL_OK;
}

enum focal_status focal_shelf_compare(struct focal_store *a, struct focal_store *b, enum focal_shelf shelf,
                                      struct focal_buf *why)
{
    focal_fake_store_lay_aside(b);
    struct comparison c = { .other = b, .shelf = shelf, .why = why };
    focal_buf_init(&c.key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&c.value, FOCAL_STORE_VALUE_MAX);
    enum focal_status status = walk(a, shelf, compare_row, &c);
    if (status == FOCAL_OK) {
        status = focal_store_next(b, shelf, focal_buf_view(&c.key), &c.key, &c.value);
        if (status == FOCAL_OK)
            status = differ(why, "only in the second:", focal_buf_view(&c.key));
        else if (status == FOCAL_NOT_FOUND)
            status = FOCAL_OK;
    }
    focal_buf_close(&c.key);
    focal_buf_close(&c.value);
    focal_fake_store_take_up(b);
    return status;
}
