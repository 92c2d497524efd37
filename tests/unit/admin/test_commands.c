/* Commands on a whole node over a store in memory: lines in, lines out, a step between. */
#include "world.h"

static void greeting(void **state)
{
    struct world *w = *state;
    assert_true(focal_admin_connect(w->admin, 1, 5, FOCAL_MAY_ALL));
    settle(w);
    HAS(focal_buf_cstr(&w->out), "{\"focal\":\"control\",\"version\":1");
    HAS(ask(w, "{\"id\":1,\"do\":\"status\"}"), "\"error\"");
    assert_true(focal_admin_finished(w->admin, 1));
}

static void other_user(void **state)
{
    struct world *w = *state;
    assert_true(focal_admin_connect(w->admin, 1, 6, 0));
    line(w, "{\"focal\":\"control\",\"version\":1}");
    HAS(ask(w, "{\"id\":1,\"do\":\"status\"}"), "FD-015");
    HAS(ask(w, "{\"id\":2,\"do\":\"office.invite\",\"with\":{\"office\":\"KEN\"}}"), "FD-015");
    assert_null(strstr(focal_buf_cstr(&w->out), "focal1-"));
}

static void unknown(void **state)
{
    struct world *w = *state;
    start(w);
    HAS(ask(w, "{\"id\":9,\"do\":\"case.burn\"}"), "{\"id\":9,\"error\":{\"code\":\"FD-019\"");
    HAS(ask(w, "not json"), "\"error\"");
    HAS(ask(w, "{\"id\":3,\"do\":\"help\"}"), "office.invite");
}

static void records(void **state)
{
    struct world *w = *state;
    char id[80], record[80], version[80], request[600];
    start(w);
    HAS(ask(w, "{\"id\":1,\"do\":\"case.new\",\"with\":{\"fields\":{\"country\":\"KEN\",\"received_date\":\"2018-05-03\",\"allegation_type\":\"sexual_abuse\","
               "\"victims\":[{\"sex\":\"female\",\"age\":\"child\"},\"female.child\"],\"assistance\":{\"medical\":\"accepted\"}}}}"), "\"status\":\"ok\"");
    pick(w, "id", id);
    pick(w, "record", record);
    pick(w, "version", version);
    assert_memory_equal(id, "HQ-", 3);
    snprintf(request, sizeof request, "{\"id\":2,\"do\":\"case.show\",\"with\":{\"ref\":\"%s\"}}", id);
    const char *shown = ask(w, request);
    HAS(shown, "\"received_quarter\":\"2018-Q2\"");
    HAS(shown, "\"received_date\":\"2018-05-03\"");
    HAS(shown, "\"victims\":[{\"sex\":\"female\",\"age\":\"child\"},{\"sex\":\"female\",\"age\":\"child\"}]");
    HAS(shown, "\"assistance\":{\"medical\":\"accepted\"}");
    HAS(shown, version);
    HAS(shown, "\"seen_by\":[{\"office\":\"HQ\",\"seen\":true}]");
    /* Two equal rows are two: the value alone does not say which. */
    snprintf(request, sizeof request, "{\"id\":3,\"do\":\"case.update\",\"with\":{\"ref\":\"%s\",\"remove\":{\"victims\":\"female.child\"}}}", record);
    HAS(ask(w, request), "FD-008");
    snprintf(request, sizeof request, "{\"id\":4,\"do\":\"case.update\",\"with\":{\"ref\":\"%s\",\"set\":{\"status\":\"received\"},\"if_version\":\"%s\"}}", record, version);
    HAS(ask(w, request), "\"status\":\"ok\"");
    HAS(ask(w, request), "FD-010");     /* the version has moved on */
    snprintf(request, sizeof request, "{\"id\":5,\"do\":\"case.update\",\"with\":{\"ref\":\"%s\",\"set\":{\"status\":null,\"assistance\":{\"medical\":null}}}}", record);
    HAS(ask(w, request), "\"status\":\"ok\"");
    snprintf(request, sizeof request, "{\"id\":6,\"do\":\"case.show\",\"with\":{\"ref\":\"%s\"}}", record);
    shown = ask(w, request);
    assert_null(strstr(shown, "medical"));
    assert_null(strstr(shown, "\"status\":\"received\""));
    snprintf(request, sizeof request, "{\"id\":7,\"do\":\"entity.show\",\"with\":{\"ref\":\"%s\"}}", record);
    HAS(ask(w, request), "FD-007");
}

