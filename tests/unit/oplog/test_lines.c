/* The lines of logs: asked for what is not there, without memory, and opened from rows that are not as they were written. */
#include "forge.h"
#include "inside.h"

static const uint8_t kind_entity = FOCAL_KIND_ENTITY;
static struct focal_log_name data;
static struct focal_id id;

static enum focal_status offer_from(const struct focal_hash *before, uint64_t first, const uint8_t *kind, size_t count)
{
    struct forged_entry list[8];
    struct carried p;
    assert_true(count <= 8);
    for (size_t i = 0; i < count; i++) {
        list[i] = first + i == 1 ? begin_entry : creating(first + i);
        if (first + i > 1)
            list[i].payload = focal_span_of(kind, 1);
    }
    forge(&p, &ken, &data, before, first, list, count, true);
    return offer_and_close(&p);
}

/* A trunk of six entries, a branch of three that leaves it at 2, and one that leaves that branch at 4. */
static void hold_tree(void)
{
    struct focal_log_name control = name_of(&ken, &scope_control, 1);
    struct focal_buf payload;
    struct carried p;
    struct forged_entry first = begin_entry;
    hold(&hq, &ken.statement);
    opening(&payload, &control, 1);
    first.payload = focal_buf_view(&payload);
    forge(&p, &ken, &control, NULL, 1, &first, 1, true);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    focal_buf_close(&payload);
    data = name_of(&ken, &scope_network, 1);
    focal_log_id(&id, &net.id, &data);
    assert_int_equal(offer_from(NULL, 1, &kind_case, 2), FOCAL_OK);
    const struct focal_hash at_two = forge_head;
    assert_int_equal(offer_from(&at_two, 3, &kind_case, 4), FOCAL_OK);
    assert_int_equal(offer_from(&at_two, 3, &kind_entity, 2), FOCAL_OK);
    const struct focal_hash at_four = forge_head;
    assert_int_equal(offer_from(&at_four, 5, &kind_entity, 1), FOCAL_OK);
    assert_int_equal(offer_from(&at_four, 5, &kind_case, 2), FOCAL_OK);
}

static void open_again(void)
{
    focal_oplog_close(hq.ol);
    office_open(&hq);
}

static void expect_tree(void)
{
    const struct focal_log *trunk = focal_oplog_log(hq.ol, &id), *branch, *twig;
    assert_non_null(trunk);
    branch = focal_oplog_next_line(hq.ol, &id, trunk);
    assert_non_null(branch);
    twig = focal_oplog_next_line(hq.ol, &id, branch);
    assert_non_null(twig);
    assert_null(focal_oplog_next_line(hq.ol, &id, twig));
    assert_true(trunk->head.seq == 6 && branch->base.seq == 2 && branch->head.seq == 5 && twig->base.seq == 4 && twig->head.seq == 6);
    assert_ptr_equal(focal_oplog_parent(hq.ol, twig), branch);
    assert_ptr_equal(focal_oplog_parent(hq.ol, branch), trunk);
    assert_null(focal_oplog_parent(hq.ol, trunk));
}

/* ---- asked ---- */

static bool never_fits(const void *at, const struct focal_hash *h)
{
    (void)at;
    (void)h;
    return false;
}

static bool is_it(const void *wanted, const struct focal_hash *h)
{
    return focal_hash_equal(wanted, h);
}

