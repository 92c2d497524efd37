/* Scenes 2 and 3: from nothing to a network, the way the README does it by hand: setup, invite, setup, admit, and each
 * daemon started. Setup, invite and admit are the very programs a person types. */
#include "stage.h"

#include "focal/control.h"

#include <jansson.h>
#include <string.h>
#include <unistd.h>

enum { PASSPHRASE_BYTES = 18, ADDRESS_MAX = 32 };

static enum focal_status make_passphrase(struct stage *s, struct focal_error *err)
{
    uint8_t chance[PASSPHRASE_BYTES];
    struct focal_buf text;
    enum focal_status status = focal_place_path(s->secret, err, "%s/passphrase", s->dir);

    focal_entropy_fill(NULL, chance, sizeof chance);
    focal_buf_init(&text, 256);
    focal_base64url(&text, focal_span_of(chance, sizeof chance));
    focal_buf_u8(&text, '\n');
    memset(chance, 0, sizeof chance);
    if (status == FOCAL_OK && text.failed)
        status = FOCAL_NO_MEMORY;
    if (status == FOCAL_OK)
        status = focal_file_write(s->secret, focal_buf_view(&text), 0600, false, err);
    focal_buf_wipe_close(&text);
    return status;
}

/* What setup says about itself must be what the daemon will then use. */
static enum focal_status settle(struct stage_node *node, const json_t *said, struct focal_error *err)
{
    const char *socket = json_string_value(json_object_get(said, "socket"));

    if (!socket)
        return focal_fail(err, FOCAL_UNSUPPORTED, "", "setup of %s did not say where its socket will be", node->code);
    if (strlen(socket) > STAGE_SOCKET_MAX)
        return focal_fail(err, FOCAL_TOO_BIG, "Choose a directory with a shorter name.", "a socket's path has at most %d bytes, this one has %zu: %s",
                          STAGE_SOCKET_MAX, strlen(socket), socket);
    return focal_place_path(node->socket, err, "%s", socket);
}

enum focal_status focal_scene_headquarters(struct stage *s, struct focal_error *err)
{
    struct stage_node *hq = &s->nodes[0];
    char listen[ADDRESS_MAX];
    unsigned port = 0;
    json_t *said = NULL;

    focal_show_scene(s, 2, "founding");
    enum focal_status status = focal_child_free_port(&port, err);
    if (status == FOCAL_OK)
        status = make_passphrase(s, err);
    (void)snprintf(listen, sizeof listen, "127.0.0.1:%u", port);
    const char *argv[] = { s->exe, "setup", "--role", "hq", "--network", "Focal demo", "--office", hq->code, "--dir", hq->dir, "--listen", listen,
                           "--passphrase-file", s->secret, "--no-input", "--json", NULL };
    if (status == FOCAL_OK)
        status = focal_child_json(s, argv, &said, err);
    if (status == FOCAL_OK)
        status = settle(hq, said, err);
    json_decref(said);
    if (status == FOCAL_OK)
        status = focal_child_start(s, hq, err);
    if (status == FOCAL_OK)
        status = focal_place_remember(s, err);
    if (status == FOCAL_OK)
        status = focal_talk_open(s, hq, err);
    if (status == FOCAL_OK)
        focal_show_done(s, json_pack("{s:s, s:i}", "listens", listen, "pid", (int)hq->pid), "founded; its daemon (process %d) listens on %s", (int)hq->pid, listen);
    return status;
}

/* ---- offices ---- */

static enum focal_status write_secret(struct stage *s, char path[STAGE_PATH_MAX], const char *code, const char *what, const char *text, struct focal_error *err)
{
    enum focal_status status = focal_place_path(path, err, "%s/%s.%s", s->dir, code, what);

    return status ? status : focal_file_write(path, focal_span_text(text), 0600, true, err);
}

static enum focal_status invite(struct stage *s, struct stage_node *node, char token_file[STAGE_PATH_MAX], struct focal_error *err)
{
    json_t *said = NULL;
    const char *argv[] = { s->ctl, "--socket", s->nodes[0].socket, "office", "invite", node->code, "--country", node->country,
                           "--no-input", "--json", NULL };
    enum focal_status status = focal_child_json(s, argv, &said, err);
    const char *token = json_string_value(json_object_get(said, "token"));

    if (status == FOCAL_OK && !token)
        status = focal_fail(err, FOCAL_UNSUPPORTED, "", "the invitation of %s holds no token", node->code);
    if (status == FOCAL_OK)
        status = write_secret(s, token_file, node->code, "invitation", token, err);
    json_decref(said);
    return status;
}

static enum focal_status set_up(struct stage *s, struct stage_node *node, const char *token_file, struct focal_buf *words, struct focal_error *err)
{
    json_t *said = NULL, *word;
    size_t i;
    const char *argv[] = { s->exe, "setup", "--join-file", token_file, "--dir", node->dir, "--listen", "127.0.0.1:0", "--no-input", "--json", NULL };
    enum focal_status status = focal_child_json(s, argv, &said, err);
    const json_t *list = json_object_get(said, "words");

    if (status == FOCAL_OK && json_array_size(list) != 8)
        status = focal_fail(err, FOCAL_UNSUPPORTED, "", "setup of %s gave %zu words, not eight", node->code, json_array_size(list));
    focal_buf_clear(words);
    json_array_foreach(list, i, word)
        focal_buf_printf(words, "%s%s", i ? " " : "", json_string_value(word) ? json_string_value(word) : "?");
    if (status == FOCAL_OK)
        status = settle(node, said, err);
    json_decref(said);
    return status;
}

