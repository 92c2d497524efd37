/* Who may what: every command for every set of rights, by a table written by hand; the groups that give rights; and that who
 * administers learns of no record, whatever is asked. */
#include "world.h"

enum { A = FOCAL_MAY_ADMIN, E = FOCAL_MAY_ENTRY, R = FOCAL_MAY_READ };

/* What each may, said once more and by itself: not derived from the table that is tested. */
static const struct { const char *command; bool admin, entry, read; } expected[] = {
    { "help", 1, 1, 1 }, { "status", 1, 1, 1 }, { "matrix", 1, 1, 1 }, { "history", 1, 1, 1 },
    { "office.list", 1, 1, 1 }, { "office.show", 1, 1, 1 },
    { "approve", 1, 1, 1 }, { "request.list", 1, 1, 1 }, { "request.refuse", 1, 1, 1 },
    { "sync.now", 1, 1, 0 }, { "ping", 1, 1, 0 },
    { "verify", 1, 0, 0 }, { "office.invite", 1, 0, 0 }, { "office.admit.begin", 1, 0, 0 }, { "office.admit", 1, 0, 0 },
    { "office.pause", 1, 0, 0 }, { "office.resume", 1, 0, 0 }, { "veil.lift", 1, 0, 0 },
    { "office.heads", 1, 0, 0 }, { "office.revoke.begin", 1, 0, 0 }, { "office.revoke", 1, 0, 0 }, { "network.show", 1, 1, 1 },
    { "office.renew.begin", 1, 0, 0 }, { "office.renew", 1, 0, 0 }, { "network.delegate.begin", 1, 0, 0 }, { "network.delegate", 1, 0, 0 },
    { "network.policy.begin", 1, 0, 0 }, { "network.policy", 1, 0, 0 },
    { "network.rotate-authority.begin", 1, 0, 0 }, { "network.rotate-authority", 1, 0, 0 },
    { "network.export", 1, 0, 0 }, { "network.import", 1, 0, 0 },
    { "membership.export", 1, 0, 0 }, { "membership.import", 1, 0, 0 },
    { "lock", 1, 0, 0 }, { "unlock", 1, 0, 0 }, { "destroy", 1, 0, 0 }, { "store-key.show", 1, 0, 0 }, { "store-key.rotate", 1, 0, 0 },
    { "store-key.change", 1, 0, 0 },
    { "history.proof", 0, 1, 1 }, { "export", 0, 1, 1 }, { "report", 0, 1, 1 }, { "redaction.list", 0, 1, 1 }, { "rescue.list", 0, 1, 1 }, { "rescue.show", 0, 1, 1 }, { "rescue.take", 0, 1, 0 }, { "redaction.show", 0, 1, 1 },
    { "refused", 0, 1, 1 },
    { "import.begin", 0, 1, 0 }, { "import.rows", 0, 1, 0 }, { "import.end", 0, 1, 0 },
    { "case.withdraw", 0, 1, 0 }, { "case.restore", 0, 1, 0 }, { "redaction.agree", 0, 1, 0 },
#define RECORDS(noun) { noun ".new", 0, 1, 0 }, { noun ".list", 0, 1, 1 }, { noun ".show", 0, 1, 1 }, { noun ".update", 0, 1, 0 }, \
    { noun ".conflicts", 0, 1, 1 }, { noun ".resolve", 0, 1, 0 }, { noun ".redact", 0, 1, 0 }
    RECORDS("case"), RECORDS("entity"), RECORDS("focal-point"), RECORDS("endorsement"), RECORDS("nil-return"),
};
enum { EXPECTED = sizeof expected / sizeof expected[0] };

static bool expects(size_t i, unsigned rights)
{
    return (rights & A && expected[i].admin) || (rights & E && expected[i].entry) || (rights & R && expected[i].read);
}