static void branches_of_branches(void **state)
{
    (void)state;
    struct focal_hash h, there;
    const struct focal_log *found;
    hold_tree();
    expect_tree();
    assert_verifies(&hq, NULL);
    open_again();
    expect_tree();
    const struct focal_log *trunk = focal_oplog_log(hq.ol, &id), *branch = focal_oplog_next_line(hq.ol, &id, trunk),
                           *twig = focal_oplog_next_line(hq.ol, &id, branch);
    assert_int_equal(focal_oplog_hash_on(hq.ol, twig, 4, &h), FOCAL_OK);
    assert_int_equal(focal_oplog_hash_on(hq.ol, branch, 4, &there), FOCAL_OK);
    assert_memory_equal(h.b, there.b, 32);      /* what they share */
    assert_int_equal(focal_oplog_hash_on(hq.ol, trunk, 4, &there), FOCAL_OK);
    assert_memory_not_equal(h.b, there.b, 32);
    assert_int_equal(focal_oplog_hash_on(hq.ol, twig, 7, &h), FOCAL_NOT_FOUND);
    /* What two lines share stands on the one that was left. */
    assert_int_equal(focal_oplog_hash_on(hq.ol, twig, 3, &h), FOCAL_OK);
    assert_int_equal(focal_oplog_line_with(hq.ol, &id, 3, is_it, &h, &found), FOCAL_OK);
    assert_ptr_equal(found, branch);
    assert_int_equal(focal_oplog_hash_on(hq.ol, twig, 6, &h), FOCAL_OK);
    assert_int_equal(focal_oplog_line_with(hq.ol, &id, 6, is_it, &h, &found), FOCAL_OK);
    assert_ptr_equal(found, twig);
    for (uint64_t seq = 0; seq <= 8; seq++)
        assert_int_equal(focal_oplog_line_with(hq.ol, &id, seq, never_fits, NULL, &found), FOCAL_NOT_FOUND);
    begin(&hq);
    assert_int_equal(focal_oplog_rebuild(hq.ol), FOCAL_OK);
    commit(&hq);
    assert_verifies(&hq, NULL);
}

static void asked_for_what_is_not_here(void **state)
{
    (void)state;
    uint8_t none[16], other[16], network[16];
    struct focal_hash nowhere = { { 1 } }, elsewhere = { { 2 } }, scope;
    const struct focal_id unknown = { { 3 } };
    hold_tree();
    focal_scope_id(&scope, &net.id, &scope_network);
    assert_null(focal_oplog_log_at(hq.ol, focal_oplog_log_count(hq.ol)));
    assert_null(focal_oplog_log(hq.ol, &unknown));
    assert_null(focal_oplog_next_line(hq.ol, &unknown, NULL));
    assert_null(focal_oplog_author(hq.ol, &unknown));
    focal_oplog_frontier_hash(hq.ol, &nowhere, none);       /* of no entries, but of that scope */
    focal_oplog_frontier_hash(hq.ol, &elsewhere, other);
    focal_oplog_frontier_hash(hq.ol, &scope, network);
    assert_memory_not_equal(none, other, 16);
    assert_memory_not_equal(none, network, 16);
    focal_oplog_frontier_hash(hq.ol, &nowhere, other);
    assert_memory_equal(none, other, 16);
    focal_oplog_frontier_hash(hq.ol, &scope, other);        /* kept, and the same */
    assert_memory_equal(network, other, 16);
}

/* ---- without memory ---- */

static bool deny(void *nothing, size_t bytes)
{
    (void)nothing;
    (void)bytes;
    return false;
}

static uint64_t allowed;

static bool allow_some(void *nothing, size_t bytes)
{
    (void)nothing;
    (void)bytes;
    return allowed > 0 && allowed-- > 0;
}

/* Lists that are just full: a line that finds no place in one of them is in none. */
static void a_line_without_memory(void **state)
{
    (void)state;
    hold_tree();
    struct oplog_log *trunk = focal_oplog_log_of(hq.ol, &id), *line;
    struct oplog_scope *scope = focal_oplog_scope_of(hq.ol, &trunk->pub.name.scope);
    const struct focal_tip base = trunk->pub.head;
    const struct focal_log_name other = name_of(&ken, &scope_network, 9);
    const size_t logs = hq.ol->log_count, lines = hq.ol->line_map.count, in_scope = scope->log_count;
    enum focal_status st = FOCAL_NO_MEMORY;
    for (int trunks = 0; trunks < 2; trunks++) {
        for (allowed = 0; allowed < 3; allowed++) {
            const uint64_t now = allowed;
            hq.ol->log_cap = hq.ol->log_count;
            scope->log_cap = scope->log_count;
            focal_alloc_hook(allow_some, NULL);
            st = trunks ? focal_oplog_log_add(hq.ol, &line, &other, &scope_network) : focal_oplog_branch_add(hq.ol, &line, trunk, &base, 0);
            focal_alloc_hook(NULL, NULL);
            allowed = now;
            assert_int_equal(st, FOCAL_NO_MEMORY);
            assert_true(hq.ol->log_count == logs && hq.ol->line_map.count == lines && scope->log_count == in_scope);
        }
    }
    expect_tree();
    begin(&hq);
    hq.ol->log_cap = hq.ol->log_count;
    assert_int_equal(focal_oplog_branch_add(hq.ol, &line, trunk, &base, 0), FOCAL_OK);
    roll_back(&hq);
    expect_tree();
}

