/* Rows of a damaged database, whatever of it can still be read.
 *
 * Every page that looks like one of a table's is taken cell by cell, so that one broken page costs its own rows and no
 * others. Which shelf a row stood on is told by the tree over its page; where that is broken, the shelf is not known and
 * the reader of the rows has to judge by what they are. Nothing that is read here is true for being read. */
#include "salvage.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_INNER = 0x02, PAGE_LEAF = 0x0A, PAGE_SCHEMA = 0x0D, SCHEMA_AT = 100 };

struct salvaged { const uint8_t *key; uint32_t page; uint16_t cell; uint8_t key_len, shelf, view; };

struct focal_salvage {
    struct salvage_image image;
    uint8_t *page;                      /* the one last read */
    uint32_t page_number;
    enum salvage_view page_view;
    uint8_t *overflow;
    uint8_t *owner;                     /* shelf of each page, of the view under way */
    uint32_t shelves;
    struct salvaged *rows;
    size_t count, cap;
    struct focal_arena keys;
};

/* A row's record as it lies in a cell: the part in the page, and the first page of the rest. */
struct cell { size_t payload, local, at; size_t key_at, key_len, value_len; uint32_t overflow; };

static uint32_t be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t be16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

/* SQLite's own form of numbers. False: it runs over the end. */
static bool varint(const uint8_t *page, size_t end, size_t *at, uint64_t *out)
{
    *out = 0;
    for (int i = 0; i < 9 && *at < end; i++) {
        uint8_t b = page[(*at)++];
        if (i == 8) {
            *out = *out << 8 | b;
            return true;
        }
        *out = *out << 7 | (b & 0x7F);
        if (!(b & 0x80))
            return true;
    }
    return false;
}

static bool load(struct focal_salvage *s, enum salvage_view view, uint32_t number)
{
    if (s->page_number == number && s->page_view == view)
        return true;
    s->page_number = 0;
    if (!focal_salvage_page(&s->image, view, number, s->page))
        return false;
    s->page_number = number;
    s->page_view = view;
    return true;
}

/* ---- cells ---------------------------------------------------------------------------------------------------------------- */

static bool is_tree(const uint8_t *page)
{
    return page[0] == PAGE_INNER || page[0] == PAGE_LEAF;
}

static size_t cells_of(const struct focal_salvage *s, size_t *pointers)
{
    *pointers = s->page[0] == PAGE_INNER ? 12 : 8;
    size_t count = be16(s->page + 3), room = (s->image.usable_bytes - *pointers) / 2;
    return count < room ? count : room;
}

/* How much of a payload stands in the page, by SQLite's file format. */
static size_t local_bytes(size_t usable, size_t payload)
{
    size_t most = (usable - 12) * 64 / 255 - 23, least = (usable - 12) * 32 / 255 - 23;
    if (payload <= most)
        return payload;
    size_t some = least + (payload - least) % (usable - 4);
    return some <= most ? some : least;
}

/* Two blobs, the first a key of ours; false: anything else. */
static bool read_cell(const struct focal_salvage *s, size_t index, struct cell *c)
{
    const uint8_t *page = s->page;
    const size_t usable = s->image.usable_bytes;
    size_t pointers;
    if (index >= cells_of(s, &pointers))
        return false;
    size_t at = be16(page + pointers + 2 * index) + (page[0] == PAGE_INNER ? 4u : 0u);
    uint64_t payload, head, key, value;
    if (!varint(page, usable, &at, &payload) || payload < 4 || payload > FOCAL_STORE_KEY_MAX + FOCAL_STORE_VALUE_MAX + 32)
        return false;
    c->payload = (size_t)payload;
    c->local = local_bytes(usable, c->payload);
    c->at = at;
    if (at + c->local + (c->local < c->payload ? 4 : 0) > usable)
        return false;
    c->overflow = c->local < c->payload ? be32(page + at + c->local) : 0;
    const size_t begin = at, end = at + c->local;
    if (!varint(page, end, &at, &head) || !varint(page, end, &at, &key) || !varint(page, end, &at, &value)
        || at - begin != head || key < 12 || key % 2 || value < 12 || value % 2)
        return false;
    c->key_len = (size_t)((key - 12) / 2);
    c->key_at = at;
    if (key > 12 + 2 * FOCAL_STORE_KEY_MAX || value > 12 + 2 * (uint64_t)FOCAL_STORE_VALUE_MAX)
        return false;
    c->value_len = (size_t)((value - 12) / 2);
    return c->key_len > 0 && c->key_at + c->key_len <= end && head + c->key_len + c->value_len == payload;
}

