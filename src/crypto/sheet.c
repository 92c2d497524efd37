/* The recovery sheet: text that is printed, locked away, and typed again when it is needed.
 * Each key stands in lines of 32 hexadecimal digits in groups of four, with a check of four digits behind it: 2 bytes of a hash. */
#include "focal/crypto.h"

#include <string.h>

static const char RECOVERY[] = "Recovery key", NETWORK[] = "Network id", CHECK[] = "check";
enum { DIGITS = 64 };

static void check_of(uint8_t out[2], const uint8_t key[32])
{
    const struct focal_span parts[] = { focal_span_text("focal sheet 1"), focal_span_of(key, 32) };
    struct focal_hash h;
    focal_hash_parts(&h, parts, 2);
    memcpy(out, h.b, 2);
}

static void put_groups(struct focal_buf *out, const uint8_t bytes[32])
{
    for (size_t i = 0; i < 32; i++)
        focal_buf_printf(out, "%s%02x", i == 0 ? "    " : i % 16 == 0 ? "\n    " : i % 2 == 0 ? " " : "", bytes[i]);
    focal_buf_text(out, "\n");
}

static void put_key(struct focal_buf *out, const uint8_t key[32])
{
    uint8_t check[2];
    put_groups(out, key);
    check_of(check, key);
    focal_buf_printf(out, "    %s %02x%02x\n", CHECK, check[0], check[1]);
}

void focal_sheet_print(struct focal_buf *out, const char *label, const struct focal_office *office, const struct focal_hash *network,
                       const uint8_t recovery[32], const uint8_t channel[32])
{
    focal_buf_printf(out, "FOCAL RECOVERY SHEET\n\nNetwork %s, headquarters %s\n%s\n", label, office->text, NETWORK);
    put_groups(out, network->b);
    focal_buf_text(out,
        "\nWho holds this sheet can replace the network's authority key, and with it everybody's membership.\n"
        "Print it, put it in a safe, and delete the file. Never photograph it, never send it.\n\n"
        "It is for two cases. The authority key or its passphrase is lost or stolen: `focalctl network rotate-authority` makes a\n"
        "new one, signed with the recovery key below, and the memberships that were issued before stay good.\n"
        "Or headquarters' machine is gone with all that was on it: `focald setup --recover` puts another in its place.\n\n");
    focal_buf_printf(out, "%s\n", RECOVERY);
    put_key(out, recovery);
    focal_buf_text(out, "\nChannel key of headquarters, for a machine that takes this one's place\n");
    put_key(out, channel);
}

/* ---- read again --------------------------------------------------------------------------------------------------------- */

static int digit(uint8_t c)
{
    const uint8_t low = c | 0x20;
    return c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Digits up to what is none, spaces and line ends between them left out; how many. */
static size_t take_digits(struct focal_span *text, uint8_t *out, size_t most)
{
    size_t count = 0;
    while (text->len > 0 && count < most) {
        const int value = digit(text->data[0]);
        if (value < 0 && !is_space(text->data[0]))
            break;
        if (value >= 0) {
            out[count / 2] = (uint8_t)(count % 2 ? out[count / 2] | value : value << 4);
            count++;
        }
        *text = focal_span_of(text->data + 1, text->len - 1);
    }
    return count;
}

/* What stands behind a word that begins a line, or the text. */
static bool find(struct focal_span text, const char *word, struct focal_span *rest)
{
    const size_t len = strlen(word);
    bool begins = true;
    for (size_t i = 0; i + len <= text.len; i++) {
        if (begins && memcmp(text.data + i, word, len) == 0) {
            *rest = focal_span_of(text.data + i + len, text.len - i - len);
            return true;
        }
        begins = text.data[i] == '\n' || (begins && is_space(text.data[i]));
    }
    return false;
}

enum focal_status focal_sheet_read(struct focal_sheet *out, struct focal_span text, struct focal_error *err)
{
    static const char again[] = "compare it with the paper, digit by digit; nothing was changed";
    struct focal_span key, rest, id;
    uint8_t check[2], typed[2] = { 0, 0 };
    memset(out, 0, sizeof *out);
    const bool headed = find(text, RECOVERY, &key);
    if (!headed)
        key = text;
    const size_t count = take_digits(&key, out->recovery, DIGITS);
    if (!headed && count < DIGITS / 2)     /* many a word begins with digits such as these */
        return focal_fail(err, FOCAL_MALFORMED, "give recovery-sheet.txt of `focald setup`, or type the recovery key and its check into a file; nothing was changed",
                          "that is no recovery sheet");
    if (count < DIGITS)
        return focal_fail(err, FOCAL_MALFORMED, again, "the recovery key is cut short or mistyped: it has 64 digits, and %zu can be read", count);
    if (!find(key, CHECK, &rest) || take_digits(&rest, typed, 4) < 4)
        return focal_fail(err, FOCAL_MALFORMED, again, "the four digits of the check behind the recovery key are missing");
    check_of(check, out->recovery);
    if (memcmp(check, typed, sizeof check) != 0)
        return focal_fail(err, FOCAL_MALFORMED, again, "a digit of the recovery key, or of its check, is mistyped");
    out->network_set = find(text, NETWORK, &id) && take_digits(&id, out->network.b, DIGITS) == DIGITS;
    return FOCAL_OK;
}
