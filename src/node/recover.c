/* Another headquarters for one that is gone, keys and all: founded with what members hold of the authority's statements, and with a
 * new authority that the recovery key signs. It comes in by the invitation of one of them, as an office does. */
#include "inner.h"

#include <string.h>

enum { MEMBERSHIP_DAYS = 365, OPENINGS = 400 };

static const char AGAIN[] = "make the file again with `focalctl network export` at a member; nothing was changed";

/* Twice: whether one counts may depend on another that comes later. */
static enum focal_status take_statements(struct focal_oplog *ol, const struct focal_node_recovery *r, struct focal_error *err)
{
    for (int time = 0; time < 2; time++) {
        for (size_t i = 0; i < r->statement_count; i++) {
            const enum focal_status st = focal_oplog_add_statement(ol, r->statements[i]);
            if (st == FOCAL_NEVER)
                return focal_fail(err, FOCAL_DENIED, AGAIN, "statement %zu is damaged, or was not signed by the authority of this network", i + 1);
            if (st != FOCAL_OK && st != FOCAL_EXISTS && st != FOCAL_NOT_YET)
                return st;
        }
    }
    return FOCAL_OK;
}

static struct focal_buf *made(struct focal_node_recovery *r)
{
    struct focal_buf *b = &r->made[r->made_count++];
    focal_buf_init(b, FOCAL_STATEMENT_MAX);
    return b;
}

static enum focal_status succeed(struct focal_oplog *ol, struct focal_node_recovery *r, const struct focal_buf *good, struct focal_error *err)
{
    const size_t most = FOCAL_SUCCESSION_GOOD_MAX * sizeof(struct focal_hash);
    uint64_t number;
    enum focal_status st = FOCAL_OK;
    (void)focal_oplog_authority(ol, &number);
    for (size_t at = 0; st == FOCAL_OK && (at == 0 || at < good->len); at += most) {
        struct focal_buf body;
        const size_t left = good->len - at;
        if (r->made_count + 2 > FOCAL_RECOVERY_MADE_MAX)
            return focal_fail(err, FOCAL_TOO_BIG, "ask who wrote this program", "the network has more statements than a new authority can name");
        const struct focal_succession s = { .number = number + 1, .key = r->authority->public, .good = focal_span_of(good->data + at, left < most ? left : most), .day = r->today };
        struct focal_buf *out = made(r);
        focal_buf_init(&body, FOCAL_STATEMENT_MAX);
        focal_succession_encode(&body, &s);
        focal_statement_sign(out, r->recovery->secret, focal_oplog_network(ol), focal_buf_view(&body));
        st = body.failed || out->failed ? FOCAL_NO_MEMORY : FOCAL_OK;
        focal_buf_close(&body);
    }
    for (size_t i = 0; i < r->made_count && st == FOCAL_OK; i++)
        st = focal_oplog_add_statement(ol, focal_buf_view(&r->made[i]));
    return st;
}

/* Renewals by a key stand and fall with the delegation. */
static enum focal_status list_good(struct focal_oplog *ol, struct focal_buf *good)
{
    struct focal_subject subject;
    for (size_t i = 0; focal_oplog_subject(ol, i, &subject); i++) {
        struct focal_span one;
        for (size_t n = 0; focal_oplog_subject_statement(ol, subject.subject, n, &one); n++) {
            struct focal_statement s;
            struct focal_hash hash;
            if (focal_statement_decode(&s, one) != FOCAL_OK || s.kind == FOCAL_STATEMENT_GENESIS || s.kind == FOCAL_STATEMENT_AUTHORITY
                || (s.kind == FOCAL_STATEMENT_RENEWAL && s.is.renewal.delegation.len > 0))
                continue;
            focal_statement_hash(&hash, focal_oplog_network(ol), s.body);
            focal_buf_bytes(good, hash.b, sizeof hash.b);
        }
    }
    return good->failed ? FOCAL_NO_MEMORY : FOCAL_OK;
}

static enum focal_status certify(struct focal_oplog *ol, struct focal_node_recovery *r, const struct focal_certificate *old)
{
    struct focal_certificate c = *old;
    struct focal_buf body, *out = made(r);
    c.follows_set = true;
    c.follows = old->keys.sign;
    c.keys = *r->keys;
    c.number = old->number + 1;
    c.from_day = r->today;
    c.to_day = r->today + MEMBERSHIP_DAYS;
    c.openings_max = OPENINGS;
    c.invitation_set = true;
    c.invitation = r->invitation->number;
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_certificate_encode(&body, &c);
    focal_statement_by(&body, &r->authority->public);
    if (!body.failed)
        focal_statement_sign(out, r->authority->secret, focal_oplog_network(ol), focal_buf_view(&body));
    const enum focal_status st = body.failed || out->failed ? FOCAL_NO_MEMORY : focal_oplog_add_statement(ol, focal_buf_view(out));
    focal_buf_close(&body);
    return st;
}

