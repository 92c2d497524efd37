/* Laws of the history when the authority is changed: old memberships, new ones, the change and what is written by them all, in every
 * order.
 *
 *   any order, any batching, with rollbacks and restarts between: the same frontiers, the same derived bytes, the same digests;
 *   what an authority signed that is no more, and all that was written by it, means nothing, whenever it came */
#include "history.h"

#include "../unit/oplog/renewing.h"
#include "../unit/oplog/succeeding.h"

static struct office ssd, tcd, reader;
static struct line k, kn, s, t, tn, q;
static struct focal_sign_key second, third;

static int found(void **state)
{
    (void)set_up(state);
    office_make(&ssd, &net, "SSD", 9);
    office_make(&tcd, &net, "TCD", 10);
    office_make(&reader, &net, "MLI", 900);     /* who lives through it: its membership stays good */
    later_key(&second, 21);
    later_key(&third, 22);
    k = line_of(&ken, &scope_network, FOCAL_LANE_DATA);
    kn = line_of(&ken, &scope_network, FOCAL_LANE_NOTICES);
    s = line_of(&ssd, &scope_network, FOCAL_LANE_DATA);
    t = line_of(&tcd, &scope_network, FOCAL_LANE_DATA);
    tn = line_of(&tcd, &scope_network, FOCAL_LANE_NOTICES);
    q = line_of(&hq, &scope_network, FOCAL_LANE_DATA);
    return 0;
}

static int leave(void **state)
{
    office_close(&ssd);
    office_close(&tcd);
    office_close(&reader);
    return tear_down(state);
}

static void beyond(struct history *h, size_t from)
{
    for (size_t i = from; i < h->count; i++)
        h->steps[i].beyond = true;
}

static void about(struct history *h, struct focal_ref record)
{
    h->records[h->record_count++] = record;
}

static void all_orders(struct history *h, size_t stride)
{
    struct office reference;
    every_order(h, &reference, false, stride);
    office_close(&reference);
    history_close(h);
}

/* The same against a life in which the steps between `from` and `to` never came. */
static void as_if_it_had_never_come(struct history *h, size_t from, size_t to, size_t stride)
{
    struct history honest = *h;
    struct office reference;
    size_t order[STEPS_MAX];
    const size_t gone = to - from;
    memmove(honest.steps + from, honest.steps + to, (h->count - to) * sizeof *honest.steps);
    honest.count -= gone;
    honest.fixed = honest.fixed < from ? honest.fixed : from;
    for (size_t i = 0; i < honest.count; i++) {
        size_t *after = &honest.steps[i].after;
        assert_true(*after == STEPS_MAX || *after < from || *after >= to);
        *after -= *after != STEPS_MAX && *after >= to ? gone : 0;
        order[i] = i;
    }
    live(&honest, order, AT_ONCE, 1, &reference);
    every_order(h, &reference, true, stride);
    office_close(&reference);
    history_close(h);
}

static void take_away(struct history *h, struct focal_buf *bytes)
{
    statement(h, bytes);
    focal_buf_close(bytes);
}

static void by_the_second(struct history *h, const struct office *o, uint64_t number)
{
    struct focal_buf old, by_second;
    certificate_of(&old, &net, o, number, 0, 400);
    signed_by_later(&by_second, &net, &second, &old);
    focal_buf_close(&old);
    take_away(h, &by_second);
}

static void old_one(struct focal_buf *out, struct history *h, const struct office *o, uint64_t number, uint32_t rights, uint32_t openings)
{
    certificate_of(out, &net, o, number, rights, openings);
    statement(h, out);
}

/* The old key issues a membership that nobody names; its holder edits, creates and redacts. A new member comes by the new key. */
static void a_thief_of_the_old_key(void **state)
{
    (void)state;
    struct history h = { .name = "thief" };
    struct focal_buf of_ken, of_ssd, of_tcd, change;
    old_one(&of_ken, &h, &ken, 1, 0, 400);
    old_one(&of_ssd, &h, &ssd, 1, 0, 400);
    opens(&h, &ken, 1);
    opens(&h, &ssd, 1);
    const struct focal_ref r = entry(&h, &k, says(&h, NULL, true, "first value", "other field"));
    h.fixed = h.count;
    const size_t bad = h.count;
    old_one(&of_tcd, &h, &tcd, 1, FOCAL_RIGHT_REDACT, 400);
    opens(&h, &tcd, 1);
    const struct focal_ref edit = entry(&h, &t, instead(&h, says(&h, &r, false, "of the thief", NULL), &r, NULL, 1));
    (void)entry(&h, &tn, redacts(&h, NULL, &r));
    beyond(&h, bad);
    const size_t good_again = h.count;
    (void)entry(&h, &s, instead(&h, says(&h, &r, false, "by another", NULL), &edit, NULL, 1));
    const struct focal_buf *const good[] = { &reader.statement, &of_ken, &of_ssd };
    succession_sign(&change, &net, &second, 1, good, 3);
    take_away(&h, &change);
    by_the_second(&h, &hq, 1);
    opens(&h, &hq, 1);
    (void)entry(&h, &q, says(&h, &r, false, NULL, "by the new member"));
    about(&h, r);
    about(&h, edit);
    h.kept[h.kept_count++] = "first value";
    h.kept[h.kept_count++] = "by the new member";
    as_if_it_had_never_come(&h, bad, good_again, 601);
    focal_buf_close(&of_ken);
    focal_buf_close(&of_ssd);
    focal_buf_close(&of_tcd);
}

