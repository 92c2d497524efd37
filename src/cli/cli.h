/* Shared by the files of this program only. */
#ifndef FOCAL_CLI_H
#define FOCAL_CLI_H

#include "focal/base.h"
#include "focal/control.h"
#include "focal/model.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>

/* ---- what was typed (args.c) ---- */

enum opt {
    OPTION_HELP, OPTION_VERSION, OPTION_SOCKET, OPTION_DIR, OPTION_JSON, OPTION_COLOR, OPTION_NO_INPUT, OPTION_TIMEOUT,
    OPTION_JSON_LINES, OPTION_LIMIT, OPTION_AFTER, OPTION_ALL, OPTION_FILTER, OPTION_WITHDRAWN,
    OPTION_FROM, OPTION_SET, OPTION_ADD, OPTION_REMOVE, OPTION_IF_VERSION, OPTION_DAY, OPTION_SEAL_TO, OPTION_SEALED,
    OPTION_TAKE, OPTION_TAKE_OFFICE, OPTION_REASON, OPTION_WHY, OPTION_FIELD, OPTION_YES, OPTION_SEEN,
    OPTION_COUNTRY, OPTION_MAY_REDACT, OPTION_EXPIRES, OPTION_ADDRESS, OPTION_WORDS_FILE, OPTION_PASSPHRASE_FILE, OPTION_AUTHORITY_KEY,
    OPTION_ENTRY, OPTION_KNOWN, OPTION_VOID, OPTION_AGAIN, OPTION_SCOPE, OPTION_RIGHT, OPTION_CUT_REASON, OPTION_MONTHS, OPTION_UNTIL, OPTION_SHEET, OPTION_END, OPTION_TO_FILE, OPTION_TWO_PERSONS,
    OPTION_OFFICE, OPTION_WAIT_FOR, OPTION_WAIT, OPTION_DEEP,
    OPTION_KIND, OPTION_FORMAT, OPTION_DRY_RUN, OPTION_REJECTS, OPTION_OUTPUT, OPTION_PERIOD, OPTION_FOLLOW, OPTION_PROOF, OPTION_READINGS,
    OPTION_STORE_PASSPHRASE, OPTION_NEW_PASSPHRASE, OPTION_CONFIRM, OPTION_TO,
    OPTION_COUNT
};
/* A verb's own; those before `timeout` go with every verb. */
typedef uint64_t option_set;
#define HAS(name) ((option_set)1 << (OPTION_##name - OPTION_TIMEOUT))
static_assert(OPTION_COUNT - OPTION_TIMEOUT <= 64, "a verb's own options are bits of one word");
static inline bool option_is_own(option_set set, unsigned option)
{
    return option >= OPTION_TIMEOUT && (set >> (option - OPTION_TIMEOUT) & 1) != 0;
}

struct option_row { const char *name; char letter; const char *argument; const char *help; };
extern const struct option_row option_rows[OPTION_COUNT];

struct args;
typedef int verb_run(const struct args *);

/* THE table's row. Words "NOUN ..." stand for each kind of record. */
struct verb {
    const char *words;
    const char *operands;               /* as in help: "REF FIELD", "[OFFICE]" */
    int least, most;
    verb_run *run;
    option_set options;
    const char *line;                   /* one line of help */
    const char *examples;               /* whole lines, two spaces in */
};
extern const struct verb verbs[];
extern const size_t verb_count;

struct noun { const char *word; const char *kind; };
extern const struct noun nouns[];
extern const size_t noun_count;

