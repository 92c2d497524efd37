/* A line of the control socket, as a request and as an answer: what is understood is printed and understood again. */
#include <string.h>

#include "focal/control.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct focal_span line = focal_span_of(data, size);
    struct focal_error err = { .status = FOCAL_OK };
    struct focal_request request, again;
    if (focal_request_parse(&request, line, &err) == FOCAL_OK) {
        struct focal_buf text;
        focal_buf_init(&text, 8u << 20);
        focal_request_print(&text, request.id, request.verb, request.with);
        focal_assert(text.len > 0 && text.data[text.len - 1] == '\n');
        focal_assert(focal_request_parse(&again, focal_span_of(text.data, text.len - 1), &err) == FOCAL_OK);
        focal_assert(again.id == request.id && strcmp(again.verb, request.verb) == 0);
        focal_request_close(&again);
        focal_request_close(&request);
        focal_buf_close(&text);
    } else {
        focal_assert(err.message[0]);
    }
    struct focal_answer answer;
    if (focal_answer_parse(&answer, line, &err) == FOCAL_OK)
        focal_answer_close(&answer);
    (void)!focal_control_hello_check(line, &err);
    return 0;
}
