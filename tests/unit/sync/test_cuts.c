/* A talk in which rights are taken back: at once and also from what waits to be sent; who goes on sending is sent the cut; what a
 * void redaction had erased is asked for. */
#include "ends.h"

static struct network net;
static struct office hq, ken, ssd;
static struct end a, b;

static int set_up(void **state)
{
    (void)state;
    network_make(&net);
    office_make(&hq, &net, "HQ", 7);
    office_make(&ken, &net, "KEN", 8);
    office_make(&ssd, &net, "SSD", 9);
    struct office *all[] = { &hq, &ken, &ssd };
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++)
            hold(all[i], &all[k]->statement);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    office_close(&hq);
    office_close(&ken);
    office_close(&ssd);
    network_close(&net);
    return 0;
}

/* Leaves what `known` holds of the office's logs, up to `most` of each. */
static void cut_number(struct focal_buf *out, const struct office *of, struct office *known, uint64_t most, uint64_t number)
{
    struct focal_buf tips, body;
    focal_buf_init(out, FOCAL_STATEMENT_MAX);
    focal_buf_init(&tips, FOCAL_STATEMENT_MAX);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    for (size_t i = 0; i < focal_oplog_log_count(known->ol); i++) {
        const struct focal_log *log = focal_oplog_log_at(known->ol, i);
        struct focal_cut_tip tip = { .log = log->id, .tip = { .seq = log->head.seq < most ? log->head.seq : most } };
        if (!focal_key_equal(&log->name.author, &of->keys.sign_public) || log->head.seq == 0 || most == 0)
            continue;
        assert_int_equal(focal_oplog_hash_on(known->ol, log, tip.tip.seq, &tip.tip.h), FOCAL_OK);
        focal_cut_tip_put(&tips, &tip);
    }
    const struct focal_cut c = { .office = of->code, .key = of->keys.sign_public, .reach = { .kind = FOCAL_REACH_EVERYTHING }, .number = number,
        .tips = focal_buf_view(&tips), .day = 20100, .reason = FOCAL_CUT_REVOKED };
    focal_cut_encode(&body, &c);
    focal_statement_sign(out, net.authority.secret, &net.id, focal_buf_view(&body));
    assert_false(out->failed);
    focal_buf_close(&tips);
    focal_buf_close(&body);
}

static void cut_of(struct focal_buf *out, const struct office *of, struct office *known, uint64_t most)
{
    cut_number(out, of, known, most, 1);
}

static void take_statement(struct end *e, const struct focal_buf *statement)
{
    end_writing(e);
    assert_int_equal(focal_oplog_add_statement(e->office->ol, focal_buf_view(statement)), FOCAL_OK);
    assert_int_equal(focal_session_rights_changed(e->s), FOCAL_OK);
    end_finish(e);
}

