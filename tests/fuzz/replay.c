/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Runs a fuzz target over files and folders of inputs, as a TAP test: what a fuzzer once found must
 * stay fixed. Besides every input as it is, each of its first prefixes is tried.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t inputs;

static void run_file(const char *path)
{
    FILE *f = fopen(path, "rbe");
    if (!f) return;
    struct buf b;
    buf_init(&b, 64 << 20);
    char piece[8192];
    for (size_t n; (n = fread(piece, 1, sizeof piece, f)) > 0;) buf_put(&b, slice_make(piece, n));
    (void)fclose(f);
    /* An exact copy, so that the sanitizer sees reads past the end. */
    uint8_t *copy = malloc(b.len ? b.len : 1);
    if (copy) {
        if (b.len) memcpy(copy, b.ptr, b.len);
        (void)LLVMFuzzerTestOneInput(copy, b.len);
        for (size_t n = 0; n < b.len && n < 64; n++) (void)LLVMFuzzerTestOneInput(copy, n);
        inputs++;
    }
    free(copy);
    buf_done(&b);
}

static void run_path(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0) return;
    if (!S_ISDIR(st.st_mode)) {
        run_file(path);
        return;
    }
    DIR *dir = opendir(path);
    if (!dir) return;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        char child[4096];
        if (e->d_name[0] == '.') continue;
        if (snprintf(child, sizeof child, "%s/%s", path, e->d_name) < (int)sizeof child)
            run_path(child);
    }
    (void)closedir(dir);
}

int main(int argc, char **argv)
{
    (void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) run_path(argv[i]);
    printf("%s 1 - %llu inputs replayed\n1..1\n", inputs ? "ok" : "not ok",
           (unsigned long long)inputs);
    return inputs == 0;
}