/* Whoever has the machine that is gone is told nothing more, in the scopes whose members said how far its logs go. */
static enum focal_status end_old(struct focal_oplog *ol, struct focal_node_recovery *r, const struct focal_certificate *old, struct focal_error *err)
{
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < r->scope_count && st == FOCAL_OK; i++) {
        struct focal_cut cut = { .office = old->office, .key = old->keys.sign, .reach = { .kind = FOCAL_REACH_SCOPE, .scope = r->scopes[i].scope }, .number = 1,
            .tips = focal_buf_view(&r->scopes[i].tips), .day = r->today, .reason = FOCAL_CUT_RETIRED };
        const struct focal_cut *other;
        struct focal_buf body;
        if (r->made_count + 1 >= FOCAL_RECOVERY_MADE_MAX || focal_cut_tip_count(&cut) > FOCAL_CUT_TIPS_MAX)
            return focal_fail(err, FOCAL_TOO_BIG, "ask who wrote this program", "headquarters wrote more logs than one statement can name");
        for (size_t k = 0; (other = focal_oplog_cut_at(ol, k)) != NULL; k++)
            if (focal_key_equal(&other->key, &cut.key) && focal_reach_equal(&other->reach, &cut.reach) && other->number >= cut.number)
                cut.number = other->number + 1;
        struct focal_buf *out = made(r);
        focal_buf_init(&body, FOCAL_STATEMENT_MAX);
        focal_cut_encode(&body, &cut);
        focal_statement_by(&body, &r->authority->public);
        if (!body.failed)
            focal_statement_sign(out, r->authority->secret, focal_oplog_network(ol), focal_buf_view(&body));
        st = body.failed || out->failed ? FOCAL_NO_MEMORY : focal_oplog_add_statement(ol, focal_buf_view(out));
        focal_buf_close(&body);
    }
    return st;
}

static enum focal_status fill(struct focal_store *store, struct focal_oplog *ol, struct focal_node_recovery *r, struct focal_error *err)
{
    struct focal_buf good;
    enum focal_status st = take_statements(ol, r, err);
    const struct focal_certificate *old = st == FOCAL_OK ? focal_oplog_certificate(ol, &r->invitation->office) : NULL;
    if (st == FOCAL_OK && (!old || old->role != FOCAL_ROLE_HQ))
        st = focal_fail(err, FOCAL_REFUSED, AGAIN, "the file holds no membership of headquarters %s", r->invitation->office.text);
    focal_buf_init(&good, 1 << 20);
    if (st == FOCAL_OK)
        st = list_good(ol, &good);
    r->kept = good.len / sizeof(struct focal_hash);
    struct focal_certificate of_old;
    if (st == FOCAL_OK) {
        of_old = *old;
        st = succeed(ol, r, &good, err);
    }
    if (st == FOCAL_OK)
        st = end_old(ol, r, &of_old, err);
    if (st == FOCAL_OK)
        st = certify(ol, r, &of_old);
    while (st == FOCAL_OK && focal_oplog_office_at(ol, r->offices))
        r->offices++;
    focal_buf_close(&good);
    return st == FOCAL_OK ? join_put_token(store, r->token) : st;
}

enum focal_status focal_node_recover_hq(struct focal_store *store, struct focal_node_recovery *r, struct focal_error *err)
{
    struct focal_oplog *ol = NULL;
    struct focal_error failure = { .status = FOCAL_OK };
    enum focal_status st = focal_oplog_found(store, r->invitation->genesis);
    if (st == FOCAL_OK)
        st = focal_oplog_open(&ol, store, NULL, NULL, NULL, NULL);
    if (st == FOCAL_OK)
        st = focal_store_begin(store);
    if (st == FOCAL_OK) {
        st = fill(store, ol, r, &failure);
        if (st == FOCAL_OK)
            st = focal_store_commit(store);
        else
            focal_store_rollback(store);
    }
    focal_oplog_close(ol);
    if (st != FOCAL_OK && failure.status != FOCAL_OK)
        *err = failure;
    else if (st != FOCAL_OK)
        (void)focal_fail(err, st, "", "the database could not be filled: %s", focal_status_text(st));
    return st;
}

void focal_node_recovery_close(struct focal_node_recovery *r)
{
    for (size_t i = 0; i < r->made_count; i++)
        focal_buf_close(&r->made[i]);
    for (size_t i = 0; i < r->scope_count; i++)
        focal_buf_close(&r->scopes[i].tips);
    r->made_count = r->scope_count = 0;
}
