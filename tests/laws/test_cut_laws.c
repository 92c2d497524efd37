/* Laws of the history when rights are taken back: cuts of every reach, in every order among what they take away and leave.
 *
 *   any order, any batching, with rollbacks and restarts between: the same frontiers, the same derived bytes, the same digests;
 *   what lies beyond a cut means nothing, whether it came before the cut, after it, or never */
#include "history.h"
#include "sweep.h"

static struct office ssd, tcd;
static struct line k, kc, kn, s, sc, q, qn, t, tn;     /* by author: data, c: of the country, n: notices */

static int found(void **state)
{
    (void)set_up(state);
    office_make(&ssd, &net, "SSD", 9);
    office_make(&tcd, &net, "TCD", 10);
    k = line_of(&ken, &scope_network, FOCAL_LANE_DATA);
    kc = line_of(&ken, &scope_kenya, FOCAL_LANE_DATA);
    kn = line_of(&ken, &scope_network, FOCAL_LANE_NOTICES);
    s = line_of(&ssd, &scope_network, FOCAL_LANE_DATA);
    sc = line_of(&ssd, &scope_kenya, FOCAL_LANE_DATA);
    q = line_of(&hq, &scope_network, FOCAL_LANE_DATA);
    qn = line_of(&hq, &scope_network, FOCAL_LANE_NOTICES);
    t = line_of(&tcd, &scope_network, FOCAL_LANE_DATA);
    tn = line_of(&tcd, &scope_network, FOCAL_LANE_NOTICES);
    return 0;
}

static int leave(void **state)
{
    office_close(&ssd);
    office_close(&tcd);
    return tear_down(state);
}

static void members(struct history *h, const char *name)
{
    *h = (struct history){ .name = name };
    certificate(h, &ken, 1, 0);
    certificate(h, &ssd, 1, 0);
    certificate(h, &tcd, 1, FOCAL_RIGHT_REDACT);
    opens(h, &ken, 1);
    opens(h, &ssd, 1);
    opens(h, &tcd, 1);
    h->fixed = h->count;
}

/* The control log that this step of `members` opened. */
static struct line opened(struct history *h, const struct office *o, size_t step)
{
    struct line control = line_of(o, &scope_control, FOCAL_LANE_DATA);
    struct office reader;
    office_make(&reader, &net, "MLI", 900);
    hold(&reader, &h->steps[0].statement);
    begin(&reader);
    assert_int_equal(hand_over(&reader, &h->steps[step].piece), FOCAL_OK);
    commit(&reader);
    const struct focal_log *log = focal_oplog_log(reader.ol, &control.id);
    assert_non_null(log);
    control.seq = log->head.seq;
    control.h = log->head.h;
    office_close(&reader);
    return control;
}

static void about(struct history *h, struct focal_ref record)
{
    h->records[h->record_count++] = record;
}

/* All steps since `from`. */
static void beyond(struct history *h, size_t from)
{
    for (size_t i = from; i < h->count; i++)
        h->steps[i].beyond = true;
}

static const struct focal_reach everything = { .kind = FOCAL_REACH_EVERYTHING };
static const struct focal_reach redacting = { .kind = FOCAL_REACH_RIGHT, .right = FOCAL_RIGHT_REDACT };

static struct focal_reach in_scope(const struct focal_scope *scope)
{
    return (struct focal_reach){ .kind = FOCAL_REACH_SCOPE, .scope = *scope };
}

/* Leaves what these lines have said so far. */
static void cut(struct history *h, const struct office *of, struct focal_reach reach, uint64_t number, const struct line *const *lines, size_t count)
{
    struct focal_buf tips, body, bytes;
    focal_buf_init(&tips, FOCAL_STATEMENT_MAX);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&bytes, FOCAL_STATEMENT_MAX);
    for (size_t i = 0; i < count; i++)
        focal_cut_tip_put(&tips, &(struct focal_cut_tip){ .log = lines[i]->id, .tip = { .seq = lines[i]->seq, .h = lines[i]->h } });
    const struct focal_cut c = { .office = of->code, .key = of->keys.sign_public, .reach = reach, .number = number, .tips = focal_buf_view(&tips),
        .day = 20100, .reason = FOCAL_CUT_REVOKED };
    focal_cut_encode(&body, &c);
    focal_statement_sign(&bytes, net.authority.secret, &net.id, focal_buf_view(&body));
    statement(h, &bytes);
    focal_buf_close(&tips);
    focal_buf_close(&body);
    focal_buf_close(&bytes);
}

