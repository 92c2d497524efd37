/* Cuts, the ways that the laws do not go: what the cut office may still do, restarts and rollbacks, pieces that end at a listed
 * tip, cuts that take several transactions, and what a redaction had erased that counts no more. */
#include "redactors.h"

static const struct focal_reach everything = { .kind = FOCAL_REACH_EVERYTHING };

static void cut_statement(struct focal_buf *out, const struct office *of, struct focal_reach reach, uint64_t number, const struct focal_cut_tip *tips, size_t count)
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

static const struct focal_log *data_log(struct office *at)
{
    const struct focal_log *log = log_of(at, &net, &offices[KEN], &scope_network);
    assert_non_null(log);
    return log;
}

static struct focal_cut_tip tip_at(struct office *at, uint64_t seq)
{
    struct focal_cut_tip tip = { .log = data_log(at)->id, .tip = { .seq = seq } };
    assert_int_equal(focal_oplog_hash_on(at->ol, data_log(at), seq, &tip.tip.h), FOCAL_OK);
    return tip;
}

static bool reads(struct office *at, const struct focal_ref *record, const char *text)
{
    struct focal_part part;
    struct focal_hash scope;
    struct focal_live lives[16];
    bool found = false;
    focal_part_init(&part);
    focal_scope_id(&scope, &net.id, &scope_network);
    if (focal_oplog_part(at->ol, record, &scope, &part) == FOCAL_OK) {
        size_t count = focal_part_live(&part, lives, 16);
        for (size_t i = 0; i < count && i < 16; i++)
            found = found || focal_span_equal(lives[i].value, mark(text));
    }
    focal_part_close(&part);
    return found;
}

/* What `from` lets go of KEN's log, piece by piece, from its beginning. */
static enum focal_status carry_log(struct office *from, struct office *to, size_t packed_max)
{
    enum focal_status st = FOCAL_OK;
    uint64_t next = 1;
    begin(to);
    while (st == FOCAL_OK) {
        struct carried c;
        st = take_up(from, data_log(from), next, packed_max, &c);
        if (st == FOCAL_OK)
            st = hand_over(to, &c);
        next = c.piece.last + 1;
        carried_close(&c);
    }
    commit(to);
    return st;
}

static void restarts_and_rollbacks(void **state)
{
    (void)state;
    struct focal_buf cut;
    struct office *hq = &offices[HQ];
    const struct focal_ref r = write_text(KEN, NULL, canary);
    (void)write_text(KEN, &r, other_canary);
    exchange();
    const struct focal_cut_tip tip = tip_at(hq, 2);
    cut_statement(&cut, &offices[KEN], everything, 1, &tip, 1);
    begin(hq);
    assert_int_equal(focal_oplog_add_statement(hq->ol, focal_buf_view(&cut)), FOCAL_OK);
    assert_true(focal_oplog_cut_off(hq->ol, &offices[KEN].keys.sign_public, &scope_network));
    roll_back(hq);
    assert_false(focal_oplog_cut_off(hq->ol, &offices[KEN].keys.sign_public, &scope_network));
    assert_true(reads(hq, &r, other_canary) && !data_log(hq)->clipped);
    hold(hq, &cut);
    assert_true(reads(hq, &r, canary) && !reads(hq, &r, other_canary));
    assert_int_equal(focal_log_tip(data_log(hq))->seq, 2);
    assert_int_equal(data_log(hq)->head.seq, 3);
    assert_verifies(hq, NULL);
    focal_oplog_close(hq->ol);
    office_open(hq);
    assert_true(reads(hq, &r, canary) && !reads(hq, &r, other_canary));
    assert_int_equal(focal_log_tip(data_log(hq))->seq, 2);
    assert_verifies(hq, NULL);
    assert_int_equal(focal_oplog_cut_of(hq->ol, &offices[KEN].keys.sign_public)->number, 1);
    assert_null(focal_oplog_cut_of(hq->ol, &offices[SSD].keys.sign_public));
    assert_non_null(focal_oplog_cut_at(hq->ol, 0));
    assert_null(focal_oplog_cut_at(hq->ol, 1));
    focal_buf_close(&cut);
}

