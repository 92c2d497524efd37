/* From the command line to a verb, its options and its operands. */
#include "cli.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool goes(option_set set, unsigned option)
{
    return option < OPTION_TIMEOUT || option_is_own(set, option);
}
enum { LONG_BASE = 1000, SHORT_MAX = 16 };

struct getting { struct option longs[OPTION_COUNT + 1]; char shorts[SHORT_MAX]; };

static void getting_make(struct getting *g, option_set set, bool stop_at_words)
{
    size_t n = 0, s = 0;
    memset(g, 0, sizeof *g);
    if (stop_at_words)
        g->shorts[s++] = '+';
    g->shorts[s++] = ':';
    for (int o = 0; o < OPTION_COUNT; o++) {
        const struct option_row *row = &option_rows[o];
        if (!goes(set, o))
            continue;
        g->longs[n++] = (struct option){ row->name, row->argument ? required_argument : no_argument, NULL, LONG_BASE + o };
        if (row->letter) {
            focal_assert(s + 3 < SHORT_MAX);
            g->shorts[s++] = row->letter;
            if (row->argument)
                g->shorts[s++] = ':';
        }
    }
}

static int option_of(int got)
{
    if (got >= LONG_BASE)
        return got - LONG_BASE;
    for (int o = 0; o < OPTION_COUNT; o++)
        if (option_rows[o].letter && option_rows[o].letter == got)
            return o;
    return -1;
}

static int wrong(const struct args *args, const char *hint, const char *message)
{
    struct focal_error err;
    (void)!focal_fail(&err, FOCAL_USAGE, hint, "%s", message);
    return say_error(args, &err);
}

/* The option nearest to what was typed, among those that would have been taken. */
static void nearest_option(const char *typed, option_set set, char out[60])
{
    char word[40];
    int least = 4;
    (void)snprintf(word, sizeof word, "%.*s", (int)strcspn(typed + strspn(typed, "-"), "="), typed + strspn(typed, "-"));
    out[0] = 0;
    for (int o = 0; o < OPTION_COUNT; o++) {
        int far = focal_text_distance(word, option_rows[o].name);
        if (goes(set, o) && far >= 0 && far < least) {
            least = far;
            (void)snprintf(out, 60, "--%s", option_rows[o].name);
        }
    }
}

static int bad_option(const struct args *args, int got, const char *typed, option_set set)
{
    char message[160], hint[200], near[60];
    if (got == ':') {
        (void)snprintf(message, sizeof message, "%.60s needs a value", typed);
        (void)snprintf(hint, sizeof hint, "`focalctl %s%s--help` shows what", args->words, args->words[0] ? " " : "");
        return wrong(args, hint, message);
    }
    nearest_option(typed, set, near);
    (void)snprintf(message, sizeof message, "%s%s%.60s is not an option here, or not a whole one", args->words, args->words[0] ? ": " : "", typed);
    (void)snprintf(hint, sizeof hint, "%s%s%s`focalctl %s%s--help` lists the options", near[0] ? "did you mean " : "", near, near[0] ? "? " : "",
                   args->words, args->words[0] ? " " : "");
    return wrong(args, hint, message);
}

static int read_options(struct args *args, int argc, char **argv, option_set set, bool stop_at_words)
{
    struct getting g;
    getting_make(&g, set, stop_at_words);
    opterr = 0;
    optind = 0;                         /* begins anew */
    for (;;) {
        int before = optind > 0 ? optind : 1, got = getopt_long(argc, argv, g.shorts, g.longs, NULL);
        if (got == -1)
            return -1;
        int o = option_of(got);
        if (got == '?' || got == ':' || o < 0)
            return bad_option(args, got, argv[optind > before ? optind - 1 : before], set);
        args->given[args->given_count++] = (struct given){ (enum opt)o, optarg };
    }
}

const char *args_value(const struct args *args, enum opt o)
{
    const char *value = NULL;
    for (size_t i = 0; i < args->given_count; i++)
        if (args->given[i].option == o)
            value = args->given[i].value;
    return value;
}

bool args_has(const struct args *args, enum opt o)
{
    for (size_t i = 0; i < args->given_count; i++)
        if (args->given[i].option == o)
            return true;
    return false;
}

