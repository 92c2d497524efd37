/* config: what can be set in focald.conf, as one table of keys, and how such files are read.
 *
 * The file is INI; `focald check-config` and `focald run` read it with the same code. Files of focald.conf.d/ are read
 * after it in the order of their names, each later value in the place of the earlier one.
 * Not here: opening files (the caller gives their text), acting on a value.
 * Memory: no allocation is kept; a config is a plain value. Threads: pure. */
#ifndef FOCAL_CONFIG_H
#define FOCAL_CONFIG_H

#include "focal/base.h"

enum { FOCAL_CONFIG_PATH_MAX = 512, FOCAL_CONFIG_ADDRESS_MAX = 80, FOCAL_CONFIG_ADVERTISE_MAX = 8, FOCAL_CONFIG_GROUP_MAX = 33 };

/* What one person alone may not do. A set. */
enum focal_two_persons { FOCAL_TWO_REDACT = 1, FOCAL_TWO_EXPORT = 2, FOCAL_TWO_REVOKE = 4, FOCAL_TWO_VEIL = 8 };

struct focal_config {
    char dir[FOCAL_CONFIG_PATH_MAX];            /* state, keys and socket; "" when not set */
    char socket[FOCAL_CONFIG_PATH_MAX];         /* "": control.sock in dir */
    char admin_group[FOCAL_CONFIG_GROUP_MAX], entry_group[FOCAL_CONFIG_GROUP_MAX], read_group[FOCAL_CONFIG_GROUP_MAX];
    uint32_t two_persons;                       /* enum focal_two_persons */
    char listen[FOCAL_CONFIG_ADDRESS_MAX];      /* host:port, [v6]:port, or "none" */
    char advertise[FOCAL_CONFIG_ADVERTISE_MAX][FOCAL_CONFIG_ADDRESS_MAX]; size_t advertise_count;
    uint32_t redial_least_s, redial_most_s;
    enum focal_level log_level;
};

enum focal_config_type { FOCAL_CONFIG_PATH, FOCAL_CONFIG_ADDRESS, FOCAL_CONFIG_ADDRESSES, FOCAL_CONFIG_NUMBER, FOCAL_CONFIG_WORD,
    FOCAL_CONFIG_GROUP, FOCAL_CONFIG_WORDS };
/* A row of THE table. */
struct focal_config_key {
    const char *section, *name;
    enum focal_config_type type;
    uint64_t least, most;               /* NUMBER: range */
    const char *const *words;           /* WORD, WORDS: what it may be; ends with NULL */
    const char *otherwise;              /* default, as text */
    const char *unit;
    bool again;                         /* HUP reads it again */
    const char *help;
    enum focal_status (*take)(struct focal_config *, const struct focal_config_key *, const char *value, struct focal_error *);
    void (*print)(struct focal_buf *, const struct focal_config *);
};
/* The same words, wherever they are said: "redact, export"; "" is none. False: one of them is none of these. */
bool focal_two_persons_parse(uint32_t *set, const char *text);
void focal_two_persons_print(struct focal_buf *out, uint32_t set);
size_t focal_config_key_count(void);
const struct focal_config_key *focal_config_key_at(size_t i);

void focal_config_defaults(struct focal_config *);
/* Reads one file's text over what is there. err names file, line, key and what to write instead (unknown key: the nearest).
 * On failure the config is as it was. */
FOCAL_MUST_USE enum focal_status focal_config_parse(struct focal_config *, const char *file, struct focal_span text, struct focal_error *);
/* What only the whole can show: both ends of a range. */
FOCAL_MUST_USE enum focal_status focal_config_check(const struct focal_config *, struct focal_error *);
/* One value by hand, checked as in the file. */
FOCAL_MUST_USE enum focal_status focal_config_set(struct focal_config *, const char *section, const char *name, const char *value, struct focal_error *);
/* The whole as a file again. with_help: every key with its help and default as comments. */
void focal_config_print(struct focal_buf *, const struct focal_config *, bool with_help);
/* The socket in force. */
void focal_config_socket(char out[FOCAL_CONFIG_PATH_MAX + 16], const struct focal_config *);
/* host:port or [v6]:port, port 0 to 65535 */
bool focal_config_address_valid(const char *text);
/* "0.0.0.0:7443", "[::]:7443": reachable under no such name */
bool focal_config_address_any(const char *text);

#endif
