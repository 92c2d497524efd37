/* A new network: the authority's key, the recovery sheet, the first statements. */
#include "daemon.h"

#include "focal/node.h"
#include "focal/store.h"

#include <stdio.h>
#include <string.h>

enum { MEMBERSHIP_DAYS = 365, OPENINGS = 400 };

struct founding {
    struct focal_buf passphrase, genesis_body, genesis, certificate_body, certificate;
    uint8_t authority_seed[32], recovery_seed[32], network_secret[32];
    struct focal_sign_key authority, recovery;
    struct focal_hash network;
    struct focal_office office;
    char label[64];
};

static enum focal_status answer(struct setup *s, const char *given, const char *option, const char *question, char *out, size_t size, struct focal_error *err)
{
    enum focal_status st = FOCAL_OK;
    focal_buf_clear(&s->answers);
    if (given)
        focal_buf_text(&s->answers, given);
    else if (s->no_input || !prompt_possible())
        return focal_fail(err, FOCAL_USAGE, "`focald setup --help` shows examples", "%s is missing", option);
    else
        st = prompt_line(&s->answers, question, err);
    if (st != FOCAL_OK)
        return st;
    const char *text = focal_buf_cstr(&s->answers);
    if (!text[0] || strlen(text) >= size || !focal_utf8_valid(focal_span_text(text)))
        return focal_fail(err, FOCAL_USAGE, "`focald setup --help` shows examples", "%s needs 1 to %zu bytes of text", option, size - 1);
    (void)snprintf(out, size, "%s", text);
    return FOCAL_OK;
}

enum focal_status setup_ask_authority(const struct setup *s, struct focal_buf *passphrase, struct focal_error *err)
{
    if (s->passphrase_file)
        return passphrase_read(passphrase, s->passphrase_file, err);
    if (s->no_input || !prompt_possible())
        return focal_fail(err, FOCAL_USAGE, "use --passphrase-file FILE", "the authority key needs a passphrase");
    enum focal_status st = prompt_secret(passphrase, "Passphrase for the authority key", true, err);
    if (st == FOCAL_OK && passphrase->len == 0)
        st = focal_fail(err, FOCAL_USAGE, "choose a long one", "an empty passphrase protects nothing");
    return st;
}

static enum focal_status ask(struct setup *s, struct founding *f, struct focal_error *err)
{
    char code[64];
    enum focal_status st = answer(s, s->network, "--network", "Name of the network", f->label, sizeof f->label, err);
    if (st == FOCAL_OK)
        st = answer(s, s->office, "--office", "Code of headquarters (such as HQ)", code, sizeof code, err);
    if (st == FOCAL_OK && !focal_office_parse(&f->office, focal_span_text(code)))
        st = focal_fail(err, FOCAL_USAGE, "2 to 12 of A-Z, 0-9 and -, the dash not at an end", "\"%s\" is not an office code", code);
    for (size_t i = 0; i < s->country_count && st == FOCAL_OK; i++)
        if (strlen(s->countries[i]) != 3 || !focal_country_known(s->countries[i]))
            st = focal_fail(err, FOCAL_USAGE, "use the three capital letters of ISO 3166-1, such as KEN", "\"%.20s\" is not a country", s->countries[i]);
    return st == FOCAL_OK ? setup_ask_authority(s, &f->passphrase, err) : st;
}

static void put_certificate(const struct setup *s, struct founding *f)
{
    struct focal_certificate c;
    memset(&c, 0, sizeof c);
    c.office = f->office;
    c.role = FOCAL_ROLE_HQ;
    c.rights = FOCAL_RIGHT_REDACT;
    c.read[c.read_count++] = (struct focal_scope){ .cls = FOCAL_SCOPE_CONTROL };
    c.read[c.read_count++] = (struct focal_scope){ .cls = FOCAL_SCOPE_NETWORK };
    for (size_t i = 0; i < s->country_count; i++) {
        struct focal_scope *scope = &c.read[c.read_count++];
        *scope = (struct focal_scope){ .cls = FOCAL_SCOPE_COUNTRY };
        memcpy(scope->country, s->countries[i], 3);
    }
    memcpy(c.write, c.read, sizeof c.write);
    c.write_count = c.read_count;
    focal_node_keys_public(&c.keys, &s->keys);
    c.number = 1;
    c.from_day = today_now();
    c.to_day = c.from_day + MEMBERSHIP_DAYS;
    c.openings_max = OPENINGS;
    focal_certificate_encode(&f->certificate_body, &c);
    focal_statement_sign(&f->certificate, f->authority.secret, &f->network, focal_buf_view(&f->certificate_body));
}

