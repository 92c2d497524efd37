/* Forked logs: every branch is kept, in any order of arrival, and the same state follows from it. */
#include "forge.h"

/* The entries of a line that leaves another at base. */
static const struct focal_log *branch_of(const struct focal_log *trunk)
{
    const struct focal_log *line = focal_oplog_next_line(hq.ol, &trunk->id, focal_oplog_log(hq.ol, &trunk->id));
    assert_non_null(line);
    return line;
}

static void branches_are_kept_and_proved(void **state)
{
    (void)state;
    hold(&hq, &ken.statement);
    struct focal_log_name control = name_of(&ken, &scope_control, 1), data = name_of(&ken, &scope_network, 1);
    struct focal_buf payload;
    struct carried p;
    struct forged_entry first = begin_entry, list[4] = { begin_entry, creating(2), creating(3), creating(4) };
    opening(&payload, &control, 1);
    first.payload = focal_buf_view(&payload);
    forge(&p, &ken, &control, NULL, 1, &first, 1, true);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    focal_buf_close(&payload);
    forge(&p, &ken, &data, NULL, 1, list, 3, true);
    const struct focal_hash tip = forge_head;
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    uint64_t digest, rows;

    static const uint8_t entity = FOCAL_KIND_ENTITY;
    list[2].payload = focal_span_of(&entity, 1);
    const struct focal_log *held = focal_oplog_log_at(hq.ol, 1);
    forge(&p, &ken, &data, NULL, 1, list, 4, false);            /* unsigned proves nothing: it waits */
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    assert_null(focal_oplog_next_line(hq.ol, &held->id, held));
    assert_int_equal(focal_shelf_digest(hq.store, FOCAL_SHELF_INCIDENT, &digest, &rows), FOCAL_OK);
    assert_int_equal(rows, 0);
    forge(&p, &hq, &data, NULL, 1, list, 4, true);              /* nor does another's signature */
    assert_int_equal(offer_and_close(&p), FOCAL_NEVER);
    forge(&p, &ken, &data, NULL, 1, list, 4, true);
    const struct focal_hash other = forge_head;
    assert_int_equal(offer(&p), FOCAL_OK);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    assert_int_equal(focal_shelf_digest(hq.store, FOCAL_SHELF_INCIDENT, &digest, &rows), FOCAL_OK);
    assert_int_equal(rows, 1);          /* one a log */
    assert_int_equal(held->head.seq, 3);
    assert_true(held->forked);
    const struct focal_log *branch = branch_of(held);
    assert_int_equal(branch->base.seq, 2);
    assert_int_equal(branch->head.seq, 4);
    assert_true(focal_hash_equal(&branch->head.h, &other));

    struct focal_incident seen;
    assert_int_equal(focal_oplog_next_incident(hq.ol, 0, &seen), FOCAL_OK);
    assert_int_equal(seen.kind, FOCAL_INCIDENT_FORK);
    for (size_t i = 0; i < 2; i++)      /* anyone can check the proof */
        assert_true(focal_verify_head(&seen.signatures[i], &seen.log.author, focal_oplog_network(hq.ol), &held->id, &seen.tips[i]));
    assert_int_equal(seen.base.seq, 2);
    assert_int_equal(focal_oplog_next_incident(hq.ol, seen.number, &seen), FOCAL_NOT_FOUND);

    const struct forged_entry fifth = creating(5), fourth = creating(4);
    forge(&p, &ken, &data, &other, 5, &fifth, 1, true);         /* goes on with the other branch */
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    assert_int_equal(branch->head.seq, 5);
    struct focal_hash wrong = tip;
    wrong.b[0] ^= 1;
    forge(&p, &ken, &data, &wrong, 4, &fourth, 1, true);
    assert_int_equal(offer_and_close(&p), FOCAL_CONFLICT);
    forge(&p, &ken, &data, &tip, 4, &fourth, 1, true);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    assert_int_equal(held->head.seq, 4);
    assert_verifies(&hq, NULL);

    focal_oplog_close(hq.ol);
    office_open(&hq);                   /* all lines are there again */
    held = focal_oplog_log_at(hq.ol, 0)->scope.cls == FOCAL_SCOPE_CONTROL ? focal_oplog_log_at(hq.ol, 1) : focal_oplog_log_at(hq.ol, 0);
    assert_true(held->forked);
    assert_int_equal(held->head.seq, 4);
    assert_int_equal(branch_of(held)->head.seq, 5);
    assert_verifies(&hq, NULL);
}

