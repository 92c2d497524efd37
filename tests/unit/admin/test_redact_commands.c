/* What is said of redactions, and what is said no more of what was redacted. */
#include "world.h"

/* {"id":N,"do":VERB,"with":{"ref":REF, more}} */
static const char *ask_of(struct world *w, const char *verb, const char *ref, const char *more)
{
    char request[600];
    snprintf(request, sizeof request, "{\"id\":7,\"do\":\"%s\",\"with\":{\"ref\":\"%s\"%s%s}}", verb, ref, *more ? "," : "", more);
    return ask(w, request);
}

static void redacting(void **state)
{
    struct world *w = *state;
    char id[80], record[80];
    start(w);
    ask(w, "{\"id\":1,\"do\":\"case.new\",\"with\":{\"fields\":{\"country\":\"KEN\",\"received_date\":\"2018-05-03\",\"allegation_type\":\"sexual_abuse\",\"outcome\":\"pending\"}}}");
    pick(w, "id", id);
    pick(w, "record", record);
    HAS(ask_of(w, "redaction.show", id, ""), "nothing of");
    HAS(ask_of(w, "case.redact", id, ""), "survivor_request, entered_in_error, identifies_a_person, retention, other");
    HAS(ask_of(w, "case.redact", id, "\"reason\":\"duplicate\""), "FD-001");
    HAS(ask_of(w, "case.redact", id, "\"reason\":\"other\",\"field\":\"hair\""), "FD-006");
    HAS(ask_of(w, "case.redact", id, "\"reason\":\"other\",\"field\":\"status\""), "never set");
    HAS(ask_of(w, "entity.redact", id, "\"reason\":\"other\""), "another kind");
    HAS(ask_of(w, "case.redact", "HQ-4F7Q-29XD-A", "\"reason\":\"other\""), "\"error\"");
    HAS(ask_of(w, "redaction.agree", id, "\"reason\":\"other\""), "FD-007");
    /* A field: gone, and its neighbours in the same entry are there. */
    const char *said = ask_of(w, "case.redact", id, "\"reason\":\"identifies_a_person\",\"field\":\"outcome\"");
    HAS(said, "\"field\":\"outcome\",\"asked_before\":false,\"notices\":1,\"entries\":1,\"part_left\":false,\"erased\":true");
    HAS(said, "\"confirmed\":[{\"office\":\"HQ\",\"confirmed\":true}]");
    said = ask_of(w, "case.show", id, "");
    HAS(said, "\"received_date\":\"2018-05-03\"");
    assert_null(strstr(said, "outcome"));
    said = ask_of(w, "redaction.show", id, "");
    HAS(said, "\"what\":\"entry\"");
    HAS(said, "\"entry_of\":\"HQ\",\"day\":\"2026-11-23\",\"scopes\":[\"country:KEN\"],\"by\":[\"HQ\"],\"reasons\":[\"identifies_a_person\"],\"state\":\"erased\"");
    /* The whole: a notice in each scope, and it is found for what is left to say of it, and for nothing else. */
    HAS(ask_of(w, "case.redact", id, "\"reason\":\"survivor_request\""), "\"asked_before\":false,\"notices\":2");
    said = ask_of(w, "case.redact", record, "\"reason\":\"other\"");
    HAS(said, id);
    HAS(said, "\"asked_before\":true,\"notices\":0");
    const char *const verbs[][2] = { { "case.show", "" }, { "case.conflicts", "" }, { "case.update", "\"set\":{\"status\":\"received\"}" },
        { "case.withdraw", "\"reason\":\"other\"" }, { "case.resolve", "\"field\":\"status\",\"take\":\"received\"" },
        { "case.redact", "\"reason\":\"other\",\"field\":\"status\"" } };
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        for (int by = 0; by < 2; by++) {
            said = ask_of(w, verbs[i][0], by ? record : id, verbs[i][1]);
            HAS(said, " was redacted\"");
            HAS(said, "\"exit\":4");
            HAS(said, "focalctl redaction show HQ-");
        }
    said = ask_of(w, "redaction.show", id, "");
    HAS(said, "\"what\":\"record\"");
    HAS(said, "\"scopes\":[\"");
    HAS(said, "survivor_request");
    HAS(ask(w, "{\"id\":8,\"do\":\"redaction.list\",\"with\":{\"limit\":1}}"), "\"more\":true");
    HAS(ask(w, "{\"id\":8,\"do\":\"redaction.list\"}"), "\"more\":false");
    HAS(focal_buf_cstr(&w->out), id);
    assert_null(strstr(ask(w, "{\"id\":9,\"do\":\"case.list\"}"), id));
    assert_null(strstr(ask(w, "{\"id\":9,\"do\":\"export\"}"), id));
    HAS(ask(w, "{\"id\":9,\"do\":\"report\",\"with\":{\"period\":\"2018-Q2\"}}"), "\"allegations\":0");
    HAS(ask(w, "{\"id\":9,\"do\":\"status\"}"), "\"needs_you\":[]");
    HAS(ask(w, "{\"id\":9,\"do\":\"refused\"}"), "{\"id\":9,\"end\":{\"status\":\"ok\",\"more\":false}}");
    HAS(ask(w, "{\"id\":9,\"do\":\"refused\",\"with\":{\"seen\":true}}"), "\"seen\":true");
    HAS(ask(w, "{\"id\":9,\"do\":\"verify\"}"), "\"errors\":[]");
}

