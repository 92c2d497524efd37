/* Redaction: hidden at once, erased by its own office or by two, nowhere readable, never revived, the same everywhere. */
#include "redactors.h"

/* ---- whole records ---- */

static void a_record_goes_everywhere(void **state)
{
    (void)state;
    struct focal_ref kept = write_text(KEN, NULL, "kept"), record = write_text(KEN, NULL, canary);
    (void)write_text(KEN, &record, canary);
    (void)write_text(KEN, &kept, "kept too");
    exchange();
    for (size_t i = 0; i < OFFICES; i++)
        assert_true(readable(i, canary) && shown(i, &record));
    assert_int_equal(redact(KEN, &record, NULL), FOCAL_OK);
    assert_false(shown(KEN, &record));
    assert_false(readable(KEN, canary));
    exchange();
    for (size_t i = 0; i < OFFICES; i++) {
        assert_false(readable(i, canary));
        assert_false(shown(i, &record));
        assert_true(shown(i, &kept));
        assert_true(readable(i, "kept too"));
        assert_int_equal(rows_of(i, FOCAL_SHELF_HIDDEN), 0);
        no_seed_reaches(i);
    }
    all_equal();
    /* Nothing more is written on it here; what an office that does not know yet writes is hidden, and it hears of that. */
    struct focal_ref ref;
    begin(&offices[KEN]);
    assert_int_equal(try_write(&offices[KEN], &scope_network, &record, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark("late"), &ref), FOCAL_NO_LONGER);
    roll_back(&offices[KEN]);
}

static void a_late_edit_is_told_to_its_author(void **state)
{
    (void)state;
    struct focal_ref record = write_text(KEN, NULL, canary);
    exchange();
    struct focal_ref edit = write_text(SSD, &record, other_canary);
    assert_int_equal(redact(KEN, &record, NULL), FOCAL_OK);
    exchange();
    struct focal_refused refused;
    struct focal_buf key;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    assert_int_equal(focal_oplog_next_refused(offices[SSD].ol, &key, &refused), FOCAL_OK);
    assert_int_equal(focal_ref_compare(&refused.entry, &edit), 0);
    assert_int_equal(focal_ref_compare(&refused.record, &record), 0);
    assert_int_equal(refused.field_count, 1);
    assert_int_equal(refused.fields[0], FIELD_TEXT);
    assert_int_equal(focal_oplog_next_refused(offices[SSD].ol, &key, &refused), FOCAL_NOT_FOUND);
    focal_buf_close(&key);
    assert_int_equal(rows_of(KEN, FOCAL_SHELF_REFUSED), 0);
    for (size_t i = 0; i < OFFICES; i++)
        assert_false(readable(i, canary) || readable(i, other_canary));
    all_equal();
}

/* ---- rights ---- */

static void nobody_redacts_what_is_not_his(void **state)
{
    (void)state;
    struct focal_ref record = write_text(KEN, NULL, canary);
    exchange();
    assert_int_equal(redact(SSD, &record, NULL), FOCAL_OK);
    exchange();
    for (size_t i = 0; i < OFFICES; i++)
        assert_true(shown(i, &record));
    all_equal();
    /* The right may come later, and what was asked for then counts: everywhere, whenever the statement arrives. */
    certify(SSD, 2, FOCAL_RIGHT_REDACT);
    hold(&offices[HQ], &offices[SSD].statement);
    assert_false(shown(HQ, &record));
    assert_true(readable(HQ, canary));          /* hidden, not erased: one office, and not its own */
    assert_int_equal(rows_of(HQ, FOCAL_SHELF_HIDDEN), 1);
    for (size_t i = 0; i < OFFICES; i++)
        hold(&offices[i], &offices[SSD].statement);
    exchange();
    for (size_t i = 0; i < OFFICES; i++)
        assert_false(shown(i, &record));
    all_equal();
}

