/* Cuts against authors and peers who do as they like: pieces that leave a held line beside a listed tip, forks of which a cut lists
 * a tip, logs made to be listed, and what is taken back while a cut stands. */
#include "redactors.h"

#include <stdlib.h>

static const struct focal_reach everything = { .kind = FOCAL_REACH_EVERYTHING };

static void cut_off(struct focal_buf *out, const struct office *of, struct focal_reach reach, uint64_t number, const struct focal_cut_tip *tips, size_t count)
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

/* A case in the network and some changes of it, which everybody holds. */
static const struct focal_log *ken_writes(size_t changes)
{
    struct focal_ref r, ref;
    struct office *ken = &offices[KEN];
    begin(ken);
    assert_int_equal(try_write(ken, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark(canary), &r), FOCAL_OK);
    for (size_t i = 0; i < changes; i++)
        assert_int_equal(try_write(ken, &scope_network, &r, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark(other_canary), &ref), FOCAL_OK);
    commit(ken);
    exchange();
    return log_of(ken, &net, ken, &scope_network);
}

static struct focal_cut_tip tip_at(const struct focal_log *log, uint64_t seq)
{
    struct focal_cut_tip tip = { .log = log->id, .tip = { .seq = seq } };
    assert_int_equal(focal_oplog_hash_on(offices[KEN].ol, log, seq, &tip.tip.h), FOCAL_OK);
    return tip;
}

/* The log from its beginning up to seq, whose entry says something else; nobody's key is needed. */
static struct focal_tip other_branch(struct carried *k, const struct focal_log *log, uint64_t seq)
{
    struct focal_packer *packer = focal_packer_open();
    struct focal_arena arena;
    struct focal_stretch s, all;
    struct focal_hash h;
    assert_int_equal(take_up(&offices[KEN], log, 1, 15000, k), FOCAL_OK);
    focal_arena_init(&arena, 1 << 24);
    assert_int_equal(focal_stretch_unpack(packer, &all, &arena, focal_buf_view(&k->packed)), FOCAL_OK);
    assert_true(all.first == 1 && all.count >= seq);
    s = all;
    s.count = (size_t)seq;
    for (size_t r = 0; r < s.run_count; r++)
        s.run_count = s.runs[r].first > seq ? r : s.run_count;
    s.entries[seq - 1].payload = s.entries[0].payload;
    focal_chain_start(&h, &log->id);
    for (size_t i = 0; i < s.count; i++) {
        uint8_t salt[FOCAL_SALT_BYTES];
        struct focal_hash c;
        assert_true(focal_stretch_salt(&s, i, salt, focal_salt_from_seed));
        focal_commitment(&c, salt, s.entries[i].payload);
        focal_chain_next(&h, &h, &log->id, s.entries[i].header, &c);
    }
    focal_buf_clear(&k->packed);
    assert_int_equal(focal_stretch_pack(packer, &k->packed, &s), FOCAL_OK);
    k->piece.last = seq;
    k->piece.is_signed = false;
    focal_arena_close(&arena);
    focal_packer_close(packer);
    return (struct focal_tip){ .seq = seq, .h = h };
}

static enum focal_status admit(struct office *at, const struct carried *k, const struct focal_log **log)
{
    const struct focal_incoming in = { .name = &k->name, .before = k->piece.before, .packed = focal_buf_view(&k->packed),
        .signature = k->piece.is_signed ? &k->piece.signature : NULL };
    struct focal_error err = { .status = FOCAL_OK };
    begin(at);
    const enum focal_status st = focal_oplog_admit(at->ol, &in, log, &err);
    commit(at);
    return st;
}

/* Who lacks the cut and holds another branch sends what is held here, and goes on beyond the listed tip: nothing of it is new, and the
 * log it is of is known. */
