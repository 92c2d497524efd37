/* Fields of messages, one pair of functions a type. Private to this room. */
#ifndef FOCAL_WIRE_MESSAGE_H
#define FOCAL_WIRE_MESSAGE_H

#include "focal/wire.h"

void focal_message_hello_encode(struct focal_buf *, const struct focal_message *);
bool focal_message_hello_decode(struct focal_message *, struct focal_cur *);
void focal_message_frontier_encode(struct focal_buf *, const struct focal_message *);
bool focal_message_frontier_decode(struct focal_message *, struct focal_cur *);
void focal_message_segment_encode(struct focal_buf *, const struct focal_message *);
bool focal_message_segment_decode(struct focal_message *, struct focal_cur *);

/* A flag byte in which only the bits of `known` may be set. */
static inline uint8_t message_flags(struct focal_cur *cur, uint8_t known)
{
    uint8_t flags = focal_cur_u8(cur);
    if (flags & ~known)
        focal_cur_fail(cur);
    return flags;
}

#endif