static void two_offices_erase(void **state)
{
    (void)state;
    struct focal_ref record = write_text(KEN, NULL, canary);
    exchange();
    assert_int_equal(redact(HQ, NULL, &record), FOCAL_OK);      /* the entry, by its name */
    exchange();
    uint64_t hidden;
    for (size_t i = 0; i < OFFICES; i++) {
        assert_false(shown(i, &record));
        assert_true(readable(i, canary));
        assert_int_equal(focal_oplog_hidden_count(offices[i].ol, &hidden), FOCAL_OK);
        assert_int_equal(hidden, 1);
    }
    all_equal();
    assert_int_equal(rows_of(KEN, FOCAL_SHELF_REFUSED), 1);
    certify(TCD, 2, FOCAL_RIGHT_REDACT);
    for (size_t i = 0; i < OFFICES; i++)
        hold(&offices[i], &offices[TCD].statement);
    assert_int_equal(redact(TCD, &record, NULL), FOCAL_OK);     /* the second names the record */
    exchange();
    for (size_t i = 0; i < OFFICES; i++) {
        assert_false(readable(i, canary));
        assert_int_equal(rows_of(i, FOCAL_SHELF_HIDDEN), 0);
    }
    all_equal();
}

/* One key alone erases so much a day, and no more; the rest is hidden all the same. */
static void alone_so_many_a_day(void **state)
{
    (void)state;
    struct focal_ref records[23];
    for (size_t i = 0; i < OFFICES; i++)
        focal_oplog_set_day(offices[i].ol, 20000);
    for (size_t i = 0; i < 23; i++)
        records[i] = write_text(KEN, NULL, canary);
    exchange();
    for (size_t i = 0; i < 23; i++)
        assert_int_equal(redact(KEN, &records[i], NULL), FOCAL_OK);
    exchange();
    for (size_t i = 0; i < OFFICES; i++) {
        for (size_t k = 0; k < 23; k++)
            assert_false(shown(i, &records[k]));
        assert_int_equal(rows_of(i, FOCAL_SHELF_HIDDEN), 3);
        no_seed_reaches(i);
    }
    all_equal();
    for (size_t i = 0; i < 23; i++)             /* headquarters is the second office */
        assert_int_equal(redact(HQ, &records[i], NULL), FOCAL_OK);
    exchange();
    for (size_t i = 0; i < OFFICES; i++)
        assert_false(readable(i, canary));
    all_equal();
}

/* ---- ways of arrival ---- */

static void a_relay_cannot_strip(void **state)
{
    (void)state;
    struct focal_ref record = write_text(KEN, NULL, canary);
    carry_all(&offices[KEN], &offices[SSD]);
    assert_int_equal(redact(KEN, &record, NULL), FOCAL_OK);
    /* TCD gets the stripped entry and no notice: it waits. */
    struct carried c;
    const struct focal_log *data = log_of(&offices[KEN], &net, &offices[KEN], &scope_network);
    begin(&offices[TCD]);
    assert_int_equal(take_up(&offices[KEN], log_of(&offices[KEN], &net, &offices[KEN], &scope_control), 1, 16000, &c), FOCAL_OK);
    assert_int_equal(hand_over(&offices[TCD], &c), FOCAL_OK);
    carried_close(&c);
    assert_int_equal(take_up(&offices[KEN], data, 1, 16000, &c), FOCAL_OK);
    assert_int_equal(hand_over(&offices[TCD], &c), FOCAL_NOT_YET);
    commit(&offices[TCD]);
    /* SSD holds the payload, and TCD takes it from there. */
    carry_all(&offices[SSD], &offices[TCD]);
    assert_true(readable(TCD, canary));
    carried_close(&c);
    exchange();
    for (size_t i = 0; i < OFFICES; i++)
        assert_false(readable(i, canary));
    all_equal();
}