struct given { enum opt option; const char *value; };
struct args {
    const struct verb *verb;
    const struct noun *noun;            /* NULL: the verb has none */
    char words[40];                     /* "case list" */
    char request[FOCAL_CONTROL_VERB_MAX];       /* "case.list": what the daemon is asked */
    struct given *given; size_t given_count;
    char *const *operands; int operand_count;
    bool json, terminal_out, terminal_err, color_out, color_err;
};
/* -1: go on; else the exit status: help was printed, or what was wrong was said. */
int args_read(struct args *, int argc, char **argv);
void args_close(struct args *);
const char *args_value(const struct args *, enum opt);   /* the last; NULL: not given */
bool args_has(const struct args *, enum opt);
/* Decimal; says what is wrong. */
enum focal_status args_number(const struct args *, enum opt, uint64_t *out, struct focal_error *);
enum focal_status args_seconds(const char *text, uint64_t *seconds, struct focal_error *);       /* "90", "15s", "10m", "3h", "7d" */

/* ---- help (help.c) ---- */

void help_all(FILE *);
void help_noun(const char *word, FILE *);
void help_verb(const struct verb *, const struct noun *, FILE *);
bool noun_starts(const char *word);     /* some verb's words begin with it and go on */
void verb_words(const struct verb *, const struct noun *, char out[40]);

/* ---- talking (talk.c) ---- */

struct focal_client;
struct talk {
    const struct args *args;
    struct focal_client *client;
    uint64_t next_id;
    uint64_t idle_ms;                   /* give up after so long without a line; 0: never */
    bool stop_on_signal;                /* INT and TERM are blocked and looked at */
    bool progress_shown;
};
/* A row of the answer; a status other than OK stops the hearing. */
typedef enum focal_status talk_item(void *data, const json_t *item, struct focal_error *);

enum focal_status talk_open(struct talk *, const struct args *, struct focal_error *);
void talk_close(struct talk *);
/* Takes over the reference to `with`, which may be NULL. */
enum focal_status talk_ask(struct talk *, const char *request, json_t *with, struct focal_error *);
/* To the end of the answer that comes next. end (may be NULL) is the caller's to decref. What the end says is the status:
 * OK, or PARTIAL, CONFLICT and the like with err filled. */
enum focal_status talk_hear(struct talk *, talk_item *, void *data, json_t **end, struct focal_error *);
/* Ask and hear one item; NULL *item where the answer has none. */
enum focal_status talk_one(struct talk *, const char *request, json_t *with, json_t **item, json_t **end, struct focal_error *);

/* ---- saying (say.c) ---- */

int say_error(const struct args *, const struct focal_error *);     /* to stderr; the exit status */
enum { SCHEMA_BYTES = 64 };
void say_schema(char out[SCHEMA_BYTES], const struct args *);
int say_object(const struct args *, const json_t *item);            /* --json: {"schema":…,…} */
void say_text(FILE *, const char *text);                            /* controls and direction marks become "?" */
void say_clean(struct focal_buf *, const char *text);               /* the same, into a buffer */
void say_lines(FILE *, const char *text);                           /* as say_text, line ends kept */
void say_scalar(struct focal_buf *, const json_t *);                /* a JSON value as short text */
int say_done(int code);                                             /* flushes; 1 and a message if that failed */
bool say_gone(void);                                                /* the reader of stdout has left */
const char *paint(bool color, const char *how);                     /* "bold", "red", "green", "yellow", "" ends it */
void say_progress(const struct args *, const char *what, uint64_t done, uint64_t of);
void say_progress_end(const struct args *);
void say_age(struct focal_buf *, uint64_t seconds);                 /* "2 d 3 h" */
void say_bytes(struct focal_buf *, uint64_t bytes);                 /* "3.1 MB" */
const char *text_of(const json_t *object, const char *key);         /* "" when it is not there */
/* "user 1001 (amina)", as this machine knows it now; an account that is gone has no name. */
void say_user(struct focal_buf *, uint64_t uid);
void put_text(json_t *with, const char *key, const char *text);     /* text NULL: left out */

/* ---- tables (table.c) ---- */

