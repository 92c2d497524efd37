/* The first line each way, and requests. */
#include "focal/control.h"

#include <jansson.h>
#include <string.h>

void focal_control_hello(struct focal_buf *out)
{
    focal_buf_printf(out, "{\"focal\":\"control\",\"version\":%d,\"program\":\"%s\"}\n", FOCAL_CONTROL_VERSION, FOCAL_VERSION);
}

enum focal_status focal_control_hello_check(struct focal_span line, struct focal_error *err)
{
    json_t *hello = NULL;
    enum focal_status st = focal_json_parse(&hello, line, err);
    if (st != FOCAL_OK)
        return st;
    const char *name = json_string_value(json_object_get(hello, "focal"));
    const json_t *version = json_object_get(hello, "version");
    if (!name || strcmp(name, "control") != 0 || !json_is_integer(version))
        st = focal_fail(err, FOCAL_MALFORMED, "the first line is {\"focal\":\"control\",\"version\":1}", "the other side does not speak the control protocol");
    else if (json_integer_value(version) != FOCAL_CONTROL_VERSION)
        st = focal_fail(err, FOCAL_UNSUPPORTED, "bring focald and focalctl to the same version",
                        "the other side speaks version %lld of the control protocol, this program version %d",
                        (long long)json_integer_value(version), FOCAL_CONTROL_VERSION);
    json_decref(hello);
    return st;
}

static enum focal_status read_request(struct focal_request *r, const json_t *line, struct focal_error *err)
{
    const char *form = "a request is {\"id\":1,\"do\":\"status\",\"with\":{}}";
    const json_t *id = json_object_get(line, "id"), *verb = json_object_get(line, "do");
    if (json_is_integer(id) && json_integer_value(id) >= 0)
        r->id = (uint64_t)json_integer_value(id);
    else
        return focal_fail(err, FOCAL_MALFORMED, form, "the request has no \"id\" that is a whole number");
    const char *name = json_string_value(verb);
    if (!name || json_string_length(verb) >= sizeof r->verb || json_string_length(verb) != strlen(name))
        return focal_fail(err, FOCAL_MALFORMED, form, "the request has no \"do\" that names a command");
    memcpy(r->verb, name, strlen(name) + 1);
    json_t *with = json_object_get(line, "with");
    if (with && !json_is_null(with) && !json_is_object(with))
        return focal_fail(err, FOCAL_MALFORMED, form, "\"with\" is not an object");
    if (json_is_object(with))
        r->with = json_incref(with);
    return FOCAL_OK;
}

enum focal_status focal_request_parse(struct focal_request *r, struct focal_span line, struct focal_error *err)
{
    json_t *parsed = NULL;
    memset(r, 0, sizeof *r);
    if (line.len > FOCAL_CONTROL_LINE_MAX)
        return focal_fail(err, FOCAL_TOO_BIG, "send it in several requests", "a request has at most %u bytes", FOCAL_CONTROL_LINE_MAX);
    enum focal_status st = focal_json_parse(&parsed, line, err);
    if (st == FOCAL_OK)
        st = read_request(r, parsed, err);
    json_decref(parsed);
    return st;
}

void focal_request_close(struct focal_request *r)
{
    json_decref(r->with);
    r->with = NULL;
}

void focal_request_print(struct focal_buf *out, uint64_t id, const char *verb, const struct json_t *with)
{
    json_t *name = json_string(verb);
    focal_buf_printf(out, "{\"id\":%llu,\"do\":", (unsigned long long)id);
    focal_json_print(out, name);
    json_decref(name);
    if (with) {
        focal_buf_text(out, ",\"with\":");
        focal_json_print(out, with);
    }
    focal_buf_text(out, "}\n");
}
