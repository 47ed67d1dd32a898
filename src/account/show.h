/* SPDX-License-Identifier: EUPL-1.2 */
/* What there is in the book, as JSON for people who may see it: no hash, no key. */
#ifndef VAKA_ACCOUNT_SHOW_H
#define VAKA_ACCOUNT_SHOW_H

#include "account/book.h"

/* Errors are the book's. */
int show_user(struct buf *out, struct book *book, const struct book_user *user) MUST_USE;
void show_session(struct buf *out, const struct book_session *session);
void show_token(struct buf *out, const struct book_token *token);
void show_entry(struct buf *out, const struct book_entry *entry);
/* [{"name":…,"text":…,"text_sv":…},…] of a set of rights. */
void show_rights(struct buf *out, uint64_t rights);
/* The permission matrix: {"roles":[{"name":…,"text":…,"rights":[…]}],"rights":[…]}. */
void show_roles(struct buf *out);

#endif
