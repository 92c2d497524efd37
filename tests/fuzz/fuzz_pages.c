/* Encrypted pages: whatever stands in the database file and its log, what is read through the sealing layer was sealed under
 * this key for this very place, or is not given out. And the index of the log, under any calls.
 *
 * byte 0     what      bits: INDEX or files, WRITES, CHECKS
 * the rest   acts      one byte each, with what it needs behind it
 *
 * A history of one small store is made once: images of both files after each of its steps, and each page and each frame that
 * was ever written, with its place. The script starts at one image and changes it: bits, pieces, pages and frames from elsewhere
 * in the history or of a store under another key, headers of the log that are summed up rightly, or any bytes at all. */
#include "inside.h"
#include "fuzz.h"
#include "store_key.h"

#include <stdio.h>
#include <string.h>

enum { INDEX = 1, WRITES = 2, CHECKS = 4 };
enum { ACTS_MAX = 24, STEPS = 6, FILE_MAX = 64 * SEAL_FRAME_BYTES, SEALED_MAX = 400, USERS = 3, REGION_BYTES = 32768, ROW_BYTES = 700 };
#define PATH "/focal-fuzz-pages"

/* ---- files in memory ---- */

struct mem { uint8_t *data; size_t len; };
struct mem_file { sqlite3_file base; struct mem *mem; };

/* A page or a frame as it was written, and its number there. */
struct sealed { bool in_log; uint64_t number; uint8_t bytes[SEAL_FRAME_BYTES]; };

static struct {
    struct mem file, log;
    struct mem images[STEPS][2];
    struct seal_layer *layer, *other;
    struct sealed *all;
    size_t count, kept;                 /* kept: of the history */
    struct mem alien;                   /* a database under another key */
    bool strange;                       /* its writes are not recorded */
} w;

static int mem_close(sqlite3_file *f) { f->pMethods = NULL; return SQLITE_OK; }

static int mem_read(sqlite3_file *f, void *to, int len, sqlite3_int64 at)
{
    const struct mem *m = ((struct mem_file *)f)->mem;
    const size_t want = (size_t)len, have = (size_t)at < m->len ? m->len - (size_t)at : 0, n = have < want ? have : want;
    focal_assert(len >= 0 && at >= 0);
    if (n)
        memcpy(to, m->data + at, n);
    memset((uint8_t *)to + n, 0, want - n);
    return n == want ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static void record(bool in_log, size_t at, const uint8_t *bytes, size_t len)
{
    if (w.strange || (in_log && at == 0))
        return;
    focal_assert(w.count < SEALED_MAX && len == (in_log ? (size_t)SEAL_FRAME_BYTES : (size_t)SEAL_PAGE_BYTES));
    struct sealed *s = &w.all[w.count++];
    s->in_log = in_log;
    s->number = in_log ? (at - SEAL_WAL_HEADER_BYTES) / SEAL_FRAME_BYTES + 1 : at / SEAL_PAGE_BYTES + 1;
    memcpy(s->bytes, bytes, len);
}

static int mem_write(sqlite3_file *f, const void *from, int len, sqlite3_int64 at)
{
    struct mem *m = ((struct mem_file *)f)->mem;
    const size_t end = (size_t)at + (size_t)len;
    if (end > FILE_MAX || w.count == SEALED_MAX)
        return SQLITE_FULL;
    if (m->len < (size_t)at)
        memset(m->data + m->len, 0, (size_t)at - m->len);
    memcpy(m->data + at, from, (size_t)len);
    m->len = m->len > end ? m->len : end;
    record(m == &w.log, (size_t)at, from, (size_t)len);
    return SQLITE_OK;
}

static int mem_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    struct mem *m = ((struct mem_file *)f)->mem;
    m->len = m->len > (size_t)size ? (size_t)size : m->len;
    return SQLITE_OK;
}

