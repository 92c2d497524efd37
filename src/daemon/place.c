/* All or nothing: everything a setup makes is made in a directory apart and moved into place when it is whole; the
 * configuration comes last, and a directory without one is not set up. */
#include "daemon.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const pieces[] = { "keys", "recovery-sheet.txt", "for-members.json", "focal.db", "focald.conf" };
enum { PIECES = sizeof pieces / sizeof pieces[0] };

static bool there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static void remove_files(const char *dir)
{
    char path[PATH_BYTES];
    DIR *d = opendir(dir);
    struct dirent *entry;
    while (d && (entry = readdir(d)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && path_join(path, dir, entry->d_name))
            (void)!unlink(path);
    if (d)
        closedir(d);
}

static void remove_stage(const struct place *p)
{
    char keys[PATH_BYTES];
    if (path_join(keys, p->stage, "keys")) {
        remove_files(keys);
        (void)!rmdir(keys);
    }
    remove_files(p->stage);
    (void)!rmdir(p->stage);
}

enum focal_status place_open(struct place *p, const char *dir, struct focal_error *err)
{
    char path[PATH_BYTES];
    memset(p, 0, sizeof *p);
    if (snprintf(p->dir, sizeof p->dir, "%s", dir) >= FOCAL_CONFIG_PATH_MAX - 32 || !path_join(p->stage, dir, ".setup"))
        return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path %.60s... is too long", dir);
    for (size_t i = 0; i < PIECES; i++)
        if (path_join(path, dir, pieces[i]) && there(path))
            return focal_fail(err, FOCAL_EXISTS, "choose another directory; nothing is overwritten", "%s is there already: this directory holds a node", path);
    p->made_dir = !there(dir);
    enum focal_status st = focal_dir_make(dir, 0700, err);
    if (st != FOCAL_OK)
        return st;
    /* Who else may write here could swap what is made, or lead the cleaning up elsewhere. */
    struct stat st_dir;
    if (stat(dir, &st_dir) != 0 || st_dir.st_uid != geteuid() || (st_dir.st_mode & 022))
        return focal_fail(err, FOCAL_DENIED, "choose a directory that is yours alone, or let setup make it", "others may write in %s", dir);
    remove_stage(p);                    /* of a setup that was killed: it had put nothing in place */
    if (!path_join(path, p->stage, "keys"))
        return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path %.60s... is too long", dir);
    return focal_dir_make(path, 0700, err);
}

static enum focal_status sync_dir(const char *path)
{
    DIR *d = opendir(path);
    int rv = d ? fsync(dirfd(d)) : -1;
    if (d)
        closedir(d);
    return rv ? FOCAL_IO : FOCAL_OK;
}

enum focal_status place_finish(struct place *p, struct focal_error *err)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    for (size_t i = 0; i < PIECES; i++) {
        if (!path_join(from, p->stage, pieces[i]) || !path_join(to, p->dir, pieces[i]))
            return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path %.60s... is too long", p->dir);
        if (!there(from))               /* an office that joins has no recovery sheet */
            continue;
        if (rename(from, to) != 0)
            return focal_fail(err, FOCAL_IO, "", "%s: %s", to, strerror(errno));
        p->moved = i + 1;
    }
    if (sync_dir(p->dir) != FOCAL_OK)
        return focal_fail(err, FOCAL_IO, "", "%s: %s", p->dir, strerror(errno));
    remove_stage(p);
    return FOCAL_OK;
}

void place_abandon(struct place *p)
{
    char path[PATH_BYTES];
    if (!p->stage[0])
        return;
    for (size_t i = 0; i < p->moved; i++) {
        if (!path_join(path, p->dir, pieces[i]))
            continue;
        if (i == 0)
            remove_files(path);
        (void)!(i == 0 ? rmdir(path) : unlink(path));
    }
    remove_stage(p);
    if (p->made_dir)
        (void)!rmdir(p->dir);
}
