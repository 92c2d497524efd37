/* A fixed day of a node and its peer, with each allocation of one of them failing in turn, and each operation of its store:
 * the step fails or it did not matter; what was answered stays; after a new start both become equal. */
#include "places.h"

enum { STEPS = 11, SHELVES = FOCAL_SHELF_LAST + 1 };

static struct { uint64_t left; bool inside, happened, from_then_on; } memory;
static struct place *hq, *ken, *armed;
static struct focal_ref cases[STEPS];
static size_t case_count;
static char what[80];

#define expect(condition) \
    do { \
        if (!(condition)) \
            fail_msg("%s: %s", what, #condition); \
    } while (0)

static bool allow(void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    if (!memory.inside || memory.left == 0 || --memory.left > 0)
        return true;
    memory.left = memory.from_then_on;
    memory.happened = true;
    return false;
}

/* ---- steps that may fail ---- */

static void shelves_of(struct place *p, uint64_t out[SHELVES])
{
    uint64_t rows;
    for (int i = FOCAL_SHELF_META; i < SHELVES; i++)
        assert_int_equal(focal_shelf_digest(p->store, (enum focal_shelf)i, &out[i], &rows), FOCAL_OK);
}

/* A step that failed has left nothing in the store, and every later one fails alike. */
static enum focal_status try_step(struct place *p, const struct focal_node_event *e)
{
    uint64_t before[SHELVES] = { 0 }, after[SHELVES] = { 0 };
    if (p != armed) {
        assert_int_equal(step_with(p, e), FOCAL_OK);
        return FOCAL_OK;
    }
    shelves_of(p, before);
    memory.inside = true;
    enum focal_status status = step_with(p, e);
    memory.inside = false;
    if (status == FOCAL_OK)
        return status;
    shelves_of(p, after);
    expect(memcmp(before, after, sizeof before) == 0);
    expect(focal_node_failed(p->node) == status);
    struct focal_node_event tick_event = { .type = FOCAL_EVENT_TICK };
    expect(step_with(p, &tick_event) == status);
    return status;
}

static enum focal_status try_open(struct place *p)
{
    struct focal_error err = { .status = FOCAL_OK };
    struct focal_node_setup setup = { .store = p->store, .keys = &p->keys, .entropy = { chance_fill, &p->chance }, .machine_id = p->code,
                                      .boot_id = "", .map_seed = 3 };
    memory.inside = true;
    enum focal_status status = focal_node_open(&p->node, &setup, all.now, &err);
    memory.inside = false;
    if (status != FOCAL_OK)
        expect(!p->node && err.status == status && err.message[0]);
    return status;
}

static enum focal_status hang_up(struct line *l, struct place *unless)
{
    enum focal_status status = FOCAL_OK;
    l->open = false;
    for (int i = 0; i < 2; i++) {
        struct focal_node_event e = { .type = FOCAL_EVENT_LINK_CLOSED };
        e.is.closed.link = l->id[i];
        e.is.closed.why = FOCAL_CANCELLED;
        if (l->at[i]->node && l->at[i] != unless && status == FOCAL_OK)
            status = try_step(l->at[i], &e);
    }
    return status;
}

static enum focal_status try_obey(struct place *p)
{
    struct focal_order o;
    enum focal_status status = FOCAL_OK;
    while (status == FOCAL_OK && focal_node_take_order(p->node, &o)) {
        if (o.type == FOCAL_ORDER_DIAL) {
            assert_true(p->dial_count < 16);
            p->dials[p->dial_count++] = o;
        }
        for (size_t i = 0; i < LINES && o.type == FOCAL_ORDER_CLOSE && status == FOCAL_OK; i++)
            for (int k = 0; k < 2 && status == FOCAL_OK; k++)
                if (all.lines[i].open && all.lines[i].at[k] == p && all.lines[i].id[k] == o.link)
                    status = hang_up(&all.lines[i], NULL);
    }
    return status;
}

static bool take_frame(struct place *p, uint64_t link, struct focal_buf *frame)
{
    memory.inside = p == armed;
    bool any = focal_node_take_frame(p->node, link, frame);
    memory.inside = false;
    return any;
}

/* All frames and orders until nothing moves. */
static enum focal_status try_run(void)
{
    struct focal_buf frame;
    enum focal_status status = FOCAL_OK;
    bool any = true;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    while (any && status == FOCAL_OK) {
        any = false;
        for (size_t i = 0; i < LINES; i++)
            for (int k = 0; k < 2 && status == FOCAL_OK; k++) {
                struct line *l = &all.lines[i];
                if (!l->open || !take_frame(l->at[k], l->id[k], &frame))
                    continue;
                struct focal_node_event e = { .type = FOCAL_EVENT_LINK_FRAME };
                e.is.frame.link = l->id[1 - k];
                e.is.frame.bytes = focal_buf_view(&frame);
                status = try_step(l->at[1 - k], &e);
                any = true;
            }
        for (size_t i = 0; i < all.count && status == FOCAL_OK; i++)
            status = try_obey(&all.places[i]);
    }
    focal_buf_close(&frame);
    return status;
}

static enum focal_status try_pass(uint64_t ms)
{
    struct focal_node_event e = { .type = FOCAL_EVENT_TICK };
    enum focal_status status = FOCAL_OK;
    all.now.mono_ms += ms;
    all.now.wall_ms += ms;
    for (size_t i = 0; i < all.count && status == FOCAL_OK; i++)
        status = try_step(&all.places[i], &e);
    return status == FOCAL_OK ? try_run() : status;
}

/* The office dials headquarters, as soon as it wants to. */
static enum focal_status try_link(void)
{
    enum focal_status status = try_pass(10);
    for (int i = 0; i < 200 && status == FOCAL_OK && ken->dial_count == 0; i++)
        status = try_pass(2000);
    if (status != FOCAL_OK)
        return status;
    expect(ken->dial_count > 0);
    struct focal_order o = ken->dials[--ken->dial_count];
    struct line *l = all.lines;
    while (l->open)
        l++;
    assert_true(l < all.lines + LINES);
    *l = (struct line){ .open = true, .at = { ken, hq }, .id = { all.next_id, all.next_id + 1 } };
    all.next_id += 2;
    for (int k = 1; k >= 0 && status == FOCAL_OK; k--) {
        struct focal_node_event e = { .type = FOCAL_EVENT_LINK_OPENED };
        e.is.opened.link = l->id[k];
        e.is.opened.dialled = k == 0;
        e.is.opened.dial_tag = k == 0 ? o.dial_tag : 0;
        e.is.opened.address = o.address;
        status = try_step(l->at[k], &e);
    }
    return status == FOCAL_OK ? try_run() : status;
}

/* A new case, or the first case changed. */
static enum focal_status try_case(struct place *p, bool is_new)
{
    static const char *const pairs[][2] = { { "country", "KEN" }, { "allegation_type", "other" }, { "status", "received" } };
    const struct focal_kind *kind = focal_kind_by_number(FOCAL_KIND_CASE);
    const size_t from = is_new ? 0 : 2, count = is_new ? 2 : 1;
    struct focal_change_item items[2];
    struct focal_buf bytes[2];
    memset(items, 0, sizeof items);
    for (size_t i = 0; i < count; i++) {
        struct focal_error err;
        items[i].op = FOCAL_OP_SET;
        items[i].field = focal_field_by_name(kind, pairs[from + i][0]);
        assert_non_null(items[i].field);
        focal_buf_init(&bytes[i], 64);
        assert_int_equal(focal_value_parse(&bytes[i], items[i].field, focal_span_text(pairs[from + i][1]), DAY + 400, &err), FOCAL_OK);
        items[i].value = focal_buf_view(&bytes[i]);
    }
    struct focal_change c = { .kind = kind, .is_new = is_new, .items = items, .item_count = count, .day_set = true, .day = DAY };
    if (!is_new)
        c.record = cases[0];
    struct focal_node_event e = { .type = FOCAL_EVENT_CHANGE };
    e.is.change = &c;
    enum focal_status status = try_step(p, &e);
    for (size_t i = 0; i < count; i++)
        focal_buf_close(&bytes[i]);
    if (status != FOCAL_OK)
        return status;
    if (c.status == FOCAL_DISK_FULL)    /* refused and said so */
        return c.status;
    expect(c.status == FOCAL_OK);
    if (is_new)
        cases[case_count++] = c.result;
    return status;
}

static enum focal_status try_pause(struct place *p, const char *code, bool on)
{
    struct focal_node_event e = { .type = FOCAL_EVENT_PAUSE };
    assert_true(focal_office_parse(&e.is.pause.office, focal_span_text(code)));
    e.is.pause.on = on;
    enum focal_status answer = FOCAL_OK;
    e.answer = &answer;
    enum focal_status status = try_step(p, &e);
    return status == FOCAL_OK ? answer : status;
}

static enum focal_status try_invite(uint64_t number)
{
    struct focal_invitation v;
    struct focal_node_event e = { .type = FOCAL_EVENT_INVITE };
    invitation_for(&v, "SSD", number);
    e.is.invite.invitation = &v;
    return try_step(hq, &e);
}

static enum focal_status try_addresses(void)
{
    static const char *const list[] = { "armed.example:7443" };
    struct focal_node_event e = { .type = FOCAL_EVENT_ADDRESSES };
    e.is.addresses.list = list;
    e.is.addresses.count = 1;
    return try_step(armed, &e);
}

static enum focal_status step(int i)
{
    struct place *other = armed == hq ? ken : hq;
    switch (i) {
    case 0:
        return try_open(armed);
    case 1:
        return try_addresses();
    case 2:
        return try_case(armed, true);
    case 3:
        return try_case(armed, false);
    case 4: {
        enum focal_status status = try_pause(armed, other->code, true);
        return status == FOCAL_OK ? try_pause(armed, other->code, false) : status;
    }
    case 5:
        return try_link();
    case 6: {
        enum focal_status status = try_case(other, true);
        return status == FOCAL_OK ? try_run() : status;
    }
    case 7:
        return try_invite(case_count);
    case 8:
        return try_pass(1000);
    case 9: {
        enum focal_status status = try_case(armed, true);
        return status == FOCAL_OK ? try_run() : status;
    }
    default:
        return try_pass(1000);
    }
}

/* ---- what is looked at afterwards ---- */

static void expect_clean(struct place *p)
{
    struct focal_verify *v;
    enum focal_status status;
    expect(focal_verify_open(&v, focal_node_oplog(p->node)) == FOCAL_OK);
    while ((status = focal_verify_slice(v, 100)) == FOCAL_MORE)
        ;
    expect(status == FOCAL_OK);
    if (focal_verify_error_count(v) > 0)
        fail_msg("%s: verify: %s", what, focal_verify_error(v, 0));
    focal_verify_close(v);
}

static void start_again(void)
{
    for (size_t i = 0; i < LINES; i++)
        if (all.lines[i].open)
            assert_int_equal(hang_up(&all.lines[i], armed), FOCAL_OK);
    focal_node_close(armed->node);
    armed->node = NULL;
    armed->dial_count = 0;
    expect(try_open(armed) == FOCAL_OK);
    expect_clean(armed);
    for (size_t i = 0; i < case_count; i++)
        expect(has_case(armed, &cases[i]) || has_case(armed == hq ? ken : hq, &cases[i]));
    expect(try_pause(armed, armed == hq ? "KEN" : "HQ", false) == FOCAL_OK);
    expect(try_case(armed, true) == FOCAL_OK);
    expect(try_link() == FOCAL_OK);
    for (int i = 0; i < 3; i++)
        expect(try_pass(1000) == FOCAL_OK);
    for (size_t i = 0; i < case_count; i++)
        expect(has_case(hq, &cases[i]) && has_case(ken, &cases[i]));
    expect_clean(hq);
    expect_clean(ken);
}

struct trouble { const char *name; bool memory, from_then_on; enum focal_status status; unsigned kinds; };

static bool one_day(const struct trouble *t, const char *code, uint64_t nth)
{
    (void)snprintf(what, sizeof what, "%s at %s, the %llu-th", t->name, code, (unsigned long long)nth);
    hq = hq_make(true);
    ken = member_make("KEN");
    armed = strcmp(code, "HQ") == 0 ? hq : ken;
    case_count = 0;
    focal_node_close(armed->node);
    armed->node = NULL;
    memset(&memory, 0, sizeof memory);
    memory.from_then_on = t->from_then_on;
    memory.left = t->memory ? nth : 0;
    if (!t->memory)
        focal_fake_store_plan(armed->store, (struct focal_fake_failure){ .nth = nth, .kinds = t->kinds, .status = t->status,
                                                                         .from_then_on = t->from_then_on });
    focal_alloc_hook(allow, NULL);
    enum focal_status status = FOCAL_OK;
    for (int i = 0; i < STEPS && status == FOCAL_OK; i++)
        status = step(i);
    focal_alloc_hook(NULL, NULL);
    memory.left = 0;
    focal_fake_store_crash(armed->store);
    expect(status == FOCAL_OK || status == t->status);
    bool happened = status != FOCAL_OK || memory.happened || focal_fake_store_failed(armed->store);
    start_again();
    all_close();
    return happened;
}

/* Until the day is over before its failure comes. One that the node gets over by itself counts like the others. */
static void each_failure_in_turn(void **state)
{
    static const struct trouble troubles[] = {
        { "memory", true, false, FOCAL_NO_MEMORY, 0 },
        { "memory, from then on,", true, true, FOCAL_NO_MEMORY, 0 },
        { "a full disk", false, false, FOCAL_DISK_FULL, FOCAL_FAKE_WRITES },
        { "a failing disk", false, true, FOCAL_IO, FOCAL_FAKE_ALL },
    };
    static const char *const codes[] = { "HQ", "KEN" };
    (void)state;
    for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++)
        for (int k = 0; k < 2; k++) {
            uint64_t tried = 0;
            for (uint64_t nth = 1; one_day(&troubles[i], codes[k], nth); nth += FOCAL_TROUBLE_STRIDE)
                tried++;
            printf("%-24s %-4s %6llu\n", troubles[i].name, codes[k], (unsigned long long)tried);
            assert_true(tried > 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_failure_in_turn) };
    return cmocka_run_group_tests_name("power sweep node", tests, NULL, NULL);
}
