/* Random calls, the same to both implementations of focal/store.h: they answer alike. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_store.h"
#include "focal/store_sqlite.h"
#include "store_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t draw(uint64_t *state)
{
    *state += 0x9E3779B97F4A7C15u;
    uint64_t z = *state;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static struct focal_span draw_key(uint64_t *chance, uint8_t *room)
{
    size_t len = 1 + draw(chance) % 3;
    for (size_t i = 0; i < len; i++)
        room[i] = (uint8_t)(draw(chance) % 6 * 51);
    return focal_span_of(room, len);
}

struct pair { struct focal_store *a, *b; struct focal_buf key_a, key_b, value_a, value_b; };

static void same_answer(struct pair *p, enum focal_status a, enum focal_status b, bool keys)
{
    assert_int_equal(a, b);
    assert_true(focal_span_equal(focal_buf_view(&p->value_a), focal_buf_view(&p->value_b)));
    if (keys)
        assert_true(focal_span_equal(focal_buf_view(&p->key_a), focal_buf_view(&p->key_b)));
}

static void same_shelves(struct pair *p, struct focal_store *a, struct focal_store *b)
{
    char line[200];
    for (int shelf = FOCAL_SHELF_META; shelf <= 3; shelf++) {
        struct focal_buf why;
        focal_buf_init(&why, sizeof line - 1);
        if (focal_shelf_compare(a, b, (enum focal_shelf)shelf, &why) != FOCAL_OK)
            fail_msg("shelf %d: %s", shelf, focal_buf_cstr(&why));
        focal_buf_close(&why);
    }
    (void)p;
}

static void one_call(struct pair *p, uint64_t *chance, bool *open)
{
    uint8_t room[4], bytes[600];
    struct focal_span key = draw_key(chance, room);
    enum focal_shelf shelf = (enum focal_shelf)(1 + draw(chance) % 3);
    uint64_t what = draw(chance) % 100;
    if (!*open && what < 60) {
        assert_int_equal(focal_store_begin(p->a), FOCAL_OK);
        assert_int_equal(focal_store_begin(p->b), FOCAL_OK);
        *open = true;
    }
    if (what < 30) {
        size_t len = draw(chance) % 8 ? draw(chance) % 20 : draw(chance) % sizeof bytes;
        memset(bytes, (int)(draw(chance) & 0xFF), len);
        assert_int_equal(focal_store_put(p->a, shelf, key, focal_span_of(bytes, len)), FOCAL_OK);
        assert_int_equal(focal_store_put(p->b, shelf, key, focal_span_of(bytes, len)), FOCAL_OK);
    } else if (what < 42) {
        assert_int_equal(focal_store_del(p->a, shelf, key), FOCAL_OK);
        assert_int_equal(focal_store_del(p->b, shelf, key), FOCAL_OK);
    } else if (what < 55) {
        same_answer(p, focal_store_get(p->a, shelf, key, &p->value_a), focal_store_get(p->b, shelf, key, &p->value_b),
                    false);
    } else if (what < 85) {
        /* Half of the time the walk goes on from where it stood. */
        struct focal_span at_a = what & 1 ? key : focal_buf_view(&p->key_a);
        struct focal_span at_b = what & 1 ? key : focal_buf_view(&p->key_b);
        same_answer(p, focal_store_next(p->a, shelf, at_a, &p->key_a, &p->value_a),
                    focal_store_next(p->b, shelf, at_b, &p->key_b, &p->value_b), true);
    } else if (what < 93) {
        same_answer(p, focal_store_prev(p->a, shelf, key, &p->key_a, &p->value_a),
                    focal_store_prev(p->b, shelf, key, &p->key_b, &p->value_b), true);
    } else if (*open) {
        *open = false;
        if (what < 97) {
            assert_int_equal(focal_store_commit(p->a), FOCAL_OK);
            assert_int_equal(focal_store_commit(p->b), FOCAL_OK);
        } else {
            focal_store_rollback(p->a);
            focal_store_rollback(p->b);
        }
        same_shelves(p, p->a, p->b);
    }
}

static void both_agree(void **state)
{
    struct pair p = { .b = focal_fake_store_new() };
    char directory[] = "/tmp/focal-agree-XXXXXX", path[sizeof directory + 16];
    (void)state;
    assert_non_null(p.b);
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/db", directory);
    assert_int_equal(focal_sqlite_open(&p.a, &(struct focal_sqlite_options){ SEALED, .path = path, .create = true }, NULL), FOCAL_OK);
    focal_buf_init(&p.key_a, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&p.key_b, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&p.value_a, FOCAL_STORE_VALUE_MAX);
    focal_buf_init(&p.value_b, FOCAL_STORE_VALUE_MAX);
    uint64_t chance = 20250611;
    bool open = false;
    for (int i = 0; i < 20000; i++) {
        one_call(&p, &chance, &open);
        if (i % 1000 == 999) {
            struct focal_store *a, *c;
            assert_int_equal(focal_store_snapshot(p.a, &a), FOCAL_OK);
            assert_int_equal(focal_store_snapshot(p.b, &c), FOCAL_OK);
            same_shelves(&p, a, c);
            focal_store_close(a);
            focal_store_close(c);
        }
    }
    focal_buf_close(&p.key_a);
    focal_buf_close(&p.key_b);
    focal_buf_close(&p.value_a);
    focal_buf_close(&p.value_b);
    focal_store_close(p.a);
    focal_store_close(p.b);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/db.lock", directory);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_agree),
    };
    return cmocka_run_group_tests_name("store agreement", tests, NULL, NULL);
}
