/* SPDX-License-Identifier: EUPL-1.2 */
#include "test.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern const struct test_case *const __start_test_cases[];
extern const struct test_case *const __stop_test_cases[];

static jmp_buf stop_here;
static int failures_of_test;
static const char *skipped;

void test_fail(const char *file, int line, const char *fmt, ...)
{
    failures_of_test++;
    if (failures_of_test > 20) return;
    printf("# %s:%d: ", file, line);
    va_list ap;
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    printf("\n");
}

void test_stop(void)
{
    longjmp(stop_here, 1);
}

void test_skip(const char *why)
{
    skipped = why;
    longjmp(stop_here, 1);
}

const char *test_corpus(void)
{
    const char *dir = getenv("VAKA_CORPUS");
    struct stat st;
    return dir && *dir && stat(dir, &st) == 0 && S_ISDIR(st.st_mode) ? dir : NULL;
}

size_t test_less(size_t n)
{
    const char *times = getenv("VAKA_TEST_LESS");
    size_t by = times ? strtoul(times, NULL, 10) : 1;
    return by > 1 ? n / by : n;
}

char *test_read_file(const char *path, size_t *ret_len)
{
    FILE *f = fopen(path, "rbe");
    if (!f) {
        printf("Bail out! cannot read %s\n", path);
        exit(1);
    }
    size_t len = 0, cap = 65536;
    char *data = malloc(cap);
    for (size_t n; data && (n = fread(data + len, 1, cap - len, f)) > 0;) {
        len += n;
        if (len == cap) data = realloc(data, cap *= 2);
    }
    (void)fclose(f);
    if (!data) exit(1);
    *ret_len = len;
    return data;
}

static char folder[128]; /* empty until it is needed */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static void remove_folder(void)
{
    if (*folder) (void)nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *test_path(const char *name)
{
    static char paths[8][4096];
    static unsigned next;
    if (!*folder) {
        const char *tmp = getenv("TMPDIR");
        (void)snprintf(folder, sizeof folder, "%s/vaka-test-XXXXXX", tmp && *tmp ? tmp : P_tmpdir);
        if (!mkdtemp(folder)) {
            printf("Bail out! cannot make %s\n", folder);
            exit(1);
        }
    }
    char *path = paths[next++ % 8];
    (void)snprintf(path, sizeof *paths, "%s/%s", folder, name);
    return path;
}

void test_write_bytes(const char *name, struct slice bytes)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s", test_path(name));
    for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        (void)mkdir(path, 0700);
    }
    FILE *f = fopen(path, "wbe");
    bool good = f && fwrite(bytes.ptr, 1, bytes.len, f) == bytes.len;
    if (!f || fclose(f) != 0 || !good) {
        printf("Bail out! cannot write %s\n", path);
        exit(1);
    }
}

static bool selected(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        size_t n = strlen(argv[i]);
        if (n && argv[i][n - 1] == '*' ? strncmp(name, argv[i], n - 1) == 0
                                       : strcmp(name, argv[i]) == 0)
            return true;
    }
    return argc < 2;
}

static void run_one(const struct test_case *t)
{
    failures_of_test = 0;
    skipped = NULL;
    if (setjmp(stop_here) == 0) t->run();
}

int main(int argc, char **argv)
{
    int number = 0, failed = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (const struct test_case *const *t = __start_test_cases; t < __stop_test_cases; t++) {
        if (!selected((*t)->name, argc, argv)) continue;
        run_one(*t);
        number++;
        if (failures_of_test) failed++;
        printf("%s %d - %s%s%s\n", failures_of_test ? "not ok" : "ok", number, (*t)->name,
               skipped && !failures_of_test ? " # SKIP " : "",
               skipped && !failures_of_test ? skipped : "");
    }
    printf("1..%d\n", number);
    remove_folder();
    return failed != 0;
}
