/* Cases made from published figures: counted again, they give every published number. The counting here is its own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "exchange_record.h"

#include <stdio.h>
#include <string.h>

#define HEAD "period,unit,dimension,part,value,count,source,note\n"
enum { TODAY = 20000, CELLS_MAX = 300, TABLES_MAX = 80, ROOM = 64 << 20 };

struct tally { char name[32]; enum focal_unit unit; struct focal_table_cell cells[CELLS_MAX]; char codes[CELLS_MAX][48]; size_t count; uint64_t stated; };
struct counting {
    struct focal_row row;
    struct focal_refusals refusals;
    struct tally tallies[TABLES_MAX]; size_t tally_count;
    uint64_t totals[FOCAL_UNITS], without_victims, without_country;
    struct focal_buf all;               /* every byte, to see that it is the same each time */
};

static void tally(struct counting *c, const char *name, enum focal_unit unit, const char *code, uint64_t by)
{
    struct tally *t = NULL;
    for (size_t i = 0; i < c->tally_count && !t; i++) {
        if (c->tallies[i].unit == unit && strcmp(c->tallies[i].name, name) == 0)
            t = &c->tallies[i];
    }
    if (!t) {
        assert_true(c->tally_count < TABLES_MAX);
        t = &c->tallies[c->tally_count++];
        snprintf(t->name, sizeof t->name, "%s", name);
        t->unit = unit;
        t->count = 0;
        t->stated = 0;
    }
    size_t i = 0;
    while (i < t->count && strcmp(t->codes[i], code) != 0)
        i++;
    if (i == t->count) {
        assert_true(t->count < CELLS_MAX);
        snprintf(t->codes[i], sizeof t->codes[i], "%s", code);
        t->cells[i] = (struct focal_table_cell){ t->codes[i], 0 };
        t->count++;
    }
    t->cells[i].count += by;
    t->stated += by;
}

static void count_row(struct counting *c, const struct focal_row_item *item, const uint64_t people[FOCAL_UNITS])
{
    struct focal_buf text;
    focal_buf_init(&text, 4096);
    focal_value_print(&text, item->field, item->value);
    char code[48];
    snprintf(code, sizeof code, "%s", focal_buf_cstr(&text));
    focal_buf_close(&text);
    if (strcmp(item->field->name, "victims") == 0) {
        if (strcmp(code, ".") != 0)
            tally(c, "victim_sex_age", FOCAL_UNIT_VICTIM, code, 1);
    } else if (strcmp(item->field->name, "perpetrators") == 0) {
        char *dot = strchr(code, '.');
        assert_non_null(dot);
        assert_string_equal(dot, ".1");
        *dot = 0;
        if (code[0])
            tally(c, "perpetrator_sex", FOCAL_UNIT_PERPETRATOR, code, 1);
    } else {
        for (unsigned u = 0; u < FOCAL_UNITS; u++)
            tally(c, item->field->name, (enum focal_unit)u, code, people[u]);
    }
}

static enum focal_status count_case(void *data, struct focal_span json)
{
    struct counting *c = data;
    struct focal_intake_for intake = { .kind = focal_kind_by_name("case"), .today = TODAY };
    uint64_t people[FOCAL_UNITS] = { 1, 0, 0 };
    bool country = false;
    if (focal_rows_from_json(&c->row, &intake, json, 1, &c->refusals) != FOCAL_OK)
        fail_msg("%.*s: %s", (int)json.len, (const char *)json.data, c->refusals.list[0].reason);
    for (size_t i = 0; i < c->row.item_count; i++) {
        people[FOCAL_UNIT_VICTIM] += strcmp(c->row.items[i].field->name, "victims") == 0;
        people[FOCAL_UNIT_PERPETRATOR] += strcmp(c->row.items[i].field->name, "perpetrators") == 0;
        country = country || strcmp(c->row.items[i].field->name, "country") == 0;
    }
    for (size_t i = 0; i < c->row.item_count; i++)
        count_row(c, &c->row.items[i], people);
    for (unsigned u = 0; u < FOCAL_UNITS; u++)
        c->totals[u] += people[u];
    c->without_victims += people[FOCAL_UNIT_VICTIM] == 0;
    c->without_country += !country;
    focal_buf_span(&c->all, json);
    focal_buf_u8(&c->all, '\n');
    return FOCAL_OK;
}

static void open_counting(struct counting *c)
{
    memset(c, 0, sizeof *c);
    focal_row_init(&c->row);
    focal_refusals_init(&c->refusals);
    focal_buf_init(&c->all, ROOM);
}

