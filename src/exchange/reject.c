/* A refused row with its reason beside it, so that it can be corrected and imported again. */
#include "inside.h"

#include <jansson.h>

static int append(const char *data, size_t len, void *to)
{
    focal_buf_bytes(to, data, len);
    return ((struct focal_buf *)to)->failed ? -1 : 0;
}

static void put_reason(struct focal_buf *out, const struct focal_refusal *refusal)
{
    focal_buf_printf(out, "line %llu: %s", (unsigned long long)refusal->line, refusal->reason);
    if (refusal->hint[0])
        focal_buf_printf(out, "; %s", refusal->hint);
}

/* What is no object is kept as text under a key that no import takes, so that a person must look at it. */
static void put_json(struct focal_buf *out, struct focal_span reason, struct focal_span source)
{
    struct focal_error err;
    json_t *object = object_parse(source, &err);
    json_t *why = json_stringn(reason.len ? (const char *)reason.data : "", reason.len);
    if (object && why && json_object_set(object, "refused", why) == 0) {
        if (json_dump_callback(object, append, out, JSON_COMPACT) != 0)
            out->failed = true;
    } else {
        focal_buf_text(out, "{\"refused\":");
        focal_json_string(out, reason);
        focal_buf_text(out, ",\"unreadable\":");
        focal_json_string(out, focal_utf8_valid(source) ? source : focal_span_text("(not text)"));
        focal_buf_u8(out, '}');
    }
    json_decref(object);
    json_decref(why);
}

void focal_reject_row(struct focal_buf *out, enum focal_form form, const struct focal_refusal *refusal, struct focal_span source)
{
    struct focal_buf reason;
    focal_buf_init(&reason, 1024);
    put_reason(&reason, refusal);
    if (form == FOCAL_FORM_CSV) {
        focal_buf_span(out, source);
        focal_buf_u8(out, ',');
        focal_csv_cell(out, focal_buf_view(&reason));
        focal_buf_text(out, "\r\n");
    } else {
        put_json(out, focal_buf_view(&reason), source);
        focal_buf_u8(out, '\n');
    }
    if (reason.failed)
        out->failed = true;
    focal_buf_close(&reason);
}
