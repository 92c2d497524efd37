/* loop: what the files of this room share. Everything here is used on the loop's thread only. */
#ifndef FOCAL_IO_LOOP_H
#define FOCAL_IO_LOOP_H

#include "focal/io.h"
#include "queue.h"

#define IO_NEVER UINT64_MAX

enum {
    IO_TURN_FRAMES = 256,                   /* frames, and apart from them lines, told in one turn */
    IO_TURN_BYTES = 1 << 20,                /* the same in bytes: a turn must not keep the loop long */
    IO_LISTENERS_MAX = 8,
    IO_ACCEPTS = 16,                        /* under way at once: a turn of the loop empties that much of the backlog */
    IO_CLOSING_SPARE = 64,                  /* places beyond links_max for links whose last operation is not back yet */
    IO_ACCEPT_RETRY_MS = 100,               /* after accept failed for want of files or memory */
    IO_CONTROL_PENDING_MAX = 4 << 20,       /* bytes */
    IO_CONTROL_FINISH_MS = 5000,            /* a closed connection's client must have read what is left by then */
    IO_CONTROL_LOOK_MS = 1000,              /* so often it is looked whether a client that sends no more still reads */
    IO_GREETING_BYTES = 8,
    IO_LENGTH_BYTES = 8,
    IO_RECEIVE_BYTES_MIN = 4096,            /* a link's receive buffer to start with */
    IO_ADDRESS_TEXT = 64,                   /* "[v6]:port" and its zero */
    IO_URL_TEXT = 288,
};

/* What one caller counts as for the caps: an IPv4 address or an IPv6 /64. */
struct io_source { uint8_t family; uint8_t prefix[8]; };

enum io_link_state { IO_LINK_FREE, IO_LINK_DIALLING, IO_LINK_GREETING, IO_LINK_OPEN, IO_LINK_CLOSING };

struct io_link {
    struct focal_io *io;
    enum io_link_state state;
    uint64_t number;
    uint64_t dial_tag;
    uint64_t deadline_ms;
    bool dialled;
    bool greeting_sent, greeting_read;
    bool opened;                            /* link_opened was told, so link_closed must be */
    bool proven, had_frame;
    enum focal_status why;                  /* while closing */
    char why_text[120];
    nng_stream_dialer *dialer;              /* kept as long as the stream it made */
    nng_stream *stream;
    struct io_op dial, receive, send;
    uint8_t *in;                            /* whole frames are told from it in place */
    size_t in_cap, in_at, in_end;
    uint8_t *out;                           /* one frame with its length, or the greeting */
    size_t out_cap, out_at, out_end;        /* out_end is 0: nothing in flight */
    struct io_source source;
    char far_address[IO_URL_TEXT];
};

struct io_listener {
    struct focal_io *io;
    nng_stream_listener *listener;
    struct io_op accepts[IO_ACCEPTS];
    uint64_t retry_ms;                      /* IO_NEVER unless an accept failed */
};

struct io_job {
    uv_work_t request;
    struct focal_io *io;
    void (*work)(void *data);
    void (*done)(void *data);
    void *data;
    struct io_job *next;
};

struct io_conn {
    struct focal_io *io;
    uv_pipe_t pipe;
    uint64_t number;
    uint64_t deadline_ms;               /* finishing: the client must have read what is left by then; ended: look again */
    struct focal_io_caller caller;
    uint32_t *groups;                   /* until control_opened was told */
    bool opened;                        /* control_opened was told, so control_closed must be */
    bool reading, ended;                /* ended: the client sends no more */
    bool ended_told;
    bool finishing;                     /* closed by the daemon: only what is queued is still written */
    bool gone;                          /* control_closed is due */
    bool ready;                         /* control_ready is due */
    uint8_t *in;
    size_t in_cap, in_at, in_end, in_seen;      /* no newline between in_at and in_seen */
    size_t pending;                     /* bytes queued and not yet written */
};