static void what_the_cut_office_may_do(void **state)
{
    (void)state;
    struct focal_buf cut, body;
    struct focal_signature signature;
    struct focal_ref ref;
    struct office *ken = &offices[KEN];
    const struct focal_ref r = write_text(KEN, NULL, canary);
    /* What is under way when it comes was written before. */
    begin(ken);
    assert_int_equal(try_write(ken, &scope_network, &r, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark(other_canary), &ref), FOCAL_OK);
    const struct focal_reach network = { .kind = FOCAL_REACH_SCOPE, .scope = scope_network };
    const struct focal_cut_tip tip = tip_at(ken, 2);
    cut_statement(&cut, ken, network, 1, &tip, 1);
    assert_int_equal(focal_oplog_add_statement(ken->ol, focal_buf_view(&cut)), FOCAL_OK);
    assert_int_equal(try_write(ken, &scope_network, &r, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark(canary), &ref), FOCAL_DENIED);
    assert_int_equal(try_write(ken, &scope_kenya, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark(canary), &ref), FOCAL_OK);
    commit(ken);
    assert_true(reads(ken, &r, canary) && !reads(ken, &r, other_canary));
    const struct focal_certificate *mine = focal_oplog_mine(ken->ol);
    assert_false(focal_oplog_may_read(ken->ol, mine, &scope_network));
    assert_false(focal_oplog_may_read(ken->ol, NULL, &scope_kenya));
    assert_false(focal_oplog_may_write(ken->ol, &scope_network));
    /* Countries go with network: what it has written there counts, and nobody is told more of it. */
    assert_false(focal_oplog_may_read(ken->ol, mine, &scope_kenya) || focal_oplog_may_write(ken->ol, &scope_kenya));
    const struct focal_scope control = { .cls = FOCAL_SCOPE_CONTROL, .country = "" };
    assert_true(focal_oplog_may_read(ken->ol, mine, &control) && focal_oplog_may_write(ken->ol, &control));
    focal_buf_close(&cut);

    cut_statement(&cut, ken, everything, 1, NULL, 0);
    hold(ken, &cut);
    focal_buf_init(&body, FOCAL_RECEIPT_MAX);
    begin(ken);
    assert_int_equal(try_write(ken, &scope_kenya, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark(canary), &ref), FOCAL_DENIED);
    assert_int_equal(focal_oplog_make_receipt(ken->ol, &scope_kenya, 20100, &body, &signature), FOCAL_NOT_FOUND);
    commit(ken);
    assert_verifies(ken, NULL);
    focal_buf_close(&body);
    focal_buf_close(&cut);

    /* One that never wrote does not begin any more. */
    cut_statement(&cut, &offices[TCD], everything, 1, NULL, 0);
    hold(&offices[TCD], &cut);
    begin(&offices[TCD]);
    assert_int_equal(try_write(&offices[TCD], &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark(canary), &ref), FOCAL_DENIED);
    commit(&offices[TCD]);
    focal_buf_close(&cut);
}

/* The tip lies within a segment: whoever holds the cut hands on what leads to it without a signature, and takes it in so. */
static void what_leads_to_a_listed_tip(void **state)
{
    (void)state;
    struct focal_buf cut, later;
    struct office *hq = &offices[HQ], *ssd = &offices[SSD], *tcd = &offices[TCD], *ken = &offices[KEN];
    struct focal_ref r, ref;
    begin(ken);
    assert_int_equal(try_write(ken, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark(canary), &r), FOCAL_OK);
    for (int i = 0; i < 20; i++)
        assert_int_equal(try_write(ken, &scope_network, &r, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark(other_canary), &ref), FOCAL_OK);
    commit(ken);
    carry_all(ken, hq);
    const struct focal_cut_tip tip = tip_at(hq, 2), more = tip_at(hq, 9);
    cut_statement(&cut, ken, everything, 1, &tip, 1);
    cut_statement(&later, ken, everything, 2, &more, 1);
    hold(hq, &cut);
    struct carried c;
    assert_int_equal(take_up(hq, data_log(hq), 1, 15000, &c), FOCAL_OK);
    assert_int_equal(c.piece.last, 2);
    assert_false(c.piece.is_signed);
    carried_close(&c);
    assert_int_equal(take_up(hq, data_log(hq), 3, 15000, &c), FOCAL_NOT_FOUND);
    carried_close(&c);

    /* Before it knows of the cut, it waits for a signature; with the cut it does not. */
    assert_int_equal(take_up(hq, data_log(hq), 1, 15000, &c), FOCAL_OK);
    carry_all(&offices[SSD], tcd);
    hold(tcd, &cut);
    begin(tcd);
    assert_int_equal(hand_over(tcd, &c), FOCAL_OK);
    commit(tcd);
    assert_int_equal(data_log(tcd)->head.seq, 2);
    assert_true(reads(tcd, &r, canary) && !reads(tcd, &r, other_canary));
    assert_same_state(hq, tcd);
    assert_verifies(tcd, NULL);
    carried_close(&c);

    /* A piece that goes on beyond the tip is cut at it; one that begins beyond it does not come in. */
    hold(ssd, &cut);
    assert_int_equal(take_up(ken, data_log(ken), 1, 15000, &c), FOCAL_OK);
    assert_true(c.piece.is_signed && c.piece.last == 22);
    begin(ssd);
    assert_int_equal(hand_over(ssd, &c), FOCAL_OK);
    commit(ssd);
    assert_int_equal(data_log(ssd)->head.seq, 2);
    assert_same_state(hq, ssd);
    carried_close(&c);
    assert_int_equal(take_up(ken, data_log(ken), 3, 15000, &c), FOCAL_OK);
    begin(ssd);
    struct focal_error err = { .status = FOCAL_OK };
    assert_int_equal(hand_over_or(ssd, &c, &err), FOCAL_NO_LONGER);
    assert_non_null(strstr(err.message, "authority"));
    commit(ssd);
    carried_close(&c);

    /* A later cut leaves more. */
    hold(hq, &later);
    hold(ssd, &later);
    hold(tcd, &later);
    assert_int_equal(focal_log_tip(data_log(hq))->seq, 9);
    assert_int_equal(carry_log(hq, ssd, 15000), FOCAL_NOT_FOUND);
    assert_int_equal(carry_log(ssd, tcd, 15000), FOCAL_NOT_FOUND);      /* also what ssd itself has without a signature */
    assert_same_state(hq, ssd);
    assert_same_state(hq, tcd);
    assert_true(reads(tcd, &r, other_canary));
    assert_verifies(ssd, NULL);
    focal_oplog_close(tcd->ol);
    office_open(tcd);
    assert_verifies(tcd, NULL);
    focal_buf_close(&cut);
    focal_buf_close(&later);
}