static int mem_size(sqlite3_file *f, sqlite3_int64 *out) { *out = (sqlite3_int64)((struct mem_file *)f)->mem->len; return SQLITE_OK; }
static int mem_sync(sqlite3_file *f, int flags) { (void)f; (void)flags; return SQLITE_OK; }
static int mem_lock(sqlite3_file *f, int level) { (void)f; (void)level; return SQLITE_OK; }
static int mem_reserved(sqlite3_file *f, int *out) { (void)f; *out = 0; return SQLITE_OK; }
static int mem_control(sqlite3_file *f, int what, void *with) { (void)f; (void)what; (void)with; return SQLITE_NOTFOUND; }
static int mem_sector(sqlite3_file *f) { (void)f; return 512; }
static int mem_device(sqlite3_file *f) { (void)f; return 0; }

static const sqlite3_io_methods mem_methods = {
    .iVersion = 1, .xClose = mem_close, .xRead = mem_read, .xWrite = mem_write, .xTruncate = mem_truncate, .xSync = mem_sync,
    .xFileSize = mem_size, .xLock = mem_lock, .xUnlock = mem_lock, .xCheckReservedLock = mem_reserved, .xFileControl = mem_control,
    .xSectorSize = mem_sector, .xDeviceCharacteristics = mem_device,
};

static int mem_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *f, int flags, int *out)
{
    (void)vfs;
    (void)name;
    focal_assert(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL));          /* the layer lets nothing else through */
    ((struct mem_file *)f)->mem = flags & SQLITE_OPEN_WAL ? &w.log : &w.file;
    f->pMethods = &mem_methods;
    if (out)
        *out = flags;
    return SQLITE_OK;
}

static bool ends_in(const char *name, const char *end)
{
    const size_t len = strlen(name), tail = strlen(end);
    return len >= tail && strcmp(name + len - tail, end) == 0;
}

static int mem_delete(sqlite3_vfs *vfs, const char *name, int durably)
{
    (void)vfs;
    (void)durably;
    if (ends_in(name, "-wal"))
        w.log.len = 0;
    return SQLITE_OK;
}

static int mem_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    (void)vfs;
    (void)flags;
    *out = ends_in(name, "-wal") ? w.log.len > 0 : strcmp(name, PATH) == 0;
    return SQLITE_OK;
}

static int mem_full(sqlite3_vfs *vfs, const char *name, int room, char *out)
{
    (void)vfs;
    return snprintf(out, (size_t)room, "%s", name) < room ? SQLITE_OK : SQLITE_CANTOPEN;
}

static void mem_register(void)
{
    static sqlite3_vfs vfs;
    focal_assert(sqlite3_initialize() == SQLITE_OK);
    vfs = *sqlite3_vfs_find(NULL);
    vfs.pNext = NULL;
    vfs.zName = "focal-fuzz";
    vfs.szOsFile = (int)sizeof(struct mem_file);
    vfs.xOpen = mem_open;
    vfs.xDelete = mem_delete;
    vfs.xAccess = mem_access;
    vfs.xFullPathname = mem_full;
    focal_assert(sqlite3_vfs_register(&vfs, 1) == SQLITE_OK);
}

/* ---- the history ---- */

static void must(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
        focal_assert(!"the history is made without a fault");
    }
}

static sqlite3 *connect_under(const struct seal_layer *layer)
{
    sqlite3 *db;
    struct focal_error err;
    if (focal_sqlite_connect(&db, PATH, layer, false, 256, &err) != FOCAL_OK)
        return NULL;
    return db;
}

static uint64_t mixed(uint64_t v)
{
    v = (v ^ v >> 30) * 0xBF58476D1CE4E5B9u;
    v = (v ^ v >> 27) * 0x94D049BB133111EBu;
    return v ^ v >> 31;
}

/* A row that can be known by itself. */
static void row_make(uint8_t key[8], uint8_t value[ROW_BYTES], uint64_t n, uint64_t version)
{
    focal_put_be64(key, n);
    memset(value, (int)(n + version), ROW_BYTES);
    focal_put_be64(value, version);
    focal_put_be64(value + 8, mixed(n * 1000 + version + 1));
}

