/* lock, unlock, destroy, store-key: what is asked of the daemon, and when it is answered. */
#include "world.h"

/* What is said without a further request. */
static const char *later(struct world *w)
{
    focal_buf_clear(&w->out);
    settle(w);
    return focal_buf_cstr(&w->out);
}

static void store_orders(void **state)
{
    struct world *w = *state;
    store_orders_wait = true;
    start(w);
    struct focal_error err = { .status = FOCAL_DENIED, .message = "that is not the passphrase", .hint = "try again" };
    store_key_kept = "plain";
    HAS(ask(w, "{\"id\":1,\"do\":\"status\"}"), "the key of the store lies beside it in clear");
    store_key_kept = "passphrase";
    assert_null(strstr(ask(w, "{\"id\":2,\"do\":\"status\"}"), "key of the store"));
    HAS(ask(w, "{\"id\":3,\"do\":\"store-key.show\"}"), "\"store_key\":\"passphrase\"");
    HAS(ask(w, "{\"id\":4,\"do\":\"lock\"}"), "\"status\":\"ok\"");
    assert_int_equal(ordered.type, FOCAL_STORE_LOCK);
    HAS(ask(w, "{\"id\":5,\"do\":\"unlock\"}"), "open already");
    HAS(ask(w, "{\"id\":6,\"do\":\"destroy\",\"with\":{\"confirm\":\"yes\"}}"), "nothing was destroyed");
    HAS(ask(w, "{\"id\":7,\"do\":\"destroy\",\"with\":{\"confirm\":\"DESTROY\"}}"), "\"status\":\"ok\"");
    HAS(ask(w, "{\"id\":8,\"do\":\"store-key.change\"}"), "say how");
    /* The others are answered when the daemon has done them, and only by their own ticket. */
    assert_null(strstr(ask(w, "{\"id\":9,\"do\":\"store-key.rotate\",\"with\":{\"passphrase\":\"p\"}}"), "\"id\":9"));
    assert_int_equal(ordered.type, FOCAL_STORE_ROTATE);
    focal_admin_store_done(w->admin, ordered_ticket + 1, FOCAL_OK, &err);
    assert_null(strstr(later(w), "\"id\":9"));
    focal_admin_store_done(w->admin, ordered_ticket, FOCAL_DENIED, &err);
    HAS(later(w), "not the passphrase");
    assert_null(strstr(ask(w, "{\"id\":10,\"do\":\"store-key.change\",\"with\":{\"to\":\"both\",\"new_passphrase\":\"q\"}}"), "\"id\":10"));
    assert_string_equal(ordered_to, "both");
    focal_admin_store_done(w->admin, ordered_ticket, FOCAL_OK, &err);
    HAS(later(w), "\"store_key\":\"passphrase\"");
    store_orders_wait = false;
}

/* All of it stands in the history when it is answered, with who, and no word of what was typed. */
static void store_orders_are_noted(void **state)
{
    struct world *w = *state;
    come_as(w, 1001, FOCAL_MAY_ADMIN);
    focal_admin_unlocked(w->admin, 1003, FOCAL_MAY_ADMIN);
    focal_admin_unlocked(w->admin, 5, 0);
    HAS(ask(w, "{\"id\":1,\"do\":\"store-key.rotate\",\"with\":{\"passphrase\":\"rosebud\"}}"), "\"status\":\"ok\"");
    HAS(ask(w, "{\"id\":2,\"do\":\"store-key.change\",\"with\":{\"to\":\"both\",\"passphrase\":\"rosebud\",\"new_passphrase\":\"rosebush\"}}"), "\"status\":\"ok\"");
    HAS(ask(w, "{\"id\":3,\"do\":\"destroy\",\"with\":{\"confirm\":\"rosebud\"}}"), "nothing was destroyed");
    HAS(ask(w, "{\"id\":4,\"do\":\"lock\"}"), "\"status\":\"ok\"");
    /* Closed right behind that answer. */
    start_again(w);
    come_as(w, 1001, FOCAL_MAY_ADMIN);
    const char *said = ask(w, "{\"id\":5,\"do\":\"history\",\"with\":{\"limit\":50}}");
    HAS(said, "user 1003, focal-admin: unlock\"");
    HAS(said, "user 5: unlock\"");
    HAS(said, "user 1001, focal-admin: store-key rotate\"");
    HAS(said, "user 1001, focal-admin: store-key change\"");
    HAS(said, "user 1001, focal-admin: destroy; ");
    HAS(said, "user 1001, focal-admin: lock\"");
    HAS_NOT(said, "rosebu");
}

/* Who looked last is in the history though the store closes before there is another turn. */
static void what_is_noted_late_outlives_a_lock(void **state)
{
    struct world *w = *state;
    come_as(w, 1004, FOCAL_MAY_READ);
    focal_buf_clear(&w->out);
    line(w, "{\"id\":1,\"do\":\"case.list\"}");
    turn(w);
    HAS(focal_buf_cstr(&w->out), "\"status\":\"ok\"");
    size_t n = focal_admin_last(w->admin, w->events, ROOM);
    assert_int_equal(n, 1);
    assert_int_equal(focal_node_step(w->node, w->now, w->events, n), FOCAL_OK);
    start_again(w);
    come_as(w, 1001, FOCAL_MAY_ADMIN);
    HAS(ask(w, "{\"id\":2,\"do\":\"history\",\"with\":{\"readings\":true,\"limit\":50}}"), "user 1004, focal-read: case list");
}

/* Only who can mend it is told that the key lies in clear. */
static void a_key_in_clear_is_for_administrators(void **state)
{
    struct world *w = *state;
    store_key_kept = "plain";
    come_as(w, 1001, FOCAL_MAY_ADMIN);
    HAS(ask(w, "{\"id\":1,\"do\":\"status\"}"), "key of the store");
    come_as(w, 1002, FOCAL_MAY_ENTRY | FOCAL_MAY_READ);
    HAS_NOT(ask(w, "{\"id\":1,\"do\":\"status\"}"), "key of the store");
    store_key_kept = "passphrase";
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = { T(store_orders), T(store_orders_are_noted), T(what_is_noted_late_outlives_a_lock), T(a_key_in_clear_is_for_administrators) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