/* ---- a copied database ---- */

enum { SHARED = 3, ALONE = 4, PIECES_MAX = 32 };

static void write_each(struct office *o, int n, uint8_t value)
{
    for (int i = 0; i < n; i++) {
        struct focal_ref ref;
        begin(o);
        write_value(o, &scope_network, NULL, FIELD_A, (uint8_t)(value + i), &ref);
        commit(o);
    }
}

/* A second office with ken's keys, on a copy of its disk, fence and all: nothing tells it that it is one. */
static void copy_office(struct office *copy, const struct office *of)
{
    struct focal_fake_image *image = focal_fake_store_backup(of->store, true);
    assert_non_null(image);
    *copy = *of;
    copy->store = focal_fake_store_clone(image);
    assert_non_null(copy->store);
    focal_buf_init(&copy->statement, FOCAL_STATEMENT_MAX);
    focal_buf_span(&copy->statement, focal_buf_view(&of->statement));
    copy->chance.state = of->chance.state + 99;
    focal_fake_image_free(image);
    office_open(copy);
}

/* The network log as one piece an entry, from first on. */
static size_t take_pieces(struct office *o, uint64_t first, struct carried *out)
{
    const struct focal_log *log = log_of(o, &net, o, &scope_network);
    size_t count = 0;
    for (uint64_t next = first; next <= log->head.seq; count++) {
        assert_true(count < PIECES_MAX);
        assert_int_equal(take_up(o, log, next, 400, &out[count]), FOCAL_OK);
        assert_true(out[count].piece.is_signed);
        next = out[count].piece.last + 1;
    }
    return count;
}

static void fence_of(struct office *o)
{
    focal_fake_store_fence(o->store, (struct focal_entropy){ .fill = chance_fill, .data = &o->chance }, "machine");
    focal_oplog_close(o->ol);
    office_open(o);
}

/* Every order in which two copies' pieces can come gives the same tips and the same state. */
static void any_order_gives_the_same(void **state)
{
    (void)state;
    struct office copy;
    fence_of(&ken);
    write_each(&ken, SHARED, 0);
    struct carried shared[1];
    assert_int_equal(take_up(&ken, log_of(&ken, &net, &ken, &scope_network), 1, 600, &shared[0]), FOCAL_OK);
    copy_office(&copy, &ken);
    struct carried one[ALONE], other[ALONE];
    for (size_t i = 0; i < ALONE; i++) {
        write_each(&ken, 1, (uint8_t)(20 + i));
        assert_int_equal(take_pieces(&ken, shared[0].piece.last + 1 + i, &one[i]), 1);
        write_each(&copy, 1, (uint8_t)(40 + i));
        assert_int_equal(take_pieces(&copy, shared[0].piece.last + 1 + i, &other[i]), 1);
    }
    const size_t n = ALONE, m = ALONE;

    struct focal_hash reference = { { 0 } };
    uint8_t frontier[16], first_frontier[16];
    size_t orders = 0;
    for (unsigned bits = 0; bits < 1u << (n + m); bits++) {
        if ((size_t)__builtin_popcount(bits) != n)
            continue;
        struct office third;
        office_make(&third, &net, "TCD", 3);
        hold(&third, &ken.statement);
        hold(&third, &third.statement);
        struct carried control;
        assert_int_equal(take_up(&ken, log_of(&ken, &net, &ken, &scope_control), 1, 16000, &control), FOCAL_OK);
        begin(&third);
        assert_int_equal(hand_over(&third, &control), FOCAL_OK);
        assert_int_equal(hand_over(&third, &shared[0]), FOCAL_OK);
        carried_close(&control);
        for (size_t i = 0, a = 0, b = 0; i < n + m; i++) {
            const struct carried *next = bits >> i & 1 ? &one[a++] : &other[b++];
            assert_int_equal(hand_over(&third, next), FOCAL_OK);
            if (orders % 3 == 1) {
                commit(&third);
                begin(&third);
            }
        }
        commit(&third);
        if (orders % 7 == 2) {
            focal_oplog_close(third.ol);
            office_open(&third);
        }
        struct focal_hash digest, scope;
        assert_verifies(&third, &digest);
        focal_scope_id(&scope, &net.id, &scope_network);
        focal_oplog_frontier_hash(third.ol, &scope, frontier);
        if (orders++ == 0) {
            reference = digest;
            memcpy(first_frontier, frontier, 16);
        }
        assert_true(focal_hash_equal(&reference, &digest));
        assert_memory_equal(frontier, first_frontier, 16);
        begin(&third);
        assert_int_equal(focal_oplog_rebuild(third.ol), FOCAL_OK);
        commit(&third);
        assert_verifies(&third, &digest);
        assert_true(focal_hash_equal(&reference, &digest));
        office_close(&third);
    }
    assert_int_equal(orders, 70);
    for (size_t i = 0; i < n; i++)
        carried_close(&one[i]);
    for (size_t i = 0; i < m; i++)
        carried_close(&other[i]);
    carried_close(&shared[0]);
    office_close(&copy);
}

