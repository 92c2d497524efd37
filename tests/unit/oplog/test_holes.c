/* Entries that are held without their payload though no redaction in force names them: which are asked for, which get in, and
 * what fills them. */
#include "cutting.h"

/* What its own office erased lies beyond the cut as well: it is nothing to anybody, until a later cut leaves more. */
static void beyond_a_cut_nothing_is_missing(void **state)
{
    (void)state;
    struct focal_buf cut, later;
    struct office *ken = &offices[KEN], *hq = &offices[HQ], *tcd = &offices[TCD];
    const struct focal_log *line;
    struct focal_hash network;
    uint64_t seq;
    bool missing;
    focal_scope_id(&network, &net.id, &scope_network);
    const struct focal_ref r = write_text(KEN, NULL, "seen by all");
    const struct focal_ref edit = write_text(KEN, &r, canary);
    carry_all(ken, tcd);
    assert_int_equal(redact(KEN, NULL, &edit), FOCAL_OK);
    carry_all(ken, hq);
    const struct focal_cut_tip tip = tip_of(hq, KEN, r.seq), more = tip_of(hq, KEN, edit.seq);
    cut_statement(&cut, ken, everything, 1, &tip, 1);
    cut_statement(&later, ken, everything, 2, &more, 1);
    hold(hq, &cut);
    assert_true(focal_oplog_has_holes(hq->ol));
    assert_int_equal(focal_oplog_next_hole(hq->ol, NULL, &line, &seq), FOCAL_NOT_FOUND);
    assert_int_equal(focal_oplog_hole_behind(hq->ol, data_log(hq, KEN), 0, &seq), FOCAL_NOT_FOUND);
    assert_int_equal(focal_oplog_missing_about(hq->ol, &r, &network, &missing), FOCAL_OK);
    assert_false(missing);
    hold(hq, &later);
    assert_int_equal(focal_oplog_next_hole(hq->ol, NULL, &line, &seq), FOCAL_OK);
    assert_int_equal(seq, edit.seq);
    assert_int_equal(focal_oplog_missing_about(hq->ol, &r, &network, &missing), FOCAL_OK);
    assert_true(missing);
    hold(tcd, &later);
    assert_int_equal(carry_log(tcd, hq, KEN), FOCAL_NOT_FOUND);
    assert_false(focal_oplog_has_holes(hq->ol));
    assert_same_state(hq, tcd);
    assert_verifies(hq, NULL);
    focal_buf_close(&cut);
    focal_buf_close(&later);
}

enum { LARGE = 9000, LARGE_COUNT = 60 };

/* KEN writes large entries, each a stretch of its own; headquarters redacts them all, and ssd erases them. */
static void large_ones_are_redacted(void)
{
    static char text[LARGE];
    static struct focal_ref refs[LARGE_COUNT];
    for (size_t i = 0; i < LARGE_COUNT; i++) {
        chance_fill(&offices[KEN].chance, text, sizeof text);
        for (size_t k = 0; k < sizeof text; k++)
            text[k] = (char)('a' + (text[k] & 15));
        begin(&offices[KEN]);
        assert_int_equal(try_write(&offices[KEN], &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, focal_span_of(text, sizeof text), &refs[i]), FOCAL_OK);
        commit(&offices[KEN]);
    }
    carry_all(&offices[KEN], &offices[HQ]);
    carry_all(&offices[KEN], &offices[SSD]);
    for (size_t i = 0; i < LARGE_COUNT; i++)
        assert_int_equal(redact(HQ, &refs[i], NULL), FOCAL_OK);
    carry_all(&offices[HQ], &offices[SSD]);
}

static void the_right_is_cut_at(struct office *o)
{
    struct focal_buf cut;
    const struct focal_reach right = { .kind = FOCAL_REACH_RIGHT, .right = FOCAL_RIGHT_REDACT };
    cut_statement(&cut, &offices[HQ], right, 1, NULL, 0);
    hold(o, &cut);
    focal_buf_close(&cut);
}

/* Stripped they are small: who merges them on the way merges no more than fit when they are whole again. */
static void what_is_merged_stripped_can_be_filled(void **state)
{
    (void)state;
    struct office *ssd = &offices[SSD], *tcd = &offices[TCD];
    large_ones_are_redacted();
    carry_all(ssd, tcd);
    assert_int_equal(data_log(tcd, KEN)->head.seq, LARGE_COUNT + 1);
    the_right_is_cut_at(ssd);
    the_right_is_cut_at(tcd);
    assert_true(focal_oplog_has_holes(tcd->ol) && !focal_oplog_has_holes(ssd->ol));
    assert_int_equal(carry_log(ssd, tcd, KEN), FOCAL_NOT_FOUND);
    assert_false(focal_oplog_has_holes(tcd->ol));
    assert_same_state(ssd, tcd);
    assert_verifies(tcd, NULL);
}