static bool row_is_ours(const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len)
{
    uint8_t k[8], v[ROW_BYTES];
    if (key_len != sizeof k || value_len != sizeof v)
        return false;
    row_make(k, v, focal_get_be64(key), focal_get_be64(value));
    return memcmp(key, k, sizeof k) == 0 && memcmp(value, v, sizeof v) == 0;
}

static bool put_rows(sqlite3 *db, uint64_t from, uint64_t to, uint64_t version)
{
    sqlite3_stmt *put = NULL;
    bool good = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK
        && sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO segment VALUES(?1,?2)", -1, &put, NULL) == SQLITE_OK;
    for (uint64_t n = from; n < to && good; n++) {
        uint8_t key[8], value[ROW_BYTES];
        row_make(key, value, n, version);
        good = sqlite3_bind_blob(put, 1, key, sizeof key, SQLITE_TRANSIENT) == SQLITE_OK
            && sqlite3_bind_blob(put, 2, value, sizeof value, SQLITE_TRANSIENT) == SQLITE_OK && sqlite3_step(put) == SQLITE_DONE;
        sqlite3_reset(put);
    }
    sqlite3_finalize(put);
    good = good && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
    if (!good)
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return good;
}

static void mem_copy(struct mem *to, const struct mem *from)
{
    memcpy(to->data, from->data, from->len);
    to->len = from->len;
}

static void mem_make(struct mem *m, const struct mem *from)
{
    m->data = focal_alloc(FILE_MAX);
    focal_assert(m->data);
    if (from)
        mem_copy(m, from);
}

static sqlite3 *create(const struct seal_layer *layer)
{
    int reserved = SEAL_RESERVED_BYTES;
    sqlite3 *db = connect_under(layer);
    focal_assert(db);
    must(db, "PRAGMA journal_mode=MEMORY; PRAGMA page_size=8192");
    focal_assert(sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved) == SQLITE_OK);
    must(db, "PRAGMA journal_mode=WAL; CREATE TABLE segment(key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID;"
             "PRAGMA wal_checkpoint(TRUNCATE)");
    return db;
}