static void withdrawing(void **state)
{
    struct world *w = *state;
    char id[80], version[80], request[600];
    start(w);
    ask(w, "{\"id\":1,\"do\":\"case.new\",\"with\":{\"fields\":{\"country\":\"KEN\",\"received_date\":\"2018-05-03\",\"allegation_type\":\"sexual_abuse\"}}}");
    pick(w, "id", id);
    pick(w, "version", version);
    snprintf(request, sizeof request, "{\"id\":2,\"do\":\"case.withdraw\",\"with\":{\"ref\":\"%s\"}}", id);
    HAS(ask(w, request), "entered_in_error, duplicate, complainant_request, other");
    snprintf(request, sizeof request, "{\"id\":3,\"do\":\"case.withdraw\",\"with\":{\"ref\":\"%s\",\"reason\":\"restored\"}}", id);
    HAS(ask(w, request), "not a reason");
    snprintf(request, sizeof request, "{\"id\":4,\"do\":\"case.restore\",\"with\":{\"ref\":\"%s\"}}", id);
    HAS(ask(w, request), "is not withdrawn");
    snprintf(request, sizeof request, "{\"id\":5,\"do\":\"case.update\",\"with\":{\"ref\":\"%s\",\"set\":{\"withdrawn\":null}}}", id);
    HAS(ask(w, request), "not set by hand");
    snprintf(request, sizeof request, "{\"id\":6,\"do\":\"case.withdraw\",\"with\":{\"ref\":\"%s\",\"reason\":\"duplicate\",\"if_version\":\"0011223344556677\"}}", id);
    HAS(ask(w, request), "FD-010");
    snprintf(request, sizeof request, "{\"id\":7,\"do\":\"case.withdraw\",\"with\":{\"ref\":\"%s\",\"reason\":\"duplicate\",\"if_version\":\"%s\"}}", id, version);
    HAS(ask(w, request), "\"status\":\"ok\"");
    /* It can be read, and is nowhere else. */
    snprintf(request, sizeof request, "{\"id\":8,\"do\":\"case.show\",\"with\":{\"ref\":\"%s\"}}", id);
    const char *shown = ask(w, request);
    HAS(shown, "\"withdrawal\":{\"reason\":\"duplicate\",\"office\":\"HQ\",\"state\":\"as_seen\"}");
    HAS(shown, "\"withdrawn\":\"duplicate\"");
    assert_null(strstr(shown, "withdrawn_saw"));
    assert_null(strstr(ask(w, "{\"id\":9,\"do\":\"case.list\"}"), id));
    HAS(ask(w, "{\"id\":10,\"do\":\"case.list\",\"with\":{\"withdrawn\":true}}"), id);
    HAS(ask(w, "{\"id\":10,\"do\":\"case.list\",\"with\":{\"withdrawn\":true,\"filter\":{\"withdrawn\":\"duplicate\"}}}"), id);
    assert_null(strstr(ask(w, "{\"id\":10,\"do\":\"case.list\",\"with\":{\"withdrawn\":true,\"filter\":{\"withdrawn\":\"other\"}}}"), id));
    assert_null(strstr(ask(w, "{\"id\":11,\"do\":\"export\"}"), id));
    HAS(ask(w, "{\"id\":12,\"do\":\"export\",\"with\":{\"withdrawn\":true}}"), "duplicate");
    HAS(ask(w, "{\"id\":13,\"do\":\"report\",\"with\":{\"period\":\"2018-Q2\"}}"), "\"withdrawn\":1,\"withdrawn_changed\":0");
    assert_null(strstr(ask(w, "{\"id\":14,\"do\":\"case.conflicts\"}"), id));
    assert_null(strstr(ask(w, "{\"id\":15,\"do\":\"status\"}"), "withdrawn"));
    /* An edit made here is refused with the next step; restored, it goes in. */
    snprintf(request, sizeof request, "{\"id\":16,\"do\":\"case.update\",\"with\":{\"ref\":\"%s\",\"set\":{\"status\":\"received\"}}}", id);
    HAS(ask(w, request), "case restore");
    snprintf(request, sizeof request, "{\"id\":17,\"do\":\"case.restore\",\"with\":{\"ref\":\"%s\"}}", id);
    HAS(ask(w, request), "\"status\":\"ok\"");
    snprintf(request, sizeof request, "{\"id\":18,\"do\":\"case.update\",\"with\":{\"ref\":\"%s\",\"set\":{\"status\":\"received\",\"outcome\":\"pending\"}}}", id);
    HAS(ask(w, request), "\"status\":\"ok\"");
    HAS(ask(w, "{\"id\":19,\"do\":\"case.list\"}"), id);
    assert_null(strstr(ask(w, "{\"id\":20,\"do\":\"case.list\",\"with\":{\"withdrawn\":true}}"), id));
    assert_null(strstr(ask(w, "{\"id\":21,\"do\":\"case.conflicts\"}"), id));
    /* Withdrawn again, twice, with another reason: what it saw first is forgotten. */
    for (int i = 0; i < 2; i++) {
        snprintf(request, sizeof request, "{\"id\":22,\"do\":\"case.withdraw\",\"with\":{\"ref\":\"%s\",\"reason\":\"other\"}}", id);
        HAS(ask(w, request), "\"status\":\"ok\"");
        snprintf(request, sizeof request, "{\"id\":23,\"do\":\"case.show\",\"with\":{\"ref\":\"%s\"}}", id);
        HAS(ask(w, request), "\"withdrawal\":{\"reason\":\"other\",\"office\":\"HQ\",\"state\":\"as_seen\"}");
    }
    HAS(ask(w, "{\"id\":24,\"do\":\"verify\"}"), "\"errors\":[]");
}

