/* The counting itself: every case taken in, once for each section, and of linked ones only the one that counts. */
#include "inside.h"

#include <string.h>

/* ---- people ---- */

struct people { uint64_t count[FOCAL_UNITS]; bool at_least; };

static struct people people_in(const struct taken *taken)
{
    struct people people = { .count = { 1, taken->victim_count, 0 } };
    struct focal_cur cur = focal_cur_of(taken->perpetrators);
    for (uint64_t i = 0; i < taken->perpetrator_count; i++) {
        focal_cur_varint(&cur);
        uint64_t row = focal_cur_varint(&cur);
        people.count[FOCAL_UNIT_PERPETRATOR] += row / 2;
        people.at_least = people.at_least || row % 2;
    }
    focal_assert(!cur.failed);
    return people;
}

/* ---- tallies ---- */

static struct tally *tally_of(struct tallies *t, uint64_t key)
{
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (t->list[mid].key < key)
            low = mid + 1;
        else
            high = mid;
    }
    if (low < t->count && t->list[low].key == key)
        return &t->list[low];
    if (t->count == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 16;
        struct tally *list = focal_realloc(t->list, cap * sizeof *list);
        if (!list)
            return NULL;
        t->list = list;
        t->cap = cap;
    }
    memmove(&t->list[low + 1], &t->list[low], (t->count - low) * sizeof *t->list);
    t->count++;
    t->list[low] = (struct tally){ .key = key };
    return &t->list[low];
}

static bool tally(struct tallies *t, uint64_t key, const uint64_t by[FOCAL_UNITS])
{
    struct tally *cell = tally_of(t, key);
    for (unsigned u = 0; u < FOCAL_UNITS && cell; u++)
        cell->count[u] += by[u];
    return cell != NULL;
}

static bool tally_rows(struct section *section, const struct taken *taken)
{
    bool room = true;
    struct focal_cur cur = focal_cur_of(taken->victims);
    for (uint64_t i = 0; i < taken->victim_count && room; i++)
        room = tally(&section->tallies[VICTIM_CELLS], focal_cur_varint(&cur), (const uint64_t[FOCAL_UNITS]){ 0, 1, 0 });
    cur = focal_cur_of(taken->perpetrators);
    for (uint64_t i = 0; i < taken->perpetrator_count && room; i++) {
        uint64_t key = focal_cur_varint(&cur), people = focal_cur_varint(&cur) / 2;
        room = tally(&section->tallies[PERPETRATOR_CELLS], key, (const uint64_t[FOCAL_UNITS]){ 0, 0, people });
    }
    return room;
}

static bool count_case(struct section *section, const struct taken *taken)
{
    struct people people = people_in(taken);
    for (size_t i = 0; i < CASE_FIELDS; i++) {
        bool versions = taken->versions_of >> i & 1;
        for (unsigned u = 0; u < FOCAL_UNITS && versions; u++)
            section->tallies[i].two_versions[u] += people.count[u] > 0;
        if (!tally(&section->tallies[i], taken->keys[i], people.count))
            return false;
    }
    for (unsigned u = 0; u < FOCAL_UNITS; u++)
        section->shown.totals[u] += people.count[u];
    section->shown.at_least = section->shown.at_least || people.at_least;
    section->shown.two_versions += taken->two_versions;
    section->shown.needs_newer += taken->newer;
    return tally_rows(section, taken);
}

static bool count_in_section(struct section *section, const struct taken *taken, bool counts)
{
    if (taken->withdrawn) {
        bool here = focal_report_section_holds(section, taken);
        section->shown.withdrawn += here;
        section->shown.withdrawn_changed += here && taken->withdrawn_changed;
        return true;
    }
    if (!taken->complete) {
        section->shown.waiting += taken->quarter == 0 || focal_report_section_holds(section, taken);
        return true;
    }
    if (taken->quarter == 0 && counts)
        section->shown.without_quarter++;
    if (!focal_report_section_holds(section, taken))
        return true;
    if (!counts) {
        section->shown.linked++;
        return true;
    }
    return count_case(section, taken);
}

static enum focal_status count_all(struct focal_report *report)
{
    struct linked *links;
    size_t link_count;
    struct taken taken;
    struct focal_cur cur = focal_cur_of(focal_buf_view(&report->cases));
    bool room = focal_report_links_open(&links, &link_count, report) == FOCAL_OK;
    while (room && focal_report_taken_next(&cur, &taken)) {
        bool counts = focal_report_links_counts(links, link_count, &taken);
        for (size_t i = 0; i < report->section_count && room; i++)
            room = count_in_section(&report->sections[i], &taken, counts);
    }
    focal_free(links);
    return room ? FOCAL_OK : FOCAL_NO_MEMORY;
}

/* ---- the door ---- */

enum focal_status focal_report_finish(struct focal_report *report)
{
    focal_assert(!report->finished);
    if (report->cases.failed || report->links.failed)
        return FOCAL_NO_MEMORY;
    enum focal_status status = count_all(report);
    focal_buf_close(&report->cases);
    focal_buf_close(&report->links);
    if (status == FOCAL_OK)
        status = focal_report_tables_make(report);
    report->finished = status == FOCAL_OK;
    return status;
}

size_t focal_report_section_count(const struct focal_report *report)
{
    return report->section_count;
}

const struct focal_report_section *focal_report_section_at(const struct focal_report *report, size_t i)
{
    focal_assert(report->finished && i < report->section_count);
    return &report->sections[i].shown;
}

const struct focal_table *focal_report_table(const struct focal_report *report, const char *period, const char *name, enum focal_unit unit)
{
    focal_assert(report->finished);
    for (size_t i = 0; i < report->section_count; i++) {
        const struct section *section = &report->sections[i];
        for (size_t t = 0; t < section->every_table && strcmp(section->shown.period, period) == 0; t++) {
            const struct focal_table *table = &section->shown.tables[t];
            if (table->unit == unit && strcmp(table->name, name) == 0)
                return table;
        }
    }
    return NULL;
}