/* A rolled back transaction takes its branch along; what is admitted again stands as if nothing had been. */
static void branches_are_rolled_back(void **state)
{
    (void)state;
    struct office copy;
    fence_of(&ken);
    write_each(&ken, SHARED, 0);
    copy_office(&copy, &ken);
    write_each(&ken, ALONE, 20);
    write_each(&copy, ALONE, 40);
    hold(&hq, &ken.statement);
    carry_all(&ken, &hq);
    const struct focal_log *held = log_of(&hq, &net, &ken, &scope_network);
    struct carried pieces[PIECES_MAX];
    size_t n = take_pieces(&copy, held->head.seq - ALONE + 1, pieces);
    for (int round = 0; round < 3; round++) {
        begin(&hq);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(hand_over(&hq, &pieces[i]), FOCAL_OK);
        assert_true(held->forked);
        if (round < 2) {
            roll_back(&hq);
            assert_false(held->forked);
            assert_null(focal_oplog_next_line(hq.ol, &held->id, held));
        } else {
            commit(&hq);
        }
        assert_verifies(&hq, NULL);
    }
    assert_int_equal(focal_oplog_next_line(hq.ol, &held->id, held)->head.seq, held->head.seq);
    for (size_t i = 0; i < n; i++)
        carried_close(&pieces[i]);
    office_close(&copy);
}

/* Who meets his own other self ends his epoch, and never writes under it again, not after a crash either. */
static void own_branch_ends_the_epoch(void **state)
{
    (void)state;
    struct office copy;
    struct focal_id before, after;
    fence_of(&ken);
    write_each(&ken, SHARED, 0);
    copy_office(&copy, &ken);
    write_each(&ken, ALONE, 20);
    write_each(&copy, ALONE, 40);
    assert_true(focal_oplog_epoch(ken.ol, &before));
    hold(&hq, &ken.statement);
    struct carried pieces[PIECES_MAX];
    size_t n = take_pieces(&copy, log_of(&ken, &net, &ken, &scope_network)->head.seq - ALONE + 1, pieces);
    begin(&ken);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(hand_over(&ken, &pieces[i]), FOCAL_OK);
        carried_close(&pieces[i]);
    }
    commit(&ken);
    assert_false(focal_oplog_epoch(ken.ol, &after));
    struct focal_incident seen[2];
    assert_int_equal(focal_oplog_next_incident(ken.ol, 0, &seen[0]), FOCAL_OK);
    assert_int_equal(focal_oplog_next_incident(ken.ol, seen[0].number, &seen[1]), FOCAL_OK);
    assert_int_equal(seen[0].kind, FOCAL_INCIDENT_ROLLBACK);
    assert_int_equal(seen[1].kind, FOCAL_INCIDENT_FORK);
    focal_oplog_close(ken.ol);
    office_open(&ken);
    assert_false(focal_oplog_epoch(ken.ol, &after));
    write_each(&ken, 1, 70);
    assert_true(focal_oplog_epoch(ken.ol, &after));
    assert_false(focal_id_equal(&before, &after));
    carry_all(&ken, &copy);             /* and the copy, too, learns of it */
    assert_false(focal_oplog_epoch(copy.ol, &after));
    write_each(&copy, 1, 71);
    carry_all(&copy, &ken);
    carry_all(&ken, &copy);
    carry_all(&copy, &hq);
    assert_same_state(&ken, &copy);
    assert_same_state(&ken, &hq);
    assert_verifies(&hq, NULL);
    office_close(&copy);
}

