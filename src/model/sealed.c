/* The form of a sealed value: what everybody can see of it. Keys open it (crypto). */
#include "inside.h"

#include <string.h>

enum { FIXED = 3 + 32 + 32, WRAPPED = 32 + FOCAL_SEALED_WRAP_BYTES };

size_t focal_sealed_room(unsigned size_class)
{
    return (size_t)FOCAL_SEALED_ROOM_LEAST << size_class;
}

size_t focal_sealed_bytes(size_t plain_len, size_t addressees)
{
    for (unsigned c = 0; c <= FOCAL_SEALED_CLASS_MAX; c++)
        if (plain_len + 2 <= focal_sealed_room(c))
            return FIXED + addressees * WRAPPED + focal_sealed_room(c) + FOCAL_SEALED_TAG_BYTES;
    return 0;
}

const uint8_t *focal_sealed_to(const struct focal_sealed *sealed, size_t i)
{
    focal_assert(i < sealed->addressees);
    return sealed->before.data + FIXED + i * WRAPPED;
}

const uint8_t *focal_sealed_wrap(const struct focal_sealed *sealed, size_t i)
{
    return focal_sealed_to(sealed, i) + 32;
}

enum focal_status focal_sealed_decode(struct focal_sealed *out, struct focal_span value)
{
    memset(out, 0, sizeof *out);
    if (value.len == 0)
        return FOCAL_MALFORMED;
    if (value.data[0] != FOCAL_SEALED_VERSION)
        return FOCAL_UNSUPPORTED;
    if (value.len < FIXED)
        return FOCAL_MALFORMED;
    const size_t addressees = value.data[1], size_class = value.data[2];
    if (addressees == 0 || addressees > FOCAL_SEALED_ADDRESSEES_MAX || size_class > FOCAL_SEALED_CLASS_MAX)
        return FOCAL_MALFORMED;
    const size_t head = FIXED + addressees * WRAPPED, room = focal_sealed_room((unsigned)size_class);
    if (value.len != head + room + FOCAL_SEALED_TAG_BYTES)
        return FOCAL_MALFORMED;
    struct focal_sealed s = {
        .addressees = addressees, .room = room, .ephemeral = value.data + 3, .commitment = value.data + 3 + 32,
        .before = focal_span_of(value.data, head), .body = focal_span_of(value.data + head, value.len - head)
    };
    /* One order, so that there is one way to write a set of addressees, and nobody in it twice. */
    for (size_t i = 1; i < addressees; i++)
        if (memcmp(focal_sealed_to(&s, i - 1), focal_sealed_to(&s, i), 32) >= 0)
            return FOCAL_MALFORMED;
    *out = s;
    return FOCAL_OK;
}

bool focal_field_is_sealed(uint64_t number)
{
    return focal_field_scope(number) == FOCAL_SCOPE_SEALED;
}

struct focal_field focal_field_opened(const struct focal_field *field)
{
    struct focal_field opened = *field;
    focal_assert(focal_field_is_sealed(field->number));
    opened.number = FOCAL_FIELD(field->number / 64, FOCAL_SCOPE_LOCAL, focal_field_merge(field->number));
    return opened;
}