static void refusals(void **state)
{
    struct world *w = *state;
    static const struct { const char *fields, *says; } bad[] = {
        { "{\"allegation_typ\":\"other\"}", "did you mean \\\"allegation_type\\\"" }, { "{\"allegation_type\":\"abuse\"}", "FD-006" },
        { "{\"received_date\":\"1901-01-01\"}", "FD-006" }, { "{\"received_date\":\"2030-01-01\"}", "FD-006" },
        { "{\"received_date\":\"2018-05-03\",\"received_quarter\":\"2018-Q1\"}", "follows from the day" },
        { "{\"victims\":{\"sex\":\"female\",\"height\":\"tall\"}}", "FD-006" }, { "{\"victims\":[[\"female\"]]}", "FD-006" },
        { "{\"country\":true}", "FD-006" }, { "{\"country\":1.5}", "FD-006" }, { "{\"country\":[\"KEN\"]}", "FD-006" },
        { "{\"feedback_preference\":\"wantd\"}", "did you mean" }, { "{\"concerned_entity\":\"HQ-0000-0000-0\"}", "concerned_entity" },
        { "[]", "FD-001" }, { "7", "FD-001" },
    };
    start(w);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char request[400];
        snprintf(request, sizeof request, "{\"id\":1,\"do\":\"case.new\",\"with\":{\"fields\":%s}}", bad[i].fields);
        HAS(ask(w, request), bad[i].says);
    }
    HAS(ask(w, "{\"id\":2,\"do\":\"case.list\"}"), "{\"id\":2,\"end\":{\"status\":\"ok\",\"more\":false}}");
    HAS(ask(w, "{\"id\":3,\"do\":\"case.show\",\"with\":{\"ref\":\"HQ-4F7Q-29XD-A\"}}"), "\"error\"");
    HAS(ask(w, "{\"id\":4,\"do\":\"case.show\"}"), "FD-001");
}

/* Requests sent ahead are answered in their order, refused ones in between, and lists page. */
static void ahead(void **state)
{
    struct world *w = *state;
    start(w);
    for (int i = 1; i <= 60; i++) {
        char request[200];
        snprintf(request, sizeof request, "{\"id\":%d,\"do\":\"case.new\",\"with\":{\"fields\":{\"country\":\"%s\"}}}", i, i % 7 ? "KEN" : "NOWHERE");
        line(w, request);
    }
    line(w, "{\"id\":61,\"do\":\"case.list\",\"with\":{\"limit\":5}}");
    settle(w);
    const char *at = focal_buf_cstr(&w->out);
    for (int i = 1; i <= 60; i++) {
        char want[60];
        snprintf(want, sizeof want, "{\"id\":%d,\"%s\":", i, i % 7 ? "end" : "error");
        at = strstr(at, want);
        if (!at)
            fail_msg("%s out of order", want);
    }
    HAS(at, "{\"id\":61,\"end\":{\"status\":\"ok\",\"more\":true}}");
    size_t told = 0;
    for (const char *c = at; (c = strstr(c, "{\"id\":61,\"item\"")); c++)
        told++;
    assert_int_equal(told, 5);
}

