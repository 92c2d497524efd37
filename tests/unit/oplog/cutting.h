/* Cuts among the offices that redact, and what is left of their logs. */
#ifndef FOCAL_TESTS_CUTTING_H
#define FOCAL_TESTS_CUTTING_H

#include "redactors.h"

static const struct focal_reach everything = { .kind = FOCAL_REACH_EVERYTHING };

static inline void cut_statement(struct focal_buf *out, const struct office *of, struct focal_reach reach, uint64_t number, const struct focal_cut_tip *tips,
                                 size_t count)
{
    struct focal_buf list, body;
    focal_buf_init(out, FOCAL_STATEMENT_MAX);
    focal_buf_init(&list, FOCAL_STATEMENT_MAX);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    for (size_t i = 0; i < count; i++)
        focal_cut_tip_put(&list, &tips[i]);
    const struct focal_cut c = { .office = of->code, .key = of->keys.sign_public, .reach = reach, .number = number, .tips = focal_buf_view(&list),
        .day = 20100, .reason = FOCAL_CUT_REVOKED };
    focal_cut_encode(&body, &c);
    focal_statement_sign(out, net.authority.secret, &net.id, focal_buf_view(&body));
    assert_false(out->failed);
    focal_buf_close(&list);
    focal_buf_close(&body);
}

/* What `at` holds of this office's log in network. */
static inline const struct focal_log *data_log(struct office *at, size_t of)
{
    const struct focal_log *log = log_of(at, &net, &offices[of], &scope_network);
    assert_non_null(log);
    return log;
}

static inline struct focal_cut_tip tip_of(struct office *at, size_t of, uint64_t seq)
{
    struct focal_cut_tip tip = { .log = data_log(at, of)->id, .tip = { .seq = seq } };
    assert_int_equal(focal_oplog_hash_on(at->ol, data_log(at, of), seq, &tip.tip.h), FOCAL_OK);
    return tip;
}

/* What `from` lets go of that log, piece by piece, from its beginning. NOT_FOUND: all of it came in. */
static inline enum focal_status carry_log(struct office *from, struct office *to, size_t of)
{
    enum focal_status st = FOCAL_OK;
    uint64_t next = 1;
    begin(to);
    while (st == FOCAL_OK) {
        struct carried c;
        st = take_up(from, data_log(from, of), next, FOCAL_SEGMENT_PACKED_MAX, &c);
        if (st == FOCAL_OK)
            st = hand_over(to, &c);
        next = c.piece.last + 1;
        carried_close(&c);
    }
    commit(to);
    return st;
}

#endif
