/* JSON that others made, read with limits; JSON of ours, written into a buffer. */
#include "focal/control.h"

#include <jansson.h>
#include <string.h>

/* jansson goes down the stack with every bracket, so depth is looked at before it sees the text. */
static bool too_deep(struct focal_span text)
{
    size_t depth = 0;
    bool inside = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (inside) {
            if (c == '\\')
                i++;
            else if (c == '"')
                inside = false;
        } else if (c == '"') {
            inside = true;
        } else if (c == '{' || c == '[') {
            if (++depth > FOCAL_CONTROL_DEPTH_MAX)
                return true;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

enum focal_status focal_json_parse(struct json_t **out, struct focal_span text, struct focal_error *err)
{
    json_error_t why;
    *out = NULL;
    if (too_deep(text))
        return focal_fail(err, FOCAL_MALFORMED, "make it flatter", "the JSON is nested deeper than %d levels", FOCAL_CONTROL_DEPTH_MAX);
    *out = json_loadb(text.len ? (const char *)text.data : "", text.len, JSON_REJECT_DUPLICATES, &why);
    if (*out)
        return FOCAL_OK;
    if (json_error_code(&why) == json_error_out_of_memory)
        return focal_fail(err, FOCAL_NO_MEMORY, "try again with less at once", "no memory to read the JSON");
    return focal_fail(err, FOCAL_MALFORMED, "look at that place", "not JSON: line %d, column %d: %s", why.line, why.column, why.text);
}

static int append(const char *data, size_t len, void *to)
{
    focal_buf_bytes(to, data, len);
    return ((struct focal_buf *)to)->failed ? -1 : 0;
}

void focal_json_print(struct focal_buf *out, const struct json_t *value)
{
    if (!value || json_dump_callback(value, append, out, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
        out->failed = true;
}

struct json_t *focal_json_text(struct focal_span text)
{
    json_t *made = json_stringn(text.len ? (const char *)text.data : "", text.len);
    if (made)
        return made;
    /* What was cut in the middle of a character, or never was text, must not take the rest of a sentence with it. */
    struct focal_buf plain;
    focal_buf_init(&plain, text.len + 1);
    focal_buf_span(&plain, text);
    for (size_t i = 0; i < plain.len; i++)
        if (plain.data[i] >= 0x80)
            plain.data[i] = '?';
    made = plain.failed ? NULL : json_stringn((const char *)plain.data, plain.len);
    focal_buf_close(&plain);
    return made ? made : json_string("?");
}
