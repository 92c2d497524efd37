/* Scene 6: one office is cut off, two people edit one field of one case on both sides, the link is healed, both offices
 * show two versions, and one decision ends it everywhere. */
#include "stage.h"

#include "focal/control.h"

#include <jansson.h>
#include <string.h>

/* The field no published figure rests on; when a file does publish it, what was there is put back in the end. */
#define FIELD "channel"

struct dispute {
    struct stage_node *cut, *other;
    const char *id;                     /* of the case both edit */
    const char *before;                 /* NULL: not set */
    const char *by_cut, *by_other;
};

static const char *case_id(const struct stage *s, size_t i)
{
    return json_string_value(json_object_get(json_array_get(s->cases, i), "id"));
}

static const char *case_field(const struct stage *s, size_t i)
{
    return json_string_value(json_object_get(json_object_get(json_array_get(s->cases, i), "case"), FIELD));
}

/* The first of a few codes that is neither of two. */
static const char *another(const char *one, const char *two)
{
    static const char *const codes[] = { "hotline", "in_person", "complaint_box" };

    for (size_t i = 0; i < 2; i++)
        if ((!one || strcmp(codes[i], one) != 0) && (!two || strcmp(codes[i], two) != 0))
            return codes[i];
    return codes[2];
}

static enum focal_status set_field(struct stage *s, struct stage_node *node, const char *id, const char *value, struct focal_error *err)
{
    return focal_talk(s, node, "case.update", json_pack("{s:s, s:{s:s}}", "ref", id, "set", FIELD, value), NULL, NULL, err);
}

/* What a node shows of the field: its value, and how many versions; the two disputed ones recognised by office and value. */
static enum focal_status look(struct stage *s, struct stage_node *node, const struct dispute *d, char value[64], size_t *versions, bool *both, struct focal_error *err)
{
    json_t *shown = NULL, *version;
    size_t i, found = 0;
    enum focal_status status = focal_talk_one(s, node, "case.show", json_pack("{s:s}", "ref", d->id), &shown, err);
    const char *text = json_string_value(json_object_get(json_object_get(shown, "fields"), FIELD));
    const json_t *list = json_object_get(json_object_get(shown, "conflicts"), FIELD);

    (void)snprintf(value, 64, "%s", text ? text : "");
    *versions = json_array_size(list);
    json_array_foreach(list, i, version) {
        const char *v = json_string_value(json_object_get(version, "value")), *office = json_string_value(json_object_get(version, "office"));
        if (!v || !office)
            continue;
        found += strcmp(v, d->by_cut) == 0 && strcmp(office, d->cut->code) == 0;
        found += strcmp(v, d->by_other) == 0 && strcmp(office, d->other->code) == 0;
    }
    *both = *versions == 2 && found == 2;
    json_decref(shown);
    return status;
}

static enum focal_status cut_links(struct stage *s, struct stage_node *node, bool on, struct focal_error *err)
{
    enum focal_status status = FOCAL_OK;

    for (size_t i = 0; status == FOCAL_OK && i < s->node_count; i++)
        if (&s->nodes[i] != node)
            status = focal_talk(s, node, on ? "office.pause" : "office.resume", json_pack("{s:s}", "office", s->nodes[i].code), NULL, NULL, err);
    return status;
}

/* Until no link of the node is up, as it tells and as headquarters tells. */
static enum focal_status wait_cut(struct stage *s, const struct dispute *d, struct focal_error *err)
{
    uint64_t until = focal_stage_mono_ms() + STAGE_SETTLE_MS;
    enum focal_status status = FOCAL_OK;
    size_t up = 1;

    while (status == FOCAL_OK && up) {
        up = 0;
        for (size_t i = 0; status == FOCAL_OK && i < s->node_count; i++) {
            json_t *is = NULL, *office;
            size_t k;
            status = focal_talk_one(s, &s->nodes[i], "status", NULL, &is, err);
            json_array_foreach(json_object_get(is, "offices"), k, office) {
                const char *link = json_string_value(json_object_get(office, "link")), *code = json_string_value(json_object_get(office, "code"));
                bool concerns = &s->nodes[i] == d->cut || (code && strcmp(code, d->cut->code) == 0);
                up += concerns && link && strcmp(link, "up") == 0;
            }
            json_decref(is);
        }
        if (status == FOCAL_OK && up)
            status = focal_stage_pause(s, until, "the cut", err);
    }
    return status;
}

/* Everybody else edits a case of his own meanwhile, the cut office too, so that both directions have something to carry. */
static enum focal_status edit_meanwhile(struct stage *s, size_t *edits, struct focal_error *err)
{
    enum focal_status status = FOCAL_OK;

    *edits = 0;
    for (size_t i = 0; status == FOCAL_OK && i < s->node_count && i + 1 < json_array_size(s->cases); i++) {
        const char *was = case_field(s, i + 1);
        status = set_field(s, &s->nodes[i], case_id(s, i + 1), was ? was : "survey_fgd", err);
        *edits += status == FOCAL_OK;
    }
    return status;
}

static enum focal_status check_meanwhile(struct stage *s, size_t edits, struct focal_error *err)
{
    enum focal_status status = FOCAL_OK;

