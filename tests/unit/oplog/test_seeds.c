/* Where a run of salts begins and ends nobody has signed. Whoever hands it on may cut it, so that the seed of an erased entry's
 * salt stands with its neighbours; it must not stay with them, wherever they lie and whenever they come. */
#include "redactors.h"

enum { PIECES = 3, PIECE_ENTRIES = 4 };

static struct focal_log_name name;
static struct carried pieces[PIECES], control;
static struct focal_ref refs[PIECES][PIECE_ENTRIES];
static uint8_t erased_salt[FOCAL_SALT_BYTES];
static const uint8_t seed[16] = "\x9b\x02\xe1\x77\xc4\x3f\x50\xad\x16\x88\xf9\x61\x0e\xd3\x2a\xb5";

/* Entries 1 to 12 of KEN's log, of one run; each piece says of the run that it ends with the piece. The entry at `erased` is to go. */
static void cut_by_who_hands_it_on(uint64_t erased)
{
    struct focal_hash h;
    struct focal_ref ref;
    name = (struct focal_log_name){ .author = offices[KEN].keys.sign_public, .lane = FOCAL_LANE_DATA };
    begin(&offices[KEN]);
    write_value(&offices[KEN], &scope_kenya, NULL, FOCAL_FIELD(503, FOCAL_SCOPE_COUNTRY, FOCAL_MERGE_REGISTER), 1, &ref);
    commit(&offices[KEN]);
    assert_true(focal_oplog_epoch(offices[KEN].ol, &name.epoch));
    focal_scope_id(&name.scope, &net.id, &scope_network);
    struct focal_id id;
    focal_log_id(&id, &net.id, &name);
    focal_chain_start(&h, &id);
    for (size_t i = 0; i < PIECES; i++) {
        const uint64_t first = 1 + PIECE_ENTRIES * i;
        struct focal_salt_run run = { .first = first, .last = first + PIECE_ENTRIES - 1, .has_seed = true };
        memcpy(run.seed, seed, sizeof seed);
        seeded_piece(&pieces[i], &name, &h, first, PIECE_ENTRIES, &run, refs[i]);
    }
    focal_salt_from_seed(erased_salt, seed, erased);
    assert_int_equal(take_up(&offices[KEN], log_of(&offices[KEN], &net, &offices[KEN], &scope_control), 1, 16000, &control), FOCAL_OK);
    begin(&offices[HQ]);
    assert_int_equal(hand_over(&offices[HQ], &control), FOCAL_OK);
    commit(&offices[HQ]);
}

static void put_away(void)
{
    for (size_t i = 0; i < PIECES; i++)
        carried_close(&pieces[i]);
    carried_close(&control);
}

static void bring(size_t i, bool is_signed)
{
    pieces[i].piece.is_signed = is_signed;
    begin(&offices[HQ]);
    assert_int_equal(hand_over(&offices[HQ], &pieces[i]), FOCAL_OK);
    commit(&offices[HQ]);
}

/* Seeds on two shelves from which this salt can be made. */
static size_t seeds_of(size_t at, const uint8_t salt[FOCAL_SALT_BYTES], uint64_t seq)
{
    static const struct { enum focal_shelf shelf; size_t head; } shelves[] = { { FOCAL_SHELF_SEGMENT, 32 + 8 + 32 + 64 + 4 }, { FOCAL_SHELF_STAGING, 32 + 8 + 32 + 4 } };
    struct focal_packer *packer = focal_packer_open();
    struct focal_arena arena;
    struct focal_buf key, value;
    size_t found = 0;
    focal_arena_init(&arena, 64u << 20);
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    for (size_t i = 0; i < 2; i++) {
        focal_buf_clear(&key);
        while (focal_store_next(offices[at].store, shelves[i].shelf, focal_buf_view(&key), &key, &value) == FOCAL_OK) {
            struct focal_stretch s;
            uint8_t made[FOCAL_SALT_BYTES];
            focal_arena_reset(&arena);
            assert_int_equal(focal_stretch_unpack(packer, &s, &arena, focal_span_of(value.data + shelves[i].head, value.len - shelves[i].head)), FOCAL_OK);
            for (size_t r = 0; r < s.run_count; r++) {
                focal_salt_from_seed(made, s.runs[r].seed, seq);
                found += s.runs[r].has_seed && memcmp(made, salt, sizeof made) == 0;
            }
        }
    }
    focal_buf_close(&key);
    focal_buf_close(&value);
    focal_arena_close(&arena);
    focal_packer_close(packer);
    return found;
}