static void every_command_for_everybody(void **state)
{
    struct world *w = *state;
    assert_int_equal(focal_command_count(), EXPECTED);
    for (size_t i = 0; i < EXPECTED; i++) {
        bool listed = false;
        const char *name, *help;
        unsigned permission;
        for (size_t k = 0; focal_command_at(k, &name, &permission, &help); k++)
            listed = listed || strcmp(name, expected[i].command) == 0;
        if (!listed)
            fail_msg("%s is no command any more", expected[i].command);
    }
    for (unsigned rights = 0; rights <= FOCAL_MAY_ALL; rights++) {
        come_as(w, 1000 + rights, rights);
        for (size_t i = 0; i < EXPECTED; i++) {
            char request[200];
            (void)snprintf(request, sizeof request, "{\"id\":1,\"do\":\"%s\",\"with\":{\"timeout_ms\":1,\"period\":\"2018-Q2\"}}", expected[i].command);
            focal_buf_clear(&w->out);
            line(w, request);
            turn(w);
            w->now.mono_ms += 200;
            settle(w);
            const char *said = focal_buf_cstr(&w->out);
            bool refused = strstr(said, "FD-015") != NULL;
            if (refused == expects(i, rights))
                fail_msg("rights %u, %s: %s", rights, expected[i].command, said);
            if (refused) {
                HAS(said, "\"exit\":6");
                HAS(said, "for members of focal-");
                HAS(said, "usermod -aG focal-");
            }
        }
    }
}

/* The sentence names the command as it is typed, every group that may, and who can help. */
static void a_refusal_says_all(void **state)
{
    struct world *w = *state;
    come_as(w, 1001, A);
    const char *said = ask(w, "{\"id\":1,\"do\":\"case.list\"}");
    HAS(said, "\\\"case list\\\" is for members of focal-read or focal-entry, and you (user 1001) are not one");
    HAS(said, "root on this machine can add you: `usermod -aG focal-read LOGIN`; then log in again");
    come_as(w, 1002, R);
    said = ask(w, "{\"id\":1,\"do\":\"office.pause\",\"with\":{\"office\":\"KEN\"}}");
    HAS(said, "\\\"office pause\\\" is for members of focal-admin, and you (user 1002) are not one");
    /* What is no command says so to members only. */
    HAS(ask(w, "{\"id\":1,\"do\":\"case.burn\"}"), "FD-019");
    come_as(w, 1003, 0);
    HAS(ask(w, "{\"id\":1,\"do\":\"case.burn\"}"), "\\\"focalctl\\\" is for members of focal-read or focal-entry or focal-admin");
    HAS(ask(w, "{\"id\":1,\"do\":\"help\"}"), "FD-015");
}

/* Where the groups do not exist, the sentence does not send people to them. */
static void a_refusal_without_groups(void **state)
{
    struct world *w = *state;
    struct focal_admin_setup setup = { .node = w->node, .entropy = { fill, &w->chance }, .keys = &w->public_keys, .program = "0", .dir = "/d",
        .spent_ms = no_time, .figures = no_figures, .addresses = one_address, .deep_check = no_check };
    struct focal_groups none = { .admin = { "focal-admin", false, 0 }, .entry = { "focal-entry", false, 0 }, .read = { "focal-read", false, 0 }, .owner = 5, .owner_all = true };
    focal_admin_close(w->admin);
    setup.groups = &none;
    assert_int_equal(focal_admin_open(&w->admin, &setup), FOCAL_OK);
    come_as(w, 7, 0);
    HAS(ask(w, "{\"id\":1,\"do\":\"status\"}"), "\\\"status\\\" is for the user that runs this daemon (user 5), and you are user 7");
    focal_admin_close(w->admin);
    none.admin.exists = true;
    none.owner_all = false;
    assert_int_equal(focal_admin_open(&w->admin, &setup), FOCAL_OK);
    come_as(w, 7, A);
    HAS(ask(w, "{\"id\":1,\"do\":\"case.list\"}"), "groupadd --system focal-read");
}

static void help_lists_what_one_may(void **state)
{
    struct world *w = *state;
    for (unsigned rights = 1; rights <= FOCAL_MAY_ALL; rights++) {
        come_as(w, 1000, rights);
        const char *said = ask(w, "{\"id\":1,\"do\":\"help\"}");
        for (size_t i = 0; i < EXPECTED; i++) {
            char named[80];
            (void)snprintf(named, sizeof named, "{\"do\":\"%s\",", expected[i].command);
            if (expects(i, rights) != (strstr(said, named) != NULL))
                fail_msg("rights %u: %s", rights, expected[i].command);
        }
    }
}

