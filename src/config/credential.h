/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Secrets that the service manager hands over: where a setting names a file, "credential:NAME" is
 * the credential NAME of the unit (systemd.exec(5), LoadCredentialEncrypted=), a file in
 * $CREDENTIALS_DIRECTORY. Who is asked outside of the unit looks where those of vaka.service are.
 */
#ifndef VAKA_CONFIG_CREDENTIAL_H
#define VAKA_CONFIG_CREDENTIAL_H

#include "base/error.h"
#include "base/slice.h"

#define CREDENTIAL_MARK   "credential:"
#define CREDENTIAL_FOLDER "/run/credentials/vaka.service"

/* Whether it names one, rightly or not. */
bool credential_is(struct slice text);
/*
 * The path of the one that is named, whether or not it is there. ERR_INVALID: the name is none, of
 * 1 to 255 letters, digits, . _ and -; ERR_LIMIT: it is longer than `size` - 1 bytes. Reads the
 * environment.
 */
int credential_path(struct slice text, char *ret, size_t size) MUST_USE;

#endif
