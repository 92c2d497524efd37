/* Notes: who asked for what, as rows of the history. They hold no value of any field, and no text that somebody typed but
 * the names of a command, an office or a kind. */
#include "inner.h"

#include <string.h>

enum { HAS_RECORD = 1 };

static void put_text(struct focal_buf *out, const char *text)
{
    size_t len = strlen(text);
    focal_buf_u8(out, (uint8_t)len);
    focal_buf_bytes(out, text, len);
}

static bool get_text(struct focal_cur *cur, char *out, size_t size)
{
    size_t len = focal_cur_u8(cur);
    struct focal_span text = focal_cur_bytes(cur, len);
    if (cur->failed || len >= size || (len && memchr(text.data, 0, len)))
        return false;
    if (len)
        memcpy(out, text.data, len);
    out[len] = 0;
    return true;
}

/* uid 4, right 1, outcome 1, flags 1, request 8, other uid 4, reference 32 if there is one, command, about: length 1, text. */
void focal_note_put(struct focal_buf *out, const struct focal_note *note)
{
    uint8_t ref[FOCAL_REF_BYTES];
    focal_buf_be32(out, note->uid);
    focal_buf_u8(out, note->right);
    focal_buf_u8(out, (uint8_t)note->outcome);
    focal_buf_u8(out, note->record_set ? HAS_RECORD : 0);
    focal_buf_be64(out, note->request);
    focal_buf_be32(out, note->other_uid);
    focal_ref_put(ref, &note->record);
    if (note->record_set)
        focal_buf_bytes(out, ref, sizeof ref);
    put_text(out, note->command);
    put_text(out, note->about);
}

bool focal_note_get(struct focal_note *note, const struct focal_history *row)
{
    memset(note, 0, sizeof *note);
    if (row->code < FOCAL_HISTORY_COMMAND || row->code > FOCAL_HISTORY_DENIED)
        return false;
    struct focal_cur cur = focal_cur_of(focal_span_of(row->detail, row->detail_len));
    note->cls = row->code == FOCAL_HISTORY_COMMAND ? FOCAL_NOTE_COMMAND : row->code == FOCAL_HISTORY_READING ? FOCAL_NOTE_READING : FOCAL_NOTE_DENIED;
    note->uid = focal_cur_be32(&cur);
    note->right = focal_cur_u8(&cur);
    note->outcome = (enum focal_status)focal_cur_u8(&cur);
    note->record_set = focal_cur_u8(&cur) & HAS_RECORD;
    note->request = focal_cur_be64(&cur);
    note->other_uid = focal_cur_be32(&cur);
    if (note->record_set) {
        struct focal_span ref = focal_cur_bytes(&cur, FOCAL_REF_BYTES);
        if (cur.failed)
            return false;
        focal_ref_get(&note->record, ref.data);
    }
    return get_text(&cur, note->command, sizeof note->command) && get_text(&cur, note->about, sizeof note->about) && !cur.failed;
}

enum focal_status note_run(struct focal_node *n, const struct focal_node_event *e)
{
    static const struct focal_ref none;
    struct focal_note note = *e->is.note.is;
    struct focal_buf detail;
    if (e->is.note.outcome)
        note.outcome = *e->is.note.outcome;
    if (e->is.note.request)
        note.request = *e->is.note.request;
    if (e->is.note.record && focal_ref_compare(e->is.note.record, &none) != 0) {
        note.record = *e->is.note.record;
        note.record_set = true;
    }
    focal_buf_init(&detail, FOCAL_HISTORY_DETAIL_MAX);
    focal_note_put(&detail, &note);
    enum focal_history_code code = note.cls == FOCAL_NOTE_COMMAND ? FOCAL_HISTORY_COMMAND : note.cls == FOCAL_NOTE_READING ? FOCAL_HISTORY_READING
                                   : FOCAL_HISTORY_DENIED;
    enum focal_status st = detail.failed ? FOCAL_NO_MEMORY : history_note(n, code, focal_buf_view(&detail));
    focal_buf_close(&detail);
    return st;
}