static bool read_value(struct focal_salvage *s, const struct cell *c, enum salvage_view view, struct focal_buf *value)
{
    size_t from = c->key_at + c->key_len, here = c->at + c->local - from;
    size_t left = c->value_len - here;
    focal_buf_bytes(value, s->page + from, here);
    for (uint32_t next = c->overflow; left > 0;) {
        size_t most = s->image.usable_bytes - 4, n = left < most ? left : most;
        if (!focal_salvage_page(&s->image, view, next, s->overflow))
            return false;
        focal_buf_bytes(value, s->overflow + 4, n);
        left -= n;
        next = be32(s->overflow);
    }
    return true;
}

/* ---- which shelf ----------------------------------------------------------------------------------------------------------- */

/* The root of a table by the row of the schema that stands in this cell; 0: none of ours. */
static uint32_t root_in_cell(const struct focal_salvage *s, size_t at, enum focal_shelf *shelf)
{
    const uint8_t *page = s->page;
    const size_t end = s->image.usable_bytes;
    uint64_t payload, rowid, head, types[4];
    if (!varint(page, end, &at, &payload) || !varint(page, end, &at, &rowid))
        return 0;
    const size_t begin = at;
    bool good = varint(page, end, &at, &head);
    for (size_t i = 0; i < 4 && good; i++)      /* type, name, name of its table, root */
        good = varint(page, end, &at, &types[i]);
    for (size_t i = 0; i < 3 && good; i++)
        good = types[i] >= 13 && types[i] < 200 && types[i] % 2;
    if (!good || types[3] < 1 || types[3] > 4 || head > end)
        return 0;
    size_t name = begin + (size_t)head + (size_t)(types[0] - 13) / 2, name_len = (size_t)(types[1] - 13) / 2;
    size_t root = name + name_len + (size_t)(types[2] - 13) / 2;
    if (root + types[3] > end)
        return 0;
    uint32_t number = 0;
    for (size_t i = 0; i < types[3]; i++)
        number = number << 8 | page[root + i];
    for (int k = FOCAL_SHELF_META; k <= FOCAL_SHELF_LAST; k++) {
        const char *table = focal_sqlite_table((enum focal_shelf)k);
        if (strlen(table) == name_len && memcmp(table, page + name, name_len) == 0) {
            *shelf = (enum focal_shelf)k;
            return number;
        }
    }
    return 0;
}

/* Where the schema cannot be read: tables were made in the order of their shelves, each with the next free page. */
static void find_roots(struct focal_salvage *s, enum salvage_view view, uint32_t roots[FOCAL_SHELF_LAST + 1])
{
    for (int k = FOCAL_SHELF_META; k <= FOCAL_SHELF_LAST; k++)
        roots[k] = (uint32_t)k + 1;
    if (!load(s, view, 1) || s->page[SCHEMA_AT] != PAGE_SCHEMA)
        return;
    size_t count = be16(s->page + SCHEMA_AT + 3);
    for (size_t i = 0; i < count && SCHEMA_AT + 8 + 2 * i + 2 <= s->image.usable_bytes; i++) {
        enum focal_shelf shelf;
        uint32_t root = root_in_cell(s, be16(s->page + SCHEMA_AT + 8 + 2 * i), &shelf);
        if (root > 1 && root <= s->image.page_count)
            roots[shelf] = root;
    }
}

