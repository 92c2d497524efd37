/* Shared by the files of this room only: connections, jobs, and what handlers use. */
#ifndef FOCAL_ADMIN_JOB_H
#define FOCAL_ADMIN_JOB_H

#include "focal/admin.h"
#include "focal/base_plant.h"
#include "focal/control.h"

#include <jansson.h>

enum {
    CONNS_MAX = 64,
    JOBS_MAX = 256,                     /* requests of one connection taken ahead */
    OUT_PAUSE_BYTES = 256 << 10,        /* a job pauses while so much of its connection is unsent */
    OUT_MAX_BYTES = 24 << 20,
    EVENTS_MAX = 768,                   /* of one step */
    RECORDS_PER_SLICE = 48,
    POLL_MS = 100,                      /* a waiting job looks again by then */
    NOTES_MAX = 128,
    DENIED_NOTES_PER_S = 1, DENIED_NOTES_AT_ONCE = 60,
    CONNS_OF_ONE_MAX = 32, CONNS_WITHOUT_RIGHTS_MAX = 8         /* of all who have none together: they must not take the places */
};

enum job_state {
    JOB_DONE,                           /* answered */
    JOB_AGAIN,                          /* another slice, soon */
    JOB_STEP,                           /* has put events up: again after they are committed */
    JOB_WAIT                            /* something must happen first: again after every step, and by POLL_MS */
};

struct job;
struct conn;
typedef enum job_state job_run(struct job *);

/* What the history keeps of a command; nothing said: all of it. */
enum noted {
    NOTED,                              /* with the change, in its transaction */
    NOTED_FIRST,                        /* before anything is answered */
    NOTED_READING,                      /* soon after the answer */
    NOT_NOTED
};
struct focal_command {
    const char *name;
    job_run *run;
    unsigned permission;                /* set of rights of which one is needed */
    bool ahead;                         /* the next request may begin before this one's step is committed */
    enum noted noted;
    unsigned two_persons;               /* enum focal_two_persons: by which word of the policy it needs them; 0: never */
    const char *help;
};
const struct focal_command *command_find(const char *name);
unsigned command_needs(const struct focal_command *, const json_t *with);       /* some arguments need more than the command */
enum noted command_noted(const struct focal_command *, const json_t *with);
bool command_shows_records(const struct focal_command *);      /* what an old copy must not show */

struct job {
    struct job *next;
    struct conn *conn;
    struct focal_admin *admin;
    const struct focal_command *command;
    uint64_t id;
    json_t *with;                       /* never NULL */
    enum job_state state;
    int stage;                          /* the handler's own: 0 at first */
    uint64_t began_ms, look_ms;
    bool committed;                     /* the events put up last are in */
    bool cleared, noted;                /* its own work may begin; the history has it */
    struct focal_note note; enum focal_status note_answer;
    struct { uint64_t number; uint32_t uid; } second;   /* the request it answers, and who else stands behind it; 0: none */
    struct focal_pending_order closing;
    enum focal_status outcome;          /* as it was answered */
    void *own; void (*own_close)(void *own);
    struct focal_buf held;              /* answers while an earlier request still has the word */
};

struct conn {
    uint64_t number;                    /* 0: free */
    uint32_t uid; unsigned rights;
    bool greeted, finished;
    bool broken;                        /* an answer could not be told whole: nothing more is said */
    struct job *first, *last;
    size_t job_count;
    struct focal_buf out;
    struct import *import;              /* under way; import_commands.c */
};
void import_forget(struct import *);

struct focal_admin {
    struct focal_admin_setup is;
    struct focal_now now;
    struct conn conns[CONNS_MAX];
    size_t turn_first;                  /* which connection begins, so that one cannot keep the others out */
    struct focal_node_event *events; size_t event_count, event_room;
    bool again;
    uint64_t next_ticket;
    struct focal_note later[NOTES_MAX], up[NOTES_MAX]; size_t later_count, up_count;    /* up: in this turn's step */
    uint64_t denied_noted_ms; unsigned denied_left;
};

/* ---- who may (rights.c) ---- */