/* More than one transaction should do: between two slices the rest says what it said, and nothing is lost by a restart. */
static void a_large_one_in_slices(void **state)
{
    (void)state;
    enum { RECORDS = 9000 };
    struct focal_buf cut;
    struct focal_verify *v;
    struct office *ken = &offices[KEN], *hq = &offices[HQ], *tcd = &offices[TCD];
    struct focal_ref first, ref;
    begin(ken);
    assert_int_equal(try_write(ken, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark(canary), &first), FOCAL_OK);
    for (int i = 0; i < RECORDS; i++)
        assert_int_equal(try_write(ken, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark(other_canary), &ref), FOCAL_OK);
    commit(ken);
    carry_all(ken, hq);
    const struct focal_cut_tip tip = tip_at(hq, 2);
    cut_statement(&cut, ken, everything, 1, &tip, 1);
    hold(hq, &cut);
    assert_true(focal_oplog_again_due(hq->ol));
    assert_int_equal(focal_verify_open(&v, hq->ol), FOCAL_BUSY);
    focal_oplog_close(hq->ol);
    office_open(hq);
    assert_true(focal_oplog_again_due(hq->ol));
    int slices = 0;
    for (; focal_oplog_again_due(hq->ol); slices++) {
        begin(hq);
        commit(hq);
    }
    assert_in_range(slices, 1, 3);
    assert_true(reads(hq, &first, canary));
    assert_int_equal(focal_oplog_next_of_kind(hq->ol, NULL, FOCAL_KIND_CASE, &first, &ref), FOCAL_NOT_FOUND);
    assert_verifies(hq, NULL);
    hold(tcd, &cut);
    assert_int_equal(carry_log(hq, tcd, 15000), FOCAL_NOT_FOUND);
    assert_same_state(hq, tcd);
    focal_buf_close(&cut);
}

