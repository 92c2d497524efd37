/* base: the ground every room stands on. It knows nothing of the product.
 *
 * Here: status codes, assertions, spans, a byte cursor and a byte buffer with sticky errors, the canonical encoding
 * primitives, an arena, a map with fixed-size keys, text helpers, and the trace.
 * Not here: clocks, chance, files, sockets, or any word of the domain.
 *
 * Memory: whoever inits closes. Nothing here keeps a pointer that it was given, unless its comment says so.
 * Threads: no global state except the allocation hook (tests only); any thread, one object by one thread at a time. */
#ifndef FOCAL_BASE_H
#define FOCAL_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- status --------------------------------------------------------------------------------------------------- */

/* One list of codes for the whole program. NUMBER is what FD-nnn shows to people and never changes; EXIT is the exit
 * status of focalctl (see "exit" in README.md); TEXT is a short phrase, the sentence is made where the error is. */
#define FOCAL_STATUS_LIST(X)                                                                                           \
    X(OK,           0, 0, "ok")                                                                                        \
    X(USAGE,        1, 2, "wrong usage")                                                                               \
    X(MALFORMED,    2, 1, "malformed bytes")                 /* syntax; never true of bytes we made ourselves */        \
    X(NEVER,        3, 1, "not admissible")                  /* form, chain or signature: the sender's fault */         \
    X(NOT_YET,      4, 1, "not admissible yet")              /* something it needs is not held here */                  \
    X(NO_LONGER,    5, 1, "no longer admissible")            /* cut or redacted here */                                 \
    X(REFUSED,      6, 1, "refused by a rule")               /* local intake only */                                    \
    X(NOT_FOUND,    7, 4, "no such thing")                                                                             \
    X(AMBIGUOUS,    8, 4, "more than one")                                                                             \
    X(EXISTS,       9, 1, "exists already")                                                                            \
    X(CONFLICT,    10, 7, "two versions, or the version moved on")                                                     \
    X(PARTIAL,     11, 3, "done in part")                                                                              \
    X(TOO_BIG,     12, 1, "over a limit")                                                                              \
    X(FULL,        13, 9, "no room now")                                                                               \
    X(BUSY,        14, 9, "busy")                                                                                      \
    X(DENIED,      15, 6, "not permitted")                                                                             \
    X(TIMEOUT,     16, 8, "waited too long")                                                                           \
    X(UNREACHABLE, 17, 5, "not reachable")                                                                             \
    X(CANCELLED,   18, 1, "cancelled")                                                                                 \
    X(UNSUPPORTED, 19, 1, "needs a newer program")                                                                     \
    X(NO_MEMORY,   20, 1, "out of memory")                                                                             \
    X(DISK_FULL,   21, 1, "disk full")                                                                                 \
    X(IO,          22, 1, "input or output failed")                                                                    \
    X(DAMAGED,     23, 1, "stored data is damaged")                                                                    \
    X(MORE,        24, 0, "there is more")                   /* a sliced job or a page is not at its end */

enum focal_status {
#define X(name, number, exit, text) FOCAL_##name = number,
    FOCAL_STATUS_LIST(X)
#undef X
};

#define FOCAL_MUST_USE __attribute__((warn_unused_result))
#define FOCAL_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

const char *focal_status_name(enum focal_status);   /* "NOT_FOUND" */
const char *focal_status_text(enum focal_status);   /* "no such thing" */
int         focal_status_exit(enum focal_status);   /* exit status of the client */

/* A sentence for people beside a status: what happened, to what, what to do next. Cut at its end if too long. */
struct focal_error {
    enum focal_status status;
    char message[400];
    char hint[240];
};
/* Fill *err (may be NULL) and give back status, so that a failing function can end with: return focal_fail(...). */
enum focal_status focal_fail(struct focal_error *err, enum focal_status, const char *hint, const char *fmt, ...)
    FOCAL_PRINTF(4, 5);

/* ---- assertions: our own bugs, on in every build ------------------------------------------------------------------ */

