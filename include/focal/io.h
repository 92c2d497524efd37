/* io: the only room that touches OS events: the libuv loop, links over nng streams, the control socket (both halves),
 * clocks, chance, secret files, signals.
 *
 * Not here: what the bytes mean. Frames of a link are opaque; lines of the control socket are opaque.
 * Threads: nng calls back on its own threads; such a callback puts the operation that ended into a queue under one mutex
 * and wakes the loop, nothing else (src/io/queue.c is the only concurrent code). Every callback below runs on the loop
 * thread. The queue needs no room: a link has at most one receive and one send under way, and the next receive begins only
 * when every whole frame of the last one has been told, so a peer that sends faster than we work is held back by TCP.
 * Memory: spans given to callbacks are good until the callback returns. */
#ifndef FOCAL_IO_H
#define FOCAL_IO_H

#include "focal/base.h"

struct focal_io;

/* Who connected to the control socket, as the system says: its user, its primary and all its other groups at that moment.
 * Good until control_opened returns. */
struct focal_io_caller { uint32_t uid, gid; int pid; const uint32_t *groups; size_t group_count; };

/* A handler may be NULL. From within a handler everything of this door may be called except focal_io_run and _close.
 * INT, TERM and HUP are caught only if `signal` is set. */
struct focal_io_handlers {
    void *data;
    /* Links. `link` numbers are never reused. "Opened" means the transport is up and the far end spoke SP PAIR0: not yet
     * that it is a peer (that is the Noise handshake's word). */
    void (*link_opened)(void *data, uint64_t link, bool dialled, uint64_t dial_tag, const char *far_address);
    void (*link_frame)(void *data, uint64_t link, struct focal_span frame);
    void (*link_ready)(void *data, uint64_t link);              /* the frame handed over last is written: hand the next */
    void (*link_closed)(void *data, uint64_t link, enum focal_status why);
    void (*dial_failed)(void *data, uint64_t dial_tag, enum focal_status why, const char *text);
    /* Control socket. `conn` numbers are never reused. */
    void (*control_opened)(void *data, uint64_t conn, const struct focal_io_caller *);
    void (*control_line)(void *data, uint64_t conn, struct focal_span line);        /* without its newline */
    void (*control_ready)(void *data, uint64_t conn);           /* everything written: more may be handed over */
    /* The client sends no more and may still be reading: close the connection when all is answered. NULL: it is closed at once. */
    void (*control_ended)(void *data, uint64_t conn);
    void (*control_closed)(void *data, uint64_t conn);
    /* The timer set with focal_io_wake_at has come. */
    void (*wake)(void *data);
    /* All events now at hand have been told by the calls above: the moment to take one step with all of them.
     * Called once per turn of the loop in which anything above was called. */
    void (*turn)(void *data);
    void (*signal)(void *data, int number);                     /* INT, TERM, HUP */
};

struct focal_io_limits {                /* zero: the default in brackets */
    uint32_t links_max;                 /* [256] open links, dialled and accepted */
    uint32_t unproven_max;              /* [64] accepted links not yet proven (focal_io_link_proven); when full, and all have brought a
                                           frame, the oldest of the address that has the most goes */
    uint32_t unproven_per_address_max;  /* [8] the same per IPv4 address or IPv6 /64; when full the oldest unproven without a frame goes */
    uint32_t first_frame_ms;            /* [5000] an accepted link must bring its first whole frame by then */
    uint32_t frame_bytes_max;           /* [65536] longest frame taken in; a longer announced length closes the link */
    uint32_t queue_frames_per_link;     /* [64] frames of one link told in one turn; the rest waits, and the link is not read */
    uint32_t turn_frame_bytes_max;      /* [1 MiB] no further frame is told in a turn that has told so many bytes of frames */
    uint32_t control_conns_max;         /* [64] */
    uint32_t control_line_bytes_max;    /* [1 MiB] a longer line closes its connection after an error line */
};

FOCAL_MUST_USE enum focal_status focal_io_open(struct focal_io **, const struct focal_io_handlers *,
                                               const struct focal_io_limits *, const struct focal_trace *);
/* Runs until focal_io_stop. */
void focal_io_run(struct focal_io *);
void focal_io_stop(struct focal_io *);                          /* from a handler; run returns after this turn */
/* Closes everything in the order nng and libuv need: streams, wait for every aio, stop, free, then the async. No handler
 * is called any more; work under way is waited for, and its done() still called, so that its data can be freed. */
void focal_io_close(struct focal_io *);

/* "host:port", "[v6]:port"; port 0 lets the system choose. bound (64 bytes) receives the address in force. */
FOCAL_MUST_USE enum focal_status focal_io_listen(struct focal_io *, const char *address, char bound[64], struct focal_error *);
/* dial_tag comes back in link_opened or dial_failed, exactly once. Gives up after timeout_ms. */
FOCAL_MUST_USE enum focal_status focal_io_dial(struct focal_io *, uint64_t dial_tag, const char *address, uint32_t timeout_ms);
/* One frame in flight per link: BUSY until link_ready, also when an answer came before it. The bytes are copied.
 * NOT_FOUND: link is closed already. TOO_BIG: over frame_bytes_max. */
