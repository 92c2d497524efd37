/* Receipts: ours, others', which of them count, how many are kept. */
#include "receipts.h"

static void given_taken_and_counted(void **state)
{
    (void)state;
    struct focal_buf one, two;
    struct focal_signature s1, s2;
    uint64_t seq;
    uint32_t day;
    focal_buf_init(&one, FOCAL_RECEIPT_MAX);
    focal_buf_init(&two, FOCAL_RECEIPT_MAX);
    assert_int_equal(make(&ken, 20001, &one, &s1), FOCAL_NOT_FOUND);    /* nothing to speak of */
    write_one(&ken);
    const struct focal_log *log = log_of(&ken, &net, &ken, &scope_network);
    assert_false(focal_oplog_receipt_of(ken.ol, &ken.code, log, &seq, &day));
    assert_int_equal(make(&ken, 20001, &one, &s1), FOCAL_OK);
    assert_int_equal(make(&ken, 20001, &two, &s2), FOCAL_NOT_FOUND);    /* no head has moved since */
    assert_true(focal_oplog_receipt_of(ken.ol, &ken.code, log, &seq, &day));
    assert_int_equal(seq, 2);
    assert_int_equal(day, 20001);

    assert_int_equal(give(&hq, &one, &s1), FOCAL_NOT_YET);              /* signer not known */
    hold(&hq, &ken.statement);
    s1.b[5] ^= 1;
    assert_int_equal(give(&hq, &one, &s1), FOCAL_NEVER);
    s1.b[5] ^= 1;
    assert_int_equal(give(&hq, &one, &s1), FOCAL_OK);
    assert_int_equal(give(&hq, &one, &s1), FOCAL_EXISTS);
    assert_true(focal_oplog_receipt_of(hq.ol, &ken.code, log, &seq, &day));
    assert_int_equal(seq, 2);
    assert_false(focal_oplog_receipt_of(hq.ol, &hq.code, log, &seq, &day));

    write_one(&ken);
    assert_int_equal(make(&ken, 20002, &two, &s2), FOCAL_OK);
    struct focal_receipt r;
    assert_int_equal(focal_receipt_decode(&r, focal_buf_view(&two)), FOCAL_OK);
    assert_int_equal(r.number, 2);
    assert_int_equal(give(&hq, &two, &s2), FOCAL_OK);
    assert_int_equal(give(&hq, &one, &s1), FOCAL_EXISTS);               /* superseded */
    assert_true(focal_oplog_receipt_of(hq.ol, &ken.code, log, &seq, &day));
    assert_int_equal(seq, 3);
    assert_int_equal(day, 20002);
    assert_int_equal(kept(&hq), 1);     /* what a later one says better is not kept */
    assert_int_equal(kept(&ken), 1);
    focal_oplog_close(ken.ol);
    office_open(&ken);
    log = log_of(&ken, &net, &ken, &scope_network);
    assert_int_equal(make(&ken, 20003, &two, &s2), FOCAL_NOT_FOUND);    /* and it knows so after a restart */
    focal_oplog_close(hq.ol);
    office_open(&hq);
    assert_true(focal_oplog_receipt_of(hq.ol, &ken.code, log, &seq, NULL));
    assert_int_equal(seq, 3);
    assert_verifies(&hq, NULL);
    focal_buf_close(&one);
    focal_buf_close(&two);
}

static void order_of_arrival_does_not_matter(void **state)
{
    (void)state;
    struct focal_buf bodies[3];
    struct focal_signature signatures[3];
    uint64_t seq;
    hold(&hq, &ken.statement);
    write_one(&hq);
    write_one(&ken);
    carry_all(&hq, &ken);               /* ken holds two logs; then only its own moves */
    for (int i = 0; i < 3; i++) {
        focal_buf_init(&bodies[i], FOCAL_RECEIPT_MAX);
        assert_int_equal(make(&ken, 20001, &bodies[i], &signatures[i]), FOCAL_OK);
        write_one(&ken);
    }
    const struct focal_log *own = log_of(&ken, &net, &ken, &scope_network), *far = log_of(&ken, &net, &hq, &scope_network);
    assert_int_equal(give(&hq, &bodies[2], &signatures[2]), FOCAL_OK);
    assert_false(focal_oplog_receipt_of(hq.ol, &ken.code, far, &seq, NULL));
    assert_int_equal(give(&hq, &bodies[1], &signatures[1]), FOCAL_EXISTS);
    assert_int_equal(give(&hq, &bodies[0], &signatures[0]), FOCAL_OK);      /* of the other log it is the only word */
    assert_true(focal_oplog_receipt_of(hq.ol, &ken.code, far, &seq, NULL));
    assert_int_equal(seq, 2);
    assert_true(focal_oplog_receipt_of(hq.ol, &ken.code, own, &seq, NULL));
    assert_int_equal(seq, 4);
    assert_int_equal(kept(&hq), 2);
    for (int i = 0; i < 3; i++)
        focal_buf_close(&bodies[i]);
}

