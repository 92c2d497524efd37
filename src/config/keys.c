/* THE table of keys, and how each kind of value is checked, taken and printed back. */
#include "keys.h"

#include <stdio.h>
#include <string.h>

static enum focal_status refuse(const struct focal_config_key *key, const char *hint, const char *why, const char *value, struct focal_error *err)
{
    return focal_fail(err, FOCAL_REFUSED, hint, "%s: \"%.80s\" %s", key->name, value, why);
}

/* ---- addresses ---- */

bool focal_config_address_valid(const char *text)
{
    size_t len = strlen(text);
    const char *colon = strrchr(text, ':');
    uint64_t port;
    if (!colon || colon == text || len >= FOCAL_CONFIG_ADDRESS_MAX)
        return false;
    if (!focal_parse_u64(focal_span_text(colon + 1), &port) || port > 65535)
        return false;
    bool v6 = text[0] == '[';
    if (v6 && colon[-1] != ']')
        return false;
    for (const char *c = text + v6; c < colon - v6; c++) {
        bool digit = *c >= '0' && *c <= '9', letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
        if (!(digit || *c == '.' || (v6 ? *c == ':' || letter || *c == '%' : letter || *c == '-' || *c == '_')))
            return false;
    }
    return colon - text > 2 * v6;
}

bool focal_config_address_any(const char *text)
{
    return strncmp(text, "0.0.0.0:", 8) == 0 || strncmp(text, "[::]:", 5) == 0 || strncmp(text, "*:", 2) == 0;
}

static enum focal_status take_listen(struct focal_config *c, const struct focal_config_key *key, const char *value, struct focal_error *err)
{
    if (strcmp(value, "none") != 0 && !focal_config_address_valid(value))
        return refuse(key, "write host:port, [v6]:port, or none", "is not an address", value, err);
    (void)snprintf(c->listen, sizeof c->listen, "%s", value);
    return FOCAL_OK;
}

static enum focal_status take_advertise(struct focal_config *c, const struct focal_config_key *key, const char *value, struct focal_error *err)
{
    char list[FOCAL_CONFIG_ADVERTISE_MAX][FOCAL_CONFIG_ADDRESS_MAX];
    size_t count = 0;
    while (*value) {
        size_t before = strspn(value, ", \t"), len = strcspn(value + before, ", \t");
        value += before;
        if (len == 0)
            break;
        if (count == FOCAL_CONFIG_ADVERTISE_MAX)
            return refuse(key, "leave some out", "and the ones before it are more than 8 addresses", value, err);
        char one[FOCAL_CONFIG_ADDRESS_MAX] = "";
        if (len < sizeof one)
            memcpy(one, value, len);
        if (!focal_config_address_valid(one) || focal_config_address_any(one))
            return refuse(key, "write host:port or [v6]:port as others reach it, several with commas between", "is not an address that others can dial", value, err);
        memcpy(list[count++], one, sizeof one);
        value += len;
    }
    memcpy(c->advertise, list, count * sizeof list[0]);
    c->advertise_count = count;
    return FOCAL_OK;
}

/* ---- the others ---- */

static enum focal_status take_path(char out[FOCAL_CONFIG_PATH_MAX], const struct focal_config_key *key, const char *value, struct focal_error *err)
{
    if (strlen(value) >= FOCAL_CONFIG_PATH_MAX)
        return refuse(key, "choose a shorter path", "is too long", value, err);
    (void)snprintf(out, FOCAL_CONFIG_PATH_MAX, "%s", value);
    return FOCAL_OK;
}

static enum focal_status take_dir(struct focal_config *c, const struct focal_config_key *key, const char *value, struct focal_error *err)
{
    return take_path(c->dir, key, value, err);
}

static enum focal_status take_socket(struct focal_config *c, const struct focal_config_key *key, const char *value, struct focal_error *err)
{
    if (strlen(value) > 107)
        return refuse(key, "a socket's path has at most 107 bytes", "is too long", value, err);
    return take_path(c->socket, key, value, err);
}

