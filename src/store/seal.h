/* The inside of encrypted pages: seal.c does pages and frames as bytes, seal_layer.c puts them under SQLite,
 * seal_index.c keeps the index of the log in memory, so that no file of it is made. */
#ifndef FOCAL_STORE_SEAL_H
#define FOCAL_STORE_SEAL_H

#include "focal/crypto_store.h"
#include "focal/store.h"

#include <sqlite3.h>

enum {
    SEAL_PAGE_BYTES = 8192,              /* inside.h holds it against SQLite's */
    SEAL_NONCE_BYTES = 24, SEAL_TAG_BYTES = 16,
    SEAL_RESERVED_BYTES = SEAL_NONCE_BYTES + SEAL_TAG_BYTES,        /* at the end of every page */
    SEAL_CONTENT_BYTES = SEAL_PAGE_BYTES - SEAL_RESERVED_BYTES,
    SEAL_FILE_HEADER_BYTES = 100,
    SEAL_WAL_HEADER_BYTES = 32, SEAL_FRAME_HEADER_BYTES = 24,
    SEAL_FRAME_BYTES = SEAL_FRAME_HEADER_BYTES + SEAL_PAGE_BYTES
};

struct seal_keys { uint8_t id[FOCAL_STORE_ID_BYTES], main[32], wal[32], header[32]; };

void focal_seal_keys(struct seal_keys *, const struct focal_store_key *);

/* In place. number: from 1. What the reserved bytes hold before does not matter; opened, they are zeros. False: it is not a
 * page of this store at this place, and what stands there then is nobody's. */
void focal_seal_page(const struct seal_keys *, uint64_t number, const uint8_t nonce[SEAL_NONCE_BYTES], uint8_t page[SEAL_PAGE_BYTES]);
bool focal_seal_open_page(const struct seal_keys *, uint64_t number, uint8_t page[SEAL_PAGE_BYTES]);
/* The same for a frame of the log, header and page; only the sums in its header are hidden, the rest of it stays in clear. */
void focal_seal_frame(const struct seal_keys *, uint64_t number, const uint8_t nonce[SEAL_NONCE_BYTES], uint8_t frame[SEAL_FRAME_BYTES]);
bool focal_seal_open_frame(const struct seal_keys *, uint64_t number, uint8_t frame[SEAL_FRAME_BYTES]);

/* What SQLite must be told of page 1 where that cannot be read: its size, the reserved bytes, and that there is a log. */
void focal_seal_stand_in(uint8_t header[SEAL_FILE_HEADER_BYTES]);

/* ---- the index of the log ---- */

struct seal_index;
struct seal_index_user { struct seal_index *index; bool inside; unsigned shared, exclusive; };      /* of one open file; bits: slots held */
struct seal_index *focal_seal_index_new(void);                                          /* NULL: no memory */
void focal_seal_index_free(struct seal_index *);
int focal_seal_index_map(struct seal_index_user *, int region, int size, int extend, void volatile **out);
int focal_seal_index_lock(struct seal_index_user *, int at, int count, int flags);
void focal_seal_index_barrier(struct seal_index_user *);
int focal_seal_index_leave(struct seal_index_user *);

/* ---- the layer ---- */

/* One to a store; its snapshots hold on to it. Lent to SQLite by name while somebody holds it. */
struct seal_layer;
struct seal_layer *focal_seal_layer_new(const struct focal_store_key *, const struct focal_entropy *);      /* NULL: no memory */
struct seal_layer *focal_seal_layer_hold(struct seal_layer *);
bool focal_seal_layer_is_shared(const struct seal_layer *);     /* held more than once: a snapshot is open */
void focal_seal_layer_let_go(struct seal_layer *);              /* NULL is fine */
const char *focal_seal_layer_name(const struct seal_layer *);

#endif