enum { TABLE_COLUMNS_MAX = 40 };
struct table {
    const struct args *args;
    size_t columns;
    const char *heads[TABLE_COLUMNS_MAX];
    bool right[TABLE_COLUMNS_MAX];
    size_t widths[TABLE_COLUMNS_MAX];
    struct focal_buf cells;             /* zero-ended, row after row */
    size_t cell_count;
    bool heads_told;
};
void table_open(struct table *, const struct args *);
void table_column(struct table *, const char *head, bool right);
void table_cell(struct table *, const char *text);                  /* the next one of the row */
enum focal_status table_print(struct table *, struct focal_error *);    /* what was put since; heads once */
void table_close(struct table *);

/* ---- asking the person (ask.c) ---- */

/* Secrets: wipe with focal_buf_wipe_close, also when it failed. */
enum focal_status ask_passphrase(const struct args *, struct focal_buf *, struct focal_error *);      /* of the authority key */
enum focal_status ask_secret(const struct args *, struct focal_buf *, enum opt file, const char *question, struct focal_error *);
/* One line that is not secret. */
enum focal_status ask_again(struct focal_buf *, const char *question, struct focal_error *);
enum focal_status ask_words(const struct args *, const char *office, struct focal_buf *, struct focal_error *);

/* ---- fields (fields.c) ---- */

enum focal_status fields_new(const struct args *, json_t **with, struct focal_error *);
enum focal_status fields_update(const struct args *, json_t **with, struct focal_error *);
enum focal_status fields_filter(const struct args *, json_t *with, struct focal_error *);

/* ---- files (sink.c): written beside the target, put in its place when all is there ---- */

struct sink { const char *path; FILE *to; char temporary[4096]; };
enum focal_status sink_open(struct sink *, const char *path, struct focal_error *);     /* NULL and "-": standard output */
enum focal_status sink_put(struct sink *, const void *bytes, size_t len, struct focal_error *);
enum focal_status sink_json(const json_t *, const char *path, struct focal_error *);    /* an object, for another office to read */
enum focal_status sink_close(struct sink *, bool keep, struct focal_error *);

/* ---- a file read in pieces of whole lines, once or twice (pieces.c) ---- */

struct pieces {
    const char *name;                   /* for people */
    int fd;
    struct focal_buf whole, piece;      /* whole: of what cannot be read twice, all of it */
    bool kept, ended;
    size_t at;
    uint64_t size, done, lines;         /* lines before the piece; size 0: not known */
    int64_t changed_ns;
};
enum focal_status pieces_open(struct pieces *, const char *path, struct focal_error *);
enum focal_status pieces_again(struct pieces *, struct focal_error *);
/* The next piece as JSON text; NULL at the end. */
enum focal_status pieces_next(struct pieces *, json_t **text, struct focal_error *);
void pieces_close(struct pieces *);

/* ---- withdrawn cases (records.c) ---- */

const char *withdrawal_words(const char *state);                    /* "-" when nothing came since; state may be NULL */

/* ---- one question, one picture (links.c) ---- */

typedef void picture(const struct args *, const json_t *item);
/* Asks, and shows what came, also when it came with a status that is not "ok" (verify finds a fault, sync is partial). */
int ask_and_show(const struct args *, json_t *with, bool waits, picture *);
bool put_timeout(const struct args *, json_t *with, struct focal_error *);      /* --timeout; false: err says what is wrong */

picture show_redacted;                                             /* redact.c */

/* ---- runs ---- */

int no_kind(const struct args *, const char *typed);                /* says so; the exit status */
verb_run run_status, run_matrix, run_verify, run_sync, run_ping;
verb_run run_list, run_new, run_update, run_show, run_conflicts, run_resolve, run_withdraw;
verb_run run_redact, run_redaction_show, run_refused, run_rescue;
verb_run run_invite, run_admit, run_office_show, run_pause;
verb_run run_heads, run_revoke, run_network, run_renew, run_membership, run_rotate_authority, run_network_file;
verb_run run_import, run_export, run_report;
verb_run run_history, run_lift_veil;
verb_run run_approve, run_refuse_request;
verb_run run_lock, run_unlock, run_destroy, run_store_key;

#endif