static void nothing_more_is_sent(void **state)
{
    (void)state;
    struct focal_buf cut, body;
    struct focal_signature signature;
    struct focal_hash scope;
    ends_link(&a, &hq, &b, &ken);
    end_write(&a, &scope_network, 3);
    end_write(&b, &scope_network, 3);
    ends_shake(&a, &b);
    pump(&a, &b);
    assert_true(same_frontier(&hq, &ken, &net, &scope_network));
    const uint64_t had = head_of(&ken, &hq, &net, &scope_network);

    /* All this waits to be sent when the cut comes: an acknowledgement, entries, the name of a new log, a receipt. */
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    end_write(&b, &scope_network, 1);
    while (end_take(&b, &frame))
        assert_int_equal(end_frame(&a, focal_buf_view(&frame)), FOCAL_OK);
    end_write(&a, &scope_network, 20);
    end_write(&a, &scope_kenya, 1);
    focal_scope_id(&scope, &net.id, &scope_network);
    focal_buf_init(&body, FOCAL_RECEIPT_MAX);
    end_writing(&a);
    assert_int_equal(focal_oplog_make_receipt(hq.ol, &scope_network, 20100, &body, &signature), FOCAL_OK);
    focal_session_receipt(a.s, &scope, focal_buf_view(&body), &signature);
    end_finish(&a);
    cut_of(&cut, &ken, &hq, UINT64_MAX);
    take_statement(&a, &cut);
    assert_false(focal_session_shares(a.s, &scope));
    while (end_take(&a, &frame)) {
        struct focal_channel reader = b.s->secrets->channel;
        struct focal_buf plain;
        struct focal_message m;
        focal_buf_init(&plain, FOCAL_NOISE_MAX);
        assert_int_equal(focal_channel_unseal(&reader, &plain, focal_buf_view(&frame)), FOCAL_OK);
        assert_int_equal(focal_message_decode(&m, focal_buf_view(&plain)), FOCAL_OK);
        if (m.type == FOCAL_MSG_FRONTIER || m.type == FOCAL_MSG_SEGMENT || m.type == FOCAL_MSG_RECEIPT
            || m.type == FOCAL_MSG_ACK)
            fail_msg("message %d goes to who is cut off", m.type);
        assert_int_equal(end_frame(&b, focal_buf_view(&frame)), FOCAL_OK);
        focal_buf_close(&plain);
    }
    focal_buf_close(&frame);
    pump(&a, &b);
    assert_int_equal(head_of(&ken, &hq, &net, &scope_network), had);
    assert_non_null(focal_oplog_cut_of(ken.ol, &ken.keys.sign_public));     /* it is told why */
    assert_false(focal_session_shares(b.s, &scope));
    struct focal_hash one, other;
    focal_oplog_statements_hash(hq.ol, &one);
    focal_oplog_statements_hash(ken.ol, &other);
    assert_true(focal_hash_equal(&one, &other));
    focal_buf_close(&body);
    focal_buf_close(&cut);
    ends_close(&a, &b);
}

/* It closes already, and what waits on it is still sent before the word that says so. */
static void nothing_more_on_a_link_that_closes(void **state)
{
    (void)state;
    struct focal_buf cut, body, frame, plain;
    struct focal_signature signature;
    struct focal_hash scope;
    bool said_bye = false;
    ends_link(&a, &hq, &b, &ken);
    end_write(&a, &scope_network, 3);
    ends_shake(&a, &b);
    pump(&a, &b);
    focal_scope_id(&scope, &net.id, &scope_network);
    focal_buf_init(&body, FOCAL_RECEIPT_MAX);
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    focal_buf_init(&plain, FOCAL_NOISE_MAX);
    end_writing(&a);
    assert_int_equal(focal_oplog_make_receipt(hq.ol, &scope_network, 20100, &body, &signature), FOCAL_OK);
    focal_session_receipt(a.s, &scope, focal_buf_view(&body), &signature);
    end_finish(&a);
    focal_session_bye(a.s, FOCAL_BYE_CLOSING);
    cut_of(&cut, &ken, &hq, UINT64_MAX);
    take_statement(&a, &cut);
    struct focal_channel reader = b.s->secrets->channel;
    while (end_take(&a, &frame)) {
        struct focal_message m;
        focal_buf_clear(&plain);
        assert_int_equal(focal_channel_unseal(&reader, &plain, focal_buf_view(&frame)), FOCAL_OK);
        assert_int_equal(focal_message_decode(&m, focal_buf_view(&plain)), FOCAL_OK);
        said_bye = said_bye || m.type == FOCAL_MSG_BYE;
        assert_int_not_equal(m.type, FOCAL_MSG_RECEIPT);
    }
    assert_true(said_bye);
    focal_buf_close(&frame);
    focal_buf_close(&plain);
    focal_buf_close(&body);
    focal_buf_close(&cut);
    ends_close(&a, &b);
}

