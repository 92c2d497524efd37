/* store: durable memory, as the core sees it and as the SQLite room provides it.
 *
 * The core knows only `struct focal_store` and its table of operations: a few shelves of ordered byte keys and byte
 * values under one transaction. The SQLite room implements it for the daemon, tests/support/fake_store for laws and
 * the simulator. Keys are ordered bytewise.
 * Not here: what the bytes mean (oplog).
 * Threads: one store by one thread; a snapshot is a store of its own and may be used by another thread. */
#ifndef FOCAL_STORE_H
#define FOCAL_STORE_H

#include "focal/base.h"

/* What stands on a shelf is defined in oplog and node. Numbers stand in databases on disk: never reuse one. */
enum focal_shelf {
    FOCAL_SHELF_META = 1,       /* single facts of this node */
    FOCAL_SHELF_STATEMENT = 2,  /* hash -> signature, body */
    FOCAL_SHELF_LOG = 3,        /* log id -> name, head, signature state */
    FOCAL_SHELF_SEGMENT = 4,    /* log id, first seq be64 -> packed segment */
    FOCAL_SHELF_STAGING = 5,    /* log id, first seq be64 -> piece of an unfinished segment */
    FOCAL_SHELF_PART = 6,       /* record reference 32, scope id 32 [, more where it is split] -> merged state of the record in that scope */
    FOCAL_SHELF_CODE = 7,       /* short code 5 bytes, record reference 32 -> kind */
    FOCAL_SHELF_RECEIPT = 8,    /* scope id, signer key, epoch, number be64 -> receipt */
    FOCAL_SHELF_PEER = 9,       /* what we know of other offices: last heard, what they have */
    FOCAL_SHELF_LOCAL = 10,     /* fields of class local: record reference -> payload */
    FOCAL_SHELF_INVITATION = 11,/* number be64 -> open invitation, join waiting */
    FOCAL_SHELF_INCIDENT = 12,  /* number be64 -> fork or rollback seen */
    FOCAL_SHELF_KIND = 13,      /* kind be32, record reference 32 -> "" : records by kind */
    FOCAL_SHELF_CONFLICT = 14,  /* record reference 32, scope id 32 -> "" : parts with two versions */
    FOCAL_SHELF_POSTING = 15,   /* record or quoted entry 32, line 16, first seq be64 -> "" : the segments that speak of it */
    FOCAL_SHELF_HISTORY = 16,   /* number be64 -> what happened here, for people */
    FOCAL_SHELF_REDACTION = 17, /* target reference 32, scope id 32, redacting entry 32, kind 1 -> its author */
    FOCAL_SHELF_HIDDEN = 18,    /* line 16, seq be64 -> salt, payload: hidden, and not erased yet */
    FOCAL_SHELF_REFUSED = 19,   /* line 16, seq be64 -> what of ours was redacted by another office */
    FOCAL_SHELF_LAST = 19
};
#define FOCAL_STORE_KEY_MAX 128
#define FOCAL_STORE_VALUE_MAX (4u << 20)

/* What the fence says of a database at its opening. A fence is a small mark outside the database and outside what backups
 * take, written after every commit and before the commit is reported: so a database that is older than what was reported
 * from it is known as such (PROTOCOL §7). */
enum focal_fence_verdict {
    FOCAL_FENCE_NEW,            /* no fence was ever kept for this database: it is new, or used without one */
    FOCAL_FENCE_GOOD,           /* the database is the very one that was written last, here */
    FOCAL_FENCE_BEHIND,         /* an older state of it: a copy was put back */
    FOCAL_FENCE_MISSING,        /* it had one, and it is not here: another machine, another place, or lost */
    FOCAL_FENCE_MOVED,          /* the machine, the device or the file is another one */
    FOCAL_FENCE_NONE            /* no place for one can be written */
};

