/* SPDX-License-Identifier: GPL-2.0-only */
/* Prints a line for each setting that damond.conf may have: its group ("-" is the file itself),
 * its name, and whether it is "required" or "optional". For test-manual. */

#include <stdio.h>

#include "conf-keys.h"

int main(void) {
        for (size_t i = 0; i < _CONF_GROUP_MAX; i++) {
                const struct conf_group *group = &conf_groups[i];

                for (size_t k = 0; k < group->nr_keys; k++)
                        printf("%s %s %s\n", group->name[0] != '\0' ? group->name : "-", group->keys[k].name,
                               group->keys[k].required ? "required" : "optional");
        }
        return 0;
}