static void close_counting(struct counting *c)
{
    focal_row_close(&c->row);
    focal_refusals_close(&c->refusals);
    focal_buf_close(&c->all);
}

static void all_equal(const struct counting *c, const struct focal_figure_period *period)
{
    struct focal_table tables[TABLES_MAX];
    struct focal_besides besides;
    for (size_t i = 0; i < c->tally_count; i++) {
        const struct tally *t = &c->tallies[i];
        tables[i] = (struct focal_table){ .name = t->name, .unit = t->unit, .cells = t->cells, .cell_count = t->count,
                                          .not_stated = c->totals[t->unit] - t->stated, .total = c->totals[t->unit] };
    }
    assert_int_equal(focal_beside_open(&besides, period, tables, c->tally_count, c->totals), FOCAL_OK);
    for (size_t i = 0; i < besides.count; i++) {
        const struct focal_beside *b = &besides.list[i];
        bool nothing_there = !b->held;
        for (size_t k = 0; k < b->cell_count; k++) {
            nothing_there = nothing_there && b->cells[k].published == 0;
            if (b->cells[k].published != b->cells[k].ours)
                fail_msg("%s %s by %s, %s: published %llu, ours %llu", period->period, b->name, focal_unit_name(b->unit), b->cells[k].value,
                         (unsigned long long)b->cells[k].published, (unsigned long long)b->cells[k].ours);
        }
        if (!b->equal && !nothing_there)
            fail_msg("%s %s by %s: not published %llu, ours %llu", period->period, b->name, focal_unit_name(b->unit),
                     (unsigned long long)b->not_published, (unsigned long long)b->ours_rest);
    }
    focal_beside_close(&besides);
}

static struct focal_figures *parse(struct focal_span text)
{
    struct focal_figures *figures;
    struct focal_refusals refusals;
    focal_refusals_init(&refusals);
    if (focal_figures_parse(&figures, text, &refusals) != FOCAL_OK)
        fail_msg("line %llu: %s", (unsigned long long)refusals.list[0].line, refusals.list[0].reason);
    focal_refusals_close(&refusals);
    return figures;
}

static struct counting counting;

static void made(const struct focal_figure_period *period, uint64_t seed)
{
    struct focal_cases_setup setup = { .seed = seed };
    struct focal_error err = { 0 };
    open_counting(&counting);
    if (focal_cases_make(period, &setup, count_case, &counting, &err) != FOCAL_OK)
        fail_msg("seed %llu: %s", (unsigned long long)seed, err.message);
    all_equal(&counting, period);
}

static void comes_out(const char *rows)
{
    struct focal_buf text;
    focal_buf_init(&text, ROOM);
    focal_buf_printf(&text, HEAD "%s", rows);
    struct focal_figures *figures = parse(focal_buf_view(&text));
    for (size_t i = 0; i < figures->period_count; i++) {
        for (uint64_t seed = 1; seed <= 5; seed++) {
            made(&figures->periods[i], seed);
            close_counting(&counting);
        }
    }
    focal_figures_close(figures);
    focal_buf_close(&text);
}

static void refused(const char *rows, const char *a, const char *b)
{
    struct focal_buf text;
    struct focal_cases_setup setup = { .seed = 1 };
    struct focal_error err = { 0 };
    focal_buf_init(&text, ROOM);
    focal_buf_printf(&text, HEAD "%s", rows);
    struct focal_figures *figures = parse(focal_buf_view(&text));
    open_counting(&counting);
    assert_int_equal(focal_cases_make(&figures->periods[0], &setup, count_case, &counting, &err), FOCAL_REFUSED);
    assert_int_equal(counting.totals[0], 0);
    if (!strstr(err.message, a) || !strstr(err.message, b))
        fail_msg("\"%s\" does not name \"%s\" and \"%s\"", err.message, a, b);
    close_counting(&counting);
    focal_figures_close(figures);
    focal_buf_close(&text);
}

static void the_shipped_quarters(void **state)
{
    (void)state;
    struct focal_buf text;
    focal_buf_init(&text, ROOM);
    exchange_file(&text, FOCAL_SOURCE_DIR "/conf/data/un_sea_quarterly.csv");
    struct focal_figures *figures = parse(focal_buf_view(&text));
    for (size_t i = 0; i < figures->period_count; i++) {
        made(&figures->periods[i], 7);
        assert_null(strstr(focal_buf_cstr(&counting.all), "\"channel\""));      /* nothing is invented */
        assert_null(strstr(focal_buf_cstr(&counting.all), "received_date"));
        assert_int_equal(counting.without_country, counting.totals[FOCAL_UNIT_ALLEGATION]);
        close_counting(&counting);
    }
    focal_figures_close(figures);
    focal_buf_close(&text);
}

