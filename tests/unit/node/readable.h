/* The rows of a store as those of a damaged one are handed to a node: in order of key over all shelves. */
#ifndef FOCAL_TESTS_READABLE_H
#define FOCAL_TESTS_READABLE_H

#include "places.h"

#include <stdlib.h>

enum { ROWS_MAX = 2000 };
struct old_row { enum focal_shelf shelf; struct focal_buf key, value; };
struct old_rows { struct old_row list[ROWS_MAX]; size_t count; };

static inline int old_order(const void *one, const void *other)
{
    const struct old_row *a = one, *b = other;
    int by_key = focal_span_compare(focal_buf_view(&a->key), focal_buf_view(&b->key));
    return by_key ? by_key : (int)a->shelf - (int)b->shelf;
}

static inline void old_take(struct old_rows *o, struct focal_store *store)
{
    o->count = 0;
    for (int shelf = FOCAL_SHELF_META; shelf <= FOCAL_SHELF_LAST; shelf++) {
        struct focal_span after = { NULL, 0 };
        for (;;) {
            assert_true(o->count < ROWS_MAX);
            struct old_row *r = &o->list[o->count];
            r->shelf = (enum focal_shelf)shelf;
            focal_buf_init(&r->key, FOCAL_STORE_KEY_MAX);
            focal_buf_init(&r->value, FOCAL_STORE_VALUE_MAX);
            if (focal_store_next(store, r->shelf, after, &r->key, &r->value) != FOCAL_OK)
                break;
            after = focal_buf_view(&r->key);
            o->count++;
        }
        focal_buf_close(&o->list[o->count].key);
        focal_buf_close(&o->list[o->count].value);
    }
    qsort(o->list, o->count, sizeof *o->list, old_order);
}

static inline void old_close(struct old_rows *o)
{
    for (size_t i = 0; i < o->count; i++) {
        focal_buf_close(&o->list[i].key);
        focal_buf_close(&o->list[i].value);
    }
    o->count = 0;
}

static inline void old_drop(struct old_rows *o, size_t i)
{
    focal_buf_close(&o->list[i].key);
    focal_buf_close(&o->list[i].value);
    memmove(&o->list[i], &o->list[i + 1], (o->count - i - 1) * sizeof *o->list);
    o->count--;
}

static inline void old_drop_shelf(struct old_rows *o, enum focal_shelf shelf)
{
    for (size_t i = o->count; i-- > 0;)
        if (o->list[i].shelf == shelf)
            old_drop(o, i);
}

static inline size_t old_count(const struct old_rows *o, enum focal_shelf shelf)
{
    size_t count = 0;
    for (size_t i = 0; i < o->count; i++)
        count += o->list[i].shelf == shelf;
    return count;
}

static inline enum focal_status old_read(void *data, size_t i, enum focal_shelf *shelf, struct focal_buf *key, struct focal_buf *value)
{
    const struct old_rows *o = data;
    *shelf = o->list[i].shelf;
    focal_buf_clear(key);
    focal_buf_span(key, focal_buf_view(&o->list[i].key));
    if (value) {
        focal_buf_clear(value);
        focal_buf_span(value, focal_buf_view(&o->list[i].value));
    }
    return FOCAL_OK;
}

static inline enum focal_status found_again(struct focal_store *fresh, struct place *p, struct old_rows *old, const struct focal_buf *keepsake,
                                            struct focal_rejoined *told, struct focal_error *err)
{
    struct focal_entropy entropy = { chance_fill, &p->chance };
    struct focal_readable rows = { .data = old, .count = old ? old->count : 0, .row = old_read };
    return focal_node_found_again(fresh, &p->keys, &entropy, keepsake ? focal_buf_view(keepsake) : focal_span_of(NULL, 0), old ? &rows : NULL, told, err);
}

/* The place goes on with what can be had of its old store. */
static inline void rejoin(struct place *p, struct old_rows *old, const struct focal_buf *keepsake, struct focal_rejoined *told)
{
    struct focal_error err = { .status = FOCAL_OK };
    struct focal_store *fresh = focal_fake_store_new();
    assert_non_null(fresh);
    focal_node_close(p->node);
    p->node = NULL;
    if (found_again(fresh, p, old, keepsake, told, &err) != FOCAL_OK)
        fail_msg("%s", err.message);
    focal_store_close(p->store);
    p->store = fresh;
    p->dial_count = 0;
    place_open(p);
}

static inline uint64_t entries_of(struct place *p)
{
    uint64_t sum = 0;
    struct focal_oplog *ol = focal_node_oplog(p->node);
    for (size_t i = 0; i < focal_oplog_log_count(ol); i++)
        sum += focal_oplog_log_at(ol, i)->head.seq - focal_oplog_log_at(ol, i)->base.seq;
    return sum;
}

static inline void assert_sound(struct place *p)
{
    struct focal_verify *v;
    enum focal_status st;
    assert_int_equal(focal_verify_open(&v, focal_node_oplog(p->node)), FOCAL_OK);
    while ((st = focal_verify_slice(v, 1000)) == FOCAL_MORE) {}
    assert_int_equal(st, FOCAL_OK);
    if (focal_verify_error_count(v))
        fail_msg("%s: %s", p->code, focal_verify_error(v, 0));
    focal_verify_close(v);
}

#endif
