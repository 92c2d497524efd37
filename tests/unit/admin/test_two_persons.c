/* Two persons: what one asks for and a second agrees to, what is refused, what outlives a restart, and what the history says. */
#include "world.h"

#include "focal/config.h"

enum { A = FOCAL_MAY_ADMIN, E = FOCAL_MAY_ENTRY, R = FOCAL_MAY_READ, AMINA = 1001, BEATRICE = 1002, CLERK = 1003, SMITH = 1004 };

static int open_strict(void **state)
{
    (void)open_world(state);
    struct world *w = *state;
    w->two_persons = FOCAL_TWO_REDACT | FOCAL_TWO_EXPORT | FOCAL_TWO_VEIL;
    start_again(w);
    return 0;
}

static void new_case(struct world *w, char id[80])
{
    come_as(w, AMINA, E);
    HAS(ask(w, "{\"id\":1,\"do\":\"case.new\",\"with\":{\"fields\":{\"country\":\"KEN\",\"allegation_type\":\"sexual_abuse\"}}}"), "\"status\":\"ok\"");
    pick(w, "id", id);
}

static const char *with_ref(struct world *w, const char *verb, const char *id)
{
    char request[300];
    (void)snprintf(request, sizeof request, "{\"id\":1,\"do\":\"%s\",\"with\":{\"ref\":\"%s\",\"reason\":\"other\"}}", verb, id);
    return ask(w, request);
}

static const char *numbered(struct world *w, const char *verb, unsigned number)
{
    char request[120];
    (void)snprintf(request, sizeof request, "{\"id\":1,\"do\":\"%s\",\"with\":{\"number\":%u}}", verb, number);
    return ask(w, request);
}

static void a_second_person_redacts(void **state)
{
    struct world *w = *state;
    char id[80];
    new_case(w, id);
    const char *said = with_ref(w, "case.redact", id);
    HAS(said, "\"status\":\"partial\",\"request\":1");
    HAS(said, "focalctl approve 1");
    HAS(with_ref(w, "case.show", id), "sexual_abuse");          /* nothing happened yet */
    HAS(with_ref(w, "case.redact", id), "\"request\":1");       /* the same again is the same request */
    HAS(numbered(w, "approve", 1), "FD-015");                    /* the same user is no second one */
    HAS(focal_buf_cstr(&w->out), "request 1 is your own");
    come_as(w, CLERK, R);
    HAS(numbered(w, "approve", 1), "\\\"case redact\\\" is for members of focal-entry");
    HAS_NOT(ask(w, "{\"id\":1,\"do\":\"request.list\"}"), "\"item\"");
    come_as(w, SMITH, A);
    HAS(numbered(w, "approve", 1), "FD-015");
    HAS(with_ref(w, "case.redact", id), "FD-015");

    start_again(w);
    come_as(w, BEATRICE, E);
    said = ask(w, "{\"id\":1,\"do\":\"request.list\"}");
    HAS(said, "\"id\":1,\"uid\":1001,\"command\":\"case redact\"");
    HAS(said, id);
    HAS(said, "\"until\":\"2026-11-24 10:00 UTC\"");
    HAS(said, "\"mine\":false");
    HAS(ask(w, "{\"id\":1,\"do\":\"status\"}"), "user 1001 asks for \\\"case redact\\\"");
    said = numbered(w, "approve", 1);
    HAS(said, "\"notices\":");
    HAS(said, "\"status\":\"ok\"");
    HAS(with_ref(w, "case.show", id), "was redacted");
    HAS(numbered(w, "approve", 1), "FD-007");
    said = ask(w, "{\"id\":1,\"do\":\"history\"}");
    HAS(said, "user 1001, focal-entry: case redact HQ-");
    HAS(said, "; request 1, for a second person");
    HAS(said, "\"request\":1,\"outcome\":\"waiting\"");
    HAS(said, "user 1002, focal-entry: case redact HQ-");
    HAS(said, "; request 1, with user 1001");
    HAS(said, "user 1001, focal-entry: approve; request 1, with user 1001; not permitted");
    HAS_NOT(said, "sexual_abuse");
    HAS_NOT(ask(w, "{\"id\":1,\"do\":\"request.list\"}"), "\"item\"");
}