static void what_leaves_the_line_at_the_tip(void **state)
{
    (void)state;
    struct carried k;
    struct focal_buf cut;
    struct office *hq = &offices[HQ];
    const struct focal_log *log = ken_writes(4), *held = log_of(hq, &net, &offices[KEN], &scope_network), *out = NULL;
    const struct focal_cut_tip tip = tip_at(log, 3);
    cut_off(&cut, &offices[KEN], everything, 1, &tip, 1);
    hold(hq, &cut);
    for (uint64_t at = 4; at <= 5; at++) {
        (void)other_branch(&k, log, at);
        assert_int_equal(admit(hq, &k, &out), FOCAL_OK);
        assert_ptr_equal(out, held);
        assert_true(held->head.seq == 6 && held->staged.seq == 6 && !held->forked);
        carried_close(&k);
    }
    assert_verifies(hq, NULL);
    focal_buf_close(&cut);
}

/* A fork of which a cut lists the tips: they come in unsigned, and what proves that there are two is the cut. */
static void a_fork_whose_tips_are_vouched_for(void **state)
{
    (void)state;
    struct carried k, trunk;
    struct focal_buf cut;
    struct focal_statement s;
    struct focal_span statement;
    struct focal_incident seen;
    struct office *hq = &offices[HQ];
    const struct focal_log *log = ken_writes(4), *out = NULL;
    struct focal_cut_tip tips[] = { tip_at(log, 5), { .log = log->id } };
    const uint64_t held_to = log_of(hq, &net, &offices[KEN], &scope_network)->head.seq;
    tips[1].tip = other_branch(&k, log, 4);
    cut_off(&cut, &offices[KEN], everything, 1, tips, 2);
    hold(hq, &cut);
    assert_int_equal(admit(hq, &k, &out), FOCAL_OK);
    assert_true(focal_oplog_log(hq->ol, &log->id)->forked);
    assert_int_equal(focal_oplog_next_incident(hq->ol, 0, &seen), FOCAL_OK);
    assert_int_equal(seen.kind, FOCAL_INCIDENT_FORK);
    assert_true(!seen.vouched[0] && seen.tips[0].seq == held_to);       /* this one was held with its signature */
    assert_true(focal_verify_head(&seen.signatures[0], &seen.log.author, &net.id, &log->id, &seen.tips[0]));
    assert_true(seen.vouched[1] && focal_hash_equal(&seen.tips[1].h, &tips[1].tip.h));
    assert_true(focal_oplog_vouches(hq->ol, &log->id, &seen.tips[1], &statement));
    assert_true(focal_span_equal(statement, focal_buf_view(&cut)));
    assert_int_equal(focal_statement_decode(&s, statement), FOCAL_OK);
    assert_true(s.kind == FOCAL_STATEMENT_CUT && focal_key_equal(&s.is.cut.key, &seen.log.author));
    assert_verifies(hq, NULL);
    carried_close(&k);

    /* Who has heard of the cut first has neither signature. */
    struct office late;
    office_make(&late, &net, "MLI", 90);
    hold(&late, &late.statement);
    hold(&late, &offices[KEN].statement);
    hold(&late, &cut);
    assert_int_equal(take_up(&offices[KEN], log, 1, 15000, &trunk), FOCAL_OK);      /* signed further on: comes in up to the tip */
    assert_int_equal(admit(&late, &trunk, &out), FOCAL_OK);
    assert_int_equal(out->head.seq, 5);
    (void)other_branch(&k, log, 4);
    assert_int_equal(admit(&late, &k, &out), FOCAL_OK);
    assert_int_equal(focal_oplog_next_incident(late.ol, 0, &seen), FOCAL_OK);
    assert_true(seen.vouched[0] && seen.vouched[1]);
    assert_true(seen.tips[0].seq == 5 && seen.tips[1].seq == 4 && seen.base.seq == 3);
    assert_verifies(&late, NULL);
    office_close(&late);
    carried_close(&trunk);
    carried_close(&k);
    focal_buf_close(&cut);
}

