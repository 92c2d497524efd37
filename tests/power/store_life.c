/* A life of the store: transactions over a few shelves, against a model of what was acknowledged. */
#include "life.h"

#include "fake_store.h"
#include "inside_store.h"

#include <stdlib.h>
#include <string.h>

enum { SHELVES = 4, KEYS = 48, OPS_MAX = 160, STEPS = 60 };

static const enum focal_shelf shelves[SHELVES] = { FOCAL_SHELF_META, FOCAL_SHELF_LOG, FOCAL_SHELF_SEGMENT, FOCAL_SHELF_PART };

/* One put (or del, when len is -1) of the transaction in flight. */
struct op { enum focal_shelf shelf; uint8_t key[8]; int64_t len; uint64_t fill; };

struct store_life {
    struct life *l;
    struct focal_store *model;
    uint64_t acknowledged;                  /* number of the last transaction that commit said OK to */
    struct op ops[OPS_MAX];
    size_t op_count;
    bool commit_called;
    bool big;                               /* values of megabytes, transactions larger than any cache */
    struct focal_store *shot;
    uint64_t shot_number;
    struct focal_buf value;                 /* scratch */
    struct focal_buf keys[2], values[2];
};

static const struct focal_span counter = { (const uint8_t *)"number", 6 };

/* ---- transactions ---- */

static int64_t draw_len(struct store_life *s, bool large)
{
    struct chance *c = &s->l->chance;
    if (s->big && chance_of(c, 20))
        return (int64_t)chance_below(c, FOCAL_STORE_VALUE_MAX + 1);
    if (large && chance_of(c, 10))
        return (int64_t)chance_below(c, 40000);
    return (int64_t)chance_below(c, chance_of(c, 85) ? 200 : 9000);
}

static void draw(struct store_life *s)
{
    struct chance *c = &s->l->chance;
    bool large = chance_of(c, 8);
    s->op_count = large ? 1 + chance_below(c, OPS_MAX) : 1 + chance_below(c, 4);
    for (size_t i = 0; i < s->op_count; i++) {
        struct op *op = &s->ops[i];
        op->shelf = shelves[chance_below(c, SHELVES)];
        memset(op->key, 0, sizeof op->key);
        op->key[0] = (uint8_t)chance_below(c, KEYS);
        op->len = chance_of(c, 25) ? -1 : draw_len(s, large);
        op->fill = chance_next(c);
    }
}

static struct focal_span value_of(struct store_life *s, const struct op *op)
{
    focal_buf_clear(&s->value);
    uint8_t *to = focal_buf_reserve(&s->value, (size_t)op->len);
    for (int64_t i = 0; to && i < op->len; i += 8) {
        uint64_t word = op->fill + (uint64_t)i;
        memcpy(to + i, &word, (size_t)(op->len - i < 8 ? op->len - i : 8));
    }
    if (to && (size_t)op->len >= sizeof LIFE_MARK)
        memcpy(to, LIFE_MARK, sizeof LIFE_MARK);
    return focal_buf_view(&s->value);
}

/* The transaction's number is a row of its own, so that what is found afterwards says which state it is. */
static enum focal_status write_into(struct store_life *s, struct focal_store *store, uint64_t number)
{
    uint8_t bytes[8];
    enum focal_status status = FOCAL_OK;
    for (size_t i = 0; i < s->op_count && status == FOCAL_OK; i++) {
        const struct op *op = &s->ops[i];
        struct focal_span key = focal_span_of(op->key, sizeof op->key);
        status = op->len < 0 ? focal_store_del(store, op->shelf, key) : focal_store_put(store, op->shelf, key, value_of(s, op));
    }
    focal_put_be64(bytes, number);
    return status == FOCAL_OK ? focal_store_put(store, FOCAL_SHELF_META, counter, focal_span_of(bytes, sizeof bytes)) : status;
}

static void acknowledge(struct store_life *s)
{
    s->acknowledged++;
    focal_assert(focal_store_begin(s->model) == FOCAL_OK);
    focal_assert(write_into(s, s->model, s->acknowledged) == FOCAL_OK);
    focal_assert(focal_store_commit(s->model) == FOCAL_OK);
}

