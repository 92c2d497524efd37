/* BULK: many records entered at an office while its link is paused, and then the time until headquarters holds them all
 * durably. PROPAGATE: one case at a time over a standing link. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

enum { LIVE_CASES = 300, SEED_LIVE = 5 };

static const double ratio_least = 0.25, sealed_ratio_least = 0.8, record_bytes_most = 60, live_ms_most = 200;

static enum focal_status enter(struct bench *b, struct focal_error *err)
{
    struct cases c;
    char path[PATH_BYTES];
    json_t *out = NULL;
    enum focal_status status = cases_open(&c, b->records, 1, err);

    if (status == FOCAL_OK)
        status = place_path(path, err, "%s/cases.csv", b->dir);
    if (status == FOCAL_OK)
        status = cases_write_csv(&c, path, err);
    cases_close(&c);
    progress(b, "bulk: %zu records are entered at the office", b->records);
    double began = seconds(), cpu = child_cpu_s(&b->office);
    const char *argv[] = { b->focalctl, "--socket", b->office.socket, "import", path, "--kind", "case", "--format", "csv", "--no-input",
                           "--json", NULL };
    if (status == FOCAL_OK)
        status = child_json(b, argv, &out, err);
    if (status == FOCAL_OK) {
        json_int_t made = json_integer_value(json_object_get(out, "new"));
        note(b, "entered_per_s", (double)b->records / (seconds() - began), "records/s");
        note(b, "entering_office_cpu", child_cpu_s(&b->office) - cpu, "s");
        (void)claim(b, made == (json_int_t)b->records, "import of %zu records made %lld", b->records, (long long)made);
    }
    json_decref(out);
    return status;
}

/* From two daemons that know nothing to the moment when headquarters holds it all. */
static enum focal_status fill(struct bench *b, struct usage *before, double *took_s, uint64_t *bytes, struct focal_error *err)
{
    enum focal_status status = network_open(b, err);

    if (status == FOCAL_OK)
        status = network_pause(b, true, err);
    if (status == FOCAL_OK)
        status = enter(b, err);
    if (status == FOCAL_OK) {
        usage_look(b, before);
        status = network_pause(b, false, err);
    }
    if (status == FOCAL_OK)
        status = network_settle(b, err);
    return status ? status : usage_note(b, before, took_s, bytes, err);
}

enum focal_status scene_bulk(struct bench *b, struct focal_error *err)
{
    struct usage before;
    struct passed passed;
    uint64_t bytes = 0, entries = 0;
    double took = 0;
    enum focal_status status = fill(b, &before, &took, &bytes, err);

    if (status)
        return status;
    proxy_look(b->proxy, &passed);
    note(b, "handshake_after", (passed.handshake_s - before.at_s) * 1000, "ms");
    double rate = (double)b->records / took, each = (double)bytes / (double)b->records;
    b->bulk_records_per_s = rate;
    note(b, "records_per_s", rate, "records/s");
    note(b, "ratio_to_bound", rate / b->bound_records_per_s, "");
    note(b, "bytes_per_record", each, "bytes");
    must_least(b, "BULK, rate as a part of the bound", rate / b->bound_records_per_s, ratio_least, "");
    must_most(b, "BULK, bytes on the wire per record", each, record_bytes_most, "bytes");

    double began = seconds();
    status = network_verify(b, &entries, err);
    /* Each record is one entry in the network scope and one in the country's. */
    if (status == FOCAL_OK)
        (void)claim(b, entries >= 2 * b->records, "%zu records gave only %llu entries", b->records, (unsigned long long)entries);
    note(b, "verify_entries_per_s", (double)entries / (seconds() - began), "entries/s");
    return status;
}

/* ---- what encryption costs: BULK again, with two daemons whose stores are in clear ---- */

enum focal_status scene_sealed(struct bench *b, struct focal_error *err)
{
    struct usage before;
    uint64_t bytes = 0;
    double took = 0;
    struct bench *clear = focal_alloc(sizeof *clear);

