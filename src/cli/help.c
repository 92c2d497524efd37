/* Help: examples first. */
#include "cli.h"

#include <string.h>

void verb_words(const struct verb *v, const struct noun *n, char out[40])
{
    if (n && strncmp(v->words, "NOUN ", 5) == 0)
        (void)snprintf(out, 40, "%s %s", n->word, v->words + 5);
    else
        (void)snprintf(out, 40, "%s", v->words);
}

/* A field and a value that each kind has, so that what is shown can be typed. */
static void example_field(const char *noun, const char **field, const char **value)
{
    static const char *const table[][3] = {
        { "case", "status", "under_investigation" }, { "entity", "short_name", "UNICEF" }, { "focal-point", "country", "KEN" },
        { "endorsement", "date", "2006-12-04" }, { "nil-return", "period", "2018-Q2" }
    };
    *field = "status";
    *value = "received";
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i][0], noun) == 0) {
            *field = table[i][1];
            *value = table[i][2];
        }
}

/* Lines about another noun are left out. */
static void put_examples(const struct verb *v, const char *noun, FILE *to)
{
    const char *field, *value;
    example_field(noun, &field, &value);
    for (const char *line = v->examples; *line;) {
        size_t len = strcspn(line, "\n") + 1;
        bool other = strncmp(v->words, "NOUN ", 5) == 0 && strncmp(line, "  focalctl case ", 16) == 0 && strcmp(noun, "case") != 0;
        for (const char *at = line; !other && at < line + len;) {
            if (strncmp(at, "NOUN", 4) == 0) {
                fputs(noun, to);
                at += 4;
            } else if (strncmp(at, "FIELD=VALUE", 11) == 0) {
                fprintf(to, "%s=%s", field, value);
                at += 11;
            } else if (strncmp(at, "FIELD", 5) == 0) {
                fputs(field, to);
                at += 5;
            } else {
                fputc(*at++, to);
            }
        }
        line += len;
    }
}

static void put_option(enum opt o, FILE *to)
{
    char left[60];
    const struct option_row *row = &option_rows[o];
    char letter[8] = "    ";
    if (row->letter)
        (void)snprintf(letter, sizeof letter, "-%c, ", row->letter);
    (void)snprintf(left, sizeof left, "%s--%s%s%s", letter, row->name, row->argument ? " " : "", row->argument ? row->argument : "");
    fprintf(to, "  %-30s %s\n", left, row->help);
}

static void put_common(FILE *to)
{
    static const enum opt common[] = { OPTION_SOCKET, OPTION_DIR, OPTION_JSON, OPTION_COLOR, OPTION_NO_INPUT, OPTION_HELP, OPTION_VERSION };
    fputs("Always\n", to);
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
        put_option(common[i], to);
}

static void put_codes(const struct focal_code_table *table, FILE *to)
{
    const char *between = "";
    for (const struct focal_code *c = table->codes; c->name; c++, between = ", ")
        fprintf(to, "%s%s", between, c->name);
}

static const char *form_of(const struct focal_field *f)
{
    switch (f->type) {
    case FOCAL_TYPE_QUARTER: return "2018-Q2";
    case FOCAL_TYPE_PERIOD:  return "2017, before-2016, unknown";
    case FOCAL_TYPE_DATE:    return "2018-05-03, unknown";
    case FOCAL_TYPE_COUNTRY: return "KEN";
    case FOCAL_TYPE_REF:     return "KEN-4F7Q-29XD-0";
    case FOCAL_TYPE_NUMBER:  return "a whole number";
    case FOCAL_TYPE_TEXT:    return "text";
    case FOCAL_TYPE_EVENT:   return "given.2018-05-03";
    default:                 return "";
    }
}

/* "sex.age", and each part's codes beneath. */
static void put_parts(const struct focal_field *f, FILE *to)
{
    for (unsigned p = 0; p < f->parts; p++)
        fprintf(to, "%s%s", p ? "." : "", f->part_names[p]);
    for (unsigned p = 0; p < f->parts; p++) {
        fprintf(to, "\n  %-24s %s: ", "", f->part_names[p]);
        put_codes(f->tables[p], to);
    }
}

