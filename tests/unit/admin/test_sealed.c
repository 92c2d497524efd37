/* Sealed fields on the control socket: what a reader is told of what opens here and of what does not, and what leaves in a file. */
#include "world.h"

static struct focal_node_keys ken;
static char id[80];

static const char *to(struct world *w, const char *what, const char *rest)
{
    static char request[900];
    snprintf(request, sizeof request, "{\"id\":1,\"do\":\"case.%s\",\"with\":{\"ref\":\"%s\"%s%s}}", what, id, *rest ? "," : "", rest);
    return ask(w, request);
}

static void new_case(struct world *w, const char *with)
{
    char request[600];
    snprintf(request, sizeof request, "{\"id\":1,\"do\":\"case.new\",\"with\":{\"fields\":{\"country\":\"KEN\",\"received_quarter\":\"2018-Q2\",\"feedback_preference\":\"unsafe\"}%s}}", with);
    const char *answer = ask(w, request);
    HAS(answer, "\"status\":\"ok\"");
    HAS_NOT(answer, "unsafe");
    pick(w, "id", id);
}

static int open_with_ken(void **state)
{
    int failed = open_world(state);
    add_member(*state, "KEN", 8, &ken);
    start(*state);
    return failed;
}

/* One more version of the wish, by this office, sealed to Kenya alone, or to this office for another record. */
static void another_version(struct world *w, bool to_ken)
{
    static const struct focal_scope network = { .cls = FOCAL_SCOPE_NETWORK };
    struct focal_oplog *ol = focal_node_oplog(w->node);
    struct focal_buf sealed, payload;
    struct focal_ref out;
    struct focal_error err;
    struct focal_office office;
    uint64_t short40;
    uint8_t random[32] = { 3 };
    struct focal_sealed_place place = { .network = *focal_oplog_network(ol), .field = 2200, .author = { "HQ" } };
    assert_int_equal(focal_code_parse(&office, &short40, focal_span_text(id)), FOCAL_OK);
    assert_int_equal(focal_oplog_by_code(ol, &office, short40, &place.record), FOCAL_OK);
    const struct focal_ref record = place.record;
    place.record.seq += to_ken ? 0 : 1;
    focal_buf_init(&sealed, 4096);
    focal_buf_init(&payload, 4096);
    assert_int_equal(focal_sealed_seal(&sealed, focal_span_text("\x02"), &place, to_ken ? &ken.open_public : &w->keys.open_public, 1, random), FOCAL_OK);
    const struct focal_item item = { .field = 2200, .value = focal_buf_view(&sealed) };
    focal_payload_encode(&payload, FOCAL_KIND_CASE, NULL, NULL, &item, 1);
    const struct focal_write write = { .scope = network, .record = record, .payload = focal_buf_view(&payload) };
    assert_int_equal(focal_store_begin(w->store), FOCAL_OK);
    assert_int_equal(focal_oplog_write(ol, &write, &out, &err), FOCAL_OK);
    assert_int_equal(focal_oplog_seal(ol), FOCAL_OK);
    assert_int_equal(focal_store_commit(w->store), FOCAL_OK);
    focal_oplog_committed(ol);
    focal_buf_close(&sealed);
    focal_buf_close(&payload);
}

static void what_opens_is_told(void **state)
{
    struct world *w = *state;
    new_case(w, "");
    HAS(to(w, "show", ""), "\"feedback_preference\":\"unsafe\"");
    HAS(to(w, "show", ""), "\"sealed\":{\"feedback_preference\":[\"HQ\"]}");
    HAS(to(w, "show", ""), "\"needs_newer\":false");
    HAS(ask(w, "{\"id\":2,\"do\":\"case.list\",\"with\":{\"filter\":{\"feedback_preference\":\"unsafe\"}}}"), id);
    HAS_NOT(ask(w, "{\"id\":2,\"do\":\"case.list\",\"with\":{\"filter\":{\"feedback_preference\":\"wanted\"}}}"), id);
    HAS(to(w, "update", "\"remove\":{\"feedback_preference\":\"wanted\"}"), "is not");
    HAS(to(w, "update", "\"remove\":{\"feedback_preference\":\"unsafe\"}"), "\"status\":\"ok\"");
    HAS_NOT(to(w, "show", ""), "feedback_preference");
    HAS(ask(w, "{\"id\":3,\"do\":\"history\",\"with\":{\"readings\":true}}"), "case update");
    HAS_NOT(ask(w, "{\"id\":3,\"do\":\"history\",\"with\":{\"readings\":true}}"), "unsafe");
}