static void limits(void **state)
{
    struct world *w = *state;
    start(w);
    for (int i = 0; i < 400; i++)
        line(w, "{\"id\":1,\"do\":\"status\"}");
    assert_false(focal_admin_finished(w->admin, 1));    /* those taken are still answered */
    settle(w);
    assert_true(focal_admin_finished(w->admin, 1));
    HAS(focal_buf_cstr(&w->out), "FD-014");
    uint64_t conn = 2;
    while (focal_admin_connect(w->admin, conn, 5, FOCAL_MAY_ALL))
        conn++;
    assert_int_equal(conn, 33);         /* one user does not take all places, */
    while (focal_admin_connect(w->admin, conn, (uint32_t)(1000 + conn), 0))
        conn++;
    assert_int_equal(conn, 41);         /* nor do those who may nothing, however many they are, */
    while (focal_admin_connect(w->admin, conn, (uint32_t)(1000 + conn), FOCAL_MAY_READ))
        conn++;
    assert_int_equal(conn, 65);         /* and there is an end. */
    for (uint64_t i = 1; i < conn; i++)
        focal_admin_disconnect(w->admin, i);
    assert_true(focal_admin_connect(w->admin, 5000, 5, FOCAL_MAY_ALL));
}

static void vanishing(void **state)
{
    struct world *w = *state;
    start(w);
    line(w, "{\"id\":1,\"do\":\"case.new\",\"with\":{\"fields\":{\"country\":\"KEN\"}}}");
    line(w, "{\"id\":2,\"do\":\"verify\"}");
    line(w, "{\"id\":3,\"do\":\"status\",\"with\":{\"wait\":\"synced=KEN\"}}");
    focal_admin_disconnect(w->admin, 1);
    settle(w);
    assert_int_equal(focal_admin_deadline_ms(w->admin), UINT64_MAX);
}

/* Who sends its requests and then no more (`socat` at the end of its input) is answered, and then it is over. */
static void no_more_to_ask(void **state)
{
    struct world *w = *state;
    start(w);
    line(w, "{\"id\":1,\"do\":\"case.new\",\"with\":{\"fields\":{\"country\":\"KEN\"}}}");
    line(w, "{\"id\":2,\"do\":\"status\",\"with\":{\"wait\":\"synced=KEN\",\"timeout_ms\":50}}");
    focal_admin_ended(w->admin, 1);
    turn(w);
    assert_false(focal_admin_finished(w->admin, 1));
    w->now.mono_ms += 200;
    settle(w);
    HAS(focal_buf_cstr(&w->out), "\"id\":1,\"end\":{\"status\":\"ok\"}");
    HAS(focal_buf_cstr(&w->out), "\"id\":2,\"error\"");
    assert_true(focal_admin_finished(w->admin, 1));
}

static void offices(void **state)
{
    struct world *w = *state;
    char token[80];
    start(w);
    HAS(ask(w, "{\"id\":1,\"do\":\"office.invite\",\"with\":{\"office\":\"KEN\",\"country\":\"KEN\",\"days\":7}}"), "\"expires\":\"2026-11-30\"");
    pick(w, "token", token);
    assert_memory_equal(token, "focal1-", 7);
    HAS(ask(w, "{\"id\":2,\"do\":\"office.list\"}"), "\"id\":\"KEN\",\"state\":\"invited\"");
    HAS(focal_buf_cstr(&w->out), "\"may_redact\":false");
    HAS(ask(w, "{\"id\":2,\"do\":\"office.invite\",\"with\":{\"office\":\"REGION\",\"may_redact\":true}}"), "\"status\":\"ok\"");
    HAS(ask(w, "{\"id\":2,\"do\":\"office.show\",\"with\":{\"office\":\"REGION\"}}"), "\"may_redact\":true");
    HAS(ask(w, "{\"id\":3,\"do\":\"office.invite\",\"with\":{\"office\":\"HQ\"}}"), "FD-009");
    HAS(ask(w, "{\"id\":4,\"do\":\"office.invite\",\"with\":{\"office\":\"KEN\",\"country\":\"KEX\"}}"), "FD-006");
    HAS(ask(w, "{\"id\":5,\"do\":\"office.invite\",\"with\":{\"office\":\"no such code!\"}}"), "FD-001");
    HAS(ask(w, "{\"id\":6,\"do\":\"office.invite\",\"with\":{\"office\":\"SSD\",\"days\":0}}"), "FD-001");
    HAS(ask(w, "{\"id\":7,\"do\":\"office.admit.begin\",\"with\":{\"office\":\"SSD\"}}"), "FD-007");
    HAS(ask(w, "{\"id\":8,\"do\":\"office.admit\",\"with\":{\"statement\":\"00ff\"}}"), "\"error\"");
    HAS(ask(w, "{\"id\":9,\"do\":\"office.admit\",\"with\":{\"statement\":\"zz\"}}"), "FD-002");
    HAS(ask(w, "{\"id\":10,\"do\":\"office.pause\",\"with\":{\"office\":\"KEN\"}}"), "FD-007");
    HAS(ask(w, "{\"id\":11,\"do\":\"ping\",\"with\":{\"office\":\"HQ\"}}"), "\"error\"");
    /* Waiting for somebody who does not come ends. */
    line(w, "{\"id\":12,\"do\":\"office.admit.begin\",\"with\":{\"office\":\"KEN\",\"timeout_ms\":500}}");
    focal_buf_clear(&w->out);
    settle(w);
    assert_int_equal(w->out.len, 0);
    w->now.mono_ms += 600;
    settle(w);
    HAS(focal_buf_cstr(&w->out), "{\"id\":12,\"error\":{\"code\":\"FD-016\"");
}