/* A newcomer is backfilled from stripped entries; who holds an old copy hands it nothing that stays. */
static void late_payloads_do_not_stay(void **state)
{
    (void)state;
    struct focal_ref record = write_text(KEN, NULL, canary);
    for (int i = 0; i < 40; i++)
        (void)write_text(KEN, i % 3 ? NULL : &record, i % 3 ? "kept" : canary);
    carry_all(&offices[KEN], &offices[SSD]);
    struct focal_fake_image *old;
    focal_fake_store_fence(offices[SSD].store, (struct focal_entropy){ .fill = chance_fill, .data = &offices[SSD].chance }, "ssd");
    old = focal_fake_store_backup(offices[SSD].store, true);
    assert_int_equal(redact(KEN, &record, NULL), FOCAL_OK);
    carry_all(&offices[KEN], &offices[HQ]);     /* never had the payload */
    assert_false(readable(HQ, canary));
    assert_false(shown(HQ, &record));
    assert_verifies(&offices[HQ], NULL);
    carry_all(&offices[KEN], &offices[SSD]);
    assert_false(readable(SSD, canary));
    /* SSD's disk goes back to before; it meets TCD, which knows of the redaction, and then HQ. */
    focal_oplog_close(offices[SSD].ol);
    assert_int_equal(focal_fake_store_restore(offices[SSD].store, old), FOCAL_OK);
    focal_fake_image_free(old);
    office_open(&offices[SSD]);
    assert_true(readable(SSD, canary));
    const struct focal_log *notices = NULL;
    for (size_t i = 0; i < focal_oplog_log_count(offices[HQ].ol); i++)
        if (focal_oplog_log_at(offices[HQ].ol, i)->name.lane == FOCAL_LANE_NOTICES)
            notices = focal_oplog_log_at(offices[HQ].ol, i);
    assert_non_null(notices);
    struct carried c;
    begin(&offices[TCD]);
    assert_int_equal(take_up(&offices[KEN], log_of(&offices[KEN], &net, &offices[KEN], &scope_control), 1, 16000, &c), FOCAL_OK);
    assert_int_equal(hand_over(&offices[TCD], &c), FOCAL_OK);
    carried_close(&c);
    assert_int_equal(take_up(&offices[HQ], notices, 1, 16000, &c), FOCAL_OK);
    assert_int_equal(hand_over(&offices[TCD], &c), FOCAL_OK);
    carried_close(&c);
    commit(&offices[TCD]);
    carry_all(&offices[SSD], &offices[TCD]);    /* with payloads and seeds */
    assert_false(readable(TCD, canary));
    no_seed_reaches(TCD);
    exchange();
    for (size_t i = 0; i < OFFICES; i++) {
        assert_false(readable(i, canary));
        no_seed_reaches(i);
    }
    all_equal();
}

/* A run that lies in several segments loses its seed in all of them. */
static void runs_over_segments(void **state)
{
    (void)state;
    struct focal_ref refs[1500];
    char text[64];
    begin(&offices[KEN]);
    for (int i = 0; i < 1500; i++) {            /* one commit: runs of 1,024, segments of some hundred */
        memset(text, 'a' + i % 26, sizeof text);
        for (size_t k = 0; k < sizeof text; k++)
            text[k] = (char)(33 + chance_below(&offices[KEN].chance, 90));
        assert_int_equal(try_write(&offices[KEN], &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT,
                                   focal_span_of(text, sizeof text), &refs[i]), FOCAL_OK);
    }
    commit(&offices[KEN]);
    carry_all(&offices[KEN], &offices[SSD]);
    const int marks[] = { 0, 239, 500, 1023, 1024, 1499 };
    for (size_t m = 0; m < sizeof marks / sizeof *marks; m++) {
        assert_int_equal(redact(KEN, &refs[marks[m]], NULL), FOCAL_OK);
        no_seed_reaches(KEN);
        carry_all(&offices[KEN], &offices[SSD]);
        no_seed_reaches(SSD);
    }
    exchange();
    for (size_t i = 0; i < OFFICES; i++)
        no_seed_reaches(i);
    all_equal();
    begin(&offices[HQ]);
    assert_int_equal(focal_oplog_rebuild(offices[HQ].ol), FOCAL_OK);
    commit(&offices[HQ]);
    all_equal();
    focal_oplog_close(offices[HQ].ol);
    office_open(&offices[HQ]);
    all_equal();
}

