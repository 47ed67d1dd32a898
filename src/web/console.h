/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The console's files (ui/): the same for everybody, without a secret, so that nobody is asked who
 * he is. `/assets/` has files whose names say what is in them and which never change; every other
 * path is the shell, which knows its pages itself.
 */
#ifndef VAKA_WEB_CONSOLE_H
#define VAKA_WEB_CONSOLE_H

#include "base/embedded.h"
#include "base/slice.h"

/* "assets/main-7VQ3.js"; beside it "assets/main-7VQ3.js.gz" when packing it is worth while. */
extern const struct embedded console_files[];

struct api_call;

/* Answers what is not below API_ROOT. */
void console_answer(struct api_call *c);

#endif
