/* What the history keeps of commands: all that changes or gives out, before anybody is answered; never content; and no flood. */
#include "world.h"

enum { A = FOCAL_MAY_ADMIN, E = FOCAL_MAY_ENTRY, R = FOCAL_MAY_READ };

/* On the disk, not in memory: by a node opened anew over the same store. */
static const char *kept(struct world *w)
{
    start_again(w);
    come_as(w, 1009, FOCAL_MAY_ALL);
    return ask(w, "{\"id\":1,\"do\":\"history\",\"with\":{\"readings\":true,\"limit\":5000}}");
}

static size_t times(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        n++;
    return n;
}

/* The note stands before the answer is given out: when the answer can be taken, a node opened from the disk has it. */
static void before_the_answer(void **state)
{
    struct world *w = *state;
    static const struct { unsigned rights; const char *request, *note; } told[] = {
        { E, "{\"id\":1,\"do\":\"case.new\",\"with\":{\"fields\":{\"country\":\"KEN\",\"allegation_type\":\"sexual_abuse\"}}}", "user 1001, focal-entry: case new HQ-" },
        { R, "{\"id\":1,\"do\":\"export\",\"with\":{\"format\":\"jsonl\"}}", "user 1001, focal-read: export\"" },
        { R, "{\"id\":1,\"do\":\"export\",\"with\":{\"kind\":\"entity\"}}", "user 1001, focal-read: export entity\"" },
        { E, "{\"id\":1,\"do\":\"import.begin\",\"with\":{\"kind\":\"case\",\"format\":\"csv\"}}", "user 1001, focal-entry: import begin case\"" },
        { A, "{\"id\":1,\"do\":\"office.invite\",\"with\":{\"office\":\"KEN\"}}", "user 1001, focal-admin: office invite KEN\"" },
    };
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        come_as(w, 1001, told[i].rights);
        focal_buf_clear(&w->out);
        line(w, told[i].request);
        int turns = 0;
        while (w->out.len == 0) {
            turn(w);
            assert_true(++turns < 100);
        }
        HAS_NOT(focal_buf_cstr(&w->out), "\"error\"");
        focal_admin_disconnect(w->admin, 1);            /* and nothing comes after it */
        HAS(kept(w), told[i].note);
        HAS_NOT(focal_buf_cstr(&w->out), "sexual_abuse");
    }
}

/* Whatever a change came to stands beside it, in the same transaction. */
static void with_its_outcome(void **state)
{
    struct world *w = *state;
    char id[80], request[300];
    come_as(w, 1001, E);
    HAS(ask(w, "{\"id\":1,\"do\":\"case.new\",\"with\":{\"fields\":{\"country\":\"KEN\"}}}"), "\"status\":\"ok\"");
    pick(w, "id", id);
    (void)snprintf(request, sizeof request, "{\"id\":1,\"do\":\"case.update\",\"with\":{\"ref\":\"%s\",\"set\":{\"status\":\"received\"},\"if_version\":\"0000000000000000\"}}", id);
    HAS(ask(w, request), "FD-010");
    HAS(ask(w, "{\"id\":1,\"do\":\"case.update\",\"with\":{\"ref\":\"HQ-AAAA-AAAA-A\",\"set\":{\"status\":\"received\"}}}"), "\"error\"");
    HAS(ask(w, "{\"id\":1,\"do\":\"case.update\"}"), "FD-001");          /* mistyped: nothing was asked for */
    const char *said = kept(w);
    (void)snprintf(request, sizeof request, "user 1001, focal-entry: case update %s; two versions, or the version moved on", id);
    HAS(said, request);
    HAS(said, "\"role\":\"entry\",\"command\":\"case update\",\"id\":\"");
    HAS(said, "\"outcome\":\"conflict\"");
    HAS(said, "user 1001, focal-entry: case update; no such thing");
    assert_int_equal(times(said, "case update"), 2 * 2);
}

