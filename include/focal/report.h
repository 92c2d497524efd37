/* report: cases counted into tables, and the tables on paper and screen.
 *
 * Here: the counting rules (DATA.md), tables for one or more periods, published figures beside ours, and the renderings
 * text, csv, json and html. Every printed number carries its unit; every rendering says "internal, not for release".
 * Not here: where records come from, disclosure control, files.
 *
 *     focal_report_open      which periods
 *     focal_report_add       each case record that this node holds, in any order, once
 *     focal_report_coverage  which offices were heard when
 *     focal_report_publish   published figures to stand beside ours (may be left out)
 *     focal_report_finish    linked cases are joined, tables are made
 *     focal_report_render    as often as wanted
 *
 * Memory: about 60 bytes for each case added, until finish; copies all text given. Threads: pure, one at a time. */
#ifndef FOCAL_REPORT_H
#define FOCAL_REPORT_H

#include "focal/exchange.h"

struct focal_report;

struct focal_report_setup {
    /* "2018-Q2", "2018", "all", or several of them with commas between: then one section each. NULL: "all". */
    const char *period;
    const char *office, *network, *program; /* shown; each may be NULL */
    const char *made_on;                    /* the caller's calendar day, YYYY-MM-DD; NULL: not shown */
    const char *frontier;                   /* digest of what was counted; NULL: shown as not known */
    bool generated;                         /* the cases are made up: every rendering says so */
    bool every_unit;                        /* lists each field's table in every unit, not only the usual ones */
};
/* USAGE: no such period; err says how to write one. */
FOCAL_MUST_USE enum focal_status focal_report_open(struct focal_report **, const struct focal_report_setup *, struct focal_error *);
void focal_report_close(struct focal_report *);

/* Records of other kinds, and of a kind not known, are passed over. A record that is not complete is not counted but
 * counted as waiting. Cases linked by same_as count once: the one of the earliest quarter, of these the smallest
 * reference. A withdrawn case is not counted, but what it links stays linked. NO_MEMORY, TOO_BIG: the report cannot be finished. */
FOCAL_MUST_USE enum focal_status focal_report_add(struct focal_report *, const struct focal_record *);
FOCAL_MUST_USE enum focal_status focal_report_coverage(struct focal_report *, const char *office, bool heard, uint64_t last_heard_s);
/* Periods of the file that are no section of the report are passed over. The figures must outlive the report. */
void focal_report_publish(struct focal_report *, const struct focal_figures *);
FOCAL_MUST_USE enum focal_status focal_report_finish(struct focal_report *);

/* ---- after finish ------------------------------------------------------------------------------------------------------ */

struct focal_report_section {
    char period[12];
    uint64_t totals[FOCAL_UNITS];
    bool at_least;                          /* of perpetrators */
    uint64_t two_versions;                  /* cases counted that have two versions of something */
    uint64_t waiting;                       /* records of which the beginning has not come yet */
    uint64_t linked;                        /* cases not counted, because a linked one is */
    uint64_t withdrawn;                     /* cases not counted, because they are withdrawn */
    uint64_t withdrawn_changed;             /* of these, not as their withdrawal saw them */
    uint64_t without_quarter;               /* cases in no quarter; only "all" counts them */
    uint64_t needs_newer;                   /* cases counted that hold something this program does not understand */
    const struct focal_table *tables; size_t table_count;       /* the usual ones first */
    bool has_published;
    struct focal_besides beside;            /* when has_published */
};
size_t focal_report_section_count(const struct focal_report *);
const struct focal_report_section *focal_report_section_at(const struct focal_report *, size_t i);
/* Any table, also one that is not listed; NULL: no such field, or no such period. */
const struct focal_table *focal_report_table(const struct focal_report *, const char *period, const char *name, enum focal_unit);

/* ---- renderings ---------------------------------------------------------------------------------------------------------- */

struct focal_renderer {
    const char *name;                       /* "text", "csv", "json", "html" */
    const char *media_type;
    enum focal_status (*render)(const struct focal_report *, focal_write *, void *data);
};
size_t focal_renderer_count(void);
const struct focal_renderer *focal_renderer_at(size_t i);
const struct focal_renderer *focal_renderer_by_name(const char *name);  /* NULL: none */
/* One section: the JSON object of CLI.md on one line. Several: {"schema":…,"sections":[…]}. */
FOCAL_MUST_USE enum focal_status focal_report_render(const struct focal_report *, const struct focal_renderer *, focal_write *, void *data);

#endif
