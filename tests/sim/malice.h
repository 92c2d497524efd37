/* The inside of bad members, shared by malice.c and malice_cut.c only. */
#ifndef FOCAL_SIM_MALICE_H
#define FOCAL_SIM_MALICE_H

#include "inner.h"

#include "node/inner.h"
#include "sync/session.h"

enum { MALICE_KEPT = 8, MALICE_KEPT_BYTES = 2048, MALICE_LOGS = 24, MALICE_PIECE_BYTES = 4096 };
/* A log as it was held once, and the beginning of what was held of it. */
struct malice_log {
    struct focal_id id;
    struct focal_log_name name;
    struct focal_scope scope;
    struct focal_tip head, on;          /* on: what was written behind it, or aside of it, by hand */
    bool mine, is_signed;
    uint8_t before[8];
    struct focal_signature signature;
    uint8_t piece[MALICE_PIECE_BYTES]; size_t piece_len;
};
struct malice {
    enum world_malice kind;
    struct { size_t len; uint8_t bytes[MALICE_KEPT_BYTES]; } said[MALICE_KEPT], frames[MALICE_KEPT];
    size_t said_count, frame_count;
    uint64_t turn, done;
    struct malice_log logs[MALICE_LOGS]; size_t log_count;
    uint64_t openings;                  /* epochs opened by hand */
};
/* One saying of a bad member, and where it stands. */
struct saying {
    struct world *w;
    struct malice *m;
    struct sim_link *l;
    int end;
    struct session_end { struct focal_node *node; struct link *inner; } at;
    const struct focal_channel *before;
    struct focal_span plain;
    struct focal_buf *frame;
};

/* malice.c: beside what its program says */
void malice_say(struct saying *, const struct focal_message *);
struct focal_oplog *malice_oplog(const struct saying *);
/* One entry of its own making behind `before` of a log, under its own signature; the second: an empty case. Gives its tip. */
struct focal_tip malice_say_made(struct saying *, const struct focal_id *log, const struct focal_tip *before, const struct focal_header *, struct focal_span payload);
struct focal_tip malice_say_entry(struct saying *, const struct focal_id *log, const struct focal_tip *before);

/* malice_cut.c: what a member does from which the authority took everything or a scope, and which does not heed it */
void malice_remember(struct saying *);
void malice_goes_on(struct saying *);
void malice_keeps_scope(struct saying *);

#endif
