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

typedef void on_page(const uint8_t page[SEAL_PAGE_BYTES]);

static void put_page(const uint8_t page[SEAL_PAGE_BYTES])
{
    fwrite(page, 1, SEAL_PAGE_BYTES, stdout);
}

/* Only reads: no connection of SQLite's is opened, which would make files. */
static void each_page_of(const char *path, const struct seal_keys *keys, bool log, on_page *what)
{
    static uint8_t block[SEAL_FRAME_BYTES];
    const size_t len = log ? SEAL_FRAME_BYTES : SEAL_PAGE_BYTES, head = log ? SEAL_FRAME_HEADER_BYTES : 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (uint64_t n = 1; fd >= 0 && pread(fd, block, len, (off_t)((n - 1) * len + (log ? SEAL_WAL_HEADER_BYTES : 0))) == (ssize_t)len; n++)
        if (log ? focal_seal_open_frame(keys, n, block) : focal_seal_open_page(keys, n, block))
            what(block + head);
    if (fd >= 0)
        close(fd);
}

static int each_page(const char *path, const struct focal_store_key *key, on_page *what)
{
    char log[4096];
    struct seal_keys keys;
    focal_seal_keys(&keys, key);
    snprintf(log, sizeof log, "%s-wal", path);
    each_page_of(path, &keys, false, what);
    each_page_of(log, &keys, true, what);
    return fflush(stdout) == 0 ? 0 : 1;
}

/* In a row of META the value stands right behind its key. Where the office is no member yet, there is none. */
static void put_network_secret(const uint8_t page[SEAL_PAGE_BYTES])
{
    static const char name[] = "network-secret";
    static uint8_t last[32];
    const uint8_t *at = memmem(page, SEAL_PAGE_BYTES, name, sizeof name - 1);
    if (!at || at + sizeof name - 1 + sizeof last > page + SEAL_PAGE_BYTES || memcmp(at + sizeof name - 1, last, sizeof last) == 0)
        return;
    memcpy(last, at + sizeof name - 1, sizeof last);
    put_secret(name, last, sizeof last);
}

static int show_keys(const struct focal_store_keys *keys, const char *dir, const char *path)
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
    (void)each_page(path, &keys->list[0], put_network_secret);
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
        return each_page(path, &keys.list[0], put_page);
    if (strcmp(argv[2], "keys") == 0)
        return show_keys(&keys, argv[1], path);
    struct seal_layer *layer = focal_seal_layer_new(&keys.list[0], &(struct focal_entropy){ .fill = no_chance });
    const bool open = layer && sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, focal_seal_layer_name(layer)) == SQLITE_OK;
    if (!open)
        fprintf(stderr, "focal_sql: %s\n", layer ? sqlite3_errmsg(db) : "no memory");
    int code = open ? show_rows(db, argv[2]) : 1;
    sqlite3_close(db);
    focal_seal_layer_let_go(layer);
    return code;
}
