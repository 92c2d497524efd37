/* Questions on the terminal, and secrets from a file. */
#include "daemon.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { LINE_BYTES = 32768 };

bool prompt_possible(void)
{
    return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

static enum focal_status read_line(struct focal_buf *out, struct focal_error *err)
{
    for (;;) {
        char c;
        ssize_t n = read(STDIN_FILENO, &c, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return focal_fail(err, FOCAL_IO, "", "standard input: %s", strerror(errno));
        if (n == 0 || c == '\n')
            break;
        focal_buf_bytes(out, &c, 1);
    }
    return out->failed ? focal_fail(err, FOCAL_TOO_BIG, "", "the answer is too long") : FOCAL_OK;
}

enum focal_status prompt_line(struct focal_buf *out, const char *question, struct focal_error *err)
{
    fprintf(stderr, "%s: ", question);
    fflush(stderr);
    return read_line(out, err);
}

/* Ctrl-C comes as a byte while nothing is echoed, so that the terminal is never left in that state. */
static enum focal_status read_hidden(struct focal_buf *out, struct focal_error *err)
{
    for (;;) {
        char c;
        ssize_t n = read(STDIN_FILENO, &c, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n > 0 && c == 3)
            return focal_fail(err, FOCAL_CANCELLED, "nothing was set up", "interrupted");
        if (n <= 0 || c == 4 || c == '\n' || c == '\r')
            break;
        if (c != 127 && c != 8)
            focal_buf_bytes(out, &c, 1);
        else if (out->len)
            focal_buf_truncate(out, out->len - 1);
    }
    return out->failed ? focal_fail(err, FOCAL_TOO_BIG, "", "the answer is too long") : FOCAL_OK;
}

static enum focal_status ask_secret(struct focal_buf *out, const char *question, struct focal_error *err)
{
    struct termios before, silent;
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return focal_fail(err, FOCAL_USAGE, "use --passphrase-file", "there is no terminal to ask on");
    silent = before;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
    silent.c_cc[VMIN] = 1;
    silent.c_cc[VTIME] = 0;
    fprintf(stderr, "%s: ", question);
    fflush(stderr);
    (void)!tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    enum focal_status st = read_hidden(out, err);
    (void)!tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fputc('\n', stderr);
    return st;
}

enum focal_status prompt_secret(struct focal_buf *out, const char *question, bool twice, struct focal_error *err)
{
    enum focal_status st = ask_secret(out, question, err);
    if (st != FOCAL_OK || !twice)
        return st;
    struct focal_buf again;
    focal_buf_init(&again, LINE_BYTES);
    st = ask_secret(&again, "The same again", err);
    if (st == FOCAL_OK && !focal_span_equal(focal_buf_view(out), focal_buf_view(&again)))
        st = focal_fail(err, FOCAL_USAGE, "start again", "the two are not the same");
    focal_buf_wipe_close(&again);
    return st;
}

enum focal_status passphrase_read(struct focal_buf *out, const char *path, struct focal_error *err)
{
    enum focal_status st = strcmp(path, "-") == 0 ? focal_file_read(out, path, 4096, err) : focal_file_read_secret(out, path, 4096, err);
    if (st != FOCAL_OK)
        return st;
    size_t len = 0;
    while (len < out->len && out->data[len] != '\n' && out->data[len] != '\r')
        len++;
    focal_buf_truncate(out, len);
    return len ? FOCAL_OK : focal_fail(err, FOCAL_USAGE, "write the passphrase on its first line", "%s holds no passphrase", path);
}
