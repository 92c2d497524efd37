/* What only a person or a file of theirs may give: the passphrase, and the eight words. */
#include "cli.h"

#include "focal/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { PASSPHRASE_MAX = 1024, WORDS_MAX = 4096 };

/* One line from the terminal itself, so that a pipe on standard input can be something else. Ctrl-C comes as a byte while
 * nothing is echoed, so that the terminal is never left in that state. */
static enum focal_status read_hidden(int tty, struct focal_buf *out, bool *ended, struct focal_error *err)
{
    for (;;) {
        unsigned char c;
        ssize_t n = read(tty, &c, 1);
        if (n < 0 && errno == EINTR)
            continue;
        *ended = n <= 0 || c == 4;
        if (n > 0 && c == 3)
            return focal_fail(err, FOCAL_CANCELLED, "nothing was changed", "interrupted");
        if (*ended || c == '\n' || c == '\r')
            return FOCAL_OK;
        if ((c == 127 || c == 8) && out->len)
            focal_buf_truncate(out, out->len - 1);
        else if (c != 127 && c != 8)
            focal_buf_u8(out, c);
        if (out->failed)
            return focal_fail(err, FOCAL_TOO_BIG, "", "the line is too long");
    }
}

static enum focal_status prompt(const char *question, bool hidden, struct focal_buf *out, struct focal_error *err)
{
    struct termios before, now;
    sigset_t ends, old;
    bool ended = false;
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (tty < 0 || tcgetattr(tty, &before) != 0) {
        if (tty >= 0)
            close(tty);
        return focal_fail(err, FOCAL_USAGE, "give it by a file: --words-file, --passphrase-file", "there is no terminal to ask on");
    }
    now = before;
    if (hidden)
        now.c_lflag &= ~(tcflag_t)(ECHO | ISIG | ICANON);
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGHUP);
    sigaddset(&ends, SIGTSTP);
    if (hidden)
        (void)sigprocmask(SIG_BLOCK, &ends, &old);
    (void)tcsetattr(tty, TCSAFLUSH, &now);
    bool asked = write(tty, question, strlen(question)) >= 0;
    enum focal_status st = asked ? read_hidden(tty, out, &ended, err) : focal_fail(err, FOCAL_IO, "", "the terminal: %s", strerror(errno));
    (void)tcsetattr(tty, TCSAFLUSH, &before);
    if (hidden && write(tty, "\n", 1) < 0)
        st = st == FOCAL_OK ? focal_fail(err, FOCAL_IO, "", "the terminal: %s", strerror(errno)) : st;
    if (hidden)
        (void)sigprocmask(SIG_SETMASK, &old, NULL);
    close(tty);
    if (st == FOCAL_OK && ended && out->len == 0)
        st = focal_fail(err, FOCAL_CANCELLED, "nothing was changed", "nothing was typed");
    return st;
}

enum focal_status ask_again(struct focal_buf *out, const char *question, struct focal_error *err)
{
    focal_buf_init(out, WORDS_MAX);
    return prompt(question, false, out, err);
}

static enum focal_status no_input(const char *what, const char *option, struct focal_error *err)
{
    char hint[100];
    (void)snprintf(hint, sizeof hint, "give it with %s", option);
    return focal_fail(err, FOCAL_USAGE, hint, "%s must be given, and --no-input says not to ask", what);
}

enum focal_status ask_secret(const struct args *args, struct focal_buf *out, enum opt option, const char *question, struct focal_error *err)
{
    const char *file = args_value(args, option);
    char how[60];
    enum focal_status st;
    (void)snprintf(how, sizeof how, "--%s FILE", option_rows[option].name);
    focal_buf_init(out, PASSPHRASE_MAX + 20000);
    (void)focal_buf_reserve(out, PASSPHRASE_MAX);       /* so that it does not move, and leaves no copy, as it grows */
    focal_buf_truncate(out, 0);
    if (!file && args_has(args, OPTION_NO_INPUT))
        return no_input("the passphrase", how, err);
    if (!file)
        return prompt(question, true, out, err);
    st = strcmp(file, "-") == 0 ? focal_file_read(out, file, PASSPHRASE_MAX, err) : focal_file_read_secret(out, file, PASSPHRASE_MAX, err);
    while (st == FOCAL_OK && out->len && (out->data[out->len - 1] == '\n' || out->data[out->len - 1] == '\r'))
        focal_buf_truncate(out, out->len - 1);
    if (st == FOCAL_OK && out->len == 0)
        st = focal_fail(err, FOCAL_REFUSED, "", "%.200s holds no passphrase", file);
    return st;
}

enum focal_status ask_passphrase(const struct args *args, struct focal_buf *out, struct focal_error *err)
{
    return ask_secret(args, out, OPTION_PASSPHRASE_FILE, "Passphrase of the authority key: ", err);
}

static size_t count_words(struct focal_span text)
{
    size_t count = 0;
    bool inside = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i] | 0x20;
        bool letter = c >= 'a' && c <= 'z';
        count += letter && !inside;
        inside = letter;
    }
    return count;
}

enum focal_status ask_words(const struct args *args, const char *office, struct focal_buf *out, struct focal_error *err)
{
    const char *file = args_value(args, OPTION_WORDS_FILE), *passphrase = args_value(args, OPTION_PASSPHRASE_FILE);
    char question[200];
    focal_buf_init(out, WORDS_MAX + 20000);
    if (file && passphrase && strcmp(file, "-") == 0 && strcmp(passphrase, "-") == 0)
        return focal_fail(err, FOCAL_USAGE, "give one of them by a file", "words and passphrase cannot both come from standard input");
    if (file)
        return focal_file_read(out, file, WORDS_MAX, err);
    if (args_has(args, OPTION_NO_INPUT))
        return no_input("the eight words", "--words-file FILE", err);
    (void)snprintf(question, sizeof question,
                   "Ask %.12s, by telephone or face to face, for the eight words on its screen, and type them here.\nEight words: ", office);
    enum focal_status st = prompt(question, false, out, err);
    while (st == FOCAL_OK && count_words(focal_buf_view(out)) < 8) {
        focal_buf_u8(out, ' ');
        st = prompt("and the rest: ", false, out, err);
    }
    return st;
}
