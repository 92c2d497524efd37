/* Long output into a file that is replaced only when all of it is there. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static enum focal_status failed(const struct sink *s, struct focal_error *err)
{
    return focal_fail(err, FOCAL_IO, "nothing was replaced", "%.200s: %s", s->path ? s->path : "standard output", strerror(errno));
}

enum focal_status sink_open(struct sink *s, const char *path, struct focal_error *err)
{
    memset(s, 0, sizeof *s);
    s->to = stdout;
    if (!path || strcmp(path, "-") == 0)
        return FOCAL_OK;
    s->path = path;
    int len = snprintf(s->temporary, sizeof s->temporary, "%s.%ld.part", path, (long)getpid());
    if (len < 0 || (size_t)len >= sizeof s->temporary)
        return focal_fail(err, FOCAL_TOO_BIG, "", "the name of the file is too long");
    /* Cases stand in it: nobody else may read it. */
    int fd = open(s->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    s->to = fd >= 0 ? fdopen(fd, "w") : NULL;
    return s->to ? FOCAL_OK : failed(s, err);
}

enum focal_status sink_put(struct sink *s, const void *bytes, size_t len, struct focal_error *err)
{
    if (fwrite(bytes, 1, len, s->to) == len)
        return FOCAL_OK;
    return s->path ? failed(s, err) : focal_fail(err, FOCAL_CANCELLED, "", "standard output is closed");
}

enum focal_status sink_close(struct sink *s, bool keep, struct focal_error *err)
{
    if (!s->path || !s->to)
        return FOCAL_OK;
    enum focal_status st = FOCAL_OK;
    if (fflush(s->to) != 0 || fsync(fileno(s->to)) != 0)
        st = failed(s, err);
    if (fclose(s->to) != 0 && st == FOCAL_OK)
        st = failed(s, err);
    s->to = NULL;
    if (keep && st == FOCAL_OK && rename(s->temporary, s->path) != 0)
        st = failed(s, err);
    if (!keep || st != FOCAL_OK)
        (void)unlink(s->temporary);
    return st;
}

struct writing { struct sink to; enum focal_status st; struct focal_error *err; };

static int put_piece(const char *text, size_t len, void *data)
{
    struct writing *w = data;
    w->st = sink_put(&w->to, text, len, w->err);
    return w->st == FOCAL_OK ? 0 : -1;
}

enum focal_status sink_json(const json_t *item, const char *path, struct focal_error *err)
{
    struct writing w = { .err = err };
    if (sink_open(&w.to, path, err) != FOCAL_OK)
        return err->status;
    (void)json_dump_callback(item, put_piece, &w, JSON_INDENT(1) | JSON_SORT_KEYS);
    if (w.st == FOCAL_OK)
        w.st = sink_put(&w.to, "\n", 1, err);
    enum focal_status closed = sink_close(&w.to, w.st == FOCAL_OK, err);
    return w.st == FOCAL_OK ? closed : w.st;
}
