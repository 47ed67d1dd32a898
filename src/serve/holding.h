/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Records that people at the API hold, whatever their age: the file of holds, for the process that
 * removes records and so reads it before each of them. As vaka hold does it.
 */
#ifndef VAKA_SERVE_HOLDING_H
#define VAKA_SERVE_HOLDING_H

#include "serve/role.h"

struct holding {
    int folder;       /* of the records */
    const char *path; /* of the file */
    bool named;       /* a setting names it, and others write it */
};

/*
 * An act of web's: does `holds`, `hold` or `lift`, and tells web what became of it. Nothing waits
 * for somebody else who changes the file. ERR_CORRUPT: the frame is none.
 */
int holding_frame(struct role *r, const struct holding *h, const struct frame *frame) MUST_USE;

#endif
