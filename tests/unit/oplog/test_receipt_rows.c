/* Receipts that are not as an honest office makes them, rows that are not as they were written, and the limits of both. */
#include "inside.h"
#include "receipts.h"

enum { HEAD = 16 + 8 + 32 };

static struct focal_receipt receipt_of(struct office *by)
{
    struct focal_receipt r = { .office = by->code, .signer = by->keys.sign_public, .number = 1, .day = 20001 };
    focal_scope_id(&r.scope, &net.id, &scope_network);
    return r;
}

static void put_head(uint8_t at[HEAD], const struct focal_id *log, uint64_t seq, uint8_t h)
{
    memcpy(at, log->b, 16);
    focal_put_be64(at + 16, seq);
    memset(at + 24, h, 32);
}

/* As a database holds it; nothing asks who signed when it is read. */
static void put_row(struct office *o, const struct focal_receipt *r)
{
    struct focal_buf value;
    uint8_t key[RECEIPT_KEY_BYTES];
    static const uint8_t signature[64];
    focal_buf_init(&value, FOCAL_RECEIPT_MAX + 64);
    focal_buf_bytes(&value, signature, sizeof signature);
    focal_receipt_encode(&value, r);
    assert_false(value.failed);
    memcpy(key, r->scope.b, 32);
    memcpy(key + 32, r->signer.b, 32);
    memcpy(key + 64, r->epoch.b, 16);
    focal_put_be64(key + 80, r->number);
    begin(o);
    assert_int_equal(focal_store_put(o->store, FOCAL_SHELF_RECEIPT, focal_span_of(key, sizeof key), focal_buf_view(&value)), FOCAL_OK);
    assert_int_equal(focal_store_commit(o->store), FOCAL_OK);
    focal_buf_close(&value);
}

static void open_again(struct office *o)
{
    focal_oplog_close(o->ol);
    office_open(o);
}

static bool known(struct office *at, const struct office *by, const struct focal_id *line, uint64_t *seq)
{
    return focal_oplog_receipt_of(at->ol, &by->code, &(struct focal_log){ .line = *line }, seq, NULL);
}

/* ---- whose, and of what ---- */

static void nothing_to_give_and_nobody_to_ask(void **state)
{
    (void)state;
    struct focal_buf body;
    struct focal_signature signature;
    struct office stranger;
    const struct focal_scope elsewhere = { .cls = FOCAL_SCOPE_COUNTRY, .country = "FRA" };
    const struct focal_office nobody = { "FRA" };
    focal_buf_init(&body, FOCAL_RECEIPT_MAX);
    write_one(&ken);
    begin(&ken);
    assert_int_equal(focal_oplog_make_receipt(ken.ol, &elsewhere, 20001, &body, &signature), FOCAL_NOT_FOUND);  /* no such scope here */
    roll_back(&ken);
    assert_false(focal_oplog_receipt_of(ken.ol, &nobody, log_of(&ken, &net, &ken, &scope_network), NULL, NULL));
    office_make(&stranger, &net, "TCD", 9);             /* holds what ken wrote, and no certificate of its own */
    hold(&stranger, &ken.statement);
    carry_all(&ken, &stranger);
    assert_int_equal(make(&stranger, 20001, &body, &signature), FOCAL_NOT_FOUND);
    struct focal_id epoch;
    assert_false(focal_oplog_epoch(stranger.ol, &epoch));
    office_close(&stranger);
    focal_buf_close(&body);
}

/* A key that two offices have had: each of them may have signed with it. */
static void one_key_of_two_offices(void **state)
{
    (void)state;
    struct focal_certificate c;
    struct focal_buf statement;
    uint8_t heads[HEAD];
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    hold(&hq, &ken.statement);
    certificate_for(&c, &ken, 2);
    assert_true(focal_office_parse(&c.office, focal_span_text("SSD")));
    certificate_sign(&statement, &net, &c);
    hold(&hq, &statement);
    put_head(heads, &(struct focal_id){ { 9 } }, 1, 1);
    struct focal_receipt r = receipt_of(&ken);
    assert_int_equal(give_heads(&r, 1, heads, HEAD), FOCAL_OK);     /* as KEN, by its earlier certificate */
    r.office = c.office;
    r.epoch.b[0] = 1;
    assert_int_equal(give_heads(&r, 1, heads, HEAD), FOCAL_OK);     /* as SSD, by its later one */
    r.office = hq.code;
    assert_int_equal(give_heads(&r, 2, heads, HEAD), FOCAL_NOT_YET);
    focal_buf_close(&statement);
}

