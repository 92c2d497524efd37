/* What was refused, line by line: the count is exact, the list is bounded. */
#include "inside.h"

#include <stdio.h>
#include <string.h>

void focal_refusals_init(struct focal_refusals *refusals)
{
    *refusals = (struct focal_refusals){ .list = NULL };
}

void focal_refusals_close(struct focal_refusals *refusals)
{
    focal_free(refusals->list);
    *refusals = (struct focal_refusals){ .list = NULL };
}

/* NULL: counted, but not kept. */
static struct focal_refusal *next_refusal(struct focal_refusals *refusals)
{
    refusals->total++;
    if (refusals->kept == FOCAL_REFUSALS_KEPT)
        return NULL;
    if (refusals->kept == refusals->cap) {
        size_t cap = refusals->cap ? refusals->cap * 2 : 8;
        struct focal_refusal *list = focal_realloc(refusals->list, cap * sizeof *list);
        if (!list)
            return NULL;
        refusals->list = list;
        refusals->cap = cap;
    }
    struct focal_refusal *made = &refusals->list[refusals->kept++];
    memset(made, 0, sizeof *made);
    return made;
}

/* Cuts between code points, so that what was valid UTF-8 stays so. */
static void copy_cut(char *to, size_t size, const char *from)
{
    size_t len = strlen(from);
    if (len >= size) {
        len = size - 1;
        while (len > 0 && ((uint8_t)from[len] & 0xc0) == 0x80)
            len--;
    }
    memcpy(to, from, len);
    to[len] = 0;
}

void refuse_error(struct focal_refusals *refusals, uint64_t line, const char *field, const struct focal_error *err)
{
    struct focal_refusal *made = next_refusal(refusals);
    if (!made)
        return;
    made->line = line;
    copy_cut(made->field, sizeof made->field, field);
    copy_cut(made->reason, sizeof made->reason, err->message);
    copy_cut(made->hint, sizeof made->hint, err->hint);
}

void refuse(struct focal_refusals *refusals, uint64_t line, const char *field, const char *hint, const char *fmt, ...)
{
    struct focal_error err = { .status = FOCAL_REFUSED };
    va_list args;
    va_start(args, fmt);
    if (vsnprintf(err.message, sizeof err.message, fmt, args) < 0)
        err.message[0] = 0;
    va_end(args);
    copy_cut(err.hint, sizeof err.hint, hint);
    refuse_error(refusals, line, field, &err);
}

struct shown show(struct focal_span text)
{
    enum { CUT = 60 };
    struct shown out = { "" };
    if (!focal_utf8_valid(text)) {
        snprintf(out.text, sizeof out.text, "(%zu bytes that are no text)", text.len);
        return out;
    }
    size_t len = text.len < CUT ? text.len : CUT;
    while (len > 0 && len < text.len && (text.data[len] & 0xc0) == 0x80)
        len--;
    if (len > 0)
        memcpy(out.text, text.data, len);
    if (len < text.len)
        strcpy(out.text + len, "...");
    return out;
}

const struct focal_field *field_named(const struct focal_kind *kind, const char *name)
{
    for (size_t i = 0; i < kind->field_count; i++) {
        if (strcmp(kind->fields[i].name, name) == 0)
            return &kind->fields[i];
    }
    return NULL;
}

void hint_nearest_field(char *hint, size_t size, const struct focal_kind *kind, const char *name)
{
    const char *nearest = NULL;
    int least = 4;
    for (size_t i = 0; i < kind->field_count; i++) {
        int far = focal_text_distance(name, kind->fields[i].name);
        if (far >= 0 && far < least) {
            least = far;
            nearest = kind->fields[i].name;
        }
    }
    if (nearest)
        snprintf(hint, size, "did you mean \"%s\"?", nearest);
    else
        snprintf(hint, size, "an export of this kind shows the names of its fields");
}
