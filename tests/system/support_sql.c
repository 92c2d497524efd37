/* Of an office whose store key is plain: `focal_sql DIR SQL` gives the first column of what SQL says of its database, and
 * `focal_sql DIR pages` every page of the file and of its log, opened; `focal_sql DIR keys` names and gives its secrets. With it the tests find the pages they harm, and look
 * into what no other program can read. */
#include "inside.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct focal_span read_file(uint8_t *text, size_t room, const char *dir, const char *name)
{
    char path[4000];
    snprintf(path, sizeof path, "%s/keys/%s", dir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);             /* a test may have put a pipe there */
    ssize_t len = fd >= 0 ? read(fd, text, room) : -1;
    if (fd >= 0)
        close(fd);
    return focal_span_of(text, len > 0 ? (size_t)len : 0);
}

static bool read_keys(struct focal_store_keys *keys, const char *dir)
{
    uint8_t text[4096];
    return focal_store_keys_unwrap(keys, read_file(text, sizeof text, dir, "store.key"), focal_span_of(NULL, 0), focal_span_of(NULL, 0)) == FOCAL_OK;
}

static void put_secret(const char *what, const uint8_t *bytes, size_t len)
{
    printf("%s ", what);
    for (size_t i = 0; i < len; i++)
        printf("%02x", bytes[i]);
    printf("\n");
}

static void no_chance(void *data, void *out, size_t len)
{
    (void)data;
    (void)out;
    (void)len;
    focal_unreachable();                /* nothing is written */
}

static void put_pages(const char *path, const struct seal_keys *keys, bool log)
{
    static uint8_t block[SEAL_FRAME_BYTES];
    const size_t len = log ? SEAL_FRAME_BYTES : SEAL_PAGE_BYTES, head = log ? SEAL_FRAME_HEADER_BYTES : 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (uint64_t n = 1; fd >= 0 && pread(fd, block, len, (off_t)((n - 1) * len + (log ? SEAL_WAL_HEADER_BYTES : 0))) == (ssize_t)len; n++)
        if (log ? focal_seal_open_frame(keys, n, block) : focal_seal_open_page(keys, n, block))
            fwrite(block + head, 1, SEAL_PAGE_BYTES, stdout);
    if (fd >= 0)
        close(fd);
}

static int show_pages(const char *path, const struct focal_store_key *key)
{
    char log[4096];
    struct seal_keys keys;
    focal_seal_keys(&keys, key);
    snprintf(log, sizeof log, "%s-wal", path);
    put_pages(path, &keys, false);
    put_pages(log, &keys, true);
    return fflush(stdout) == 0 ? 0 : 1;
}

/* Where the office is no member yet, there is none. */
static void put_network_secret(sqlite3 *db)
{
    sqlite3_stmt *row = NULL;
    if (sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE key = CAST('network-secret' AS BLOB)", -1, &row, NULL) == SQLITE_OK
        && sqlite3_step(row) == SQLITE_ROW)
        put_secret("network-secret", sqlite3_column_blob(row, 0), (size_t)sqlite3_column_bytes(row, 0));
    sqlite3_finalize(row);
}

static int show_keys(const struct focal_store_keys *keys, const char *dir, sqlite3 *db)
{
    static const char form[] = "focal-node-1 ";
    uint8_t text[4096];
    struct focal_buf plain, bytes;
    focal_buf_init(&plain, sizeof text);
    focal_buf_init(&bytes, sizeof text);
    for (size_t i = 0; i < keys->count; i++)
        put_secret("store-key", keys->list[i].secret, sizeof keys->list[i].secret);
    if (focal_store_unseal(&plain, keys, "node.key", read_file(text, sizeof text, dir, "node.key")) != FOCAL_OK || plain.len < sizeof form
        || !focal_unbase64url(&bytes, focal_span_of(plain.data + sizeof form - 1, plain.len - sizeof form)))
        return 1;
    put_secret("node-key", bytes.data, bytes.len);
    if (db)
        put_network_secret(db);
    focal_buf_close(&plain);
    focal_buf_close(&bytes);
    return fflush(stdout) == 0 ? 0 : 1;
}

static int show_rows(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *rows;
    int rc;
    if (sqlite3_prepare_v2(db, sql, -1, &rows, NULL) != SQLITE_OK) {
        fprintf(stderr, "focal_sql: %s\n", sqlite3_errmsg(db));
        return 1;
    }
    while ((rc = sqlite3_step(rows)) == SQLITE_ROW)
        puts((const char *)sqlite3_column_text(rows, 0));
    sqlite3_finalize(rows);
    return rc == SQLITE_DONE ? 0 : 1;
}

int main(int argc, char **argv)
{
    char path[4000];
    struct focal_store_keys keys;
    sqlite3 *db = NULL;
    if (argc != 3 || focal_crypto_init() != FOCAL_OK || !read_keys(&keys, argv[1]))
        return 2;
    snprintf(path, sizeof path, "%s/focal.db", argv[1]);
    if (strcmp(argv[2], "pages") == 0)
        return show_pages(path, &keys.list[0]);
    struct seal_layer *layer = focal_seal_layer_new(&keys.list[0], &(struct focal_entropy){ .fill = no_chance });
    const bool open = layer && sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, focal_seal_layer_name(layer)) == SQLITE_OK;
    const bool asks_keys = strcmp(argv[2], "keys") == 0;
    if (!open && !asks_keys)
        fprintf(stderr, "focal_sql: %s\n", layer ? sqlite3_errmsg(db) : "no memory");
    int code = asks_keys ? show_keys(&keys, argv[1], open ? db : NULL) : open ? show_rows(db, argv[2]) : 1;
    sqlite3_close(db);
    focal_seal_layer_let_go(layer);
    return code;
}
