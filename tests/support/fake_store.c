/* A transaction works on the shelves themselves and keeps an undo log; what it removes or replaces is kept aside in
 * that log, so that rollback needs no memory and cannot fail. */
#include "fake_store.h"

#include "fake_inside.h"

#include <string.h>

static const struct focal_store_ops fake_ops;

static struct fake_store *of(struct focal_store *base)
{
    return fake_of(base);
}

struct fake_store *fake_of(struct focal_store *base)
{
    focal_assert(base->ops == &fake_ops);
    return (struct fake_store *)base;
}

/* ---- undo ---- */

static enum focal_status make_undo_room(struct fake_store *store)
{
    if (store->undo_count < store->undo_cap)
        return FOCAL_OK;
    size_t cap = store->undo_cap ? 2 * store->undo_cap : 64;
    struct undo *undo = focal_realloc(store->undo, cap * sizeof *undo);
    if (!undo)
        return FOCAL_NO_MEMORY;
    store->undo = undo;
    store->undo_cap = cap;
    return FOCAL_OK;
}

static void note(struct fake_store *store, enum undo_kind kind, enum focal_shelf shelf, struct fake_row *row,
                 struct fake_value *old)
{
    focal_assert(store->undo_count < store->undo_cap);
    store->undo[store->undo_count++] = (struct undo){ .kind = kind, .shelf = (int)shelf, .row = row, .old = old };
}

static void take_back(struct fake_store *store)
{
    while (store->undo_count > 0) {
        struct undo *undo = &store->undo[--store->undo_count];
        struct fake_shelf *shelf = &store->shelves[undo->shelf];
        switch (undo->kind) {
        case INSERTED:
            fake_shelf_unlink(shelf, undo->row);
            fake_row_free(undo->row);
            break;
        case REPLACED:
            focal_free(fake_shelf_swap(shelf, undo->row, undo->old));
            break;
        case REMOVED:
            fake_shelf_link(shelf, undo->row);
            break;
        }
    }
}

static void forget_undo(struct fake_store *store)
{
    for (size_t i = 0; i < store->undo_count; i++) {
        const struct fake_value *old = store->undo[i].kind == REPLACED ? store->undo[i].old
            : store->undo[i].kind == REMOVED                           ? store->undo[i].row->value
                                                                       : NULL;
        if (old && store->keeps_log)
            focal_buf_bytes(&store->log, old->bytes, old->len);
        if (store->undo[i].kind == REPLACED)
            focal_free(store->undo[i].old);
        else if (store->undo[i].kind == REMOVED)
            fake_row_free(store->undo[i].row);
    }
    store->undo_count = 0;
}

/* The same steps back, done to a copy: the log stays as it is, so what it holds is copied too. */
enum focal_status fake_take_back_in(struct fake_store *copy, const struct fake_store *from)
{
    for (size_t i = from->undo_count; i-- > 0;) {
        const struct undo *undo = &from->undo[i];
        struct fake_shelf *shelf = &copy->shelves[undo->shelf];
        struct focal_span key = fake_row_key(undo->row);
        struct fake_row *row = fake_shelf_find(shelf, key);
        focal_assert((row == NULL) == (undo->kind == REMOVED));
        if (undo->kind == INSERTED) {
            fake_shelf_unlink(shelf, row);
            fake_row_free(row);
            continue;
        }
        const struct fake_value *old = undo->kind == REPLACED ? undo->old : undo->row->value;
        struct fake_value *value = fake_value_new(focal_span_of(old->bytes, old->len));
        if (!value)
            return FOCAL_NO_MEMORY;
        if (row) {
            focal_free(fake_shelf_swap(shelf, row, value));
        } else if (!fake_shelf_insert(shelf, key, value)) {
            focal_free(value);
            return FOCAL_NO_MEMORY;
        }
    }
    return FOCAL_OK;
}

/* ---- failing ---- */

static enum focal_status planned(struct fake_store *store, unsigned kind)
{
    if (store->aside > 0)
        return FOCAL_OK;
    store->operations++;
    struct focal_fake_failure *plan = &store->plan;
    if (plan->nth == 0 || !(plan->kinds & kind))
        return FOCAL_OK;
    if (plan->nth > 1) {
        plan->nth--;
        return FOCAL_OK;
    }
    if (!plan->from_then_on)
        plan->nth = 0;
    store->failed = true;
    return plan->status;
}

void focal_fake_store_plan(struct focal_store *base, struct focal_fake_failure plan)
{
    focal_assert(plan.nth == 0 || (plan.status != FOCAL_OK && plan.kinds != 0));
    of(base)->plan = plan;
    of(base)->failed = false;
}