static void put_fields(const struct noun *noun, FILE *to)
{
    const struct focal_kind *kind = focal_kind_by_name(noun->kind);
    fputs("Fields\n", to);
    for (size_t i = 0; kind && i < kind->field_count; i++) {
        const struct focal_field *f = &kind->fields[i];
        if (f->intake >= FOCAL_INTAKE_COMMAND)
            continue;
        fprintf(to, "  %-22s %s: ", f->name, f->label_en);
        if (f->type == FOCAL_TYPE_CODE && f->tables[0])
            put_codes(f->tables[0], to);
        else if (f->type == FOCAL_TYPE_ROW || f->type == FOCAL_TYPE_ENTRY_CODE)
            put_parts(f, to);
        else
            fputs(form_of(f), to);
        fputs(focal_field_is_sealed(f->number) ? " (sealed)\n" : "\n", to);
    }
}

void help_verb(const struct verb *v, const struct noun *n, FILE *to)
{
    char words[40];
    option_set fields = HAS(SET) | HAS(FILTER);
    verb_words(v, n, words);
    fputs("Examples\n", to);
    put_examples(v, n ? n->word : "case", to);
    fprintf(to, "\nfocalctl %s%s%s%s\n  %s\n\n", words, *v->operands ? " " : "", v->operands, v->options ? " [OPTIONS]" : "", v->line);
    if (v->options)
        fputs("Options\n", to);
    for (unsigned o = 0; o < OPTION_COUNT; o++)
        if (option_is_own(v->options, o))
            put_option((enum opt)o, to);
    if (v->options)
        fputc('\n', to);
    if (n && v->options & fields) {
        put_fields(n, to);
        fputc('\n', to);
    }
    put_common(to);
}

static void put_verb(const struct verb *v, const char *words, FILE *to)
{
    char left[60];
    (void)snprintf(left, sizeof left, "%s%s%s", words, *v->operands ? " " : "", v->operands);
    fprintf(to, "  %-26s %s\n", left, v->line);
}

void help_all(FILE *to)
{
    fputs("Examples\n"
          "  focalctl status                                    links, what is on its way, what needs you\n"
          "  focalctl case new --from case.json                 record a case; prints its reference\n"
          "  focalctl case show KEN-4F7Q-29XD-0                 one case, and who has seen it\n"
          "  focalctl case conflicts                            cases with two versions\n"
          "  focalctl report --period 2018-Q2                   the tables of a quarter\n"
          "  focalctl --dir ~/focal/KEN status                  a daemon of your own directory\n\n"
          "focalctl talks to the daemon focald on this machine.\n\n"
          "Commands\n", to);
    for (size_t i = 0; i < verb_count; i++)
        put_verb(&verbs[i], verbs[i].words, to);
    fputs("  NOUN is case, entity, focal-point, endorsement or nil-return.\n"
          "  `focalctl COMMAND --help` shows its options and examples.\n\n", to);
    put_common(to);
    fputs("\nExit status\n"
          "  0 done   1 failed   2 usage   3 done in part   4 no such thing, or several   5 no daemon\n"
          "  6 not permitted   7 two versions, or the version moved on   8 waited too long   9 busy\n", to);
}

bool noun_starts(const char *word)
{
    for (size_t i = 0; i < noun_count; i++)
        if (strcmp(nouns[i].word, word) == 0)
            return true;
    for (size_t i = 0; i < verb_count; i++)
        if (strncmp(verbs[i].words, word, strlen(word)) == 0 && verbs[i].words[strlen(word)] == ' ')
            return true;
    return false;
}

void help_noun(const char *word, FILE *to)
{
    const struct noun *noun = NULL;
    for (size_t i = 0; i < noun_count; i++)
        if (strcmp(nouns[i].word, word) == 0)
            noun = &nouns[i];
    for (size_t i = 0; i < verb_count; i++) {
        char words[40];
        bool any = noun && strncmp(verbs[i].words, "NOUN ", 5) == 0;
        verb_words(&verbs[i], any ? noun : NULL, words);
        if (any || (strncmp(words, word, strlen(word)) == 0 && words[strlen(word)] == ' '))
            put_verb(&verbs[i], words, to);
    }
}
