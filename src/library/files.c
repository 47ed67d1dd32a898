/* SPDX-License-Identifier: EUPL-1.2 */
#include "library/files.h"

bool library_file_find(struct slice name, struct slice *ret)
{
    for (const struct embedded *f = library_files; f->name; f++) {
        if (!slice_eq(slice_of(f->name), name)) continue;
        *ret = f->text;
        return true;
    }
    return false;
}