bool job_may(const struct job *, unsigned rights);              /* one of them */
unsigned right_used(unsigned needs, unsigned rights);           /* 0: none */
const struct focal_group *right_group(const struct focal_groups *, unsigned right);        /* NULL: of none */
void command_words(char out[FOCAL_CONTROL_VERB_MAX], const char *name);         /* "case.new" as people type it */
enum focal_status rights_refuse(const struct focal_groups *, uint32_t uid, const char *name, unsigned needs, struct focal_error *);

/* ---- what the history keeps (noting.c) ---- */

void note_fill(struct job *);                                   /* who asks for what, once that is known */
/* Not permitted, before there is any work. */
void note_denied(struct job *);
void note_done(struct job *);                                   /* the job has been answered */
size_t note_events(const struct job *);                         /* that stand behind one of this job */
void note_behind(struct job *, const struct focal_node_event *);
bool note_alone(struct job *);                                  /* of what is no change of the node; false: the step is full, try again */
/* What has to be done before a command's own work: a second person asked, the history written. Until j->cleared. */
enum job_state job_clear(struct job *);
void notes_put_up(struct focal_admin *);
bool notes_room(const struct focal_admin *);

/* ---- two persons (pending_commands.c) ---- */

/* Where the policy wants two, the job becomes the asking for a second one, or the doing of what one agreed to. */
void second_person_look(struct job *);
void need_requests(struct job *, json_t *list);

/* ---- for handlers (answer.c) ---- */

/* Puts an event up for this turn's step; false: the step is full, return JOB_AGAIN and try again. What the event points to
 * must stay until the job runs again. */
bool job_event(struct job *, const struct focal_node_event *);
bool job_events_left(const struct job *, size_t count);
/* Each takes over the reference to its JSON. */
void job_item(struct job *, json_t *);
enum job_state job_end(struct job *, enum focal_status, json_t *more);
enum job_state job_one(struct job *, json_t *item);                     /* an item and the end */
enum job_state job_fail(struct job *, const struct focal_error *);
enum job_state job_failf(struct job *, enum focal_status, const char *hint, const char *fmt, ...) FOCAL_PRINTF(4, 5);
void job_progress(struct job *, uint64_t done, uint64_t of);
/* A zeroed block of the handler's own, freed after close with the job. NULL: no memory. */
void *job_own(struct job *, size_t bytes, void (*close)(void *own));
bool job_waited(const struct job *, uint64_t default_ms);               /* longer than "timeout_ms" in with, or default; 0: for ever */
uint32_t job_today(const struct job *);                                 /* days since 1970 */
struct focal_oplog *job_oplog(const struct job *);

/* Arguments. NULL or false: absent. */
const char *job_text(const struct job *, const char *key);
bool job_flag(const struct job *, const char *key);
bool job_number(const struct job *, const char *key, uint64_t *out);

/* ---- words (words.c) ---- */

json_t *text_json(const char *);
void put_unique(json_t *list, json_t *text);                            /* takes text over; nothing if the list has it */
json_t *hex_json(const void *data, size_t len);
json_t *ref_json(const struct focal_ref *);
json_t *code_json(struct focal_oplog *, const struct focal_ref *);      /* KEN-4F7Q-29XD-0 */
json_t *day_json(uint32_t day_1970);
void day_print(char out[16], uint32_t day_1970);
/* An office of the network by its code as typed. */
enum focal_status office_find(struct focal_oplog *, const char *text, struct focal_office *, struct focal_error *);
/* A record by reference code or long form; several under one code are listed in err. kind NULL: any. */
enum focal_status record_find(struct focal_oplog *, struct focal_store *, const char *text, struct focal_ref *, struct focal_error *);

/* ---- records to JSON (show.c) ---- */

/* Text of a value as people write it; references as codes. Of fields that are not sealed. */
void value_text(struct focal_buf *, struct focal_oplog *, const struct focal_field *, struct focal_span value);
json_t *value_json(struct focal_oplog *, const struct focal_field *, struct focal_span value);
json_t *fields_json(struct focal_node *, const struct focal_record *);
json_t *conflicts_json(struct focal_node *, const struct focal_record *);
json_t *rows_json(struct focal_node *, const struct focal_record *);
void slot_name(struct focal_buf *, const struct focal_slot *);          /* "status", "assistance.medical" */
void row_name(char out[24], const struct focal_live *);                 /* "9f3a2c11.0" */
json_t *record_head_json(struct focal_oplog *, const struct focal_record *);    /* id, record, version, kind … */