static void same_seed_same_bytes(void **state)
{
    (void)state;
    static const char *const countries[] = { "KEN", "SSD", "COD" };
    struct focal_figures *figures = parse(focal_span_text(HEAD "2018-Q1,allegation,total,,all,7,,\n2018-Q1,victim,total,,all,9,,\n2018-Q1,allegation,status,,received,5,,\n"));
    struct focal_buf first;
    struct focal_error err;
    focal_buf_init(&first, ROOM);
    for (int i = 0; i < 3; i++) {
        struct focal_cases_setup setup = { .seed = i == 2 ? 4 : 3, .countries = countries, .country_count = 3 };
        open_counting(&counting);
        assert_int_equal(focal_cases_make(&figures->periods[0], &setup, count_case, &counting, &err), FOCAL_OK);
        assert_int_equal(counting.without_country, 0);
        if (i == 0)
            focal_buf_span(&first, focal_buf_view(&counting.all));
        assert_int_equal(focal_span_equal(focal_buf_view(&first), focal_buf_view(&counting.all)), i != 2);
        close_counting(&counting);
    }
    focal_buf_close(&first);
    focal_figures_close(figures);
}

#define T(period, a, v) period ",allegation,total,,all," #a ",,\n" period ",victim,total,,all," #v ",,\n"
#define ROW(period, unit, name, part, value, n) period "," unit "," name "," part "," value "," #n ",,\n"
#define Q3(unit, name, part, value, n) ROW("2018-Q3", unit, name, part, value, n)

static void counted_in_another_unit(void **state)
{
    (void)state;
    /* Type by victim alone, and with the same table by allegation. */
    comes_out(T("2018-Q3", 64, 77) Q3("victim", "allegation_type", "", "sexual_exploitation", 36) Q3("victim", "allegation_type", "", "sexual_abuse", 30)
              Q3("victim", "allegation_type", "", "unknown", 11));
    comes_out(T("2018-Q3", 64, 77) Q3("victim", "allegation_type", "", "sexual_exploitation", 36) Q3("victim", "allegation_type", "", "sexual_abuse", 41)
              Q3("allegation", "allegation_type", "", "sexual_exploitation", 60) Q3("allegation", "allegation_type", "", "sexual_abuse", 4));
    /* Fewer victims than cases; more by far; a part that leaves some out. */
    comes_out(T("2018-Q3", 64, 5) Q3("victim", "allegation_type", "", "sexual_exploitation", 3) Q3("victim", "allegation_type", "", "sexual_abuse", 2));
    comes_out(T("2018-Q3", 3, 300) Q3("victim", "allegation_type", "partial", "sexual_abuse", 299));
    /* Two dimensions by victim at once, one of them by allegation as well; and one by perpetrator. */
    comes_out(T("2018-Q3", 64, 77) "2018-Q3,perpetrator,total,,all,81,,\n"
              Q3("victim", "allegation_type", "", "sexual_exploitation", 36) Q3("victim", "allegation_type", "", "sexual_abuse", 41)
              Q3("allegation", "allegation_type", "", "sexual_exploitation", 40) Q3("allegation", "allegation_type", "", "sexual_abuse", 24)
              Q3("victim", "entity_class", "", "peace_operation", 20) Q3("victim", "entity_class", "", "implementing_partner", 57)
              Q3("allegation", "entity_class", "", "peace_operation", 33) Q3("allegation", "entity_class", "", "implementing_partner", 31)
              Q3("perpetrator", "entity_class", "", "peace_operation", 50) Q3("perpetrator", "entity_class", "", "implementing_partner", 31)
              Q3("perpetrator", "personnel_category", "", "civilian_staff", 80) Q3("perpetrator", "personnel_category", "", "unknown", 1));
    /* Three by victim, without tables by allegation. */
    comes_out(T("2018-Q3", 20, 33) Q3("victim", "allegation_type", "", "sexual_exploitation", 11) Q3("victim", "allegation_type", "", "sexual_abuse", 22)
              Q3("victim", "status", "", "received", 17) Q3("victim", "status", "", "substantiated", 16)
              Q3("victim", "channel", "", "hotline", 5) Q3("victim", "channel", "", "in_person", 25) Q3("victim", "channel", "", "unknown", 3));
}

