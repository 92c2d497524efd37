/* Two offices that give each other receipts. */
#ifndef FOCAL_TESTS_RECEIPTS_H
#define FOCAL_TESTS_RECEIPTS_H

#include "offices.h"

static struct network net;
static struct office ken, hq;

static inline int set_up(void **state)
{
    (void)state;
    network_make(&net);
    office_make(&ken, &net, "KEN", 7);
    office_make(&hq, &net, "HQ", 8);
    hold(&ken, &ken.statement);
    hold(&ken, &hq.statement);
    hold(&hq, &hq.statement);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    office_close(&ken);
    office_close(&hq);
    network_close(&net);
    return 0;
}

static inline enum focal_status make(struct office *o, uint32_t day, struct focal_buf *body, struct focal_signature *signature)
{
    begin(o);
    enum focal_status st = focal_oplog_make_receipt(o->ol, &scope_network, day, body, signature);
    commit(o);
    return st;
}

static inline enum focal_status give(struct office *o, const struct focal_buf *body, const struct focal_signature *signature)
{
    begin(o);
    enum focal_status st = focal_oplog_take_receipt(o->ol, focal_buf_view(body), signature);
    commit(o);
    return st;
}

static inline size_t kept(struct office *o)
{
    struct focal_buf key, body;
    struct focal_signature signature;
    struct focal_scope scope;
    size_t n = 0;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&body, FOCAL_RECEIPT_MAX);
    for (; focal_oplog_next_receipt(o->ol, &key, &body, &signature, &scope) == FOCAL_OK; n++) {
        struct focal_receipt r;
        assert_int_equal(focal_receipt_decode(&r, focal_buf_view(&body)), FOCAL_OK);
        assert_true(focal_receipt_verify(&signature, &r.signer, &net.id, focal_buf_view(&body)));
        assert_int_equal(focal_scope_compare(&scope, &scope_network), 0);
    }
    focal_buf_close(&key);
    focal_buf_close(&body);
    return n;
}

static inline void write_one(struct office *o)
{
    struct focal_ref ref;
    begin(o);
    write_value(o, &scope_network, NULL, FIELD_A, 1, &ref);
    commit(o);
}

static inline enum focal_status give_heads(struct focal_receipt *r, uint64_t number, const uint8_t *heads, size_t bytes)
{
    struct focal_buf body;
    struct focal_signature signature;
    focal_buf_init(&body, FOCAL_RECEIPT_MAX);
    r->number = number;
    r->heads = focal_span_of(heads, bytes);
    focal_receipt_encode(&body, r);
    focal_receipt_sign(&signature, ken.keys.sign_secret, &net.id, focal_buf_view(&body));
    enum focal_status st = give(&hq, &body, &signature);
    focal_buf_close(&body);
    return st;
}

#endif
