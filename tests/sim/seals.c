/* In every fourth world people seal a text to who follows a case up. Its mark names a country that nobody reads, so that the looks
 * into frames and disks find it wherever it should stand in clear; and here it must open at its addressees, and at nobody else. */
#include "inner.h"

#include <string.h>

/* No field of the schema: who only carries it need not know it. */
static const struct focal_field talk = { .number = FOCAL_FIELD(900, FOCAL_SCOPE_SEALED, FOCAL_MERGE_REGISTER), .name = "talk", .label_en = "Talk",
                                         .type = FOCAL_TYPE_BYTES, .max = SIM_SEALED_BYTES };

/* Not before headquarters is known there, for until then nothing is sealed without a name. */
bool sim_seals(const struct world *w, int i)
{
    const struct focal_node *n = w->nodes[i].node;
    const struct focal_certificate *c;
    bool known = false;
    for (size_t k = 0; w->seed % 4 == 3 && n && (c = focal_oplog_office_at(focal_node_oplog(w->nodes[i].node), k)) != NULL; k++)
        known = known || c->role == FOCAL_ROLE_HQ;
    return known;
}

void sim_sealed_item(struct world *w, struct focal_change_item *to, uint8_t bytes[SIM_SEALED_BYTES])
{
    sim_entropy(w, bytes, SIM_SEALED_BYTES);
    memcpy(bytes, w->mark, SIM_MARK_BYTES);
    memcpy(bytes + SIM_MARK_BYTES, "ZZZ", 3);
    *to = (struct focal_change_item){ .op = FOCAL_OP_SET, .field = &talk, .value = focal_span_of(bytes, SIM_SEALED_BYTES) };
}

static bool is_office(const struct focal_certificate *c, const char *code)
{
    return c && strcmp(c->office.text, code) == 0;
}

static void look(struct world *w, size_t i, const struct sim_case *s, const struct focal_live *live)
{
    struct sim_node *n = &w->nodes[i];
    const struct focal_oplog *ol = focal_node_oplog(n->node);
    const struct focal_certificate *mine = focal_oplog_mine(ol);
    const bool addressed = mine->role == FOCAL_ROLE_HQ || is_office(mine, w->nodes[s->author].code)
                           || is_office(focal_oplog_author(ol, &live->ref.log), mine->office.text);
    struct focal_buf plain;
    focal_buf_init(&plain, FOCAL_ENTRY_MAX);
    enum focal_status st = focal_node_unseal(n->node, &s->ref, live, &plain, NULL);
    if (st != (addressed ? FOCAL_OK : FOCAL_NOT_FOUND))
        sim_fail(w, "node %s: a value sealed for a case of %s gives %s", n->code, w->nodes[s->author].code, focal_status_name(st));
    else if (addressed && (plain.len != SIM_SEALED_BYTES || memcmp(plain.data, w->mark, SIM_MARK_BYTES) != 0))
        sim_fail(w, "node %s: a sealed value opens to something else", n->code);
    w->counts.opened += st == FOCAL_OK;
    w->counts.shut += st == FOCAL_NOT_FOUND;
    focal_buf_close(&plain);
}

void sim_sealed_check(struct world *w)
{
    for (size_t i = 0; i < w->node_count; i++) {
        struct sim_node *n = &w->nodes[i];
        for (size_t k = 0; n->node && !n->malice && focal_oplog_mine(focal_node_oplog(n->node)) && k < w->case_count; k++) {
            struct focal_record_view view;
            if (focal_oplog_record(focal_node_oplog(n->node), NULL, &w->cases[k].ref, &view) != FOCAL_OK)
                continue;
            const struct focal_slot *slot = focal_record_slot(&view.record, talk.number, focal_span_of(NULL, 0));
            for (size_t v = 0; slot && v < slot->value_count; v++)
                look(w, i, &w->cases[k], &slot->values[v]);
            focal_record_view_close(&view);
        }
    }
}