/* The same without anything that lies beyond: it means what it would mean if it had never been written. */
static void as_if_never_written(const struct history *h, struct office *reference)
{
    struct office never;
    struct life l = { .h = h, .at = &never };
    struct focal_hash here, there;
    office_make(&never, &net, "MLI", 900);
    hold(&never, &never.statement);
    begin(&never);
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < h->count; i++)
            if (!h->steps[i].beyond && !l.done[i] && take(&l, i))
                moved = l.done[i] = true;
    }
    commit(&never);
    begin(&never);                      /* what was erased by a redaction that counts no more */
    for (size_t i = 0; i < h->count && focal_oplog_has_holes(never.ol); i++)
        if (!h->steps[i].is_statement && !h->steps[i].beyond)
            (void)take(&l, i);
    commit(&never);
    for (size_t i = 0; i < h->count; i++)
        assert_true(h->steps[i].beyond || l.done[i] == !h->steps[i].never);
    assert_same_state(reference, &never);
    assert_verifies(reference, &here);
    assert_verifies(&never, &there);
    if (!focal_hash_equal(&here, &there))
        fail_msg("%s: what lies beyond means something", h->name);
    same_entries(h, reference, &never);
    office_close(&never);
}

static void all_orders(struct history *h, size_t stride)
{
    struct office reference;
    every_order(h, &reference, false, stride);
    as_if_never_written(h, &reference);
    whatever_fails(h, &reference, false);
    whatever_fails(h, &reference, true);
    office_close(&reference);
    history_close(h);
}

/* ---- one line ----------------------------------------------------------------------------------------------------------- */

/* With and without its control log in the list: what opened the epoch need not be left. */
static void everything_of_an_office(void **state)
{
    for (int with_control = 0; with_control < 2; with_control++) {
        struct history h;
        (void)leave(state);
        (void)found(state);
        members(&h, with_control ? "everything, and the opening stays" : "everything");
        struct line control = opened(&h, &ken, 3);
        const struct focal_ref r = entry(&h, &k, says(&h, NULL, true, "first value", "other field"));
        struct line good = k;
        const size_t bad = h.count;
        const struct focal_ref edit = entry(&h, &k, instead(&h, says(&h, &r, false, "of the thief", NULL), &r, NULL, 1));
        const struct focal_ref made = entry(&h, &k, says(&h, NULL, true, "made by the thief", NULL));
        (void)entry(&h, &kc, says(&h, &r, false, "in the country", NULL));
        beyond(&h, bad);
        (void)entry(&h, &s, instead(&h, says(&h, &r, false, "by another", NULL), &edit, NULL, 1));
        const struct line *left[] = { &good, &control };
        cut(&h, &ken, everything, 1, left, with_control ? 2 : 1);
        about(&h, r);
        about(&h, made);
        all_orders(&h, 2);
    }
}

static void one_scope_of_an_office(void **state)
{
    (void)state;
    struct history h;
    members(&h, "one scope");
    const struct focal_ref r = entry(&h, &k, says(&h, NULL, true, "first value", NULL));
    const struct focal_ref home = entry(&h, &kc, says(&h, &r, false, "of the country", NULL));
    struct line good = kc;
    const size_t bad = h.count;
    (void)entry(&h, &kc, instead(&h, says(&h, &r, false, "of the thief", NULL), &home, NULL, 1));
    beyond(&h, bad);
    (void)entry(&h, &k, instead(&h, says(&h, &r, false, "still counts", NULL), &r, NULL, 1));
    (void)entry(&h, &sc, says(&h, &r, false, NULL, "by another"));
    const struct line *left[] = { &good };
    cut(&h, &ken, in_scope(&scope_kenya), 1, left, 1);
    about(&h, r);
    all_orders(&h, 1);
}

