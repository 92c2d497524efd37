/* The anonymity guard: what short text of coordination records may not hold, because it could name a person. */
#include "inside.h"

#include <string.h>

enum {
    DIGIT_RUN_MAX = 4,                  /* a year, a sub-office number; five could be a case or identity number */
    BROKEN_RUN_MAX = 8,                 /* "2018-2022"; nine digits in groups are a telephone number */
};

/* The first code point of well-formed text. */
static uint32_t next_point(struct focal_span *text)
{
    uint8_t lead = text->data[0];
    size_t len = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint32_t point = len == 1 ? lead : lead & (0x7Fu >> len);
    focal_assert(len <= text->len);
    for (size_t i = 1; i < len; i++)
        point = point << 6 | (text->data[i] & 0x3Fu);
    text->data += len;
    text->len -= len;
    return point;
}

/* Decimal digits of the scripts our offices write in: a telephone number in Arabic digits is one too. */
static bool is_digit(uint32_t point)
{
    static const uint32_t zeros[] = {
        '0', 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0E50,
        0x0ED0, 0x0F20, 0x1040, 0x1369, 0x17E0, 0x1810, 0xFF10
    };
    for (size_t i = 0; i < COUNT_OF(zeros); i++) {
        if (point >= zeros[i] && point < zeros[i] + 10)
            return true;
    }
    return false;
}

/* Joiners that some scripts need between letters. */
static bool is_joiner(uint32_t point)
{
    return point == 0x200C || point == 0x200D;
}

/* Characters that cannot be seen or that turn the text around them. */
static bool is_hidden(uint32_t point)
{
    return point == 0x00AD || point == 0x061C || point == 0x180E || point == 0x200B || point == 0x200E ||
           point == 0x200F || (point >= 0x2028 && point <= 0x202E) || (point >= 0x2060 && point <= 0x206F) ||
           point == 0xFEFF || (point >= 0xFFF9 && point <= 0xFFFB) || (point >= 0xE0000 && point <= 0xE007F);
}

static bool is_separator(uint32_t point)
{
    return point == 0x00A0 || (point >= 0x2000 && point <= 0x200A) || (point >= 0x2010 && point <= 0x2015) ||
           point == 0x202F || point == 0x3000 || (point < 0x80 && point > 0 && strchr(" -./()+_,:", (int)point));
}

bool focal_model_text_plain(struct focal_span text)
{
    if (!focal_utf8_valid(text))
        return false;
    while (text.len > 0) {
        if (is_hidden(next_point(&text)))
            return false;
    }
    return true;
}

static bool has_digit_runs(struct focal_span text)
{
    unsigned run = 0, broken = 0;
    while (text.len > 0) {
        uint32_t point = next_point(&text);
        if (is_joiner(point))
            continue;
        if (is_digit(point)) {
            run++;
            broken++;
        } else {
            run = 0;
            if (!is_separator(point))
                broken = 0;
        }
        if (run > DIGIT_RUN_MAX || broken > BROKEN_RUN_MAX)
            return true;
    }
    return false;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static bool is_letter(uint8_t c)
{
    return lower(c) >= 'a' && lower(c) <= 'z';
}

static bool is_ascii_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool contains(struct focal_span text, const char *lower_word)
{
    size_t len = strlen(lower_word);
    for (size_t at = 0; at + len <= text.len; at++) {
        size_t i = 0;
        while (i < len && lower(text.data[at + i]) == (uint8_t)lower_word[i])
            i++;
        if (i == len)
            return true;
    }
    return false;
}

/* "example.org/people/…" without a scheme. */
static bool has_bare_link(struct focal_span text)
{
    for (size_t at = 1; at + 3 < text.len; at++) {
        if (text.data[at] != '.' || !is_letter(text.data[at + 1]) || text.data[at - 1] == ' ')
            continue;
        size_t end = at + 1;
        while (end < text.len && is_letter(text.data[end]))
            end++;
        if (end - at > 2 && end < text.len && text.data[end] == '/')
            return true;
    }
    return false;
}

static bool has_mail_sign(struct focal_span text)
{
    return contains(text, "@") || contains(text, "\xEF\xBC\xA0");
}

static bool has_url(struct focal_span text)
{
    return contains(text, "://") || contains(text, "www.") || contains(text, "mailto:") || has_bare_link(text);
}

/* ---- forms of special text fields ---- */

static bool is_mailbox(struct focal_span text)
{
    const uint8_t *at = memchr(text.data, '@', text.len);
    if (!at || at == text.data)
        return false;
    size_t domain = (size_t)(at - text.data) + 1;
    bool dot = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (i + 1 == domain)
            continue;
        if (!is_letter(c) && !is_ascii_digit(c) && c != '.' && c != '-' && (i >= domain || (c != '_' && c != '+')))
            return false;
        dot |= i > domain && c == '.' && i + 1 < text.len;
    }
    return dot;
}

static bool is_phone(struct focal_span text)
{
    unsigned digits = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (is_ascii_digit(c))
            digits++;
        else if (c != ' ' && c != '-' && c != '.' && c != '(' && c != ')' && c != '/' && !(c == '+' && i == 0))
            return false;
    }
    return digits >= 3 && digits <= 20;
}

