/* SPDX-License-Identifier: EUPL-1.2 */
/* A mail of plain text: RFC 5322, RFC 2045 to 2047 (UTF-8, quoted-printable), RFC 3834. */
#ifndef VAKA_NOTIFY_MIME_H
#define VAKA_NOTIFY_MIME_H

#include "base/buf.h"
#include "base/clock.h"

struct mime {
    const char *from; /* an address, as notify_is_mail() takes it */
    struct slice to;  /* the same */
    struct slice subject, body;
    uint64_t id;     /* of this mail: no other has it */
    uint64_t thread; /* of what it belongs to; 0: nothing */
    nsec time;       /* realtime */
};

/* Appends it, lines ended by CRLF. Whatever subject and body hold, no header but these comes of it,
 * and every line is of ASCII and at most 78 bytes, but for addresses. */
void mime_write(struct buf *out, const struct mime *m);

#endif