static void rolled_back_without_memory(void **state)
{
    (void)state;
    struct focal_hash id_of;
    hold_tree();
    focal_scope_id(&id_of, &net.id, &scope_network);
    begin(&hq);
    focal_store_rollback(hq.store);
    focal_oplog_scope_of(hq.ol, &id_of)->log_cap = 0;       /* as if it had to grow */
    focal_alloc_hook(deny, NULL);
    assert_int_equal(focal_oplog_rolled_back(hq.ol), FOCAL_NO_MEMORY);
    focal_alloc_hook(NULL, NULL);
    assert_int_equal(focal_oplog_rolled_back(hq.ol), FOCAL_OK);
    expect_tree();
    assert_verifies(&hq, NULL);
}

/* A certificate for which there is no memory is no certificate: what it would grant is not there either. */
static void a_statement_without_memory(void **state)
{
    (void)state;
    struct focal_certificate c;
    struct focal_buf statement;
    struct focal_hash before, after;
    size_t denied = 0;
    hold_tree();
    certificate_for(&c, &hq, 1);
    c.read[0] = c.write[0] = (struct focal_scope){ .cls = FOCAL_SCOPE_COUNTRY, .country = "FRA" };
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    certificate_sign(&statement, &net, &c);
    focal_oplog_statements_hash(hq.ol, &before);
    for (uint64_t nth = 0;; nth++) {
        begin(&hq);
        hq.ol->scope_cap = hq.ol->scope_count;
        hq.ol->statements.office_cap = hq.ol->statements.office_count;
        hq.ol->statements.subject_cap = hq.ol->statements.subject_count;
        allowed = nth;
        focal_alloc_hook(allow_some, NULL);
        enum focal_status st = focal_oplog_add_statement(hq.ol, focal_buf_view(&statement));
        focal_alloc_hook(NULL, NULL);
        if (st == FOCAL_OK)
            break;
        assert_int_equal(st, FOCAL_NO_MEMORY);
        roll_back(&hq);
        focal_oplog_statements_hash(hq.ol, &after);
        assert_memory_equal(before.b, after.b, 32);
        assert_null(focal_oplog_mine(hq.ol));
        assert_int_equal(focal_oplog_scope_count(hq.ol), 4);
        denied++;
    }
    commit(&hq);
    assert_true(denied > 4);
    assert_int_equal(focal_oplog_scope_count(hq.ol), 5);
    assert_non_null(focal_oplog_mine(hq.ol));
    expect_tree();
    focal_buf_close(&statement);
}

/* What the authority says and this program does not understand is kept and told on; it grants nothing. */
static void a_statement_of_later_programs(void **state)
{
    (void)state;
    static const uint8_t body[] = { 60, 1, 2, 0, 0 };        /* a kind, and one item */
    struct focal_buf statement;
    struct focal_subject subject;
    struct focal_span held;
    size_t n = 0, found = 0;
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    focal_statement_sign(&statement, net.authority.secret, &net.id, focal_span_of(body, sizeof body));
    for (int round = 0; round < 2; round++) {
        begin(&hq);
        assert_int_equal(focal_oplog_add_statement(hq.ol, focal_buf_view(&statement)), FOCAL_OK);
        if (round == 0)
            roll_back(&hq);
        else
            commit(&hq);
    }
    open_again();
    for (; focal_oplog_subject(hq.ol, n, &subject); n++)
        for (size_t i = 0; focal_oplog_subject_statement(hq.ol, subject.subject, i, &held); i++)
            found += focal_span_equal(held, focal_buf_view(&statement));
    assert_int_equal(n, 2);
    assert_int_equal(found, 1);
    assert_int_equal(focal_oplog_scope_count(hq.ol), 0);
    assert_null(focal_oplog_office_at(hq.ol, 0));
    focal_buf_close(&statement);
}

