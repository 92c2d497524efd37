/* Laws of the history: derived state is a function of the set of entries held.
 *
 *   rebuild(log) = derived state
 *   any batching, any cutting into pieces, any admissible order of arrival, any repetition: the same bytes
 *
 * Offices write, read some of what others wrote, and write again. What they wrote is then carried to fresh offices in
 * pieces of chance sizes and order, committed at chance moments, with restarts and rollbacks in between. */
#include "../unit/oplog/offices.h"

enum { AUTHORS = 3, WRITES = 240, RECEIVERS = 3, RECORDS_MAX = AUTHORS * WRITES };

struct history {
    struct network net;
    struct office authors[AUTHORS];
    struct focal_ref records[RECORDS_MAX];
    size_t record_count;
};

static const struct focal_scope *some_scope(struct chance *c)
{
    static const struct focal_scope *const all[] = { &scope_network, &scope_network, &scope_kenya, &scope_control };
    return all[chance_below(c, sizeof all / sizeof *all)];
}

/* Replaces what this office sees of the field, or only some of it, or something that it has not even seen. */
static size_t choose_replaced(struct history *h, struct office *o, const struct focal_scope *scope, const struct focal_ref *record,
    struct focal_replaced *out, struct chance *c)
{
    struct focal_hash id;
    struct focal_part part;
    struct focal_live live[16];
    size_t n = 0;
    focal_scope_id(&id, &h->net.id, scope);
    focal_part_init(&part);
    if (focal_oplog_part(o->ol, record, &id, &part) == FOCAL_OK) {
        size_t have = focal_part_live(&part, live, 16);
        for (size_t i = 0; i < have && i < 16; i++)
            if (chance_below(c, 4) > 0)
                out[n++] = (struct focal_replaced){ live[i].ref, live[i].ordinal };
    }
    if (chance_below(c, 8) == 0)
        out[n++] = (struct focal_replaced){ h->records[chance_below(c, h->record_count)], (uint16_t)chance_below(c, 2) };
    focal_part_close(&part);
    return n;
}

static void write_something(struct history *h, struct office *o, struct chance *c)
{
    static const uint64_t fields[] = { FIELD_A, FIELD_B, FIELD_ROWS };
    const struct focal_scope *scope = some_scope(c);
    struct focal_replaced replaced[20];
    struct focal_ref ref, record;
    uint8_t value[40];
    size_t len = 1 + chance_below(c, chance_below(c, 10) == 0 ? sizeof value : 2);
    chance_fill(c, value, len);
    value[0] &= 3;                      /* so that equal values and two versions both come about */
    uint64_t field = fields[chance_below(c, 3)];
    bool creates = h->record_count == 0 || (h->record_count < RECORDS_MAX && chance_below(c, 5) == 0);
    size_t n = 0;
    if (!creates) {
        record = h->records[chance_below(c, h->record_count)];
        n = choose_replaced(h, o, scope, &record, replaced, c);
    }
    assert_int_equal(try_write(o, scope, creates ? NULL : &record, replaced, n, FOCAL_KIND_CASE + chance_below(c, 3), field,
        focal_span_of(value, len), &ref), FOCAL_OK);
    if (creates)
        h->records[h->record_count++] = ref;
}

static void make_history(struct history *h, uint64_t seed)
{
    static const char *const codes[AUTHORS] = { "KEN", "TCD", "HQ" };
    struct chance c = { seed };
    h->record_count = 0;
    network_make(&h->net);
    for (size_t i = 0; i < AUTHORS; i++)
        office_make(&h->authors[i], &h->net, codes[i], seed * 100 + i);
    introduce(h->authors, AUTHORS);
    for (int i = 0; i < WRITES;) {
        struct office *o = &h->authors[chance_below(&c, AUTHORS)];
        begin(o);
        for (uint64_t n = chance_below(&c, 12) + 1; n > 0 && i < WRITES; n--, i++)
            write_something(h, o, &c);
        commit(o);
        if (chance_below(&c, 3) == 0)
            carry_all(&h->authors[chance_below(&c, AUTHORS)], o);
    }
}

static void close_history(struct history *h)
{
    for (size_t i = 0; i < AUTHORS; i++)
        office_close(&h->authors[i]);
    network_close(&h->net);
}

/* One step of a receiver: a piece of chance size of a chance log of its author, from what is held on, or a repetition. */
static enum focal_status one_piece(struct history *h, struct office *to, struct chance *c)
{
    struct office *from = &h->authors[chance_below(c, AUTHORS)];
    if (focal_oplog_log_count(from->ol) == 0)
        return FOCAL_NOT_FOUND;
    const struct focal_log *log = focal_oplog_log_at(from->ol, chance_below(c, focal_oplog_log_count(from->ol)));
    const struct focal_log *held = focal_oplog_log(to->ol, &log->id);
    uint64_t next = held ? held->staged.seq + 1 : 1;
    if (next > 1 && chance_below(c, 4) == 0)
        next = 1 + chance_below(c, next);
    struct carried p;
    enum focal_status st = take_up(from, log, next, 200 + chance_below(c, chance_below(c, 3) ? 900 : 15000), &p);
    if (st == FOCAL_OK)
        st = hand_over(to, &p);
    else
        assert_true(st == FOCAL_NOT_FOUND || st == FOCAL_TOO_BIG);
    carried_close(&p);
    assert_true(st == FOCAL_OK || st == FOCAL_NOT_FOUND || st == FOCAL_TOO_BIG || st == FOCAL_NOT_YET);
    return st;
}