/* All of them under the last signature, as no program of ours merges. */
static void merged(struct carried *out, struct office *from)
{
    static struct focal_stretch_entry list[LARGE_COUNT + 1];
    static struct carried pieces[LARGE_COUNT + 1];
    struct focal_salt_run runs[LARGE_COUNT + 1];
    struct focal_packer *packer = focal_packer_open();
    struct focal_arena arena;
    struct focal_stretch all = { .first = 1, .entries = list, .runs = runs };
    size_t used = 0;
    focal_arena_init(&arena, 1 << 24);
    while (all.count < LARGE_COUNT + 1) {
        struct focal_stretch s;
        assert_int_equal(take_up(from, data_log(from, KEN), all.count + 1, FOCAL_SEGMENT_PACKED_MAX, &pieces[used]), FOCAL_OK);
        assert_int_equal(focal_stretch_unpack(packer, &s, &arena, focal_buf_view(&pieces[used].packed)), FOCAL_OK);
        memcpy(list + all.count, s.entries, s.count * sizeof *list);
        memcpy(runs + all.run_count, s.runs, s.run_count * sizeof *runs);
        all.count += s.count;
        all.run_count += s.run_count;
        used++;
    }
    memset(out, 0, sizeof *out);
    out->name = pieces[0].name;
    out->piece = pieces[used - 1].piece;
    out->piece.first = 1;
    memcpy(out->piece.before, pieces[0].piece.before, sizeof out->piece.before);
    focal_buf_init(&out->packed, 1 << 20);
    assert_int_equal(focal_stretch_pack(packer, &out->packed, &all), FOCAL_OK);
    for (size_t i = 0; i < used; i++)
        carried_close(&pieces[i]);
    focal_arena_close(&arena);
    focal_packer_close(packer);
}

/* Who did merge them all is another one: of what does not fit the payload stays missing, and who brings it is not to blame. */
static void what_cannot_be_filled_is_no_fault(void **state)
{
    (void)state;
    struct office *hq = &offices[HQ], *ssd = &offices[SSD], *tcd = &offices[TCD];
    struct carried all;
    large_ones_are_redacted();
    merged(&all, ssd);
    begin(tcd);
    for (size_t i = 0; i < focal_oplog_log_count(hq->ol); i++) {
        const struct focal_log *log = focal_oplog_log_at(hq->ol, i);
        struct carried c;
        if (log->scope.cls != FOCAL_SCOPE_CONTROL && log->name.lane != FOCAL_LANE_NOTICES)
            continue;
        for (uint64_t next = 1; next <= log->head.seq; next = c.piece.last + 1) {
            assert_int_equal(take_up(hq, log, next, FOCAL_SEGMENT_PACKED_MAX, &c), FOCAL_OK);
            assert_int_equal(hand_over(tcd, &c), FOCAL_OK);
            carried_close(&c);
        }
    }
    assert_int_equal(hand_over(tcd, &all), FOCAL_OK);
    commit(tcd);
    the_right_is_cut_at(ssd);
    the_right_is_cut_at(tcd);
    const uint64_t restored = focal_oplog_restored_count(tcd->ol);
    assert_int_equal(carry_log(ssd, tcd, KEN), FOCAL_NOT_FOUND);
    assert_true(focal_oplog_has_holes(tcd->ol));
    const uint64_t filled = focal_oplog_restored_count(tcd->ol) - restored;
    assert_in_range(filled, FOCAL_STRETCH_BYTES_MAX / LARGE - 2, FOCAL_STRETCH_BYTES_MAX / LARGE);
    assert_int_equal(carry_log(ssd, tcd, KEN), FOCAL_NOT_FOUND);
    assert_int_equal(focal_oplog_restored_count(tcd->ol) - restored, filled);
    assert_verifies(tcd, NULL);
    carried_close(&all);
}