/* One run in three segments; the redaction names an entry of the middle one, before or after the others have come. */
static void a_run_in_three_segments(void **state)
{
    (void)state;
    struct focal_ref ref, refs[4][4];
    struct carried pieces[4], control;
    struct focal_hash h;
    struct focal_log_name name = { .author = offices[KEN].keys.sign_public, .lane = FOCAL_LANE_DATA };
    struct focal_salt_run run = { .first = 1, .last = 12, .has_seed = true };
    memset(run.seed, 77, sizeof run.seed);
    begin(&offices[KEN]);
    write_value(&offices[KEN], &scope_kenya, NULL, FOCAL_FIELD(503, FOCAL_SCOPE_COUNTRY, FOCAL_MERGE_REGISTER), 1, &ref);
    commit(&offices[KEN]);
    assert_true(focal_oplog_epoch(offices[KEN].ol, &name.epoch));
    focal_scope_id(&name.scope, &net.id, &scope_network);
    focal_log_id(&refs[0][0].log, &net.id, &name);
    focal_chain_start(&h, &refs[0][0].log);
    for (size_t i = 0; i < 3; i++)
        seeded_piece(&pieces[i], &name, &h, 1 + 4 * i, 4, &run, refs[i]);
    run.first = 13;                             /* a run that goes on after its piece: who knows what is stripped there */
    run.last = 20;
    chance_fill(&offices[KEN].chance, run.seed, sizeof run.seed);
    seeded_piece(&pieces[3], &name, &h, 13, 4, &run, refs[3]);
    assert_non_null(memmem(pieces[3].packed.data, pieces[3].packed.len, run.seed, sizeof run.seed));
    assert_int_equal(take_up(&offices[KEN], log_of(&offices[KEN], &net, &offices[KEN], &scope_control), 1, 16000, &control), FOCAL_OK);
    for (size_t when = 0; when < 3; when++) {   /* HQ, SSD, TCD: redacted after one, two, three pieces are there */
        const size_t at = when == 0 ? HQ : when == 1 ? SSD : TCD;
        begin(&offices[at]);
        assert_int_equal(hand_over(&offices[at], &control), FOCAL_OK);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(hand_over(&offices[at], &pieces[i]), FOCAL_OK);
            if (i != when)
                continue;
            commit(&offices[at]);
            certify(at, 3, FOCAL_RIGHT_REDACT);
            hold(&offices[at], &offices[at].statement);
            assert_int_equal(redact(at, NULL, &refs[1][2]), FOCAL_OK);
            begin(&offices[at]);
        }
        assert_int_equal(hand_over(&offices[at], &pieces[3]), FOCAL_OK);
        commit(&offices[at]);
        no_seed_reaches(at);
        assert_false(focal_fake_store_holds(offices[at].store, focal_span_of(run.seed, sizeof run.seed)));
        assert_int_equal(rows_of(at, FOCAL_SHELF_HIDDEN), 1);
        assert_verifies(&offices[at], NULL);
    }
    for (size_t i = 0; i < 4; i++)
        carried_close(&pieces[i]);
    carried_close(&control);
}

static void rolled_back_as_if_never_asked(void **state)
{
    (void)state;
    struct focal_ref record = write_text(KEN, NULL, canary), notice;
    struct focal_redact r = { .scope = scope_network, .records = &record, .record_count = 1, .reason = 2 };
    begin(&offices[KEN]);
    assert_int_equal(focal_oplog_redact(offices[KEN].ol, &r, &notice, NULL), FOCAL_OK);
    assert_int_equal(focal_oplog_seal(offices[KEN].ol), FOCAL_OK);
    roll_back(&offices[KEN]);
    assert_true(shown(KEN, &record));
    assert_true(readable(KEN, canary));
    assert_int_equal(rows_of(KEN, FOCAL_SHELF_REDACTION), 0);
    assert_verifies(&offices[KEN], NULL);
    exchange();
    all_equal();
}

