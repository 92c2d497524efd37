/* The slow questions of cryptography are answered once a process.
 *
 * Every node of a world verifies for itself what all others verified before it, and both ends of a handshake compute the
 * same secrets: in one process the same questions again, and nine tenths of the time. The answers are pure functions of
 * the bytes, so they are kept; these definitions stand before libsodium's own, which still answer what is new. A
 * signature made here is known as good. Nothing that a node checks is left out. */
#include "inner.h"

#include <sodium.h>
#include <string.h>

enum { KNOWN = 1 << 14, SECRETS = 1 << 12, KEY = 32, MESSAGE_MAX = 64 };

static uint64_t asked, kept;

void sim_known_answers(uint64_t *all, uint64_t *answered)
{
    *all = asked;
    *answered = kept;
}

static size_t place_of(const uint8_t *bytes, size_t places)
{
    uint64_t place;
    memcpy(&place, bytes, sizeof place);
    return (size_t)(place % places);
}

/* ---- signatures ------------------------------------------------------------------------------------------------- */

struct known { bool set, good; uint8_t message_len, signature[crypto_sign_BYTES], key[KEY], message[MESSAGE_MAX]; };
static struct known known[KNOWN];

static struct known *note(const uint8_t *signature, const uint8_t *message, size_t len, const uint8_t *key)
{
    struct known *k = &known[place_of(signature, KNOWN)];
    *k = (struct known){ .set = true, .message_len = (uint8_t)len };
    memcpy(k->signature, signature, sizeof k->signature);
    memcpy(k->key, key, sizeof k->key);
    memcpy(k->message, message, len);
    return k;
}

int crypto_sign_detached(unsigned char *signature, unsigned long long *out_len, const unsigned char *message, unsigned long long len,
                         const unsigned char *secret)
{
    int failed = crypto_sign_ed25519_detached(signature, out_len, message, len, secret);
    if (failed == 0 && len <= MESSAGE_MAX)
        note(signature, message, (size_t)len, secret + KEY)->good = true;
    return failed;
}

int crypto_sign_verify_detached(const unsigned char *signature, const unsigned char *message, unsigned long long len, const unsigned char *key)
{
    asked++;
    if (len > MESSAGE_MAX)
        return crypto_sign_ed25519_verify_detached(signature, message, len, key);
    struct known *k = &known[place_of(signature, KNOWN)];
    if (k->set && k->message_len == len && memcmp(k->signature, signature, sizeof k->signature) == 0
        && memcmp(k->key, key, sizeof k->key) == 0 && memcmp(k->message, message, (size_t)len) == 0) {
        kept++;
        return k->good ? 0 : -1;
    }
    k = note(signature, message, (size_t)len, key);
    k->good = crypto_sign_ed25519_verify_detached(signature, message, len, key) == 0;
    return k->good ? 0 : -1;
}

/* ---- key agreement: secret a with public B is secret b with public A ------------------------------------------------ */

struct pair { bool set; uint8_t secret[KEY], public[KEY]; };
struct agreed { bool set; uint8_t less[KEY], more[KEY], shared[KEY]; };
static struct pair pairs[SECRETS];
static struct agreed agreed[SECRETS];

int crypto_scalarmult_base(unsigned char *public, const unsigned char *secret)
{
    struct pair *p = &pairs[place_of(secret, SECRETS)];
    if (p->set && memcmp(p->secret, secret, KEY) == 0) {
        memcpy(public, p->public, KEY);
        return 0;
    }
    int failed = crypto_scalarmult_curve25519_base(public, secret);
    if (failed == 0) {
        p->set = true;
        memcpy(p->secret, secret, KEY);
        memcpy(p->public, public, KEY);
    }
    return failed;
}

int crypto_scalarmult(unsigned char *shared, const unsigned char *secret, const unsigned char *public)
{
    const struct pair *p = &pairs[place_of(secret, SECRETS)];
    asked++;
    if (!p->set || memcmp(p->secret, secret, KEY) != 0)
        return crypto_scalarmult_curve25519(shared, secret, public);
    bool less = memcmp(p->public, public, KEY) < 0;
    const uint8_t *first = less ? p->public : public, *second = less ? public : p->public;
    struct agreed *a = &agreed[(place_of(first, SECRETS) ^ place_of(second, SECRETS)) % SECRETS];
    if (a->set && memcmp(a->less, first, KEY) == 0 && memcmp(a->more, second, KEY) == 0) {
        kept++;
        memcpy(shared, a->shared, KEY);
        return 0;
    }
    int failed = crypto_scalarmult_curve25519(shared, secret, public);
    if (failed == 0) {
        a->set = true;
        memcpy(a->less, first, KEY);
        memcpy(a->more, second, KEY);
        memcpy(a->shared, shared, KEY);
    }
    return failed;
}
