/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the parts of the book share: people (book_people.c), sessions and tokens (book_access.c),
 * pseudonyms and the log (book_log.c).
 */
#ifndef VAKA_ACCOUNT_BOOK_ROWS_H
#define VAKA_ACCOUNT_BOOK_ROWS_H

#include "account/book.h"
#include "state/db.h"

struct book {
    struct db *db;
    struct strongbox_key key;
};

/* One that changes a row: ERR_NOT_FOUND when it has changed none. */
int book_change(struct book *b, const char *statement, const struct db_value *values,
                size_t n) MUST_USE;
/* One that does nothing on a conflict: ERR_INVALID then. */
int book_insert(struct book *b, const char *statement, const struct db_value *values, size_t n,
                uint64_t *ret_id) MUST_USE;
/* Goes to the first row; on failure, ERR_NOT_FOUND when there is none, they are ended. */
int book_first(struct db_rows *rows) MUST_USE;
/* With its NUL; a text that has no room becomes an empty one. */
void book_copy_text(const struct db_rows *rows, int column, char *ret, size_t size);
/* Borrowed. */
struct db_value book_hash(const struct secret_hash *hash);
/* One that is none becomes zeros, which no secret has. */
struct secret_hash book_get_hash(const struct db_rows *rows, int column);

#endif
