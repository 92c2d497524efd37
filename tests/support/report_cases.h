/* Cases for tests of report: written as the JSON of `case new`, made into real entries, merged, shown as records. */
#ifndef FOCAL_TEST_REPORT_CASES_H
#define FOCAL_TEST_REPORT_CASES_H

#include "focal/report.h"

struct report_case { struct focal_ref ref; struct focal_part widest, home; uint8_t entries; };

struct focal_ref report_ref(uint8_t log, uint64_t seq);
void report_hex(char out[2 * FOCAL_REF_BYTES + 1], uint8_t log, uint64_t seq);
/* A case without its beginning. */
void report_case_init(struct report_case *, uint8_t log, uint64_t seq);
void report_case_close(struct report_case *);
/* One entry: the beginning, or one of an author who has seen no other entry, so that what differs stands beside it. */
void report_case_begin(struct report_case *, const char *json);
void report_case_also(struct report_case *, uint8_t log, const char *json);
/* One network value of a field by bytes of one's own, in an entry of its own. */
void report_case_bytes(struct report_case *, uint64_t field, const void *bytes, size_t len);
enum focal_status report_case_give(struct focal_report *, const struct report_case *);
/* Beginning and giving in one. */
enum focal_status report_give(struct focal_report *, uint8_t log, uint64_t seq, const char *json);

/* A report, opened without fault. */
struct focal_report *report_opened(const char *period);
/* What a cell holds; 0: no such cell. not_stated and total are cells here. */
uint64_t report_cell(const struct focal_report *, const char *period, const char *table, enum focal_unit, const char *code);
/* The rendering as text in out, which the caller closes. */
enum focal_status report_rendered(struct focal_buf *out, const struct focal_report *, const char *renderer);

#endif
