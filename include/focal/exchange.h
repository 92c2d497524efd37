/* exchange: records and figures on their way in and out as files.
 *
 * Here: CSV and JSON lines, read in pieces and written; a row or a JSON object turned into the values of a record, and a
 * record turned back; files of published figures, and cases made so that they give those figures.
 * Not here: files, the store, the resolving of references (the caller lends a function), counting (report).
 *
 * Everything read is hostile: lines, cells, columns and numbers have limits, and what is refused is refused with line,
 * field, reason and next step. Nothing is written anywhere before the caller has seen all refusals.
 * Memory: whoever opens closes; spans handed to callbacks are good until the callback returns. Threads: pure. */
#ifndef FOCAL_EXCHANGE_H
#define FOCAL_EXCHANGE_H

#include "focal/merge.h"

/* Takes bytes in order; any status but OK ends the work with that status. */
typedef enum focal_status focal_write(void *data, struct focal_span);

enum {
    FOCAL_ROW_BYTES_MAX = 256 << 10,        /* one CSV row or one JSON line */
    FOCAL_ROW_CELLS_MAX = 256,
    FOCAL_REFUSALS_KEPT = 1000              /* the count goes on; the list stops */
};

/* ---- CSV as RFC 4180 has it ---------------------------------------------------------------------------------------- */

/* A byte order mark, CRLF, LF, quoted line ends and a missing last line end are taken. Empty lines are passed over.
 * line is that of the file on which the row begins, from 1; source is the row as it stood, without its line end. */
struct focal_csv_row { uint64_t line; const struct focal_span *cells; size_t cell_count; struct focal_span source; };
struct focal_csv;
FOCAL_MUST_USE enum focal_status focal_csv_open(struct focal_csv **,
    enum focal_status (*row)(void *data, const struct focal_csv_row *), void *data);
void focal_csv_close(struct focal_csv *);
/* Any pieces. MALFORMED, TOO_BIG: err names the line. The first failure stays. */
FOCAL_MUST_USE enum focal_status focal_csv_feed(struct focal_csv *, struct focal_span, struct focal_error *);
FOCAL_MUST_USE enum focal_status focal_csv_finish(struct focal_csv *, struct focal_error *);

uint64_t focal_csv_line(const struct focal_csv *);      /* of the failure, or where reading stands */

/* One cell, quoted when it must be; the caller writes ',' between and "\r\n" after. What a spreadsheet would run as a
 * formula (= + - @ first) is written with an apostrophe before it, and the reader takes that off again. */
void focal_csv_cell(struct focal_buf *, struct focal_span text);

/* ---- JSON text -------------------------------------------------------------------------------------------------------- */

void focal_json_string(struct focal_buf *, struct focal_span utf8);    /* with its quotes */

/* ---- rows to values ------------------------------------------------------------------------------------------------ */

enum focal_row_op { FOCAL_ROW_SET /* register, map key */, FOCAL_ROW_ADD /* set, events: one more row */ };
struct focal_row_item { enum focal_row_op op; const struct focal_field *field; struct focal_span value; /* canonical */ };

/* One record of a file. For an update (id is not empty) the rows of a set field are the whole set as the file has it;
 * what of them is new is for the caller to find. Items stand in schema order, rows of a set in the order of the file. */
struct focal_row {
    uint64_t line;
    struct focal_span id;                   /* text of the column `id` or `record`; empty: a new record */
    struct focal_row_item *items; size_t item_count, item_cap;
    struct focal_arena arena;               /* what the spans look into */
};
void focal_row_init(struct focal_row *);
void focal_row_close(struct focal_row *);
void focal_row_clear(struct focal_row *);
const struct focal_row_item *focal_row_find(const struct focal_row *, uint64_t field, const struct focal_row_item *after);  /* after NULL: the first */

struct focal_refusal { uint64_t line; char field[40], reason[400], hint[240]; };
struct focal_refusals { struct focal_refusal *list; size_t kept, cap; uint64_t total; };
void focal_refusals_init(struct focal_refusals *);
void focal_refusals_close(struct focal_refusals *);

/* What rows are read for. */
struct focal_intake_for {
    const struct focal_kind *kind;
    uint32_t today;                         /* days since 1970, as in focal_value_parse */
    /* Text of a REF field (a reference code, or the long form) to a reference; NULL: only the long form is taken. */
    enum focal_status (*resolve)(void *data, struct focal_ref *, const struct focal_field *, struct focal_span text, struct focal_error *);
    void *data;
};
/* One JSON object of fields by name; `id` and `record` name a record to update. A row is an object of its parts
 * ({"sex":"female","age":"child"}) or text ("female.child"); a set is an array of rows, or text with rows split by ';';
 * a map is an object ({"medical":"accepted"}), an array of rows, or text. Whole numbers may stand for text.
 * null, "" and [] mean absent. Used for `case new --from F.json` and for every line of an import.
 * OK: all of it is in the row. REFUSED, MALFORMED: each fault is added to the refusals, with `line`. NO_MEMORY. */