/* Two changes; the second names what the first left out, and leaves out another. */
static void two_changes(void **state)
{
    (void)state;
    struct history h = { .name = "two changes" };
    struct focal_buf of_ken, of_ssd, one, other;
    old_one(&of_ken, &h, &ken, 1, 0, 400);
    old_one(&of_ssd, &h, &ssd, 1, 0, 400);
    opens(&h, &ken, 1);
    opens(&h, &ssd, 1);
    const struct focal_ref r = entry(&h, &k, says(&h, NULL, true, "first value", NULL));
    const struct focal_ref edit = entry(&h, &s, instead(&h, says(&h, &r, false, "second value", NULL), &r, NULL, 1));
    h.steps[h.count - 1].beyond = h.steps[1].beyond = h.steps[3].beyond = true;     /* SSD is not named in the end */
    (void)entry(&h, &k, instead(&h, says(&h, &r, false, "third value", NULL), &edit, NULL, 1));
    const struct focal_buf *const first[] = { &reader.statement, &of_ssd }, *const then[] = { &reader.statement, &of_ken };
    succession_sign(&one, &net, &second, 1, first, 2);
    take_away(&h, &one);
    succession_sign(&other, &net, &third, 2, then, 2);
    take_away(&h, &other);
    about(&h, r);
    all_orders(&h, 601);
    focal_buf_close(&of_ken);
    focal_buf_close(&of_ssd);
}

/* A renewal that is not named gave openings: what was written under them goes, and what came before stays. */
static void openings_that_vanish(void **state)
{
    (void)state;
    struct history h = { .name = "openings" };
    struct focal_buf of_ken, renewal, change;
    old_one(&of_ken, &h, &ken, 1, 0, 1);
    opens(&h, &ken, 1);
    const struct focal_ref r = entry(&h, &k, says(&h, NULL, true, "first value", NULL));
    h.fixed = h.count;
    const size_t bad = h.count;
    renewal_sign(&renewal, &net, &of_ken, 1, 20766, 2, NULL, NULL);
    take_away(&h, &renewal);
    opens(&h, &ken, 2);
    struct line two = line_in(&ken, &scope_network, FOCAL_LANE_DATA, 2);
    (void)entry(&h, &two, instead(&h, says(&h, &r, false, "in the next epoch", NULL), &r, NULL, 1));
    beyond(&h, bad);
    const size_t good_again = h.count;
    const struct focal_buf *const good[] = { &reader.statement, &of_ken };
    succession_sign(&change, &net, &second, 1, good, 2);
    take_away(&h, &change);
    (void)entry(&h, &k, says(&h, &r, false, NULL, "later in the first"));
    about(&h, r);
    as_if_it_had_never_come(&h, bad, good_again, 1);
    focal_buf_close(&of_ken);
}

/* A cut that the old key signed and nobody names takes nothing away; a redaction that it voided is in force again. */
static void a_cut_by_the_thief(void **state)
{
    (void)state;
    struct history h = { .name = "cut by the thief" };
    struct focal_buf of_ken, of_ssd, cut, change;
    old_one(&of_ken, &h, &ken, 1, 0, 400);
    old_one(&of_ssd, &h, &ssd, 1, 0, 400);
    opens(&h, &ken, 1);
    opens(&h, &ssd, 1);
    h.fixed = h.count;
    const struct focal_ref r = entry(&h, &k, says(&h, NULL, true, "first value", NULL));
    const struct focal_ref own = entry(&h, &k, says(&h, &r, false, NULL, "secret of its own"));
    (void)entry(&h, &s, says(&h, &r, false, NULL, "by another"));
    (void)entry(&h, &kn, redacts(&h, &own, NULL));
    cut_sign(&cut, &net, &ken);
    take_away(&h, &cut);
    h.steps[h.count - 1].beyond = true;
    const struct focal_buf *const good[] = { &reader.statement, &of_ken, &of_ssd };
    succession_sign(&change, &net, &second, 1, good, 3);
    take_away(&h, &change);
    about(&h, r);
    h.erased[h.erased_count++] = "secret of its own";
    h.kept[h.kept_count++] = "first value";
    all_orders(&h, 1);
    focal_buf_close(&of_ken);
    focal_buf_close(&of_ssd);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, found, leave)

int main(void)
{
    const struct CMUnitTest tests[] = { WITH(a_thief_of_the_old_key), WITH(two_changes), WITH(openings_that_vanish), WITH(a_cut_by_the_thief) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