/* Marks all pages of the tree under the root. A page that is owned already is not gone into again: trees do not meet. */
static enum focal_status own_tree(struct focal_salvage *s, enum salvage_view view, uint32_t root, enum focal_shelf shelf)
{
    struct focal_buf waiting;           /* pages to look at, as be32 */
    focal_buf_init(&waiting, SIZE_MAX / 2);
    focal_buf_be32(&waiting, root);
    while (waiting.len >= 4 && !waiting.failed) {
        uint32_t number = be32(waiting.data + waiting.len - 4);
        focal_buf_truncate(&waiting, waiting.len - 4);
        if (number < 2 || number > s->image.page_count || s->owner[number] || !load(s, view, number) || !is_tree(s->page))
            continue;
        s->owner[number] = (uint8_t)shelf;
        if (s->page[0] != PAGE_INNER)
            continue;
        size_t pointers, count = cells_of(s, &pointers);
        focal_buf_be32(&waiting, be32(s->page + 8));
        for (size_t i = 0; i < count; i++) {
            size_t at = be16(s->page + pointers + 2 * i);
            if (at + 4 <= s->image.usable_bytes)
                focal_buf_be32(&waiting, be32(s->page + at));
        }
    }
    bool failed = waiting.failed;
    focal_buf_close(&waiting);
    return failed ? FOCAL_NO_MEMORY : FOCAL_OK;
}

static enum focal_status own_pages(struct focal_salvage *s, enum salvage_view view)
{
    uint32_t roots[FOCAL_SHELF_LAST + 1];
    enum focal_status status = FOCAL_OK;
    memset(s->owner, 0, (size_t)s->image.page_count + 1);
    find_roots(s, view, roots);
    for (int k = FOCAL_SHELF_META; k <= FOCAL_SHELF_LAST && status == FOCAL_OK; k++)
        status = own_tree(s, view, roots[k], (enum focal_shelf)k);
    return status;
}

/* ---- the list ----------------------------------------------------------------------------------------------------------------- */

static enum focal_status add(struct focal_salvage *s, const struct cell *c, uint32_t page, size_t index, enum salvage_view view)
{
    if (s->count == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 256;
        struct salvaged *grown = focal_realloc(s->rows, cap * sizeof *grown);
        if (!grown)
            return FOCAL_NO_MEMORY;
        s->rows = grown;
        s->cap = cap;
    }
    const uint8_t *key = focal_arena_copy(&s->keys, s->page + c->key_at, c->key_len);
    if (!key)
        return FOCAL_NO_MEMORY;
    s->rows[s->count++] = (struct salvaged){ .key = key, .key_len = (uint8_t)c->key_len, .page = page, .cell = (uint16_t)index,
        .shelf = s->owner[page], .view = (uint8_t)view };
    return FOCAL_OK;
}

/* What an earlier view has shown already is not listed again. A row that goes on in other pages may differ there. */
static bool shown_before(const struct focal_salvage *s, enum salvage_view view, uint32_t page, const struct cell *c)
{
    for (int v = 0; v < (int)view; v++)
        if (s->image.differs[v] && focal_salvage_same(&s->image, (enum salvage_view)v, view, page))
            return c->overflow == 0 || focal_salvage_same(&s->image, (enum salvage_view)v, view, c->overflow);
    return false;
}

static enum focal_status list_view(struct focal_salvage *s, enum salvage_view view)
{
    enum focal_status status = own_pages(s, view);
    for (uint32_t page = 2; page <= s->image.page_count && status == FOCAL_OK; page++) {
        if ((s->owner[page] && !(s->shelves & 1u << s->owner[page])) || !load(s, view, page) || !is_tree(s->page))
            continue;
        size_t pointers, count = cells_of(s, &pointers);
        for (size_t i = 0; i < count && status == FOCAL_OK; i++) {
            struct cell c;
            if (read_cell(s, i, &c) && !(c.overflow > s->image.page_count) && !shown_before(s, view, page, &c))
                status = add(s, &c, page, i, view);
        }
    }
    return status;
}