FOCAL_MUST_USE enum focal_status focal_rows_from_json(struct focal_row *, const struct focal_intake_for *,
    struct focal_span object, uint64_t line, struct focal_refusals *);
/* The same with an object that was read already (struct json_t is jansson's). */
struct json_t;
FOCAL_MUST_USE enum focal_status focal_rows_from_json_object(struct focal_row *, const struct focal_intake_for *,
    const struct json_t *object, uint64_t line, struct focal_refusals *);
/* One field as text, as it stands in a CSV cell or after `--set field=`: rows of a set split by ';', parts by '.'. */
FOCAL_MUST_USE enum focal_status focal_rows_add_text(struct focal_row *, const struct focal_intake_for *,
    const struct focal_field *, struct focal_span text, struct focal_error *);

/* ---- import ---------------------------------------------------------------------------------------------------------- */

enum focal_form { FOCAL_FORM_CSV, FOCAL_FORM_JSONL };
bool focal_form_by_name(enum focal_form *, const char *name);           /* "csv", "jsonl" */

/* Header names of a CSV are field names of the kind, and `id` or `record`. Columns (JSON keys) named `refused` and
 * `two_versions` are passed over, so that a corrected file of refused rows, and an export, can be imported. */
struct focal_import_setup {
    enum focal_form form;
    struct focal_intake_for intake;
    /* A row without fault. */
    enum focal_status (*row)(void *data, const struct focal_row *);
    /* May be NULL: a row with faults: its first refusal, how many, and the row as it stood. */
    enum focal_status (*refused)(void *data, const struct focal_refusal *first, size_t count, struct focal_span source);
    void *data;
};
struct focal_import;
FOCAL_MUST_USE enum focal_status focal_import_open(struct focal_import **, const struct focal_import_setup *);
void focal_import_close(struct focal_import *);
/* Pieces of the file. OK even when rows were refused: look at the refusals. A header that cannot be read, or a fault
 * after which rows cannot be told apart, is a refusal too, and what follows is passed over. Other statuses are those of
 * the callbacks, and NO_MEMORY. */
FOCAL_MUST_USE enum focal_status focal_import_feed(struct focal_import *, struct focal_span, struct focal_error *);
FOCAL_MUST_USE enum focal_status focal_import_finish(struct focal_import *, struct focal_error *);
const struct focal_refusals *focal_import_refusals(const struct focal_import *);
uint64_t focal_import_good(const struct focal_import *);                /* rows without fault */
uint64_t focal_import_bad(const struct focal_import *);                 /* rows with faults */
bool focal_import_broken(const struct focal_import *);                  /* what follows the last refusal was not read */
/* For `--rejects`: the file's first line with one more column (CSV; nothing for JSON lines), and a refused row with its
 * reason in it, as focal_import_setup.refused has it. Both end their line. */
void focal_reject_header(struct focal_buf *, const struct focal_import *);
void focal_reject_row(struct focal_buf *, enum focal_form, const struct focal_refusal *, struct focal_span source);

/* ---- export ---------------------------------------------------------------------------------------------------------- */

/* `id` is the text of the first column or key (a reference code); references in fields go through `print` (NULL: long
 * form). Of two versions the one shown first is written. Fields this program does not know are left out. A file holds either
 * records that are not withdrawn, or those that are; then it says why, and cannot be imported, which would revive them.
 * Sealed fields stand in it only where `open` is given, and of these what it opens: false leaves the value out. */
struct focal_export_for {
    const struct focal_kind *kind;
    void (*print)(void *data, struct focal_buf *, const struct focal_ref *);
    bool (*open)(void *data, struct focal_buf *plain, const struct focal_ref *record, const struct focal_live *);
    void *data;
    bool withdrawn;
};
bool focal_export_wants(const struct focal_export_for *, const struct focal_record *);
void focal_export_csv_header(struct focal_buf *, const struct focal_export_for *);
void focal_export_csv_row(struct focal_buf *, const struct focal_export_for *, const struct focal_record *, const char *id);
void focal_export_json_line(struct focal_buf *, const struct focal_export_for *, const struct focal_record *, const char *id);