static void who_is_named_opens_it(void **state)
{
    struct world *w = *state;
    new_case(w, ",\"seal_to\":[\"KEN\"]");
    HAS(to(w, "show", ""), "\"sealed\":{\"feedback_preference\":[\"HQ\",\"KEN\"]}");
    HAS(to(w, "update", "\"set\":{\"feedback_preference\":\"wanted\"},\"seal_to\":[\"SSD\"]"), "SSD");
    HAS(to(w, "update", "\"set\":{\"feedback_preference\":\"wanted\"},\"seal_to\":[\"SSD\"]"), "FD-0");
    HAS(to(w, "update", "\"set\":{\"status\":\"received\"},\"seal_to\":[\"KEN\"]"), "nothing of the change is sealed");
    static const char *const no_lists[] = { "\"KEN\"", "[]", "[7]", "[\"\"]", "{}", "null" };
    for (size_t i = 0; i < sizeof no_lists / sizeof no_lists[0]; i++) {
        char with[200];
        snprintf(with, sizeof with, "\"set\":{\"feedback_preference\":\"wanted\"},\"seal_to\":%s", no_lists[i]);
        HAS(to(w, "update", with), "not a list of offices");
    }
    HAS(to(w, "update", "\"set\":{\"feedback_preference\":\"wanted\"},\"seal_to\":[\"KEN\",\"KEN\",\"KEN\",\"KEN\",\"KEN\",\"KEN\",\"KEN\",\"KEN\",\"KEN\"]"), "at most");
    HAS(to(w, "show", ""), "\"feedback_preference\":\"unsafe\"");
    HAS(to(w, "update", "\"set\":{\"feedback_preference\":\"wanted\"}"), "\"status\":\"ok\"");
    HAS(to(w, "show", ""), "\"sealed\":{\"feedback_preference\":[\"HQ\"]}");
}

static void two_versions(void **state)
{
    struct world *w = *state;
    new_case(w, "");
    another_version(w, true);
    HAS(to(w, "conflicts", ""), "{\"sealed_to\":[\"KEN\"]}");
    HAS(to(w, "conflicts", ""), "\"value\":\"unsafe\"");
    HAS(to(w, "resolve", "\"field\":\"feedback_preference\",\"take\":\"wanted\""), "sealed to KEN");
    HAS(to(w, "resolve", "\"field\":\"feedback_preference\",\"take\":\"wanted\""), "--take-office");
    HAS(to(w, "resolve", "\"field\":\"feedback_preference\",\"take_office\":\"HQ\""), "wrote more than one");
    HAS(to(w, "resolve", "\"field\":\"feedback_preference\",\"take_office\":\"KEN\""), "none of the versions is by KEN");
    HAS(to(w, "resolve", "\"field\":\"feedback_preference\",\"take\":\"unsafe\""), "\"status\":\"ok\"");
    HAS(to(w, "show", ""), "\"feedback_preference\":\"unsafe\"");
    HAS(to(w, "show", ""), "\"conflicts\":{}");
    /* What does not open is never taken by what is shown of it: another one may look the same. */
    another_version(w, true);
    HAS(to(w, "resolve", "\"field\":\"feedback_preference\",\"take\":\"sealed to KEN\""), "none of the versions");
    HAS(to(w, "update", "\"set\":{\"feedback_preference\":null}"), "\"status\":\"ok\"");
    another_version(w, true);
    HAS(to(w, "show", ""), "\"feedback_preference\":{\"sealed_to\":[\"KEN\"]}");
    HAS(to(w, "show", ""), "\"sealed\":{\"feedback_preference\":[\"KEN\"]}");
    HAS(to(w, "update", "\"set\":{\"feedback_preference\":\"unsafe\"}"), "\"status\":\"ok\"");
    HAS(to(w, "show", ""), "\"feedback_preference\":\"unsafe\"");
}