/* A membership brings a new scope, and a log there that a cut has long left something of; the disk is full, and the step is taken
 * back: the log stays in memory, its scope does not. Then it comes again. */
static void a_scope_that_is_rolled_back(void **state)
{
    (void)state;
    static const struct focal_scope uganda = { .cls = FOCAL_SCOPE_COUNTRY, .country = "UGA" };
    struct focal_buf cut, membership;
    struct focal_certificate c;
    struct focal_ref ref;
    struct carried k;
    struct office *ken = &offices[KEN], *hq = &offices[HQ];
    certificate_for(&c, ken, 2);
    c.read[c.read_count++] = c.write[c.write_count++] = uganda;
    focal_buf_init(&membership, FOCAL_STATEMENT_MAX);
    certificate_sign(&membership, &net, &c);
    hold(ken, &membership);
    begin(ken);
    for (int i = 0; i < 2; i++)
        assert_int_equal(try_write(ken, &uganda, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark(canary), &ref), FOCAL_OK);
    commit(ken);
    const struct focal_log *log = log_of(ken, &net, ken, &uganda);
    const struct focal_cut_tip tip = tip_at(log, 2);
    cut_off(&cut, ken, everything, 1, &tip, 1);
    hold(hq, &cut);
    assert_int_equal(take_up(ken, log, 1, 15000, &k), FOCAL_OK);
    for (int round = 0; round < 2; round++) {
        begin(hq);
        assert_int_equal(focal_oplog_add_statement(hq->ol, focal_buf_view(&membership)), FOCAL_OK);
        assert_int_equal(hand_over(hq, &k), FOCAL_OK);
        assert_int_equal(log_of(hq, &net, ken, &uganda)->head.seq, 2);
        if (round == 0)
            roll_back(hq);
        else
            commit(hq);
        assert_int_equal(log_of(hq, &net, ken, &uganda)->head.seq, round ? 2 : 0);
    }
    assert_verifies(hq, NULL);
    carried_close(&k);
    focal_buf_close(&cut);
    focal_buf_close(&membership);
}

/* ---- logs made to be listed --------------------------------------------------------------------------------------------------- */

enum { MANY = 90, FULL = FOCAL_STRETCH_ENTRIES_MAX };