/* ---- published figures ------------------------------------------------------------------------------------------------ */

enum focal_unit { FOCAL_UNIT_ALLEGATION, FOCAL_UNIT_VICTIM, FOCAL_UNIT_PERPETRATOR };
#define FOCAL_UNITS 3
const char *focal_unit_name(enum focal_unit);                           /* "allegation" */
const char *focal_unit_plural(enum focal_unit, uint64_t count);         /* "allegations"; "allegation" for 1 */
bool focal_unit_by_name(enum focal_unit *, struct focal_span);

/* A counted table, ours or anybody's: what report makes and what published figures are held against. */
struct focal_table_cell { const char *code; uint64_t count; };
struct focal_table {
    const char *name;                       /* field name, or victim_sex_age, perpetrator_sex */
    const char *label_en;
    enum focal_unit unit;
    const struct focal_table_cell *cells; size_t cell_count;    /* code-table order, zeros left out */
    uint64_t not_stated, total;             /* total = all cells and not_stated */
    uint64_t two_versions;                  /* cases counted here by one of two versions of this field */
    bool at_least;                          /* some perpetrators are counted as "more than 3" or "unknown" */
};

enum focal_part_kind { FOCAL_PART_WHOLE, FOCAL_PART_PARTIAL, FOCAL_PART_OVERLAP };
const char *focal_part_kind_name(enum focal_part_kind);                 /* "", "partial", "overlap" */

struct focal_figure_cell {
    const char *value;                      /* as written: "2015+2016+2017" */
    const char **codes; size_t code_count;  /* "2015", "2016", "2017" */
    uint64_t count, line;
};
struct focal_figure_table {
    const char *name;                       /* dimension */
    enum focal_unit unit;
    enum focal_part_kind part;
    struct focal_figure_cell *cells; size_t cell_count;
    uint64_t sum, not_published;            /* not_published: what the whole and the total leave; 0 for overlap */
};
struct focal_figure_period {
    char period[12];                        /* "2018-Q2" or "2018" */
    bool has_total[FOCAL_UNITS]; uint64_t total[FOCAL_UNITS];   /* has_total false: total is what the tables say at least */
    struct focal_figure_table *tables; size_t table_count;      /* order of the file */
};
struct focal_figures { struct focal_figure_period *periods; size_t period_count; struct focal_arena arena; };

/* A whole file. REFUSED and MALFORMED fill the refusals; *out is NULL then. Parts above their total are refused with the
 * table's name and the difference. */
FOCAL_MUST_USE enum focal_status focal_figures_parse(struct focal_figures **out, struct focal_span csv, struct focal_refusals *);
void focal_figures_close(struct focal_figures *);
const struct focal_figure_period *focal_figures_period(const struct focal_figures *, const char *period);  /* NULL: none */

/* ---- published beside ours ---------------------------------------------------------------------------------------------- */

struct focal_beside_cell { const char *value; uint64_t published, ours; };
struct focal_beside {
    const char *name;                       /* "total" for the totals */
    enum focal_unit unit;
    enum focal_part_kind part;
    struct focal_beside_cell *cells; size_t cell_count;
    uint64_t not_published;                 /* published total less published parts */
    uint64_t ours_rest;                     /* ours in no published part, and not stated; equal to it when all is well */
    bool held;                              /* false: there is no such table of ours */
    bool equal;
};
struct focal_besides { struct focal_beside *list; size_t count; bool equal; /* all of them */ struct focal_arena arena; };
/* tables: ours of the same period, one for each (name, unit) that is published. Strings of `published` are borrowed. */
FOCAL_MUST_USE enum focal_status focal_beside_open(struct focal_besides *, const struct focal_figure_period *published,
    const struct focal_table *tables, size_t table_count, const uint64_t totals[FOCAL_UNITS]);
void focal_beside_close(struct focal_besides *);

/* ---- cases that give published figures ------------------------------------------------------------------------------------ */

struct focal_cases_setup {
    uint64_t seed;                          /* same figures, same seed: same bytes */
    const char *const *countries; size_t country_count;     /* given to the cases in turn, unless countries are published */
};
/* Cases of one period, a quarter, one JSON object each as `case new` takes it, so that counting them gives the figures
 * published: a field without a published partition stays unset; each perpetrator is one row. REFUSED: no such cases were
 * found; err names the two tables that stand against each other. each: bytes of one object, without a line end. */
FOCAL_MUST_USE enum focal_status focal_cases_make(const struct focal_figure_period *, const struct focal_cases_setup *,
    focal_write *each, void *data, struct focal_error *);

#endif