static int order(const void *one, const void *other)
{
    const struct salvaged *a = one, *b = other;
    int by_key = focal_span_compare(focal_span_of(a->key, a->key_len), focal_span_of(b->key, b->key_len));
    if (by_key)
        return by_key;
    if (a->view != b->view)
        return a->view < b->view ? -1 : 1;
    if ((a->shelf == 0) != (b->shelf == 0))
        return a->shelf ? -1 : 1;
    return a->page != b->page ? (a->page < b->page ? -1 : 1) : (a->cell > b->cell) - (a->cell < b->cell);
}

/* ---- the door ------------------------------------------------------------------------------------------------------------------ */

static enum focal_status list_all(struct focal_salvage *s)
{
    enum focal_status status = FOCAL_OK;
    s->page = focal_alloc(s->image.page_bytes);
    s->overflow = focal_alloc(s->image.page_bytes);
    s->owner = focal_alloc((size_t)s->image.page_count + 1);
    if (!s->page || !s->overflow || !s->owner)
        return FOCAL_NO_MEMORY;
    for (int v = 0; v < VIEW_COUNT && status == FOCAL_OK; v++)
        if (s->image.differs[v])
            status = list_view(s, (enum salvage_view)v);
    if (s->count > 1)
        qsort(s->rows, s->count, sizeof *s->rows, order);
    return status;
}

enum focal_status focal_salvage_open(struct focal_salvage **out, const char *path, const struct focal_store_key *key, uint32_t shelves, struct focal_error *err)
{
    *out = NULL;
    struct focal_salvage *s = focal_alloc(sizeof *s);
    if (!s)
        return focal_fail(err, FOCAL_NO_MEMORY, "free some memory", "no memory to read %s", path);
    s->shelves = shelves;
    focal_arena_init(&s->keys, SIZE_MAX / 2);
    enum focal_status status = focal_salvage_image_open(&s->image, path, key, err);
    if (status == FOCAL_OK) {
        status = list_all(s);
        if (status != FOCAL_OK)
            focal_fail(err, status, "free some memory", "no memory to read %s", path);
    }
    if (status != FOCAL_OK) {
        focal_salvage_close(s);
        return status;
    }
    *out = s;
    return FOCAL_OK;
}

size_t focal_salvage_count(const struct focal_salvage *s)
{
    return s->count;
}

enum focal_status focal_salvage_row(struct focal_salvage *s, size_t i, enum focal_shelf *shelf, struct focal_buf *key, struct focal_buf *value)
{
    focal_assert(i < s->count);
    const struct salvaged *row = &s->rows[i];
    *shelf = (enum focal_shelf)row->shelf;
    focal_buf_clear(key);
    focal_buf_bytes(key, row->key, row->key_len);
    if (!value)
        return key->failed ? FOCAL_NO_MEMORY : FOCAL_OK;
    focal_buf_clear(value);
    struct cell c;
    bool read = load(s, (enum salvage_view)row->view, row->page) && read_cell(s, row->cell, &c)
                && read_value(s, &c, (enum salvage_view)row->view, value);
    if (key->failed || value->failed)
        return FOCAL_NO_MEMORY;
    return read ? FOCAL_OK : FOCAL_NOT_FOUND;
}

void focal_salvage_close(struct focal_salvage *s)
{
    if (!s)
        return;
    focal_salvage_image_close(&s->image);
    focal_free(s->page);
    focal_free(s->overflow);
    focal_free(s->owner);
    focal_free(s->rows);
    focal_arena_close(&s->keys);
    focal_free(s);
}