/* Two of one number leave what both leave; a later number counts alone, and may leave more. */
static void numbers_and_intersections(void **state)
{
    for (int later = 0; later < 2; later++) {
        struct history h;
        (void)leave(state);
        (void)found(state);
        members(&h, later ? "a later number" : "equal numbers");
        const struct focal_ref r = entry(&h, &k, says(&h, NULL, true, "first value", NULL));
        struct line short_of = k;
        const struct focal_ref edit = entry(&h, &k, instead(&h, says(&h, &r, false, "second value", NULL), &r, NULL, 1));
        struct line as_far = k;
        if (!later)
            h.steps[h.count - 1].beyond = true;
        const size_t bad = h.count;
        (void)entry(&h, &k, instead(&h, says(&h, &r, false, "of the thief", NULL), &edit, NULL, 1));
        beyond(&h, bad);
        (void)entry(&h, &s, instead(&h, says(&h, &r, false, "by another", NULL), &edit, NULL, 1));
        const struct line *one[] = { &short_of }, *other[] = { &as_far };
        cut(&h, &ken, everything, 1, one, 1);
        cut(&h, &ken, everything, later ? 2 : 1, other, 1);
        about(&h, r);
        all_orders(&h, 1);
    }
}

/* ---- forks -------------------------------------------------------------------------------------------------------------------- */

/* Of two branches the tip of one is left: of the other what both share. */
static void one_branch_of_two(void **state)
{
    (void)state;
    struct history h;
    members(&h, "one branch");
    const struct focal_ref r = entry(&h, &k, says(&h, NULL, true, "first value", NULL));
    const struct focal_ref shared = entry(&h, &k, says(&h, &r, false, NULL, "shared"));
    struct line copy = k;
    (void)entry(&h, &k, instead(&h, says(&h, &r, false, "by the one", NULL), &r, NULL, 1));
    struct line good = k;
    const size_t bad = h.count;
    (void)entry(&h, &copy, instead(&h, says(&h, &r, false, "of the copy", NULL), &r, NULL, 1));
    (void)entry(&h, &copy, instead(&h, says(&h, &r, false, NULL, "of the copy as well"), &shared, NULL, 1));
    beyond(&h, bad);
    (void)entry(&h, &s, says(&h, &r, false, NULL, "by another"));
    const struct line *left[] = { &good };
    cut(&h, &ken, everything, 1, left, 1);
    about(&h, r);
    all_orders(&h, 1);
}

/* Both tips are left, of one branch not the last. */
static void both_branches_in_part(void **state)
{
    (void)state;
    struct history h;
    members(&h, "both branches");
    const struct focal_ref r = entry(&h, &k, says(&h, NULL, true, "first value", NULL));
    struct line copy = k;
    (void)entry(&h, &k, instead(&h, says(&h, &r, false, "by the one", NULL), &r, NULL, 1));
    struct line one = k;
    const size_t bad = h.count;
    (void)entry(&h, &k, says(&h, &r, false, NULL, "of the thief"));
    beyond(&h, bad);
    (void)entry(&h, &copy, instead(&h, says(&h, &r, false, "of the copy", NULL), &r, NULL, 1));
    struct line other = copy;
    const size_t worse = h.count;
    (void)entry(&h, &copy, says(&h, NULL, true, "made by the thief", NULL));
    beyond(&h, worse);
    const struct line *left[] = { &one, &other };
    cut(&h, &ken, everything, 1, left, 2);
    about(&h, r);
    all_orders(&h, 1);
}

/* ---- redactions --------------------------------------------------------------------------------------------------------------- */

/* What it hid is shown again, whether the cut came before, after or between. */
static void a_redaction_beyond_the_cut(void **state)
{
    (void)state;
    struct history h;
    members(&h, "redaction beyond");
    const struct focal_ref r = entry(&h, &k, says(&h, NULL, true, "first value", NULL));
    const struct focal_ref edit = entry(&h, &s, instead(&h, says(&h, &r, false, "second value", NULL), &r, NULL, 1));
    const size_t bad = h.count;
    (void)entry(&h, &tn, redacts(&h, &edit, NULL));
    (void)entry(&h, &tn, redacts(&h, NULL, &r));
    beyond(&h, bad);
    (void)entry(&h, &k, says(&h, &r, false, NULL, "later"));
    cut(&h, &tcd, everything, 1, NULL, 0);
    about(&h, r);
    h.kept[h.kept_count++] = "second value";
    all_orders(&h, 1);
}

/* One notice is left, and one is not: of the two entries one stays hidden. */
static void a_redaction_that_is_left(void **state)
{
    (void)state;
    struct history h;
    members(&h, "redaction left");
    const struct focal_ref r = entry(&h, &k, says(&h, NULL, true, "first value", NULL));
    const struct focal_ref edit = entry(&h, &s, instead(&h, says(&h, &r, false, "second value", NULL), &r, NULL, 1));
    (void)entry(&h, &tn, redacts(&h, &edit, NULL));
    struct line good = tn;
    const size_t bad = h.count;
    (void)entry(&h, &tn, redacts(&h, &r, NULL));
    beyond(&h, bad);
    const struct line *left[] = { &good };
    cut(&h, &tcd, in_scope(&scope_network), 1, left, 1);
    about(&h, r);
    all_orders(&h, 1);
}