bool focal_fake_store_failed(const struct focal_store *base)
{
    focal_assert(base->ops == &fake_ops);
    return ((const struct fake_store *)base)->failed;
}

uint64_t focal_fake_store_operations(const struct focal_store *base)
{
    focal_assert(base->ops == &fake_ops);
    return ((const struct fake_store *)base)->operations;
}

void focal_fake_store_lay_aside(struct focal_store *base)
{
    if (base->ops == &fake_ops)
        of(base)->aside++;
}

void focal_fake_store_take_up(struct focal_store *base)
{
    if (base->ops != &fake_ops)
        return;
    focal_assert(of(base)->aside > 0);
    of(base)->aside--;
}

struct fake_store *fake_copy_of(const struct fake_store *from)
{
    struct focal_store *made = focal_fake_store_new();
    if (!made)
        return NULL;
    struct fake_store *to = of(made);
    for (int shelf = FOCAL_SHELF_META; shelf <= FOCAL_SHELF_LAST; shelf++) {
        if (fake_shelf_copy(&to->shelves[shelf], &from->shelves[shelf]) != FOCAL_OK) {
            focal_store_close(made);
            return NULL;
        }
    }
    return to;
}

void fake_swap_shelves(struct fake_store *a, struct fake_store *b)
{
    for (int shelf = FOCAL_SHELF_META; shelf <= FOCAL_SHELF_LAST; shelf++) {
        struct fake_shelf kept = a->shelves[shelf];
        a->shelves[shelf] = b->shelves[shelf];
        b->shelves[shelf] = kept;
    }
}

void fake_power_off(struct fake_store *store)
{
    focal_store_rollback(&store->base);
    store->dead = false;
    store->plan = (struct focal_fake_failure){ .nth = 0 };
    if (!store->disk)
        return;
    fake_swap_shelves(store, store->disk);
    focal_store_close(&store->disk->base);
    store->disk = NULL;
}

void focal_fake_store_crash(struct focal_store *base)
{
    fake_power_off(of(base));
    fake_fence_start(of(base));
}

/* ---- space ---- */

void focal_fake_store_space(struct focal_store *base, enum focal_space space, unsigned pieces)
{
    of(base)->space = space;
    of(base)->pieces = pieces;
}

static enum focal_space space_left(struct focal_store *base, uint64_t *wanted)
{
    *wanted = of(base)->space == FOCAL_SPACE_ENOUGH ? 0 : 1 << 20;
    return of(base)->space;
}

static enum focal_status release(struct focal_store *base)
{
    struct fake_store *store = of(base);
    focal_assert(!store->in_transaction);
    if (store->pieces == 0)
        return FOCAL_DISK_FULL;
    store->pieces--;
    if (store->plan.status == FOCAL_DISK_FULL)
        store->plan = (struct focal_fake_failure){ .nth = 0 };
    return FOCAL_OK;
}

/* ---- deleted content ---- */

void focal_fake_store_keep_log(struct focal_store *base)
{
    of(base)->keeps_log = true;
}

static bool within(struct focal_span bytes, struct focal_span in)
{
    for (size_t at = 0; bytes.len > 0 && at + bytes.len <= in.len; at++)
        if (memcmp(in.data + at, bytes.data, bytes.len) == 0)
            return true;
    return false;
}

bool focal_fake_store_holds(const struct focal_store *base, struct focal_span bytes)
{
    const struct fake_store *store = (const struct fake_store *)base;
    focal_assert(base->ops == &fake_ops && !store->log.failed);
    if (within(bytes, focal_buf_view(&store->log)))
        return true;
    for (int shelf = FOCAL_SHELF_META; shelf <= FOCAL_SHELF_LAST; shelf++)
        for (const struct fake_row *row = store->shelves[shelf].first[0]; row; row = row->links[0])
            if (within(bytes, fake_row_key(row)) || within(bytes, focal_span_of(row->value->bytes, row->value->len)))
                return true;
    return false;
}

static enum focal_status scrub(struct focal_store *base)
{
    struct fake_store *store = of(base);
    focal_assert(!store->in_transaction);
    if (store->is_snapshot)
        return FOCAL_DENIED;
    if (store->dead)
        return FOCAL_IO;
    enum focal_status status = planned(store, FOCAL_FAKE_SCRUB);
    if (status == FOCAL_OK && store->shots)
        status = FOCAL_BUSY;
    if (status == FOCAL_OK)
        focal_buf_clear(&store->log);
    return status;
}

/* ---- transaction ---- */