static void import(void **state)
{
    struct world *w = *state;
    start(w);
    HAS(ask(w, "{\"id\":1,\"do\":\"import.rows\",\"with\":{\"text\":\"x\"}}"), "FD-001");
    HAS(ask(w, "{\"id\":2,\"do\":\"import.begin\",\"with\":{\"kind\":\"case\",\"format\":\"csv\",\"check\":true}}"), "\"status\":\"ok\"");
    HAS(ask(w, "{\"id\":3,\"do\":\"import.rows\",\"with\":{\"text\":\"country,victims,received_date\\nKEN,female.child;female.child,2018-05-03\\nNOW,,\\n\"}}"), "\"line\":3");
    HAS(focal_buf_cstr(&w->out), "\"new\":1,\"updated\":0,\"refused\":1");
    HAS(ask(w, "{\"id\":4,\"do\":\"import.end\"}"), "\"new\":1,\"updated\":0,\"refused\":1");
    HAS(ask(w, "{\"id\":5,\"do\":\"case.list\"}"), "{\"id\":5,\"end\":");
    assert_null(strstr(focal_buf_cstr(&w->out), "\"item\""));     /* looked at, not written */
    HAS(ask(w, "{\"id\":6,\"do\":\"import.begin\",\"with\":{\"kind\":\"case\",\"format\":\"csv\"}}"), "\"status\":\"ok\"");
    HAS(ask(w, "{\"id\":7,\"do\":\"import.rows\",\"with\":{\"text\":\"country,victims,received_date\\nKEN,female.child;female.child,2018-05-03\\nKEN,,\"}}"), "\"new\":1,");
    HAS(ask(w, "{\"id\":8,\"do\":\"import.end\"}"), "\"new\":2,\"updated\":0,\"refused\":0");    /* the last line has no end */
    HAS(ask(w, "{\"id\":9,\"do\":\"case.list\",\"with\":{\"filter\":{\"received_quarter\":\"2018-Q2\"}}}"), "female");
    char id[80], request[300];
    pick(w, "record", id);
    /* The file has the whole set: one of the two equal rows goes, an adult comes. */
    HAS(ask(w, "{\"id\":10,\"do\":\"import.begin\",\"with\":{\"format\":\"jsonl\"}}"), "\"status\":\"ok\"");
    snprintf(request, sizeof request, "{\"id\":11,\"do\":\"import.rows\",\"with\":{\"text\":\"{\\\"record\\\":\\\"%s\\\",\\\"victims\\\":[\\\"female.child\\\",\\\"female.adult\\\"]}\\n\"}}", id);
    HAS(ask(w, request), "\"new\":0,\"updated\":1,\"refused\":0");
    snprintf(request, sizeof request, "{\"id\":12,\"do\":\"case.show\",\"with\":{\"ref\":\"%s\"}}", id);
    const char *shown = ask(w, request);
    HAS(shown, "\"victims\":[{\"sex\":\"female\",\"age\":\"child\"},{\"sex\":\"female\",\"age\":\"adult\"}]");
}

