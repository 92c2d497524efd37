/* Salt runs: each has a seed used nowhere else, and gives it up as soon as anything of the run is stripped. */
#include "inside.h"
#include "offices.h"

static struct network net;

static int set_up(void **state)
{
    (void)state;
    network_make(&net);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    network_close(&net);
    return 0;
}

enum { SEEDS = 8 };

static void every_commit_draws_a_seed(void **state)
{
    (void)state;
    struct office o;
    struct focal_ref ref;
    uint8_t seeds[SEEDS][16];
    office_make(&o, &net, "KEN", 7);
    hold(&o, &o.statement);
    for (uint8_t i = 0; i < SEEDS; i++) {
        begin(&o);
        write_value(&o, &scope_network, NULL, FIELD_A, i, &ref);
        write_value(&o, &scope_kenya, NULL, FIELD_B, i, &ref);
        commit(&o);
    }
    size_t count = 0;
    for (size_t i = 0; i < focal_oplog_log_count(o.ol); i++) {
        const struct focal_log *log = focal_oplog_log_at(o.ol, i);
        for (uint64_t next = 1; next <= log->head.seq && count < SEEDS;) {
            struct segment s;
            struct focal_stretch stretch;
            assert_int_equal(focal_oplog_segment_at(o.ol, &log->id, next, false, &s), FOCAL_OK);
            assert_int_equal(focal_stretch_unpack(o.ol->packer, &stretch, &o.ol->arena, s.packed), FOCAL_OK);
            assert_true(stretch.run_count == 1 && stretch.runs[0].has_seed);
            memcpy(seeds[count++], stretch.runs[0].seed, 16);
            next = s.last.seq + 1;
        }
    }
    assert_int_equal(count, SEEDS);
    for (size_t i = 0; i < SEEDS; i++)
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(seeds[i], seeds[k], 16);
    office_close(&o);
}

/* Three entries with their payloads and one that came stripped belonged to one run: whoever has its seed could try
 * payloads against what the stripped one left. */
static void a_run_with_a_stripped_entry_has_no_seed(void **state)
{
    (void)state;
    struct focal_arena arena;
    focal_arena_init(&arena, 1 << 20);
    struct focal_stretch_entry whole[3], bare = { .header = focal_span_text("h") };
    for (size_t i = 0; i < 3; i++)
        whole[i] = (struct focal_stretch_entry){ .header = focal_span_text("h"), .has_payload = true, .payload = focal_span_text("p") };
    struct focal_salt_run run = { .first = 5, .last = 8, .has_seed = true, .seed = { 1, 2, 3 } };
    const struct focal_stretch parts[] = {
        { .first = 5, .count = 3, .entries = whole, .runs = &run, .run_count = 1 },
        { .first = 8, .count = 1, .entries = &bare },
    };
    struct focal_stretch out;
    assert_int_equal(focal_oplog_join(&out, &arena, parts, 2), FOCAL_OK);
    assert_int_equal(out.count, 4);
    assert_int_equal(out.run_count, 1);
    assert_false(out.runs[0].has_seed);
    assert_true(focal_bytes_zero(out.runs[0].seed, sizeof out.runs[0].seed));
    for (size_t i = 0; i < 3; i++) {
        uint8_t before[16], after[16];
        assert_true(focal_stretch_salt(&parts[0], i, before, focal_salt_from_seed));
        assert_true(focal_stretch_salt(&out, i, after, focal_salt_from_seed));
        assert_memory_equal(before, after, 16);
    }
    focal_arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_commit_draws_a_seed, set_up, tear_down),
        cmocka_unit_test(a_run_with_a_stripped_entry_has_no_seed),
    };
    return cmocka_run_group_tests_name("oplog_salts", tests, NULL, NULL);
}
