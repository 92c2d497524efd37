/* A configuration file: what is taken is printed and taken again the same; what is not leaves the config as it was. */
#include <string.h>

#include "focal/config.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct focal_config config, before, again;
    struct focal_error err = { .status = FOCAL_OK };
    memset(&config, 0, sizeof config);
    memset(&again, 0, sizeof again);
    focal_config_defaults(&config);
    focal_config_defaults(&again);
    before = config;
    if (focal_config_parse(&config, "fuzz.conf", focal_span_of(data, size), &err) != FOCAL_OK) {
        focal_assert(err.message[0] && memcmp(&before, &config, sizeof config) == 0);
        return 0;
    }
    struct focal_buf one, two;
    focal_buf_init(&one, 1u << 20);
    focal_buf_init(&two, 1u << 20);
    focal_config_print(&one, &config, false);
    focal_assert(focal_config_parse(&again, "again.conf", focal_buf_view(&one), &err) == FOCAL_OK);
    focal_config_print(&two, &again, false);
    focal_assert(focal_span_equal(focal_buf_view(&one), focal_buf_view(&two)));
    focal_buf_close(&one);
    focal_buf_close(&two);
    return 0;
}
