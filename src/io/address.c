/* Addresses as people write them, as nng wants them, and as the caps count them; foreign error codes. */
#include "loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool host_ok(const char *host, size_t len, bool listening)
{
    if (len == 0 || len > 253)
        return false;
    if (host[0] == '[') {
        char text[INET6_ADDRSTRLEN];
        struct in6_addr parsed;
        if (len < 4 || host[len - 1] != ']' || len - 2 >= sizeof text)
            return false;
        memcpy(text, host + 1, len - 2);
        text[len - 2] = 0;
        return inet_pton(AF_INET6, text, &parsed) == 1;
    }
    if (len == 1 && host[0] == '*')
        return listening;
    for (size_t i = 0; i < len; i++) {
        char c = host[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
        if (!good)
            return false;
    }
    return true;
}

enum focal_status focal_io_address_url(char url[IO_URL_TEXT], const char *address, bool listening)
{
    const char *colon = strrchr(address, ':');
    uint64_t port;

    if (!colon || !host_ok(address, (size_t)(colon - address), listening))
        return FOCAL_USAGE;
    if (!focal_parse_u64(focal_span_text(colon + 1), &port) || port > 65535 || (port == 0 && !listening))
        return FOCAL_USAGE;
    int n = snprintf(url, IO_URL_TEXT, "tcp://%.*s:%u", (int)(colon - address), address, (unsigned)port);
    return n > 0 && n < IO_URL_TEXT ? FOCAL_OK : FOCAL_USAGE;
}

bool focal_io_address_text(char out[IO_ADDRESS_TEXT], const nng_sockaddr *address)
{
    char host[INET6_ADDRSTRLEN];

    if (address->s_family == NNG_AF_INET) {
        if (!inet_ntop(AF_INET, &address->s_in.sa_addr, host, sizeof host))
            return false;
        snprintf(out, IO_ADDRESS_TEXT, "%s:%u", host, (unsigned)ntohs(address->s_in.sa_port));
        return true;
    }
    if (address->s_family == NNG_AF_INET6) {
        if (!inet_ntop(AF_INET6, address->s_in6.sa_addr, host, sizeof host))
            return false;
        snprintf(out, IO_ADDRESS_TEXT, "[%s]:%u", host, (unsigned)ntohs(address->s_in6.sa_port));
        return true;
    }
    return false;
}

bool focal_io_address_source(struct io_source *source, const nng_sockaddr *address)
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

    *source = (struct io_source){ 0 };
    if (address->s_family == NNG_AF_INET) {
        source->family = 4;
        memcpy(source->prefix, &address->s_in.sa_addr, 4);
        return true;
    }
    if (address->s_family != NNG_AF_INET6)
        return false;
    if (memcmp(address->s_in6.sa_addr, mapped, sizeof mapped) == 0) {
        source->family = 4;
        memcpy(source->prefix, address->s_in6.sa_addr + 12, 4);
    } else {
        source->family = 6;
        memcpy(source->prefix, address->s_in6.sa_addr, 8);
    }
    return true;
}

enum focal_status focal_io_status_of_nng(int rv)
{
    switch (rv) {
    case 0:                 return FOCAL_OK;
    case NNG_ENOMEM:        return FOCAL_NO_MEMORY;
    case NNG_ENOFILES:      return FOCAL_FULL;
    case NNG_EADDRINUSE:    return FOCAL_BUSY;
    case NNG_EPERM:         return FOCAL_DENIED;
    case NNG_ETIMEDOUT:     return FOCAL_TIMEOUT;
    case NNG_EADDRINVAL:    return FOCAL_USAGE;
    case NNG_ECLOSED:
    case NNG_ECONNSHUT:
    case NNG_ECONNRESET:
    case NNG_ECONNABORTED:
    case NNG_ECONNREFUSED:
    case NNG_EUNREACHABLE:
    case NNG_ECANCELED:     return FOCAL_UNREACHABLE;
    default:                return FOCAL_IO;
    }
}

enum focal_status focal_io_status_of_errno(int code)
{
    switch (code) {
    case 0:             return FOCAL_OK;
    case ENOENT:
    case ENOTDIR:       return FOCAL_NOT_FOUND;
    case EEXIST:        return FOCAL_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:         return FOCAL_DENIED;
    case ENOSPC:
    case EDQUOT:        return FOCAL_DISK_FULL;
    case ENOMEM:        return FOCAL_NO_MEMORY;
    case EMFILE:
    case ENFILE:        return FOCAL_FULL;
    case EADDRINUSE:    return FOCAL_BUSY;
    case ENAMETOOLONG:  return FOCAL_TOO_BIG;
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:         return FOCAL_UNREACHABLE;
    case ETIMEDOUT:     return FOCAL_TIMEOUT;
    default:            return FOCAL_IO;
    }
}

enum focal_status focal_io_status_of_uv(int rv)
{
    /* On Linux uv's codes are the negated ones of errno. */
    return rv < 0 ? focal_io_status_of_errno(-rv) : FOCAL_OK;
}
