/* A later authority in a test, and what it signs. */
#ifndef FOCAL_TESTS_SUCCEEDING_H
#define FOCAL_TESTS_SUCCEEDING_H

#include "offices.h"

static inline void later_key(struct focal_sign_key *key, uint8_t seed)
{
    uint8_t bytes[32];
    memset(bytes, seed, sizeof bytes);
    focal_sign_key_make(key, bytes);
}

/* The name of a signed statement. */
static inline struct focal_hash name_of_statement(const struct network *n, const struct focal_buf *statement)
{
    struct focal_statement s;
    struct focal_hash hash;
    assert_int_equal(focal_statement_decode(&s, focal_buf_view(statement)), FOCAL_OK);
    focal_statement_hash(&hash, &n->id, s.body);
    return hash;
}

/* This authority follows, and these statements stay good; signed by the recovery key, or by another. */
static inline void succession_sign_by(struct focal_buf *out, const struct network *n, const struct focal_sign_key *signer, const struct focal_sign_key *key,
                                      uint64_t number, const struct focal_buf *const *good, size_t count)
{
    struct focal_buf list, body;
    focal_buf_init(&list, FOCAL_STATEMENT_MAX);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(out, FOCAL_STATEMENT_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct focal_hash hash = name_of_statement(n, good[i]);
        focal_buf_bytes(&list, hash.b, sizeof hash.b);
    }
    const struct focal_succession s = { .number = number, .key = key->public, .good = focal_buf_view(&list), .day = 20300 };
    focal_succession_encode(&body, &s);
    focal_statement_sign(out, signer->secret, &n->id, focal_buf_view(&body));
    assert_false(out->failed);
    focal_buf_close(&list);
    focal_buf_close(&body);
}

static inline void succession_sign(struct focal_buf *out, const struct network *n, const struct focal_sign_key *key, uint64_t number,
                                   const struct focal_buf *const *good, size_t count)
{
    succession_sign_by(out, n, &n->recovery, key, number, good, count);
}

/* The same statement once more, by this later authority. */
static inline void signed_by_later(struct focal_buf *out, const struct network *n, const struct focal_sign_key *key, const struct focal_buf *statement)
{
    struct focal_buf body;
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(out, FOCAL_STATEMENT_MAX);
    focal_buf_bytes(&body, statement->data + 64, statement->len - 64);
    focal_statement_by(&body, &key->public);
    focal_statement_sign(out, key->secret, &n->id, focal_buf_view(&body));
    assert_false(out->failed);
    focal_buf_close(&body);
}

static inline void certificate_of(struct focal_buf *out, const struct network *n, const struct office *o, uint64_t number, uint32_t rights, uint32_t openings)
{
    struct focal_certificate c;
    certificate_for(&c, o, number);
    c.rights = rights;
    c.openings_max = openings;
    focal_buf_init(out, FOCAL_STATEMENT_MAX);
    certificate_sign(out, n, &c);
}

#endif