    for (size_t i = 0; i < s->node_count; i++)
        for (size_t k = 0; status == FOCAL_OK && k < edits; k++) {
            const char *was = case_field(s, k + 1);
            char value[64];
            size_t versions;
            bool both;
            struct dispute other = { .cut = &s->nodes[0], .other = &s->nodes[0], .id = case_id(s, k + 1), .by_cut = "", .by_other = "" };
            status = look(s, &s->nodes[i], &other, value, &versions, &both, err);
            if (status == FOCAL_OK)
                focal_show_claim(s, versions == 0 && strcmp(value, was ? was : "survey_fgd") == 0, "%s shows %s of %s as \"%s\", with %zu versions",
                           s->nodes[i].code, FIELD, other.id, value, versions);
        }
    return status;
}

/* Until every node shows two versions (two) or one, the value given. */
static enum focal_status wait_shown(struct stage *s, const struct dispute *d, bool two, const char *value, struct focal_error *err)
{
    uint64_t until = focal_stage_mono_ms() + STAGE_SETTLE_MS;
    enum focal_status status = FOCAL_OK;
    size_t right = 0;

    while (status == FOCAL_OK && right < s->node_count) {
        right = 0;
        for (size_t i = 0; status == FOCAL_OK && i < s->node_count; i++) {
            char shown[64];
            size_t versions;
            bool both;
            status = look(s, &s->nodes[i], d, shown, &versions, &both, err);
            right += status == FOCAL_OK && (two ? both : versions == 0 && strcmp(shown, value) == 0);
        }
        if (status == FOCAL_OK && right < s->node_count)
            status = focal_stage_pause(s, until, two ? "two versions to show everywhere" : "one version to show everywhere", err);
    }
    return status;
}

/* Apart: each side sees its own edit and nothing of the other's. */
static enum focal_status edit_apart(struct stage *s, const struct dispute *d, struct focal_error *err)
{
    char here[64], there[64];
    size_t versions_here, versions_there;
    bool both;
    enum focal_status status = set_field(s, d->cut, d->id, d->by_cut, err);

    if (status == FOCAL_OK)
        status = set_field(s, d->other, d->id, d->by_other, err);
    if (status == FOCAL_OK)
        status = look(s, d->cut, d, here, &versions_here, &both, err);
    if (status == FOCAL_OK)
        status = look(s, d->other, d, there, &versions_there, &both, err);
    if (status == FOCAL_OK)
        focal_show_claim(s, versions_here == 0 && versions_there == 0 && strcmp(here, d->by_cut) == 0 && strcmp(there, d->by_other) == 0,
                   "while cut, %s shows \"%s\" and %s shows \"%s\"", d->cut->code, here, d->other->code, there);
    return status;
}

static enum focal_status decide(struct stage *s, const struct dispute *d, struct focal_error *err)
{
    enum focal_status status = focal_talk(s, d->other, "case.resolve", json_pack("{s:s, s:s, s:s}", "ref", d->id, "field", FIELD, "take_office", d->cut->code), NULL, NULL, err);

    if (status == FOCAL_OK)
        status = wait_shown(s, d, false, d->by_cut, err);
    if (status == FOCAL_OK && d->before) {
        status = set_field(s, d->cut, d->id, d->before, err);
        if (status == FOCAL_OK)
            status = wait_shown(s, d, false, d->before, err);
    }
    return status;
}

enum focal_status focal_scene_two_versions(struct stage *s, struct focal_error *err)
{
    struct dispute d = { .cut = &s->nodes[1], .other = &s->nodes[2], .id = case_id(s, 0), .before = case_field(s, 0) };
    size_t edits = 0;

    d.by_cut = another(d.before, NULL);
    d.by_other = another(d.before, d.by_cut);
    focal_show_scene(s, 6, "cutting an office off");
    enum focal_status status = cut_links(s, d.cut, true, err);
    if (status == FOCAL_OK)
        status = wait_cut(s, &d, err);
    if (status == FOCAL_OK)
        status = edit_apart(s, &d, err);
    if (status == FOCAL_OK)
        status = edit_meanwhile(s, &edits, err);
    if (status == FOCAL_OK)
        status = cut_links(s, d.cut, false, err);
    if (status == FOCAL_OK)
        status = wait_shown(s, &d, true, NULL, err);
    if (status == FOCAL_OK) {
        focal_show_line(s, "%s cut off (office pause); %s and %s edit \"%s\" of %s, %zu edits of other cases; healed", d.cut->code, d.cut->code,
                        d.other->code, FIELD, d.id, edits);
        focal_show_line(s, "two versions at all %zu: %s (%s) and %s (%s)", s->node_count, d.by_cut, d.cut->code, d.by_other, d.other->code);
        status = decide(s, &d, err);
    }
    if (status == FOCAL_OK)
        status = focal_agree_wait(s, err);
    if (status == FOCAL_OK)
        status = check_meanwhile(s, edits, err);
    if (status)
        return status;
    focal_show_line(s, "resolved once, at %s: %s of %s, now the one version at all %zu%s", d.other->code, d.by_cut, d.cut->code, s->node_count,
                    d.before ? "; then the value that the file publishes put back" : "");
    focal_show_done(s, json_pack("{s:s, s:s, s:[s,s], s:s}", "case", d.id, "field", FIELD, "versions", d.by_cut, d.by_other, "resolved", d.by_cut),
                    "one office cut off and healed; two versions shown everywhere, resolved once, resolved everywhere");
    return FOCAL_OK;
}
