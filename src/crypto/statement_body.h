/* Bodies of the statements this program knows, behind their kind number. */
#ifndef FOCAL_CRYPTO_STATEMENT_BODY_H
#define FOCAL_CRYPTO_STATEMENT_BODY_H

#include "items.h"

/* Read the items after the kind. False: malformed. *newer is set when something in it is not understood. */
bool focal_genesis_items(struct focal_genesis *, struct focal_items *, bool *newer);
bool focal_certificate_items(struct focal_certificate *, struct focal_items *, bool *newer);
bool focal_cut_items(struct focal_cut *, struct focal_items *, bool *newer);
bool focal_renewal_items(struct focal_renewal *, struct focal_items *, bool *newer);
bool focal_policy_items(struct focal_policy *, struct focal_items *, bool *newer);
bool focal_delegation_items(struct focal_delegation *, struct focal_items *, bool *newer);
bool focal_succession_items(struct focal_succession *, struct focal_items *, bool *newer);

/* A scope is a class and a country: 4 bytes. *newer: a class that comes later, and scope is empty. False: malformed. */
void focal_scope_bytes(uint8_t out[4], const struct focal_scope *);
bool focal_scope_of_bytes(struct focal_scope *, const uint8_t bytes[4], bool *newer);

#endif