static void receive(struct history *h, struct office *to, uint64_t seed)
{
    struct chance c = { seed };
    size_t known = 0;
    for (int steps = 0; steps < 1200; steps++) {
        if (known < AUTHORS && chance_below(&c, 10) == 0)       /* certificates come between entries */
            hold(to, &h->authors[known++].statement);
        begin(to);
        for (uint64_t n = chance_below(&c, 6); n > 0; n--)
            (void)!one_piece(h, to, &c);
        if (chance_below(&c, 10) == 0)
            roll_back(to);
        else
            commit(to);
        if (chance_below(&c, 60) == 0) {
            focal_oplog_close(to->ol);
            office_open(to);
        }
    }
    while (known < AUTHORS)
        hold(to, &h->authors[known++].statement);
    for (size_t i = 0; i < AUTHORS; i++)        /* what chance has left out */
        carry_all(&h->authors[i], to);
}

static void rebuild_gives_what_is_there(struct office *o)
{
    struct focal_buf before[4], after;
    focal_buf_init(&after, 64 << 20);
    for (size_t i = 0; i < 4; i++) {
        focal_buf_init(&before[i], 64 << 20);
        assert_int_equal(focal_shelf_dump(o->store, derived_shelves[i], &before[i]), FOCAL_OK);
    }
    begin(o);
    assert_int_equal(focal_oplog_rebuild(o->ol), FOCAL_OK);
    commit(o);
    for (size_t i = 0; i < 4; i++) {
        focal_buf_clear(&after);
        assert_int_equal(focal_shelf_dump(o->store, derived_shelves[i], &after), FOCAL_OK);
        assert_true(focal_span_equal(focal_buf_view(&before[i]), focal_buf_view(&after)));
        assert_true(i != 0 || after.len > 0);
        focal_buf_close(&before[i]);
    }
    focal_buf_close(&after);
}

static void state_is_a_function_of_what_is_held(void **state)
{
    (void)state;
    static struct history h;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct focal_hash digests[AUTHORS], other;
        make_history(&h, seed);
        for (int round = 0; round < 2; round++)
            for (size_t i = 0; i < AUTHORS; i++)
                for (size_t k = 0; k < AUTHORS; k++)
                    if (i != k)
                        carry_all(&h.authors[i], &h.authors[k]);
        for (size_t i = 0; i < AUTHORS; i++) {
            assert_same_state(&h.authors[0], &h.authors[i]);
            assert_verifies(&h.authors[i], &digests[i]);
            assert_memory_equal(digests[i].b, digests[0].b, 32);
        }
        rebuild_gives_what_is_there(&h.authors[0]);
        for (size_t r = 0; r < RECEIVERS; r++) {
            struct office to;
            office_make(&to, &h.net, "XX", 1000 + r);
            hold(&to, &to.statement);
            receive(&h, &to, seed * 31 + r);
            assert_same_state(&h.authors[0], &to);
            assert_verifies(&to, &other);
            assert_memory_equal(other.b, digests[0].b, 32);
            rebuild_gives_what_is_there(&to);
            assert_verifies(&to, NULL);
            office_close(&to);
        }
        close_history(&h);
    }
}

/* One transaction for each entry, or all in one: the same parts, whatever waited for what. */
static void batching_does_not_matter(void **state)
{
    (void)state;
    struct network net;
    struct office o[2];
    network_make(&net);
    for (int each = 0; each < 2; each++) {
        struct focal_ref ref, first = { 0 };
        struct chance c = { 5 };
        office_make(&o[each], &net, "KEN", 7);
        hold(&o[each], &o[each].statement);
        begin(&o[each]);
        write_value(&o[each], &scope_network, NULL, FIELD_A, 0, &first);
        for (int i = 0; i < 300; i++) {
            /* What is replaced lies at chance places: some of it not written yet when it is read from below. */
            const struct focal_replaced r = { first, (uint16_t)chance_below(&c, 3) };
            uint8_t value = (uint8_t)chance_below(&c, 200);
            assert_int_equal(try_write(&o[each], &scope_network, &first, &r, 1, FOCAL_KIND_CASE, i % 2 ? FIELD_A : FIELD_ROWS,
                focal_span_of(&value, 1), &ref), FOCAL_OK);
            if (each) {
                commit(&o[each]);
                begin(&o[each]);
            }
        }
        commit(&o[each]);
        assert_verifies(&o[each], NULL);
    }
    /* Salts differ, so the references do; each is carried whole to the other's reader and rebuilt there. */
    for (int each = 0; each < 2; each++) {
        struct office reader;
        office_make(&reader, &net, "HQ", 9);
        hold(&reader, &o[each].statement);
        carry_all(&o[each], &reader);
        assert_same_state(&o[each], &reader);
        rebuild_gives_what_is_there(&reader);
        office_close(&reader);
        office_close(&o[each]);
    }
    network_close(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_is_a_function_of_what_is_held),
        cmocka_unit_test(batching_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