/* Its own office erased it, and the notice counts no more: it is missing, until somebody brings it who still has it. */
static void what_was_erased_comes_back(void **state)
{
    (void)state;
    struct focal_buf cut;
    struct office *ken = &offices[KEN], *hq = &offices[HQ], *ssd = &offices[SSD];
    const struct focal_log *log;
    uint64_t seq;
    const struct focal_ref r = write_text(KEN, NULL, "seen by all");
    const struct focal_ref edit = write_text(KEN, &r, canary);
    (void)write_text(KEN, &r, "after it");
    carry_all(ken, hq);
    assert_int_equal(redact(KEN, NULL, &edit), FOCAL_OK);
    carry_all(ken, ssd);
    assert_false(reads(ssd, &r, canary));
    assert_int_equal(focal_oplog_next_hole(ssd->ol, NULL, &log, &seq), FOCAL_NOT_FOUND);
    const struct focal_cut_tip tip = tip_at(hq, 4);
    cut_statement(&cut, ken, everything, 1, &tip, 1);
    hold(hq, &cut);
    hold(ssd, &cut);
    assert_true(focal_oplog_has_holes(ssd->ol) && !focal_oplog_has_holes(hq->ol));
    assert_int_equal(focal_oplog_next_hole(ssd->ol, NULL, &log, &seq), FOCAL_OK);
    assert_int_equal(seq, edit.seq);
    assert_int_equal(focal_oplog_next_hole(ssd->ol, log, &log, &seq), FOCAL_NOT_FOUND);
    assert_verifies(ssd, NULL);
    focal_oplog_close(ssd->ol);
    office_open(ssd);
    assert_true(focal_oplog_has_holes(ssd->ol));

    /* Who has it stripped as well brings nothing; a new member may get it so, and has a hole then. */
    struct office *tcd = &offices[TCD];
    hold(tcd, &cut);
    assert_int_equal(carry_log(ssd, tcd, 15000), FOCAL_NOT_FOUND);
    assert_true(focal_oplog_has_holes(tcd->ol));
    assert_int_equal(carry_log(tcd, ssd, 15000), FOCAL_NOT_FOUND);
    assert_true(focal_oplog_has_holes(ssd->ol));
    assert_int_equal(carry_log(hq, ssd, 15000), FOCAL_NOT_FOUND);
    assert_false(focal_oplog_has_holes(ssd->ol));
    assert_true(reads(ssd, &r, canary));
    assert_same_state(hq, ssd);
    assert_int_equal(carry_log(ssd, tcd, 15000), FOCAL_NOT_FOUND);
    assert_false(focal_oplog_has_holes(tcd->ol));
    assert_same_state(hq, tcd);
    assert_verifies(ssd, NULL);
    assert_verifies(tcd, NULL);
    focal_buf_close(&cut);
}

/* Missing, and then redacted by an office that has the right: it is no hole any more; nor one for who gets it stripped before it
 * hears why. Lines and records are asked each for itself. */
static void a_hole_ends_with_a_redaction(void **state)
{
    (void)state;
    struct focal_buf cut;
    struct office *ken = &offices[KEN], *ssd = &offices[SSD], *tcd = &offices[TCD], *hq = &offices[HQ];
    const struct focal_log *log;
    struct focal_hash network;
    uint64_t seq, count = 0;
    bool missing;
    focal_scope_id(&network, &net.id, &scope_network);
    const struct focal_ref r = write_text(KEN, NULL, "seen by all"), other = write_text(KEN, NULL, "another");
    const struct focal_ref edit = write_text(KEN, &r, canary), more = write_text(KEN, &other, other_canary);
    carry_all(ken, hq);
    assert_int_equal(redact(KEN, NULL, &edit), FOCAL_OK);
    assert_int_equal(redact(KEN, NULL, &more), FOCAL_OK);
    carry_all(ken, ssd);
    const struct focal_cut_tip tip = tip_at(hq, more.seq);
    cut_statement(&cut, ken, everything, 1, &tip, 1);
    hold(hq, &cut);
    hold(ssd, &cut);
    hold(tcd, &cut);
    assert_int_equal(focal_oplog_next_hole(ssd->ol, NULL, &log, &seq), FOCAL_OK);
    for (seq = 0; focal_oplog_hole_behind(ssd->ol, log, seq, &seq) == FOCAL_OK; count++)
        assert_true(seq == edit.seq || seq == more.seq);
    assert_int_equal(count, 2);
    assert_int_equal(focal_oplog_hole_behind(ssd->ol, log, UINT64_MAX, &seq), FOCAL_NOT_FOUND);
    assert_int_equal(focal_oplog_missing_about(ssd->ol, &r, &network, &missing), FOCAL_OK);
    assert_true(missing);
    assert_int_equal(focal_oplog_missing_about(hq->ol, &r, &network, &missing), FOCAL_OK);
    assert_false(missing);

    assert_int_equal(redact(HQ, NULL, &edit), FOCAL_OK);
    carry_all(hq, ssd);
    seq = 0;
    assert_int_equal(focal_oplog_hole_behind(ssd->ol, log, 0, &seq), FOCAL_OK);
    assert_int_equal(seq, more.seq);
    assert_int_equal(focal_oplog_missing_about(ssd->ol, &r, &network, &missing), FOCAL_OK);
    assert_false(missing);
    assert_int_equal(focal_oplog_missing_about(ssd->ol, &other, &network, &missing), FOCAL_OK);
    assert_true(missing);
    const uint64_t noted = focal_oplog_holes_noted(ssd->ol), restored = focal_oplog_restored_count(ssd->ol);
    assert_int_equal(carry_log(hq, ssd, 15000), FOCAL_NOT_FOUND);
    assert_false(focal_oplog_has_holes(ssd->ol));
    assert_false(reads(ssd, &r, canary));
    assert_true(reads(ssd, &other, other_canary));
    assert_true(noted > 0 && focal_oplog_restored_count(ssd->ol) == restored + 1);
    assert_true(focal_oplog_restored(ssd->ol, restored, &log, &seq) && seq == more.seq);
    assert_false(focal_oplog_restored(ssd->ol, restored + 1, &log, &seq));
    assert_verifies(ssd, NULL);
    focal_buf_close(&cut);
}