static void who_looked(void **state)
{
    struct world *w = *state;
    char id[80], request[300];
    come_as(w, 1001, E);
    HAS(ask(w, "{\"id\":1,\"do\":\"case.new\",\"with\":{\"fields\":{\"country\":\"KEN\"}}}"), "\"status\":\"ok\"");
    pick(w, "id", id);
    come_as(w, 1002, R);
    (void)snprintf(request, sizeof request, "{\"id\":1,\"do\":\"case.show\",\"with\":{\"ref\":\"%s\"}}", id);
    HAS(ask(w, request), "\"status\":\"ok\"");
    HAS(ask(w, "{\"id\":1,\"do\":\"case.list\"}"), "\"status\":\"ok\"");
    HAS(ask(w, "{\"id\":1,\"do\":\"report\",\"with\":{\"period\":\"2018-Q2\"}}"), "\"status\":\"ok\"");
    static const char *const quiet[] = { "help", "status", "matrix", "history", "office.list", "request.list" };
    for (size_t i = 0; i < sizeof quiet / sizeof quiet[0]; i++) {
        (void)snprintf(request, sizeof request, "{\"id\":1,\"do\":\"%s\"}", quiet[i]);
        HAS(ask(w, request), "\"status\":\"ok\"");
    }
    /* Out of the way unless asked for. */
    HAS_NOT(ask(w, "{\"id\":1,\"do\":\"history\"}"), "user 1002");
    const char *said = kept(w);
    (void)snprintf(request, sizeof request, "user 1002, focal-read: case show %s\"", id);
    HAS(said, request);
    HAS(said, "user 1002, focal-read: case list\"");
    HAS(said, "user 1002, focal-read: report\"");
    assert_int_equal(times(said, "\"uid\":1002"), 3);
}

static void who_was_not_permitted(void **state)
{
    struct world *w = *state;
    come_as(w, 1003, R);
    HAS(ask(w, "{\"id\":1,\"do\":\"case.new\",\"with\":{\"fields\":{\"country\":\"KEN\",\"allegation_type\":\"sexual_abuse\"}}}"), "FD-015");
    come_as(w, 1004, 0);
    HAS(ask(w, "{\"id\":1,\"do\":\"export\"}"), "FD-015");
    const char *said = kept(w);
    HAS(said, "\"code\":\"denied\",\"what\":\"user 1003: case new; not permitted\"");
    HAS(said, "user 1004: export; not permitted");
    HAS_NOT(said, "sexual_abuse");
    /* A flood of them is cut: the first 60, then one a second. */
    come_as(w, 1004, 0);
    for (int i = 0; i < 500; i++)
        HAS(ask(w, "{\"id\":1,\"do\":\"export\"}"), "FD-015");
    size_t many = times(kept(w), "user 1004: export");
    assert_in_range(many, 60, 70);
    w->now.mono_ms += 5000;
    come_as(w, 1004, 0);
    for (int i = 0; i < 500; i++)
        HAS(ask(w, "{\"id\":1,\"do\":\"export\"}"), "FD-015");
    assert_true(times(kept(w), "user 1004: export") > many);
}

/* What is typed is not what is kept: only codes of offices and names of kinds. */
static void nothing_that_was_typed(void **state)
{
    struct world *w = *state;
    come_as(w, 1001, FOCAL_MAY_ALL);
    static const char *const typed[] = {
        "{\"id\":1,\"do\":\"export\",\"with\":{\"kind\":\"amina of juba\",\"format\":\"amina\"}}",
        "{\"id\":1,\"do\":\"office.invite\",\"with\":{\"office\":\"amina of juba\"}}",
        "{\"id\":1,\"do\":\"case.show\",\"with\":{\"ref\":\"amina of juba\"}}",
        "{\"id\":1,\"do\":\"case.list\",\"with\":{\"filter\":{\"country\":\"amina\"},\"office\":\"amina of juba\"}}",
        "{\"id\":1,\"do\":\"veil.lift\",\"with\":{\"reason\":\"amina_of_juba\"}}",
        "{\"id\":1,\"do\":\"amina\"}",
    };
    for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++)
        HAS(ask(w, typed[i]), "\"id\":1,");
    HAS_NOT(kept(w), "amina");
    HAS_NOT(focal_buf_cstr(&w->out), "AMINA");
}

/* A reader who asks ahead as fast as it can is noted each time. */
static void none_is_left_out(void **state)
{
    struct world *w = *state;
    come_as(w, 1002, R);
    for (int round = 0; round < 4; round++) {
        focal_buf_clear(&w->out);
        for (int i = 0; i < 250; i++)
            line(w, "{\"id\":1,\"do\":\"case.list\"}");
        settle(w);
        assert_int_equal(times(focal_buf_cstr(&w->out), "\"end\""), 250);
    }
    assert_int_equal(times(kept(w), "user 1002, focal-read: case list"), 1000);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = { T(before_the_answer), T(with_its_outcome), T(who_looked), T(who_was_not_permitted), T(nothing_that_was_typed), T(none_is_left_out) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