static void begin_once(void)
{
    struct focal_store_key other = focal_test_key;
    const struct focal_entropy entropy = { focal_test_chance, NULL };
    mem_register();
    mem_make(&w.file, NULL);
    mem_make(&w.log, NULL);
    w.all = focal_alloc(SEALED_MAX * sizeof *w.all);
    other.secret[0] ^= 1;
    w.layer = focal_seal_layer_new(&focal_test_key, &entropy);
    w.other = focal_seal_layer_new(&other, &entropy);
    focal_assert(w.all && w.layer && w.other);
    sqlite3 *db = create(w.layer);
    for (uint64_t step = 0; step < STEPS; step++) {
        focal_assert(put_rows(db, step * 8, step * 8 + 16, step));
        if (step == 2)
            must(db, "PRAGMA wal_checkpoint(TRUNCATE)");
        if (step == 4)
            must(db, "PRAGMA wal_checkpoint(PASSIVE)");             /* the next round goes over the old one */
        mem_make(&w.images[step][0], &w.file);
        mem_make(&w.images[step][1], &w.log);
    }
    focal_assert(sqlite3_close(db) == SQLITE_OK);
    w.file.len = w.log.len = 0;
    w.strange = true;
    db = create(w.other);
    focal_assert(put_rows(db, 0, 16, 0));
    must(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    focal_assert(sqlite3_close(db) == SQLITE_OK);
    mem_make(&w.alien, &w.file);
    w.strange = false;
    w.kept = w.count;
}

/* ---- what the script does to the files ---- */

static void put_bytes(struct mem *m, size_t at, struct focal_span bytes)
{
    if (at > m->len || at + bytes.len > FILE_MAX)
        return;
    if (bytes.len)
        memcpy(m->data + at, bytes.data, bytes.len);
    m->len = m->len > at + bytes.len ? m->len : at + bytes.len;
}

static size_t page_at(size_t number) { return (number - 1) * SEAL_PAGE_BYTES; }
static size_t frame_at(size_t number) { return SEAL_WAL_HEADER_BYTES + (number - 1) * SEAL_FRAME_BYTES; }

/* One of the written, to a place of either file; what is longer or shorter there loses its header or gets none. */
static void put_sealed(struct focal_cur *script)
{
    const struct sealed *s = &w.all[focal_cur_be16(script) % w.kept];
    const uint8_t to = focal_cur_u8(script);
    const size_t number = to % 32 + 1;
    const uint8_t *page = s->bytes + (s->in_log ? SEAL_FRAME_HEADER_BYTES : 0);
    if (!(to & 128))
        put_bytes(&w.file, page_at(number), focal_span_of(page, SEAL_PAGE_BYTES));
    else if (s->in_log && !(to & 64))
        put_bytes(&w.log, frame_at(number), focal_span_of(s->bytes, SEAL_FRAME_BYTES));
    else
        put_bytes(&w.log, frame_at(number) + SEAL_FRAME_HEADER_BYTES, focal_span_of(page, SEAL_PAGE_BYTES));
}

/* The sums over the header of the log, which anyone can make: it is in clear. */
static void sum_up_header(void)
{
    uint32_t a = 0, b = 0;
    if (w.log.len < SEAL_WAL_HEADER_BYTES)
        return;
    const bool big = w.log.data[3] & 1;
    for (size_t i = 0; i < 24; i += 8) {
        const uint64_t both = focal_get_be64(w.log.data + i);
        uint32_t x = (uint32_t)(both >> 32), y = (uint32_t)both;
        if (!big) {
            x = __builtin_bswap32(x);
            y = __builtin_bswap32(y);
        }
        a += x + b;
        b += y + a;
    }
    focal_put_be64(w.log.data + 24, (uint64_t)a << 32 | b);
}

static struct focal_span some(struct focal_cur *script, size_t len)
{
    const size_t left = focal_cur_left(script);
    return focal_cur_bytes(script, len < left ? len : left);
}

static size_t place_in(const struct mem *m, struct focal_cur *script)
{
    size_t at = focal_cur_u8(script);
    at = at << 16 | focal_cur_be16(script);
    return m->len ? at % m->len : 0;
}

static void change(struct focal_cur *script)
{
    const uint8_t act = focal_cur_u8(script);
    struct mem *m = act & 128 ? &w.log : &w.file;
    const size_t which = m == &w.log;
    size_t at, number;
    switch (act % 9) {
    case 0:
        at = place_in(m, script);
        if (m->len)
            m->data[at] ^= focal_cur_u8(script);
        break;
    case 1:
        at = place_in(m, script);
        put_bytes(m, at, some(script, focal_cur_u8(script)));
        break;
    case 2:
        m->len = place_in(m, script);
        break;
    case 3:
        put_sealed(script);
        break;
    case 4:
        mem_copy(m, &w.images[focal_cur_u8(script) % STEPS][which]);
        break;
    case 5:
        number = focal_cur_u8(script) % (w.alien.len / SEAL_PAGE_BYTES) + 1;
        at = focal_cur_u8(script) % 32 + 1;
        put_bytes(&w.file, page_at(at), focal_span_of(w.alien.data + page_at(number), SEAL_PAGE_BYTES));
        break;
    case 6:
        sum_up_header();
        break;
    case 7:
        m->len = 0;
        put_bytes(m, 0, some(script, focal_cur_be16(script)));
        break;
    default:
        put_bytes(m, m->len, some(script, focal_cur_u8(script)));
    }
}

/* ---- what must hold ---- */

static bool was_sealed(bool in_log, uint64_t number, const uint8_t *bytes)
{
    for (size_t i = 0; i < w.count; i++) {
        const struct sealed *s = &w.all[i];
        if (s->in_log != in_log || s->number != number)
            continue;
        if (!in_log && memcmp(s->bytes, bytes, SEAL_PAGE_BYTES) == 0)
            return true;
        /* The sums in a frame's header are hidden, not bound: SQLite sums up again. */
        if (in_log && memcmp(s->bytes, bytes, 16) == 0 && memcmp(s->bytes + SEAL_FRAME_HEADER_BYTES, bytes + SEAL_FRAME_HEADER_BYTES, SEAL_PAGE_BYTES) == 0)
            return true;
    }
    return false;
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i])
            return false;
    return true;
}