FOCAL_MUST_USE enum focal_status focal_io_send(struct focal_io *, uint64_t link, struct focal_span frame);
void focal_io_link_proven(struct focal_io *, uint64_t link);    /* handshake finished: leaves the unproven caps */
void focal_io_link_close(struct focal_io *, uint64_t link);     /* link_closed follows, with CANCELLED */

/* Listens on a Unix socket: refuses a path over 107 bytes by name; replaces a dead socket file, never a live one (BUSY)
 * and nothing that is not a socket; mode is set as given. */
FOCAL_MUST_USE enum focal_status focal_io_control_listen(struct focal_io *, const char *path, unsigned mode, struct focal_error *);
/* Queues bytes (whole lines with their newline). FULL when over 4 MiB would wait: wait for control_ready, which comes when
 * nothing waits any more. */
FOCAL_MUST_USE enum focal_status focal_io_control_send(struct focal_io *, uint64_t conn, struct focal_span lines);
/* After what is queued has been written, or 5 s if the client does not read it; control_closed follows. */
void focal_io_control_close(struct focal_io *, uint64_t conn);

void focal_io_wake_at(struct focal_io *, uint64_t mono_ms);     /* one timer; UINT64_MAX: none */
void focal_io_again(struct focal_io *);                         /* call `turn` once more without waiting (sliced work) */
/* Runs work() on a pool thread (Argon2id …) and then done() on the loop. */
FOCAL_MUST_USE enum focal_status focal_io_work(struct focal_io *, void (*work)(void *data), void (*done)(void *data), void *data);
/* Longest time in ms that one turn kept the loop, since the last call (reset) or since start. */
double focal_io_stall_ms(struct focal_io *, bool reset);
uint64_t focal_io_link_bytes(struct focal_io *, bool sent);     /* all links together, SP framing included, since start */

/* ---- clocks, chance, the machine -------------------------------------------------------------------------------------- */

void focal_clock_now(struct focal_now *);
void focal_entropy_fill(void *data, void *out, size_t len);     /* struct focal_entropy's fill; data unused */
void focal_machine_id(char out[33]);                            /* /etc/machine-id, zeros if there is none */
void focal_boot_id(char out[37]);
uint64_t focal_process_cpu_us(void);                            /* user and system time of this process */
uint64_t focal_process_peak_kib(void);                          /* peak resident set */
uint64_t focal_process_rss_kib(void);                           /* resident set now */

/* ---- files --------------------------------------------------------------------------------------------------------------- */

/* Secrets: opened without following links; owner must be this user, mode without group and other bits; DENIED says which
 * rule and the chmod line to run. Reads at most max bytes. */
FOCAL_MUST_USE enum focal_status focal_file_read_secret(struct focal_buf *, const char *path, size_t max, struct focal_error *);
/* What decides over others, such as a configuration: opened without following links; owner must be this user or root, nobody
 * else may write it. DENIED says which rule and what to run. "-" is a name like any other. */
FOCAL_MUST_USE enum focal_status focal_file_read_trusted(struct focal_buf *, const char *path, size_t max, struct focal_error *);
/* The same of a directory whose files are read; NOT_FOUND: there is none. */
FOCAL_MUST_USE enum focal_status focal_dir_trusted(const char *path, struct focal_error *);
FOCAL_MUST_USE enum focal_status focal_file_read(struct focal_buf *, const char *path, size_t max, struct focal_error *);   /* "-": standard input */
/* Written under a temporary name, fsynced, renamed, directory fsynced. EXISTS when replace is false and it is there. */
FOCAL_MUST_USE enum focal_status focal_file_write(const char *path, struct focal_span, unsigned mode, bool replace, struct focal_error *);
FOCAL_MUST_USE enum focal_status focal_dir_make(const char *path, unsigned mode, struct focal_error *);   /* parents too; existing is fine */

/* ---- the client's half of the control socket: blocking, one thread -------------------------------------------------------- */

struct focal_client;
/* UNREACHABLE: nobody listens (the hint says how to start it). */
FOCAL_MUST_USE enum focal_status focal_client_open(struct focal_client **, const char *path, struct focal_error *);
FOCAL_MUST_USE enum focal_status focal_client_send(struct focal_client *, struct focal_span line, struct focal_error *);   /* newline is added */
/* One line, without its newline, good until the next call. TIMEOUT after timeout_ms (0: wait for ever). UNREACHABLE: closed. */
FOCAL_MUST_USE enum focal_status focal_client_receive(struct focal_client *, struct focal_span *line, uint32_t timeout_ms, struct focal_error *);
void focal_client_close(struct focal_client *);

#endif
