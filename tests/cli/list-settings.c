/* SPDX-License-Identifier: GPL-2.0-only */
/* Prints "GROUP SETTING" for every setting there is, for the test of the manual. */

#include <stdio.h>

#include "conf-keys.h"

int main(void) {
        for (size_t i = 0; i < _CONF_GROUP_MAX; i++)
                for (size_t k = 0; k < conf_groups[i].nr_keys; k++)
                        printf("%s %s\n", conf_groups[i].name[0] ? conf_groups[i].name : "top level",
                               conf_groups[i].keys[k].name);
        return 0;
}