static sqlite3_file *open_file(int flags)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(focal_seal_layer_name(w.layer));
    sqlite3_file *f = focal_alloc((size_t)vfs->szOsFile);
    focal_assert(f && vfs->xOpen(vfs, PATH, f, flags | SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
    return f;
}

static void pages_are_of_their_place(void)
{
    static uint8_t page[SEAL_PAGE_BYTES];
    sqlite3_file *f = open_file(SQLITE_OPEN_MAIN_DB);
    for (size_t number = 1; page_at(number) <= w.file.len; number++) {
        const size_t left = w.file.len - page_at(number);
        const bool right = left >= SEAL_PAGE_BYTES && was_sealed(false, number, w.file.data + page_at(number));
        const int rc = f->pMethods->xRead(f, page, SEAL_PAGE_BYTES, (sqlite3_int64)page_at(number));
        focal_assert((rc == SQLITE_OK) == right);
        focal_assert(right || rc == SQLITE_IOERR_DATA || (rc == SQLITE_IOERR_SHORT_READ && left < SEAL_PAGE_BYTES && all_zero(page, sizeof page)));
        focal_assert(!right || all_zero(page + SEAL_CONTENT_BYTES, SEAL_RESERVED_BYTES));
    }
    /* The beginning of page 1 alone: as it was sealed, or what says nothing. */
    uint8_t header[SEAL_FILE_HEADER_BYTES], stand_in[SEAL_FILE_HEADER_BYTES];
    focal_seal_stand_in(stand_in);
    const int rc = f->pMethods->xRead(f, header, sizeof header, 0);
    focal_assert(rc == SQLITE_OK || rc == SQLITE_IOERR_SHORT_READ);
    if (w.file.len >= SEAL_PAGE_BYTES && !was_sealed(false, 1, w.file.data))
        focal_assert(memcmp(header, stand_in, sizeof header) == 0);
    f->pMethods->xClose(f);
    focal_free(f);
}

static void frames_are_of_their_place(void)
{
    static uint8_t frame[SEAL_FRAME_BYTES], page[SEAL_PAGE_BYTES];
    sqlite3_file *f = open_file(SQLITE_OPEN_WAL);
    for (size_t number = 1; frame_at(number) + SEAL_FRAME_BYTES <= w.log.len; number++) {
        const bool right = was_sealed(true, number, w.log.data + frame_at(number));
        const int rc = f->pMethods->xRead(f, frame, SEAL_FRAME_BYTES, (sqlite3_int64)frame_at(number));
        focal_assert(rc == SQLITE_OK && (right || all_zero(frame, sizeof frame)));
        focal_assert(!right || memcmp(frame, w.log.data + frame_at(number), 16) == 0);
        const int one = f->pMethods->xRead(f, page, SEAL_PAGE_BYTES, (sqlite3_int64)frame_at(number) + SEAL_FRAME_HEADER_BYTES);
        focal_assert((one == SQLITE_OK) == right && (right || one == SQLITE_IOERR_DATA));
        focal_assert(!right || memcmp(page, frame + SEAL_FRAME_HEADER_BYTES, SEAL_PAGE_BYTES) == 0);
    }
    f->pMethods->xClose(f);
    focal_free(f);
}

/* Whatever can be read is a row that was once written. */
static void rows_are_ours(sqlite3 *db)
{
    sqlite3_stmt *all = NULL;
    if (sqlite3_prepare_v2(db, "SELECT key, value FROM segment", -1, &all, NULL) == SQLITE_OK) {
        for (int rows = 0; sqlite3_step(all) == SQLITE_ROW && rows < 4000; rows++)
            focal_assert(row_is_ours(sqlite3_column_blob(all, 0), (size_t)sqlite3_column_bytes(all, 0),
                                     sqlite3_column_blob(all, 1), (size_t)sqlite3_column_bytes(all, 1)));
    }
    sqlite3_finalize(all);
}

static void through_sqlite(uint8_t what)
{
    sqlite3 *db = connect_under(w.layer);
    if (!db)
        return;
    rows_are_ours(db);
    if (what & CHECKS)
        (void)sqlite3_exec(db, "PRAGMA quick_check", NULL, NULL, NULL);
    if (what & WRITES) {
        (void)put_rows(db, 3, 30, STEPS);
        (void)sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
        rows_are_ours(db);
    }
    focal_assert(sqlite3_close(db) == SQLITE_OK);
}

/* ---- the index ---- */

/* A lock is one's alone or shared; a region is the same for all while anybody is inside. */
static void index_under_calls(struct focal_cur *script)
{
    struct seal_index *x = focal_seal_index_new();
    struct seal_index_user users[USERS];
    void volatile *regions[4] = { NULL };
    focal_assert(x);
    memset(users, 0, sizeof users);
    for (int i = 0; i < USERS; i++)
        users[i].index = x;
    while (focal_cur_left(script) >= 2) {
        const uint8_t act = focal_cur_u8(script), with = focal_cur_u8(script);
        struct seal_index_user *u = &users[act % USERS];
        void volatile *out = NULL;
        const int at = with % SQLITE_SHM_NLOCK, region = with % 4;
        const int count = act & 128 ? 1 + (with >> 4) % (SQLITE_SHM_NLOCK - at) : 1;
        if (act >> 2 & 1) {
            const int rc = focal_seal_index_map(u, region, REGION_BYTES, with & 16, &out);
            focal_assert(rc == SQLITE_OK && (!(with & 16) || out) && (!regions[region] || out == regions[region]));
            regions[region] = out;
            if (out)
                ((uint8_t volatile *)out)[REGION_BYTES - 1] = act;
        } else if ((act >> 3 & 3) == 3) {
            (void)focal_seal_index_leave(u);
        } else {
            const int how = act & 32 ? SQLITE_SHM_EXCLUSIVE : SQLITE_SHM_SHARED;
            (void)focal_seal_index_lock(u, at, how == SQLITE_SHM_SHARED ? 1 : count, how | (act & 64 ? SQLITE_SHM_UNLOCK : SQLITE_SHM_LOCK));
            focal_seal_index_barrier(u);
        }
        if (!users[0].inside && !users[1].inside && !users[2].inside)
            memset(regions, 0, sizeof regions);
        for (int i = 0; i < USERS; i++)
            for (int k = 0; k < USERS; k++)
                focal_assert(i == k || !(users[i].exclusive & (users[k].exclusive | users[k].shared)));
    }
    for (int i = 0; i < USERS; i++)
        (void)focal_seal_index_leave(&users[i]);
    focal_seal_index_free(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!w.layer)
        begin_once();
    if (len < 2)
        return 0;
    struct focal_cur script = focal_cur_of(focal_span_of(data + 2, len - 2));
    if (data[0] & INDEX) {
        index_under_calls(&script);
        return 0;
    }
    w.count = w.kept;
    mem_copy(&w.file, &w.images[data[1] % STEPS][0]);
    mem_copy(&w.log, &w.images[data[1] % STEPS][1]);
    for (int acts = 0; acts < ACTS_MAX && focal_cur_left(&script) > 0; acts++)
        change(&script);
    pages_are_of_their_place();
    frames_are_of_their_place();
    through_sqlite(data[0]);
    if (data[0] & WRITES) {
        pages_are_of_their_place();
        frames_are_of_their_place();
    }
    return 0;
}