static struct focal_ref write_in_kenya(struct office *o, const char *text)
{
    struct focal_ref ref;
    begin(o);
    assert_int_equal(try_write(o, &scope_kenya, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark(text), &ref), FOCAL_OK);
    commit(o);
    return ref;
}

/* Erased is what others hold: their receipts say so. Certificates that list the scope no more do the same as a cut. */
static void leaving_a_scope(void **state)
{
    (void)state;
    for (int by_certificate = 0; by_certificate < 2; by_certificate++) {
        struct focal_buf cut, body;
        struct focal_signature signature;
        const struct focal_scope *left;
        uint64_t kept;
        size_t at = 0;
        (void)tear_down(state);
        (void)set_up(state);
        struct office *ken = &offices[KEN], *ssd = &offices[SSD];
        const struct focal_ref own = write_in_kenya(ken, canary), theirs = write_in_kenya(ssd, other_canary);
        const struct focal_ref stays = write_text(KEN, NULL, "seen by all");
        carry_all(ssd, ken);
        carry_all(ken, ssd);
        assert_null(focal_oplog_next_left(ken->ol, &at, &kept));
        if (by_certificate) {
            struct focal_certificate c;
            certificate_for(&c, ken, 2);
            c.read_count = 2;           /* control and network */
            focal_buf_init(&cut, FOCAL_STATEMENT_MAX);
            certificate_sign(&cut, &net, &c);
        } else {
            const struct focal_reach kenya = { .kind = FOCAL_REACH_SCOPE, .scope = scope_kenya };
            const struct focal_log *log = log_of(ken, &net, ken, &scope_kenya);
            const struct focal_cut_tip tip = { .log = log->id, .tip = log->head };
            cut_statement(&cut, ken, kenya, 1, &tip, 1);
        }
        hold(ken, &cut);
        at = 0;
        left = focal_oplog_next_left(ken->ol, &at, &kept);
        assert_non_null(left);
        assert_int_equal(focal_scope_compare(left, &scope_kenya), 0);
        assert_int_equal(kept, 2);      /* the begin entry, and the case */
        assert_null(focal_oplog_next_left(ken->ol, &at, &kept));

        focal_buf_init(&body, FOCAL_RECEIPT_MAX);
        begin(ssd);
        assert_int_equal(focal_oplog_make_receipt(ssd->ol, &scope_kenya, 20100, &body, &signature), FOCAL_OK);
        commit(ssd);
        begin(ken);
        assert_int_equal(focal_oplog_take_receipt(ken->ol, focal_buf_view(&body), &signature), FOCAL_OK);
        commit(ken);
        at = 0;
        assert_non_null(focal_oplog_next_left(ken->ol, &at, &kept));
        assert_int_equal(kept, 0);
        begin(ken);
        assert_int_equal(focal_oplog_leave(ken->ol, &scope_kenya), FOCAL_OK);
        roll_back(ken);
        assert_true(focal_fake_store_holds(ken->store, mark(canary)));
        begin(ken);
        assert_int_equal(focal_oplog_leave(ken->ol, &scope_kenya), FOCAL_OK);
        commit(ken);
        assert_true(focal_oplog_scrub_due(ken->ol));
        assert_int_equal(focal_store_scrub(ken->store), FOCAL_OK);
        focal_oplog_scrubbed(ken->ol);
        assert_false(focal_fake_store_holds(ken->store, mark(canary)));
        assert_false(focal_fake_store_holds(ken->store, mark(other_canary)));
        at = 0;
        assert_null(focal_oplog_next_left(ken->ol, &at, &kept));
        assert_true(reads(ken, &stays, "seen by all"));
        assert_verifies(ken, NULL);
        focal_oplog_close(ken->ol);
        office_open(ken);
        assert_true(reads(ken, &stays, "seen by all"));
        assert_null(log_of(ken, &net, ken, &scope_kenya));
        assert_verifies(ken, NULL);
        assert_true(focal_fake_store_holds(ssd->store, mark(canary)) && own.seq == theirs.seq);
        focal_buf_close(&body);
        focal_buf_close(&cut);
    }
}

