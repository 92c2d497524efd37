/* Shared by the files of this room only. */
#ifndef FOCAL_EXCHANGE_INSIDE_H
#define FOCAL_EXCHANGE_INSIDE_H

#include "focal/exchange.h"

struct json_t;

enum {
    ROW_ITEMS_MAX = 4096,               /* values of one row */
    JSON_DEPTH_MAX = 16
};

/* ---- refusals (refusals.c) ---- */
void refuse_error(struct focal_refusals *, uint64_t line, const char *field, const struct focal_error *);
void refuse(struct focal_refusals *, uint64_t line, const char *field, const char *hint, const char *fmt, ...) FOCAL_PRINTF(5, 6);
/* What somebody wrote, fit to be shown: short, printable. */
struct shown { char text[72]; };
struct shown show(struct focal_span);
/* By its very name: another spelling of it would be found here and missed where values are looked up. */
const struct focal_field *field_named(const struct focal_kind *, const char *name);
/* A field of the kind near to a mistyped name, as a hint. */
void hint_nearest_field(char *hint, size_t size, const struct focal_kind *, const char *name);

/* ---- rows (row.c) ---- */
/* A name the reader passes over although no field has it. */
bool passed_over(const char *name);
FOCAL_MUST_USE enum focal_status row_put(struct focal_row *, const struct focal_intake_for *, const struct focal_field *,
                                         struct focal_span one_value, struct focal_error *);
FOCAL_MUST_USE enum focal_status row_set_id(struct focal_row *, struct focal_span text, struct focal_error *);

/* ---- JSON (row_json.c) ---- */
/* NULL and err: not an object, too deep, doubled keys. The caller gives it back with json_decref. */
struct json_t *object_parse(struct focal_span text, struct focal_error *);
/* The parts that JSON and text name: of a row or map all tables, of an event its code and its day; else 0. */
unsigned part_count(const struct focal_field *);

#endif
