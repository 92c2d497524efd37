/* Text as a JSON string. */
#include "focal/exchange.h"

void focal_json_string(struct focal_buf *out, struct focal_span text)
{
    focal_buf_u8(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '"' || c == '\\') {
            focal_buf_u8(out, '\\');
            focal_buf_u8(out, c);
        } else if (c < 0x20 || c == 0x7f) {
            focal_buf_printf(out, "\\u%04x", c);
        } else {
            focal_buf_u8(out, c);
        }
    }
    focal_buf_u8(out, '"');
}
