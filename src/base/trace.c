/* Lines of the trace: made only when somebody wants them. */
#include "focal/base.h"

#include <stdio.h>

void focal_trace_line(const struct focal_trace *trace, enum focal_level level, const char *room, const char *fmt, ...)
{
    if (!trace || !trace->line || level > trace->most)
        return;
    char text[512];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (n >= 0)
        trace->line(trace->data, level, room, text);
}