enum focal_status args_number(const struct args *args, enum opt o, uint64_t *out, struct focal_error *err)
{
    const char *text = args_value(args, o);
    if (focal_parse_u64(focal_span_text(text), out) && *out <= INT64_MAX)
        return FOCAL_OK;
    return focal_fail(err, FOCAL_USAGE, "", "--%s takes a number, not \"%.40s\"", option_rows[o].name, text);
}

enum focal_status args_seconds(const char *text, uint64_t *seconds, struct focal_error *err)
{
    static const struct { char unit; uint64_t seconds; } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
    size_t len = strlen(text);
    uint64_t factor = 1, n;
    for (size_t i = 0; len && i < sizeof units / sizeof units[0]; i++)
        if (text[len - 1] == units[i].unit) {
            factor = units[i].seconds;
            len--;
            break;
        }
    if (!focal_parse_u64(focal_span_of(text, len), &n) || n > 1000000000u / factor)
        return focal_fail(err, FOCAL_USAGE, "write a number and s, m, h or d", "\"%.40s\" is not a length of time such as 90s, 10m, 2h or 7d", text);
    *seconds = n * factor;
    return FOCAL_OK;
}

/* ---- which verb ---- */

static bool matches(const struct verb *v, const struct noun *n, char *const *words, int count, int *used)
{
    char whole[40];
    verb_words(v, n, whole);
    const char *at = whole;
    for (*used = 0; *at; (*used)++) {
        size_t len = strcspn(at, " ");
        if (*used >= count || strlen(words[*used]) != len || strncmp(words[*used], at, len) != 0)
            return false;
        at += len + (at[len] == ' ');
    }
    return true;
}

static int find_verb(struct args *args, char *const *words, int count)
{
    int used;
    for (size_t i = 0; i < verb_count; i++) {
        bool any = strncmp(verbs[i].words, "NOUN ", 5) == 0;
        for (size_t n = 0; n < (any ? noun_count : 1); n++) {
            const struct noun *noun = any ? &nouns[n] : NULL;
            if (!matches(&verbs[i], noun, words, count, &used))
                continue;
            args->verb = &verbs[i];
            args->noun = noun;
            verb_words(args->verb, noun, args->words);
            (void)snprintf(args->request, sizeof args->request, "%s", args->words);
            for (char *c = args->request; *c; c++)
                *c = *c == ' ' ? '.' : *c;
            return used;
        }
    }
    return 0;
}

struct near { char words[40]; int far; };

/* The nearest three, whole. */
static void nearest_verbs(const char *typed, char out[160])
{
    struct near best[3] = { { "", 99 }, { "", 99 }, { "", 99 } };
    size_t used = 0;
    for (size_t i = 0; i < verb_count; i++) {
        bool any = strncmp(verbs[i].words, "NOUN ", 5) == 0;
        for (size_t n = 0; n < (any ? noun_count : 1); n++) {
            struct near one;
            verb_words(&verbs[i], any ? &nouns[n] : NULL, one.words);
            one.far = focal_text_distance(typed, one.words);
            for (size_t k = 0; one.far >= 0 && k < 3; k++)
                if (one.far < best[k].far) {
                    memmove(&best[k + 1], &best[k], (2 - k) * sizeof best[0]);
                    best[k] = one;
                    break;
                }
        }
    }
    out[0] = 0;
    for (size_t k = 0; k < 3 && best[k].far < 99; k++)
        used += (size_t)snprintf(out + used, 160 - used, "%s\"%s\"", k ? ", " : "", best[k].words);
}

static int no_verb(const struct args *args, char *const *words, int count)
{
    char typed[40], message[120], near[160], hint[220];
    if (count == 0) {
        (void)snprintf(message, sizeof message, "what shall be done?");
        return wrong(args, "`focalctl --help` lists the commands; `focalctl status` is a good first one", message);
    }
    if (noun_starts(words[0]) && count == 1) {
        (void)snprintf(message, sizeof message, "%.30s: and then?", words[0]);
        (void)snprintf(hint, sizeof hint, "`focalctl %.30s --help` lists what can follow", words[0]);
        return wrong(args, hint, message);
    }
    (void)snprintf(typed, sizeof typed, "%.18s%s%.18s", words[0], count > 1 ? " " : "", count > 1 ? words[1] : "");
    nearest_verbs(typed, near);
    if (!near[0])
        nearest_verbs(words[0], near);
    (void)snprintf(message, sizeof message, "there is no command \"%s\"", typed);
    if (near[0])
        (void)snprintf(hint, sizeof hint, "did you mean %s? `focalctl --help` lists all", near);
    else if (noun_starts(words[0]))
        (void)snprintf(hint, sizeof hint, "`focalctl %.30s --help` lists what can be done with it", words[0]);
    else
        (void)snprintf(hint, sizeof hint, "`focalctl --help` lists the commands");
    return wrong(args, hint, message);
}