static enum focal_status make_statements(const struct setup *s, struct founding *f, struct focal_error *err)
{
    struct focal_genesis g;
    memset(&g, 0, sizeof g);
    focal_entropy_fill(NULL, f->authority_seed, 32);
    focal_entropy_fill(NULL, f->recovery_seed, 32);
    focal_entropy_fill(NULL, f->network_secret, 32);
    focal_entropy_fill(NULL, g.follow_up_salt, sizeof g.follow_up_salt);
    focal_sign_key_make(&f->authority, f->authority_seed);
    focal_sign_key_make(&f->recovery, f->recovery_seed);
    (void)snprintf(g.label, sizeof g.label, "%s", f->label);
    g.authority = f->authority.public;
    g.recovery = f->recovery.public;
    g.day = today_now();
    g.expiry_stops = s->expiry_stops;
    focal_genesis_encode(&f->genesis_body, &g);
    focal_network_id(&f->network, focal_buf_view(&f->genesis_body));
    focal_statement_sign(&f->genesis, f->authority.secret, NULL, focal_buf_view(&f->genesis_body));
    put_certificate(s, f);
    if (f->genesis.failed || f->certificate.failed || f->genesis_body.failed || f->certificate_body.failed)
        return focal_fail(err, FOCAL_NO_MEMORY, "", "no memory for the network's statements");
    return FOCAL_OK;
}

static enum focal_status write_sheet(struct setup *s, const struct founding *f, struct focal_error *err)
{
    char path[PATH_BYTES];
    struct focal_buf text;
    if (!path_join(path, s->place.stage, "recovery-sheet.txt"))
        return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path is too long");
    focal_buf_init(&text, 16 << 10);
    focal_sheet_print(&text, f->label, &f->office, &f->network, f->recovery_seed, s->keys.channel_secret);
    enum focal_status st = text.failed ? focal_fail(err, FOCAL_NO_MEMORY, "", "no memory for the recovery sheet")
                                       : focal_file_write(path, focal_buf_view(&text), 0600, false, err);
    focal_buf_wipe_close(&text);
    return st;
}

enum focal_status setup_write_authority(struct setup *s, const uint8_t seed[32], struct focal_span passphrase, struct focal_error *err)
{
    char path[PATH_BYTES];
    uint8_t random[40];
    struct focal_buf file;
    if (!path_join(path, s->place.stage, "keys/authority.key"))
        return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path is too long");
    focal_buf_init(&file, 4096);
    focal_entropy_fill(NULL, random, sizeof random);
    enum focal_status st = focal_authority_lock(&file, seed, passphrase, random);
    if (st != FOCAL_OK)
        st = focal_fail(err, st, "64 MiB of memory are needed", "the authority key could not be locked");
    else
        st = focal_file_write(path, focal_buf_view(&file), 0600, false, err);
    focal_wipe(random, sizeof random);
    focal_buf_wipe_close(&file);
    return st;
}

static enum focal_status write_store(struct setup *s, const struct founding *f, struct focal_error *err)
{
    char path[PATH_BYTES];
    struct focal_store *store = NULL;
    if (!path_join(path, s->place.stage, "focal.db"))
        return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path is too long");
    enum focal_status st = store_open_at(&store, path, true, &s->secret, err);
    if (st != FOCAL_OK)
        return st;
    st = focal_node_found_hq(store, focal_buf_view(&f->genesis), focal_buf_view(&f->certificate), f->network_secret);
    focal_store_close(store);
    return st == FOCAL_OK ? st : focal_fail(err, st, "", "the database could not be filled: %s", focal_status_text(st));
}

enum focal_status setup_hq(struct setup *s, struct focal_error *err)
{
    struct founding f;
    memset(&f, 0, sizeof f);
    focal_buf_init(&f.passphrase, 8192);
    focal_buf_init(&f.genesis_body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&f.genesis, FOCAL_STATEMENT_MAX);
    focal_buf_init(&f.certificate_body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&f.certificate, FOCAL_STATEMENT_MAX);
    enum focal_status st = ask(s, &f, err);
    if (st == FOCAL_OK)
        st = setup_make(s, err);
    if (st == FOCAL_OK)
        st = make_statements(s, &f, err);
    if (st == FOCAL_OK)
        st = setup_write_authority(s, f.authority_seed, focal_buf_view(&f.passphrase), err);
    if (st == FOCAL_OK)
        st = write_sheet(s, &f, err);
    if (st == FOCAL_OK)
        st = write_store(s, &f, err);
    if (st == FOCAL_OK)
        st = place_finish(&s->place, err);
    if (st == FOCAL_OK)
        setup_tell(s, f.office.text, f.label, NULL);
    focal_buf_wipe_close(&f.passphrase);
    focal_buf_close(&f.genesis_body);
    focal_buf_close(&f.genesis);
    focal_buf_close(&f.certificate_body);
    focal_buf_close(&f.certificate);
    focal_wipe(&f, sizeof f);
    return st;
}
