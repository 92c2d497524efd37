/* DELTA: both sides edit single fields while the link is paused, some of them the same field of the same record.
 * NO-OP: they part and meet again with nothing changed. IDLE: what a daemon with all records takes to be there. */
#include "bench.h"

#include <string.h>

enum { EDITS = 1000, BOTH = 100, AHEAD = 64, CONFLICTS_LISTED = 1000, QUIET_MS = 400, NOOP_BYTES_MOST = 256, IDLE_MIB_MOST = 64, READY_S_MOST = 2 };

/* A value that is neither the one that stands there nor what the other side writes. */
static const char *new_value(const json_t *row, bool at_hq)
{
    static const char *const values[2][2] = { { "hotline", "in_person" }, { "media", "digital" } };
    const char *old = json_string_value(json_object_get(json_object_get(row, "fields"), "channel"));

    return values[at_hq][old && strcmp(old, values[at_hq][0]) == 0];
}

/* Edits rows[from..to) and rows[0..both) at one side, many requests ahead of their answers. */
static enum focal_status edit(struct bench *b, struct node *n, const json_t *rows, size_t both, size_t from, size_t to, struct focal_error *err)
{
    size_t count = both + to - from, asked = 0;
    enum focal_status status = FOCAL_OK;

    for (size_t heard = 0; status == FOCAL_OK && heard < count; heard++) {
        for (; status == FOCAL_OK && asked < count && asked < heard + AHEAD; asked++) {
            const json_t *row = json_array_get(rows, asked < both ? asked : from + asked - both);
            status = talk_ask(b, n, "case.update", json_pack("{s:O, s:{s:s}}", "ref", json_object_get(row, "record"), "set", "channel",
                                                             new_value(row, n == &b->hq)), err);
        }
        if (status == FOCAL_OK)
            status = talk_hear(b, n, NULL, NULL, err);
        progress(b, "delta: edit %zu of %zu at %s", heard + 1, count, n->code);
    }
    return status;
}

static enum focal_status count_conflicts(struct bench *b, struct node *n, size_t expected, struct focal_error *err)
{
    json_t *rows = NULL;
    enum focal_status status = talk(b, n, "case.conflicts", json_pack("{s:i}", "limit", CONFLICTS_LISTED), &rows, NULL, err);

    if (status == FOCAL_OK)
        (void)claim(b, json_array_size(rows) == expected, "%s shows %zu records with two versions, not %zu", n->code,
                    json_array_size(rows), expected);
    json_decref(rows);
    return status;
}

/* Every edit that nobody else made as well shows at this side. */
static enum focal_status check_edits(struct bench *b, struct node *n, const json_t *before, size_t both, size_t edits, struct focal_error *err)
{
    json_t *after = NULL;
    size_t wrong = 0;
    enum focal_status status = network_ids(b, n, json_array_size(before), &after, err);

    for (size_t i = both; status == FOCAL_OK && i < 2 * edits - both; i++) {
        const json_t *was = json_array_get(before, i), *is = json_array_get(after, i);
        const char *value = json_string_value(json_object_get(json_object_get(is, "fields"), "channel"));
        wrong += !json_equal(json_object_get(was, "record"), json_object_get(is, "record")) || !value
                 || strcmp(value, new_value(was, i >= edits)) != 0;
    }
    json_decref(after);
    (void)claim(b, wrong == 0, "%zu of the edited records do not show their edit at %s", wrong, n->code);
    return status;
}

enum focal_status scene_delta(struct bench *b, struct focal_error *err)
{
    size_t edits = b->records >= 4 * EDITS ? EDITS : b->records / 4, both = edits * BOTH / EDITS;
    struct usage before;
    struct passed passed;
    double took;
    uint64_t bytes, entries;
    json_t *rows = NULL;
    enum focal_status status = network_ids(b, &b->office, 2 * edits - both, &rows, err);

    if (status == FOCAL_OK)
        status = network_pause(b, true, err);
    if (status == FOCAL_OK)
        status = edit(b, &b->office, rows, both, both, edits, err);
    if (status == FOCAL_OK)
        status = edit(b, &b->hq, rows, both, edits, 2 * edits - both, err);
    usage_look(b, &before);
    if (status == FOCAL_OK)
        status = network_pause(b, false, err);
    if (status == FOCAL_OK)
        status = network_settle(b, err);
    if (status == FOCAL_OK)
        status = usage_note(b, &before, &took, &bytes, err);
    if (status == FOCAL_OK) {
        proxy_look(b->proxy, &passed);
        note(b, "handshake_after", (passed.handshake_s - before.at_s) * 1000, "ms");
        note(b, "edits", 2 * (double)edits, "edits");
        note(b, "edits_per_s", 2 * (double)edits / took, "edits/s");
        note(b, "ratio_to_bound", 2 * (double)edits / took / (b->bound_records_per_s * FIELDS), "");
        note(b, "bytes_per_edit", (double)bytes / (2 * (double)edits), "bytes");
        status = count_conflicts(b, &b->office, both, err);
    }
    if (status == FOCAL_OK)
        status = count_conflicts(b, &b->hq, both, err);
    if (status == FOCAL_OK)
        status = check_edits(b, &b->office, rows, both, edits, err);
    if (status == FOCAL_OK)
        status = check_edits(b, &b->hq, rows, both, edits, err);
    json_decref(rows);
    return status ? status : network_verify(b, &entries, err);
}

