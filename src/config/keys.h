/* Shared by the files of this room only. */
#ifndef FOCAL_CONFIG_KEYS_H
#define FOCAL_CONFIG_KEYS_H

#include "focal/config.h"

const struct focal_config_key *focal_config_find(const char *section, const char *name);      /* NULL: no such key */

#endif