static void verify(void **state)
{
    struct world *w = *state;
    start(w);
    HAS(ask(w, "{\"id\":1,\"do\":\"case.new\",\"with\":{\"fields\":{\"country\":\"KEN\"}}}"), "\"status\":\"ok\"");
    HAS(ask(w, "{\"id\":2,\"do\":\"verify\"}"), "\"errors\":[]");
    HAS(focal_buf_cstr(&w->out), "\"country:KEN\":\"");
    HAS(ask(w, "{\"id\":3,\"do\":\"status\"}"), "\"office\":\"HQ\",\"role\":\"hq\"");
    HAS(ask(w, "{\"id\":4,\"do\":\"matrix\"}"), "\"of\":\"HQ\"");
}

static void status_names_the_clock(void **state)
{
    struct world *w = *state;
    start(w);
    const char *said = ask(w, "{\"id\":1,\"do\":\"status\"}");
    HAS(said, "\"clock\":\"ok\"");
    HAS(said, "\"needs_you\":[]");
    w->now.wall_ms -= 3 * (uint64_t)86400000;
    said = ask(w, "{\"id\":2,\"do\":\"status\"}");
    HAS(said, "\"clock\":\"wrong: it says ");
    HAS(said, "the network was founded on ");
    HAS(said, "set it right");
    w->now.wall_ms += 6 * (uint64_t)86400000;
    HAS(ask(w, "{\"id\":3,\"do\":\"status\"}"), "\"clock\":\"ok\"");
    w->now.wall_ms -= 2 * (uint64_t)86400000;
    HAS(ask(w, "{\"id\":4,\"do\":\"status\"}"), "was set back by 48 h");
}

static void under_a_veil(void **state)
{
    struct world *w = *state;
    char id[80], version[80], request[600];
    static const char *const refused[] = { "case.list", "case.show", "entity.list", "case.conflicts", "case.resolve", "case.withdraw", "case.restore", "export", "report" };
    start(w);
    HAS(ask(w, "{\"id\":1,\"do\":\"case.new\",\"with\":{\"fields\":{\"country\":\"KEN\",\"allegation_type\":\"sexual_abuse\"}}}"), "\"status\":\"ok\"");
    pick(w, "id", id);
    pick(w, "version", version);
    HAS(ask(w, "{\"id\":2,\"do\":\"veil.lift\",\"with\":{\"reason\":\"none\"}}"), "FD-007");
    veil_it(w);
    start(w);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        snprintf(request, sizeof request, "{\"id\":3,\"do\":\"%s\",\"with\":{\"ref\":\"%s\",\"period\":\"2018-Q2\"}}", refused[i], id);
        HAS(ask(w, request), "FD-015");
        HAS(focal_buf_cstr(&w->out), "records are veiled");
        assert_null(strstr(focal_buf_cstr(&w->out), "sexual_abuse"));
    }
    HAS(ask(w, "{\"id\":4,\"do\":\"case.new\",\"with\":{\"fields\":{\"country\":\"KEN\"}}}"), "\"status\":\"ok\"");
    snprintf(request, sizeof request, "{\"id\":5,\"do\":\"case.update\",\"with\":{\"ref\":\"%s\",\"set\":{\"status\":\"received\"}}}", id);
    HAS(ask(w, request), "\"status\":\"ok\"");
    snprintf(request, sizeof request, "{\"id\":6,\"do\":\"case.update\",\"with\":{\"ref\":\"%s\",\"set\":{\"status\":\"closed_other\"},\"if_version\":\"%s\"}}", id, version);
    HAS(ask(w, request), "FD-015");
    snprintf(request, sizeof request, "{\"id\":7,\"do\":\"case.update\",\"with\":{\"ref\":\"%s\",\"remove\":{\"victims\":\"female.child\"}}}", id);
    HAS(ask(w, request), "FD-015");
    HAS(ask(w, "{\"id\":8,\"do\":\"verify\"}"), "\"errors\":[]");
    const char *said = ask(w, "{\"id\":9,\"do\":\"status\"}");
    HAS(said, "\"veiled\":true");
    HAS(said, "(of network)");
    HAS(said, "veil lift --reason");

    HAS(ask(w, "{\"id\":10,\"do\":\"veil.lift\"}"), "FD-001");
    HAS(ask(w, "{\"id\":11,\"do\":\"veil.lift\",\"with\":{\"reason\":\"We two agreed\"}}"), "FD-006");
    HAS(ask(w, "{\"id\":12,\"do\":\"veil.lift\",\"with\":{\"reason\":\"two_persons_agreed\"}}"), "\"lifted\":true");
    HAS(ask(w, "{\"id\":13,\"do\":\"case.list\"}"), "sexual_abuse");
    HAS(ask(w, "{\"id\":14,\"do\":\"status\"}"), "\"veiled\":false");
    said = ask(w, "{\"id\":15,\"do\":\"history\"}");
    HAS(said, "\"code\":\"veiled\"");
    HAS(said, "by hand: two_persons_agreed");
}

