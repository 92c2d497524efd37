/* Laws of the history, with all that can happen to it: small ones of hand-signed pieces, in every order of arrival.
 *
 *   any order that is one within each log, any batching, with rollbacks and restarts between: the same frontiers, the same derived
 *   bytes, the same digests; what is erased is readable nowhere; rebuild changes nothing
 *
 * Rights that are taken back: test_cut_laws.c. */
#include "history.h"

static struct office ssd, tcd;
static struct line k, kc, kn, kcn, s, sc, q, qn, t, tn;       /* by author: data, c: of the country, n: notices */

static int found(void **state)
{
    (void)set_up(state);
    office_make(&ssd, &net, "SSD", 9);
    office_make(&tcd, &net, "TCD", 10);
    k = line_of(&ken, &scope_network, FOCAL_LANE_DATA);
    kc = line_of(&ken, &scope_kenya, FOCAL_LANE_DATA);
    kn = line_of(&ken, &scope_network, FOCAL_LANE_NOTICES);
    kcn = line_of(&ken, &scope_kenya, FOCAL_LANE_NOTICES);
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

/* The members and their epochs; headquarters alone may redact what others wrote. */
static void members(struct history *h, const char *name, bool with_tcd)
{
    *h = (struct history){ .name = name };
    certificate(h, &ken, 1, 0);
    certificate(h, &ssd, 1, 0);
    certificate(h, &hq, 1, FOCAL_RIGHT_REDACT);
    opens(h, &ken, 1);
    opens(h, &ssd, 1);
    opens(h, &hq, 1);
    if (with_tcd) {
        certificate(h, &tcd, 1, 0);
        opens(h, &tcd, 1);
    }
    h->fixed = h->count;
}

static void about(struct history *h, struct focal_ref record)
{
    h->records[h->record_count++] = record;
}

static void erased(struct history *h, const char *word)
{
    h->erased[h->erased_count++] = word;
}

static void kept(struct history *h, const char *word)
{
    h->kept[h->kept_count++] = word;
}

static void all_orders(struct history *h, size_t stride)
{
    struct office reference;
    every_order(h, &reference, false, stride);
    office_close(&reference);
    history_close(h);
}

/* ---- edits and branches ----------------------------------------------------------------------------------------------- */

static void edits_in_two_scopes(void **state)
{
    (void)state;
    struct history h;
    struct focal_ref before[2];
    members(&h, "edits", false);
    const struct focal_ref r = entry(&h, &k, says(&h, NULL, true, "first value", "another field"));
    const struct focal_ref home = entry(&h, &kc, says(&h, &r, false, "of the country", NULL));
    before[0] = entry(&h, &k, instead(&h, says(&h, &r, false, "second value", NULL), &r, NULL, 1));
    before[1] = entry(&h, &s, instead(&h, says(&h, &r, false, "third value", NULL), &r, NULL, 1));
    (void)entry(&h, &q, instead(&h, says(&h, &r, false, "settled", NULL), before, NULL, 2));
    (void)entry(&h, &s, instead(&h, says(&h, &r, false, "set once more", NULL), &before[0], NULL, 1));
    (void)entry(&h, &sc, instead(&h, says(&h, &r, false, "the country again", NULL), &home, NULL, 1));
    about(&h, r);
    kept(&h, "settled");
    all_orders(&h, 4);
}

static void two_copies_of_one_office(void **state)
{
    (void)state;
    struct history h;
    members(&h, "branches", false);
    const struct focal_ref r = entry(&h, &k, says(&h, NULL, true, "first value", NULL));
    struct line copy = k;
    const struct focal_ref one = entry(&h, &k, instead(&h, says(&h, &r, false, "by the one", NULL), &r, NULL, 1));
    const struct focal_ref other = entry(&h, &copy, instead(&h, says(&h, &r, false, "secret of the copy", NULL), &r, NULL, 1));
    const struct focal_ref made = entry(&h, &copy, says(&h, NULL, true, "made by the copy", NULL));
    (void)entry(&h, &k, says(&h, &made, false, NULL, "edited by the one"));
    (void)entry(&h, &s, instead(&h, says(&h, &r, false, "by another", NULL), &one, NULL, 1));
    (void)entry(&h, &kn, redacts(&h, &other, NULL));
    about(&h, r);
    about(&h, made);
    erased(&h, "secret of the copy");
    kept(&h, "made by the copy");
    all_orders(&h, 1);
}

/* ---- quotes ------------------------------------------------------------------------------------------------------------- */

/* One entry comes itself and quoted, and is erased by its record's office; of another only the quote comes, and it is hidden. */
static void quotes_of_what_comes_and_what_does_not(void **state)
{
    (void)state;
    struct history h, elsewhere;
    members(&h, "quotes", false);
    members(&elsewhere, "elsewhere", true);
    const struct focal_ref r = entry(&h, &k, says(&h, NULL, true, "first value", NULL));
    struct forged_entry said = says(&h, &r, false, "secret of ssd", NULL), lost = says(&h, &r, false, NULL, "never comes itself");
    struct forged_entry begins = begin_entry;
    (void)piece(&h, &s, &begins, 1);
    const struct focal_hash before_said = s.h;
    const struct focal_ref edit = entry(&h, &s, said);
    (void)piece(&elsewhere, &t, &begins, 1);
    const struct focal_hash before_lost = t.h;
    const struct focal_ref gone = entry(&elsewhere, &t, lost);
    (void)entry(&h, &q, quotes(&h, &s, before_said, said, 2));
    (void)entry(&h, &q, quotes(&h, &t, before_lost, lost, 2));
    (void)entry(&h, &kn, redacts(&h, &edit, NULL));
    (void)entry(&h, &qn, redacts(&h, &gone, NULL));
    about(&h, r);
    erased(&h, "secret of ssd");
    history_close(&elsewhere);
    all_orders(&h, 4);
}

/* ---- records -------------------------------------------------------------------------------------------------------------- */

/* The record is created in one scope, and redacted in another where it has entries as well. */
static void a_record_in_two_scopes(void **state)
{
    (void)state;
    struct history h;
    members(&h, "record in two scopes", false);
    const struct focal_ref r = entry(&h, &k, says(&h, NULL, true, "seen by all", NULL));
    (void)entry(&h, &sc, says(&h, &r, false, "secret of the country", NULL));
    (void)entry(&h, &kcn, redacts(&h, NULL, &r));
    const struct focal_ref other = entry(&h, &s, says(&h, &r, false, "secret of the network", NULL));
    (void)entry(&h, &qn, redacts(&h, &other, NULL));
    (void)entry(&h, &kn, redacts(&h, &other, NULL));
    about(&h, r);
    erased(&h, "secret of the country");
    erased(&h, "secret of the network");
    kept(&h, "seen by all");
    all_orders(&h, 2);
}

/* Whose record it is shows in the log it stands in, before the creating entry comes; that one may come as a quote alone. */
static void a_record_of_which_a_quote_comes(void **state)
{
    (void)state;
    for (int comes = 0; comes < 2; comes++) {
        struct history h;
        struct forged_entry begins = begin_entry;
        (void)leave(state);
        (void)found(state);
        members(&h, comes ? "record and its quote" : "record by its quote", false);
        (void)piece(&h, &k, &begins, 1);
        struct line beyond = k;
        struct history elsewhere = { .name = "elsewhere" };
        struct forged_entry made = says(&h, NULL, true, "secret of the record", NULL);
        const struct focal_hash before = k.h;
        const struct focal_ref r = entry(comes ? &h : &elsewhere, &beyond, made);
        (void)entry(&h, &s, says(&h, &r, false, "secret of an edit", NULL));
        (void)entry(&h, &q, quotes(&h, &k, before, made, 2));
        (void)entry(&h, &kn, redacts(&h, NULL, &r));
        (void)entry(&h, &s, says(&h, NULL, true, "of another record", NULL));
        about(&h, r);
        erased(&h, "secret of the record");
        erased(&h, "secret of an edit");
        kept(&h, "of another record");
        history_close(&elsewhere);
        all_orders(&h, 1);
    }
}

/* ---- a field ---------------------------------------------------------------------------------------------------------------- */

/* The other values are written again and the home is said again; whether the redacted entry comes whole or stripped is the same. */
static void a_field_of_the_creating_entry(void **state)
{
    (void)state;
    struct office reference;
    for (int stripped = 0; stripped < 2; stripped++) {
        struct history h;
        if (stripped) {                 /* the same offices sign the same again */
            (void)leave(state);
            (void)found(state);
        }
        members(&h, stripped ? "field, stripped" : "field, whole", false);
        struct forged_entry made = says(&h, NULL, true, "secret of a field", "the other field");
        made.stripped = stripped;
        const struct focal_ref r = entry(&h, &k, made);
        static const uint16_t ordinal_b = 1;
        const struct focal_ref again = entry(&h, &k, instead(&h, says(&h, &r, true, NULL, "the other field"), &r, &ordinal_b, 1));
        (void)entry(&h, &kn, redacts(&h, &r, NULL));
        (void)entry(&h, &s, instead(&h, says(&h, &r, false, NULL, "set by ssd"), &again, NULL, 1));
        (void)entry(&h, &q, says(&h, &r, false, "set anew", NULL));
        about(&h, r);
        erased(&h, "secret of a field");
        kept(&h, "the other field");
        every_order(&h, &reference, stripped, 1);
        history_close(&h);
    }
    office_close(&reference);
}

/* The home is said again in a later epoch, and may come before the log that the record was created in. */
static void a_home_said_again_elsewhere(void **state)
{
    (void)state;
    struct history h;
    members(&h, "home said again", false);
    opens(&h, &ken, 2);
    h.fixed = h.count;
    struct line later = line_in(&ken, &scope_network, FOCAL_LANE_DATA, 2);
    struct forged_entry list[2] = { begin_entry, says(&h, NULL, true, "secret of a field", "the other field") };
    struct focal_hash before;
    struct forged_entry begins = begin_entry;
    struct carried unused;
    forge(&unused, &ken, &k.name, NULL, 1, &begins, 1, true);
    before = forge_head;
    carried_close(&unused);
    const struct focal_ref r = piece(&h, &k, list, 2);
    (void)entry(&h, &later, says(&h, &r, true, NULL, "the other field"));
    (void)entry(&h, &q, quotes(&h, &k, before, list[1], 2));
    (void)entry(&h, &kn, redacts(&h, &r, NULL));
    (void)entry(&h, &s, says(&h, &r, false, "set anew", NULL));
    about(&h, r);
    erased(&h, "secret of a field");
    kept(&h, "the other field");
    all_orders(&h, 1);
}

/* The creating entry comes as a quote and is redacted; what the record is, two others of its office say again, and not alike. Of
 * the log that it was created in the beginning comes, or nothing, or all: whose record it is may be known last of all. */
static void a_home_said_again_twice(void **state)
{
    for (int held = 0; held < 3; held++) {
        struct history h, elsewhere = { .name = "elsewhere" };
        static const char *const names[] = { "said twice, log unknown", "said twice, log begun", "said twice, log held" };
        (void)leave(state);
        (void)found(state);
        members(&h, names[held], false);
        opens(&h, &ken, 2);
        opens(&h, &ken, 3);
        h.fixed = h.count;
        struct line two = line_in(&ken, &scope_network, FOCAL_LANE_DATA, 2), three = line_in(&ken, &scope_network, FOCAL_LANE_DATA, 3);
        struct forged_entry begins = begin_entry, made = says(&h, NULL, true, "secret of a field", "the other field");
        (void)piece(held > 0 ? &h : &elsewhere, &k, &begins, 1);
        const struct focal_hash before = k.h;
        const struct focal_ref r = entry(held > 1 ? &h : &elsewhere, &k, made);
        (void)entry(&h, &two, says_of_kind(&h, FOCAL_KIND_CASE, &r, true, NULL, "by the second epoch"));
        (void)entry(&h, &three, says_of_kind(&h, FOCAL_KIND_CASE + 1, &r, true, NULL, "by the third epoch"));
        (void)entry(&h, &q, quotes(&h, &k, before, made, 2));
        (void)entry(&h, &kn, redacts(&h, &r, NULL));
        about(&h, r);
        erased(&h, "secret of a field");
        kept(&h, "by the third epoch");
        history_close(&elsewhere);
        all_orders(&h, held == 2 ? 4 : 1);
    }
}

/* Entry and quote, each whole or stripped: a stripped one waits for the notice, and then it is the same. */
static void whole_or_stripped(void **state)
{
    struct office reference;
    for (int variant = 0; variant < 4; variant++) {
        struct history h;
        (void)leave(state);
        (void)found(state);
        members(&h, variant == 0 ? "whole" : variant == 1 ? "quote stripped" : variant == 2 ? "original stripped" : "both stripped", false);
        struct forged_entry begins = begin_entry, made = says(&h, NULL, true, "secret of the record", NULL);
        (void)piece(&h, &k, &begins, 1);
        const struct focal_hash before = k.h;
        made.stripped = variant & 2;
        const struct focal_ref r = entry(&h, &k, made);
        struct forged_entry quote = quotes(&h, &k, before, made, 2);
        quote.stripped = variant & 1;
        (void)entry(&h, &q, quote);
        (void)entry(&h, &kn, redacts(&h, NULL, &r));
        (void)entry(&h, &s, says(&h, &r, true, "secret of an edit", NULL));
        (void)entry(&h, &qn, redacts(&h, &r, NULL));
        about(&h, r);
        erased(&h, "secret of the record");
        erased(&h, "secret of an edit");
        every_order(&h, &reference, variant > 0, 5);
        history_close(&h);
    }
    office_close(&reference);
}

/* ---- arriving in parts ---------------------------------------------------------------------------------------------------------- */

/* Two copies share entries in front of where they part, and each signs them in a piece of its own. */
static void branches_that_overlap(void **state)
{
    (void)state;
    struct history h;
    members(&h, "overlaps", false);
    const struct focal_ref r = entry(&h, &k, says(&h, NULL, true, "first value", NULL));
    struct line alone = k, copy = k;
    struct forged_entry shared = says(&h, &r, false, "secret of both", NULL);
    struct forged_entry one[2] = { shared, says(&h, &r, false, "by the one", NULL) };
    struct forged_entry other[2] = { shared, says(&h, &r, false, "by the other", NULL) };
    (void)piece(&h, &k, one, 2);
    (void)piece(&h, &copy, other, 2);
    const struct focal_ref both = entry(&h, &alone, shared);
    (void)entry(&h, &kn, redacts(&h, &both, NULL));
    (void)entry(&h, &k, says(&h, &r, false, NULL, "and on"));
    (void)entry(&h, &s, instead(&h, says(&h, &r, false, "by another", NULL), &both, NULL, 1));
    about(&h, r);
    erased(&h, "secret of both");
    kept(&h, "by the other");
    all_orders(&h, 1);
}

/* What waits for its signature means nothing yet, and what is redacted of it must go as well. */
static void pieces_that_wait_for_a_signature(void **state)
{
    (void)state;
    struct history h;
    members(&h, "unsigned", false);
    struct forged_entry list[2] = { begin_entry, says(&h, NULL, true, "first value", NULL) };
    const struct focal_ref r = piece_of(&h, &k, list, 2, false);
    struct forged_entry next = says(&h, &r, false, NULL, "signed with it");
    (void)piece(&h, &k, &next, 1);
    list[1] = says(&h, &r, false, "secret of an edit", NULL);
    const struct focal_ref edit = piece_of(&h, &s, list, 2, false);
    next = instead(&h, says(&h, &r, false, "after the secret", NULL), &edit, NULL, 1);
    (void)piece(&h, &s, &next, 1);
    (void)entry(&h, &kn, redacts(&h, &edit, NULL));
    (void)entry(&h, &qn, redacts(&h, &edit, NULL));
    about(&h, r);
    erased(&h, "secret of an edit");
    kept(&h, "signed with it");
    all_orders(&h, 1);
}

/* ---- rights ------------------------------------------------------------------------------------------------------------------- */

/* The right to redact comes somewhere in the middle, with the epoch of who has it. */
static void a_right_that_comes_late(void **state)
{
    (void)state;
    struct history h;
    members(&h, "late right", false);
    const struct focal_ref r = entry(&h, &k, says(&h, NULL, true, "seen by all", NULL));
    const struct focal_ref edit = entry(&h, &s, says(&h, &r, false, "secret of an edit", NULL));
    certificate(&h, &tcd, 1, 0);
    certificate(&h, &tcd, 2, FOCAL_RIGHT_REDACT);
    opens(&h, &tcd, 1);
    (void)entry(&h, &tn, redacts(&h, &edit, NULL));
    (void)entry(&h, &qn, redacts(&h, NULL, &r));
    about(&h, r);
    erased(&h, "secret of an edit");
    all_orders(&h, 20);
}

/* Pieces of an author whose certificate is not told wait, and change nothing, in whatever order. */
static void what_an_untold_author_wrote(void **state)
{
    (void)state;
    struct office reference;
    for (int cut = 0; cut < 2; cut++) {
        struct history h;
        if (cut) {
            (void)leave(state);
            (void)found(state);
        }
        members(&h, cut ? "with an untold author" : "without him", false);
        const struct focal_ref r = entry(&h, &k, says(&h, NULL, true, "first value", NULL));
        const struct focal_ref edit = entry(&h, &s, instead(&h, says(&h, &r, false, "second value", NULL), &r, NULL, 1));
        (void)entry(&h, &kn, redacts(&h, &edit, NULL));
        const size_t told = h.count;
        if (cut) {
            opens(&h, &tcd, 1);
            (void)entry(&h, &t, instead(&h, says(&h, &r, false, "of the untold", NULL), &r, NULL, 1));
            (void)entry(&h, &tn, redacts(&h, &r, NULL));
            erased(&h, "of the untold");
        }
        for (size_t i = told; i < h.count; i++)
            h.steps[i].never = true;
        about(&h, r);
        erased(&h, "second value");
        kept(&h, "first value");
        every_order(&h, &reference, cut, cut ? 2 : 1);
        history_close(&h);
    }
    office_close(&reference);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, found, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(edits_in_two_scopes), WITH(two_copies_of_one_office), WITH(quotes_of_what_comes_and_what_does_not),
        WITH(a_record_in_two_scopes), WITH(a_record_of_which_a_quote_comes), WITH(a_field_of_the_creating_entry),
        WITH(whole_or_stripped), WITH(a_home_said_again_elsewhere), WITH(a_home_said_again_twice),
        WITH(branches_that_overlap), WITH(pieces_that_wait_for_a_signature),
        WITH(a_right_that_comes_late), WITH(what_an_untold_author_wrote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
