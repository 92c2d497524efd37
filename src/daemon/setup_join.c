/* A new office: keeps its invitation and says the eight words by which headquarters knows its keys. */
#include "daemon.h"

#include "focal/node.h"
#include "focal/store.h"

#include <string.h>

enum { TOKEN_BYTES_MAX = 32 << 10 };

static enum focal_status read_token(struct setup *s, struct focal_error *err)
{
    focal_buf_clear(&s->answers);
    if (s->join_file)
        return focal_file_read(&s->answers, s->join_file, TOKEN_BYTES_MAX, err);
    if (s->no_input || !prompt_possible())
        return focal_fail(err, FOCAL_USAGE, "use --join-file FILE with the token that `focalctl office invite` gave, or --role hq to found a network",
                          "there is no invitation");
    return prompt_line(&s->answers, "Token of the invitation", err);
}

static enum focal_status write_store(struct setup *s, const struct focal_invitation *invitation, struct focal_span token, struct focal_error *err)
{
    char path[PATH_BYTES];
    struct focal_store *store = NULL;
    if (!path_join(path, s->place.stage, "focal.db"))
        return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path is too long");
    enum focal_status st = store_open_at(&store, path, true, &s->secret, err);
    if (st != FOCAL_OK)
        return st;
    st = focal_node_found_office(store, invitation, token);
    focal_store_close(store);
    return st == FOCAL_OK ? st : focal_fail(err, st, "ask headquarters for a new invitation", "the invitation cannot be used: %s", focal_status_text(st));
}

/* People paste with spaces and line ends around, and mailers break lines. */
static void squeeze(struct focal_buf *token)
{
    size_t kept = 0;
    for (size_t i = 0; i < token->len; i++)
        if (token->data[i] != ' ' && token->data[i] != '\n' && token->data[i] != '\r' && token->data[i] != '\t')
            token->data[kept++] = token->data[i];
    focal_buf_truncate(token, kept);
}

enum focal_status setup_join(struct setup *s, struct focal_error *err)
{
    struct focal_invitation invitation;
    struct focal_buf bytes;
    struct focal_statement genesis;
    const char *words[8];
    struct focal_public_keys keys;
    memset(&invitation, 0, sizeof invitation);
    focal_buf_init(&bytes, TOKEN_BYTES_MAX);
    enum focal_status st = read_token(s, err);
    if (st == FOCAL_OK) {
        squeeze(&s->answers);
        st = focal_invitation_decode(&invitation, &bytes, focal_buf_view(&s->answers), err);
    }
    if (st == FOCAL_OK && s->office && strcmp(s->office, invitation.office.text) != 0)
        st = focal_fail(err, FOCAL_USAGE, "leave --office out, or ask for another invitation", "the invitation is for %s, not for %.20s", invitation.office.text, s->office);
    if (st == FOCAL_OK && invitation.expires_day && today_now() > invitation.expires_day)
        st = focal_fail(err, FOCAL_REFUSED, "ask headquarters for a new one; is this machine's clock right?", "the invitation has expired");
    if (st == FOCAL_OK && focal_statement_decode(&genesis, invitation.genesis) != FOCAL_OK)
        st = focal_fail(err, FOCAL_MALFORMED, "ask headquarters for a new invitation", "the invitation names no network");
    if (st == FOCAL_OK)
        st = setup_make(s, err);
    if (st == FOCAL_OK)
        st = write_store(s, &invitation, focal_buf_view(&s->answers), err);
    if (st == FOCAL_OK)
        st = place_finish(&s->place, err);
    if (st == FOCAL_OK) {
        focal_node_keys_public(&keys, &s->keys);
        focal_eight_words(words, &invitation.network, invitation.number, &keys);
        setup_tell(s, invitation.office.text, genesis.is.genesis.label, words);
    }
    focal_wipe(&invitation, sizeof invitation);
    focal_buf_wipe_close(&bytes);
    return st;
}
