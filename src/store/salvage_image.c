/* The pages of a damaged database: its file, and over it what its write-ahead log holds. Nothing here writes. */
#include "salvage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WAL_HEADER_BYTES = 32, FRAME_HEADER_BYTES = 24, PAGE_BYTES_LEAST = 512, PAGE_BYTES_MOST = 65536,
    PAGES_BEYOND = 1 << 20              /* what a log may add to a file that lost its end: more is a broken number */
};

static uint32_t be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool page_bytes_good(uint32_t n)
{
    return n >= PAGE_BYTES_LEAST && n <= PAGE_BYTES_MOST && (n & (n - 1)) == 0;
}

/* As many bytes as there are, the rest zeros. False: none, or the disk does not give them. */
static bool read_at(int fd, uint8_t *out, size_t len, uint64_t offset)
{
    size_t got = 0;
    while (got < len) {
        ssize_t n = pread(fd, out + got, len - got, (off_t)(offset + got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    memset(out + got, 0, len - got);
    return got > 0;
}

static uint64_t size_of(int fd)
{
    struct stat st;
    return fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

static uint64_t frame_at(const struct salvage_image *im, uint64_t frame)
{
    return WAL_HEADER_BYTES + (frame - 1) * (FRAME_HEADER_BYTES + (uint64_t)im->page_bytes);
}

/* The header's word where it can be one; else what this program makes. */
static void learn_page_size(struct salvage_image *im)
{
    uint8_t head[100] = { 0 };
    uint32_t n = 0;
    im->page_bytes = SQLITE_PAGE_BYTES;
    im->usable_bytes = SEAL_CONTENT_BYTES;
    if (im->sealed)
        return;
    uint32_t reserved = 0;
    if (im->fd >= 0 && read_at(im->fd, head, sizeof head, 0) && memcmp(head, "SQLite format 3", 16) == 0) {
        n = (uint32_t)head[16] << 8 | head[17];
        n = n == 1 ? PAGE_BYTES_MOST : n;
        if (page_bytes_good(n)) {
            im->page_bytes = n;
            reserved = head[20] <= 32 ? head[20] : 0;
        }
    }
    im->usable_bytes = im->page_bytes - reserved;
}

/* ---- the log ------------------------------------------------------------------------------------------------------------- */

struct wal {
    uint8_t salts[8];
    bool big_endian, checks;            /* checks: the sums have been right so far */
    uint32_t sum[2];
    uint64_t frames;                    /* that the file has room for */
    uint64_t committed, whole;          /* the last that ends a transaction: with right sums; with whatever sums */
};

static uint32_t word(const struct wal *w, const uint8_t *at)
{
    return w->big_endian ? be32(at) : (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static void sum_up(struct wal *w, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i + 8 <= len; i += 8) {
        w->sum[0] += word(w, bytes + i) + w->sum[1];
        w->sum[1] += word(w, bytes + i + 4) + w->sum[0];
    }
}

/* A log whose header is broken still shows by its first frame which frames belong together. */
static bool wal_begin(struct salvage_image *im, struct wal *w)
{
    uint8_t head[WAL_HEADER_BYTES], first[FRAME_HEADER_BYTES];
    uint64_t size = size_of(im->wal_fd);
    if (size <= WAL_HEADER_BYTES + FRAME_HEADER_BYTES || !read_at(im->wal_fd, head, sizeof head, 0))
        return false;
    w->big_endian = be32(head) & 1;
    sum_up(w, head, 24);
    w->checks = (be32(head) & ~1u) == 0x377F0682 && w->sum[0] == be32(head + 24) && w->sum[1] == be32(head + 28)
                && (im->fd < 0 || be32(head + 8) == im->page_bytes);
    if (w->checks && im->fd < 0 && !im->sealed && page_bytes_good(be32(head + 8)))
        im->page_bytes = im->usable_bytes = be32(head + 8);
    memcpy(w->salts, head + 16, 8);
    if (!w->checks && read_at(im->wal_fd, first, sizeof first, WAL_HEADER_BYTES))
        memcpy(w->salts, first + 8, 8);
    w->frames = (size - WAL_HEADER_BYTES + FRAME_HEADER_BYTES) / (FRAME_HEADER_BYTES + (uint64_t)im->page_bytes);
    return w->frames > 0 && w->frames < UINT32_MAX;
}

/* The whole frame into the scratch, in clear. */
static bool read_frame(const struct salvage_image *im, uint64_t frame)
{
    if (!read_at(im->wal_fd, im->frame, FRAME_HEADER_BYTES + (size_t)im->page_bytes, frame_at(im, frame)))
        return false;
    return !im->sealed || focal_seal_open_frame(&im->keys, frame, im->frame);
}

/* Its page number; 0: a frame of an earlier round of the log, or none. */
static uint32_t frame_page(const struct salvage_image *im, const struct wal *w, uint64_t frame, uint8_t head[FRAME_HEADER_BYTES])
{
    if (!read_frame(im, frame) || memcmp(im->frame + 8, w->salts, 8) != 0)
        return 0;
    memcpy(head, im->frame, FRAME_HEADER_BYTES);
    uint32_t number = be32(head);
    return number <= (uint64_t)im->file_pages + PAGES_BEYOND ? number : 0;
}

static void find_ends(struct salvage_image *im, struct wal *w)
{
    uint8_t head[FRAME_HEADER_BYTES];
    im->page_count = im->file_pages;
    for (uint64_t f = 1; f <= w->frames; f++) {
        uint32_t number = frame_page(im, w, f, head);
        if (number == 0) {
            w->checks = false;
            continue;
        }
        if (w->checks) {
            sum_up(w, head, 8);
            sum_up(w, im->frame + FRAME_HEADER_BYTES, im->page_bytes);
            w->checks = w->sum[0] == be32(head + 16) && w->sum[1] == be32(head + 20);
        }
        if (be32(head + 4) != 0) {
            w->whole = f;
            w->committed = w->checks ? f : w->committed;
        }
        im->page_count = number > im->page_count ? number : im->page_count;
    }
}

static void lay_over(struct salvage_image *im, const struct wal *w, enum salvage_view view, uint64_t last)
{
    uint8_t head[FRAME_HEADER_BYTES];
    for (uint64_t f = 1; f <= last; f++) {
        uint32_t number = frame_page(im, w, f, head);
        if (number)
            im->frames[view][number] = (uint32_t)f;
    }
}

static enum focal_status read_log(struct salvage_image *im)
{
    struct wal w = { .checks = true };
    im->frame = focal_alloc(FRAME_HEADER_BYTES + (size_t)PAGE_BYTES_MOST);
    if (!im->frame)
        return FOCAL_NO_MEMORY;
    bool has_log = im->wal_fd >= 0 && wal_begin(im, &w);
    im->page_count = im->file_pages;
    if (!has_log) {
        im->differs[VIEW_FILE] = im->file_pages > 0;
        return im->file_pages ? FOCAL_OK : FOCAL_NOT_FOUND;
    }
    find_ends(im, &w);
    for (int v = 0; v < VIEW_FILE; v++) {
        im->frames[v] = focal_alloc(((size_t)im->page_count + 1) * sizeof **im->frames);
        if (!im->frames[v])
            return FOCAL_NO_MEMORY;
    }
    lay_over(im, &w, VIEW_COMMITTED, w.committed);
    lay_over(im, &w, VIEW_WHOLE_LOG, w.whole);
    im->differs[VIEW_COMMITTED] = w.committed > 0;
    im->differs[VIEW_WHOLE_LOG] = w.whole > w.committed;
    im->differs[VIEW_FILE] = im->file_pages > 0;
    return im->file_pages || w.whole ? FOCAL_OK : FOCAL_NOT_FOUND;
}

/* ---- open, read, close ------------------------------------------------------------------------------------------------------ */

static enum focal_status open_file(int *fd, const char *path, struct focal_error *err)
{
    struct stat st;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (*fd < 0 && errno == ENOENT)
        return FOCAL_OK;
    if (*fd < 0)
        return focal_fail(err, focal_sqlite_errno_status(errno), "look at the owner and permissions of the file and its directory",
                          "cannot read %s: %s", path, strerror(errno));
    if (fstat(*fd, &st) != 0 || !S_ISREG(st.st_mode))
        return focal_fail(err, FOCAL_DENIED, "name the database itself", "%s is not a regular file", path);
    return FOCAL_OK;
}

enum focal_status focal_salvage_image_open(struct salvage_image *im, const char *path, const struct focal_store_key *key, struct focal_error *err)
{
    char wal[SQLITE_PATH_BYTES];
    memset(im, 0, sizeof *im);
    im->fd = im->wal_fd = -1;
    im->sealed = key != NULL;
    if (key)
        focal_seal_keys(&im->keys, key);
    if (strlen(path) >= SQLITE_PATH_BYTES - SQLITE_SUFFIX_BYTES)
        return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path of the database is too long");
    focal_sqlite_beside(wal, path, "-wal");
    enum focal_status status = open_file(&im->fd, path, err);
    if (status == FOCAL_OK)
        status = open_file(&im->wal_fd, wal, err);
    if (status != FOCAL_OK)
        return status;
    learn_page_size(im);
    uint64_t pages = (size_of(im->fd) + im->page_bytes - 1) / im->page_bytes;
    im->file_pages = pages < UINT32_MAX / 2 ? (uint32_t)pages : UINT32_MAX / 2;     /* more than SQLite's most */
    status = read_log(im);
    if (status == FOCAL_NOT_FOUND)
        return focal_fail(err, status, "name the directory of the office", "there is no database at %s", path);
    return status == FOCAL_OK ? status : focal_fail(err, status, "free some memory", "no memory to read %s", path);
}

void focal_salvage_image_close(struct salvage_image *im)
{
    for (int v = 0; v < VIEW_FILE; v++)
        focal_free(im->frames[v]);
    if (im->fd >= 0)
        close(im->fd);
    if (im->wal_fd >= 0)
        close(im->wal_fd);
    focal_free(im->frame);
    focal_wipe(&im->keys, sizeof im->keys);
}

static uint32_t frame_of(const struct salvage_image *im, enum salvage_view view, uint32_t number)
{
    return view != VIEW_FILE && im->frames[view] ? im->frames[view][number] : 0;
}

bool focal_salvage_page(const struct salvage_image *im, enum salvage_view view, uint32_t number, uint8_t *out)
{
    if (number == 0 || number > im->page_count)
        return false;
    uint32_t frame = frame_of(im, view, number);
    if (frame) {
        bool read = read_frame(im, frame);
        memcpy(out, im->frame + FRAME_HEADER_BYTES, im->page_bytes);
        return read;
    }
    return number <= im->file_pages && read_at(im->fd, out, im->page_bytes, (uint64_t)(number - 1) * im->page_bytes)
           && (!im->sealed || focal_seal_open_page(&im->keys, number, out));
}

bool focal_salvage_same(const struct salvage_image *im, enum salvage_view a, enum salvage_view b, uint32_t number)
{
    return frame_of(im, a, number) == frame_of(im, b, number);
}
