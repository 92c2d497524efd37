/* Identifiers as people write and read them. */
#include "job.h"

#include "focal/store.h"

#include <stdio.h>
#include <string.h>

json_t *text_json(const char *text)
{
    return focal_json_text(focal_span_text(text));
}

json_t *hex_json(const void *data, size_t len)
{
    char hex[2 * 64 + 1];
    focal_assert(len <= 64);
    focal_hex(hex, data, len);
    return json_string(hex);
}

json_t *ref_json(const struct focal_ref *ref)
{
    uint8_t bytes[FOCAL_REF_BYTES];
    focal_ref_put(bytes, ref);
    return hex_json(bytes, sizeof bytes);
}

json_t *code_json(struct focal_oplog *oplog, const struct focal_ref *ref)
{
    char code[32];
    focal_oplog_record_code(oplog, ref, code);
    return text_json(code);
}

void day_print(char out[16], uint32_t day_1970)
{
    focal_date_print(out, focal_date_from_unix_days(day_1970));
}

json_t *day_json(uint32_t day_1970)
{
    char text[16];
    day_print(text, day_1970);
    return json_string(text);
}

/* ---- offices ---- */

enum focal_status office_find(struct focal_oplog *oplog, const char *text, struct focal_office *office, struct focal_error *err)
{
    char upper[FOCAL_OFFICE_MAX + 1] = "";
    for (size_t i = 0; text[i] && i < FOCAL_OFFICE_MAX; i++)
        upper[i] = (char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - 'a' + 'A' : text[i]);
    if (strlen(text) > FOCAL_OFFICE_MAX || !focal_office_parse(office, focal_span_text(upper)))
        return focal_fail(err, FOCAL_USAGE, "an office code has 2 to 12 of A-Z, 0-9 and '-'", "\"%.40s\" is not an office code", text);
    if (focal_oplog_certificate(oplog, office))
        return FOCAL_OK;
    const struct focal_certificate *c, *nearest = NULL;
    int least = 3;
    for (size_t i = 0; (c = focal_oplog_office_at(oplog, i)); i++) {
        int far = focal_text_distance(office->text, c->office.text);
        if (far >= 0 && far < least) {
            least = far;
            nearest = c;
        }
    }
    char hint[80] = "`focalctl office list` shows the offices of the network";
    if (nearest)
        (void)snprintf(hint, sizeof hint, "did you mean %s? `focalctl office list` shows all", nearest->office.text);
    return focal_fail(err, FOCAL_NOT_FOUND, hint, "the network has no office %s", office->text);
}

/* ---- records ---- */

/* Every record under this code and office, into the message. */
static void list_all(struct focal_oplog *oplog, struct focal_store *store, uint64_t short40, const char *code, struct focal_buf *out)
{
    uint8_t prefix[8];
    focal_put_be64(prefix, short40);
    struct focal_buf key;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_bytes(&key, prefix + 3, 5);
    for (int found = 0; found < 3;) {
        if (focal_store_next(store, FOCAL_SHELF_CODE, focal_buf_view(&key), &key, NULL) != FOCAL_OK || key.len != 5 + FOCAL_REF_BYTES
            || memcmp(key.data, prefix + 3, 5) != 0)
            break;
        struct focal_ref ref;
        char theirs[32], hex[2 * FOCAL_REF_BYTES + 1];
        focal_ref_get(&ref, key.data + 5);
        focal_oplog_record_code(oplog, &ref, theirs);
        if (strcmp(theirs, code) != 0)
            continue;
        focal_hex(hex, key.data + 5, FOCAL_REF_BYTES);
        focal_buf_printf(out, " %s", hex);
        found++;
    }
    focal_buf_close(&key);
}

static enum focal_status ambiguous(struct focal_oplog *oplog, struct focal_store *store, const char *text, uint64_t short40, const struct focal_ref *first, struct focal_error *err)
{
    char code[32];
    focal_oplog_record_code(oplog, first, code);
    struct focal_buf all;
    focal_buf_init(&all, 1024);
    list_all(oplog, store, short40, code, &all);
    enum focal_status st = focal_fail(err, FOCAL_AMBIGUOUS, "say which by its long form", "%.40s names more than one record:%s", text, focal_buf_cstr(&all));
    focal_buf_close(&all);
    return st;
}

enum focal_status record_find(struct focal_oplog *oplog, struct focal_store *store, const char *text, struct focal_ref *ref, struct focal_error *err)
{
    struct focal_office office;
    uint64_t short40;
    if (focal_ref_parse(ref, focal_span_text(text)))
        return FOCAL_OK;
    enum focal_status st = focal_code_parse(&office, &short40, focal_span_text(text));
    if (st == FOCAL_REFUSED)
        return focal_fail(err, FOCAL_NOT_FOUND, "compare it with the paper, character by character",
                          "\"%.40s\" is mistyped: its last character does not fit the others", text);
    if (st != FOCAL_OK)
        return focal_fail(err, FOCAL_USAGE, "it looks like KEN-4F7Q-29XD-0, or has 64 hex digits", "\"%.80s\" is not a reference", text);
    st = focal_oplog_by_code(oplog, &office, short40, ref);
    if (st == FOCAL_AMBIGUOUS)
        return ambiguous(oplog, store, text, short40, ref, err);
    if (st == FOCAL_NOT_FOUND)
        return focal_fail(err, st, "it may not have arrived yet: `focalctl status` shows what is on its way", "there is no record %.40s here", text);
    if (st != FOCAL_OK)
        return focal_fail(err, st, "run `focalctl verify`", "the index of references cannot be read");
    return FOCAL_OK;
}