/* Headquarters can admit only who has come by with keys. */
static enum focal_status wait_joined(struct stage *s, const struct stage_node *node, struct focal_error *err)
{
    uint64_t until = focal_stage_mono_ms() + STAGE_SETTLE_MS;
    enum focal_status status = FOCAL_OK;
    bool joined = false;

    while (status == FOCAL_OK && !joined) {
        json_t *offices = NULL, *office;
        size_t i;
        status = focal_talk(s, &s->nodes[0], "office.list", NULL, &offices, NULL, err);
        json_array_foreach(offices, i, office) {
            const char *code = json_string_value(json_object_get(office, "id"));
            const char *state = json_string_value(json_object_get(office, "state"));
            joined |= code && state && strcmp(code, node->code) == 0 && strcmp(state, "waiting") == 0;
        }
        json_decref(offices);
        if (status == FOCAL_OK && !joined)
            status = focal_stage_pause(s, until, "an office to knock at headquarters", err);
    }
    return status;
}

static enum focal_status admit(struct stage *s, struct stage_node *node, const char *words_file, struct focal_error *err)
{
    json_t *said = NULL;
    const char *argv[] = { s->ctl, "--socket", s->nodes[0].socket, "office", "admit", node->code, "--words-file", words_file,
                           "--passphrase-file", s->secret, "--no-input", "--json", NULL };
    enum focal_status status = wait_joined(s, node, err);

    if (status == FOCAL_OK)
        status = focal_child_json(s, argv, &said, err);
    if (status == FOCAL_OK && !json_is_true(json_object_get(said, "admitted")))
        status = focal_fail(err, FOCAL_REFUSED, "", "%s was not admitted", node->code);
    json_decref(said);
    return status;
}

static enum focal_status bring_in(struct stage *s, struct stage_node *node, struct focal_error *err)
{
    char token_file[STAGE_PATH_MAX], words_file[STAGE_PATH_MAX];
    struct focal_buf words;

    focal_buf_init(&words, 1024);
    enum focal_status status = invite(s, node, token_file, err);
    if (status == FOCAL_OK)
        status = set_up(s, node, token_file, &words, err);
    if (status == FOCAL_OK)
        status = write_secret(s, words_file, node->code, "words", focal_buf_cstr(&words), err);
    if (status == FOCAL_OK)
        status = focal_child_start(s, node, err);
    if (status == FOCAL_OK)
        status = focal_place_remember(s, err);
    if (status == FOCAL_OK)
        status = focal_talk_open(s, node, err);
    if (status == FOCAL_OK && node == &s->nodes[1])
        focal_show_line(s, "%s reads its eight words to headquarters: %s", node->code, focal_buf_cstr(&words));
    if (status == FOCAL_OK)
        status = admit(s, node, words_file, err);
    if (status == FOCAL_OK) {           /* used up; what let somebody in is not left about */
        unlink(token_file);
        unlink(words_file);
    }
    focal_buf_close(&words);
    return status;
}

/* Links that stand, as both of their ends tell. */
static enum focal_status count_links(struct stage *s, size_t *up, bool *all_to_hq, struct focal_error *err)
{
    enum focal_status status = FOCAL_OK;

    *up = 0;
    *all_to_hq = true;
    for (size_t i = 0; status == FOCAL_OK && i < s->node_count; i++) {
        json_t *is = NULL, *office;
        size_t k, to_hq = 0, of_node = 0;
        status = focal_talk_one(s, &s->nodes[i], "status", NULL, &is, err);
        json_array_foreach(json_object_get(is, "offices"), k, office) {
            const char *link = json_string_value(json_object_get(office, "link")), *code = json_string_value(json_object_get(office, "code"));
            if (!link || strcmp(link, "up") != 0)
                continue;
            of_node++;
            to_hq += code && strcmp(code, s->nodes[0].code) == 0;
        }
        *up += of_node;
        *all_to_hq &= i == 0 ? of_node == s->node_count - 1 : to_hq == 1;
        json_decref(is);
    }
    return status;
}

enum focal_status focal_scene_offices(struct stage *s, struct focal_error *err)
{
    uint64_t until;
    size_t ends = 0;
    bool linked = false;
    enum focal_status status = FOCAL_OK;

    focal_show_scene(s, 3, "inviting");
    for (size_t i = 1; status == FOCAL_OK && i < s->node_count; i++) {
        status = bring_in(s, &s->nodes[i], err);
        focal_show_progress(s, i, s->node_count - 1);
    }
    until = focal_stage_mono_ms() + STAGE_SETTLE_MS;
    while (status == FOCAL_OK && !linked) {
        status = count_links(s, &ends, &linked, err);
        if (status == FOCAL_OK && !linked)
            status = focal_stage_pause(s, until, "the links of all offices", err);
    }
    if (status == FOCAL_OK)
        focal_show_done(s, json_pack("{s:I, s:I}", "offices", (json_int_t)s->node_count - 1, "links", (json_int_t)(ends / 2)),
                  "%zu invited, set up, admitted; %zu links stand, each encrypted (Noise)", s->node_count - 1, ends / 2);
    return status;
}