/* Whether it was redacted may not be readable: then nothing is shown of it, and that is what is said. */
static void what_cannot_be_read(void **state)
{
    struct world *w = *state;
    char id[80], record[80];
    size_t told = 0;
    start(w);
    ask(w, "{\"id\":1,\"do\":\"case.new\",\"with\":{\"fields\":{\"country\":\"KEN\",\"received_date\":\"2018-05-03\",\"allegation_type\":\"sexual_abuse\"}}}");
    pick(w, "id", id);
    pick(w, "record", record);
    HAS(ask_of(w, "case.redact", id, "\"reason\":\"survivor_request\""), "\"notices\":2");
    for (uint64_t nth = 1; nth <= 2; nth++)             /* the third is read when the reading is noted: a step of the node */
        for (int by = 0; by < 2; by++) {
            focal_fake_store_plan(w->store, (struct focal_fake_failure){ .nth = nth, .kinds = FOCAL_FAKE_NEXT, .status = FOCAL_DAMAGED });
            const char *said = ask_of(w, "case.show", by ? record : id, "");
            focal_fake_store_plan(w->store, (struct focal_fake_failure){ .nth = 0 });
            HAS(said, "\"error\"");
            assert_null(strstr(said, "received_date"));
            assert_null(strstr(said, "may not have arrived"));
            told += strstr(said, "was redacted cannot be read") != NULL;
        }
    assert_true(told >= 2);
    HAS(ask_of(w, "case.show", id, ""), " was redacted\"");
}

/* More than twenty records of one day wait, hidden, for a second office, and status says so. */
static void redacting_many_on_one_day(void **state)
{
    struct world *w = *state;
    start(w);
    for (int i = 0; i < 22; i++) {
        char id[80];
        ask(w, "{\"id\":1,\"do\":\"nil-return.new\",\"with\":{\"fields\":{\"country\":\"KEN\",\"period\":\"2018-Q2\"}}}");
        pick(w, "id", id);
        const char *said = ask_of(w, "nil-return.redact", id, "\"reason\":\"entered_in_error\"");
        HAS(said, i < 20 ? "\"erased\":true" : "\"erased\":false");
        HAS(ask_of(w, "nil-return.show", id, ""), "was redacted");
    }
    HAS(ask(w, "{\"id\":2,\"do\":\"status\"}"), "\"what\":\"2 entries are hidden and wait for a second office to ask as well\",\"command\":\"focalctl redaction list\"");
    const char *said = ask(w, "{\"id\":3,\"do\":\"redaction.list\"}");
    size_t hidden = 0;
    for (const char *at = said; (at = strstr(at, "\"state\":\"hidden\"")); at++)
        hidden++;
    assert_int_equal(hidden, 2);
    HAS(ask(w, "{\"id\":4,\"do\":\"verify\"}"), "\"errors\":[]");
}

/* What is missing is told by status, with what follows from it; of a line that is not held nothing is missing. */
static void what_is_missing(void **state)
{
    struct world *w = *state;
    uint8_t key[5 + 16 + 8] = "hole/";
    start(w);
    ask(w, "{\"id\":1,\"do\":\"nil-return.new\",\"with\":{\"fields\":{\"country\":\"KEN\",\"period\":\"2018-Q2\"}}}");
    const struct focal_oplog *ol = focal_node_oplog(w->node);
    for (int held = 0; held < 2; held++) {
        memset(key + 5, 7, 16);
        for (size_t i = 0; held && i < focal_oplog_log_count(ol); i++)
            if (focal_oplog_log_at(ol, i)->scope.cls == FOCAL_SCOPE_NETWORK)
                memcpy(key + 5, focal_oplog_log_at(ol, i)->line.b, 16);
        focal_put_be64(key + 21, 2);
        assert_int_equal(focal_store_begin(w->store), FOCAL_OK);
        assert_int_equal(focal_store_put(w->store, FOCAL_SHELF_META, focal_span_of(key, sizeof key), focal_span_of(key, 0)), FOCAL_OK);
        assert_int_equal(focal_store_commit(w->store), FOCAL_OK);
        start_again(w);
        start(w);
        ol = focal_node_oplog(w->node);
        const char *said = ask(w, "{\"id\":2,\"do\":\"status\"}");
        if (held)
            HAS(said, "\"what\":\"what 1 entry says here is missing");
        else
            assert_null(strstr(said, "missing"));
    }
}

/* Whole records may be redacted at any time; what would say which values stand somewhere may not be asked. */
static void redacting_under_a_veil(void **state)
{
    struct world *w = *state;
    char id[80];
    start(w);
    ask(w, "{\"id\":1,\"do\":\"case.new\",\"with\":{\"fields\":{\"country\":\"KEN\",\"outcome\":\"pending\"}}}");
    pick(w, "id", id);
    veil_it(w);
    start(w);
    HAS(ask_of(w, "case.redact", id, "\"reason\":\"other\",\"field\":\"outcome\""), "records are veiled");
    HAS(ask_of(w, "case.redact", id, "\"reason\":\"other\",\"field\":\"status\""), "records are veiled");
    HAS(ask(w, "{\"id\":2,\"do\":\"refused\"}"), "records are veiled");
    HAS(ask_of(w, "case.redact", id, "\"reason\":\"other\""), "\"notices\":2");
    HAS(ask_of(w, "redaction.show", id, ""), "\"state\":\"erased\"");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = { T(redacting), T(what_cannot_be_read), T(redacting_many_on_one_day), T(what_is_missing), T(redacting_under_a_veil) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