static enum focal_status take_number(uint32_t *out, const struct focal_config_key *key, const char *value, struct focal_error *err)
{
    uint64_t n;
    char hint[100];
    (void)snprintf(hint, sizeof hint, "write a whole number of %s from %llu to %llu", key->unit, (unsigned long long)key->least, (unsigned long long)key->most);
    if (!focal_parse_u64(focal_span_text(value), &n) || n < key->least || n > key->most)
        return refuse(key, hint, "is not in its range", value, err);
    *out = (uint32_t)n;
    return FOCAL_OK;
}

static enum focal_status take_least(struct focal_config *c, const struct focal_config_key *key, const char *value, struct focal_error *err)
{
    return take_number(&c->redial_least_s, key, value, err);
}

static enum focal_status take_most(struct focal_config *c, const struct focal_config_key *key, const char *value, struct focal_error *err)
{
    return take_number(&c->redial_most_s, key, value, err);
}

static const char *const levels[] = { "error", "warning", "info", "debug", NULL };

static enum focal_status take_level(struct focal_config *c, const struct focal_config_key *key, const char *value, struct focal_error *err)
{
    for (size_t i = 0; key->words[i]; i++) {
        if (strcmp(key->words[i], value) == 0) {
            c->log_level = (enum focal_level)i;
            return FOCAL_OK;
        }
    }
    return refuse(key, "write error, warning, info or debug", "is not a level", value, err);
}

/* ---- who may ---- */

/* As groupadd takes them. */
static bool group_valid(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < len; i++) {
        bool letter = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= 'A' && name[i] <= 'Z') || name[i] == '_';
        if (!letter && (i == 0 || !((name[i] >= '0' && name[i] <= '9') || name[i] == '-' || name[i] == '.')))
            return false;
    }
    return len > 0 && len < FOCAL_CONFIG_GROUP_MAX;
}

static enum focal_status take_group(char out[FOCAL_CONFIG_GROUP_MAX], const struct focal_config_key *key, const char *value, struct focal_error *err)
{
    if (!group_valid(value))
        return refuse(key, "write a name that `groupadd` takes, of at most 32 letters, digits, '-' and '_'", "is not the name of a group", value, err);
    (void)snprintf(out, FOCAL_CONFIG_GROUP_MAX, "%s", value);
    return FOCAL_OK;
}

static enum focal_status take_admin(struct focal_config *c, const struct focal_config_key *key, const char *value, struct focal_error *err)
{
    return take_group(c->admin_group, key, value, err);
}

static enum focal_status take_entry(struct focal_config *c, const struct focal_config_key *key, const char *value, struct focal_error *err)
{
    return take_group(c->entry_group, key, value, err);
}

static enum focal_status take_read(struct focal_config *c, const struct focal_config_key *key, const char *value, struct focal_error *err)
{
    return take_group(c->read_group, key, value, err);
}

/* By the place of their bit in enum focal_two_persons. */
static const char *const two_words[] = { "redact", "export", "revoke", "veil", NULL };

static bool two_word(const char *text, size_t len, uint32_t *bit)
{
    for (size_t i = 0; two_words[i]; i++) {
        *bit = 1u << i;
        if (strlen(two_words[i]) == len && memcmp(two_words[i], text, len) == 0)
            return true;
    }
    return false;
}

bool focal_two_persons_parse(uint32_t *set, const char *text)
{
    uint32_t all = 0, bit;
    for (const char *at = text;; ) {
        at += strspn(at, ", \t");
        size_t len = strcspn(at, ", \t");
        if (len == 0)
            break;
        if (!two_word(at, len, &bit))
            return false;
        all |= bit;
        at += len;
    }
    *set = all;
    return true;
}

static enum focal_status take_two(struct focal_config *c, const struct focal_config_key *key, const char *value, struct focal_error *err)
{
    if (!focal_two_persons_parse(&c->two_persons, value))
        return refuse(key, "write redact, export, revoke or veil, with commas between", "names something else", value, err);
    return FOCAL_OK;
}

static void print_admin(struct focal_buf *out, const struct focal_config *c) { focal_buf_text(out, c->admin_group); }
static void print_entry(struct focal_buf *out, const struct focal_config *c) { focal_buf_text(out, c->entry_group); }
static void print_read(struct focal_buf *out, const struct focal_config *c) { focal_buf_text(out, c->read_group); }