static enum focal_status opens_with(struct office *o, enum focal_shelf shelf, const void *key, size_t key_len, size_t value_len)
{
    static const uint8_t value[64];
    struct focal_oplog *ol = NULL;
    begin(o);
    assert_int_equal(focal_store_put(o->store, shelf, focal_span_of(key, key_len), focal_span_of(value, value_len)), FOCAL_OK);
    commit(o);
    const enum focal_status st = focal_oplog_open(&ol, o->store, NULL, NULL, NULL, NULL);
    focal_oplog_close(ol);
    begin(o);
    assert_int_equal(focal_store_del(o->store, shelf, focal_span_of(key, key_len)), FOCAL_OK);
    commit(o);
    return st;
}

/* Rows of what is still to be done that are no such rows: they are damage, and found when the store is opened or when they are
 * come to. Of lines that are not held any more there is nothing to do. */
static void rows_that_are_none(void **state)
{
    (void)state;
    struct office *hq = &offices[HQ], *ken = &offices[KEN];
    struct focal_buf cut;
    uint8_t again[32] = "again/", hole[40] = "hole/", hidden[24] = { 7 };
    const struct focal_log *log;
    uint64_t seq;
    const struct focal_ref r = write_text(KEN, NULL, canary);
    (void)write_text(KEN, &r, other_canary);
    exchange();
    assert_int_equal(opens_with(hq, FOCAL_SHELF_META, again, 22, 15), FOCAL_DAMAGED);
    assert_int_equal(opens_with(hq, FOCAL_SHELF_META, again, 21, 16), FOCAL_DAMAGED);
    assert_int_equal(opens_with(hq, FOCAL_SHELF_META, again, 22, 16), FOCAL_OK);
    assert_int_equal(opens_with(hq, FOCAL_SHELF_META, hole, 20, 0), FOCAL_DAMAGED);
    assert_int_equal(opens_with(hq, FOCAL_SHELF_META, hole, 29, 0), FOCAL_OK);

    /* A line that is not held: its rows are over at once. */
    begin(hq);
    assert_int_equal(focal_store_put(hq->store, FOCAL_SHELF_META, focal_span_of(again, 22), focal_span_of(hidden, 16)), FOCAL_OK);
    assert_int_equal(focal_store_put(hq->store, FOCAL_SHELF_META, focal_span_of(hole, 29), focal_span_of(hidden, 0)), FOCAL_OK);
    commit(hq);
    focal_oplog_close(hq->ol);
    office_open(hq);
    assert_true(focal_oplog_again_due(hq->ol) && focal_oplog_has_holes(hq->ol));
    assert_int_equal(focal_oplog_next_hole(hq->ol, NULL, &log, &seq), FOCAL_NOT_FOUND);
    begin(hq);
    commit(hq);
    assert_false(focal_oplog_again_due(hq->ol));

    /* What is hidden, and is no entry. */
    for (int kind = 0; kind < 3; kind++) {
        const struct focal_cut_tip tip = tip_at(ken, 2);
        const struct focal_ref mine = write_text(SSD, &r, "of another");
        carry_all(&offices[SSD], hq);
        cut_statement(&cut, &offices[TCD], (struct focal_reach){ .kind = FOCAL_REACH_RIGHT, .right = FOCAL_RIGHT_REDACT }, (uint64_t)kind + 1, &tip, 1);
        assert_int_equal(redact(HQ, NULL, &mine), FOCAL_OK);
        memcpy(hidden, kind == 2 ? data_log(hq)->id.b : tip.tip.h.b, 16);
        focal_put_be64(hidden + 16, 2);
        begin(hq);
        assert_int_equal(focal_store_put(hq->store, FOCAL_SHELF_HIDDEN, focal_span_of(hidden, kind == 0 ? 23 : 24), focal_span_of(hole, 5)), FOCAL_OK);
        enum focal_status st = focal_oplog_add_statement(hq->ol, focal_buf_view(&cut));
        if (st == FOCAL_OK)
            st = focal_oplog_seal(hq->ol);
        assert_int_equal(st, FOCAL_DAMAGED);
        roll_back(hq);
        focal_buf_close(&cut);
    }
}

