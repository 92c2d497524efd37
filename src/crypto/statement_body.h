/* Bodies of the two statements this program makes, behind their kind number. */
#ifndef FOCAL_CRYPTO_STATEMENT_BODY_H
#define FOCAL_CRYPTO_STATEMENT_BODY_H

#include "items.h"

/* Read the items after the kind. False: malformed. *newer is set when something in it is not understood. */
bool focal_genesis_items(struct focal_genesis *, struct focal_items *, bool *newer);
bool focal_certificate_items(struct focal_certificate *, struct focal_items *, bool *newer);

#endif
