/* The directory that everything happens in, and where the programs are. */
#include "bench.h"

#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WALK_FDS = 16 };

enum focal_status place_path(char out[PATH_BYTES], struct focal_error *err, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(out, PATH_BYTES, fmt, args);
    va_end(args);
    if (n < 0 || n >= PATH_BYTES)
        return focal_fail(err, FOCAL_TOO_BIG, "", "the path is too long: %.200s", out);
    return FOCAL_OK;
}

enum focal_status place_open(struct bench *b, struct focal_error *err)
{
    const char *tmp = getenv("TMPDIR");
    enum focal_status status = place_path(b->bin, err, "%s", FOCAL_BIN_DIR);

    if (status == FOCAL_OK)
        status = place_path(b->focald, err, "%s/focald", b->bin);
    if (status == FOCAL_OK)
        status = place_path(b->focalctl, err, "%s/focalctl", b->bin);
    /* A control socket stands in it, and such a path is short. */
    if (!tmp || tmp[0] != '/' || strlen(tmp) > 60)
        tmp = "/tmp";
    if (status == FOCAL_OK)
        status = place_path(b->dir, err, "%s/focal-bench-XXXXXX", tmp);
    if (status == FOCAL_OK && !mkdtemp(b->dir))
        status = focal_fail(err, FOCAL_IO, "", "cannot make a directory under %s: %s", tmp, strerror(errno));
    b->dir_made = status == FOCAL_OK;
    char state[PATH_BYTES], runtime[PATH_BYTES];
    if (status == FOCAL_OK)
        status = place_path(state, err, "%s/state", b->dir);
    if (status == FOCAL_OK)
        status = place_path(runtime, err, "%s/run", b->dir);
    /* The daemons' fences go with the rest and not into the home of who measures. No thread runs yet. */
    if (status == FOCAL_OK && (setenv("XDG_STATE_HOME", state, 1) || setenv("XDG_RUNTIME_DIR", runtime, 1)))
        status = focal_fail(err, FOCAL_NO_MEMORY, "", "no memory for the environment of the daemons");
    return status;
}

static int remove_one(const char *path, const struct stat *is, int type, struct FTW *at)
{
    (void)is;
    (void)type;
    (void)at;
    return remove(path);
}

static void remove_all(const char *dir)
{
    if (nftw(dir, remove_one, WALK_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0 && errno != ENOENT)
        fprintf(stderr, "focal_bench: cannot remove all of %s: %s\n", dir, strerror(errno));
}

void place_close(struct bench *b)
{
    if (b->dir_made && b->keep)
        fprintf(stderr, "focal_bench: left in %s\n", b->dir);
    else if (b->dir_made)
        remove_all(b->dir);
    b->dir_made = false;
}