/* How much may still be written where the store stands. A part of the disk is held in reserve for what people enter here. */
enum focal_space {
    FOCAL_SPACE_ENOUGH,
    FOCAL_SPACE_SHORT,          /* little: take in nothing that can wait, such as other offices' entries */
    FOCAL_SPACE_RESERVE,        /* next to nothing but the reserve: only what people enter here is to be written */
    FOCAL_SPACE_NONE            /* not even that */
};

struct focal_store;
struct focal_store_ops {
    /* One transaction at a time; reads see its own writes. commit returns OK only when the bytes are durable (fsync has
     * returned). A failed commit has rolled back. rollback cannot fail, and without a transaction does nothing.
     * A put or del that failed dooms its transaction: later ones and the commit give the same status, and the commit
     * rolls back. A commit that failed with IO may or may not have reached the disk: from then on begin gives IO, so
     * that a lost fsync is never retried as if it had worked; close, open again and look. With a fence, IO also means that
     * its mark could neither be written nor removed; then the bytes are there, and reads may show them.
     * begin on a snapshot or a read-only store is DENIED. */
    enum focal_status (*begin)(struct focal_store *);
    enum focal_status (*commit)(struct focal_store *);
    void              (*rollback)(struct focal_store *);

    /* value is cleared first. NOT_FOUND is an ordinary answer. Reads are allowed outside a transaction, put and del only
     * inside. A buffer whose limit is too small for what stands there: TOO_BIG. */
    enum focal_status (*get)(struct focal_store *, enum focal_shelf, struct focal_span key, struct focal_buf *value);
    enum focal_status (*put)(struct focal_store *, enum focal_shelf, struct focal_span key, struct focal_span value);
    enum focal_status (*del)(struct focal_store *, enum focal_shelf, struct focal_span key);   /* absent is OK */
    /* The first key strictly above `after` (empty: the first of all), with its value. NOT_FOUND at the end. key and value
     * are cleared first and may be the buffers that `after` looks into. value may be NULL. Seeks each time, so a walk
     * survives changes and can be cut into slices; a call that goes on from the key just given is cheap. */
    enum focal_status (*next)(struct focal_store *, enum focal_shelf, struct focal_span after,
                              struct focal_buf *key, struct focal_buf *value);
    /* The last key strictly below `before` (empty: the last of all). */
    enum focal_status (*prev)(struct focal_store *, enum focal_shelf, struct focal_span before,
                              struct focal_buf *key, struct focal_buf *value);

    /* A read-only store that goes on showing what is committed now (never the open transaction); closed with its own
     * close. While it is open the space of what was overwritten since cannot be used again: keep it short.
     * A snapshot of a snapshot is DENIED. */
    enum focal_status (*snapshot)(struct focal_store *, struct focal_store **out);
    enum focal_status (*sizes)(struct focal_store *, uint64_t *bytes_on_disk);
    /* What the fence said when the store was opened; the same until it is closed. May be NULL: NEW. A store that keeps a
     * fence has it durable before its commit gives OK. */
    enum focal_fence_verdict (*fence)(struct focal_store *);
    /* Makes what was deleted or overwritten unreadable in every file of the store: after it, the write-ahead log holds none
     * of it either. Not inside a transaction. BUSY: a snapshot still shows it; close that and call again. May be NULL. */
    enum focal_status (*scrub)(struct focal_store *);
    /* Looks at the disk each time. wanted: bytes that must become free until it is ENOUGH again. May be NULL: ENOUGH. */
    enum focal_space (*space)(struct focal_store *, uint64_t *wanted);
    /* Before writing what people enter here, and again each time that gave DISK_FULL: gives back a piece of the reserve if
     * the disk has need of it. DISK_FULL: there is none left. Not inside a transaction. May be NULL: DISK_FULL. */
    enum focal_status (*release)(struct focal_store *);
    void              (*close)(struct focal_store *);            /* an open transaction is rolled back */
};
struct focal_store { const struct focal_store_ops *ops; };       /* first member of every implementation */

/* Plain calls, so that nobody writes store->ops->get(store, ...). They stand here and not in a library, so that the
 * pure rooms need none of the store's libraries; the checks that hold for every implementation stand here too. */

