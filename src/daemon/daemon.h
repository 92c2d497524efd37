/* Shared by the files of this program only. */
#ifndef FOCAL_DAEMON_H
#define FOCAL_DAEMON_H

#include "focal/config.h"
#include "focal/crypto_store.h"
#include "focal/io.h"

enum { PATH_BYTES = FOCAL_CONFIG_PATH_MAX + 64 };

/* sysexits */
enum { SAY_OK = 0, SAY_USAGE = 64, SAY_DATA = 65, SAY_CANNOT_MAKE = 73, SAY_IO = 74, SAY_LATER = 75, SAY_DENIED = 77, SAY_CONFIG = 78 };
int exit_of(enum focal_status);
/* One sentence on standard error (as JSON with json), and its exit status. */
int say_failed(const struct focal_error *, bool json);
int say_usage(const char *verb, const char *fmt, ...) FOCAL_PRINTF(2, 3);
FOCAL_MUST_USE bool path_join(char out[PATH_BYTES], const char *dir, const char *name);

/* prompt.c */
bool prompt_possible(void);
FOCAL_MUST_USE enum focal_status prompt_line(struct focal_buf *, const char *question, struct focal_error *);
FOCAL_MUST_USE enum focal_status prompt_secret(struct focal_buf *, const char *question, bool twice, struct focal_error *);
/* The first line of a file, without its end. */
FOCAL_MUST_USE enum focal_status passphrase_read(struct focal_buf *, const char *path, struct focal_error *);

/* store_key.c */
struct store_secret { enum focal_wrap wrap; struct focal_store_keys keys; };
void store_key_draw(struct focal_store_key *);
FOCAL_MUST_USE enum focal_status store_key_path(char out[PATH_BYTES], const char *dir, struct focal_error *);
/* Opens the buffer. With a passphrase slow on purpose. */
FOCAL_MUST_USE enum focal_status store_key_wrap(struct focal_buf *text, const struct store_secret *, struct focal_span passphrase, struct focal_error *);
FOCAL_MUST_USE enum focal_status store_key_write(const char *path, const struct store_secret *, struct focal_span passphrase, bool replace, struct focal_error *);
/* Opens the buffer. NOT_FOUND: an office of a program that did not encrypt, or none. */
FOCAL_MUST_USE enum focal_status store_key_file(struct focal_buf *text, enum focal_wrap *, const char *dir, struct focal_error *);
FOCAL_MUST_USE enum focal_status store_key_unwrap(struct focal_store_keys *, enum focal_wrap, struct focal_span file, struct focal_span passphrase,
    struct focal_error *);
/* The first key of an office of a program that did not encrypt; what is there is taken over with it. */
FOCAL_MUST_USE enum focal_status store_key_first(struct store_secret *, const char *dir, struct focal_error *);
FOCAL_MUST_USE enum focal_status credential_read(struct focal_buf *, struct focal_error *);
FOCAL_MUST_USE enum focal_status sealed_write(const char *path, const char *name, const struct focal_store_key *, struct focal_span plain, bool replace,
    struct focal_error *);
FOCAL_MUST_USE enum focal_status sealed_read(struct focal_buf *plain, const char *path, const char *name, const struct focal_store_keys *, struct focal_error *);
/* All small files from whichever of the keys to this one. */
FOCAL_MUST_USE enum focal_status sealed_files_follow(const char *dir, const struct focal_store_keys *, const struct focal_store_key *, struct focal_error *);

/* store_open.c */
struct focal_store;
FOCAL_MUST_USE enum focal_status store_open_at(struct focal_store **, const char *path, bool create, const struct store_secret *, struct focal_error *);

/* files.c */
FOCAL_MUST_USE enum focal_status node_key_write(const char *path, const struct focal_node_keys *, const struct focal_store_key *, struct focal_error *);
FOCAL_MUST_USE enum focal_status node_key_read(struct focal_node_keys *, const char *path, const struct focal_store_keys *, struct focal_error *);
/* dir/focald.conf, or file when that is given, then the files of focald.conf.d beside it. */
FOCAL_MUST_USE enum focal_status config_read(struct focal_config *, const char *dir, const char *file, struct focal_error *);

/* The file beside the keys that outlives the database; bytes as room node makes and reads them. */
FOCAL_MUST_USE enum focal_status keepsake_file_write(const char *dir, const struct focal_store_key *, struct focal_span bytes, struct focal_error *);
/* Empty when there is none, or none that can be read: it is not the only source. DENIED: others may have changed it. */
FOCAL_MUST_USE enum focal_status keepsake_file_read(struct focal_buf *bytes, const char *dir, const struct focal_store_keys *, struct focal_error *);

/* place.c: a directory filled apart and put in place at the end, or not at all */
struct place { char dir[PATH_BYTES], stage[PATH_BYTES]; bool made_dir; size_t moved; };
FOCAL_MUST_USE enum focal_status place_open(struct place *, const char *dir, struct focal_error *);
FOCAL_MUST_USE enum focal_status place_finish(struct place *, struct focal_error *);
void place_abandon(struct place *);

/* setup.c, setup_hq.c, setup_join.c, setup_rejoin.c */
enum { COUNTRIES_MAX = 32 };
enum { RECOVER_MAX = 8 };
struct setup {
    const char *role, *network, *office, *dir, *listen, *passphrase_file, *join_file, *sheet;
    const char *recover[RECOVER_MAX]; size_t recover_count;
    const char *countries[COUNTRIES_MAX]; size_t country_count;
    const char *advertise[FOCAL_CONFIG_ADVERTISE_MAX]; size_t advertise_count;
    const char *store_passphrase_file;
    struct store_secret secret;
    struct focal_buf store_passphrase;  /* empty where the way of wrapping asks for none */
    bool no_input, json, rejoin, wrap_given, expiry_stops;
    struct focal_config config;
    struct place place;
    struct focal_node_keys keys;
    struct focal_buf answers;           /* what was typed, kept until the end */
    char dir_absolute[PATH_BYTES];
};
int setup_main(int argc, char **argv);
/* The passphrase of the store's key, where its way of wrapping asks for one. anew: typed twice. */
FOCAL_MUST_USE enum focal_status setup_ask_passphrase(struct setup *, bool anew, struct focal_error *);
/* The directory apart, with node key and configuration in it: once nothing is to be asked any more. */
FOCAL_MUST_USE enum focal_status setup_make(struct setup *, struct focal_error *);
FOCAL_MUST_USE enum focal_status setup_hq(struct setup *, struct focal_error *);
FOCAL_MUST_USE enum focal_status setup_join(struct setup *, struct focal_error *);
FOCAL_MUST_USE enum focal_status setup_rejoin(struct setup *, struct focal_error *);
FOCAL_MUST_USE enum focal_status setup_recover(struct setup *, struct focal_error *);
/* setup_hq.c: the authority key's passphrase, and its file. */
FOCAL_MUST_USE enum focal_status setup_ask_authority(const struct setup *, struct focal_buf *passphrase, struct focal_error *);
FOCAL_MUST_USE enum focal_status setup_write_authority(struct setup *, const uint8_t seed[32], struct focal_span passphrase, struct focal_error *);
void setup_tell(const struct setup *, const char *office, const char *network, const char *const *words);
uint32_t today_now(void);

/* The step that mends a damaged or lost database, as the hint of *err. Gives back DAMAGED. */
enum focal_status say_rejoin(struct focal_error *, const char *dir, const char *before);

/* run.c */
int run_main(int argc, char **argv);
int check_config_main(int argc, char **argv);

#endif