/* Whose record it is shows in the log that it was created in: where that comes last, all is judged again then, and in every scope. */
static void the_log_of_the_record_comes_last(void **state)
{
    (void)state;
    struct focal_ref record = write_text(KEN, NULL, "kept"), edit, local, notice;
    carry_all(&offices[KEN], &offices[SSD]);
    edit = write_text(SSD, &record, canary);
    begin(&offices[SSD]);
    assert_int_equal(try_write(&offices[SSD], &scope_kenya, &record, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark(other_canary), &local), FOCAL_OK);
    commit(&offices[SSD]);
    assert_int_equal(redact(KEN, NULL, &edit), FOCAL_OK);
    const struct focal_redact r = { .scope = scope_kenya, .records = &record, .record_count = 1, .reason = 2 };
    begin(&offices[KEN]);
    assert_int_equal(focal_oplog_redact(offices[KEN].ol, &r, &notice, NULL), FOCAL_OK);
    commit(&offices[KEN]);
    const struct focal_log *last = log_of(&offices[KEN], &net, &offices[KEN], &scope_network);
    begin(&offices[TCD]);
    for (int control = 1; control >= 0; control--) {
        for (size_t by = KEN; by <= SSD; by++) {
            for (size_t i = 0; i < focal_oplog_log_count(offices[by].ol); i++) {
                const struct focal_log *log = focal_oplog_log_at(offices[by].ol, i);
                struct carried c;
                if (focal_id_equal(&log->id, &last->id) || (log->scope.cls == FOCAL_SCOPE_CONTROL) != control)
                    continue;
                assert_int_equal(take_up(&offices[by], log, 1, 16000, &c), FOCAL_OK);
                assert_int_equal(hand_over(&offices[TCD], &c), FOCAL_OK);
                carried_close(&c);
            }
        }
    }
    commit(&offices[TCD]);
    assert_true(readable(TCD, canary) && readable(TCD, other_canary));
    carry_all(&offices[KEN], &offices[TCD]);
    assert_false(readable(TCD, canary) || readable(TCD, other_canary));
    exchange();
    all_equal();
}

/* Every order in which a record, its edits and three redactions can come gives the same, and no payload stays. */
static void any_order_of_arrival(void **state)
{
    (void)state;
    enum { PIECES = 6 };
    struct focal_ref record = write_text(KEN, NULL, canary);
    carry_all(&offices[KEN], &offices[SSD]);
    carry_all(&offices[KEN], &offices[HQ]);
    struct focal_ref edit = write_text(SSD, &record, other_canary);
    struct carried control[3], pieces[PIECES];
    const size_t by[3] = { KEN, SSD, HQ };
    struct office *k = &offices[KEN], *s = &offices[SSD], *h = &offices[HQ];
    assert_int_equal(take_up(k, log_of(k, &net, k, &scope_network), 1, 16000, &pieces[0]), FOCAL_OK);
    (void)write_text(KEN, &record, canary);
    assert_int_equal(take_up(k, log_of(k, &net, k, &scope_network), 3, 16000, &pieces[1]), FOCAL_OK);
    assert_int_equal(take_up(s, log_of(s, &net, s, &scope_network), 1, 16000, &pieces[2]), FOCAL_OK);
    carry_all(s, h);
    assert_int_equal(redact(KEN, &record, NULL), FOCAL_OK);
    assert_int_equal(redact(HQ, NULL, &edit), FOCAL_OK);
    assert_int_equal(redact(SSD, NULL, &edit), FOCAL_OK);
    for (size_t i = 0; i < 3; i++) {
        struct focal_log_name name = { .author = offices[by[i]].keys.sign_public, .lane = FOCAL_LANE_NOTICES };
        struct focal_id id;
        assert_true(focal_oplog_epoch(offices[by[i]].ol, &name.epoch));
        focal_scope_id(&name.scope, &net.id, &scope_network);
        focal_log_id(&id, &net.id, &name);
        assert_int_equal(take_up(&offices[by[i]], focal_oplog_log(offices[by[i]].ol, &id), 1, 16000, &pieces[3 + i]), FOCAL_OK);
        assert_int_equal(take_up(&offices[by[i]], log_of(&offices[by[i]], &net, &offices[by[i]], &scope_control), 1, 16000, &control[i]), FOCAL_OK);
    }
    struct focal_hash reference = { { 0 } };
    size_t orders = 0;
    for (unsigned code = 0; code < 720; code++) {
        size_t order[PIECES], place[PIECES];
        unsigned rest = code;
        for (size_t i = 0; i < PIECES; i++)
            order[i] = i;
        for (size_t i = 0; i < PIECES; i++) {
            size_t j = i + rest % (PIECES - i), t = order[i];
            rest /= (unsigned)(PIECES - i);
            order[i] = order[j];
            order[j] = t;
            place[order[i]] = i;
        }
        if (place[0] > place[1])
            continue;           /* within one log there is one order */
        struct office fresh;
        struct focal_hash digest;
        office_make(&fresh, &net, "MLI", 900);
        focal_fake_store_keep_log(fresh.store);
        for (size_t i = 0; i < OFFICES; i++)
            hold(&fresh, &offices[i].statement);
        hold(&fresh, &fresh.statement);
        begin(&fresh);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(hand_over(&fresh, &control[i]), FOCAL_OK);
        for (size_t i = 0; i < PIECES; i++) {
            assert_int_equal(hand_over(&fresh, &pieces[order[i]]), FOCAL_OK);
            if (orders % 2) {
                commit(&fresh);
                begin(&fresh);
            }
        }
        commit(&fresh);
        assert_int_equal(focal_store_scrub(fresh.store), FOCAL_OK);
        assert_false(focal_fake_store_holds(fresh.store, mark(canary)));
        assert_false(focal_fake_store_holds(fresh.store, mark(other_canary)));
        assert_verifies(&fresh, &digest);
        if (orders++ == 0)
            reference = digest;
        assert_true(focal_hash_equal(&reference, &digest));
        office_close(&fresh);
    }
    assert_int_equal(orders, 360);
    for (size_t i = 0; i < 3; i++)
        carried_close(&control[i]);
    for (size_t i = 0; i < PIECES; i++)
        carried_close(&pieces[i]);
}