/* ---- rows ---- */

enum { FLAGS_AT = 32 + 16 + 32 + 1 + 8 + 32 };

static bool verify_objects(void)
{
    struct focal_verify *v;
    enum focal_status st;
    assert_int_equal(focal_verify_open(&v, hq.ol), FOCAL_OK);
    while ((st = focal_verify_slice(v, 100)) == FOCAL_MORE)
        ;
    const bool objects = st != FOCAL_OK || focal_verify_error_count(v) > 0;
    focal_verify_close(v);
    return objects;
}

/* Whatever byte of a log's row is another one: the log is not opened, or verify says so. */
static void each_byte_of_a_row(void **state)
{
    (void)state;
    struct focal_buf key, value;
    struct focal_error err;
    size_t refused = 0, found = 0;
    hold_tree();
    struct focal_fake_image *image = focal_fake_store_backup(hq.store, false);
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    while (focal_store_next(hq.store, FOCAL_SHELF_LOG, focal_buf_view(&key), &key, &value) == FOCAL_OK) {
        for (size_t at = 0; at < value.len; at++) {
            focal_oplog_close(hq.ol);
            hq.ol = NULL;
            assert_int_equal(focal_store_begin(hq.store), FOCAL_OK);
            value.data[at] ^= 1;
            assert_int_equal(focal_store_put(hq.store, FOCAL_SHELF_LOG, focal_buf_view(&key), focal_buf_view(&value)), FOCAL_OK);
            value.data[at] ^= 1;
            assert_int_equal(focal_store_commit(hq.store), FOCAL_OK);
            enum focal_status st = focal_oplog_open(&hq.ol, hq.store, &hq.keys, &hq.entropy, NULL, &err);
            assert_true(st == FOCAL_OK || st == FOCAL_DAMAGED);
            refused += st == FOCAL_DAMAGED;
            /* Of a log that is not control's nobody asks how it was opened; that an incident was written is no part of the log. */
            const bool counts = at != FLAGS_AT && (at < FLAGS_AT || at > FLAGS_AT + 8);
            if (st == FOCAL_OK && verify_objects())
                found++;
            else if (st == FOCAL_OK && counts)
                fail_msg("byte %zu of a row of %zu bytes: nothing says so", at, value.len);
            focal_oplog_close(hq.ol);
            assert_int_equal(focal_fake_store_restore(hq.store, image), FOCAL_OK);
            office_open(&hq);
        }
    }
    assert_true(refused > 4 * FLAGS_AT && found > 0);
    expect_tree();
    focal_fake_image_free(image);
    focal_buf_close(&key);
    focal_buf_close(&value);
}

