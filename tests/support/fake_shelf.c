/* See fake_shelf.h. */
#include "fake_shelf.h"

#include <string.h>

enum { LEVELS = FAKE_LEVELS };

struct focal_span fake_row_key(const struct fake_row *row)
{
    return focal_span_of(row->links + row->height, row->key_len);
}

struct fake_value *fake_value_new(struct focal_span bytes)
{
    struct fake_value *value = focal_alloc(sizeof *value + bytes.len);
    if (!value)
        return NULL;
    value->len = bytes.len;
    if (bytes.len)
        memcpy(value->bytes, bytes.data, bytes.len);
    return value;
}

void fake_row_free(struct fake_row *row)
{
    focal_free(row->value);
    focal_free(row);
}

void fake_shelf_init(struct fake_shelf *shelf)
{
    *shelf = (struct fake_shelf){ .chance = 0x9E3779B97F4A7C15u };
}

void fake_shelf_close(struct fake_shelf *shelf)
{
    for (struct fake_row *row = shelf->first[0], *after; row; row = after) {
        after = row->links[0];
        fake_row_free(row);
    }
    fake_shelf_init(shelf);
}

static int draw_height(struct fake_shelf *shelf)
{
    shelf->chance ^= shelf->chance << 13;
    shelf->chance ^= shelf->chance >> 7;
    shelf->chance ^= shelf->chance << 17;
    int height = 1;
    for (uint64_t bits = shelf->chance; height < LEVELS && (bits & 3) == 0; bits >>= 2)
        height++;
    return height;
}

static struct fake_row *make_row(struct fake_shelf *shelf, struct focal_span key, struct fake_value *value)
{
    int height = draw_height(shelf);
    struct fake_row *row = focal_alloc(sizeof *row + (size_t)height * sizeof *row->links + key.len);
    if (!row)
        return NULL;
    row->height = height;
    row->key_len = key.len;
    row->value = value;
    memcpy(row->links + height, key.data, key.len);
    return row;
}

/* The last row below `key` (or not above it, where `through`), NULL if none; and for every level the row whose link
 * leads past that place, NULL where it is the shelf's own. */
static struct fake_row *descend(const struct fake_shelf *shelf, struct focal_span key, bool through,
                                struct fake_row *path[LEVELS])
{
    struct fake_row *at = NULL;
    for (int level = LEVELS - 1; level >= 0; level--) {
        struct fake_row *ahead = at ? at->links[level] : shelf->first[level];
        while (ahead) {
            int order = focal_span_compare(fake_row_key(ahead), key);
            if (order > 0 || (order == 0 && !through))
                break;
            at = ahead;
            ahead = at->links[level];
        }
        path[level] = at;
    }
    return at;
}

struct fake_row *fake_shelf_find(const struct fake_shelf *shelf, struct focal_span key)
{
    struct fake_row *path[LEVELS];
    struct fake_row *row = descend(shelf, key, true, path);
    return row && focal_span_equal(fake_row_key(row), key) ? row : NULL;
}

struct fake_row *fake_shelf_above(const struct fake_shelf *shelf, struct focal_span key)
{
    if (shelf->finger && focal_span_equal(fake_row_key(shelf->finger), key))
        return shelf->finger->links[0];
    struct fake_row *path[LEVELS];
    struct fake_row *row = descend(shelf, key, true, path);
    return row ? row->links[0] : shelf->first[0];
}

struct fake_row *fake_shelf_below(const struct fake_shelf *shelf, struct focal_span key)
{
    struct fake_row *path[LEVELS];
    return descend(shelf, key, false, path);
}

static struct fake_row **link_of(struct fake_shelf *shelf, struct fake_row *row, int level)
{
    return row ? &row->links[level] : &shelf->first[level];
}

void fake_shelf_link(struct fake_shelf *shelf, struct fake_row *row)
{
    struct fake_row *path[LEVELS];
    descend(shelf, fake_row_key(row), false, path);
    for (int level = 0; level < row->height; level++) {
        struct fake_row **link = link_of(shelf, path[level], level);
        row->links[level] = *link;
        *link = row;
    }
    shelf->bytes += row->key_len + row->value->len;
    shelf->rows++;
}

void fake_shelf_unlink(struct fake_shelf *shelf, struct fake_row *row)
{
    struct fake_row *path[LEVELS];
    descend(shelf, fake_row_key(row), false, path);
    for (int level = 0; level < row->height; level++) {
        struct fake_row **link = link_of(shelf, path[level], level);
        focal_assert(*link == row);
        *link = row->links[level];
    }
    shelf->finger = NULL;
    shelf->bytes -= row->key_len + row->value->len;
    shelf->rows--;
}

struct fake_row *fake_shelf_insert(struct fake_shelf *shelf, struct focal_span key, struct fake_value *value)
{
    struct fake_row *row = make_row(shelf, key, value);
    if (row)
        fake_shelf_link(shelf, row);
    return row;
}

struct fake_value *fake_shelf_swap(struct fake_shelf *shelf, struct fake_row *row, struct fake_value *value)
{
    struct fake_value *old = row->value;
    shelf->bytes += value->len;
    shelf->bytes -= old->len;
    row->value = value;
    return old;
}

enum focal_status fake_shelf_copy(struct fake_shelf *to, const struct fake_shelf *from)
{
    focal_assert(to->rows == 0);
    struct fake_row *tails[LEVELS] = { NULL };
    for (struct fake_row *row = from->first[0]; row; row = row->links[0]) {
        struct fake_value *value = fake_value_new(focal_span_of(row->value->bytes, row->value->len));
        struct fake_row *copy = value ? make_row(to, fake_row_key(row), value) : NULL;
        if (!copy) {
            focal_free(value);
            return FOCAL_NO_MEMORY;
        }
        for (int level = 0; level < copy->height; level++) {
            *link_of(to, tails[level], level) = copy;
            tails[level] = copy;
        }
        to->rows++;
    }
    to->bytes = from->bytes;
    return FOCAL_OK;
}