/* What is asked of logs that are listed twice, under another hash, not at all, or in a scope that nobody knows. */
static void questions(void **state)
{
    (void)state;
    struct office *ken = &offices[KEN], *hq = &offices[HQ];
    struct focal_buf cut, right;
    const struct focal_ref r = write_text(KEN, NULL, canary);
    (void)write_text(KEN, &r, other_canary);
    carry_all(ken, hq);
    struct focal_cut_tip tips[2] = { tip_at(hq, 3), tip_at(hq, 3) };
    tips[1].tip.h.b[31] ^= 1;
    cut_statement(&cut, ken, everything, 1, tips, 2);
    cut_statement(&right, &offices[SSD], (struct focal_reach){ .kind = FOCAL_REACH_RIGHT, .right = FOCAL_RIGHT_REDACT }, 1, NULL, 0);
    hold(hq, &cut);
    hold(hq, &right);
    const struct focal_log *log = data_log(hq);
    struct focal_log_name name = log->name;
    struct focal_id id = log->id;
    assert_int_equal(focal_oplog_limit(hq->ol, &id, &name), 3);
    memset(name.epoch.b, 9, sizeof name.epoch.b);
    focal_log_id(&id, &net.id, &name);
    assert_int_equal(focal_oplog_limit(hq->ol, &id, &name), 0);
    memset(name.scope.b, 9, sizeof name.scope.b);
    assert_true(focal_oplog_limit(hq->ol, &id, &name) == UINT64_MAX);
    struct focal_tip at = { .seq = 3, .h = tips[0].tip.h };
    assert_true(focal_oplog_is_vouched(hq->ol, &log->id, &at));
    at.h.b[30] ^= 1;
    assert_false(focal_oplog_is_vouched(hq->ol, &log->id, &at));
    assert_false(focal_oplog_is_vouched(hq->ol, &id, &at));
    assert_true(focal_oplog_may_redact(hq->ol, focal_oplog_certificate_by_sign(hq->ol, &hq->keys.sign_public)));
    assert_false(focal_oplog_may_redact(hq->ol, focal_oplog_certificate_by_sign(hq->ol, &ken->keys.sign_public)));
    const struct focal_scope nowhere = { .cls = FOCAL_SCOPE_COUNTRY, .country = "ZZZ" };
    begin(hq);
    assert_int_equal(focal_oplog_leave(hq->ol, &nowhere), FOCAL_NOT_FOUND);
    roll_back(hq);
    assert_int_equal(redact(HQ, NULL, &r), FOCAL_OK);           /* another office lost the right, not this one */
    assert_false(reads(hq, &r, canary));
    focal_buf_close(&cut);
    focal_buf_close(&right);
}

/* More come back than are kept in mind one by one. */
static void many_come_back(void **state)
{
    (void)state;
    enum { MANY = 80 };
    struct office *hq = &offices[HQ], *ssd = &offices[SSD];
    struct focal_buf cut;
    const struct focal_log *log;
    uint64_t seq;
    const struct focal_ref r = write_text(KEN, NULL, "seen by all");
    for (int i = 0; i < MANY; i++) {
        const struct focal_ref one = write_text(KEN, &r, i % 2 ? canary : other_canary);
        assert_int_equal(redact(HQ, NULL, &one), FOCAL_OK);
    }
    carry_all(&offices[KEN], ssd);
    carry_all(hq, ssd);
    assert_false(reads(ssd, &r, canary));
    const uint64_t before = focal_oplog_restored_count(ssd->ol);
    cut_statement(&cut, hq, (struct focal_reach){ .kind = FOCAL_REACH_RIGHT, .right = FOCAL_RIGHT_REDACT }, 1, NULL, 0);
    hold(ssd, &cut);
    assert_true(reads(ssd, &r, canary) && reads(ssd, &r, other_canary));
    assert_int_equal(focal_oplog_restored_count(ssd->ol), before + MANY);
    assert_false(focal_oplog_restored(ssd->ol, before, &log, &seq));
    assert_true(focal_oplog_restored(ssd->ol, before + MANY - 1, &log, &seq));
    assert_verifies(ssd, NULL);
    focal_buf_close(&cut);
}