/* What is given out goes to who asked, once, and only as it was asked. */
static void a_second_person_lets_export(void **state)
{
    struct world *w = *state;
    char id[80];
    static const char plain[] = "{\"id\":1,\"do\":\"export\",\"with\":{\"kind\":\"case\",\"format\":\"jsonl\"}}";
    static const char other_order[] = "{\"id\":1,\"do\":\"export\",\"with\":{\"format\":\"jsonl\",\"kind\":\"case\"}}";
    new_case(w, id);
    HAS(ask(w, plain), "\"request\":1");
    HAS_NOT(focal_buf_cstr(&w->out), "sexual_abuse");
    come_as(w, BEATRICE, E);
    HAS(numbered(w, "approve", 1), "\"approved\":true");
    HAS_NOT(focal_buf_cstr(&w->out), "sexual_abuse");
    HAS(ask(w, plain), "\"request\":2");                /* who agreed has not asked */
    start_again(w);
    come_as(w, AMINA, E);
    HAS(ask(w, "{\"id\":1,\"do\":\"status\"}"), "request 1 (export) was agreed to");
    HAS(ask(w, "{\"id\":1,\"do\":\"export\",\"with\":{\"kind\":\"case\",\"format\":\"csv\"}}"), "\"request\":3");      /* not what was asked */
    HAS(ask(w, other_order), "sexual_abuse");
    HAS(ask(w, plain), "\"request\":4");                /* once */
    HAS(ask(w, "{\"id\":1,\"do\":\"history\"}"), "user 1001, focal-entry: export case; request 1, with user 1002");
}

static void refused_and_taken_back(void **state)
{
    struct world *w = *state;
    char id[80];
    new_case(w, id);
    HAS(with_ref(w, "case.redact", id), "\"request\":1");
    come_as(w, CLERK, R);
    HAS(numbered(w, "request.refuse", 1), "FD-015");
    come_as(w, BEATRICE, E);
    HAS(numbered(w, "request.refuse", 1), "\"refused\":true");
    HAS(numbered(w, "approve", 1), "FD-007");
    HAS(ask(w, "{\"id\":1,\"do\":\"history\"}"), "user 1002, focal-entry: request refuse; request 1, with user 1001");
    come_as(w, AMINA, E);
    HAS(with_ref(w, "case.redact", id), "\"request\":2");       /* a number is not given twice */
    HAS(numbered(w, "request.refuse", 2), "\"refused\":true");   /* one's own */
    HAS(with_ref(w, "case.show", id), "sexual_abuse");
    HAS(numbered(w, "approve", 0), "FD-001");
    HAS(ask(w, "{\"id\":1,\"do\":\"approve\"}"), "FD-001");
    /* What is not there is not kept waiting. */
    HAS(with_ref(w, "case.redact", "HQ-AAAA-AAAA-A"), "\"error\"");
    HAS_NOT(ask(w, "{\"id\":1,\"do\":\"request.list\"}"), "\"item\"");
}

static void after_a_day_it_waits_no_more(void **state)
{
    struct world *w = *state;
    char id[80];
    new_case(w, id);
    HAS(with_ref(w, "case.redact", id), "\"request\":1");
    come_as(w, BEATRICE, E);
    w->now.wall_ms += 86400000u;
    HAS(ask(w, "{\"id\":1,\"do\":\"request.list\"}"), "\"id\":1,\"uid\"");
    w->now.wall_ms += 1;
    HAS_NOT(ask(w, "{\"id\":1,\"do\":\"request.list\"}"), "\"item\"");
    HAS(numbered(w, "approve", 1), "FD-007");
    come_as(w, AMINA, E);
    HAS(with_ref(w, "case.redact", id), "\"request\":2");
}

/* One who asks and asks does not keep others from asking. */
static void there_are_only_so_many(void **state)
{
    struct world *w = *state;
    char request[200];
    for (uint32_t uid = 2000; uid < 2005; uid++) {
        come_as(w, uid, E);
        for (unsigned i = 0; i < 20; i++) {
            (void)snprintf(request, sizeof request, "{\"id\":1,\"do\":\"export\",\"with\":{\"kind\":\"case\",\"n\":%u}}", i);
            const char *said = ask(w, request);
            HAS(said, i < 16 && uid < 2004 ? "\"request\":" : "FD-013");
        }
    }
    w->now.wall_ms += 86400001u;
    come_as(w, 2000, E);
    HAS(ask(w, request), "\"request\":65");
    char big[40000];
    memset(big, 'x', sizeof big);
    (void)snprintf(big, sizeof big, "{\"id\":1,\"do\":\"export\",\"with\":{\"kind\":\"%30000s\"}}", "case");
    HAS(ask(w, big), "FD-012");
}

static void the_veil_is_lifted_by_two(void **state)
{
    struct world *w = *state;
    veil_it(w);
    come_as(w, SMITH, A);
    HAS(ask(w, "{\"id\":1,\"do\":\"veil.lift\",\"with\":{\"reason\":\"two_agreed\"}}"), "\"request\":1");
    HAS(ask(w, "{\"id\":1,\"do\":\"status\"}"), "\"veiled\":true");
    come_as(w, AMINA, E);
    HAS(numbered(w, "approve", 1), "FD-015");
    come_as(w, 0, A);
    HAS(numbered(w, "approve", 1), "\"lifted\":true");
    HAS(ask(w, "{\"id\":1,\"do\":\"status\"}"), "\"veiled\":false");
}

