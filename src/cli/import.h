/* Between import.c and rejects.c. */
#ifndef FOCAL_CLI_IMPORT_H
#define FOCAL_CLI_IMPORT_H

#include "cli.h"

#include "focal/exchange.h"

struct reject { uint64_t line; size_t row, field, reason, hint; bool has_row; };    /* places in text */
struct rejects { struct focal_buf text; struct reject *list; size_t count, cap, missing; };

void rejects_open(struct rejects *);
void rejects_close(struct rejects *);
enum focal_status rejects_add(struct rejects *, const json_t *item, struct focal_error *);
/* header: what the refused rows stand under. Writes nothing when nothing was refused. */
enum focal_status rejects_write(struct rejects *, struct pieces *file, enum focal_form, const char *header, const char *path, struct focal_error *);

#endif
