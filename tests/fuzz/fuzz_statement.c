/* Statements: what is accepted and understood has one form only. */
#include "fuzz.h"

#include "focal/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct focal_statement statement;
    struct focal_buf again;
    if (focal_crypto_init() != FOCAL_OK || focal_statement_decode(&statement, focal_span_of(data, len)) != FOCAL_OK)
        return 0;
    focal_assert(len <= FOCAL_STATEMENT_MAX && statement.body.len + 64 == len);
    if (statement.kind == FOCAL_STATEMENT_GENESIS && focal_statement_verify(&statement, NULL, NULL)) {
        struct focal_hash id;
        focal_network_id(&id, statement.body);
        focal_assert(focal_statement_verify(&statement, &statement.is.genesis.authority, &id));
    }
    if (statement.newer)
        return 0;
    focal_buf_init(&again, FOCAL_STATEMENT_MAX);
    if (statement.kind == FOCAL_STATEMENT_GENESIS)
        focal_genesis_encode(&again, &statement.is.genesis);
    else if (statement.kind == FOCAL_STATEMENT_CUT)
        focal_cut_encode(&again, &statement.is.cut);
    else if (statement.kind == FOCAL_STATEMENT_RENEWAL)
        focal_renewal_encode(&again, &statement.is.renewal);
    else if (statement.kind == FOCAL_STATEMENT_POLICY)
        focal_policy_encode(&again, &statement.is.policy);
    else if (statement.kind == FOCAL_STATEMENT_DELEGATION)
        focal_delegation_encode(&again, &statement.is.delegation);
    else if (statement.kind == FOCAL_STATEMENT_AUTHORITY)
        focal_succession_encode(&again, &statement.is.succession);
    else
        focal_certificate_encode(&again, &statement.is.certificate);
    if (statement.signer_set)
        focal_statement_by(&again, &statement.signer);
    focal_assert(!again.failed && focal_span_equal(focal_buf_view(&again), statement.body));
    focal_buf_close(&again);
    return 0;
}