    if (!clear)
        return focal_fail(err, FOCAL_NO_MEMORY, "", "no memory for a second network");
    *clear = *b;
    memset(&clear->hq, 0, sizeof clear->hq);
    memset(&clear->office, 0, sizeof clear->office);
    clear->proxy = NULL;
    enum focal_status status = place_path(clear->dir, err, "%s/clear", b->dir);
    if (status == FOCAL_OK)
        status = place_path(clear->focald, err, "%s/../tests/focald_in_clear", b->bin);
    if (status == FOCAL_OK)
        status = focal_dir_make(clear->dir, 0700, err);
    if (status == FOCAL_OK)
        status = fill(clear, &before, &took, &bytes, err);
    child_end(&clear->office);
    child_end(&clear->hq);
    proxy_close(clear->proxy);
    b->signal = clear->signal;
    focal_free(clear);
    if (status)
        return status;
    double in_clear = (double)b->records / took;
    note(b, "in_clear_records_per_s", in_clear, "records/s");
    note(b, "sealed_records_per_s", b->bulk_records_per_s, "records/s");
    note(b, "ratio", b->bulk_records_per_s / in_clear, "");
    must_least(b, "BULK, encrypted as a part of in clear", b->bulk_records_per_s / in_clear, sealed_ratio_least, "");
    return FOCAL_OK;
}

/* ---- one live case ---- */

static enum focal_status one_live(struct bench *b, const struct cases *c, size_t i, double *acked_ms, double *shown_ms, struct focal_error *err)
{
    json_t *item = NULL;
    double asked = seconds(), until = asked + ANSWER_MS / 1000.0;
    enum focal_status status = talk_one(b, &b->office, "case.new", json_pack("{s:o}", "fields", cases_json(c, i)), &item, err);
    double acked = seconds();
    const char *record = json_string_value(json_object_get(item, "record"));

    if (status == FOCAL_OK && !record)
        status = focal_fail(err, FOCAL_UNSUPPORTED, "", "case.new named no record");
    for (bool shown = false; status == FOCAL_OK && !shown;) {
        json_t *seen = NULL;
        status = talk_one(b, &b->hq, "case.show", json_pack("{s:s}", "ref", record), &seen, err);
        shown = status == FOCAL_OK;
        json_decref(seen);
        if (status == FOCAL_NOT_FOUND)
            status = seconds() < until ? FOCAL_OK : focal_fail(err, FOCAL_TIMEOUT, "", "case %zu never came to headquarters", i);
    }
    *acked_ms = (acked - asked) * 1000;
    *shown_ms = (seconds() - acked) * 1000;
    json_decref(item);
    return status;
}

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

enum focal_status scene_propagate(struct bench *b, struct focal_error *err)
{
    double acked[LIVE_CASES], shown[LIVE_CASES];
    struct cases c;
    struct usage before;
    double took;
    uint64_t bytes;
    enum focal_status status = cases_open(&c, LIVE_CASES, SEED_LIVE, err);

    if (status == FOCAL_OK)
        status = network_settle(b, err);
    usage_look(b, &before);
    for (size_t i = 0; status == FOCAL_OK && i < LIVE_CASES; i++) {
        progress(b, "propagate: case %zu of %d", i + 1, LIVE_CASES);
        status = one_live(b, &c, i, &acked[i], &shown[i], err);
    }
    cases_close(&c);
    if (status == FOCAL_OK)
        status = network_settle(b, err);
    if (status == FOCAL_OK)
        status = usage_note(b, &before, &took, &bytes, err);
    if (status)
        return status;
    qsort(acked, LIVE_CASES, sizeof acked[0], by_size);
    qsort(shown, LIVE_CASES, sizeof shown[0], by_size);
    note(b, "acknowledged_p50", acked[LIVE_CASES / 2], "ms");
    note(b, "acknowledged_p99", acked[LIVE_CASES * 99 / 100], "ms");
    note(b, "shown_p50", shown[LIVE_CASES / 2], "ms");
    note(b, "shown_p99", shown[LIVE_CASES * 99 / 100], "ms");
    note(b, "shown_last", shown[LIVE_CASES - 1], "ms");
    note(b, "bytes_per_case", (double)bytes / LIVE_CASES, "bytes");
    must_most(b, "PROPAGATE, p99 from the ack until shown", shown[LIVE_CASES * 99 / 100], live_ms_most, "ms");
    return FOCAL_OK;
}