/* What came erased from others costs nothing of a day's measure. */
static void erased_elsewhere_is_not_measured(void **state)
{
    (void)state;
    struct focal_ref records[25];
    for (size_t i = 0; i < OFFICES; i++)
        focal_oplog_set_day(offices[i].ol, 20000);
    for (size_t i = 0; i < 25; i++)
        records[i] = write_text(KEN, NULL, "a word");
    for (size_t i = 0; i < 25; i++) {
        focal_oplog_set_day(offices[KEN].ol, 20000 + (uint32_t)i / 10);
        assert_int_equal(redact(KEN, &records[i], NULL), FOCAL_OK);
    }
    assert_int_equal(rows_of(KEN, FOCAL_SHELF_HIDDEN), 0);
    carry_all(&offices[KEN], &offices[SSD]);        /* all stripped */
    struct focal_ref last = write_text(KEN, NULL, canary);
    carry_all(&offices[KEN], &offices[SSD]);
    assert_true(readable(SSD, canary));
    focal_oplog_set_day(offices[KEN].ol, 20005);
    assert_int_equal(redact(KEN, &last, NULL), FOCAL_OK);
    carry_all(&offices[KEN], &offices[SSD]);
    assert_int_equal(rows_of(SSD, FOCAL_SHELF_HIDDEN), 0);
    assert_false(readable(SSD, canary));
}

