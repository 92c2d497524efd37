/* A file of records on its way to the daemon: pieces that end where lines end, and are UTF-8. */
#include "cli.h"

#include "focal/io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = 64 << 10, KEPT_BYTES_MAX = 1 << 30 };

static enum focal_status failed(const struct pieces *p, struct focal_error *err)
{
    enum focal_status st = errno == ENOENT || errno == ENOTDIR ? FOCAL_NOT_FOUND : errno == EACCES ? FOCAL_DENIED : FOCAL_IO;
    return focal_fail(err, st, "", "%.200s: %s", p->name, strerror(errno));
}

static int64_t changed_at(const struct stat *s)
{
    return (int64_t)s->st_mtim.tv_sec * 1000000000 + s->st_mtim.tv_nsec;
}

enum focal_status pieces_open(struct pieces *p, const char *path, struct focal_error *err)
{
    struct stat s;
    bool standard = strcmp(path, "-") == 0;
    memset(p, 0, sizeof *p);
    p->name = standard ? "standard input" : path;
    focal_buf_init(&p->whole, KEPT_BYTES_MAX);
    focal_buf_init(&p->piece, 2 * PIECE_BYTES);
    p->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (p->fd < 0 || fstat(p->fd, &s) != 0)
        return failed(p, err);
    if (S_ISDIR(s.st_mode))
        return focal_fail(err, FOCAL_USAGE, "name a file", "%.200s is a directory", p->name);
    p->size = S_ISREG(s.st_mode) ? (uint64_t)s.st_size : 0;
    p->changed_ns = changed_at(&s);
    if (S_ISREG(s.st_mode) && !standard)
        return FOCAL_OK;
    p->kept = true;
    return focal_file_read(&p->whole, standard ? "-" : path, KEPT_BYTES_MAX, err);
}

enum focal_status pieces_again(struct pieces *p, struct focal_error *err)
{
    struct stat s;
    p->at = 0;
    p->ended = false;
    p->done = p->lines = 0;
    focal_buf_clear(&p->piece);
    if (p->kept)
        return FOCAL_OK;
    if (lseek(p->fd, 0, SEEK_SET) != 0 || fstat(p->fd, &s) != 0)
        return failed(p, err);
    if ((uint64_t)s.st_size != p->size || changed_at(&s) != p->changed_ns)
        return focal_fail(err, FOCAL_CONFLICT, "run it again when nobody writes to the file",
                          "%.200s changed after it was read", p->name);
    return FOCAL_OK;
}

/* Up to PIECE_BYTES more, behind what is left of the last piece. */
static enum focal_status fill(struct pieces *p, struct focal_error *err)
{
    while (!p->ended && p->piece.len < PIECE_BYTES) {
        size_t want = PIECE_BYTES - p->piece.len;
        if (p->kept) {
            size_t left = p->whole.len - p->at;
            want = want < left ? want : left;
            focal_buf_bytes(&p->piece, p->whole.data + p->at, want);
            p->at += want;
            p->ended = p->at == p->whole.len;
            continue;
        }
        size_t before = p->piece.len;
        uint8_t *room = focal_buf_reserve(&p->piece, want);
        if (!room)
            return focal_fail(err, FOCAL_NO_MEMORY, "", "no memory to read %.200s", p->name);
        ssize_t n = read(p->fd, room, want);
        int code = errno;
        focal_buf_truncate(&p->piece, before + (n > 0 ? (size_t)n : 0));
        errno = code;
        if (n < 0 && errno != EINTR)
            return failed(p, err);
        p->ended = n == 0;
    }
    return p->piece.failed ? focal_fail(err, FOCAL_NO_MEMORY, "", "no memory to read %.200s", p->name) : FOCAL_OK;
}

/* Behind the last line end; without one, before a character that is cut in two. */
static size_t cut(const struct pieces *p)
{
    size_t len = p->piece.len;
    if (p->ended)
        return len;
    for (size_t i = len; i > 0; i--)
        if (p->piece.data[i - 1] == '\n')
            return i;
    for (size_t back = 0; back < 3 && len > 1 && (p->piece.data[len - 1] & 0xc0) == 0x80; back++)
        len--;
    return len > 1 && p->piece.data[len - 1] >= 0xc0 ? len - 1 : p->piece.len;
}

static uint64_t count_lines(const uint8_t *data, size_t len)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < len; i++)
        lines += data[i] == '\n';
    return lines;
}

/* Which line is it that is not text? */
static enum focal_status not_text(const struct pieces *p, size_t len, struct focal_error *err)
{
    uint64_t line = p->lines + 1;
    size_t at = 0;
    for (;; line++) {
        const uint8_t *end = at < len ? memchr(p->piece.data + at, '\n', len - at) : NULL;
        size_t stop = end ? (size_t)(end - p->piece.data) + 1 : len;
        json_t *text = json_stringn((const char *)p->piece.data + at, stop - at);
        bool bad = !text || memchr(p->piece.data + at, 0, stop - at);
        json_decref(text);
        at = stop;
        if (bad || at >= len)
            break;
    }
    return focal_fail(err, FOCAL_MALFORMED, "save it as UTF-8 (in a spreadsheet: \"CSV UTF-8\")",
                      "%.200s, line %llu: this is not UTF-8 text; nothing from there on was taken", p->name, (unsigned long long)line);
}

enum focal_status pieces_next(struct pieces *p, json_t **text, struct focal_error *err)
{
    *text = NULL;
    enum focal_status st = fill(p, err);
    size_t len = st == FOCAL_OK ? cut(p) : 0;
    if (len == 0)
        return st;
    *text = memchr(p->piece.data, 0, len) ? NULL : json_stringn((const char *)p->piece.data, len);
    if (!*text)
        return not_text(p, len, err);
    p->lines += count_lines(p->piece.data, len);
    p->done += len;
    memmove(p->piece.data, p->piece.data + len, p->piece.len - len);
    focal_buf_truncate(&p->piece, p->piece.len - len);
    return FOCAL_OK;
}

void pieces_close(struct pieces *p)
{
    if (p->fd > STDIN_FILENO)
        close(p->fd);
    focal_buf_close(&p->whole);
    focal_buf_close(&p->piece);
}