/* Reading is one thing, telling others that it was looked at another. */
static void to_mark_as_seen_is_to_write(void **state)
{
    struct world *w = *state;
    come_as(w, 1000, R);
    HAS(ask(w, "{\"id\":1,\"do\":\"refused\"}"), "\"status\":\"ok\"");
    HAS(ask(w, "{\"id\":1,\"do\":\"refused\",\"with\":{\"seen\":true}}"), "FD-015");
    come_as(w, 1000, E);
    HAS(ask(w, "{\"id\":1,\"do\":\"refused\",\"with\":{\"seen\":true}}"), "\"seen\":true");
}

/* ---- nothing of a record for who administers --------------------------------------------------------------------------------- */

static void put_records(struct world *w, char id[80], char record[80])
{
    char request[300];
    come_as(w, 1002, E);
    HAS(ask(w, "{\"id\":1,\"do\":\"case.new\",\"with\":{\"fields\":{\"country\":\"KEN\",\"allegation_type\":\"sexual_abuse\",\"received_quarter\":\"2018-Q2\"}}}"), "\"status\":\"ok\"");
    pick(w, "id", id);
    pick(w, "record", record);
    (void)snprintf(request, sizeof request, "{\"id\":1,\"do\":\"case.show\",\"with\":{\"ref\":\"%s\"}}", id);
    HAS(ask(w, request), "sexual_abuse");
    (void)snprintf(request, sizeof request, "{\"id\":1,\"do\":\"case.withdraw\",\"with\":{\"ref\":\"%s\",\"reason\":\"duplicate\"}}", id);
    HAS(ask(w, request), "\"status\":\"ok\"");
    HAS(ask(w, "{\"id\":1,\"do\":\"export\"}"), "\"status\":\"ok\"");
}

/* Every command with every argument that any command takes, one set after the other. */
static void an_administrator_learns_of_no_record(void **state)
{
    struct world *w = *state;
    char id[80], record[80], request[900];
    static const char *const arguments[] = {
        "", "\"ref\":\"%s\"", "\"ref\":\"%s\",\"reason\":\"other\",\"field\":\"status\"", "\"after\":\"%s\",\"limit\":5", "\"office\":\"%s\"", "\"office\":\"HQ\"",
        "\"kind\":\"case\",\"format\":\"jsonl\",\"ref\":\"%s\"", "\"deep\":true", "\"number\":1", "\"number\":1,\"readings\":true,\"after\":0", "\"readings\":true,\"limit\":900",
        "\"wait\":\"synced=%s\",\"timeout_ms\":1", "\"period\":\"2018-Q2\",\"format\":\"csv\"", "\"seen\":true", "\"statement\":\"%s\"",
        "\"ref\":\"%s\",\"set\":{\"status\":\"received\"},\"if_version\":\"0000000000000000\"", "\"text\":\"%s\"", "\"fields\":{\"same_as\":\"%s\"}",
    };
    put_records(w, id, record);
    w->two_persons = 1;
    start_again(w);
    come_as(w, 1002, E);
    (void)snprintf(request, sizeof request, "{\"id\":1,\"do\":\"case.redact\",\"with\":{\"ref\":\"%s\",\"reason\":\"other\"}}", record);
    HAS(ask(w, request), "\"request\":1");
    come_as(w, 1001, A);
    const char *names[] = { id, record };
    for (size_t i = 0; i < EXPECTED; i++)
        for (size_t k = 0; k < sizeof arguments / sizeof arguments[0]; k++)
            for (size_t n = 0; n < 2; n++) {
                const char *at = strstr(arguments[k], "%s");
                int head = at ? (int)(at - arguments[k]) : (int)strlen(arguments[k]);
                (void)snprintf(request, sizeof request, "{\"id\":1,\"do\":\"%s\",\"with\":{%.*s%s%s}}", expected[i].command, head, arguments[k], at ? names[n] : "", at ? at + 2 : "");
                focal_buf_clear(&w->out);
                line(w, request);
                turn(w);
                w->now.mono_ms += 100000;
                settle(w);
                const char *said = focal_buf_cstr(&w->out);
                /* What was typed may come back in the sentence that refuses it; content never, and a reference never from here. */
                HAS_NOT(said, "sexual_abuse");
                HAS_NOT(said, "2018-Q2");
                if (!at && (strstr(said, id) || strstr(said, record)))
                    fail_msg("%s tells %s", request, said);
                if (strstr(said, "\"item\"") && (strstr(said, id) || strstr(said, record)))
                    fail_msg("%s tells %s", request, said);
            }
    const char *said = ask(w, "{\"id\":1,\"do\":\"history\",\"with\":{\"readings\":true,\"limit\":5000}}");
    HAS(said, "user 1002, focal-entry: case new a record");
    HAS(said, "user 1002, focal-entry: case show a record");
    HAS(said, "this office withdrew or restored a record");
    HAS_NOT(said, id);
    come_as(w, 1004, R);
    said = ask(w, "{\"id\":1,\"do\":\"history\",\"with\":{\"limit\":5000}}");
    HAS(said, id);
    HAS_NOT(said, "user 1002, focal-entry: case show");
}