/* ---- nothing changed ---- */

/* Waits until nothing has passed for a while and there have been so many connections. */
static enum focal_status quiet(struct bench *b, uint64_t connections, struct passed *at, struct focal_error *err)
{
    double until = seconds() + SETTLE_MS / 1000.0;
    enum focal_status status = FOCAL_OK;

    do {
        if (status == FOCAL_OK)
            status = wait_ms(b, QUIET_MS / 8, until, "the link to be quiet", err);
        proxy_look(b->proxy, at);
    } while (status == FOCAL_OK && (at->connections < connections || seconds() - at->last_s < QUIET_MS / 1000.0));
    return status;
}

enum focal_status scene_noop(struct bench *b, struct focal_error *err)
{
    struct passed at, then;

    progress(b, "noop: they part and meet again");
    enum focal_status status = network_settle(b, err);
    if (status == FOCAL_OK)
        status = network_pause(b, true, err);
    if (status == FOCAL_OK)
        status = quiet(b, 0, &then, err);
    double began = seconds();
    if (status == FOCAL_OK)
        status = network_pause(b, false, err);
    if (status == FOCAL_OK)
        status = network_settle(b, err);
    /* What is still on its way belongs to it. */
    if (status == FOCAL_OK)
        status = quiet(b, then.connections + 1, &at, err);
    if (status)
        return status;
    double bytes = (double)(at.session_bytes[0] + at.session_bytes[1]), trips = (double)((at.turns + 1) / 2);
    note(b, "bytes", bytes, "bytes");
    note(b, "frames", (double)(at.session_frames[0] + at.session_frames[1]), "frames");
    note(b, "round_trips", trips, "round trips");
    note(b, "handshake_after", (at.handshake_s - began) * 1000, "ms");
    note(b, "equal_after", (at.last_s - at.handshake_s) * 1000, "ms");
    must_most(b, "NO-OP, bytes both ways", bytes, NOOP_BYTES_MOST, "bytes");
    must_most(b, "NO-OP, round trips", trips, 1, "");
    (void)claim(b, at.connections == then.connections + 1, "they met %llu times, not once", (unsigned long long)(at.connections - then.connections));
    (void)claim(b, bytes <= NOOP_BYTES_MOST && trips <= 1, "nothing changed, and they needed %.0f bytes in %.0f round trips to say so", bytes, trips);
    return FOCAL_OK;
}

/* ---- a daemon that has nothing to do ---- */

enum focal_status scene_idle(struct bench *b, struct focal_error *err)
{
    double took[2] = { 0, 0 }, killed[2] = { 0, 0 }, cpu[2], until = seconds() + ANSWER_MS / 1000.0;

    progress(b, "idle: both start again, after kill -9 and after an orderly end");
    enum focal_status status = network_restart(b, true, killed, err);
    if (status == FOCAL_OK)
        status = network_restart(b, false, took, err);
    if (status == FOCAL_OK)
        status = network_settle(b, err);
    for (int i = 0; status == FOCAL_OK && i < 10; i++)
        status = wait_ms(b, 100, until, "a moment", err);
    cpu[0] = child_cpu_s(&b->hq);
    cpu[1] = child_cpu_s(&b->office);
    for (int i = 0; status == FOCAL_OK && i < 20; i++)
        status = wait_ms(b, 100, until, "a moment", err);
    if (status)
        return status;
    double hq = child_rss_mib(&b->hq, false), office = child_rss_mib(&b->office, false);
    note(b, "hq_start_after_kill", killed[0], "s");
    note(b, "office_start_after_kill", killed[1], "s");
    note(b, "hq_start", took[0], "s");
    note(b, "office_start", took[1], "s");
    note(b, "hq_memory", hq, "MiB");
    note(b, "office_memory", office, "MiB");
    note(b, "hq_cpu_in_2_s", (child_cpu_s(&b->hq) - cpu[0]) * 1000, "ms");
    note(b, "office_cpu_in_2_s", (child_cpu_s(&b->office) - cpu[1]) * 1000, "ms");
    must_most(b, "idle daemon with all records", hq > office ? hq : office, IDLE_MIB_MOST, "MiB");
    must_most(b, "ready again after kill -9", killed[0] > killed[1] ? killed[0] : killed[1], READY_S_MOST, "s");
    return FOCAL_OK;
}