/* A log stands in one scope; listed in another it is as good as one that nobody has. */
static void a_log_of_another_scope_is_not_held(void **state)
{
    (void)state;
    static uint8_t heads[256 * HEAD];
    hold(&hq, &ken.statement);
    write_one(&ken);
    carry_all(&ken, &hq);
    const struct focal_id control = log_of(&hq, &net, &ken, &scope_control)->id;
    struct focal_receipt r = receipt_of(&ken);
    for (size_t i = 0; i < 256; i++)
        put_head(heads + i * HEAD, &(struct focal_id){ { 0, (uint8_t)(i >> 8), (uint8_t)i, 1 } }, 1, 1);
    assert_int_equal(give_heads(&r, 1, heads, sizeof heads), FOCAL_OK);         /* no room for more that is not here */
    put_head(heads, &control, 1, 1);
    assert_int_equal(give_heads(&r, 2, heads, HEAD), FOCAL_EXISTS);
    assert_false(known(&hq, &ken, &control, NULL));
    assert_int_equal(give_heads(&r, 3, heads, 0), FOCAL_EXISTS);                /* lists nothing: says nothing */
    assert_int_equal(kept(&hq), 1);
}

/* ---- limits ---- */

static void only_so_many_of_a_signer(void **state)
{
    (void)state;
    uint8_t heads[HEAD];
    hold(&hq, &ken.statement);
    struct focal_receipt r = receipt_of(&ken);
    for (uint64_t i = 0; i < RECEIPTS_PER_SIGNER_MAX; i++) {    /* as if each counted for a log of its own */
        struct held_receipt *held = focal_alloc(sizeof *held);
        assert_non_null(held);
        memcpy(held->key, r.scope.b, 32);
        memcpy(held->key + 32, r.signer.b, 32);
        focal_put_be64(held->key + 80, 1000 + i);
        assert_int_equal(focal_map_put(&hq.ol->receipts.held, held->key, held), FOCAL_OK);
    }
    put_head(heads, &(struct focal_id){ { 9 } }, 1, 1);
    assert_int_equal(give_heads(&r, 1, heads, HEAD), FOCAL_NOT_YET);
    assert_int_equal(kept(&hq), 0);
    r.scope = (struct focal_hash){ { 0 } };
    focal_scope_id(&r.scope, &net.id, &scope_kenya);            /* in another scope it is a measure of its own */
    assert_int_equal(give_heads(&r, 1, heads, HEAD), FOCAL_OK);
}

/* More heads than one receipt has room for are told in several, each once. */
static void many_logs_take_several_receipts(void **state)
{
    (void)state;
    enum { LOGS = FOCAL_RECEIPT_HEADS_MAX + 3 };
    struct focal_buf body;
    struct focal_signature signature;
    struct focal_receipt r;
    hold(&hq, &ken.statement);
    struct oplog_scope *scope = NULL;
    for (size_t i = 0; i < hq.ol->scope_count; i++)
        if (focal_scope_compare(&hq.ol->scopes[i]->scope, &scope_network) == 0)
            scope = hq.ol->scopes[i];
    assert_non_null(scope);
    for (size_t i = 0; i < LOGS; i++) {         /* as if that many epochs had been opened */
        struct focal_log_name name = { .author = ken.keys.sign_public, .epoch.b = { 1, (uint8_t)(i >> 8), (uint8_t)i }, .scope = scope->id, .lane = FOCAL_LANE_DATA };
        struct oplog_log *log;
        assert_int_equal(focal_oplog_log_add(hq.ol, &log, &name, &scope_network), FOCAL_OK);
        log->pub.head.seq = log->pub.staged.seq = 1;
    }
    focal_buf_init(&body, FOCAL_RECEIPT_MAX);
    const size_t expected[] = { FOCAL_RECEIPT_HEADS_MAX, LOGS - FOCAL_RECEIPT_HEADS_MAX };
    for (size_t i = 0; i < 2; i++) {
        begin(&hq);
        assert_int_equal(focal_oplog_make_receipt(hq.ol, &scope_network, 20001, &body, &signature), FOCAL_OK);
        commit(&hq);
        assert_int_equal(focal_receipt_decode(&r, focal_buf_view(&body)), FOCAL_OK);
        assert_int_equal(focal_receipt_head_count(&r), expected[i]);
        assert_int_equal(r.number, i + 1);
    }
    assert_int_equal(make(&hq, 20001, &body, &signature), FOCAL_NOT_FOUND);
    focal_buf_close(&body);
}

/* ---- rows ---- */

