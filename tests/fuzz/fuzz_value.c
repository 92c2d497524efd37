/* Two bytes choose kind and field. The rest is taken as bytes of a value, which must print, and come back the same if
 * its text is let in; then as text, which must be understood and print to text that gives the same bytes. */
#include <string.h>

#include "focal/model.h"

enum { TODAY = 20000, ROOM = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void goes_round(const struct focal_field *field, struct focal_span value)
{
    struct focal_buf text, again;
    struct focal_error err;
    focal_buf_init(&text, ROOM);
    focal_buf_init(&again, ROOM);
    focal_value_print(&text, field, value);
    focal_assert(!text.failed && focal_utf8_valid(focal_buf_view(&text)));
    bool known = focal_value_known(field, value);
    if (focal_value_parse(&again, field, focal_buf_view(&text), TODAY, &err) == FOCAL_OK)
        focal_assert(known && focal_span_equal(focal_buf_view(&again), value));
    else
        focal_assert(again.len == 0 && err.message[0] && err.hint[0]);
    focal_buf_close(&text);
    focal_buf_close(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > ROOM / 4)
        return 0;
    const struct focal_kind *kind = focal_kind_at(data[0] % focal_kind_count());
    const struct focal_field *field = &kind->fields[data[1] % kind->field_count];
    struct focal_span rest = focal_span_of(data + 2, size - 2);
    uint32_t codes[FOCAL_PARTS_MAX];
    focal_value_codes(field, rest, codes);
    focal_value_is_unknown(field, rest);
    goes_round(field, rest);
    /* What is typed for a sealed field is to be sealed, and means something only as what was opened. */
    struct focal_field opened;
    if (focal_field_is_sealed(field->number)) {
        opened = focal_field_opened(field);
        field = &opened;
        goes_round(field, rest);
    }
    struct focal_buf made;
    focal_buf_init(&made, ROOM);
    if (focal_value_parse(&made, field, rest, TODAY, NULL) == FOCAL_OK) {
        focal_assert(focal_value_known(field, focal_buf_view(&made)));
        goes_round(field, focal_buf_view(&made));
    }
    focal_buf_close(&made);
    return 0;
}