/* The office's piece of network, without what this entry says. */
static void stripped(struct carried *out, struct office *from, size_t of, uint64_t seq)
{
    struct focal_packer *packer = focal_packer_open();
    struct focal_arena arena;
    struct focal_stretch s;
    uint8_t salts[16 * FOCAL_SALT_BYTES];
    size_t used = 0;
    focal_arena_init(&arena, 1 << 24);
    assert_int_equal(take_up(from, data_log(from, of), 1, FOCAL_SEGMENT_PACKED_MAX, out), FOCAL_OK);
    assert_int_equal(focal_stretch_unpack(packer, &s, &arena, focal_buf_view(&out->packed)), FOCAL_OK);
    assert_in_range(seq, 1, s.count);
    for (size_t i = 0; i < s.count; i++) {
        uint8_t salt[FOCAL_SALT_BYTES];
        assert_true(used < sizeof salts && focal_stretch_salt(&s, i, salt, focal_salt_from_seed));
        if (s.first + i == seq) {
            focal_commitment(&s.entries[i].c, salt, s.entries[i].payload);
            s.entries[i].has_payload = false;
            s.entries[i].payload = focal_span_of(NULL, 0);
            continue;
        }
        memcpy(salts + used, salt, sizeof salt);
        used += sizeof salt;
    }
    struct focal_salt_run run = { .first = s.first, .last = s.first + s.count - 1, .salts = focal_span_of(salts, used) };
    s.runs = &run;
    s.run_count = 1;
    focal_buf_clear(&out->packed);
    assert_int_equal(focal_stretch_pack(packer, &out->packed, &s), FOCAL_OK);
    focal_arena_close(&arena);
    focal_packer_close(packer);
}

static enum focal_status brought_stripped(struct office *to, struct office *from, size_t of, uint64_t seq)
{
    struct carried c;
    struct focal_error err = { .status = FOCAL_OK };
    stripped(&c, from, of, seq);
    begin(to);
    enum focal_status st = hand_over_or(to, &c, &err);
    commit(to);
    carried_close(&c);
    return st;
}

/* Up to where the next receipt of this office lists the log; 0: not at all. */
static uint64_t signs_for(struct office *o, const struct focal_log *log)
{
    struct focal_buf body;
    struct focal_signature signature;
    struct focal_receipt r;
    uint64_t seq = 0;
    focal_buf_init(&body, FOCAL_RECEIPT_MAX);
    begin(o);
    enum focal_status st = focal_oplog_make_receipt(o->ol, &scope_network, 20100, &body, &signature);
    commit(o);
    assert_true(st == FOCAL_OK || st == FOCAL_NOT_FOUND);
    if (st == FOCAL_OK)
        assert_int_equal(focal_receipt_decode(&r, focal_buf_view(&body)), FOCAL_OK);
    for (size_t i = 0; st == FOCAL_OK && i < focal_receipt_head_count(&r); i++) {
        struct focal_receipt_head head;
        struct focal_hash h;
        focal_receipt_head(&head, &r, i);
        if (!focal_id_equal(&head.log, &log->id))
            continue;
        seq = head.tip.seq;
        assert_int_equal(focal_oplog_hash_on(o->ol, log, seq, &h), FOCAL_OK);
        assert_true(focal_hash_equal(&h, &head.tip.h));
    }
    focal_buf_close(&body);
    return seq;
}

/* A cut of whoever could not have redacted it says nothing: who strips an entry on the way is asked for it again. */
static void a_cut_lets_nobody_strip(void **state)
{
    (void)state;
    static const struct { size_t of; bool right, taken; } cuts[] = {
        { TCD, false, false }, { TCD, true, false }, { SSD, true, false }, { KEN, false, true }, { HQ, false, true }, { HQ, true, true }, { SSD, false, true },
    };
    const struct focal_reach right = { .kind = FOCAL_REACH_RIGHT, .right = FOCAL_RIGHT_REDACT };
    const struct focal_reach kenya = { .kind = FOCAL_REACH_SCOPE, .scope = scope_kenya };
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        struct focal_buf cut, elsewhere;
        (void)tear_down(state);
        (void)set_up(state);
        struct office *ken = &offices[KEN], *ssd = &offices[SSD], *tcd = &offices[TCD];
        const struct focal_ref r = write_text(KEN, NULL, "seen by all");
        carry_all(ken, ssd);
        const struct focal_ref edit = write_text(SSD, &r, canary);
        carry_all(ken, tcd);
        begin(tcd);
        struct carried c;
        assert_int_equal(take_up(ssd, log_of(ssd, &net, ssd, &scope_control), 1, FOCAL_SEGMENT_PACKED_MAX, &c), FOCAL_OK);
        assert_int_equal(hand_over(tcd, &c), FOCAL_OK);
        commit(tcd);
        carried_close(&c);
        const struct focal_cut_tip all[] = { tip_of(ssd, SSD, edit.seq), tip_of(ssd, KEN, r.seq) };
        cut_statement(&elsewhere, &offices[HQ], kenya, 1, NULL, 0);
        cut_statement(&cut, &offices[cuts[i].of], cuts[i].right ? right : everything, 1, all, 2);
        assert_int_equal(brought_stripped(tcd, ssd, SSD, edit.seq), FOCAL_NOT_YET);
        hold(tcd, &elsewhere);
        assert_int_equal(brought_stripped(tcd, ssd, SSD, edit.seq), FOCAL_NOT_YET);
        hold(tcd, &cut);
        assert_int_equal(brought_stripped(tcd, ssd, SSD, edit.seq), cuts[i].taken ? FOCAL_OK : FOCAL_NOT_YET);
        assert_int_equal(focal_oplog_has_holes(tcd->ol), cuts[i].taken);
        if (cuts[i].taken)
            assert_int_equal(signs_for(tcd, data_log(tcd, SSD)), edit.seq - 1);
        assert_int_equal(carry_log(ssd, tcd, SSD), FOCAL_NOT_FOUND);
        assert_true(!focal_oplog_has_holes(tcd->ol) && readable(TCD, canary));
        if (cuts[i].of != TCD || cuts[i].right)         /* who is no member signs for nothing */
            assert_int_equal(signs_for(tcd, data_log(tcd, SSD)), edit.seq);
        assert_verifies(tcd, NULL);
        focal_buf_close(&cut);
        focal_buf_close(&elsewhere);
    }
}