/* ---- what is sealed (opened.c) ---- */

/* A live value as it may be told here: field and value are what it says. status other than OK: it is sealed and does not open
 * here (focal_node_unseal). */
struct opened {
    const struct focal_field *field; struct focal_span value;
    bool sealed; enum focal_status status; struct focal_sealed_to to;
    struct focal_field as; struct focal_buf plain;
};
void opened_begin(struct opened *, struct focal_node *, const struct focal_ref *record, const struct focal_field *, const struct focal_live *);
void opened_end(struct opened *);       /* wipes */
/* As value_text and value_json; "sealed to HQ, KEN" and {"sealed_to":["HQ","KEN"]} of what does not open. */
void live_text(struct focal_buf *, struct focal_node *, const struct focal_ref *record, const struct focal_field *, const struct focal_live *);
json_t *live_json(struct focal_node *, const struct focal_ref *record, const struct focal_field *, const struct focal_live *);
/* Does it say this (canonical bytes)? Do both say the same? False of what does not open. */
bool live_is(struct focal_node *, const struct focal_ref *record, const struct focal_field *, const struct focal_live *, struct focal_span value);
bool lives_same(struct focal_node *, const struct focal_ref *record, const struct focal_field *, const struct focal_live *, const struct focal_live *);
json_t *sealed_json(struct focal_node *, const struct focal_record *);    /* {"feedback_preference":["HQ","KEN"]}; NULL: nothing sealed */

/* ---- JSON to changes (draft.c) ---- */

struct draft {
    struct focal_change change;
    struct focal_arena own, *arena;     /* arena: own, unless the opener lends another */
    struct focal_change_item *items; size_t count, cap;
    struct focal_office seal_to[FOCAL_SEALED_ADDRESSEES_MAX];
    uint32_t today;
    struct focal_node *node; struct focal_oplog *oplog; struct focal_store *store;
};
void draft_open(struct draft *, struct focal_node *, uint32_t today);
void draft_close(struct draft *);
/* A whole new record: {"country":"KEN","victims":[…],…}. */
enum focal_status draft_new(struct draft *, const struct focal_kind *, const json_t *fields, struct focal_error *);
/* An update: {"set":{…},"add":{…},"remove":{…}}; record is the one it is made against. */
enum focal_status draft_update(struct draft *, const struct focal_record *, const json_t *with, struct focal_error *);
enum focal_status draft_set(struct draft *, const struct focal_field *, const json_t *value, struct focal_error *);
/* One field's value as text, as in CSV (rows split by ';'). */
enum focal_status draft_text(struct draft *, const struct focal_field *, struct focal_span text, struct focal_error *);
/* Who opens what is sealed in it: ["KEN","HQ"]; NULL: nobody is named. */
enum focal_status draft_seal_to(struct draft *, const json_t *offices, struct focal_error *);
/* Canonical bytes already; a row to be taken off. */
enum focal_status draft_put(struct draft *, enum focal_change_op, const struct focal_field *, struct focal_span value, struct focal_error *);
enum focal_status draft_put_row(struct draft *, const struct focal_field *, const struct focal_live *row, struct focal_error *);
/* What follows from what is there (the quarter of the day received); last, before `change` is used. */
enum focal_status draft_finish(struct draft *, struct focal_error *);
/* Canonical bytes of one value typed for a field; appended. */
enum focal_status value_parse(struct focal_oplog *, struct focal_store *, const struct focal_field *, struct focal_span text,
    uint32_t today, struct focal_buf *, struct focal_error *);
const struct focal_field *field_find(const struct focal_kind *, const char *name, struct focal_error *);

/* ---- what handlers of records share (record_commands.c) ---- */

