/* Refusals at intake, in sentences: which field, which value, which rule, and what to do next. */
#include "inside.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN_BYTES_MAX = 60, WORD_MAX = 64, HINT_MAX = sizeof ((struct focal_error *)0)->hint };

/* The value as given, but short, and with nothing in it that could play tricks on a terminal. */
static void show(char out[SHOWN_BYTES_MAX + 8], struct focal_span text)
{
    if (!focal_model_text_plain(text)) {
        snprintf(out, SHOWN_BYTES_MAX + 8, "(%zu bytes)", text.len);
        return;
    }
    size_t len = text.len;
    bool cut = len > SHOWN_BYTES_MAX;
    if (cut) {
        len = SHOWN_BYTES_MAX;
        while (len > 0 && (text.data[len] & 0xC0) == 0x80)
            len--;
    }
    memcpy(out, text.data, len);
    memcpy(out + len, cut ? "..." : "", cut ? 4 : 1);
}

enum focal_status focal_model_refuse(const struct focal_intake_value *value, const char *hint, const char *rule, ...)
{
    char shown[SHOWN_BYTES_MAX + 8] = "", why[240];
    if (value->text.len > 0)
        show(shown, value->text);
    va_list args;
    va_start(args, rule);
    if (vsnprintf(why, sizeof why, rule, args) < 0)
        why[0] = 0;
    va_end(args);
    return focal_fail(value->err, FOCAL_REFUSED, hint, "%s: \"%s\" is refused: %s", value->field->name, shown, why);
}

/* Codes are lower case with underscores; people write "Sexual Abuse". */
static void fold(char *out, const char *word)
{
    size_t i = 0;
    for (; word[i]; i++) {
        char c = word[i];
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c == ' ' || c == '-' ? '_' : c;
    }
    out[i] = 0;
}

static int nearness(const char *word, const char *folded, const char *code)
{
    int plain = focal_text_distance(word, code), loose = focal_text_distance(folded, code);
    if (plain < 0)
        return loose;
    return loose >= 0 && loose < plain ? loose : plain;
}

/* The code most likely meant: few slips for its length, else the only one that begins like this. */
static const char *nearest(const struct focal_code_table *table, struct focal_span given)
{
    char word[WORD_MAX], folded[WORD_MAX];
    if (given.len == 0 || given.len >= sizeof word || memchr(given.data, 0, given.len))
        return NULL;
    memcpy(word, given.data, given.len);
    word[given.len] = 0;
    fold(folded, word);
    int slips_max = given.len < 3 ? 0 : given.len < 6 ? 1 : given.len < 9 ? 2 : 3;
    const char *best = NULL, *beginning = NULL;
    int beginnings = 0;
    for (const struct focal_code *code = table->codes; code->name; code++) {
        int slips = nearness(word, folded, code->name);
        if (slips >= 0 && slips <= slips_max) {
            best = code->name;
            slips_max = slips - 1;
        }
        if (strncmp(code->name, folded, given.len) == 0) {
            beginning = code->name;
            beginnings++;
        }
    }
    return best ? best : beginnings == 1 ? beginning : NULL;
}

static void append(char hint[HINT_MAX], const char *text)
{
    size_t used = strlen(hint);
    snprintf(hint + used, HINT_MAX - used, "%s", text);
}

static void list_codes(char hint[HINT_MAX], const struct focal_code_table *table)
{
    enum { TAIL = 5 };                  /* ", ..." */
    append(hint, "allowed: ");
    for (const struct focal_code *code = table->codes; code->name; code++) {
        bool first = code == table->codes;
        if (strlen(hint) + strlen(code->name) + 2 + TAIL >= HINT_MAX) {
            append(hint, ", ...");
            return;
        }
        append(hint, first ? "" : ", ");
        append(hint, code->name);
    }
}

enum focal_status focal_model_refuse_code(const struct focal_intake_value *value, const char *part,
                                          const struct focal_code_table *table, struct focal_span word)
{
    char hint[HINT_MAX] = "", shown[SHOWN_BYTES_MAX + 8] = "";
    const char *near = nearest(table, word);
    if (near)
        snprintf(hint, sizeof hint, "did you mean \"%s\"? ", near);
    list_codes(hint, table);
    if (word.len == 0)
        return focal_model_refuse(value, hint, "%s is missing", part);
    show(shown, word);
    if (strcmp(part, value->field->name) == 0)
        return focal_model_refuse(value, hint, "not one of its codes");
    return focal_model_refuse(value, hint, "\"%s\" is not a code of %s", shown, part);
}