void focal_two_persons_print(struct focal_buf *out, uint32_t set)
{
    const char *between = "";
    for (size_t i = 0; two_words[i]; i++) {
        if (!(set & 1u << i))
            continue;
        focal_buf_printf(out, "%s%s", between, two_words[i]);
        between = ", ";
    }
}

static void print_two(struct focal_buf *out, const struct focal_config *c) { focal_two_persons_print(out, c->two_persons); }

/* ---- printing ---- */

static void print_dir(struct focal_buf *out, const struct focal_config *c) { focal_buf_text(out, c->dir); }
static void print_socket(struct focal_buf *out, const struct focal_config *c) { focal_buf_text(out, c->socket); }
static void print_listen(struct focal_buf *out, const struct focal_config *c) { focal_buf_text(out, c->listen); }
static void print_least(struct focal_buf *out, const struct focal_config *c) { focal_buf_printf(out, "%u", (unsigned)c->redial_least_s); }
static void print_most(struct focal_buf *out, const struct focal_config *c) { focal_buf_printf(out, "%u", (unsigned)c->redial_most_s); }
static void print_level(struct focal_buf *out, const struct focal_config *c) { focal_buf_text(out, levels[c->log_level]); }

static void print_advertise(struct focal_buf *out, const struct focal_config *c)
{
    for (size_t i = 0; i < c->advertise_count; i++)
        focal_buf_printf(out, "%s%s", i ? ", " : "", c->advertise[i]);
}

static const struct focal_config_key keys[] = {
    { "node", "dir", FOCAL_CONFIG_PATH, 0, 0, NULL, "", "", false,
      "Where keys, database and socket stand; the directory of this file when left out.", take_dir, print_dir },
    { "control", "socket", FOCAL_CONFIG_PATH, 0, 0, NULL, "", "", false,
      "Socket for focalctl; control.sock in dir when left out.", take_socket, print_socket },
    { "control", "admin_group", FOCAL_CONFIG_GROUP, 0, 0, NULL, "focal-admin", "", false,
      "Members run the machinery: offices, links, checks. They see no record and no reference.", take_admin, print_admin },
    { "control", "entry_group", FOCAL_CONFIG_GROUP, 0, 0, NULL, "focal-entry", "", false,
      "Members record, change and read cases and coordination.", take_entry, print_entry },
    { "control", "read_group", FOCAL_CONFIG_GROUP, 0, 0, NULL, "focal-read", "", false,
      "Members read.", take_read, print_read },
    { "control", "two_persons", FOCAL_CONFIG_WORDS, 0, 0, two_words, "", "", false,
      "What one user asks for and another has to agree to: of redact, export, revoke, veil, with commas between.", take_two, print_two },
    { "link", "listen", FOCAL_CONFIG_ADDRESS, 0, 0, NULL, "0.0.0.0:7443", "", false,
      "Where other offices reach this one: host:port, [v6]:port, or none to dial only.", take_listen, print_listen },
    { "link", "advertise", FOCAL_CONFIG_ADDRESSES, 0, 0, NULL, "", "", false,
      "The addresses other offices are told to dial, with commas between; what listen names when left out.", take_advertise, print_advertise },
    { "link", "redial_least", FOCAL_CONFIG_NUMBER, 1, 3600, NULL, "1", "s", false,
      "Least pause before a failed link is dialled again.", take_least, print_least },
    { "link", "redial_most", FOCAL_CONFIG_NUMBER, 1, 86400, NULL, "300", "s", false,
      "Longest pause before a failed link is dialled again.", take_most, print_most },
    { "log", "level", FOCAL_CONFIG_WORD, 0, 0, levels, "info", "", true,
      "Least serious line that is logged: error, warning, info or debug.", take_level, print_level },
};

size_t focal_config_key_count(void) { return sizeof keys / sizeof keys[0]; }

const struct focal_config_key *focal_config_key_at(size_t i)
{
    return i < focal_config_key_count() ? &keys[i] : NULL;
}

const struct focal_config_key *focal_config_find(const char *section, const char *name)
{
    for (size_t i = 0; i < focal_config_key_count(); i++)
        if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}