static void verify_names_no_record(void **state)
{
    struct world *w = *state;
    char id[80], record[80];
    put_records(w, id, record);
    struct focal_buf key;
    focal_buf_init(&key, 200);
    assert_int_equal(focal_store_next(w->store, FOCAL_SHELF_PART, focal_span_of(NULL, 0), &key, NULL), FOCAL_OK);
    assert_int_equal(focal_store_begin(w->store), FOCAL_OK);
    assert_int_equal(focal_store_put(w->store, FOCAL_SHELF_PART, focal_buf_view(&key), focal_span_text("x")), FOCAL_OK);
    assert_int_equal(focal_store_commit(w->store), FOCAL_OK);
    focal_buf_close(&key);
    come_as(w, 1001, A);
    const char *said = ask(w, "{\"id\":1,\"do\":\"verify\"}");
    HAS(said, "\"a record: ");
    HAS_NOT(said, record);
    come_as(w, 1001, A | R);
    HAS(ask(w, "{\"id\":1,\"do\":\"verify\"}"), record);
}

/* ---- groups ---------------------------------------------------------------------------------------------------------------- */

static void groups_give_rights(void **state)
{
    (void)state;
    struct focal_groups service = groups;
    uint32_t many[300];
    service.owner_all = false;
    for (uint32_t i = 0; i < 300; i++)
        many[i] = 5000 + i;
    assert_int_equal(focal_rights_of(&service, 1000, 1000, NULL, 0), 0);
    assert_int_equal(focal_rights_of(&service, 1000, 100, NULL, 0), A);         /* the primary group */
    assert_int_equal(focal_rights_of(&service, 1000, 101, NULL, 0), E);
    assert_int_equal(focal_rights_of(&service, 1000, 102, NULL, 0), R);
    assert_int_equal(focal_rights_of(&service, 1000, 1000, (const uint32_t[]){ 4, 101, 102 }, 3), E | R);
    assert_int_equal(focal_rights_of(&service, 1000, 1000, many, 300), 0);
    many[299] = 101;                    /* the last of many */
    assert_int_equal(focal_rights_of(&service, 1000, 1000, many, 300), E);
    /* As a service: the daemon's own user is nobody in particular, and root has the machinery and nothing else. */
    assert_int_equal(focal_rights_of(&service, 5, 5, NULL, 0), 0);
    assert_int_equal(focal_rights_of(&service, 0, 0, NULL, 0), A);
    assert_int_equal(focal_rights_of(&service, 0, 0, (const uint32_t[]){ 102 }, 1), A | R);
    /* By hand: who started it may all, root still no more than before. */
    assert_int_equal(focal_rights_of(&groups, 5, 5, NULL, 0), FOCAL_MAY_ALL);
    assert_int_equal(focal_rights_of(&groups, 0, 0, NULL, 0), A);
    /* A group that does not exist has no members, though its number reads 0. */
    struct focal_groups none = { .admin = { "a", false, 0 }, .entry = { "e", false, 0 }, .read = { "r", false, 0 }, .owner = 5 };
    assert_int_equal(focal_rights_of(&none, 1000, 0, (const uint32_t[]){ 0 }, 1), 0);
    assert_int_equal(focal_rights_of(&none, 0, 0, (const uint32_t[]){ 0 }, 1), A);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = { T(every_command_for_everybody), T(a_refusal_says_all), T(a_refusal_without_groups), T(help_lists_what_one_may), T(to_mark_as_seen_is_to_write),
        T(an_administrator_learns_of_no_record), T(verify_names_no_record), cmocka_unit_test(groups_give_rights) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
