/* What holds where the caller said nothing: handlers that do nothing, and the limits' defaults. */
#include "loop.h"

static void no_link_opened(void *data, uint64_t link, bool dialled, uint64_t tag, const char *address)
{
    (void)data, (void)link, (void)dialled, (void)tag, (void)address;
}

static void no_bytes(void *data, uint64_t number, struct focal_span bytes)
{
    (void)data, (void)number, (void)bytes;
}

static void no_number(void *data, uint64_t number)
{
    (void)data, (void)number;
}

static void no_link_closed(void *data, uint64_t link, enum focal_status why)
{
    (void)data, (void)link, (void)why;
}

static void no_dial_failed(void *data, uint64_t tag, enum focal_status why, const char *text)
{
    (void)data, (void)tag, (void)why, (void)text;
}

static void no_control_opened(void *data, uint64_t conn, const struct focal_io_caller *caller)
{
    (void)data, (void)conn, (void)caller;
}

static void no_event(void *data)
{
    (void)data;
}

static void fill_handlers(struct focal_io_handlers *tell)
{
    if (!tell->link_opened)    tell->link_opened = no_link_opened;
    if (!tell->link_frame)     tell->link_frame = no_bytes;
    if (!tell->link_ready)     tell->link_ready = no_number;
    if (!tell->link_closed)    tell->link_closed = no_link_closed;
    if (!tell->dial_failed)    tell->dial_failed = no_dial_failed;
    if (!tell->control_opened) tell->control_opened = no_control_opened;
    if (!tell->control_line)   tell->control_line = no_bytes;
    if (!tell->control_ready)  tell->control_ready = no_number;
    if (!tell->control_closed) tell->control_closed = no_number;
    if (!tell->wake)           tell->wake = no_event;
    if (!tell->turn)           tell->turn = no_event;
}

static void fill_limits(struct focal_io_limits *limits)
{
    if (!limits->links_max)                limits->links_max = 256;
    if (!limits->unproven_max)             limits->unproven_max = 64;
    if (!limits->unproven_per_address_max) limits->unproven_per_address_max = 8;
    if (!limits->first_frame_ms)           limits->first_frame_ms = 5000;
    if (!limits->frame_bytes_max)          limits->frame_bytes_max = 65536;
    if (!limits->queue_frames_per_link)    limits->queue_frames_per_link = 64;
    if (!limits->turn_frame_bytes_max)     limits->turn_frame_bytes_max = IO_TURN_BYTES;
    if (!limits->control_conns_max)        limits->control_conns_max = 64;
    if (!limits->control_line_bytes_max)   limits->control_line_bytes_max = 1 << 20;
}

void focal_io_defaults(struct focal_io_handlers *tell, struct focal_io_limits *limits)
{
    fill_handlers(tell);
    fill_limits(limits);
}