static void rolled_back_receipts_are_made_again(void **state)
{
    (void)state;
    struct focal_buf body;
    struct focal_signature signature;
    struct focal_id epoch;
    focal_buf_init(&body, FOCAL_RECEIPT_MAX);
    write_one(&ken);
    hold(&hq, &ken.statement);
    carry_all(&ken, &hq);
    assert_false(focal_oplog_epoch(hq.ol, &epoch));
    begin(&hq);
    assert_int_equal(focal_oplog_make_receipt(hq.ol, &scope_network, 20001, &body, &signature), FOCAL_OK);
    assert_int_equal(focal_oplog_seal(hq.ol), FOCAL_OK);
    roll_back(&hq);
    assert_false(focal_oplog_epoch(hq.ol, &epoch));
    assert_int_equal(make(&hq, 20001, &body, &signature), FOCAL_OK);    /* a receipt opens the epoch, too */
    assert_true(focal_oplog_epoch(hq.ol, &epoch));
    assert_int_equal(give(&ken, &body, &signature), FOCAL_OK);
    struct focal_receipt r;
    assert_int_equal(focal_receipt_decode(&r, focal_buf_view(&body)), FOCAL_OK);
    assert_int_equal(r.number, 1);
    assert_memory_equal(r.epoch.b, epoch.b, 16);
    focal_buf_close(&body);
}

static void strangers_words(void **state)
{
    (void)state;
    struct focal_buf body;
    struct focal_signature signature;
    focal_buf_init(&body, FOCAL_RECEIPT_MAX);
    struct focal_receipt r = { .office = hq.code, .signer = ken.keys.sign_public, .number = 1, .day = 20001 };
    focal_scope_id(&r.scope, &net.id, &scope_network);
    const uint8_t heads[56] = { 1 };
    r.heads = focal_span_of(heads, sizeof heads);
    focal_receipt_encode(&body, &r);
    focal_receipt_sign(&signature, ken.keys.sign_secret, &net.id, focal_buf_view(&body));
    assert_int_equal(give(&hq, &body, &signature), FOCAL_NOT_YET);      /* ken's key is not hq's */
    focal_buf_truncate(&body, body.len - 1);
    assert_int_equal(give(&hq, &body, &signature), FOCAL_NEVER);
    focal_buf_clear(&body);
    r.office = ken.code;
    r.scope.b[0] ^= 1;
    hold(&hq, &ken.statement);
    focal_receipt_encode(&body, &r);
    focal_receipt_sign(&signature, ken.keys.sign_secret, &net.id, focal_buf_view(&body));
    assert_int_equal(give(&hq, &body, &signature), FOCAL_NOT_YET);      /* of a scope that nobody has */
    focal_buf_close(&body);
}

/* Whoever lists logs that nobody has gets only so many of them kept, and what is true still counts. */
static void invented_logs(void **state)
{
    (void)state;
    enum { HEAD = 56, MANY = 200 };
    static uint8_t many[MANY * HEAD];
    uint64_t seq, n = 0;
    size_t kept_before, taken = 0;
    struct focal_id invented;
    hold(&hq, &ken.statement);
    write_one(&ken);
    carry_all(&ken, &hq);
    const struct focal_id log = log_of(&hq, &net, &ken, &scope_network)->id;
    struct focal_receipt r = { .office = ken.code, .signer = ken.keys.sign_public, .day = 20001 };
    focal_scope_id(&r.scope, &net.id, &scope_network);
    for (uint64_t number = 1; number <= 8; number++) {
        for (size_t i = 0; i < MANY; i++)
            focal_put_be64(many + i * HEAD, ++n);
        taken += give_heads(&r, number, many, sizeof many) == FOCAL_OK;
    }
    assert_int_equal(taken, 2);                 /* 200, and 56 of the next 200 */
    assert_int_equal(kept(&hq), 2);
    memset(&invented, 0, sizeof invented);
    focal_put_be64(invented.b, 256);
    assert_true(focal_oplog_receipt_of(hq.ol, &ken.code, &(struct focal_log){ .line = invented }, NULL, NULL));
    focal_put_be64(invented.b, 257);
    assert_false(focal_oplog_receipt_of(hq.ol, &ken.code, &(struct focal_log){ .line = invented }, NULL, NULL));

    memset(many + HEAD, 0, HEAD);               /* beside one that is true; heads stand in their order */
    memcpy(many + HEAD, log.b, 16);
    focal_put_be64(many + HEAD + 16, 2);
    assert_true(memcmp(many, many + HEAD, HEAD) < 0);
    kept_before = kept(&hq);
    assert_int_equal(give_heads(&r, 9, many, 2 * HEAD), FOCAL_OK);
    assert_true(focal_oplog_receipt_of(hq.ol, &ken.code, &(struct focal_log){ .line = log }, &seq, NULL));
    assert_int_equal(seq, 2);
    assert_int_equal(kept(&hq), kept_before + 1);
    memcpy(invented.b, many, 16);
    assert_false(focal_oplog_receipt_of(hq.ol, &ken.code, &(struct focal_log){ .line = invented }, NULL, NULL));

    focal_oplog_close(hq.ol);                   /* the same after a restart */
    office_open(&hq);
    assert_false(focal_oplog_receipt_of(hq.ol, &ken.code, &(struct focal_log){ .line = invented }, NULL, NULL));
    assert_true(focal_oplog_receipt_of(hq.ol, &ken.code, &(struct focal_log){ .line = log }, &seq, NULL));
    focal_put_be64(many, ++n);
    assert_int_equal(give_heads(&r, 10, many, HEAD), FOCAL_EXISTS);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(given_taken_and_counted), WITH(order_of_arrival_does_not_matter), WITH(rolled_back_receipts_are_made_again),
        WITH(strangers_words), WITH(invented_logs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