const struct focal_kind *job_kind(const struct job *);                  /* that the command's name begins with */
/* The record that "ref" names, of that kind. */
enum focal_status job_record(struct job *, struct focal_record_view *, struct focal_error *);
enum focal_status job_if_version(struct job *, struct focal_change *, struct focal_error *);
/* Drafts a change of the record that "ref" names with prepare, puts it up and answers with what came of it. */
typedef enum focal_status job_preparing(struct job *, struct draft *, const struct focal_record *, struct focal_error *);
enum job_state job_edit(struct job *, job_preparing *);

/* ---- withdrawn cases (withdraw_commands.c) ---- */

json_t *withdrawal_json(struct focal_oplog *, const struct focal_record *);     /* {"reason", "office", "state"}; NULL: not withdrawn */
/* Of a withdrawn case nothing but its withdrawal is anybody's task. */
bool record_needs_person(const struct focal_record *);
bool slot_needs_person(const struct focal_record *, const struct focal_slot *);
bool withdrawal_needs_person(const struct focal_record *);

/* ---- redactions (redactions.c, redaction_list.c) ---- */

/* Entries that wait hidden for a second office; of ours, those others redacted and nobody here has looked at. */
void redactions_waiting(struct job *, uint64_t *hidden, uint64_t *refused);

/* ---- cuts (revoke_commands.c) ---- */

uint64_t beyond_cut(struct focal_oplog *, const struct focal_key *);     /* entries held that a cut takes away */
const char *cut_reason(uint8_t reason);
bool cut_misses(struct focal_oplog *, const struct focal_cut *);         /* something that counts here is not in its list */

/* ---- invitations (office_commands.c) ---- */

/* Network, key, addresses and secret of who invites; number, office and day are the caller's. */
enum focal_status invitation_from_here(struct job *, struct focal_invitation *, struct focal_error *);

/* ---- what the client is to sign (revoke_commands.c) ---- */

json_t *body_json(struct focal_span body);       /* or a whole statement, in hex */
/* What the authority wants two persons for: "redact, export"; null: it said nothing. */
json_t *two_persons_json(struct focal_oplog *);
/* Takes over bodies. */
json_t *to_sign_json(struct job *, const struct focal_office *, json_t *bodies);
void put_authority(json_t *out, const struct focal_oplog *);     /* whose signature counts today, and whether that must be said in what it signs */

/* ---- peers (status_commands.c) ---- */

bool peer_find(struct job *, const char *code, struct focal_peer_status *);
bool peer_synced(struct job *, const struct focal_peer_status *);
/* One line of "needs you" in status. */
void need(json_t *list, const char *command, const char *fmt, ...) FOCAL_PRINTF(3, 4);

/* ---- history and the veil (history_commands.c) ---- */

void need_incidents(struct job *, json_t *list);
void need_veil(struct job *, json_t *list);
/* Records are not to be shown; err says why, and what to do. */
bool veil_refuses(const struct job *, struct focal_error *err);

/* ---- handlers ---- */

job_run run_approve, run_requests, run_request_refuse;
job_run run_help, run_status, run_matrix, run_sync, run_ping, run_verify;
job_run run_new, run_show, run_list, run_update, run_conflicts, run_resolve, run_withdraw, run_restore, run_redact;
job_run run_rescue_list, run_rescue;
job_run run_redactions, run_redaction, run_refusals;
job_run run_store_key, run_store_order, run_unlock;
void store_order_done(struct job *, uint64_t ticket, enum focal_status, const struct focal_error *);
/* Of the key of the store, where it lies in clear. */
void need_store_key(struct job *, json_t *list);
void verify_checked(struct job *, uint64_t ticket, enum focal_status, struct focal_span findings);
job_run run_invite, run_admit_begin, run_admit, run_offices, run_office, run_pause, run_resume;
job_run run_heads, run_revoke_begin, run_network;
job_run run_renew_begin, run_delegate_begin, run_policy_begin, run_membership_export, run_membership_import;
job_run run_rotate_authority_begin, run_rotate_authority, run_network_export, run_network_import;
job_run run_history, run_proof, run_lift_veil;
job_run run_import_begin, run_import_rows, run_import_end, run_export, run_report;

#endif