/* Where the policy says nothing, one person is enough. */
static void without_a_policy(void **state)
{
    struct world *w = *state;
    char id[80];
    w->two_persons = 0;
    start_again(w);
    new_case(w, id);
    HAS(ask(w, "{\"id\":1,\"do\":\"export\"}"), "sexual_abuse");
    HAS(with_ref(w, "case.redact", id), "\"notices\":");
}

static void state_policy(struct world *w, uint64_t number, uint64_t value)
{
    struct focal_sign_key authority;
    struct focal_policy p = { .name = FOCAL_POLICY_TWO_PERSONS, .number = number, .value = value, .day = DAY };
    struct focal_buf body, statement;
    uint8_t seed[96];
    uint64_t chance = 7;
    enum focal_status answer = FOCAL_OK;
    fill(&chance, seed, sizeof seed);
    focal_sign_key_make(&authority, seed);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    focal_policy_encode(&body, &p);
    focal_statement_sign(&statement, authority.secret, focal_oplog_network(focal_node_oplog(w->node)), focal_buf_view(&body));
    struct focal_node_event e = { .type = FOCAL_EVENT_STATEMENT, .answer = &answer, .is.statement = focal_buf_view(&statement) };
    assert_int_equal(focal_node_step(w->node, w->now, &e, 1), FOCAL_OK);
    assert_int_equal(answer, FOCAL_OK);
    focal_buf_close(&body);
    focal_buf_close(&statement);
}

/* What the authority states holds beside what the configuration says, and a later statement takes the place of an earlier one. */
static void the_authority_states_it(void **state)
{
    struct world *w = *state;
    w->two_persons = FOCAL_TWO_VEIL;
    start_again(w);
    come_as(w, AMINA, E);
    HAS(ask(w, "{\"id\":1,\"do\":\"export\"}"), "\"status\":\"ok\"");
    state_policy(w, 1, FOCAL_POLICY_TWO_EXPORT | (uint64_t)1 << 40);        /* and something that comes later */
    HAS(ask(w, "{\"id\":1,\"do\":\"export\"}"), "\"status\":\"partial\",\"request\":1");
    HAS(ask(w, "{\"id\":1,\"do\":\"network.show\"}"), "\"two_persons\":\"export\"");
    start_again(w);
    come_as(w, AMINA, E);
    HAS(ask(w, "{\"id\":1,\"do\":\"export\"}"), "\"request\":1");
    state_policy(w, 3, FOCAL_POLICY_TWO_REDACT);
    state_policy(w, 2, FOCAL_POLICY_TWO_EXPORT);                            /* late, and outnumbered */
    HAS(ask(w, "{\"id\":1,\"do\":\"export\",\"with\":{\"kind\":\"entity\"}}"), "\"status\":\"ok\"");
    state_policy(w, 3, FOCAL_POLICY_TWO_REVOKE);                            /* two of one number: what either wants */
    HAS(ask(w, "{\"id\":1,\"do\":\"network.show\"}"), "\"two_persons\":\"redact, revoke\"");
}

/* What is to be signed, and words that are none. */
static void what_is_to_be_signed(void **state)
{
    struct world *w = *state;
    come_as(w, SMITH, A);
    HAS(ask(w, "{\"id\":1,\"do\":\"network.policy.begin\",\"with\":{\"two_persons\":\"redact, veil\"}}"), "\"bodies\":[\"06010b74776f2d706572736f6e73020101030109");
    HAS(ask(w, "{\"id\":1,\"do\":\"network.policy.begin\",\"with\":{\"two_persons\":\"\"}}"), "06010b74776f2d706572736f6e73020101030100");
    state_policy(w, 7, FOCAL_POLICY_TWO_EXPORT);
    HAS(ask(w, "{\"id\":1,\"do\":\"network.policy.begin\",\"with\":{\"two_persons\":\"export\"}}"), "06010b74776f2d706572736f6e73020108030102");
    HAS(ask(w, "{\"id\":1,\"do\":\"network.policy.begin\",\"with\":{\"two_persons\":\"redact,burn\"}}"), "FD-");
    HAS(ask(w, "{\"id\":1,\"do\":\"network.policy.begin\"}"), "two persons can be wanted for");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_strict, close_world)
    const struct CMUnitTest tests[] = { T(a_second_person_redacts), T(a_second_person_lets_export), T(refused_and_taken_back), T(after_a_day_it_waits_no_more),
        T(there_are_only_so_many), T(the_veil_is_lifted_by_two), T(without_a_policy), T(the_authority_states_it), T(what_is_to_be_signed) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