static void what_does_not_open_is_said(void **state)
{
    struct world *w = *state;
    new_case(w, "");
    HAS(to(w, "update", "\"set\":{\"feedback_preference\":null}"), "\"status\":\"ok\"");
    another_version(w, false);
    HAS(to(w, "show", ""), "\"feedback_preference\":{\"sealed_to\":[\"HQ\"],\"why\":\"does_not_open\"}");
    HAS_NOT(ask(w, "{\"id\":2,\"do\":\"case.list\",\"with\":{\"filter\":{\"feedback_preference\":\"wanted\"}}}"), id);
}

static void files(void **state)
{
    struct world *w = *state;
    new_case(w, "");
    const char *plain = ask(w, "{\"id\":2,\"do\":\"export\",\"with\":{\"kind\":\"case\"}}");
    HAS(plain, id);
    HAS_NOT(plain, "unsafe");
    HAS_NOT(plain, "feedback_preference");
    HAS_NOT(plain, "sealed_left_out");
    HAS_NOT(ask(w, "{\"id\":2,\"do\":\"export\",\"with\":{\"format\":\"jsonl\"}}"), "unsafe");
    HAS_NOT(ask(w, "{\"id\":2,\"do\":\"history\"}"), "unsealed");
    const char *sealed = ask(w, "{\"id\":2,\"do\":\"export\",\"with\":{\"kind\":\"case\",\"sealed\":true}}");
    HAS(sealed, "unsafe");
    HAS(sealed, "\"sealed_left_out\":0");
    HAS(ask(w, "{\"id\":2,\"do\":\"history\"}"), "case, unsealed");
    HAS(to(w, "update", "\"set\":{\"feedback_preference\":null}"), "\"status\":\"ok\"");
    another_version(w, true);
    sealed = ask(w, "{\"id\":2,\"do\":\"export\",\"with\":{\"sealed\":true,\"format\":\"jsonl\"}}");
    HAS(sealed, "\"sealed_left_out\":1");
    HAS(sealed, id);
    HAS_NOT(sealed, "feedback_preference");
    HAS(ask(w, "{\"id\":2,\"do\":\"report\",\"with\":{\"period\":\"2018-Q2\",\"format\":\"csv\"}}"), "\"status\":\"ok\"");
    HAS_NOT(ask(w, "{\"id\":2,\"do\":\"report\",\"with\":{\"period\":\"2018-Q2\",\"format\":\"csv\"}}"), "feedback");
    /* What comes in by a file is sealed like what is typed. */
    HAS(ask(w, "{\"id\":3,\"do\":\"import.begin\",\"with\":{\"kind\":\"case\",\"format\":\"csv\"}}"), "\"status\":\"ok\"");
    HAS(ask(w, "{\"id\":3,\"do\":\"import.rows\",\"with\":{\"text\":\"country,received_quarter,feedback_preference\\r\\nUGA,2018-Q3,not_wanted\\r\\n\"}}"), "\"status\":\"ok\"");
    HAS(ask(w, "{\"id\":3,\"do\":\"import.end\"}"), "\"new\":1");
    HAS(ask(w, "{\"id\":3,\"do\":\"case.list\",\"with\":{\"filter\":{\"country\":\"UGA\"}}}"), "\"feedback_preference\":\"not_wanted\"");
    HAS(ask(w, "{\"id\":3,\"do\":\"verify\"}"), "\"errors\":[]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_opens_is_told, open_with_ken, close_world),
        cmocka_unit_test_setup_teardown(who_is_named_opens_it, open_with_ken, close_world),
        cmocka_unit_test_setup_teardown(two_versions, open_with_ken, close_world),
        cmocka_unit_test_setup_teardown(what_does_not_open_is_said, open_with_ken, close_world),
        cmocka_unit_test_setup_teardown(files, open_with_ken, close_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