_Noreturn void focal_assert_failed(const char *expression, const char *file, int line, const char *function);
#define focal_assert(e) ((e) ? (void)0 : focal_assert_failed(#e, __FILE__, __LINE__, __func__))
#define focal_unreachable() focal_assert_failed("unreachable", __FILE__, __LINE__, __func__)

/* ---- memory ------------------------------------------------------------------------------------------------------- */

/* All heap memory of the project's own code comes from here. NULL when there is none (or the hook said so). */
void *focal_alloc(size_t bytes);                       /* zeroed; bytes may be 0 */
void *focal_realloc(void *p, size_t bytes);            /* the grown part is NOT zeroed */
void  focal_free(void *p);
bool  focal_alloc_allowed(size_t bytes);               /* asks the hook below, for who must take memory elsewhere */
/* Tests only: asked before every allocation; false makes it fail. NULL takes the hook away. */
void  focal_alloc_hook(bool (*allow)(void *data, size_t bytes), void *data);

/* ---- spans -------------------------------------------------------------------------------------------------------- */

struct focal_span { const uint8_t *data; size_t len; };          /* borrowed bytes */

struct focal_span focal_span_of(const void *data, size_t len);
struct focal_span focal_span_text(const char *text);             /* without its zero */
bool focal_span_equal(struct focal_span, struct focal_span);
int  focal_span_compare(struct focal_span, struct focal_span);   /* bytewise, a prefix sorts first */

/* ---- buffer: bytes we make ---------------------------------------------------------------------------------------- */

/* Grows up to `limit` bytes. An append that does not fit sets `failed` and appends nothing; later appends do nothing.
 * So a writer appends freely and looks at `failed` once. */
struct focal_buf { uint8_t *data; size_t len, cap, limit; bool failed; };

void focal_buf_init(struct focal_buf *, size_t limit);
void focal_buf_close(struct focal_buf *);
void focal_buf_wipe_close(struct focal_buf *);          /* secrets: overwritten before they are freed */
void focal_buf_clear(struct focal_buf *);               /* empty, not failed, memory kept */
void focal_buf_truncate(struct focal_buf *, size_t len);
uint8_t *focal_buf_reserve(struct focal_buf *, size_t len);   /* len bytes appended, to be filled; NULL when failed */
void focal_buf_bytes(struct focal_buf *, const void *data, size_t len);
void focal_buf_span(struct focal_buf *, struct focal_span);
void focal_buf_text(struct focal_buf *, const char *text);
void focal_buf_printf(struct focal_buf *, const char *fmt, ...) FOCAL_PRINTF(2, 3);
void focal_buf_u8(struct focal_buf *, uint8_t);
void focal_buf_be16(struct focal_buf *, uint16_t);
void focal_buf_be32(struct focal_buf *, uint32_t);
void focal_buf_be64(struct focal_buf *, uint64_t);
void focal_buf_varint(struct focal_buf *, uint64_t);    /* canonical: LEB128, shortest form */
void focal_buf_item(struct focal_buf *, uint64_t tag, struct focal_span value);   /* tag varint, length varint, value */
struct focal_span focal_buf_view(const struct focal_buf *);
const char *focal_buf_cstr(struct focal_buf *);         /* zero-ended view; the zero is not counted; "" when failed */

/* ---- cursor: bytes somebody else made ----------------------------------------------------------------------------- */

/* Reads never run past the end: the first that would sets `failed` and gives zero or an empty span, and so do all
 * after it. So a reader reads freely and looks at `failed` once, before it uses what it read. */
struct focal_cur { const uint8_t *at, *end; bool failed; };

struct focal_cur focal_cur_of(struct focal_span);
size_t   focal_cur_left(const struct focal_cur *);
bool     focal_cur_done(const struct focal_cur *);      /* not failed and nothing left */
uint8_t  focal_cur_u8(struct focal_cur *);
uint16_t focal_cur_be16(struct focal_cur *);
uint32_t focal_cur_be32(struct focal_cur *);
uint64_t focal_cur_be64(struct focal_cur *);
uint64_t focal_cur_varint(struct focal_cur *);          /* refuses any but the shortest form, and over 64 bits */
struct focal_span focal_cur_bytes(struct focal_cur *, size_t len);
void     focal_cur_copy(struct focal_cur *, void *to, size_t len);   /* zeroes `to` when failed */
struct focal_span focal_cur_item(struct focal_cur *, uint64_t *tag); /* one tag, length, value */
struct focal_span focal_cur_rest(struct focal_cur *);
void     focal_cur_fail(struct focal_cur *);

