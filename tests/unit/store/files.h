/* Whole files, as the tests of the store harm and compare them. */
#ifndef FOCAL_TESTS_FILES_H
#define FOCAL_TESTS_FILES_H

#include "focal/base.h"
#include "inside.h"
#include "store_key.h"

#include <stdio.h>

/* To be closed by the caller. */
static inline struct focal_buf contents(const char *path)
{
    struct focal_buf buf;
    focal_buf_init(&buf, 64u << 20);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    uint8_t block[4096];
    size_t n;
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        focal_buf_bytes(&buf, block, n);
    fclose(f);
    assert_false(buf.failed);
    return buf;
}

static inline void write_file(const char *path, struct focal_span bytes)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes.data, 1, bytes.len, f), bytes.len);
    assert_int_equal(fclose(f), 0);
}

/* A connection of SQLite's own to a database under the key of tests, or to one in clear. The layer goes with close_past. */
struct past { sqlite3 *db; struct seal_layer *layer; };

static inline struct past open_past(const char *path, bool sealed, bool read_only)
{
    const struct focal_entropy entropy = { focal_test_chance, NULL };
    struct past p = { NULL, sealed ? focal_seal_layer_new(&focal_test_key, &entropy) : NULL };
    int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    assert_int_equal(sqlite3_open_v2(path, &p.db, flags, sealed ? focal_seal_layer_name(p.layer) : NULL), SQLITE_OK);
    int reserved = SEAL_RESERVED_BYTES;      /* of a database that is made only now */
    if (sealed && !read_only)
        assert_int_equal(sqlite3_file_control(p.db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved), SQLITE_OK);
    return p;
}

static inline void close_past(struct past *p)
{
    assert_int_equal(sqlite3_close(p->db), SQLITE_OK);
    focal_seal_layer_let_go(p->layer);
}

static inline void run_past(const char *path, bool sealed, const char *sql)
{
    struct past p = open_past(path, sealed, false);
    if (sqlite3_exec(p.db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(p.db));
    close_past(&p);
}

#endif
