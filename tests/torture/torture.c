/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Torture: what reads input is run again and again, and in run N its N-th allocation fails; first
 * that one alone, then it and all behind it. Then, where a subject wants it, the same with calls to
 * the disk. A run must end in one of these ways:
 *
 *   - with an error;
 *   - with success and exactly the output of an undisturbed run;
 *   - with success and an output that tells of the loss (a record called bad or cut);
 *   - in an ASSERT that the subject lists as a small allocation of ours;
 *
 * and must leave nothing allocated. Anything else, a crash above all, fails the subject. Runs go on
 * until one meets no failure.
 *
 * malloc and its family are wrapped by the linker (see meson.build), in Vaka's own code; libraries
 * have their memory as always. ASSERT is wrapped too: the runs happen in a child, which notes the
 * place and ends; the next child goes on behind it.
 */
#include "torture.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUNS_MAX = 20000, EXIT_ASSERTED = 77, PLACE_MAX = 100 };

/* Shared with the children. */
struct report {
    uint64_t run; /* the one that is going on */
    uint64_t errors, same, told, asserted;
    bool finished;
    char problem[400]; /* the first one */
    char assert_place[PLACE_MAX];
};

static struct report *report;
static enum { ALLOCATIONS, CALLS } failing;
static uint64_t met, fail_at; /* allocations or calls */
static bool fail_on;
static bool failed, spared;
static int64_t outstanding;

/* ---- the allocator ----------------------------------------------------------------------- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *ptr, size_t size);
void *__real_reallocarray(void *ptr, size_t n, size_t size);
char *__real_strdup(const char *text);
void __real_free(void *ptr);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *ptr, size_t size);
void *__wrap_reallocarray(void *ptr, size_t n, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *ptr);
void __wrap_assert_failed(const char *expr, const char *file, int line, const char *func);

static bool fails(void)
{
    if (spared) return false;
    met++;
    if (fail_at == 0 || met < fail_at || (met > fail_at && !fail_on)) return false;
    failed = true;
    return true;
}

static bool allocation_fails(void)
{
    return failing == ALLOCATIONS && fails();
}

bool torture_call_fails(void)
{
    return failing == CALLS && fails();
}

void torture_spare(void)
{
    spared = true;
}

void torture_go_on(void)
{
    spared = false;
}

static void *counted(void *ptr)
{
    if (ptr) outstanding++;
    return ptr;
}

void *__wrap_malloc(size_t size)
{
    return allocation_fails() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return allocation_fails() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *ptr, size_t size)
{
    if (allocation_fails()) return NULL;
    void *moved = __real_realloc(ptr, size);
    if (!ptr && moved) outstanding++;
    return moved;
}

void *__wrap_reallocarray(void *ptr, size_t n, size_t size)
{
    if (allocation_fails()) return NULL;
    void *moved = __real_reallocarray(ptr, n, size);
    if (!ptr && moved) outstanding++;
    return moved;
}

char *__wrap_strdup(const char *text)
{
    return allocation_fails() ? NULL : counted(__real_strdup(text));
}

void __wrap_free(void *ptr)
{
    if (ptr) outstanding--;
    __real_free(ptr);
}

void __wrap_assert_failed(const char *expr, const char *file, int line, const char *func)
{
    const char *base = strrchr(file, '/');
    (void)snprintf(report->assert_place, PLACE_MAX, "%s:%s: %s", base ? base + 1 : file, func,
                   expr);
    if (!failed)
        (void)snprintf(report->problem, sizeof report->problem, "%s:%d: ASSERT(%s)", file, line,
                       expr);
    _exit(EXIT_ASSERTED);
}

/* ---- runs -------------------------------------------------------------------------------- */

static void problem(const char *what, uint64_t run)
{
    if (report->problem[0]) return;
    (void)snprintf(report->problem, sizeof report->problem, "%s %llu%s: %s",
                   failing == CALLS ? "call" : "allocation", (unsigned long long)run,
                   fail_on ? " and all behind" : "", what);
}