static bool is_language(struct focal_span text)
{
    size_t part = 0, len = 0;
    for (size_t i = 0; i <= text.len; i++) {
        uint8_t c = i < text.len ? text.data[i] : '-';
        if (c == '-') {
            if (len < 2 || len > (part == 0 ? 3u : 8u))
                return false;
            part++;
            len = 0;
        } else {
            bool good = part == 0 ? c >= 'a' && c <= 'z' : is_letter(c) || is_ascii_digit(c);
            if (!good)
                return false;
            len++;
        }
    }
    return true;
}

static bool is_host(struct focal_span host, bool v6)
{
    enum { HOST_MAX = 253 };
    if (host.len == 0 || host.len > HOST_MAX)
        return false;
    for (size_t i = 0; i < host.len; i++) {
        uint8_t c = host.data[i];
        bool hex = is_ascii_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
        if (v6 ? !hex && c != ':' && c != '.' : !is_letter(c) && !is_ascii_digit(c) && c != '.' && c != '-')
            return false;
    }
    return !v6 || memchr(host.data, ':', host.len) != NULL;
}

static bool is_address(struct focal_span text)
{
    enum { PORT_DIGITS_MAX = 5 };
    size_t colon = text.len;
    while (colon > 0 && text.data[colon - 1] != ':')
        colon--;
    uint64_t port;
    if (colon < 2 || text.len - colon > PORT_DIGITS_MAX ||
        !focal_parse_u64(focal_span_of(text.data + colon, text.len - colon), &port) || port == 0 || port > UINT16_MAX)
        return false;
    struct focal_span host = { text.data, colon - 1 };
    bool v6 = host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']';
    if (v6)
        host = (struct focal_span){ host.data + 1, host.len - 2 };
    return is_host(host, v6);
}

static bool is_url(struct focal_span text)
{
    static const char *const schemes[] = { "https://", "http://" };
    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        size_t len = strlen(schemes[i]);
        if (text.len > len && memcmp(text.data, schemes[i], len) == 0)
            return !contains(text, " ") && !contains(text, "@");
    }
    return false;
}

static enum focal_status guard_plain(const struct focal_intake_value *value)
{
    static const char leave_out[] = "leave it out: records name posts and offices, never persons";
    if (has_mail_sign(value->text))
        return focal_model_refuse(value, leave_out, "the anonymity guard lets no mail address in here");
    if (has_url(value->text))
        return focal_model_refuse(value, "leave the address out, or give it in a field for addresses",
                                  "the anonymity guard lets no web address in here");
    if (has_digit_runs(value->text))
        return focal_model_refuse(value, leave_out,
                                  "the anonymity guard lets at most %d digits in a row in, and at most %d in groups",
                                  (int)DIGIT_RUN_MAX, (int)BROKEN_RUN_MAX);
    return FOCAL_OK;
}

static enum focal_status guard_form(const struct focal_intake_value *value)
{
    struct focal_span text = value->text;
    struct focal_office office;
    switch (value->field->intake) {
    case FOCAL_INTAKE_CONTACT:
        return is_mailbox(text) || is_phone(text) ? FOCAL_OK : focal_model_refuse(value,
            "give the mailbox or the telephone of the post, never a private one: psea-duty@example.org or +254 20 555 0100",
            "must be one mailbox or one telephone number and nothing else");
    case FOCAL_INTAKE_LANGUAGE:
        return is_language(text) ? FOCAL_OK : focal_model_refuse(value,
            "write the two or three letters of ISO 639, one language a value: en, fr, sw", "not a language tag");
    case FOCAL_INTAKE_OFFICE:
        return focal_office_parse(&office, text) ? FOCAL_OK : focal_model_refuse(value,
            "write it as the network lists it, such as KEN or HQ-2",
            "an office code is 2 to %d of A-Z, 0-9 and '-', with no '-' at its ends", FOCAL_OFFICE_MAX);
    case FOCAL_INTAKE_ADDRESS:
        return is_address(text) ? FOCAL_OK : focal_model_refuse(value,
            "write host:port, such as hq.example.org:7443, 203.0.113.7:7443 or [2001:db8::7]:7443",
            "not an address with a port");
    case FOCAL_INTAKE_URL:
        return is_url(text) ? FOCAL_OK : focal_model_refuse(value, "write it in full, beginning with https://",
                                                            "not a web address");
    default:
        return guard_plain(value);
    }
}

enum focal_status focal_model_guard_text(const struct focal_intake_value *value)
{
    struct focal_span text = value->text;
    if (!focal_utf8_valid(text))
        return focal_model_refuse(value, "write it on one line, as UTF-8",
                                  "it is not well-formed UTF-8 or holds control characters");
    if (!focal_model_text_plain(text))
        return focal_model_refuse(value, "type it again instead of copying it", "it holds invisible characters");
    if (text.data[0] == ' ' || text.data[text.len - 1] == ' ')
        return focal_model_refuse(value, "take the spaces at its ends off", "it begins or ends with a space");
    /* Else an export of what we do not understand would come back as a text that says so. */
    if (text.data[0] == '?')
        return focal_model_refuse(value, "leave it out: the value is kept as it is",
                                  "\"?\" at its beginning marks what this program could not read");
    if (focal_utf8_length(text) > value->field->max)
        return focal_model_refuse(value, "shorten it", "%zu characters, and at most %u are allowed",
                                  focal_utf8_length(text), (unsigned)value->field->max);
    return guard_form(value);
}