void     focal_put_be64(uint8_t out[8], uint64_t);
uint64_t focal_get_be64(const uint8_t in[8]);

/* ---- arena: memory of one step, given back all at once -------------------------------------------------------------- */

struct focal_arena_chunk;
struct focal_arena { struct focal_arena_chunk *chunks; size_t used, limit; };

void  focal_arena_init(struct focal_arena *, size_t limit);
void *focal_arena_alloc(struct focal_arena *, size_t bytes);         /* zeroed, aligned for anything; NULL over limit */
void *focal_arena_copy(struct focal_arena *, const void *, size_t);
void  focal_arena_reset(struct focal_arena *);                       /* all given out before is gone */
void  focal_arena_close(struct focal_arena *);

/* ---- map: fixed-size byte keys to pointers -------------------------------------------------------------------------- */

/* Open addressing. Keys are copied in; values are the caller's. The hash is seeded by the caller, because keys may be
 * chosen by a peer. Iteration order is insertion order while nothing is removed; it never depends on the seed's
 * value as long as nothing is removed: deterministic for the simulator. */
struct focal_map_slot;
struct focal_map {
    size_t key_len, count;
    uint64_t seed;
    struct focal_map_slot *entries;    /* insertion order */
    uint8_t *keys;
    uint32_t *table;
    size_t entry_count, entry_cap, table_cap;
};

void  focal_map_init(struct focal_map *, size_t key_len, uint64_t seed);
void  focal_map_close(struct focal_map *);
void *focal_map_get(const struct focal_map *, const void *key);      /* NULL if absent */
FOCAL_MUST_USE enum focal_status focal_map_put(struct focal_map *, const void *key, void *value);   /* value not NULL; replaces */
void *focal_map_remove(struct focal_map *, const void *key);         /* the value, or NULL */
void  focal_map_clear(struct focal_map *);
/* Walk: *at starts at 0; false at the end. key may be NULL. Removing while walking is allowed, adding is not. */
bool  focal_map_next(const struct focal_map *, size_t *at, const void **key, void **value);

/* ---- text ----------------------------------------------------------------------------------------------------------- */

bool focal_utf8_valid(struct focal_span);               /* well-formed, no controls but nothing else judged */
size_t focal_utf8_length(struct focal_span);            /* code points of valid text */
void focal_hex(char *out, const void *data, size_t len);             /* 2 * len + 1 bytes, lower case */
bool focal_unhex(void *out, size_t len, struct focal_span text);     /* exactly 2 * len digits, either case */
void focal_base64url(struct focal_buf *, struct focal_span);         /* RFC 4648 §5, no padding */
bool focal_unbase64url(struct focal_buf *, struct focal_span text);  /* strict: no padding, no loose bits */
bool focal_parse_u64(struct focal_span text, uint64_t *out);         /* decimal digits only, no sign, no spaces */
/* Up to `most` names of a list near to a mistyped one are easily shown: edit distance with cut-off, -1 beyond 3. */
int  focal_text_distance(const char *a, const char *b);

/* ---- time: always an argument, never asked for below io ------------------------------------------------------------- */

struct focal_now { uint64_t mono_ms; uint64_t wall_ms; };          /* since start of the machine; since 1970-01-01 UTC */

/* ---- trace: what the program does, in codes and counters, never in content -------------------------------------------- */

enum focal_level { FOCAL_ERROR, FOCAL_WARNING, FOCAL_INFO, FOCAL_DEBUG };
struct focal_trace {
    void (*line)(void *data, enum focal_level, const char *room, const char *text);
    void *data;
    enum focal_level most;              /* lines above this level are not made */
};
void focal_trace_line(const struct focal_trace *, enum focal_level, const char *room, const char *fmt, ...)
    FOCAL_PRINTF(4, 5);                 /* the trace may be NULL */

#endif