/* What is missing is not signed for: not by who never had it, and no more by who signed for it before it was erased. */
static void what_is_missing_is_not_signed_for(void **state)
{
    (void)state;
    struct focal_buf cut, body;
    struct focal_signature signature;
    struct office *ken = &offices[KEN], *ssd = &offices[SSD], *hq = &offices[HQ];
    uint64_t seq, count;
    const struct focal_ref r = write_text(KEN, NULL, "seen by all");
    const struct focal_ref edit = write_text(KEN, &r, canary), last = write_text(KEN, &r, "after it");
    carry_all(ken, hq);
    assert_int_equal(redact(KEN, NULL, &edit), FOCAL_OK);
    carry_all(ken, ssd);
    (void)write_text(SSD, NULL, "x");
    const struct focal_log *log = data_log(ssd, KEN);
    assert_int_equal(signs_for(ssd, log), last.seq);
    const struct focal_cut_tip tip = tip_of(hq, KEN, last.seq);
    cut_statement(&cut, ken, everything, 1, &tip, 1);
    hold(hq, &cut);
    hold(ssd, &cut);
    assert_int_equal(focal_oplog_whole(ssd->ol, log), edit.seq - 1);
    assert_int_equal(focal_oplog_holes_count(ssd->ol, &count), FOCAL_OK);
    assert_int_equal(count, 1);
    focal_buf_init(&body, FOCAL_RECEIPT_MAX);
    begin(ssd);
    assert_int_equal(focal_oplog_make_receipt(ssd->ol, &scope_network, 20100, &body, &signature), FOCAL_OK);
    commit(ssd);
    assert_int_equal(signs_for(ssd, log), 0);       /* it has been said */
    begin(hq);
    assert_int_equal(focal_oplog_take_receipt(hq->ol, focal_buf_view(&body), &signature), FOCAL_OK);
    commit(hq);
    assert_true(focal_oplog_receipt_of(hq->ol, &ssd->code, data_log(hq, KEN), &seq, NULL) && seq == edit.seq - 1);
    focal_oplog_close(ssd->ol);
    office_open(ssd);
    log = data_log(ssd, KEN);
    assert_int_equal(signs_for(ssd, log), 0);
    assert_int_equal(carry_log(hq, ssd, KEN), FOCAL_NOT_FOUND);
    assert_int_equal(focal_oplog_holes_count(ssd->ol, &count), FOCAL_OK);
    assert_int_equal(count, 0);
    assert_int_equal(focal_oplog_whole(ssd->ol, log), last.seq);
    assert_int_equal(signs_for(ssd, log), last.seq);
    assert_int_equal(signs_for(ssd, log), 0);
    assert_verifies(ssd, NULL);
    focal_buf_close(&cut);
    focal_buf_close(&body);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(beyond_a_cut_nothing_is_missing), WITH(what_is_merged_stripped_can_be_filled), WITH(what_cannot_be_filled_is_no_fault),
        WITH(a_cut_lets_nobody_strip), WITH(what_is_missing_is_not_signed_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