/* The right goes, the office stays: what it redacts of its own still counts, of others it does not. */
static void the_right_to_redact(void **state)
{
    (void)state;
    struct history h;
    members(&h, "right to redact");
    const struct focal_ref r = entry(&h, &k, says(&h, NULL, true, "first value", NULL));
    const struct focal_ref own = entry(&h, &t, says(&h, &r, false, "secret of its own", NULL));
    const struct focal_ref edit = entry(&h, &s, says(&h, &r, false, NULL, "of another"));
    (void)entry(&h, &tn, redacts(&h, &edit, NULL));
    struct line good = tn;
    (void)entry(&h, &tn, redacts(&h, &own, NULL));
    (void)entry(&h, &tn, redacts(&h, NULL, &r));
    const struct line *left[] = { &good };
    cut(&h, &tcd, redacting, 1, left, 1);
    about(&h, r);
    h.erased[h.erased_count++] = "secret of its own";
    h.kept[h.kept_count++] = "first value";
    all_orders(&h, 5);
}

/* He forged his notices: both lines go as far as each other, and the right is left to one. What that names another names as well,
 * and so it is erased; what the other line names is not even hidden. */
static void the_right_to_redact_on_one_branch(void **state)
{
    (void)state;
    struct history h;
    members(&h, "right to redact, one branch");
    certificate(&h, &ssd, 2, FOCAL_RIGHT_REDACT);
    h.fixed = h.count;
    struct line sn = line_of(&ssd, &scope_network, FOCAL_LANE_NOTICES);
    const struct focal_ref stays = entry(&h, &k, says(&h, NULL, true, "first value", NULL));
    const struct focal_ref goes = entry(&h, &k, says(&h, &stays, false, "secret of a field", NULL));
    struct forged_entry begins = begin_entry;
    (void)piece(&h, &tn, &begins, 1);
    struct line copy = tn;
    (void)entry(&h, &tn, redacts(&h, &goes, NULL));
    (void)entry(&h, &copy, redacts(&h, &stays, NULL));
    (void)entry(&h, &sn, redacts(&h, &goes, NULL));
    const struct line *left[] = { &tn };
    cut(&h, &tcd, redacting, 1, left, 1);
    about(&h, stays);
    h.erased[h.erased_count++] = "secret of a field";
    struct office reference;
    uint64_t hidden;
    every_order(&h, &reference, false, 5);
    as_if_never_written(&h, &reference);
    assert_int_equal(focal_oplog_hidden_count(reference.ol, &hidden), FOCAL_OK);
    assert_int_equal(hidden, 0);
    office_close(&reference);
    history_close(&h);
}

/* ---- finished logs ------------------------------------------------------------------------------------------------------------- */

static struct focal_span tip_of(struct history *h, const struct line *line)
{
    struct focal_buf *names = history_buffer(h);
    focal_buf_bytes(names, line->id.b, sizeof line->id.b);
    focal_buf_be64(names, line->seq);
    focal_buf_bytes(names, line->h.b, sizeof line->h.b);
    return focal_buf_view(names);
}

/* The log of the first epoch is not listed; that of the second is, and begins by naming a tip of it. */
static void a_finished_log(void **state)
{
    (void)state;
    struct history h;
    members(&h, "finished log");
    opens(&h, &ken, 2);
    h.fixed = h.count;
    struct line later = line_in(&ken, &scope_network, FOCAL_LANE_DATA, 2);
    const struct focal_ref r = entry(&h, &k, says(&h, NULL, true, "first value", NULL));
    const struct focal_span named = tip_of(&h, &k);
    const size_t bad = h.count;
    (void)entry(&h, &k, instead(&h, says(&h, &r, false, "of the thief", NULL), &r, NULL, 1));
    beyond(&h, bad);
    struct forged_entry list[2] = { begin_entry, instead(&h, says(&h, &r, false, "in the next epoch", NULL), &r, NULL, 1) };
    list[0].header.previous = named;
    (void)piece(&h, &later, list, 2);
    struct line good = later;
    (void)entry(&h, &s, says(&h, &r, false, NULL, "by another"));
    const struct line *left[] = { &good };
    cut(&h, &ken, everything, 1, left, 1);
    about(&h, r);
    all_orders(&h, 1);
}