static enum focal_status begin(struct focal_store *base)
{
    struct fake_store *store = of(base);
    focal_assert(!store->in_transaction);
    if (store->is_snapshot)
        return FOCAL_DENIED;
    if (store->dead)
        return FOCAL_IO;
    enum focal_status status = planned(store, FOCAL_FAKE_BEGIN);
    if (status != FOCAL_OK)
        return status;
    store->in_transaction = true;
    store->wrote = false;
    store->doom = FOCAL_OK;
    return FOCAL_OK;
}

static void rollback(struct focal_store *base)
{
    struct fake_store *store = of(base);
    if (!store->in_transaction)
        return;
    take_back(store);
    store->in_transaction = false;
}

static enum focal_status commit(struct focal_store *base)
{
    struct fake_store *store = of(base);
    struct fake_mark next;
    focal_assert(store->in_transaction);
    enum focal_status status = store->doom;
    bool marks = store->keeps_fence && store->wrote;
    if (status == FOCAL_OK && marks)
        status = fake_fence_row(store, &next);
    if (status == FOCAL_OK) {
        status = planned(store, FOCAL_FAKE_COMMIT);
        if (status == FOCAL_IO) {
            store->dead = true;
            if (store->plan.commit_reaches_disk)
                store->disk = fake_copy_of(store);
        }
    }
    enum focal_status marked = status == FOCAL_OK && marks && !store->gave_up ? planned(store, FOCAL_FAKE_FENCE) : FOCAL_OK;
    if (marked == FOCAL_IO) {
        status = FOCAL_IO;
        store->dead = true;
        store->disk = fake_copy_of(store);
    }
    if (status != FOCAL_OK) {
        rollback(base);
        return status;
    }
    forget_undo(store);
    store->in_transaction = false;
    if (!marks)
        return FOCAL_OK;
    store->highest = next.generation;
    if (marked != FOCAL_OK) {
        store->gave_up = true;
        store->fence.there = false;
    } else if (!store->gave_up) {
        fake_fence_mark(store, &next);
    }
    return FOCAL_OK;
}

/* ---- writing ---- */

static enum focal_status doom(struct fake_store *store, enum focal_status status)
{
    if (store->doom == FOCAL_OK)
        store->doom = status;
    return status;
}

/* What put and del have in common before they touch the shelf. */
static enum focal_status may_write(struct fake_store *store, unsigned kind)
{
    focal_assert(store->in_transaction);
    if (store->doom != FOCAL_OK)
        return store->doom;
    enum focal_status status = planned(store, kind);
    if (status == FOCAL_OK)
        status = make_undo_room(store);
    store->wrote = true;
    return status == FOCAL_OK ? FOCAL_OK : doom(store, status);
}

static enum focal_status put(struct focal_store *base, enum focal_shelf number, struct focal_span key,
                             struct focal_span bytes)
{
    struct fake_store *store = of(base);
    enum focal_status status = may_write(store, FOCAL_FAKE_PUT);
    if (status != FOCAL_OK)
        return status;
    struct fake_value *value = fake_value_new(bytes);
    if (!value)
        return doom(store, FOCAL_NO_MEMORY);
    struct fake_shelf *shelf = &store->shelves[number];
    struct fake_row *row = fake_shelf_find(shelf, key);
    if (row) {
        note(store, REPLACED, number, row, fake_shelf_swap(shelf, row, value));
        return FOCAL_OK;
    }
    row = fake_shelf_insert(shelf, key, value);
    if (!row) {
        focal_free(value);
        return doom(store, FOCAL_NO_MEMORY);
    }
    note(store, INSERTED, number, row, NULL);
    return FOCAL_OK;
}

static enum focal_status del(struct focal_store *base, enum focal_shelf number, struct focal_span key)
{
    struct fake_store *store = of(base);
    enum focal_status status = may_write(store, FOCAL_FAKE_DEL);
    if (status != FOCAL_OK)
        return status;
    struct fake_row *row = fake_shelf_find(&store->shelves[number], key);
    if (row) {
        fake_shelf_unlink(&store->shelves[number], row);
        note(store, REMOVED, number, row, NULL);
    }
    return FOCAL_OK;
}

/* ---- reading ---- */

static enum focal_status hand_out(struct focal_buf *to, struct focal_span bytes)
{
    focal_buf_clear(to);
    focal_buf_span(to, bytes);
    if (!to->failed)
        return FOCAL_OK;
    return bytes.len > to->limit ? FOCAL_TOO_BIG : FOCAL_NO_MEMORY;
}

