/* Renewals and delegations made in a test. */
#ifndef FOCAL_TESTS_RENEWING_H
#define FOCAL_TESTS_RENEWING_H

#include "offices.h"

/* A delegation to `keeper` of this key (NULL: of none), signed by the authority. */
static inline void delegation_sign(struct focal_buf *statement, const struct network *n, const char *keeper, const struct focal_sign_key *key, uint64_t number, uint32_t until)
{
    struct focal_delegation d = { .key_set = key != NULL, .number = number, .until_day = until, .day = 20100 };
    struct focal_buf body;
    assert_true(focal_office_parse(&d.office, focal_span_text(keeper)));
    if (key)
        d.key = key->public;
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(statement, FOCAL_STATEMENT_MAX);
    focal_delegation_encode(&body, &d);
    focal_statement_sign(statement, n->authority.secret, &n->id, focal_buf_view(&body));
    assert_false(statement->failed);
    focal_buf_close(&body);
}

/* A renewal of the certificate in `of`, by the authority, or by this key under this delegation. */
static inline void renewal_sign(struct focal_buf *statement, const struct network *n, const struct focal_buf *of, uint64_t number, uint32_t to, uint32_t openings,
                                const struct focal_sign_key *key, const struct focal_buf *delegation)
{
    struct focal_renewal r = { .number = number, .to_day = to, .openings_max = openings, .day = 20200 };
    struct focal_statement s;
    struct focal_buf body;
    assert_int_equal(focal_statement_decode(&s, focal_buf_view(of)), FOCAL_OK);
    r.office = s.is.certificate.office;
    focal_statement_hash(&r.certificate, &n->id, s.body);
    if (delegation)
        r.delegation = focal_buf_view(delegation);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(statement, FOCAL_STATEMENT_MAX);
    focal_renewal_encode(&body, &r);
    focal_statement_sign(statement, key ? key->secret : n->authority.secret, &n->id, focal_buf_view(&body));
    assert_false(statement->failed);
    focal_buf_close(&body);
}

static inline void cut_sign(struct focal_buf *statement, const struct network *n, const struct office *o)
{
    struct focal_cut cut = { .office = o->code, .key = o->keys.sign_public, .reach = { .kind = FOCAL_REACH_EVERYTHING }, .number = 1, .day = 20300, .reason = FOCAL_CUT_REVOKED };
    struct focal_buf body;
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(statement, FOCAL_STATEMENT_MAX);
    focal_cut_encode(&body, &cut);
    focal_statement_sign(statement, n->authority.secret, &n->id, focal_buf_view(&body));
    assert_false(statement->failed);
    focal_buf_close(&body);
}

#endif
