/* Status codes in words, the error that goes with them, and the end of a program that found its own bug. */
#include "focal/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *focal_status_name(enum focal_status status)
{
    switch (status) {
#define X(name, number, exit, text)                                                                                    \
    case FOCAL_##name:                                                                                                 \
        return #name;
        FOCAL_STATUS_LIST(X)
#undef X
    }
    return "UNKNOWN";
}

const char *focal_status_text(enum focal_status status)
{
    switch (status) {
#define X(name, number, exit, text)                                                                                    \
    case FOCAL_##name:                                                                                                 \
        return text;
        FOCAL_STATUS_LIST(X)
#undef X
    }
    return "unknown status";
}

int focal_status_exit(enum focal_status status)
{
    switch (status) {
#define X(name, number, exit, text)                                                                                    \
    case FOCAL_##name:                                                                                                 \
        return exit;
        FOCAL_STATUS_LIST(X)
#undef X
    }
    return 1;
}

/* A text cut by its room must not end in half a character: terminals and JSON would both choke on it. */
static void drop_half_character(char *text)
{
    size_t len = strlen(text);
    size_t start = len;
    while (start > 0 && len - start < 4 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t need = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    if (len - start < need)
        text[start - 1] = 0;
}

enum focal_status focal_fail(struct focal_error *err, enum focal_status status, const char *hint, const char *fmt, ...)
{
    if (!err)
        return status;
    /* Built aside: hint and arguments may be parts of *err, when one error is told inside another. */
    struct focal_error made = { .status = status };
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(made.message, sizeof made.message, fmt, args);
    va_end(args);
    if (n < 0)
        made.message[0] = 0;
    else if ((size_t)n >= sizeof made.message)
        drop_half_character(made.message);
    if (hint) {
        n = snprintf(made.hint, sizeof made.hint, "%s", hint);
        if (n < 0)
            made.hint[0] = 0;
        else if ((size_t)n >= sizeof made.hint)
            drop_half_character(made.hint);
    }
    *err = made;
    return status;
}

_Noreturn void focal_assert_failed(const char *expression, const char *file, int line, const char *function)
{
    fprintf(stderr, "focal: broken assumption: %s, in %s at %s:%d\n", expression, function, file, line);
    fflush(stderr);
    abort();
}
