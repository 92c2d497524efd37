/* Text of a file to a config, and back. */
#include "keys.h"

#include <ini.h>
#include <stdio.h>
#include <string.h>

enum {
    LINE_MAX_BYTES = 190,               /* inih cuts lines at 200 without a word */
    VALUE_MAX_BYTES = 160               /* so that what was taken, written out as "name = value", is read again */
};

void focal_config_defaults(struct focal_config *c)
{
    memset(c, 0, sizeof *c);
    for (size_t i = 0; i < focal_config_key_count(); i++) {
        const struct focal_config_key *key = focal_config_key_at(i);
        enum focal_status st = key->otherwise[0] ? key->take(c, key, key->otherwise, NULL) : FOCAL_OK;
        focal_assert(st == FOCAL_OK);
    }
}

static enum focal_status unknown(const char *section, const char *name, struct focal_error *err)
{
    const struct focal_config_key *nearest = NULL;
    int least = 100;
    for (size_t i = 0; i < focal_config_key_count(); i++) {
        const struct focal_config_key *key = focal_config_key_at(i);
        int far = focal_text_distance(name, key->name);
        if (far < 0)
            continue;
        far = 2 * far + (strcmp(section, key->section) != 0);
        if (far < least) {
            least = far;
            nearest = key;
        }
    }
    char hint[120] = "`focald check-config --help` lists the keys";
    if (nearest)
        (void)snprintf(hint, sizeof hint, "did you mean %s in section [%s]?", nearest->name, nearest->section);
    return focal_fail(err, FOCAL_REFUSED, hint, "there is no key \"%.60s\" in section [%.40s]", name, section);
}

/* Would what is written as "name = value" be read as that value? A ';' behind a space begins a comment. */
static bool reads_back(const char *value)
{
    for (const char *at = value; *at; at++) {
        bool edge = at == value || at[-1] == ' ' || at[-1] == '\t';
        if (*at == '\n' || *at == '\r' || (edge && *at == ';'))
            return false;
    }
    size_t len = strlen(value);
    return len == 0 || (!strchr(" \t", value[0]) && !strchr(" \t", value[len - 1]));
}

enum focal_status focal_config_set(struct focal_config *c, const char *section, const char *name, const char *value, struct focal_error *err)
{
    const struct focal_config_key *key = focal_config_find(section, name);
    if (!key)
        return unknown(section, name, err);
    if (strlen(value) > VALUE_MAX_BYTES)
        return focal_fail(err, FOCAL_REFUSED, "make it shorter", "%s is longer than %d bytes", name, VALUE_MAX_BYTES);
    if (!reads_back(value))
        return focal_fail(err, FOCAL_REFUSED, "leave out spaces at its ends, line ends, and ';' after a space", "%s is a value that a file could not hold", name);
    return key->take(c, key, value, err);
}

struct reading { struct focal_config config; struct focal_error error; bool failed; };

static int took(void *data, const char *section, const char *name, const char *value)
{
    struct reading *r = data;
    if (r->failed)
        return 1;
    r->failed = focal_config_set(&r->config, section, name, value, &r->error) != FOCAL_OK;
    return !r->failed;
}

static size_t long_line(struct focal_span text)
{
    size_t line = 1, from = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.data[i] != '\n')
            continue;
        if (i - from > LINE_MAX_BYTES)
            return line;
        from = i + 1;
        line++;
    }
    return 0;
}

enum focal_status focal_config_parse(struct focal_config *c, const char *file, struct focal_span text, struct focal_error *err)
{
    size_t line = long_line(text);
    if (line)
        return focal_fail(err, FOCAL_REFUSED, "make it shorter", "%s, line %zu: longer than %d bytes", file, line, LINE_MAX_BYTES);
    if (text.len && memchr(text.data, 0, text.len))
        return focal_fail(err, FOCAL_MALFORMED, "look whether it is the right file", "%s is not a text file", file);
    struct focal_buf copy;
    focal_buf_init(&copy, text.len + 1);
    focal_buf_span(&copy, text);
    struct reading r = { .config = *c };
    const char *cstr = focal_buf_cstr(&copy);
    if (copy.failed) {
        focal_buf_close(&copy);
        return focal_fail(err, FOCAL_NO_MEMORY, "free some memory", "no memory to read %s", file);
    }
    int at = ini_parse_string(cstr, took, &r);
    focal_buf_close(&copy);
    if (at < 0)
        return focal_fail(err, FOCAL_NO_MEMORY, "free some memory", "no memory to read %s", file);
    if (r.failed)
        return focal_fail(err, r.error.status, r.error.hint, "%s, line %d: %s", file, at, r.error.message);
    if (at > 0)
        return focal_fail(err, FOCAL_MALFORMED, "lines are [section] or key = value", "%s, line %d: neither a section nor a key with its value", file, at);
    *c = r.config;
    return FOCAL_OK;
}

enum focal_status focal_config_check(const struct focal_config *c, struct focal_error *err)
{
    if (c->redial_least_s > c->redial_most_s)
        return focal_fail(err, FOCAL_REFUSED, "exchange them", "redial_least (%u s) is above redial_most (%u s)",
                          (unsigned)c->redial_least_s, (unsigned)c->redial_most_s);
    if (strcmp(c->admin_group, c->entry_group) == 0 || strcmp(c->admin_group, c->read_group) == 0)
        return focal_fail(err, FOCAL_REFUSED, "who does both can be a member of two groups",
                          "admin_group is \"%s\" and so is another one: whoever administers would read records", c->admin_group);
    return FOCAL_OK;
}

static void print_key(struct focal_buf *out, const struct focal_config_key *key, const char *value, bool with_help)
{
    bool plain = strcmp(value, key->otherwise) == 0;
    if (with_help)
        focal_buf_printf(out, "# %s%s%s%s%s\n", key->help, key->otherwise[0] ? " Default: " : "", key->otherwise,
                         key->unit[0] ? " " : "", key->unit);
    if (with_help && plain)
        focal_buf_printf(out, "#%s =%s%s\n", key->name, value[0] ? " " : "", value);
    else
        focal_buf_printf(out, "%s = %s\n", key->name, value);
}

void focal_config_print(struct focal_buf *out, const struct focal_config *c, bool with_help)
{
    const char *section = "";
    for (size_t i = 0; i < focal_config_key_count(); i++) {
        const struct focal_config_key *key = focal_config_key_at(i);
        struct focal_buf value;
        focal_buf_init(&value, 4096);
        key->print(&value, c);
        if (value.len || with_help) {
            if (strcmp(section, key->section) != 0)
                focal_buf_printf(out, "%s[%s]\n", section[0] ? "\n" : "", key->section);
            section = key->section;
            print_key(out, key, focal_buf_cstr(&value), with_help);
        }
        out->failed = out->failed || value.failed;
        focal_buf_close(&value);
    }
}

void focal_config_socket(char out[FOCAL_CONFIG_PATH_MAX + 16], const struct focal_config *c)
{
    if (c->socket[0])
        (void)snprintf(out, FOCAL_CONFIG_PATH_MAX + 16, "%s", c->socket);
    else
        (void)snprintf(out, FOCAL_CONFIG_PATH_MAX + 16, "%s/control.sock", c->dir);
}