/* The same, and the thief begins the later log once more, by naming what he added to the finished one. Which beginning leads to
 * the listed tip nobody can tell before that is held. */
static void a_finished_log_named_by_two_beginnings(void **state)
{
    (void)state;
    struct history h;
    members(&h, "finished log, two beginnings");
    opens(&h, &ken, 2);
    h.fixed = h.count;
    struct line later = line_in(&ken, &scope_network, FOCAL_LANE_DATA, 2), again = later;
    const struct focal_ref r = entry(&h, &k, says(&h, NULL, true, "first value", NULL));
    struct forged_entry begins = begin_entry, begins_again = begin_entry;
    begins.header.previous = tip_of(&h, &k);
    const size_t bad = h.count;
    (void)entry(&h, &k, instead(&h, says(&h, &r, false, "of the thief", NULL), &r, NULL, 1));
    begins_again.header.previous = tip_of(&h, &k);
    (void)piece(&h, &again, &begins_again, 1);
    beyond(&h, bad);
    (void)piece(&h, &later, &begins, 1);
    (void)entry(&h, &later, instead(&h, says(&h, &r, false, "in the next epoch", NULL), &r, NULL, 1));
    const struct line *left[] = { &later };
    cut(&h, &ken, everything, 1, left, 1);
    about(&h, r);
    h.kept[h.kept_count++] = "in the next epoch";
    all_orders(&h, 1);
}

/* ---- whose a record is -------------------------------------------------------------------------------------------------------- */

/* The creating entry is redacted in a quote, and two others of its office say again what the record is. Of the log that it was
 * created in nothing is left: whose it is, nobody can tell, whether or not that log came before the cut. */
static void what_is_said_again_of_a_log_cut_to_nothing(void **state)
{
    (void)state;
    struct history h;
    members(&h, "said again, log cut to nothing");
    opens(&h, &ken, 2);
    h.fixed = h.count;
    struct line two = line_in(&ken, &scope_network, FOCAL_LANE_DATA, 2);
    struct forged_entry begins = begin_entry, made = says(&h, NULL, true, "secret of a field", "the other field");
    const size_t bad = h.count;
    (void)piece(&h, &k, &begins, 1);
    const struct focal_hash before = k.h;
    const struct focal_ref r = entry(&h, &k, made);
    beyond(&h, bad);
    (void)entry(&h, &two, says(&h, &r, true, NULL, "by the second epoch"));
    (void)entry(&h, &s, quotes(&h, &k, before, made, 2));
    (void)entry(&h, &kn, redacts(&h, &r, NULL));
    const struct line *left[] = { &two, &kn };
    cut(&h, &ken, everything, 1, left, 2);
    about(&h, r);
    h.erased[h.erased_count++] = "secret of a field";
    h.kept[h.kept_count++] = "by the second epoch";
    all_orders(&h, 4);
}

/* Who created a record may redact it without the right to redact. Of the log that it was created in nothing is left: nobody
 * can tell any more whose it is, and what another office says of it is not hidden, whether or not that log ever came. */
static void redacted_by_whose_log_is_cut_to_nothing(void **state)
{
    (void)state;
    struct history h;
    members(&h, "redacted, log cut to nothing");
    const size_t bad = h.count;
    const struct focal_ref r = entry(&h, &k, says(&h, NULL, true, "first value", NULL));
    beyond(&h, bad);
    (void)entry(&h, &s, says(&h, &r, false, NULL, "by another"));
    (void)entry(&h, &kn, redacts(&h, NULL, &r));
    const struct line *left[] = { &kn };
    cut(&h, &ken, everything, 1, left, 1);
    about(&h, r);
    h.kept[h.kept_count++] = "by another";
    all_orders(&h, 1);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, found, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(everything_of_an_office), WITH(one_scope_of_an_office), WITH(numbers_and_intersections), WITH(one_branch_of_two),
        WITH(both_branches_in_part), WITH(a_redaction_beyond_the_cut), WITH(a_redaction_that_is_left), WITH(the_right_to_redact),
        WITH(the_right_to_redact_on_one_branch), WITH(a_finished_log),
        WITH(a_finished_log_named_by_two_beginnings), WITH(what_is_said_again_of_a_log_cut_to_nothing), WITH(redacted_by_whose_log_is_cut_to_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
