/* Reference codes: what people read aloud over a bad line and copy from a slip of paper. */
#include "focal/model.h"

#include <stdio.h>
#include <string.h>

enum { GROUP = 4, VALUES = 8, CODE_BITS = 40 };

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static uint8_t fold(uint8_t c)
{
    return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
}

static int crockford_value(uint8_t c)
{
    c = fold(c);
    if (c == 'O')
        return 0;
    if (c == 'I' || c == 'L')
        return 1;
    const char *found = c ? strchr(crockford, c) : NULL;
    return found ? (int)(found - crockford) : -1;
}

/* Times x in GF(32) with x^5 = x^2 + 1. */
static uint8_t times_x(uint8_t v)
{
    return (uint8_t)((v & 16) ? (v << 1 ^ 0x25) : v << 1);
}

/* The sum of x^(i+1) * v_i, by Horner's rule from the last value to the first. */
static uint8_t check_value(const struct focal_office *office, uint64_t short40)
{
    uint8_t sum = 0;
    for (int i = 0; i < VALUES; i++)
        sum = times_x(sum ^ (short40 >> (5 * i) & 31));
    for (size_t i = strlen(office->text); i-- > 0;)
        sum = times_x(sum ^ ((uint8_t)office->text[i] & 31));
    return sum;
}

void focal_code_print(char out[32], const struct focal_office *office, uint64_t short40)
{
    focal_assert(short40 >> CODE_BITS == 0);
    char digits[VALUES];
    for (int i = 0; i < VALUES; i++)
        digits[i] = crockford[short40 >> (CODE_BITS - 5 - 5 * i) & 31];
    snprintf(out, 32, "%s-%.4s-%.4s-%c", office->text, digits, digits + GROUP, crockford[check_value(office, short40)]);
}

/* Reads `count` characters off the end of text, then a dash if one stands there. */
static bool take_from_end(struct focal_span *text, int count, unsigned shift, uint64_t *into)
{
    for (int i = 0; i < count; i++) {
        int v = text->len ? crockford_value(text->data[text->len - 1]) : -1;
        if (v < 0)
            return false;
        *into |= (uint64_t)v << (shift + 5 * (unsigned)i);
        text->len--;
    }
    if (text->len && text->data[text->len - 1] == '-')
        text->len--;
    return true;
}

/* Read from its end: office codes may hold dashes and digits of their own, but the last nine characters never do
 * anything else than count. */
enum focal_status focal_code_parse(struct focal_office *office, uint64_t *short40, struct focal_span text)
{
    uint64_t check = 0, value = 0;
    if (!take_from_end(&text, 1, 0, &check) || !take_from_end(&text, GROUP, 0, &value) ||
        !take_from_end(&text, GROUP, 5 * GROUP, &value) || text.len > FOCAL_OFFICE_MAX)
        return FOCAL_MALFORMED;
    uint8_t folded[FOCAL_OFFICE_MAX];
    for (size_t i = 0; i < text.len; i++)
        folded[i] = fold(text.data[i]);
    struct focal_office made;
    if (!focal_office_parse(&made, focal_span_of(folded, text.len)))
        return FOCAL_MALFORMED;
    if (check_value(&made, value) != check)
        return FOCAL_REFUSED;
    *office = made;
    *short40 = value;
    return FOCAL_OK;
}