static bool transact(struct store_life *s)
{
    struct life *l = s->l;
    bool give_up = chance_of(&l->chance, 6);
    draw(s);
    if (!life_is_well(l, focal_store_begin(l->store), "begin"))
        return false;
    enum focal_status status = write_into(s, l->store, s->acknowledged + 1);
    if (status != FOCAL_OK || give_up) {
        focal_store_rollback(l->store);
        return life_is_well(l, status, "put");
    }
    s->commit_called = true;
    if (!life_is_well(l, focal_store_commit(l->store), "commit"))
        return false;
    s->commit_called = false;
    acknowledge(s);
    l->totals->commits++;
    return true;
}

/* ---- looking ---- */

static uint64_t number_in(struct store_life *s, struct focal_store *store)
{
    if (focal_store_get(store, FOCAL_SHELF_META, counter, &s->value) != FOCAL_OK || s->value.len != 8)
        return 0;
    return focal_get_be64(s->value.data);
}

static bool same_shelf(struct store_life *s, enum focal_shelf shelf)
{
    focal_buf_clear(&s->keys[0]);
    focal_buf_clear(&s->keys[1]);
    for (;;) {
        enum focal_status real = focal_store_next(s->l->store, shelf, focal_buf_view(&s->keys[0]), &s->keys[0], &s->values[0]);
        enum focal_status held = focal_store_next(s->model, shelf, focal_buf_view(&s->keys[1]), &s->keys[1], &s->values[1]);
        if (real != FOCAL_OK && real != FOCAL_NOT_FOUND)
            return disk_is_off(s->l->disk) ? false
                                           : life_fault(s->l, &s->l->totals->corrupt, "reading shelf %d gave %s", shelf,
                                                        focal_status_name(real));
        if (real != held || !focal_span_equal(focal_buf_view(&s->keys[0]), focal_buf_view(&s->keys[1]))
            || !focal_span_equal(focal_buf_view(&s->values[0]), focal_buf_view(&s->values[1])))
            return life_fault(s->l, &s->l->totals->corrupt, "shelf %d is not what transaction %llu left", shelf,
                              (unsigned long long)s->acknowledged);
        if (real == FOCAL_NOT_FOUND)
            return true;
    }
}

static bool nothing_else(struct store_life *s)
{
    for (int shelf = FOCAL_SHELF_META; shelf <= FOCAL_SHELF_LAST; shelf++) {
        bool used = false;
        for (size_t i = 0; i < SHELVES; i++)
            used = used || (int)shelves[i] == shelf;
        if (used)
            continue;
        enum focal_status status = focal_store_next(s->l->store, (enum focal_shelf)shelf, focal_span_of(NULL, 0), &s->keys[0], NULL);
        if (status != FOCAL_NOT_FOUND)
            return life_fault(s->l, &s->l->totals->corrupt, "shelf %d holds a row that nobody put there", shelf);
    }
    return true;
}

static bool look(struct store_life *s)
{
    struct life *l = s->l;
    uint64_t number = number_in(s, l->store);
    if (number == s->acknowledged + 1 && s->commit_called)
        acknowledge(s);
    if (number < s->acknowledged)
        return life_fault(l, &l->totals->lost, "transaction %llu was acknowledged, and the last one there is %llu",
                          (unsigned long long)s->acknowledged, (unsigned long long)number);
    if (number > s->acknowledged)
        return life_fault(l, &l->totals->corrupt, "transaction %llu is there, and was never to be", (unsigned long long)number);
    s->commit_called = false;
    for (size_t i = 0; i < SHELVES; i++)
        if (!same_shelf(s, shelves[i]))
            return false;
    return l->totals->openings % 16 != 0 || (nothing_else(s) && life_deep_check(l) && life_looks_closed(l));
}

/* ---- other things an office does ---- */