static int run_once(const struct torture *subject, uint64_t at, struct buf *out)
{
    buf_clear(out);
    fail_at = 0;
    REQUIRE(buf_reserve(out, TORTURE_OUT_MAX)); /* the test's own memory never fails */
    int64_t before = outstanding;
    met = 0;
    failed = false;
    fail_at = at;
    int result = subject->run(subject->ctx, out);
    fail_at = 0;
    if (outstanding != before) {
        char what[64];
        (void)snprintf(what, sizeof what, "%lld allocations are left over",
                       (long long)(outstanding - before));
        problem(what, at);
    }
    return result;
}

static void differs(struct slice want, struct slice got)
{
    char what[200];
    size_t at = 0;
    while (at < want.len && at < got.len && want.ptr[at] == got.ptr[at]) at++;
    (void)snprintf(what, sizeof what, "success, but `%.60s` instead of `%.60s`",
                   slice_from(got, at).ptr, slice_from(want, at).ptr);
    problem(what, report->run);
}

static uint64_t count_words(const char *const *words, struct slice text)
{
    uint64_t n = 0;
    for (const char *const *w = words; w && *w; w++) {
        struct slice rest = text, word = slice_of(*w);
        for (size_t at; (at = slice_find(rest, word)) != SIZE_MAX; n++)
            rest = slice_from(rest, at + word.len);
    }
    return n;
}

static bool loss_is_told(const struct torture *subject, struct slice want, struct slice got)
{
    return count_words(subject->told_by, got) > count_words(subject->told_by, want);
}

static void run_from(const struct torture *subject)
{
    struct buf want, out;
    buf_init(&want, TORTURE_OUT_MAX);
    buf_init(&out, TORTURE_OUT_MAX);
    if (run_once(subject, 0, &want) != 0 || want.len == 0) problem("it fails undisturbed", 0);
    buf_putc(&want, '\0');
    want.len--;
    for (; !report->problem[0] && report->run <= RUNS_MAX; report->run++) {
        int result = run_once(subject, report->run, &out);
        buf_putc(&out, '\0');
        out.len--;
        if (result != 0 && !failed) problem("an error that nothing caused", report->run);
        if (result != 0) report->errors++;
        else if (loss_is_told(subject, buf_slice(&want), buf_slice(&out))) report->told++;
        else if (!slice_eq(buf_slice(&out), buf_slice(&want)))
            differs(buf_slice(&want), buf_slice(&out));
        else report->same++;
        report->finished = !failed && !report->problem[0];
        if (report->finished) break;
    }
    buf_done(&want);
    buf_done(&out);
    _exit(0);
}

static bool is_listed(const struct torture *subject, const char *place)
{
    for (const char *const *p = subject->asserts; p && *p; p++)
        if (slice_starts_with(slice_of(place), slice_of(*p))) return true;
    return false;
}

static void run_children(const struct torture *subject)
{
    *report = (struct report){.run = 1};
    while (!report->finished && !report->problem[0]) {
        int status = 0;
        pid_t pid = fork();
        if (pid == 0) run_from(subject);
        if (pid < 0 || waitpid(pid, &status, 0) != pid) {
            problem("no child process", report->run);
        } else if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_ASSERTED) {
            char what[PLACE_MAX + 32];
            (void)snprintf(what, sizeof what, "ends in %s", report->assert_place);
            if (!is_listed(subject, report->assert_place)) problem(what, report->run);
            report->asserted++;
            report->run++;
        } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            problem("it crashes", report->run);
        } else if (report->run > RUNS_MAX) {
            problem("it never gets through", report->run);
        }
    }
}

void torture_run(const struct torture *subject)
{
    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(report != MAP_FAILED);
    for (int mode = 0; mode < (subject->calls ? 4 : 2); mode++) {
        failing = mode < 2 ? ALLOCATIONS : CALLS;
        fail_on = mode % 2 == 1;
        run_children(subject);
        if (report->problem[0]) test_fail(__FILE__, __LINE__, "%s", report->problem);
        printf("# %llu runs: %llu errors, %llu without loss, %llu with a loss that is told, "
               "%llu ended by ASSERT\n",
               (unsigned long long)report->run, (unsigned long long)report->errors,
               (unsigned long long)report->same, (unsigned long long)report->told,
               (unsigned long long)report->asserted);
        CHECK(report->run > 1); /* else nothing was there to fail */
    }
    (void)munmap(report, sizeof *report);
}