static void spanning_codes(void **state)
{
    (void)state;
    comes_out(T("2018-Q3", 30, 31) Q3("allegation", "incident_period", "", "2015+2016+2017", 12) Q3("allegation", "incident_period", "", "before-2015", 3)
              Q3("allegation", "incident_period", "", "unknown", 15) Q3("victim", "victim_sex_age", "", "female.adult+female.child", 20)
              Q3("victim", "victim_sex_age", "", "unknown.unknown", 11));
    /* Coarser by victim than by allegation, and finer; the same field in two partitions that cross. */
    comes_out(T("2018-Q3", 30, 41) Q3("allegation", "allegation_type", "", "sexual_exploitation", 12) Q3("allegation", "allegation_type", "", "sexual_abuse", 8)
              Q3("allegation", "allegation_type", "", "other", 10) Q3("victim", "allegation_type", "", "sexual_exploitation+sexual_abuse", 12)
              Q3("victim", "allegation_type", "", "other", 29));
    comes_out(T("2018-Q3", 30, 41) Q3("allegation", "allegation_type", "", "sexual_exploitation+sexual_abuse", 20) Q3("allegation", "allegation_type", "", "other+unknown", 10)
              Q3("victim", "allegation_type", "", "sexual_exploitation", 12) Q3("victim", "allegation_type", "", "sexual_abuse+other", 24) Q3("victim", "allegation_type", "", "unknown", 5));
    comes_out(T("2018-Q3", 30, 41) Q3("allegation", "incident_period", "", "2015+2016", 20) Q3("allegation", "incident_period", "", "2017", 10)
              Q3("allegation", "incident_period", "overlap", "2016+2017", 13) Q3("allegation", "incident_period", "overlap", "2016", 3));
}

static void partial_and_overlap(void **state)
{
    (void)state;
    comes_out(T("2018-Q3", 30, 41) Q3("allegation", "member_state_referral", "overlap", "referred", 12) Q3("allegation", "member_state_referral", "overlap", "pending", 9)
              Q3("victim", "victim_sex_age", "partial", "female.child", 13) Q3("allegation", "status", "", "received", 4) Q3("allegation", "channel", "partial", "hotline", 0));
    /* By victim in part: the others have some other type. */
    comes_out(T("2018-Q3", 30, 41) Q3("allegation", "allegation_type", "", "sexual_exploitation", 12) Q3("allegation", "allegation_type", "", "sexual_abuse", 18)
              Q3("victim", "allegation_type", "partial", "sexual_abuse", 19));
    /* No total printed: what the tables say is the total. */
    comes_out(Q3("allegation", "status", "", "received", 4) Q3("allegation", "status", "", "substantiated", 2) Q3("perpetrator", "perpetrator_sex", "", "male", 7));
    comes_out(T("2018-Q3", 0, 0) T("2018-Q4", 2, 0) "2018-Q3,allegation,status,,received,0,,\n");
    comes_out(T("2018-Q3", 12, 12) Q3("allegation", "country", "", "KEN", 5) Q3("allegation", "country", "", "SSD", 7) Q3("victim", "country", "", "KEN", 10) Q3("victim", "country", "", "SSD", 2));
}

static void overlapping_parts_above_the_total_are_left_out(void **state)
{
    (void)state;
    struct focal_figures *figures = parse(focal_span_text(HEAD T("2018-Q3", 10, 0) Q3("allegation", "channel", "overlap", "hotline", 8) Q3("allegation", "channel", "overlap", "media", 7)
                                                          Q3("allegation", "status", "", "received", 10)));
    struct focal_cases_setup setup = { .seed = 1 };
    struct focal_error err;
    open_counting(&counting);
    assert_int_equal(focal_cases_make(&figures->periods[0], &setup, count_case, &counting, &err), FOCAL_OK);
    assert_int_equal(counting.totals[0], 10);
    assert_null(strstr(focal_buf_cstr(&counting.all), "channel"));
    assert_non_null(strstr(focal_buf_cstr(&counting.all), "\"status\":\"received\""));
    close_counting(&counting);
    focal_figures_close(figures);
}

