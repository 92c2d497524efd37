/* Of an office whose store key is plain: `focal_sql DIR SQL` gives the first column of what SQL says of its database, and
 * `focal_sql DIR pages` every page of the file and of its log, opened. With it the tests find the pages they harm, and look
 * into what no other program can read. */
#include "inside.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool read_key(struct focal_store_key *key, const char *dir)
{
    char path[4000];
    uint8_t text[4096];
    struct focal_store_keys keys;
    snprintf(path, sizeof path, "%s/keys/store.key", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, text, sizeof text) : -1;
    if (fd >= 0)
        close(fd);
    if (len <= 0 || focal_store_keys_unwrap(&keys, focal_span_of(text, (size_t)len), focal_span_of(NULL, 0), focal_span_of(NULL, 0)) != FOCAL_OK)
        return false;
    *key = keys.list[0];
    return true;
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

int main(int argc, char **argv)
{
    char path[4000];
    struct focal_store_key key;
    sqlite3 *db;
    sqlite3_stmt *rows;
    if (argc != 3 || focal_crypto_init() != FOCAL_OK || !read_key(&key, argv[1]))
        return 2;
    snprintf(path, sizeof path, "%s/focal.db", argv[1]);
    if (strcmp(argv[2], "pages") == 0)
        return show_pages(path, &key);
    struct seal_layer *layer = focal_seal_layer_new(&key, &(struct focal_entropy){ .fill = no_chance });
    if (!layer || sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, focal_seal_layer_name(layer)) != SQLITE_OK
        || sqlite3_prepare_v2(db, argv[2], -1, &rows, NULL) != SQLITE_OK) {
        fprintf(stderr, "focal_sql: %s\n", layer ? sqlite3_errmsg(db) : "no memory");
        return 1;
    }
    int rc;
    while ((rc = sqlite3_step(rows)) == SQLITE_ROW)
        puts((const char *)sqlite3_column_text(rows, 0));
    sqlite3_finalize(rows);
    sqlite3_close(db);
    focal_seal_layer_let_go(layer);
    return rc == SQLITE_DONE ? 0 : 1;
}