static int check_operands(const struct args *args)
{
    char message[160], hint[160];
    const struct verb *v = args->verb;
    if (args->operand_count >= v->least && args->operand_count <= v->most)
        return -1;
    if (args->operand_count > v->most)
        (void)snprintf(message, sizeof message, "%s: \"%.60s\" is one word too many", args->words, args->operands[v->most]);
    else
        (void)snprintf(message, sizeof message, "%s needs %s", args->words, v->operands);
    (void)snprintf(hint, sizeof hint, "focalctl %s %s", args->words, v->operands);
    return wrong(args, hint, message);
}

static int take_color(struct args *args)
{
    const char *when = args_value(args, OPTION_COLOR), *none = getenv("NO_COLOR"), *term = getenv("TERM");
    args->terminal_out = isatty(STDOUT_FILENO) == 1 && term && strcmp(term, "dumb") != 0;
    args->terminal_err = isatty(STDERR_FILENO) == 1 && term && strcmp(term, "dumb") != 0;
    bool may = !(none && *none);
    args->color_out = args->terminal_out && may;
    args->color_err = args->terminal_err && may;
    if (!when || strcmp(when, "auto") == 0)
        return -1;
    if (strcmp(when, "always") != 0 && strcmp(when, "never") != 0)
        return wrong(args, "--color always, never or auto", "--color does not know that word");
    args->color_out = args->color_err = strcmp(when, "always") == 0;
    return -1;
}

static int help_wanted(const struct args *args, char *const *words, int count)
{
    if (args_has(args, OPTION_VERSION)) {
        puts("focalctl " FOCAL_VERSION);
        return say_done(0);
    }
    if (!args_has(args, OPTION_HELP))
        return -1;
    if (args->verb)
        help_verb(args->verb, args->noun, stdout);
    else if (count && noun_starts(words[0]))
        help_noun(words[0], stdout);
    else if (count && words[0][0] != '-')
        return no_verb(args, words, 1);
    else
        help_all(stdout);
    return say_done(0);
}

/* `focalctl help case new` is `focalctl case new --help`. */
static bool turn_help(struct args *args, char **argv, int *argc, int *at)
{
    if (*at >= *argc || strcmp(argv[*at], "help") != 0)
        return false;
    args->given[args->given_count++] = (struct given){ OPTION_HELP, NULL };
    (*at)++;
    return true;
}

int args_read(struct args *args, int argc, char **argv)
{
    size_t most = 2;                    /* one word can hold many letters, and most words are read twice */
    memset(args, 0, sizeof *args);
    for (int i = 0; i < argc; i++)
        most += 2 * (strlen(argv[i]) + 1);
    args->given = focal_alloc(most * sizeof *args->given);
    if (!args->given) {
        fputs("focalctl: no memory\n", stderr);
        return 1;
    }
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "--json-lines") == 0)
            args->json = true;          /* known before anything else can be said */
    int code = read_options(args, argc, argv, 0, true);
    if (code >= 0)
        return code;
    int at = optind;
    (void)turn_help(args, argv, &argc, &at);
    char **words = argv + at;
    int used = find_verb(args, words, argc - at);
    /* What stands between the verb and the next word is read with the verb's options; argv[at + used - 1] plays argv[0]. */
    if (used == 0 && argc - at > 1) {
        for (int i = at; i < argc; i++)
            if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
                args->given[args->given_count++] = (struct given){ OPTION_HELP, NULL };
    }
    if (used) {
        code = read_options(args, argc - at - used + 1, words + used - 1, args->verb->options, false);
        if (code >= 0)
            return code;
        args->operands = words + used - 1 + optind;
        args->operand_count = argc - at - used + 1 - optind;
    }
    code = take_color(args);
    if (code < 0)
        code = help_wanted(args, words, argc - at);
    if (code < 0)
        code = used ? check_operands(args) : no_verb(args, words, argc - at);
    return code;
}

void args_close(struct args *args)
{
    focal_free(args->given);
}