static bool seed_readable(size_t at)
{
    if (focal_oplog_scrub_due(offices[at].ol))
        scrub(at);
    return focal_fake_store_holds(offices[at].store, focal_span_of(seed, sizeof seed));
}

/* The redacted entry is in the middle piece, or the first or the last; all are there. */
static void neighbours_lose_the_seed(void **state)
{
    for (size_t at = 0; at < PIECES; at++) {
        const size_t place = at == 0 ? 2 : 1;           /* the first entry of all is the beginning */
        if (at > 0) {
            tear_down(state);
            set_up(state);
        }
        cut_by_who_hands_it_on(1 + PIECE_ENTRIES * at + place);
        for (size_t i = 0; i < PIECES; i++)
            bring(i, true);
        assert_true(seed_readable(HQ));
        assert_int_equal(seeds_of(HQ, erased_salt, refs[at][place].seq), PIECES);
        assert_int_equal(redact(HQ, NULL, &refs[at][place]), FOCAL_OK);
        assert_int_equal(seeds_of(HQ, erased_salt, refs[at][place].seq), 0);
        assert_false(seed_readable(HQ));
        assert_verifies(&offices[HQ], NULL);
        put_away();
    }
}

/* Redacted before the last piece comes, or the last two, or all; the last may wait for its signature. The database is opened anew
 * between, and what comes must never be written with its seed. */
static void what_comes_later_loses_it_before_it_is_written(void **state)
{
    for (size_t held = 0; held < PIECES; held++) {
        for (int is_signed = 0; is_signed < 2; is_signed++) {
            if (held + (size_t)is_signed > 0) {
                tear_down(state);
                set_up(state);
            }
            cut_by_who_hands_it_on(6);
            for (size_t i = 0; i < held; i++)
                bring(i, true);
            assert_int_equal(redact(HQ, NULL, &refs[1][1]), FOCAL_OK);
            assert_false(seed_readable(HQ));
            focal_oplog_close(offices[HQ].ol);
            office_open(&offices[HQ]);
            if (focal_oplog_scrub_due(offices[HQ].ol))
                scrub(HQ);
            for (size_t i = held; i < PIECES; i++) {
                const bool last = i == PIECES - 1;
                bring(i, !last || is_signed);
                /* By byte search also in the log of the store, before anything is scrubbed. */
                assert_false(focal_fake_store_holds(offices[HQ].store, focal_span_of(seed, sizeof seed)));
                assert_int_equal(seeds_of(HQ, erased_salt, 6), 0);
            }
            assert_verifies(&offices[HQ], NULL);
            put_away();
        }
    }
}

/* Two lines part in the middle of a run, and what is redacted stands on the branch alone. */
static void the_line_that_a_branch_leaves_loses_it(void **state)
{
    (void)state;
    struct focal_hash h;
    struct focal_ref other[PIECE_ENTRIES];
    struct carried branch;
    struct focal_salt_run run = { .first = 5, .last = 5, .has_seed = true };
    cut_by_who_hands_it_on(5);
    bring(0, true);
    bring(1, true);
    struct focal_id id;
    struct carried again;
    struct focal_salt_run of_piece = { .first = 1, .last = PIECE_ENTRIES, .has_seed = true };
    memcpy(of_piece.seed, seed, sizeof seed);
    focal_log_id(&id, &net.id, &name);
    focal_chain_start(&h, &id);
    seeded_piece(&again, &name, &h, 1, PIECE_ENTRIES, &of_piece, other);        /* for the hash that it ends with */
    carried_close(&again);
    memset(run.seed, 3, sizeof run.seed);                       /* another salt, so another entry */
    seeded_piece(&branch, &name, &h, 5, 1, &run, other);
    begin(&offices[HQ]);
    assert_int_equal(hand_over(&offices[HQ], &branch), FOCAL_OK);
    commit(&offices[HQ]);
    assert_true(focal_oplog_log(offices[HQ].ol, &id)->forked);
    assert_true(seed_readable(HQ));
    assert_int_equal(redact(HQ, NULL, &other[0]), FOCAL_OK);
    assert_false(seed_readable(HQ));
    assert_int_equal(seeds_of(HQ, erased_salt, 5), 0);
    assert_verifies(&offices[HQ], NULL);
    carried_close(&branch);
    put_away();
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(neighbours_lose_the_seed), WITH(what_comes_later_loses_it_before_it_is_written), WITH(the_line_that_a_branch_leaves_loses_it),
    };
    return cmocka_run_group_tests_name("oplog_seeds", tests, NULL, NULL);
}
