/* Signing with the authority's key: the daemon never sees it. */
#ifndef FOCAL_CLI_AUTHORITY_H
#define FOCAL_CLI_AUTHORITY_H

#include "cli.h"

#include "focal/crypto.h"

/* From --authority-key or DIR/keys/authority.key, by the passphrase; it must be this one. Wipe it also when it failed. */
enum focal_status authority_unlock(const struct args *, const char *dir, const struct focal_key *authority, struct focal_sign_key *, struct focal_error *);

#endif