static void history_and_incidents(void **state)
{
    struct world *w = *state;
    start(w);
    HAS(ask(w, "{\"id\":1,\"do\":\"case.new\",\"with\":{\"fields\":{\"country\":\"KEN\"}}}"), "\"status\":\"ok\"");
    const char *said = ask(w, "{\"id\":2,\"do\":\"history\"}");
    HAS(said, "{\"number\":1,\"at_ms\":");
    HAS(said, "user 5, focal-entry: case new HQ-");
    HAS(said, "this office opened an epoch: first");
    HAS(said, "\"more\":false");
    assert_null(strstr(ask(w, "{\"id\":3,\"do\":\"history\",\"with\":{\"after\":2}}"), "\"item\""));
    HAS(ask(w, "{\"id\":4,\"do\":\"history.proof\",\"with\":{\"number\":1}}"), "FD-007");
    HAS(ask(w, "{\"id\":5,\"do\":\"status\"}"), "\"needs_you\":[]");

    struct focal_oplog *ol = focal_node_oplog(w->node);
    assert_int_equal(focal_store_begin(w->store), FOCAL_OK);
    assert_int_equal(focal_oplog_incident_two_live(ol, &w->public_keys.sign, (const uint8_t *)"11111111", (const uint8_t *)"22222222"), FOCAL_OK);
    assert_int_equal(focal_store_commit(w->store), FOCAL_OK);
    HAS(ask(w, "{\"id\":6,\"do\":\"case.new\",\"with\":{\"fields\":{\"country\":\"KEN\"}}}"), "\"status\":\"ok\"");
    said = ask(w, "{\"id\":7,\"do\":\"status\"}");
    HAS(said, "two copies of this office were running at the same time");
    HAS(said, "(incident 1, seen 2026-11-23 10:00 UTC");
    HAS(ask(w, "{\"id\":8,\"do\":\"history\",\"with\":{\"limit\":2}}"), "\"code\":\"incident\",\"incident\":1");
    assert_null(strstr(focal_buf_cstr(&w->out), "\"number\":1,"));
    HAS(ask(w, "{\"id\":9,\"do\":\"history.proof\",\"with\":{\"number\":1}}"), "\"kind\":\"two_live\"");
    w->now.wall_ms += 31 * (uint64_t)86400000;
    assert_null(strstr(ask(w, "{\"id\":10,\"do\":\"status\"}"), "two copies"));    /* it stands in history */
    HAS(ask(w, "{\"id\":11,\"do\":\"history\"}"), "two copies of this office");

    /* Followed: what comes later is told as it comes. */
    assert_null(strstr(ask(w, "{\"id\":12,\"do\":\"history\",\"with\":{\"after\":5,\"follow\":true}}"), "\"end\""));
    struct focal_node_event e = { .type = FOCAL_EVENT_TICK };
    assert_int_equal(focal_store_begin(w->store), FOCAL_OK);
    assert_int_equal(focal_oplog_incident_two_live(ol, &w->public_keys.sign, (const uint8_t *)"11111111", (const uint8_t *)"33333333"), FOCAL_OK);
    assert_int_equal(focal_store_commit(w->store), FOCAL_OK);
    w->now.mono_ms += 60000;            /* receipts are due: the step writes */
    assert_int_equal(focal_node_step(w->node, w->now, &e, 1), FOCAL_OK);
    settle(w);
    HAS(focal_buf_cstr(&w->out), "\"incident\":2");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = { T(greeting), T(other_user), T(unknown), T(records), T(withdrawing), T(refusals), T(ahead), T(limits), T(vanishing), T(no_more_to_ask), T(offices),
        T(import), T(verify), T(status_names_the_clock), T(under_a_veil), T(history_and_incidents) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
