/* A row of the history that tells of a command, as it stands on the disk: what is understood is written the same again. */
#include <string.h>

#include "focal/node.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct focal_history row = { .code = size ? data[0] : 0 };
    struct focal_note note, again;
    struct focal_buf detail;
    if (size < 1 || size - 1 > sizeof row.detail)
        return 0;
    row.detail_len = size - 1;
    memcpy(row.detail, data + 1, row.detail_len);
    if (!focal_note_get(&note, &row))
        return 0;
    focal_buf_init(&detail, sizeof row.detail);
    focal_note_put(&detail, &note);
    focal_assert(!detail.failed && detail.len <= row.detail_len);
    row.detail_len = detail.len;
    memcpy(row.detail, detail.data, detail.len);
    focal_assert(focal_note_get(&again, &row));
    focal_assert(again.uid == note.uid && again.request == note.request && again.outcome == note.outcome && strcmp(again.command, note.command) == 0
                 && strcmp(again.about, note.about) == 0 && again.record_set == note.record_set && again.cls == note.cls);
    focal_buf_close(&detail);
    return 0;
}
