/* Joining: the psk of an invitation, the eight words two people compare, and the signature of JOIN. */
#include "words.h"

#include <string.h>

void focal_psk_widen(uint8_t out[32], const struct focal_hash *network, const uint8_t psk[FOCAL_PSK_BYTES])
{
    const struct focal_span parts[] = {
        focal_span_text("focal psk 1"), { network->b, sizeof network->b }, { psk, FOCAL_PSK_BYTES } };
    struct focal_hash h;
    focal_hash_parts(&h, parts, sizeof parts / sizeof *parts);
    memcpy(out, h.b, 32);
    focal_wipe(&h, sizeof h);
}

void focal_eight_words(const char *words[8], const struct focal_hash *network, uint64_t invitation,
                       const struct focal_public_keys *keys)
{
    uint8_t number[8];
    focal_put_be64(number, invitation);
    const struct focal_span parts[] = {
        focal_span_text("focal words 1"),
        { network->b, sizeof network->b },
        { number, sizeof number },
        { keys->sign.b, sizeof keys->sign.b },
        { keys->channel.b, sizeof keys->channel.b },
        { keys->open.b, sizeof keys->open.b },
    };
    struct focal_hash h;
    focal_hash_parts(&h, parts, sizeof parts / sizeof *parts);
    for (size_t i = 0; i < 8; i++)
        words[i] = (i % 2 == 0 ? focal_words_even : focal_words_odd)[h.b[i]];
}

static char lower(uint8_t c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool between_words(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',' || c == '-' || c == '.';
}

/* Takes the next word off the text; empty at the end. */
static struct focal_span take_word(struct focal_span *text)
{
    size_t from = 0;
    while (from < text->len && between_words(text->data[from]))
        from++;
    size_t to = from;
    while (to < text->len && !between_words(text->data[to]))
        to++;
    struct focal_span word = focal_span_of(text->data + from, to - from);
    *text = focal_span_of(text->data + to, text->len - to);
    return word;
}

static bool word_fits(struct focal_span typed, const char *word)
{
    const size_t len = strlen(word);
    if (typed.len < 4 || typed.len > len)           /* four letters tell all words of a list apart */
        return false;
    for (size_t i = 0; i < typed.len; i++) {
        if (lower(typed.data[i]) != word[i])
            return false;
    }
    return true;
}

int focal_eight_words_check(struct focal_span typed, const char *const words[8])
{
    if (typed.len == 0)
        return 1;
    for (int i = 0; i < 8; i++) {
        if (!word_fits(take_word(&typed), words[i]))
            return i + 1;
    }
    return take_word(&typed).len == 0 ? 0 : 9;
}

enum { JOIN_PARTS = 6 };

static void join_parts(struct focal_span parts[JOIN_PARTS], const struct focal_public_keys *keys,
                       const struct focal_hash *network, const struct focal_hash *handshake)
{
    parts[0] = focal_span_text("focal join 1");
    parts[1] = focal_span_of(network->b, 32);
    parts[2] = focal_span_of(handshake->b, 32);
    parts[3] = focal_span_of(keys->sign.b, 32);
    parts[4] = focal_span_of(keys->channel.b, 32);
    parts[5] = focal_span_of(keys->open.b, 32);
}

void focal_join_sign(struct focal_signature *out, const struct focal_node_keys *keys, const struct focal_hash *network,
                     const struct focal_hash *handshake)
{
    struct focal_span parts[JOIN_PARTS];
    struct focal_public_keys public;
    focal_node_keys_public(&public, keys);
    join_parts(parts, &public, network, handshake);
    focal_sign(out, keys->sign_secret, parts, JOIN_PARTS);
}

bool focal_join_verify(const struct focal_signature *signature, const struct focal_public_keys *keys,
                       const struct focal_hash *network, const struct focal_hash *handshake)
{
    struct focal_span parts[JOIN_PARTS];
    join_parts(parts, keys, network, handshake);
    return focal_verify(signature, &keys->sign, parts, JOIN_PARTS);
}