/* A fence that says "an older state" ends the epoch before the first write. */
static void an_old_backup_opens_an_epoch(void **state)
{
    (void)state;
    struct focal_id before, after;
    fence_of(&ken);
    write_each(&ken, SHARED, 0);
    struct focal_fake_image *image = focal_fake_store_backup(ken.store, false);
    write_each(&ken, ALONE, 20);
    hold(&hq, &ken.statement);
    carry_all(&ken, &hq);
    assert_true(focal_oplog_epoch(ken.ol, &before));
    focal_oplog_close(ken.ol);
    assert_int_equal(focal_fake_store_restore(ken.store, image), FOCAL_OK);
    focal_fake_image_free(image);
    office_open(&ken);
    assert_false(focal_oplog_epoch(ken.ol, &after));
    assert_true(focal_oplog_veiled(ken.ol));
    focal_oplog_close(ken.ol);          /* that it was put back is not forgotten, though the fence now fits */
    focal_fake_store_crash(ken.store);
    office_open(&ken);
    assert_false(focal_oplog_epoch(ken.ol, &after));
    assert_true(focal_oplog_veiled(ken.ol));
    write_each(&ken, 1, 70);
    assert_true(focal_oplog_epoch(ken.ol, &after));
    assert_false(focal_id_equal(&before, &after));
    carry_all(&ken, &hq);
    carry_all(&hq, &ken);
    assert_same_state(&ken, &hq);
    assert_false(log_of(&hq, &net, &ken, &scope_network)->forked);
    begin(&ken);
    assert_int_equal(focal_oplog_lift_veil(ken.ol), FOCAL_OK);
    commit(&ken);
    focal_oplog_close(ken.ol);
    focal_fake_store_crash(ken.store);
    office_open(&ken);
    assert_false(focal_oplog_veiled(ken.ol));
    struct focal_incident seen;
    assert_int_equal(focal_oplog_next_incident(hq.ol, 0, &seen), FOCAL_OK);
    assert_int_equal(seen.kind, FOCAL_INCIDENT_OPENED);
}

/* Copied after the epoch was opened and before anything was written in the scope: the two histories share no entry. And a
 * receipt that lists the heads of both lines does not keep the database from being opened. */
static void branches_from_the_beginning(void **state)
{
    (void)state;
    struct office copy;
    fence_of(&ken);
    begin(&ken);
    struct focal_ref ref;
    write_value(&ken, &scope_kenya, NULL, FOCAL_FIELD(503, FOCAL_SCOPE_COUNTRY, FOCAL_MERGE_REGISTER), 1, &ref);
    commit(&ken);
    copy_office(&copy, &ken);
    write_each(&ken, 2, 20);
    write_each(&copy, 3, 40);
    hold(&hq, &ken.statement);
    hold(&hq, &hq.statement);
    carry_all(&ken, &hq);
    struct carried piece;
    const struct focal_log *there = log_of(&copy, &net, &copy, &scope_network);
    assert_int_equal(take_up(&copy, there, 1, 16000, &piece), FOCAL_OK);
    begin(&hq);
    assert_int_equal(hand_over(&hq, &piece), FOCAL_OK);
    commit(&hq);
    carried_close(&piece);
    const struct focal_log *held = log_of(&hq, &net, &ken, &scope_network), *branch = branch_of(held);
    assert_int_equal(branch->base.seq, 0);
    assert_int_equal(branch->head.seq, 4);
    assert_verifies(&hq, NULL);
    struct focal_buf body;
    struct focal_signature signature;
    focal_buf_init(&body, FOCAL_RECEIPT_MAX);
    begin(&hq);
    assert_int_equal(focal_oplog_make_receipt(hq.ol, &scope_network, 20000, &body, &signature), FOCAL_OK);
    commit(&hq);
    focal_buf_close(&body);
    focal_oplog_close(hq.ol);
    office_open(&hq);
    held = log_of(&hq, &net, &ken, &scope_network);
    assert_true(held->forked);
    uint64_t seq;
    assert_true(focal_oplog_receipt_of(hq.ol, &hq.code, held, &seq, NULL));
    assert_int_equal(seq, held->head.seq);
    assert_true(focal_oplog_receipt_of(hq.ol, &hq.code, branch_of(held), &seq, NULL));
    assert_int_equal(seq, 4);
    assert_verifies(&hq, NULL);
    office_close(&copy);
}