/* The statement came to headquarters on another link in the very moment: what ken still sends of ssd is answered by it. */
static void who_goes_on_sending_is_sent_the_cut(void **state)
{
    (void)state;
    struct focal_buf cut;
    struct focal_ref ref;
    begin(&ssd);
    for (uint8_t i = 0; i < 10; i++)
        write_value(&ssd, &scope_network, NULL, FIELD_A, i, &ref);
    commit(&ssd);
    carry_all(&ssd, &hq);
    carry_all(&ssd, &ken);
    cut_of(&cut, &ssd, &hq, 6);
    begin(&ssd);
    for (uint8_t i = 0; i < 10; i++)
        write_value(&ssd, &scope_network, NULL, FIELD_A, i, &ref);
    commit(&ssd);
    ends_link(&a, &hq, &b, &ken);
    ends_shake(&a, &b);
    pump(&a, &b);
    hold(&hq, &cut);                            /* the session is not told */
    end_tell(&a);
    struct carried c;
    assert_int_equal(take_up(&ssd, log_of(&ssd, &net, &ssd, &scope_network), 12, 15000, &c), FOCAL_OK);
    end_writing(&b);
    assert_int_equal(hand_over(&ken, &c), FOCAL_OK);
    end_finish(&b);
    pump(&a, &b);
    assert_int_equal(head_of(&hq, &ssd, &net, &scope_network), 11);
    assert_int_equal(head_of(&ken, &ssd, &net, &scope_network), 21);
    assert_non_null(focal_oplog_cut_of(ken.ol, &ssd.keys.sign_public));
    assert_true(same_frontier(&hq, &ken, &net, &scope_network));
    assert_true(focal_session_equal(a.s) && focal_session_equal(b.s));
    carried_close(&c);
    focal_buf_close(&cut);
    ends_close(&a, &b);
}

/* Whom nothing is shared with may not know it yet: what it says of its scopes is no fault. */
static void one_who_has_not_heard_of_it(void **state)
{
    (void)state;
    struct focal_buf cut;
    cut_of(&cut, &ken, &hq, UINT64_MAX);
    hold(&hq, &cut);
    ends_link(&a, &hq, &b, &ken);
    end_write(&b, &scope_network, 5);
    ends_shake(&a, &b);
    end_write(&b, &scope_chad, 2);
    pump(&a, &b);
    assert_int_equal(head_of(&hq, &ken, &net, &scope_network), 0);
    assert_int_equal(head_of(&hq, &ken, &net, &scope_chad), 0);
    assert_non_null(focal_oplog_cut_of(ken.ol, &ken.keys.sign_public));
    assert_false(focal_session_equal(a.s));
    focal_buf_close(&cut);
    ends_close(&a, &b);
}

/* Of a log that a cut leaves nothing of, equal frontiers say nothing: one end holds it, and the other has never heard its name.
 * When a later cut leaves something of it, the name comes first. */
static void a_later_cut_leaves_more(void **state)
{
    (void)state;
    struct focal_buf nothing, more;
    struct focal_ref ref;
    begin(&ssd);
    for (uint8_t i = 0; i < 4; i++)
        write_value(&ssd, &scope_network, NULL, FIELD_A, i, &ref);
    commit(&ssd);
    carry_all(&ssd, &hq);
    cut_number(&nothing, &ssd, &hq, 0, 1);
    cut_number(&more, &ssd, &hq, UINT64_MAX, 2);
    hold(&hq, &nothing);
    hold(&ken, &nothing);
    ends_link(&a, &hq, &b, &ken);
    ends_shake(&a, &b);
    pump(&a, &b);
    assert_true(focal_session_equal(a.s));
    assert_int_equal(head_of(&ken, &ssd, &net, &scope_network), 0);
    take_statement(&a, &more);
    take_statement(&b, &more);
    for (size_t i = 0; i < focal_oplog_log_count(hq.ol); i++)
        if (focal_log_tip(focal_oplog_log_at(hq.ol, i))->seq > 0)
            assert_int_equal(focal_session_log_changed(a.s, focal_oplog_log_at(hq.ol, i)), FOCAL_OK);
    pump(&a, &b);
    assert_int_equal(head_of(&ken, &ssd, &net, &scope_network), 5);
    assert_true(same_frontier(&hq, &ken, &net, &scope_network));
    focal_buf_close(&nothing);
    focal_buf_close(&more);
    ends_close(&a, &b);
}