/* As many tiny entries as one segment holds, after a begin entry that names a tip; a hundred and some bytes when packed. */
static void full_log(struct carried *out, const struct office *author, uint8_t epoch, const struct focal_cut_tip *named, struct focal_cut_tip *tip)
{
    static const uint8_t nothing = FOCAL_KIND_NOTHING, kind = FOCAL_KIND_CASE;
    struct focal_stretch_entry *list = calloc(FULL, sizeof *list);
    struct focal_salt_run runs[FULL / FOCAL_RUN_SEQS_MAX];
    struct focal_packer *packer = focal_packer_open();
    struct focal_buf headers, names;
    struct focal_hash h;
    *out = (struct carried){ .piece = { .first = 1, .last = FULL, .is_signed = true } };
    out->name = (struct focal_log_name){ .author = author->keys.sign_public, .lane = FOCAL_LANE_DATA };
    memset(out->name.epoch.b, epoch, sizeof out->name.epoch.b);
    focal_scope_id(&out->name.scope, &net.id, &scope_network);
    focal_log_id(&tip->log, &net.id, &out->name);
    focal_chain_start(&h, &tip->log);
    memcpy(out->piece.before, h.b, sizeof out->piece.before);
    focal_buf_init(&headers, 1 << 20);
    focal_buf_init(&names, FOCAL_PREVIOUS_BYTES);
    if (named) {
        focal_buf_bytes(&names, named->log.b, sizeof named->log.b);
        focal_buf_be64(&names, named->tip.seq);
        focal_buf_bytes(&names, named->tip.h.b, sizeof named->tip.h.b);
    }
    size_t at[FULL + 1] = { 0 };
    for (size_t i = 0; i < FULL; i++) {
        const struct focal_header header = { .shape = i == 0 ? FOCAL_SHAPE_BEGIN : FOCAL_SHAPE_ORDINARY, .seq = i + 1, .creates = i > 0,
            .previous = i == 0 ? focal_buf_view(&names) : focal_span_of(NULL, 0) };
        focal_header_encode(&headers, &header);
        at[i + 1] = headers.len;
    }
    for (size_t i = 0; i < FULL; i++) {
        struct focal_salt_run *run = &runs[i / FOCAL_RUN_SEQS_MAX];
        uint8_t salt[FOCAL_SALT_BYTES];
        struct focal_hash c;
        if (i % FOCAL_RUN_SEQS_MAX == 0)
            *run = (struct focal_salt_run){ .first = i + 1, .last = i + FOCAL_RUN_SEQS_MAX, .has_seed = true, .seed = { epoch } };
        list[i] = (struct focal_stretch_entry){ .header = focal_span_of(headers.data + at[i], at[i + 1] - at[i]), .has_payload = true,
            .payload = focal_span_of(i == 0 ? &nothing : &kind, 1) };
        focal_salt_from_seed(salt, run->seed, i + 1);
        focal_commitment(&c, salt, list[i].payload);
        focal_chain_next(&h, &h, &tip->log, list[i].header, &c);
    }
    const struct focal_stretch s = { .first = 1, .count = FULL, .entries = list, .runs = runs, .run_count = FULL / FOCAL_RUN_SEQS_MAX };
    focal_buf_init(&out->packed, 1 << 20);
    assert_int_equal(focal_stretch_pack(packer, &out->packed, &s), FOCAL_OK);
    tip->tip = (struct focal_tip){ .seq = FULL, .h = h };
    focal_sign_head(&out->piece.signature, author->keys.sign_secret, &net.id, &tip->log, &tip->tip);
    focal_buf_close(&headers);
    focal_buf_close(&names);
    free(list);
    focal_packer_close(packer);
}

/* So many that unpacked they would fill the memory of a step many times, and one that is finished: how far that counts, the first of
 * the others says. They come after their cut, with the second cut, and from the disk, and nothing of it is read for a piece, or for
 * a name in a frontier. */
static void many_full_logs(void **state)
{
    (void)state;
    static struct carried logs[MANY];
    static struct focal_cut_tip tips[MANY];
    struct focal_buf cut;
    struct focal_ref r, ref;
    struct office *ken = &offices[KEN], *hq = &offices[HQ];
    const struct focal_log *finished = ken_writes(2), *held = log_of(hq, &net, ken, &scope_network);
    const struct focal_cut_tip named = tip_at(finished, 2);
    for (size_t i = 0; i < MANY; i++)
        full_log(&logs[i], ken, (uint8_t)(i + 1), i == 0 ? &named : NULL, &tips[i]);
    assert_in_range(logs[0].packed.len, 1, 400);
    cut_off(&cut, ken, everything, 1, tips, MANY);
    hold(hq, &cut);
    focal_buf_close(&cut);
    assert_int_equal(focal_log_tip(held)->seq, 0);
    uint64_t least = UINT64_MAX, most = 0;
    for (size_t i = 0; i < MANY; i++) {
        begin(hq);
        const uint64_t before = focal_fake_store_operations(hq->store);
        assert_int_equal(hand_over(hq, &logs[i]), FOCAL_OK);
        const uint64_t cost = focal_fake_store_operations(hq->store) - before;
        commit(hq);
        carried_close(&logs[i]);
        assert_int_equal(focal_log_tip(held)->seq, 2);
        if (i > 0) {                    /* the first lets the finished one count */
            least = cost < least ? cost : least;
            most = cost > most ? cost : most;
        }
    }
    assert_int_equal(least, most);      /* and none costs more than the one before it */
    while (focal_oplog_again_due(hq->ol)) {
        begin(hq);
        commit(hq);
    }

    const uint64_t before = focal_fake_store_operations(hq->store);
    for (uint8_t i = 0; i < 100; i++) {
        struct focal_log_name unknown = finished->name;
        struct focal_id id;
        memset(unknown.epoch.b, 0x80 + i, sizeof unknown.epoch.b);
        focal_log_id(&id, &net.id, &unknown);
        assert_int_equal(focal_oplog_limit(hq->ol, &id, &unknown), 0);
    }
    assert_int_equal(focal_oplog_limit(hq->ol, &finished->id, &finished->name), 2);
    assert_int_equal(focal_fake_store_operations(hq->store), before);

    focal_oplog_close(hq->ol);          /* with limits read from the disk */
    office_open(hq);
    held = log_of(hq, &net, ken, &scope_network);
    assert_int_equal(focal_log_tip(held)->seq, 2);
    cut_off(&cut, ken, everything, 2, tips, MANY);
    begin(hq);                          /* with a cut that finds them here, taken back once */
    assert_int_equal(focal_oplog_add_statement(hq->ol, focal_buf_view(&cut)), FOCAL_OK);
    roll_back(hq);
    assert_int_equal(focal_log_tip(held)->seq, 2);
    hold(hq, &cut);
    assert_int_equal(focal_log_tip(held)->seq, 2);
    begin(hq);
    assert_int_equal(try_write(hq, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark("after it"), &r), FOCAL_OK);
    assert_int_equal(try_write(hq, &scope_network, &r, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark("and on"), &ref), FOCAL_OK);
    commit(hq);
    focal_buf_close(&cut);
}