/* The row of a log from before its last segments: from a page that was put back. */
static void an_old_row_is_damage(void **state)
{
    (void)state;
    struct focal_buf row;
    struct focal_error err;
    focal_buf_init(&row, 1024);
    write_each(&ken, SHARED, 0);
    const struct focal_id id = log_of(&ken, &net, &ken, &scope_network)->id;
    assert_int_equal(focal_store_get(ken.store, FOCAL_SHELF_LOG, focal_span_of(id.b, sizeof id.b), &row), FOCAL_OK);
    write_each(&ken, 1, 9);
    assert_int_equal(focal_store_begin(ken.store), FOCAL_OK);
    assert_int_equal(focal_store_put(ken.store, FOCAL_SHELF_LOG, focal_span_of(id.b, sizeof id.b), focal_buf_view(&row)), FOCAL_OK);
    assert_int_equal(focal_store_commit(ken.store), FOCAL_OK);
    focal_buf_close(&row);
    focal_oplog_close(ken.ol);
    assert_int_equal(focal_oplog_open(&ken.ol, ken.store, &ken.keys, &ken.entropy, NULL, &err), FOCAL_DAMAGED);
}

/* The h of single entries: their segment is read once for all, and what a rolled back transaction held is not remembered. */
static void single_entries_are_told_from_one_reading(void **state)
{
    (void)state;
    enum { ENTRIES = 60 };
    struct focal_ref refs[ENTRIES];
    struct focal_hash h;
    hold(&ken, &ken.statement);
    begin(&ken);                        /* the log outlives what is rolled back */
    write_value(&ken, &scope_network, NULL, FIELD_A, 0, &refs[0]);
    commit(&ken);
    for (uint8_t round = 0; round < 2; round++) {
        begin(&ken);
        for (uint8_t i = 0; i < ENTRIES; i++)
            write_value(&ken, &scope_network, NULL, FIELD_A, (uint8_t)(i + round), &refs[i]);
        assert_int_equal(focal_oplog_seal(ken.ol), FOCAL_OK);
        const struct focal_log *log = log_of(&ken, &net, &ken, &scope_network);
        uint64_t looks = focal_oplog_looks(ken.ol), operations = focal_fake_store_operations(ken.store);
        for (size_t i = 0; i < ENTRIES; i++) {
            assert_int_equal(focal_oplog_hash_on(ken.ol, log, refs[i].seq, &h), FOCAL_OK);
            assert_memory_equal(h.b, refs[i].h8, 8);
        }
        assert_int_equal(focal_oplog_looks(ken.ol) - looks, 1);
        assert_int_equal(focal_fake_store_operations(ken.store) - operations, 1);
        if (round == 0)
            roll_back(&ken);
        else
            commit(&ken);
    }
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(single_entries_are_told_from_one_reading),
        WITH(branches_are_kept_and_proved), WITH(any_order_gives_the_same), WITH(branches_are_rolled_back),
        WITH(own_branch_ends_the_epoch), WITH(an_old_backup_opens_an_epoch), WITH(an_old_row_is_damage), WITH(branches_from_the_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
