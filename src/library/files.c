/* SPDX-License-Identifier: EUPL-1.2 */
#include "library/files.h"

bool library_file_find(struct slice name, struct slice *ret)
{
    for (const struct library_file *f = library_files; f->name; f++) {
        if (!slice_eq(slice_of(f->name), name)) continue;
        *ret = slice_make(f->text, f->len);
        return true;
    }
    return false;
}
