/* Keeps keys/network.focal up to date: written when this office becomes a member, and when statements or addresses change. */
#include "run.h"

enum { KEEPSAKE_ROOM = 16 << 20 };

void keepsake_open(struct running *r)
{
    focal_buf_init(&r->kept, KEEPSAKE_ROOM);
    r->kept_version = UINT64_MAX;
    struct focal_error err = { .status = FOCAL_OK };
    enum focal_status st = keepsake_file_read(&r->kept, r->config.dir, &r->secret->keys, &err);
    if (st != FOCAL_OK)                 /* it is written anew */
        focal_buf_clear(&r->kept);
    if (st == FOCAL_DENIED)
        focal_trace_line(&r->trace, FOCAL_WARNING, "daemon", "%s; it is made anew", err.message);
}

/* A failure stops nothing: the database is there. It is tried again at the next change or start. */
void keepsake_refresh(struct running *r)
{
    const uint64_t version = focal_node_keepsake_version(r->node);
    struct focal_error err = { .status = FOCAL_OK };
    struct focal_buf made;
    if (version == r->kept_version)
        return;
    r->kept_version = version;
    focal_buf_init(&made, KEEPSAKE_ROOM);
    enum focal_status st = focal_node_keepsake(r->node, &made);
    if (st == FOCAL_OK && !focal_span_equal(focal_buf_view(&made), focal_buf_view(&r->kept))) {
        st = keepsake_file_write(r->config.dir, &r->secret->keys.list[0], focal_buf_view(&made), &err);
        if (st == FOCAL_OK) {
            focal_buf_clear(&r->kept);
            focal_buf_span(&r->kept, focal_buf_view(&made));
        }
    }
    if (st != FOCAL_OK && st != FOCAL_NOT_FOUND)
        focal_trace_line(&r->trace, FOCAL_WARNING, "daemon", "keys/network.focal is not up to date: %s", err.message[0] ? err.message : focal_status_text(st));
    focal_buf_close(&made);
}