static bool use_snapshot(struct store_life *s)
{
    struct life *l = s->l;
    if (!s->shot) {
        s->shot_number = s->acknowledged;
        return life_is_well(l, focal_store_snapshot(l->store, &s->shot), "snapshot");
    }
    uint64_t number = number_in(s, s->shot);
    focal_store_close(s->shot);
    s->shot = NULL;
    if (number != s->shot_number && !disk_is_off(l->disk))
        return life_fault(l, &l->totals->corrupt, "a snapshot of transaction %llu shows %llu", (unsigned long long)s->shot_number,
                          (unsigned long long)number);
    return true;
}

static void checkpoint(struct store_life *s)
{
    static const char *const ways[] = { "PRAGMA wal_checkpoint(PASSIVE)", "PRAGMA wal_checkpoint(FULL)",
                                        "PRAGMA wal_checkpoint(RESTART)", "PRAGMA wal_checkpoint(TRUNCATE)" };
    /* Its result does not matter: what matters is what is there after the next cut. */
    (void)sqlite3_exec(power_connection(s->l->store), ways[chance_below(&s->l->chance, 4)], NULL, NULL, NULL);
}

static bool scrub(struct store_life *s)
{
    enum focal_status status = focal_store_scrub(s->l->store);
    return status == FOCAL_BUSY ? s->shot != NULL : life_is_well(s->l, status, "scrub");
}

static bool rekey(struct store_life *s)
{
    enum focal_status status = life_rekey(s->l);
    if (status == FOCAL_OK && s->shot)
        return life_fault(s->l, &s->l->totals->corrupt, "the key was changed under a snapshot that is open");
    return status == FOCAL_BUSY ? s->shot != NULL : life_is_well(s->l, status, "rekey");
}

static bool reopen(struct store_life *s)
{
    focal_store_close(s->shot);
    s->shot = NULL;
    life_close(s->l);
    return !disk_is_off(s->l->disk) && life_open(s->l) == OPENED && look(s);
}

static bool step(struct store_life *s)
{
    switch (chance_below(&s->l->chance, 24)) {
    case 0:
        return reopen(s);
    case 1:
        checkpoint(s);
        return true;
    case 2:
        return use_snapshot(s);
    case 3:
        return s->l->seed % 3 != 0 || scrub(s);
    case 4:
        return s->l->seed % 4 != 1 || s->big || rekey(s);
    default:
        return transact(s);
    }
}

static void between_cuts(struct store_life *s)
{
    life_plan(s->l);
    if (life_open(s->l) != OPENED || !look(s))
        return;
    for (int i = 0; i < STEPS && !disk_is_off(s->l->disk) && !s->l->why[0]; i++)
        if (!step(s))
            break;
    /* Nothing is begun after a failed fsync. */
    if (s->commit_called && !disk_is_off(s->l->disk) && s->l->store && focal_store_begin(s->l->store) != FOCAL_IO)
        life_fault(s->l, &s->l->totals->wrong, "a store goes on after a failed fsync");
}

bool store_life(struct life *l)
{
    struct store_life *s = calloc(1, sizeof *s);
    focal_assert(s);
    s->l = l;
    s->model = focal_fake_store_new();
    focal_assert(s->model);
    s->big = l->seed % 512 == 1;
    focal_buf_init(&s->value, FOCAL_STORE_VALUE_MAX);
    for (int i = 0; i < 2; i++) {
        focal_buf_init(&s->keys[i], FOCAL_STORE_KEY_MAX);
        focal_buf_init(&s->values[i], FOCAL_STORE_VALUE_MAX);
    }
    unsigned cuts = s->big ? l->cuts / 4 : l->cuts;
    for (unsigned i = 0; i <= cuts && !l->why[0]; i++) {
        between_cuts(s);
        focal_store_close(s->shot);
        s->shot = NULL;
        life_end(l);
    }
    focal_buf_close(&s->value);
    for (int i = 0; i < 2; i++) {
        focal_buf_close(&s->keys[i]);
        focal_buf_close(&s->values[i]);
    }
    focal_store_close(s->model);
    free(s);
    return !l->why[0];
}
