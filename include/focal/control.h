/* control: the language of the control socket, shared by daemon and client.
 *
 * One JSON object per line, each way. The first line each way states protocol and version:
 *     {"focal":"control","version":1,"program":"0.1.0"}
 * The daemon's comes as soon as the connection stands; the client's before its first request. Then requests
 *     {"id":1,"do":"case.list","with":{"limit":10}}
 * and for each, in the order of the requests,
 *     {"id":1,"item":{...}}                          any number
 *     {"id":1,"progress":{"done":N,"of":N}}          any number; of long work
 *     {"id":1,"end":{"status":"ok", ...}}            one of these two, and with it the answer ends
 *     {"id":1,"error":{"code":"FD-012","exit":4,"message":"...","hint":"..."}}
 * Requests may be sent ahead without waiting for answers. Unknown keys are ignored, an unknown command is answered with
 * an error. `printf '%s\n' '{"focal":"control","version":1}' '{"id":1,"do":"status"}' | socat - UNIX:control.sock | jq` works.
 *
 * History of the version, which is raised when a line that was understood would be misunderstood; new keys, commands and
 * kinds of line that a reader may skip do not raise it:
 *     1  the first
 *
 * Not here: what the commands mean (admin), sockets (io).
 * Memory: what a parse fills is closed with its close. json_t is jansson's. Threads: pure. */
#ifndef FOCAL_CONTROL_H
#define FOCAL_CONTROL_H

#include "focal/base.h"

struct json_t;

#define FOCAL_CONTROL_VERSION 1
#define FOCAL_CONTROL_VERB_MAX 48
#define FOCAL_CONTROL_DEPTH_MAX 24              /* braces and brackets inside one another */
#define FOCAL_CONTROL_LINE_MAX (1u << 20)       /* bytes of a request */

/* Any JSON text that others made: depth and doubled keys refused. MALFORMED names what and where. NULL *out on failure. */
FOCAL_MUST_USE enum focal_status focal_json_parse(struct json_t **out, struct focal_span text, struct focal_error *);
/* Appended, compact, keys in the order in which they were set. */
void focal_json_print(struct focal_buf *, const struct json_t *);
/* A JSON string of bytes that may not be text: what is not UTF-8 becomes "?". */
struct json_t *focal_json_text(struct focal_span);

/* ---- the first line ---- */

void focal_control_hello(struct focal_buf *);                           /* with its newline, as all below */
/* UNSUPPORTED: another version. MALFORMED: not this protocol. */
FOCAL_MUST_USE enum focal_status focal_control_hello_check(struct focal_span line, struct focal_error *);

/* ---- requests ---- */

struct focal_request { uint64_t id; char verb[FOCAL_CONTROL_VERB_MAX]; struct json_t *with; /* NULL: left out */ };
/* On failure id is that of the request if it could be read, else 0. */
FOCAL_MUST_USE enum focal_status focal_request_parse(struct focal_request *, struct focal_span line, struct focal_error *);
void focal_request_close(struct focal_request *);
void focal_request_print(struct focal_buf *, uint64_t id, const char *verb, const struct json_t *with);  /* with may be NULL */

/* ---- answers ---- */

void focal_answer_item(struct focal_buf *, uint64_t id, const struct json_t *item);
void focal_answer_progress(struct focal_buf *, uint64_t id, uint64_t done, uint64_t of);
/* status is OK or PARTIAL, CONFLICT ...: done, but not in full. more's keys are added to the end; it may be NULL. */
void focal_answer_end(struct focal_buf *, uint64_t id, enum focal_status, const struct json_t *more);
void focal_answer_error(struct focal_buf *, uint64_t id, const struct focal_error *);
/* {"code":...,"exit":...,"message":...,"hint":...} as in every error, also on the client's standard error. */
struct json_t *focal_error_json(const struct focal_error *);

enum focal_answer_type { FOCAL_ANSWER_ITEM, FOCAL_ANSWER_PROGRESS, FOCAL_ANSWER_END, FOCAL_ANSWER_ERROR, FOCAL_ANSWER_OTHER };
struct focal_answer {
    enum focal_answer_type type;
    uint64_t id;
    struct json_t *body;                /* ITEM, PROGRESS, END */
    enum focal_status status;           /* END, ERROR */
    struct focal_error error;           /* ERROR */
};
FOCAL_MUST_USE enum focal_status focal_answer_parse(struct focal_answer *, struct focal_span line, struct focal_error *);
void focal_answer_close(struct focal_answer *);

#endif