static inline bool focal_shelf_valid(enum focal_shelf shelf)
{
    return (int)shelf >= FOCAL_SHELF_META && (int)shelf <= FOCAL_SHELF_LAST;
}

FOCAL_MUST_USE static inline enum focal_status focal_store_begin(struct focal_store *store)
{
    return store->ops->begin(store);
}

FOCAL_MUST_USE static inline enum focal_status focal_store_commit(struct focal_store *store)
{
    return store->ops->commit(store);
}

static inline void focal_store_rollback(struct focal_store *store)
{
    store->ops->rollback(store);
}

FOCAL_MUST_USE static inline enum focal_status
focal_store_get(struct focal_store *store, enum focal_shelf shelf, struct focal_span key, struct focal_buf *value)
{
    focal_assert(focal_shelf_valid(shelf) && value);
    return store->ops->get(store, shelf, key, value);
}

/* TOO_BIG: key over FOCAL_STORE_KEY_MAX or value over FOCAL_STORE_VALUE_MAX; the transaction is not harmed. */
FOCAL_MUST_USE static inline enum focal_status
focal_store_put(struct focal_store *store, enum focal_shelf shelf, struct focal_span key, struct focal_span value)
{
    focal_assert(focal_shelf_valid(shelf) && key.len > 0);
    if (key.len > FOCAL_STORE_KEY_MAX || value.len > FOCAL_STORE_VALUE_MAX)
        return FOCAL_TOO_BIG;
    return store->ops->put(store, shelf, key, value);
}

FOCAL_MUST_USE static inline enum focal_status
focal_store_del(struct focal_store *store, enum focal_shelf shelf, struct focal_span key)
{
    focal_assert(focal_shelf_valid(shelf));
    return store->ops->del(store, shelf, key);
}

FOCAL_MUST_USE static inline enum focal_status
focal_store_next(struct focal_store *store, enum focal_shelf shelf, struct focal_span after, struct focal_buf *key,
                 struct focal_buf *value)
{
    focal_assert(focal_shelf_valid(shelf) && key && key != value);
    return store->ops->next(store, shelf, after, key, value);
}

FOCAL_MUST_USE static inline enum focal_status
focal_store_prev(struct focal_store *store, enum focal_shelf shelf, struct focal_span before, struct focal_buf *key,
                 struct focal_buf *value)
{
    focal_assert(focal_shelf_valid(shelf) && key && key != value);
    return store->ops->prev(store, shelf, before, key, value);
}

FOCAL_MUST_USE static inline enum focal_status focal_store_snapshot(struct focal_store *store, struct focal_store **out)
{
    return store->ops->snapshot(store, out);
}

FOCAL_MUST_USE static inline enum focal_status focal_store_sizes(struct focal_store *store, uint64_t *bytes_on_disk)
{
    return store->ops->sizes(store, bytes_on_disk);
}

static inline enum focal_fence_verdict focal_store_fence(struct focal_store *store)
{
    return store->ops->fence ? store->ops->fence(store) : FOCAL_FENCE_NEW;
}

FOCAL_MUST_USE static inline enum focal_status focal_store_scrub(struct focal_store *store)
{
    return store->ops->scrub ? store->ops->scrub(store) : FOCAL_OK;
}

static inline enum focal_space focal_store_space(struct focal_store *store, uint64_t *wanted)
{
    *wanted = 0;
    return store->ops->space ? store->ops->space(store, wanted) : FOCAL_SPACE_ENOUGH;
}

FOCAL_MUST_USE static inline enum focal_status focal_store_release(struct focal_store *store)
{
    return store->ops->release ? store->ops->release(store) : FOCAL_DISK_FULL;
}

/* NULL is fine. */
static inline void focal_store_close(struct focal_store *store)
{
    if (store)
        store->ops->close(store);
}

/* A chunk of contiguous bytes drawn by chance; the core's only source of it. */
struct focal_entropy { void (*fill)(void *data, void *out, size_t len); void *data; };

#endif