/* ssd had redacted an entry of its own; headquarters had erased it, ken had not heard of it. */
static void what_was_erased_is_asked_for(void **state)
{
    (void)state;
    struct focal_buf cut;
    struct focal_ref record, edit, notice;
    struct focal_error err;
    begin(&ssd);
    write_value(&ssd, &scope_network, NULL, FIELD_A, 1, &record);
    write_value(&ssd, &scope_network, &record, FIELD_A, 2, &edit);
    commit(&ssd);
    carry_all(&ssd, &ken);
    const struct focal_redact r = { .scope = scope_network, .entries = &edit, .entry_count = 1, .reason = 2 };
    cut_of(&cut, &ssd, &ken, UINT64_MAX);
    begin(&ssd);
    assert_int_equal(focal_oplog_redact(ssd.ol, &r, &notice, &err), FOCAL_OK);
    commit(&ssd);
    carry_all(&ssd, &hq);
    hold(&hq, &cut);
    hold(&ken, &cut);
    assert_true(focal_oplog_has_holes(hq.ol));
    ends_link(&a, &hq, &b, &ken);
    ends_shake(&a, &b);
    pump(&a, &b);
    assert_true(focal_session_equal(a.s));
    assert_int_equal(focal_session_tick(a.s), FOCAL_OK);
    assert_int_equal(focal_session_tick(a.s), FOCAL_OK);        /* once of each peer */
    pump(&a, &b);
    assert_false(focal_oplog_has_holes(hq.ol));
    assert_same_state(&hq, &ken);
    assert_true(focal_session_equal(a.s) && focal_session_equal(b.s));
    focal_buf_close(&cut);
    ends_close(&a, &b);
}

/* A new member, known to all, that has heard of the cut. */
static void newcomer(struct office *mli, const struct focal_buf *cut)
{
    struct office *all[] = { &hq, &ken, &ssd };
    office_make(mli, &net, "MLI", 11);
    for (int i = 0; i < 3; i++) {
        hold(mli, &all[i]->statement);
        hold(all[i], &mli->statement);
    }
    hold(mli, &mli->statement);
    hold(mli, cut);
}

/* Who has a hole acknowledges nothing behind it, whoever fills it; and who is asked for it knows that it is missing there. */
static void what_is_missing_is_not_acknowledged(void **state)
{
    (void)state;
    struct focal_buf cut;
    struct focal_ref record, edit, last, notice;
    struct focal_error err;
    uint64_t seq;
    begin(&ssd);
    write_value(&ssd, &scope_network, NULL, FIELD_A, 1, &record);
    write_value(&ssd, &scope_network, &record, FIELD_A, 2, &edit);
    write_value(&ssd, &scope_network, &record, FIELD_A, 3, &last);
    commit(&ssd);
    carry_all(&ssd, &ken);
    const struct focal_redact r = { .scope = scope_network, .entries = &edit, .entry_count = 1, .reason = 2 };
    cut_of(&cut, &ssd, &ken, UINT64_MAX);
    begin(&ssd);
    assert_int_equal(focal_oplog_redact(ssd.ol, &r, &notice, &err), FOCAL_OK);
    commit(&ssd);
    carry_all(&ssd, &hq);
    hold(&hq, &cut);
    hold(&ken, &cut);

    /* A new member gets it with the hole, on its link with headquarters. */
    struct office mli;
    newcomer(&mli, &cut);
    ends_link(&a, &hq, &b, &mli);
    ends_shake(&a, &b);
    pump(&a, &b);
    const struct focal_log *log = log_of(&hq, &net, &ssd, &scope_network);
    assert_int_equal(head_of(&mli, &ssd, &net, &scope_network), last.seq);
    assert_true(focal_oplog_has_holes(mli.ol) && focal_session_equal(a.s) && focal_session_equal(b.s));
    assert_int_equal(focal_session_tick(b.s), FOCAL_OK);
    pump(&a, &b);
    assert_true(focal_session_has(a.s, log, &seq) && seq == edit.seq - 1);

    /* It comes by another way. */
    carry_all(&ken, &mli);
    begin(&mli);
    struct carried c;
    assert_int_equal(take_up(&ken, log_of(&ken, &net, &ssd, &scope_network), 1, FOCAL_SEGMENT_PACKED_MAX, &c), FOCAL_OK);
    assert_int_equal(hand_over(&mli, &c), FOCAL_OK);
    commit(&mli);
    carried_close(&c);
    assert_false(focal_oplog_has_holes(mli.ol));
    assert_int_equal(focal_session_tick(b.s), FOCAL_OK);
    pump(&a, &b);
    assert_true(focal_session_has(a.s, log, &seq) && seq == last.seq);
    focal_buf_close(&cut);
    ends_close(&a, &b);
    office_close(&mli);
}