/* A scope is taken whose log a cut lists, and is erased here; then another cut of the key comes. */
static void a_listed_log_that_was_left(void **state)
{
    (void)state;
    struct focal_buf cut;
    struct focal_ref ref;
    struct office *ken = &offices[KEN], *ssd = &offices[SSD];
    const struct focal_reach kenya = { .kind = FOCAL_REACH_SCOPE, .scope = scope_kenya };
    begin(ken);
    assert_int_equal(try_write(ken, &scope_kenya, NULL, NULL, 0, FOCAL_KIND_CASE, FOCAL_FIELD(511, FOCAL_SCOPE_COUNTRY, FOCAL_MERGE_SET), mark(canary), &ref), FOCAL_OK);
    commit(ken);
    carry_all(ken, ssd);
    const struct focal_log *log = log_of(ken, &net, ken, &scope_kenya), *held = log_of(ssd, &net, ken, &scope_kenya);
    const struct focal_cut_tip tip = { .log = log->id, .tip = log->head };
    assert_int_equal(held->head.seq, 2);
    cut_off(&cut, ken, kenya, 1, &tip, 1);
    hold(ssd, &cut);
    focal_buf_close(&cut);
    cut_off(&cut, ssd, kenya, 1, NULL, 0);
    hold(ssd, &cut);
    focal_buf_close(&cut);
    begin(ssd);
    assert_int_equal(focal_oplog_leave(ssd->ol, &scope_kenya), FOCAL_OK);
    commit(ssd);
    assert_int_equal(held->head.seq, 0);
    cut_off(&cut, ken, everything, 1, &tip, 1);
    hold(ssd, &cut);
    focal_buf_close(&cut);
    struct carried k;                   /* and what was erased comes again: the tip is held again where it stands */
    assert_int_equal(take_up(ken, log, 1, 15000, &k), FOCAL_OK);
    begin(ssd);
    assert_int_equal(hand_over(ssd, &k), FOCAL_OK);
    commit(ssd);
    carried_close(&k);
    assert_true(held->head.seq == 2 && !held->clipped);
    assert_verifies(ssd, NULL);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(what_leaves_the_line_at_the_tip), WITH(a_scope_that_is_rolled_back), WITH(a_fork_whose_tips_are_vouched_for),
        WITH(many_full_logs), WITH(a_listed_log_that_was_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
