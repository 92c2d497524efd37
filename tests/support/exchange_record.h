/* A record made of the values of a row, as if one change had brought them: network fields in one
 * part, country fields in the other. For tests of import and export. */
#ifndef FOCAL_TEST_EXCHANGE_RECORD_H
#define FOCAL_TEST_EXCHANGE_RECORD_H

#include "focal/exchange.h"

struct exchange_record { struct focal_part widest, home; struct focal_record record; };
/* number: makes the reference. */
void exchange_record_open(struct exchange_record *, const struct focal_kind *, const struct focal_row *, uint8_t number);
/* One more entry, of another log, that sets one network field without knowing the first. */
void exchange_record_also(struct exchange_record *, const struct focal_field *, const char *text, uint8_t number);
void exchange_record_close(struct exchange_record *);

/* A whole file of the source tree. Ends the program when there is none. */
void exchange_file(struct focal_buf *, const char *path);

#endif
