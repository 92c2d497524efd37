/* The store key of tests, and chance for nonces that is never the same twice. */
#ifndef FOCAL_SUPPORT_STORE_KEY_H
#define FOCAL_SUPPORT_STORE_KEY_H

#include "focal/store_sqlite.h"

extern const struct focal_store_key focal_test_key;
void focal_test_chance(void *data, void *out, size_t len);

/* In the braces of a struct focal_sqlite_options: as the daemon opens its store; or in clear, to look at bytes. */
#define SEALED .key = &focal_test_key, .entropy = { focal_test_chance, NULL }
#define IN_CLEAR .in_clear = focal_sqlite_in_clear()

#endif
