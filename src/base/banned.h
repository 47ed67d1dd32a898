/* SPDX-License-Identifier: EUPL-1.2 */
/* Forced into every C file: functions that hide a length, an error or a locale are not available.
 */
#ifndef VAKA_BASE_BANNED_H
#define VAKA_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Fortified headers may have made macros of these. */
#undef sprintf
#undef vsprintf
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok
#pragma GCC poison atoi atol atoll atof
#pragma GCC poison asctime ctime gmtime localtime

#endif
