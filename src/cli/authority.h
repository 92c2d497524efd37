/* Signing with the authority's key: the daemon never sees it. */
#ifndef FOCAL_CLI_AUTHORITY_H
#define FOCAL_CLI_AUTHORITY_H

#include "cli.h"

#include "focal/crypto.h"

/* From --authority-key or DIR/keys/authority.key, by the passphrase; it must be this one. Wipe it also when it failed. */
enum focal_status authority_unlock(const struct args *, const char *dir, const struct focal_key *authority, struct focal_sign_key *, struct focal_error *);

/* Signs a body, which it may add to. False: there is no room. */
bool authority_put(struct focal_buf *statement, const struct focal_sign_key *, bool successor, const struct focal_hash *network, struct focal_buf *body);

/* Signs what the daemon would have signed ("bodies" of begun), each only if it is what was asked for, and hands it to a
 * request under "statement" together with "office"; *told is the last answer, the caller's. The daemon may be wrong, or not ours. */
typedef bool is_asked_for(const struct args *, const json_t *begun, const struct focal_statement *);
enum focal_status authority_sign(const struct args *, struct talk *, const json_t *begun, is_asked_for *, const char *request, json_t **told, struct focal_error *);

#endif
