/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

static bool read_rights(struct slice words, unsigned *ret)
{
    struct slice word;
    *ret = 0;
    for (bool more = words.len > 0; more;) {
        more = slice_split(words, ',', &word, &words);
        unsigned right = token_right_of(word);
        if (!right) return false;
        *ret |= right;
    }
    return *ret != 0;
}

static int read_line(struct tokens *t, struct slice line, const char **ret_why)
{
    struct slice name = slice_next_word(&line), rights = slice_next_word(&line),
                 secret = slice_next_word(&line);
    struct token token = {.identity = name};
    *ret_why = "a name, rights and a token are expected";
    if (secret.len == 0 || slice_trim(line).len > 0) return ERR_SYNTAX;
    *ret_why = "rights are ingest, elastic, splunk, otlp, journal, metrics and witness";
    if (!read_rights(rights, &token.rights)) return ERR_SYNTAX;
    *ret_why = "the token is shorter than 16 bytes, too long, or there already";
    return tokens_add(t, secret, &token);
}

int tokens_read(const char *name, struct slice text, struct tokens *t, struct diag *diag)
{
    struct slice line;
    uint32_t number = 0;
    for (bool more = text.len > 0; more;) {
        const char *why;
        more = slice_split(text, '\n', &line, &text);
        number++;
        line = slice_trim(line);
        if (line.len == 0 || line.ptr[0] == '#') continue;
        int error = read_line(t, line, &why);
        if (error) return diag_set(diag, error, name, number, 1, "%s", why);
    }
    return 0;
}

int tokens_read_fd(int fd, const char *path, struct tokens *t, struct diag *diag)
{
    struct buf text;
    buf_init(&text, TOKENS_FILE_MAX);
    int error = file_check_private(fd, path, diag);
    if (error == 0) error = file_read_fd(fd, path, &text, diag);
    if (error == 0) error = tokens_read(path, buf_slice(&text), t, diag);
    if (text.ptr) explicit_bzero(text.ptr, text.len);
    buf_done(&text);
    return error;
}

int tokens_read_file(const char *path, struct tokens *t, struct diag *diag)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return diag_set(diag, ERR_ACCESS, NULL, 0, 0, "%s: %s", path, strerror(errno));
    int error = tokens_read_fd(fd, path, t, diag);
    (void)close(fd);
    return error;
}
