/* SPDX-License-Identifier: GPL-2.0-only */
/* Paths: see path.h. */

#include "path.h"

#include <fnmatch.h>
#include <string.h>

#include "macro.h"

bool path_is_in(const char *path, const char *glob) {
        _cleanup_free_ char *above = strdup(path);

        while (above && above[0] == '/') {
                char *slash = strrchr(above, '/');

                if (fnmatch(glob, above, 0) == 0)
                        return true;
                if (above[1] == '\0')
                        return false;
                /* "/a" lies in "/" */
                slash[slash == above] = '\0';
        }
        return false;
}
