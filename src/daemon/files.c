/* The node's key file, what outlives the database, and the configuration. */
#include "daemon.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_FORM "focal-node-1 "
#define KEEPSAKE_FORM "focal-network-1 "
enum { CONFIG_BYTES_MAX = 64 << 10, CONFIG_FILES_MAX = 64, KEEPSAKE_BYTES_MAX = 16 << 20 };

enum focal_status node_key_write(const char *path, const struct focal_node_keys *keys, const struct focal_store_key *store, struct focal_error *err)
{
    struct focal_buf text, bytes;
    focal_buf_init(&text, 4096);
    focal_buf_init(&bytes, FOCAL_NODE_KEYS_BYTES_MAX);
    focal_node_keys_encode(&bytes, keys);
    focal_buf_text(&text, KEY_FORM);
    focal_base64url(&text, focal_buf_view(&bytes));
    focal_buf_text(&text, "\n");
    enum focal_status st = text.failed || bytes.failed ? focal_fail(err, FOCAL_NO_MEMORY, "", "no memory for the key file")
                                       : sealed_write(path, "node.key", store, focal_buf_view(&text), false, err);
    focal_buf_wipe_close(&bytes);
    focal_buf_wipe_close(&text);
    return st;
}

enum focal_status node_key_read(struct focal_node_keys *keys, const char *path, const struct focal_store_keys *store, struct focal_error *err)
{
    struct focal_buf text, bytes;
    focal_buf_init(&text, 4096);
    focal_buf_init(&bytes, 2048);
    const size_t form = strlen(KEY_FORM);
    enum focal_status st = sealed_read(&text, path, "node.key", store, err);
    if (st == FOCAL_OK) {
        while (text.len && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
            focal_buf_truncate(&text, text.len - 1);
        bool good = text.len > form && memcmp(text.data, KEY_FORM, form) == 0
                    && focal_unbase64url(&bytes, focal_span_of(text.data + form, text.len - form))
                    && focal_node_keys_decode(keys, focal_buf_view(&bytes)) == FOCAL_OK;
        if (!good)
            st = focal_fail(err, FOCAL_DAMAGED, "restore it from a backup, or set the office up anew", "%s is not a node's key file", path);
    }
    focal_buf_wipe_close(&text);
    focal_buf_wipe_close(&bytes);
    return st;
}

/* ---- what outlives the database ---- */

enum focal_status keepsake_file_write(const char *dir, const struct focal_store_key *store, struct focal_span bytes, struct focal_error *err)
{
    char path[PATH_BYTES];
    struct focal_buf text;
    if (!path_join(path, dir, "keys/network.focal"))
        return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path is too long");
    focal_buf_init(&text, 2 * KEEPSAKE_BYTES_MAX);
    focal_buf_text(&text, KEEPSAKE_FORM);
    focal_base64url(&text, bytes);
    focal_buf_text(&text, "\n");
    enum focal_status st = text.failed ? focal_fail(err, FOCAL_NO_MEMORY, "", "no memory for %s", path)
                                       : sealed_write(path, "network.focal", store, focal_buf_view(&text), true, err);
    focal_buf_wipe_close(&text);
    return st;
}

enum focal_status keepsake_file_read(struct focal_buf *bytes, const char *dir, const struct focal_store_keys *store, struct focal_error *err)
{
    char path[PATH_BYTES];
    struct focal_buf text;
    const size_t form = strlen(KEEPSAKE_FORM);
    focal_buf_clear(bytes);
    if (!path_join(path, dir, "keys/network.focal"))
        return FOCAL_OK;
    focal_buf_init(&text, 2 * KEEPSAKE_BYTES_MAX);
    enum focal_status st = sealed_read(&text, path, "network.focal", store, err);
    if (st == FOCAL_OK && text.len > form + 1 && memcmp(text.data, KEEPSAKE_FORM, form) == 0 && text.data[text.len - 1] == '\n'
        && !focal_unbase64url(bytes, focal_span_of(text.data + form, text.len - form - 1)))
        focal_buf_clear(bytes);
    focal_buf_wipe_close(&text);
    return st == FOCAL_NO_MEMORY || st == FOCAL_DENIED ? st : FOCAL_OK;
}

/* ---- configuration ---- */

static enum focal_status read_one(struct focal_config *config, const char *path, struct focal_error *err)
{
    struct focal_buf text;
    focal_buf_init(&text, 2 * CONFIG_BYTES_MAX);
    enum focal_status st = focal_file_read_trusted(&text, path, CONFIG_BYTES_MAX, err);
    if (st == FOCAL_OK)
        st = focal_config_parse(config, path, focal_buf_view(&text), err);
    focal_buf_close(&text);
    return st;
}

static int is_conf(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

static enum focal_status read_more(struct focal_config *config, const char *file, struct focal_error *err)
{
    char dir[PATH_BYTES], path[PATH_BYTES + 8];
    struct dirent **names = NULL;
    if (snprintf(dir, sizeof dir, "%s.d", file) >= (int)sizeof dir)
        return FOCAL_OK;
    enum focal_status trusted = focal_dir_trusted(dir, err);
    if (trusted != FOCAL_OK)
        return trusted == FOCAL_NOT_FOUND ? FOCAL_OK : trusted;
    int count = scandir(dir, &names, is_conf, alphasort);
    if (count < 0)
        return errno == ENOENT ? FOCAL_OK : focal_fail(err, FOCAL_IO, "", "%s: %s", dir, strerror(errno));
    enum focal_status st = count > CONFIG_FILES_MAX ? focal_fail(err, FOCAL_TOO_BIG, "merge some", "%s holds more than %d files", dir, CONFIG_FILES_MAX) : FOCAL_OK;
    for (int i = 0; i < count; i++) {
        if (st == FOCAL_OK && !path_join(path, dir, names[i]->d_name))
            st = focal_fail(err, FOCAL_TOO_BIG, "choose shorter names", "a path in %s is too long", dir);
        if (st == FOCAL_OK)
            st = read_one(config, path, err);
        (free)(names[i]);               /* scandir's own */
    }
    (free)(names);
    return st;
}

enum focal_status config_read(struct focal_config *config, const char *dir, const char *file, struct focal_error *err)
{
    char path[PATH_BYTES], real[4096];
    focal_config_defaults(config);
    if (!file) {
        if (!path_join(path, dir, "focald.conf"))
            return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path %.60s... is too long", dir);
        file = path;
    }
    enum focal_status st = read_one(config, file, err);
    if (st == FOCAL_NOT_FOUND)
        return focal_fail(err, st, "`focald setup --help` shows how to make one", "there is no configuration %s", file);
    if (st == FOCAL_OK)
        st = read_more(config, file, err);
    if (st == FOCAL_OK)
        st = focal_config_check(config, err);
    if (st != FOCAL_OK)
        return st == FOCAL_REFUSED || st == FOCAL_MALFORMED || st == FOCAL_DENIED ? focal_fail(err, FOCAL_REFUSED, err->hint, "%s", err->message) : st;
    char beside[PATH_BYTES];
    (void)snprintf(beside, sizeof beside, "%s", file);
    char *slash = strrchr(beside, '/');
    if (slash)
        *slash = 0;
    const char *place = dir ? dir : config->dir[0] ? config->dir : slash ? beside : ".";
    if (!realpath(place, real))
        return focal_fail(err, FOCAL_NOT_FOUND, "name the directory that `focald setup` filled", "%s: %s", place, strerror(errno));
    if (strlen(real) >= sizeof config->dir)
        return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path %.60s... is too long", real);
    memcpy(config->dir, real, strlen(real) + 1);
    return FOCAL_OK;
}