static enum focal_status hand_out_row(const struct fake_row *row, struct focal_buf *key, struct focal_buf *value)
{
    if (!row) {
        if (key)
            focal_buf_clear(key);
        if (value)
            focal_buf_clear(value);
        return FOCAL_NOT_FOUND;
    }
    enum focal_status status = key ? hand_out(key, fake_row_key(row)) : FOCAL_OK;
    if (status == FOCAL_OK && value)
        status = hand_out(value, focal_span_of(row->value->bytes, row->value->len));
    return status;
}

static enum focal_status get(struct focal_store *base, enum focal_shelf number, struct focal_span key,
                             struct focal_buf *value)
{
    struct fake_store *store = of(base);
    enum focal_status status = planned(store, FOCAL_FAKE_GET);
    if (status != FOCAL_OK)
        return status;
    return hand_out_row(fake_shelf_find(&store->shelves[number], key), NULL, value);
}

static enum focal_status next(struct focal_store *base, enum focal_shelf number, struct focal_span after,
                              struct focal_buf *key, struct focal_buf *value)
{
    struct fake_store *store = of(base);
    enum focal_status status = planned(store, FOCAL_FAKE_NEXT);
    if (status != FOCAL_OK)
        return status;
    struct fake_shelf *shelf = &store->shelves[number];
    shelf->finger = fake_shelf_above(shelf, after);
    return hand_out_row(shelf->finger, key, value);
}

static enum focal_status prev(struct focal_store *base, enum focal_shelf number, struct focal_span before,
                              struct focal_buf *key, struct focal_buf *value)
{
    struct fake_store *store = of(base);
    enum focal_status status = planned(store, FOCAL_FAKE_PREV);
    if (status != FOCAL_OK)
        return status;
    uint8_t highest[FOCAL_STORE_KEY_MAX + 1];
    if (before.len == 0) {
        memset(highest, 0xFF, sizeof highest);
        before = focal_span_of(highest, sizeof highest);
    }
    return hand_out_row(fake_shelf_below(&store->shelves[number], before), key, value);
}

/* ---- the rest ---- */

static enum focal_status snapshot(struct focal_store *base, struct focal_store **out)
{
    struct fake_store *from = of(base);
    *out = NULL;
    if (from->is_snapshot)
        return FOCAL_DENIED;
    enum focal_status status = planned(from, FOCAL_FAKE_SNAPSHOT);
    if (status != FOCAL_OK)
        return status;
    struct fake_store *copy = fake_copy_of(from);
    if (!copy)
        return FOCAL_NO_MEMORY;
    status = fake_take_back_in(copy, from);
    if (status != FOCAL_OK) {
        focal_store_close(&copy->base);
        return status;
    }
    copy->is_snapshot = true;
    copy->parent = from;
    copy->sibling = from->shots;
    from->shots = copy;
    *out = &copy->base;
    return FOCAL_OK;
}

static enum focal_status sizes(struct focal_store *base, uint64_t *bytes_on_disk)
{
    struct fake_store *store = of(base);
    *bytes_on_disk = 0;
    for (int shelf = FOCAL_SHELF_META; shelf <= FOCAL_SHELF_LAST; shelf++)
        *bytes_on_disk += store->shelves[shelf].bytes;
    return FOCAL_OK;
}

static void close_store(struct focal_store *base)
{
    struct fake_store *store = of(base);
    rollback(base);
    for (struct fake_store **at = store->parent ? &store->parent->shots : NULL; at && *at; at = &(*at)->sibling) {
        if (*at == store) {
            *at = store->sibling;
            break;
        }
    }
    for (struct fake_store *shot = store->shots; shot; shot = shot->sibling)
        shot->parent = NULL;
    focal_buf_close(&store->log);
    for (int shelf = FOCAL_SHELF_META; shelf <= FOCAL_SHELF_LAST; shelf++)
        fake_shelf_close(&store->shelves[shelf]);
    if (store->disk)
        close_store(&store->disk->base);
    focal_free(store->undo);
    focal_free(store);
}

static const struct focal_store_ops fake_ops = {
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .get = get,
    .put = put,
    .del = del,
    .next = next,
    .prev = prev,
    .snapshot = snapshot,
    .sizes = sizes,
    .fence = fake_fence_verdict,
    .scrub = scrub,
    .space = space_left,
    .release = release,
    .close = close_store,
};

struct focal_store *focal_fake_store_new(void)
{
    struct fake_store *store = focal_alloc(sizeof *store);
    if (!store)
        return NULL;
    store->base.ops = &fake_ops;
    focal_buf_init(&store->log, LOG_BYTES);
    for (int shelf = FOCAL_SHELF_META; shelf <= FOCAL_SHELF_LAST; shelf++)
        fake_shelf_init(&store->shelves[shelf]);
    return &store->base;
}