/* A relay strips all of a stretch and hands on no runs of salts: each hole gets one of its own when it is filled, between others. */
static void holes_without_runs(void **state)
{
    (void)state;
    struct office *ken = &offices[KEN], *hq = &offices[HQ];
    struct focal_buf cut, packed;
    struct focal_ref refs[4];
    struct focal_stretch s;
    struct focal_arena arena;
    struct carried c;
    begin(ken);
    for (int i = 0; i < 4; i++)
        assert_int_equal(try_write(ken, &scope_network, i ? &refs[0] : NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark(canary), &refs[i]), FOCAL_OK);
    commit(ken);
    cut_statement(&cut, hq, (struct focal_reach){ .kind = FOCAL_REACH_RIGHT, .right = FOCAL_RIGHT_REDACT }, 1, NULL, 0);   /* what it redacted may be void */
    hold(hq, &cut);
    carry_all(&offices[SSD], hq);
    begin(hq);
    assert_int_equal(take_up(ken, log_of(ken, &net, ken, &scope_control), 1, 15000, &c), FOCAL_OK);
    assert_int_equal(hand_over(hq, &c), FOCAL_OK);
    carried_close(&c);
    assert_int_equal(take_up(ken, data_log(ken), 1, 15000, &c), FOCAL_OK);
    focal_arena_init(&arena, 16u << 20);
    focal_buf_init(&packed, 1 << 20);
    struct focal_packer *packer = focal_packer_open();
    assert_int_equal(focal_stretch_unpack(packer, &s, &arena, focal_buf_view(&c.packed)), FOCAL_OK);
    uint8_t first_salt[FOCAL_SALT_BYTES];
    assert_true(focal_stretch_salt(&s, 0, first_salt, focal_salt_from_seed));
    for (size_t i = 1; i < s.count; i++) {
        uint8_t salt[FOCAL_SALT_BYTES];
        assert_true(focal_stretch_salt(&s, i, salt, focal_salt_from_seed));
        focal_commitment(&s.entries[i].c, salt, s.entries[i].payload);
    }
    for (size_t i = 1; i < s.count; i++)
        s.entries[i].has_payload = false;
    struct focal_salt_run only = { .first = 1, .last = 1, .salts = focal_span_of(first_salt, sizeof first_salt) };
    s.runs = &only;
    s.run_count = 1;
    assert_int_equal(focal_stretch_pack(packer, &packed, &s), FOCAL_OK);
    struct carried stripped = c;
    stripped.packed = packed;
    assert_int_equal(hand_over(hq, &stripped), FOCAL_OK);
    commit(hq);
    assert_true(focal_oplog_has_holes(hq->ol) && !reads(hq, &refs[0], canary));

    /* One from the middle, then all. */
    struct carried one;
    memset(&one, 0, sizeof one);
    focal_buf_init(&one.packed, 1 << 20);
    one.name = c.name;
    assert_int_equal(focal_oplog_read_upto(ken->ol, data_log(ken), refs[1].seq, refs[1].seq, 15000, &one.piece, &one.packed), FOCAL_OK);
    begin(hq);
    assert_int_equal(hand_over(hq, &one), FOCAL_OK);
    commit(hq);
    assert_true(focal_oplog_has_holes(hq->ol));
    begin(hq);
    assert_int_equal(hand_over(hq, &c), FOCAL_OK);
    commit(hq);
    assert_false(focal_oplog_has_holes(hq->ol));
    assert_true(reads(hq, &refs[0], canary));
    assert_verifies(hq, NULL);
    focal_packer_close(packer);
    focal_arena_close(&arena);
    focal_buf_close(&packed);
    carried_close(&one);
    carried_close(&c);
    focal_buf_close(&cut);
}

/* Reaches that come later count for nothing, and change nothing. */
static void reaches_that_are_not_known(void **state)
{
    (void)state;
    struct office *hq = &offices[HQ];
    struct focal_buf cut, body, statement;
    const struct focal_ref r = write_text(KEN, NULL, canary);
    exchange();
    cut_statement(&cut, &offices[KEN], everything, 1, NULL, 0);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    struct focal_cur cur = focal_cur_of(focal_span_of(cut.data + 64, cut.len - 64));
    focal_buf_varint(&body, focal_cur_varint(&cur));
    while (focal_cur_left(&cur) > 0) {
        uint64_t tag;
        struct focal_span value = focal_cur_item(&cur, &tag);
        focal_buf_item(&body, tag, tag == 3 ? focal_span_text("\7later") : value);
    }
    focal_statement_sign(&statement, net.authority.secret, &net.id, focal_buf_view(&body));
    hold(hq, &statement);
    assert_null(focal_oplog_cut_at(hq->ol, 0));
    assert_true(reads(hq, &r, canary));
    struct focal_span found;
    size_t of_key = 0;
    for (size_t i = 0; focal_oplog_cut_statement(hq->ol, i, &offices[KEN].keys.sign_public, &found); i++)
        of_key += found.len > 0;
    assert_int_equal(of_key, 1);        /* carried on like any other */
    focal_buf_close(&cut);
    focal_buf_close(&body);
    focal_buf_close(&statement);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(restarts_and_rollbacks), WITH(what_the_cut_office_may_do), WITH(what_leads_to_a_listed_tip), WITH(a_large_one_in_slices),
        WITH(what_was_erased_comes_back), WITH(a_hole_ends_with_a_redaction), WITH(leaving_a_scope), WITH(rows_that_are_none), WITH(questions), WITH(many_come_back),
        WITH(holes_without_runs), WITH(reaches_that_are_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