static void what_no_cases_give(void **state)
{
    (void)state;
    /* Victims of a type of which there is no case. */
    refused(T("2018-Q3", 10, 12) Q3("allegation", "allegation_type", "", "sexual_abuse", 10) Q3("victim", "allegation_type", "", "sexual_abuse", 11)
            Q3("victim", "allegation_type", "", "sexual_exploitation", 1), "allegation_type by victim", "allegation_type by allegation");
    /* Victims left out by type although every case has a type that is there. */
    refused(T("2018-Q3", 10, 12) Q3("allegation", "allegation_type", "", "sexual_abuse", 10) Q3("victim", "allegation_type", "", "sexual_abuse", 11),
            "allegation_type by victim", "allegation_type by allegation");
    /* One case bears ten victims; they cannot be of two channels. */
    refused(T("2018-Q3", 2, 10) Q3("allegation", "allegation_type", "", "sexual_abuse", 1) Q3("allegation", "allegation_type", "", "other", 1)
            Q3("victim", "allegation_type", "", "sexual_abuse", 10) Q3("victim", "allegation_type", "", "other", 0)
            Q3("victim", "channel", "", "hotline", 5) Q3("victim", "channel", "", "media", 5), "by victim", "by ");
    /* People without any case. */
    refused(T("2018-Q3", 0, 10), "total by allegation", "total by victim");
    refused(Q3("perpetrator", "perpetrator_sex", "", "male", 7), "total by allegation", "total by perpetrator");
    refused(ROW("2018", "allegation", "status", "", "received", 7), "2018", "quarter");
}

/* Figures counted from cases drawn at random can be met by some cases, and so cases must be found. */
static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 33) % below;
}

static void put_margins(struct focal_buf *out, const char *unit, const char *name, const char *const *codes, const uint64_t *counts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        focal_buf_printf(out, "2019-Q1,%s,%s,,%s,%llu,,\n", unit, name, codes[i], (unsigned long long)counts[i]);
}

static void what_cases_gave_cases_give(void **state)
{
    (void)state;
    static const char *const types[] = { "sexual_exploitation", "sexual_abuse", "other", "unknown" }, *const classes[] = { "peace_operation", "ngo", "contractor" };
    for (uint64_t run = 1; run <= 40; run++) {
        uint64_t random = run, cases = 1 + draw(&random, 60), people = 0, by_type[2][4] = { { 0 } }, by_class[2][3] = { { 0 } };
        for (uint64_t i = 0; i < cases; i++) {
            uint64_t type = draw(&random, 4), cls = draw(&random, 3), victims = draw(&random, 4);
            by_type[0][type]++;
            by_type[1][type] += victims;
            by_class[0][cls]++;
            by_class[1][cls] += victims;
            people += victims;
        }
        struct focal_buf rows;
        focal_buf_init(&rows, ROOM);
        focal_buf_printf(&rows, "2019-Q1,allegation,total,,all,%llu,,\n2019-Q1,victim,total,,all,%llu,,\n", (unsigned long long)cases, (unsigned long long)people);
        put_margins(&rows, "allegation", "allegation_type", types, by_type[0], 4);
        put_margins(&rows, "victim", "allegation_type", types, by_type[1], 4);
        put_margins(&rows, "allegation", "entity_class", classes, by_class[0], 3);
        put_margins(&rows, "victim", "entity_class", classes, by_class[1], 3);
        comes_out(focal_buf_cstr(&rows));
        focal_buf_close(&rows);
    }
}

static void many_cases(void **state)
{
    (void)state;
    comes_out(T("2018-Q3", 5000, 6100) Q3("victim", "allegation_type", "", "sexual_exploitation", 3000) Q3("victim", "allegation_type", "", "sexual_abuse", 3100)
              Q3("allegation", "allegation_type", "", "sexual_exploitation", 2000) Q3("allegation", "allegation_type", "", "sexual_abuse", 3000)
              Q3("victim", "entity_class", "", "peace_operation", 1100) Q3("victim", "entity_class", "", "implementing_partner", 5000)
              Q3("allegation", "entity_class", "", "peace_operation", 2500) Q3("allegation", "entity_class", "", "implementing_partner", 2500));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_quarters), cmocka_unit_test(same_seed_same_bytes), cmocka_unit_test(counted_in_another_unit), cmocka_unit_test(spanning_codes),
        cmocka_unit_test(partial_and_overlap), cmocka_unit_test(overlapping_parts_above_the_total_are_left_out), cmocka_unit_test(what_no_cases_give),
        cmocka_unit_test(what_cases_gave_cases_give), cmocka_unit_test(many_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