/* What waits for its signature is a copy like any other. */
static void staging_is_erased_too(void **state)
{
    (void)state;
    struct carried c;
    struct focal_ref record = write_text(KEN, NULL, canary), notice;
    (void)write_text(KEN, NULL, "kept");
    const struct focal_log *data = log_of(&offices[KEN], &net, &offices[KEN], &scope_network);
    assert_int_equal(take_up(&offices[KEN], data, 1, 16000, &c), FOCAL_OK);
    c.piece.is_signed = false;
    carry_all(&offices[HQ], &offices[SSD]);
    begin(&offices[SSD]);
    struct carried control;
    assert_int_equal(take_up(&offices[KEN], log_of(&offices[KEN], &net, &offices[KEN], &scope_control), 1, 16000, &control), FOCAL_OK);
    assert_int_equal(hand_over(&offices[SSD], &control), FOCAL_OK);
    carried_close(&control);
    assert_int_equal(hand_over(&offices[SSD], &c), FOCAL_OK);
    commit(&offices[SSD]);
    carried_close(&c);
    assert_int_equal(rows_of(SSD, FOCAL_SHELF_STAGING), 1);
    assert_true(readable(SSD, canary));
    assert_int_equal(redact(KEN, &record, NULL), FOCAL_OK);
    const struct focal_log *notices = NULL;
    for (size_t i = 0; i < focal_oplog_log_count(offices[KEN].ol); i++)
        if (focal_oplog_log_at(offices[KEN].ol, i)->name.lane == FOCAL_LANE_NOTICES)
            notices = focal_oplog_log_at(offices[KEN].ol, i);
    assert_non_null(notices);
    begin(&offices[SSD]);
    assert_int_equal(take_up(&offices[KEN], notices, 1, 16000, &c), FOCAL_OK);
    assert_int_equal(hand_over(&offices[SSD], &c), FOCAL_OK);
    commit(&offices[SSD]);
    carried_close(&c);
    assert_false(readable(SSD, canary));
    (void)notice;
}

/* The measure is of records, not of how often one of them comes up. */
static void a_record_is_measured_once(void **state)
{
    (void)state;
    struct focal_ref records[2], edit;
    focal_oplog_set_day(offices[SSD].ol, 20000);
    for (size_t i = 0; i < 2; i++)
        records[i] = write_text(KEN, NULL, canary);
    begin(&offices[KEN]);
    for (size_t i = 0; i < 60; i++)
        assert_int_equal(try_write(&offices[KEN], &scope_network, &records[i % 2], NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark(canary), &edit), FOCAL_OK);
    commit(&offices[KEN]);
    carry_all(&offices[KEN], &offices[SSD]);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(redact(KEN, &records[i], NULL), FOCAL_OK);
    carry_all(&offices[KEN], &offices[SSD]);
    assert_int_equal(rows_of(SSD, FOCAL_SHELF_HIDDEN), 0);
    assert_false(readable(SSD, canary));
}

/* Each segment is looked at once, however many of its entries are named at once, by whomever. */
static void many_targets_cost_little(void **state)
{
    (void)state;
    enum { NOTICES = 8, TARGETS = 400 };
    static struct focal_ref refs[NOTICES * TARGETS];
    struct focal_ref notice;
    begin(&offices[KEN]);
    for (size_t i = 0; i < NOTICES * TARGETS; i++)
        assert_int_equal(try_write(&offices[KEN], &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark("x"), &refs[i]), FOCAL_OK);
    commit(&offices[KEN]);
    exchange();
    begin(&offices[TCD]);                       /* without any right */
    for (size_t i = 0; i < NOTICES; i++) {
        const struct focal_redact r = { .scope = scope_network, .entries = refs + i * TARGETS, .entry_count = TARGETS, .reason = 2 };
        assert_int_equal(focal_oplog_redact(offices[TCD].ol, &r, &notice, NULL), FOCAL_OK);
    }
    const uint64_t before = focal_fake_store_operations(offices[TCD].store);
    commit(&offices[TCD]);
    assert_true(focal_fake_store_operations(offices[TCD].store) - before < 20 * NOTICES * TARGETS);
    assert_true(shown(TCD, &refs[0]));
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(a_record_goes_everywhere), WITH(a_late_edit_is_told_to_its_author), WITH(nobody_redacts_what_is_not_his),
        WITH(two_offices_erase), WITH(alone_so_many_a_day), WITH(a_relay_cannot_strip), WITH(late_payloads_do_not_stay),
        WITH(runs_over_segments), WITH(a_run_in_three_segments), WITH(rolled_back_as_if_never_asked), WITH(any_order_of_arrival),
        WITH(the_log_of_the_record_comes_last),
        WITH(erased_elsewhere_is_not_measured),
        WITH(staging_is_erased_too),
        WITH(a_record_is_measured_once),
        WITH(many_targets_cost_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
