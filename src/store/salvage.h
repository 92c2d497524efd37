/* The inside of salvaging: salvage_image.c gives pages as the files of a damaged database hold them, salvage.c finds the
 * rows in them. SQLite itself is not asked: it gives up at the first fault of a table, and here every row is wanted that
 * can still be read. */
#ifndef FOCAL_STORE_SALVAGE_H
#define FOCAL_STORE_SALVAGE_H

#include "inside.h"

/* What the files say, in the order in which it is believed: as SQLite would read them; with the log's frames behind a
 * broken one, up to the last that ends a transaction; the database file without its log. */
enum salvage_view { VIEW_COMMITTED, VIEW_WHOLE_LOG, VIEW_FILE, VIEW_COUNT };

struct salvage_image {
    int fd, wal_fd;                     /* -1: not there */
    bool sealed;                        /* pages are under keys; of one that does not authenticate nothing is believed */
    struct seal_keys keys;
    uint8_t *frame;                     /* scratch for a whole one */
    uint32_t page_bytes, usable_bytes;
    uint32_t page_count;                /* of any view */
    uint32_t file_pages;                /* of the file, a cut off last one counted */
    uint32_t *frames[VIEW_FILE];        /* by page: number of the frame that holds it, from 1; 0: the file does */
    bool differs[VIEW_COUNT];           /* this view shows something that the ones before it do not */
};

/* key: NULL for a database in clear. NOT_FOUND: neither a file nor a log with anything in it. */
enum focal_status focal_salvage_image_open(struct salvage_image *, const char *path, const struct focal_store_key *key, struct focal_error *err);
void focal_salvage_image_close(struct salvage_image *);
/* False: it cannot be read, or is not what was written there. What is missing at the end of a page in clear reads as zeros. */
bool focal_salvage_page(const struct salvage_image *, enum salvage_view, uint32_t number, uint8_t *out);
/* Both views show the same bytes of it. */
bool focal_salvage_same(const struct salvage_image *, enum salvage_view a, enum salvage_view b, uint32_t number);

#endif