/* Rows that a later one says better may be found when power went between two writes: they count for nothing. */
static void superseded_rows_count_for_nothing(void **state)
{
    (void)state;
    uint8_t heads[HEAD], other[HEAD];
    uint64_t seq;
    const struct focal_id log = { { 9 } }, far = { { 8 } };
    hold(&hq, &ken.statement);
    struct focal_receipt r = receipt_of(&ken);
    put_head(heads, &log, 5, 1);
    put_head(other, &far, 7, 1);
    for (uint64_t number = 1; number <= 3; number++) {      /* 1 and 2 of the same log, 3 of another */
        put_head(heads, &log, 4 + number, 1);
        r.number = number;
        r.heads = focal_span_of(number < 3 ? heads : other, HEAD);
        put_row(&hq, &r);
    }
    r.number = 4;
    r.heads = focal_span_of(heads, 0);
    put_row(&hq, &r);                       /* of nothing */
    r.number = 1;
    r.epoch.b[0] = 0xff;                    /* of an epoch that nobody saw opened: by its name it is the later one */
    r.heads = focal_span_of(other, HEAD);
    put_row(&hq, &r);
    open_again(&hq);
    assert_true(known(&hq, &ken, &log, &seq));
    assert_int_equal(seq, 6);
    assert_true(known(&hq, &ken, &far, &seq));
    assert_int_equal(seq, 7);
    assert_int_equal(hq.ol->receipts.held.count, 2);
    r.epoch.b[0] = 0;
    put_head(heads, &log, 9, 1);
    assert_int_equal(give_heads(&r, 2, heads, HEAD), FOCAL_EXISTS);     /* number 2 is held, and says another thing */
    assert_int_equal(give_heads(&r, 5, heads, HEAD), FOCAL_OK);
    assert_true(known(&hq, &ken, &log, &seq));
    assert_int_equal(seq, 9);
}

/* Our own: what they list need not be here after a copy was put back, and a later one may list less. */
static void own_rows_of_what_is_not_here(void **state)
{
    (void)state;
    struct focal_buf body;
    struct focal_signature signature;
    uint8_t heads[HEAD];
    write_one(&ken);
    focal_buf_init(&body, FOCAL_RECEIPT_MAX);
    assert_int_equal(make(&ken, 20001, &body, &signature), FOCAL_OK);
    struct focal_receipt r = receipt_of(&ken);
    assert_true(focal_oplog_epoch(ken.ol, &r.epoch));
    r.number = 2;
    put_head(heads, &(struct focal_id){ { 9 } }, 100, 1);
    r.heads = focal_span_of(heads, HEAD);
    put_row(&ken, &r);
    r.number = 3;
    put_head(heads, &log_of(&ken, &net, &ken, &scope_network)->id, 1, 1);
    r.heads = focal_span_of(heads, HEAD);
    put_row(&ken, &r);
    open_again(&ken);
    assert_int_equal(make(&ken, 20002, &body, &signature), FOCAL_OK);    /* the last is what others go by, and it says less */
    assert_int_equal(make(&ken, 20002, &body, &signature), FOCAL_NOT_FOUND);
    write_one(&ken);
    assert_int_equal(make(&ken, 20002, &body, &signature), FOCAL_OK);
    assert_int_equal(focal_receipt_decode(&r, focal_buf_view(&body)), FOCAL_OK);
    assert_int_equal(r.number, 5);
    focal_buf_close(&body);
}

static enum focal_status next(struct office *o, struct focal_buf *key)
{
    struct focal_buf body;
    struct focal_signature signature;
    struct focal_scope scope;
    focal_buf_init(&body, FOCAL_RECEIPT_MAX);
    enum focal_status st = focal_oplog_next_receipt(o->ol, key, &body, &signature, &scope);
    focal_buf_close(&body);
    return st;
}