/* More come back at once than are remembered one by one: who asked for any of them is given all. */
static void very_many_are_given_on(void **state)
{
    (void)state;
    enum { MANY = 100 };
    struct focal_buf cut;
    struct focal_ref record, edits[MANY], notice;
    struct focal_error err;
    begin(&ssd);
    write_value(&ssd, &scope_network, NULL, FIELD_A, 1, &record);
    for (size_t i = 0; i < MANY; i++)
        write_value(&ssd, &scope_network, &record, FIELD_ROWS, (uint8_t)i, &edits[i]);
    commit(&ssd);
    carry_all(&ssd, &ken);
    const struct focal_redact r = { .scope = scope_network, .entries = edits, .entry_count = MANY, .reason = 2 };
    cut_of(&cut, &ssd, &ken, UINT64_MAX);
    begin(&ssd);
    assert_int_equal(focal_oplog_redact(ssd.ol, &r, &notice, &err), FOCAL_OK);
    commit(&ssd);
    carry_all(&ssd, &hq);
    hold(&hq, &cut);
    hold(&ken, &cut);
    struct office mli;
    newcomer(&mli, &cut);
    ends_link(&a, &hq, &b, &mli);
    ends_shake(&a, &b);
    pump(&a, &b);
    assert_true(focal_oplog_has_holes(hq.ol) && focal_oplog_has_holes(mli.ol));
    for (int i = 0; i < 4; i++) {
        assert_int_equal(focal_session_tick(b.s), FOCAL_OK);
        pump(&a, &b);
    }
    begin(&hq);
    const struct focal_log *log = log_of(&ken, &net, &ssd, &scope_network);
    for (uint64_t next = 1; next <= log->head.seq;) {
        struct carried c;
        assert_int_equal(take_up(&ken, log, next, FOCAL_SEGMENT_PACKED_MAX, &c), FOCAL_OK);
        assert_int_equal(hand_over(&hq, &c), FOCAL_OK);
        next = c.piece.last + 1;
        carried_close(&c);
    }
    commit(&hq);
    assert_false(focal_oplog_has_holes(hq.ol));
    for (int i = 0; i < 4; i++) {
        assert_int_equal(focal_session_tick(a.s), FOCAL_OK);
        pump(&a, &b);
    }
    assert_false(focal_oplog_has_holes(mli.ol));
    assert_same_state(&hq, &mli);
    focal_buf_close(&cut);
    ends_close(&a, &b);
    office_close(&mli);
}

/* What was erased lies beyond the cut: nobody would give it, so nothing is asked for, and no link is woken for it. */
static void what_was_erased_beyond_the_cut_is_not(void **state)
{
    (void)state;
    struct focal_buf cut;
    struct focal_ref record, edit, notice;
    struct focal_error err;
    begin(&ssd);
    write_value(&ssd, &scope_network, NULL, FIELD_A, 1, &record);
    write_value(&ssd, &scope_network, &record, FIELD_A, 2, &edit);
    commit(&ssd);
    carry_all(&ssd, &ken);
    const struct focal_redact r = { .scope = scope_network, .entries = &edit, .entry_count = 1, .reason = 2 };
    cut_of(&cut, &ssd, &ken, record.seq);
    begin(&ssd);
    assert_int_equal(focal_oplog_redact(ssd.ol, &r, &notice, &err), FOCAL_OK);
    commit(&ssd);
    carry_all(&ssd, &hq);
    hold(&hq, &cut);
    hold(&ken, &cut);
    assert_true(focal_oplog_has_holes(hq.ol));
    ends_link(&a, &hq, &b, &ken);
    ends_shake(&a, &b);
    pump(&a, &b);
    assert_true(focal_session_equal(a.s));
    const uint64_t frames = a.frames;
    assert_int_equal(focal_session_tick(a.s), FOCAL_OK);
    pump(&a, &b);
    assert_int_equal(a.frames, frames);
    assert_true(focal_session_deadline_ms(a.s) > a.host.now.mono_ms + 1000);
    focal_buf_close(&cut);
    ends_close(&a, &b);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(nothing_more_is_sent), WITH(nothing_more_on_a_link_that_closes), WITH(who_goes_on_sending_is_sent_the_cut), WITH(one_who_has_not_heard_of_it),
        WITH(a_later_cut_leaves_more), WITH(what_was_erased_is_asked_for), WITH(what_was_erased_beyond_the_cut_is_not),
        WITH(what_is_missing_is_not_acknowledged), WITH(very_many_are_given_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
