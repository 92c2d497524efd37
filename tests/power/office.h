/* office: an authority, an office with keys and a certificate, and a peer whose entries can be carried over. Made once for
 * all lives, the same in each run. */
#ifndef FOCAL_POWER_OFFICE_H
#define FOCAL_POWER_OFFICE_H

#include "chance.h"
#include "focal/oplog.h"

struct office {
    struct focal_node_keys keys;
    struct focal_buf certificate;
};
struct network {
    struct focal_sign_key authority;
    struct focal_hash id;
    struct focal_buf genesis;
    struct office ours, peers;
    struct focal_oplog *peer;           /* over a store in memory, with entries in its logs */
    struct focal_store *peer_store;
    struct chance chance;
};

const struct network *office_network(void);
extern const struct focal_scope office_scopes[3];           /* control, network, a country */
/* [tx] One entry with one value of len bytes; record NULL: a new one. */
FOCAL_MUST_USE enum focal_status office_write(struct focal_oplog *, const struct focal_scope *, const struct focal_ref *record,
                                              size_t len, uint8_t fill, struct focal_ref *out);
/* [tx] The next piece that the peer has and `to` lacks, cut at most bytes. NOT_FOUND: there is none. */
FOCAL_MUST_USE enum focal_status office_carry(struct focal_oplog *to, size_t most);

#endif