static void rows_of_another_form(void **state)
{
    (void)state;
    struct focal_buf key, body;
    struct focal_signature signature;
    struct focal_receipt r = receipt_of(&hq);
    static const uint8_t shortest[64] = { 0 };
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&body, FOCAL_RECEIPT_MAX);
    r.scope.b[0] ^= 1;                              /* of a scope that no certificate names any more */
    put_row(&ken, &r);
    open_again(&ken);
    assert_int_equal(next(&ken, &key), FOCAL_NOT_FOUND);
    /* Not the beginning of a name even: the next of ours is the first. */
    write_one(&ken);
    r = receipt_of(&ken);
    begin(&ken);
    assert_int_equal(focal_store_put(ken.store, FOCAL_SHELF_RECEIPT, focal_span_of(r.scope.b, 32), focal_span_of(shortest, 64)), FOCAL_OK);
    assert_int_equal(focal_oplog_make_receipt(ken.ol, &scope_network, 20001, &body, &signature), FOCAL_OK);
    commit(&ken);
    assert_int_equal(focal_receipt_decode(&r, focal_buf_view(&body)), FOCAL_OK);
    assert_int_equal(r.number, 1);
    focal_buf_clear(&key);
    enum focal_status st;
    while ((st = next(&ken, &key)) == FOCAL_OK)
        ;
    assert_int_equal(st, FOCAL_DAMAGED);
    begin(&ken);
    assert_int_equal(focal_store_del(ken.store, FOCAL_SHELF_RECEIPT, focal_span_of(r.scope.b, 32)), FOCAL_OK);
    focal_buf_clear(&key);
    assert_int_equal(next(&ken, &key), FOCAL_OK);
    assert_int_equal(focal_store_put(ken.store, FOCAL_SHELF_RECEIPT, focal_buf_view(&key), focal_span_of(shortest, 63)), FOCAL_OK);
    focal_buf_clear(&key);
    assert_int_equal(next(&ken, &key), FOCAL_DAMAGED);
    focal_store_rollback(ken.store);
    focal_buf_close(&key);
    focal_buf_close(&body);
}

/* ---- failing ---- */

/* A new epoch's receipt throws out those of the one before that it does not say again; whatever fails in that is undone whole. */
static void a_new_epoch_that_the_disk_refuses(void **state)
{
    (void)state;
    struct focal_buf old, new;
    struct focal_signature s1, s2;
    struct focal_receipt r = receipt_of(&ken);
    uint8_t heads[HEAD];
    enum focal_status st = FOCAL_DISK_FULL;
    uint64_t nth = 0, digest, rows, before, seq;
    focal_buf_init(&old, FOCAL_RECEIPT_MAX);
    focal_buf_init(&new, FOCAL_RECEIPT_MAX);
    hold(&hq, &ken.statement);
    focal_fake_store_fence(ken.store, (struct focal_entropy){ .fill = chance_fill, .data = &ken.chance }, "machine");
    open_again(&ken);
    write_one(&ken);
    assert_int_equal(make(&ken, 20001, &old, &s1), FOCAL_OK);
    carry_all(&ken, &hq);
    const struct focal_id first = log_of(&hq, &net, &ken, &scope_network)->id;
    assert_int_equal(give(&hq, &old, &s1), FOCAL_OK);
    focal_oplog_close(ken.ol);
    focal_fake_store_lose_fence(ken.store);
    office_open(&ken);
    write_one(&ken);
    carry_all(&ken, &hq);
    const struct focal_id second = log_of(&hq, &net, &ken, &scope_network)->id;
    assert_true(focal_oplog_epoch(ken.ol, &r.epoch));
    put_head(heads, &second, 2, 1);
    r.heads = focal_span_of(heads, HEAD);
    focal_receipt_encode(&new, &r);
    focal_receipt_sign(&s2, ken.keys.sign_secret, &net.id, focal_buf_view(&new));
    assert_int_equal(focal_shelf_digest(hq.store, FOCAL_SHELF_RECEIPT, &before, &rows), FOCAL_OK);
    while (st != FOCAL_OK) {
        begin(&hq);
        focal_fake_store_plan(hq.store, (struct focal_fake_failure){ .nth = ++nth, .status = FOCAL_DISK_FULL, .kinds = FOCAL_FAKE_PUT | FOCAL_FAKE_DEL });
        st = focal_oplog_take_receipt(hq.ol, focal_buf_view(&new), &s2);
        focal_fake_store_plan(hq.store, (struct focal_fake_failure){ .nth = 0 });
        if (st == FOCAL_OK)
            break;
        assert_int_equal(st, FOCAL_DISK_FULL);
        roll_back(&hq);
        assert_int_equal(focal_shelf_digest(hq.store, FOCAL_SHELF_RECEIPT, &digest, &rows), FOCAL_OK);
        assert_true(digest == before);
        assert_true(known(&hq, &ken, &first, &seq));
    }
    commit(&hq);
    assert_true(nth > 2);
    assert_int_equal(kept(&hq), 1);
    assert_false(known(&hq, &ken, &first, &seq));       /* its author may have lost it */
    assert_true(known(&hq, &ken, &second, &seq));
    focal_buf_close(&old);
    focal_buf_close(&new);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(nothing_to_give_and_nobody_to_ask), WITH(one_key_of_two_offices), WITH(a_log_of_another_scope_is_not_held),
        WITH(only_so_many_of_a_signer), WITH(many_logs_take_several_receipts), WITH(superseded_rows_count_for_nothing),
        WITH(own_rows_of_what_is_not_here), WITH(rows_of_another_form), WITH(a_new_epoch_that_the_disk_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