/* A branch leaves its line above that line's own base and below its head: else it is no tree. */
static void branches_that_leave_nowhere(void **state)
{
    (void)state;
    struct focal_buf row;
    struct focal_error err;
    hold_tree();
    const struct focal_log *branch = focal_oplog_next_line(hq.ol, &id, focal_oplog_log(hq.ol, &id)), *twig = focal_oplog_next_line(hq.ol, &id, branch);
    const struct focal_id line = twig->line;
    focal_buf_init(&row, 1000);
    assert_int_equal(focal_store_get(hq.store, FOCAL_SHELF_LOG, focal_span_of(line.b, sizeof line.b), &row), FOCAL_OK);
    const size_t base_at = FLAGS_AT + 1 + 8 + 4 + 16;
    static const uint64_t bases[] = { 1, 5, 6, UINT64_MAX };
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        focal_oplog_close(hq.ol);
        hq.ol = NULL;
        assert_int_equal(focal_store_begin(hq.store), FOCAL_OK);
        focal_put_be64(row.data + base_at, bases[i]);
        assert_int_equal(focal_store_put(hq.store, FOCAL_SHELF_LOG, focal_span_of(line.b, sizeof line.b), focal_buf_view(&row)), FOCAL_OK);
        assert_int_equal(focal_store_commit(hq.store), FOCAL_OK);
        assert_int_equal(focal_oplog_open(&hq.ol, hq.store, &hq.keys, &hq.entropy, NULL, &err), FOCAL_DAMAGED);
        assert_non_null(strstr(err.message, "does not fit"));
    }
    focal_buf_close(&row);
}

static void put_row(const struct focal_id *line, const struct focal_buf *row)
{
    struct focal_error err;
    focal_oplog_close(hq.ol);
    hq.ol = NULL;
    assert_int_equal(focal_store_begin(hq.store), FOCAL_OK);
    assert_int_equal(focal_store_put(hq.store, FOCAL_SHELF_LOG, focal_span_of(line->b, sizeof line->b), focal_buf_view(row)), FOCAL_OK);
    assert_int_equal(focal_store_commit(hq.store), FOCAL_OK);
    assert_int_equal(focal_oplog_open(&hq.ol, hq.store, &hq.keys, &hq.entropy, NULL, &err), FOCAL_DAMAGED);
}

/* A head stands at a signature; and a branch leaves a line of its own log. */
static void heads_and_parents_that_do_not_fit(void **state)
{
    (void)state;
    struct focal_buf trunk, twig;
    struct focal_id control;
    hold_tree();
    const struct focal_log *branch = focal_oplog_next_line(hq.ol, &id, focal_oplog_log(hq.ol, &id));
    const struct focal_id line = focal_oplog_next_line(hq.ol, &id, branch)->line;
    const struct focal_log_name name = name_of(&ken, &scope_control, 1);
    focal_log_id(&control, &net.id, &name);
    focal_buf_init(&trunk, 1000);
    focal_buf_init(&twig, 1000);
    assert_int_equal(focal_store_get(hq.store, FOCAL_SHELF_LOG, focal_span_of(id.b, sizeof id.b), &trunk), FOCAL_OK);
    assert_int_equal(focal_store_get(hq.store, FOCAL_SHELF_LOG, focal_span_of(line.b, sizeof line.b), &twig), FOCAL_OK);
    memcpy(twig.data + FLAGS_AT + 1 + 8 + 4, control.b, sizeof control.b);
    put_row(&line, &twig);
    focal_put_be64(trunk.data + FLAGS_AT - 40, 4);      /* the segment goes to 6 */
    put_row(&id, &trunk);
    focal_buf_close(&trunk);
    focal_buf_close(&twig);
}

/* A row with too short a name belongs to no line; it keeps none from being opened, and verify finds it. */
static void a_segment_without_a_line(void **state)
{
    (void)state;
    static const uint8_t last[3] = { 0xff, 0xff, 0xff };
    hold_tree();
    begin(&hq);
    assert_int_equal(focal_store_put(hq.store, FOCAL_SHELF_SEGMENT, focal_span_of(last, sizeof last), focal_span_text("x")), FOCAL_OK);
    assert_int_equal(focal_store_commit(hq.store), FOCAL_OK);
    open_again();
    expect_tree();
    assert_true(verify_objects());
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(branches_of_branches), WITH(asked_for_what_is_not_here), WITH(a_line_without_memory), WITH(rolled_back_without_memory),
        WITH(a_statement_without_memory), WITH(a_statement_of_later_programs), WITH(each_byte_of_a_row), WITH(branches_that_leave_nowhere),
        WITH(heads_and_parents_that_do_not_fit),
        WITH(a_segment_without_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