struct focal_io {
    uv_loop_t loop;
    uv_async_t async;
    uv_check_t check;                       /* end of each turn of the loop: all handlers are called from there */
    uv_idle_t idle;                         /* active: the next turn must not wait */
    uv_timer_t deadline_timer, wake_timer;
    uv_signal_t signals[3];
    struct io_queue queue;
    struct focal_io_handlers tell;
    struct focal_io_limits limits;
    const struct focal_trace *trace;

    struct io_link *links;                  /* a link's number modulo link_slots is its place */
    uint32_t link_slots, link_next;
    uint64_t link_sequence;
    struct io_listener listeners[IO_LISTENERS_MAX];
    uint32_t listener_count;
    uint64_t deadline_next_ms;
    uint64_t bytes_received, bytes_sent;

    uv_pipe_t *control;                     /* the listening socket or NULL */
    uint64_t control_retry_ms;              /* IO_NEVER unless a client could not be let in for want of memory */
    struct io_conn **conns;
    uint32_t conn_next;
    uint64_t conn_sequence;

    uint64_t wake_ms;
    struct io_job *jobs_first, *jobs_last;  /* done, not yet told */
    uint8_t signals_seen;                   /* bit per place in signals */
    bool wake_due, again, told, more, sweep, stopping, running, closing;
    uint64_t stall_ns;
};

/* defaults.c */
void focal_io_defaults(struct focal_io_handlers *, struct focal_io_limits *);

/* loop.c */
uint64_t focal_io_mono_ms(void);
uint64_t focal_io_mono_ns(void);
void focal_io_mark(struct focal_io *);                              /* something waits to be told: do not sleep */
void focal_io_deadline_at(struct focal_io *, uint64_t mono_ms);     /* look at the deadlines by then */

/* link.c */
struct io_link *focal_io_link_new(struct focal_io *);               /* NULL: no place or no memory */
void focal_io_link_drop(struct io_link *);                         /* frees its place; nothing of it may be busy */
struct io_link *focal_io_link_find(struct focal_io *, uint64_t number);
void focal_io_link_move(struct io_link *, enum io_link_state);
void focal_io_link_fail(struct io_link *, enum focal_status, const char *text);
void focal_io_links_sweep(struct focal_io *);                       /* frees those closing with nothing busy */
void focal_io_links_close(struct focal_io *);

void focal_io_link_check(const struct io_link *);                   /* what must hold after every move */

/* stream.c */
void focal_io_link_greet(struct io_link *, nng_stream *);           /* takes the stream */
void focal_io_link_op(struct io_link *, struct io_op *);            /* a receive or send is back */
void focal_io_links_tell(struct focal_io *);                        /* frames, within the turn's budget */

/* listen.c */
void focal_io_listener_op(struct io_listener *, struct io_op *);
void focal_io_dial_op(struct io_link *);
void focal_io_listeners_close(struct focal_io *);
uint64_t focal_io_transport_deadlines(struct focal_io *, uint64_t now_ms);  /* acts on those past; gives the next */

/* address.c */
FOCAL_MUST_USE enum focal_status focal_io_address_url(char url[IO_URL_TEXT], const char *address, bool listening);
bool focal_io_address_text(char out[IO_ADDRESS_TEXT], const nng_sockaddr *);
bool focal_io_address_source(struct io_source *, const nng_sockaddr *);
enum focal_status focal_io_status_of_nng(int);
enum focal_status focal_io_status_of_errno(int);
enum focal_status focal_io_status_of_uv(int);

/* control_socket.c */
void focal_io_controls_tell(struct focal_io *);
void focal_io_conn_look(struct io_conn *);                          /* gone, if the client of an ended one has left */
void focal_io_conn_gone(struct io_conn *);                          /* it is closed and told at the end of the turn */
void focal_io_conn_freed(uv_handle_t *);                            /* uv's last word on a connection's pipe */

/* control_listen.c */
uint64_t focal_io_control_deadlines(struct focal_io *, uint64_t now_ms);
void focal_io_controls_close(struct focal_io *);

#endif
