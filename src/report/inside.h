/* Shared by the files of this room only. */
#ifndef FOCAL_REPORT_INSIDE_H
#define FOCAL_REPORT_INSIDE_H

#include "focal/report.h"

enum {
    SECTIONS_MAX = 64,
    CASE_FIELDS = 14,                   /* fields of a case of which every case has one value */
    KINDS_OF_CELLS = CASE_FIELDS + 2,   /* and victim_sex_age, perpetrator_sex */
    VICTIM_CELLS = CASE_FIELDS, PERPETRATOR_CELLS = CASE_FIELDS + 1
};

/* What is counted, in the order in which tables stand. */
struct counted {
    const char *table;                  /* name of the table */
    const char *field;                  /* of the case */
    bool always;                        /* listed even when no case states it */
    bool by_victim;                     /* usually shown by victim as well */
};
extern const struct counted focal_report_counted[KINDS_OF_CELLS];
const struct focal_field *focal_report_field(size_t i);

/* A value as a number that tells cells apart: 0 absent, 1 not understood here, else 2 more than what its type says. */
enum { KEY_ABSENT = 0, KEY_NEWER = 1, KEY_FIRST = 2 };
uint64_t focal_report_key(size_t counted, struct focal_span value);
/* The place of a cell in its table. */
uint64_t focal_report_rank(size_t counted, uint64_t key);
void focal_report_code(struct focal_buf *, size_t counted, uint64_t key);            /* "female.child" */
void focal_report_label(struct focal_buf *, const char *table, const char *code);    /* "Female, child" */

struct tally { uint64_t key, count[FOCAL_UNITS]; };
struct tallies {
    struct tally *list; size_t count, cap;
    uint64_t two_versions[FOCAL_UNITS];
};

struct section {
    struct focal_report_section shown;
    bool all;
    uint32_t first, last;               /* quarters */
    struct tallies tallies[KINDS_OF_CELLS];
    size_t every_table;                 /* tables there are; shown.table_count of them are listed */
};

struct coverage { char *office; bool heard; uint64_t last_heard_s; };

struct focal_report {
    struct section *sections; size_t section_count;
    char *office, *network, *program, *made_on, *frontier;
    bool generated, every_unit, finished;
    struct focal_buf cases;             /* one stretch for each record, see take.c */
    struct focal_buf links;             /* pairs of references */
    struct coverage *coverage; size_t coverage_count, coverage_cap;
    const struct focal_figures *published;
    struct focal_arena arena;
};

/* One case as it stands in `cases`. */
struct taken {
    uint8_t ref[FOCAL_REF_BYTES];
    bool complete, newer, two_versions, withdrawn, withdrawn_changed;
    bool counts;                        /* in the period of some section, and the rest stands here */
    uint32_t quarter;                   /* 0: none */
    uint64_t versions_of;               /* bit for each counted field */
    uint64_t keys[CASE_FIELDS];
    struct focal_span victims, perpetrators;            /* varint keys; after each of perpetrators: people * 2 + at least */
    uint64_t victim_count, perpetrator_count;
};
bool focal_report_taken_next(struct focal_cur *, struct taken *);
bool focal_report_section_holds(const struct section *, const struct taken *);

/* References that are linked, sorted, with the one of each group that counts. */
struct linked { uint8_t ref[FOCAL_REF_BYTES]; size_t group; uint32_t best_quarter; uint8_t best[FOCAL_REF_BYTES]; bool any; };
FOCAL_MUST_USE enum focal_status focal_report_links_open(struct linked **, size_t *count, const struct focal_report *);
bool focal_report_links_counts(const struct linked *, size_t count, const struct taken *);

FOCAL_MUST_USE enum focal_status focal_report_tables_make(struct focal_report *);

/* ---- renderings ---- */

#define NOT_FOR_RELEASE "internal, not for release"
#define GENERATED_NOTE "made from generated rows: no case in it is real"

struct page { struct focal_buf buf; focal_write *write; void *data; enum focal_status status; };
void focal_report_page_open(struct page *, focal_write *, void *data);
void focal_report_page_flush(struct page *, bool whole);             /* gives on what is there when it is much, or the rest */
FOCAL_MUST_USE enum focal_status focal_report_page_close(struct page *);
void focal_report_page_number(struct focal_buf *, uint64_t);         /* 12 345 with thin groups; plain below 10 000 */
void focal_report_page_since(struct focal_buf *, uint64_t seconds);  /* "4 min", "2 d 3 h" */
struct heard { size_t offices, lately; };
struct heard focal_report_page_heard(const struct focal_report *);
bool focal_report_page_lately(const struct coverage *);
/* "data to 2026-11-21"; what is not known of an office is said. */
void focal_report_page_data_to(struct focal_buf *, const struct focal_report *, const struct coverage *);
bool focal_report_page_chart(const struct focal_table *);            /* all get bars but those that are long and say nothing by their shape */
void focal_report_html_text(struct focal_buf *, const char *);
void focal_report_html_chart(struct focal_buf *, const struct focal_table *, size_t number);
void focal_report_html_style(struct focal_buf *);

enum focal_status focal_report_render_text(const struct focal_report *, focal_write *, void *);
enum focal_status focal_report_render_csv(const struct focal_report *, focal_write *, void *);
enum focal_status focal_report_render_json(const struct focal_report *, focal_write *, void *);
enum focal_status focal_report_render_html(const struct focal_report *, focal_write *, void *);

#endif
