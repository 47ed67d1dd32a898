/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A process that commits to real files and tells after each commit how far it has promised, and
 * ends in the middle of it: store_kill [--kills N] [--cuts N] [--seed N] [--json]. Prints TAP; with
 * --json the figures as one object on standard error.
 *
 * kills      It is killed. What it wrote is in the page cache at least, so this says nothing about
 *            syncs, but much about what is half done.
 * cuts       The file system under it, ext4 on a loop device, is shut down without writing back
 *            anything (EXT4_IOC_SHUTDOWN), and mounted again: what was not synced is gone.
 * control    The same without any sync must lose, or the cuts prove nothing.
 *
 * What a batch holds follows from its first number, so that whoever reads can tell what must be
 * there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "store/history.h"

enum {
    HOLES_MAX = 64,
    ROUNDS = 50,      /* in one directory, then a new one */
    REPORTS_MAX = 30, /* commits until the end comes */
    DELAY_MAX = 2000, /* microseconds after that */
    IMAGE = 64 << 20, /* bytes of the file system */
    SHUTDOWN_NOLOGFLUSH = 2,
};
#define EXT4_SHUTDOWN _IOR('X', 125, uint32_t) /* fs/ext4/ext4.h of Linux */

struct figures {
    uint64_t kills, kill_promised, cuts, cut_promised, control, control_lost, tails, torn;
};

/* One directory and what is known of it. */
struct scene {
    struct figures figures;
    uint64_t seed;
    int dirfd;
    struct store_options options;
    uint64_t promised; /* all numbers below it, but for the holes */
    struct {
        uint64_t from, to;
    } holes[HOLES_MAX];
    size_t n_holes;
    uint64_t expected; /* while reading: the next number */
    struct buf batch;
    struct store_io io;
    char why[HISTORY_WHY_MAX];
};

static uint64_t below(struct scene *s, uint64_t n)
{
    s->seed = hash_mix(s->seed + 1, UINT64_C(0x51ed270b7f4a7c15));
    return (s->seed >> 16) % n;
}

static void complain(struct scene *s, const char *what, uint64_t number)
{
    if (s->why[0] == 0)
        (void)snprintf(s->why, sizeof s->why, "%s %llu", what, (unsigned long long)number);
}

/* The batch that begins with this number; *ret_n its records. */
static struct slice batch_of(struct buf *out, uint64_t first, uint32_t *ret_n)
{
    uint64_t chance = hash_mix(first, 99);
    *ret_n = 1 + (uint32_t)(chance % 3);
    buf_clear(out);
    history_batch(out, first, *ret_n, chance >> 8 & 1 ? chance >> 16 & 511 : chance >> 16 & 4095);
    return buf_slice(out);
}

/* ---- the process that ends ---------------------------------------------------------------- */

static int no_sync_data(void *ctx, int file)
{
    (void)ctx;
    (void)file;
    return 0;
}

static int no_sync_names(void *ctx)
{
    (void)ctx;
    return 0;
}

static void ignore_journal(void *ctx, const struct store_journal *journal)
{
    (void)ctx;
    (void)journal;
}

static void ignore_damage(void *ctx, const struct store_damage *damage)
{
    (void)ctx;
    (void)damage;
}

static int append_some(struct scene *s, struct store *store, uint64_t *next)
{
    for (uint64_t i = 1 + below(s, 4); i > 0; i--) {
        uint32_t n;
        uint64_t first;
        struct batch b;
        if (batch_open(batch_of(&s->batch, *next, &n), &b) != 0) return ERR_CORRUPT;
        int result = store_append(store, &b, &first);
        if (result != 0) return result;
        if (first != *next) return ERR_CORRUPT;
        *next += n;
    }
    return 0;
}

static void work(struct scene *s, int report)
{
    struct store *store;
    s->options.events = (struct store_events){
        .complete = ignore_journal, .damage = ignore_damage, .opened = ignore_journal};
    int result = store_open(&s->options, &store);
    uint64_t next = result == 0 ? store_durable(store).next : 0;
    while (result == 0) {
        result = append_some(s, store, &next);
        if (result == 0) result = store_commit(store);
        if (result == 0 && write(report, &next, sizeof next) != sizeof next) break;
    }
    _exit(result == ERR_IO ? 3 : 4);
}

/* ---- what is left ------------------------------------------------------------------------- */

/* Numbers [expected, to) are not there. */
static void note_missing(struct scene *s, uint64_t to)
{
    for (size_t i = 0; i < s->n_holes; i++)
        if (s->holes[i].from == s->expected && s->holes[i].to == to) return;
    if (s->expected < s->promised || s->n_holes == HOLES_MAX) {
        complain(s, "promised and lost:", s->expected);
        return;
    }
    s->holes[s->n_holes].from = s->expected;
    s->holes[s->n_holes++].to = to;
}

static void check_frame(struct scene *s, const struct journal_frame *f)
{
    uint32_t n;
    if (f->first < s->expected) complain(s, "twice:", f->first);
    if (f->first > s->expected) note_missing(s, f->first);
    struct slice wanted = batch_of(&s->batch, f->first, &n);
    if (!slice_eq(f->batch.bytes, wanted)) complain(s, "not what was appended:", f->first);
    s->expected = f->first + f->batch.n;
}

static void check_journal(void *ctx, const struct store_journal *journal)
{
    struct scene *s = ctx;
    struct journal_reader r;
    struct journal_frame f;
    int file = journal_open(&s->io, journal->first, STORE_READ);
    if (file < 0 || journal_reader_init(&r, &s->io, file, journal->first) != 0) {
        complain(s, "not readable: journal", journal->first);
        return;
    }
    int result;
    while ((result = journal_reader_next(&r, journal->end, &f)) == 1 || result == ERR_CORRUPT)
        if (result == 1) check_frame(s, &f);
    if (result != 0) complain(s, "not readable: journal", journal->first);
    journal_reader_done(&r);
    s->io.close(s->io.ctx, file);
}

static void check_damage(void *ctx, const struct store_damage *damage)
{
    struct scene *s = ctx;
    s->figures.tails += damage->kind == STORE_DAMAGE_TAIL;
    s->figures.torn += damage->kind == STORE_DAMAGE_TORN;
    if (damage->kind == STORE_DAMAGE_LOST || damage->kind == STORE_DAMAGE_HEAD)
        complain(s, "called damage: journal", damage->journal);
}

/* Recovers; all that is there then has to be there ever after. */
static bool comes_back(struct scene *s, uint64_t promised)
{
    struct store *store;
    if (promised > s->promised) s->promised = promised;
    s->expected = 0;
    s->options.events = (struct store_events){
        .complete = check_journal, .damage = check_damage, .opened = ignore_journal, .ctx = s};
    int result = store_open(&s->options, &store);
    if (result != 0) {
        complain(s, error_text(result), 0);
        return false;
    }
    if (s->expected < s->promised) complain(s, "promised and lost:", s->expected);
    if (store_durable(store).next != s->expected) complain(s, "goes on at", s->expected);
    store_free(store);
    s->promised = s->expected;
    return s->why[0] == 0;
}

/* ---- one end ------------------------------------------------------------------------------ */

static pid_t start(struct scene *s, int *ret_report)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) abort();
    pid_t pid = fork();
    if (pid < 0) abort();
    if (pid == 0) {
        (void)close(ends[0]);
        work(s, ends[1]);
    }
    (void)close(ends[1]);
    *ret_report = ends[0];
    return pid;
}

/* Until so many commits were told, or the process has ended; the last number that was. */
static uint64_t wait_reports(int report, uint64_t n)
{
    uint64_t next = 0, told;
    for (; n > 0 && read(report, &told, sizeof told) == sizeof told; n--) next = told;
    return next;
}

/* What was told and not read yet. */
static uint64_t drain(int report, uint64_t next)
{
    uint64_t told;
    (void)fcntl(report, F_SETFL, O_NONBLOCK);
    while (read(report, &told, sizeof told) == sizeof told) next = told;
    return next;
}

static void wait_some(struct scene *s)
{
    if (below(s, 2)) (void)usleep((useconds_t)below(s, DELAY_MAX));
}

/* What the process has promised, until it was killed. */
static uint64_t kill_one(struct scene *s)
{
    int report;
    uint64_t reports = below(s, REPORTS_MAX);
    pid_t pid = start(s, &report);
    uint64_t promised = wait_reports(report, reports);
    wait_some(s);
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    promised = drain(report, promised);
    (void)close(report);
    return promised;
}

/* ---- kills -------------------------------------------------------------------------------- */

static int remove_name(void *ctx, const char *name)
{
    const struct store_io *io = ctx;
    return io->unlink(io->ctx, name);
}

/* Some file systems do not list all when some are removed meanwhile. */
static void empty(struct scene *s)
{
    for (int i = 0; i < 3; i++) (void)s->io.list(s->io.ctx, remove_name, &s->io);
    s->promised = s->n_holes = 0;
}

static void set_directory(struct scene *s, const char *path)
{
    s->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->dirfd < 0) abort();
    s->io = store_io_system(s->dirfd);
    s->options = (struct store_options){.io = &s->io,
                                        .clock = clock_system(),
                                        .seed = 5,
                                        .tenant = HISTORY_TENANT,
                                        .journal_age = 3600 * NSEC_PER_SEC,
                                        .journal_bytes = 128 * 1024,
                                        .commit_bytes = 64 * 1024,
                                        .ahead_bytes = 32 * 1024,
                                        .ballast_bytes = 64 * 1024};
}

static bool report(struct scene *s, int n, const char *name, bool good)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", n, name);
    if (!good) printf("# %s\n", s->why);
    (void)fflush(stdout);
    return good;
}

static const char none_wanted[] = "none are wanted";

static void skip(int n, const char *name, const char *why)
{
    printf("ok %d - %s # SKIP %s\n", n, name, why);
}

static bool run_kills(struct scene *s, const char *folder, uint64_t kills)
{
    bool good = true;
    if (kills == 0) {
        skip(1, "kills", none_wanted);
        return true;
    }
    set_directory(s, folder);
    for (uint64_t i = 0; i < kills && good; i++) {
        if (i % ROUNDS == 0) {
            s->figures.kill_promised += s->promised;
            empty(s);
        }
        good = comes_back(s, kill_one(s));
        s->figures.kills++;
    }
    s->figures.kill_promised += s->promised;
    empty(s);
    (void)close(s->dirfd);
    return report(s, 1, "kills", good);
}

/* ---- power cuts --------------------------------------------------------------------------- */

/* An ext4 of our own, in a namespace of our own: nothing of it outlives this process. */
struct island {
    char image[256], mount[256], device[32];
    int loop; /* the device */
};

static bool run_program(const char *const *argv)
{
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        (void)dup2(null, STDOUT_FILENO);
        (void)dup2(null, STDERR_FILENO);
        (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    int status = 0;
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static bool attach(struct island *is, int image)
{
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (control < 0) return false;
    /* Another process may take the same one first. */
    for (int tries = 0; tries < 20; tries++) {
        int number = ioctl(control, LOOP_CTL_GET_FREE);
        if (number < 0) break;
        (void)snprintf(is->device, sizeof is->device, "/dev/loop%d", number);
        is->loop = open(is->device, O_RDWR | O_CLOEXEC);
        const struct loop_config config = {.fd = (uint32_t)image,
                                           .info.lo_flags = LO_FLAGS_AUTOCLEAR};
        if (is->loop >= 0 && ioctl(is->loop, LOOP_CONFIGURE, &config) == 0) {
            (void)close(control);
            return true;
        }
        if (is->loop >= 0) (void)close(is->loop);
    }
    (void)close(control);
    return false;
}

static bool mount_island(const struct island *is)
{
    return mount(is->device, is->mount, "ext4", MS_NOATIME, NULL) == 0;
}

/* NULL, or why this machine has no power cuts. */
static const char *make_island(struct island *is, const char *folder)
{
    if (geteuid() != 0) return "not root";
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return "no mount namespace of its own";
    (void)snprintf(is->image, sizeof is->image, "%s/image", folder);
    (void)snprintf(is->mount, sizeof is->mount, "%s/mount", folder);
    int image = open(is->image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (image < 0 || ftruncate(image, IMAGE) != 0 || mkdir(is->mount, 0700) != 0) abort();
    const char *const mkfs[] = {"mkfs.ext4", "-q", "-F", is->image, NULL};
    const char *why = !run_program(mkfs)   ? "no mkfs.ext4"
                      : !attach(is, image) ? "no loop device"
                      : !mount_island(is)  ? "ext4 cannot be mounted"
                                           : NULL;
    (void)close(image);
    return why;
}

static void leave_island(const struct island *is)
{
    (void)umount2(is->mount, MNT_DETACH);
    if (is->loop >= 0) (void)close(is->loop);
    (void)rmdir(is->mount);
    (void)unlink(is->image);
}

/*
 * What the process has promised, until the file system was shut down. What it told after the last
 * look before that does not count.
 */
static bool cut_one(struct scene *s, const struct island *is, uint64_t *ret_promised)
{
    int told;
    uint32_t how = SHUTDOWN_NOLOGFLUSH;
    uint64_t reports = 1 + below(s, REPORTS_MAX);
    pid_t pid = start(s, &told);
    uint64_t promised = wait_reports(told, reports);
    wait_some(s);
    *ret_promised = drain(told, promised);
    bool cut = ioctl(s->dirfd, EXT4_SHUTDOWN, &how) == 0;
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    (void)close(told);
    (void)close(s->dirfd);
    if (umount2(is->mount, 0) != 0 || !mount_island(is)) abort();
    set_directory(s, is->mount);
    return cut;
}

static bool run_cuts(struct scene *s, const struct island *is, uint64_t cuts)
{
    bool good = true;
    set_directory(s, is->mount);
    for (uint64_t i = 0; i < cuts && good; i++) {
        uint64_t promised;
        if (i % ROUNDS == 0) {
            s->figures.cut_promised += s->promised;
            empty(s);
        }
        good = cut_one(s, is, &promised);
        if (!good) complain(s, "the file system cannot be shut down", 0);
        good = good && comes_back(s, promised);
        s->figures.cuts++;
    }
    s->figures.cut_promised += s->promised;
    empty(s);
    (void)close(s->dirfd);
    return report(s, 2, "cuts", good);
}

static bool run_control(struct scene *s, const struct island *is, uint64_t cuts)
{
    struct figures *f = &s->figures;
    uint64_t tails = f->tails, torn = f->torn;
    set_directory(s, is->mount);
    for (; f->control < cuts; f->control++) {
        uint64_t promised;
        empty(s);
        (void)syncfs(s->dirfd);
        s->io.sync_data = no_sync_data;
        s->io.sync_names = no_sync_names;
        if (!cut_one(s, is, &promised)) break;
        s->why[0] = 0;
        f->control_lost += !comes_back(s, promised);
        s->why[0] = 0;
    }
    f->tails = tails;
    f->torn = torn;
    (void)close(s->dirfd);
    if (f->control_lost * 2 <= cuts)
        complain(s, "without syncs too little is lost:", f->control_lost);
    return report(s, 3, "control", f->control_lost * 2 > cuts);
}

static bool run_power(struct scene *s, const char *folder, uint64_t cuts)
{
    struct island is = {.loop = -1};
    const char *why = cuts ? make_island(&is, folder) : none_wanted;
    bool good = true;
    if (why) {
        skip(2, "cuts", why);
        skip(3, "control", why);
    } else {
        good = run_cuts(s, &is, cuts);
        s->why[0] = 0;
        good = run_control(s, &is, cuts < 200 ? cuts : 200) && good;
    }
    if (cuts) leave_island(&is);
    return good;
}

/* ---- main --------------------------------------------------------------------------------- */

static void tell_figures(const struct figures *f, uint64_t seed)
{
    fprintf(stderr,
            "{\"seed\":%llu,\"kills\":%llu,\"promised\":%llu,\"cuts\":%llu,\"cuts_promised\":%llu,"
            "\"control\":%llu,\"control_lost\":%llu,\"tails_cut\":%llu,\"torn_holes\":%llu}\n",
            (unsigned long long)seed, (unsigned long long)f->kills,
            (unsigned long long)f->kill_promised, (unsigned long long)f->cuts,
            (unsigned long long)f->cut_promised, (unsigned long long)f->control,
            (unsigned long long)f->control_lost, (unsigned long long)f->tails,
            (unsigned long long)f->torn);
}

int main(int argc, char **argv)
{
    static struct scene s;
    uint64_t kills = 50, cuts = 20;
    bool json = false, usage = false;
    s.seed = 1;
    for (int i = 1; i < argc; i++) {
        uint64_t *value = strcmp(argv[i], "--kills") == 0  ? &kills
                          : strcmp(argv[i], "--cuts") == 0 ? &cuts
                          : strcmp(argv[i], "--seed") == 0 ? &s.seed
                                                           : NULL;
        if (value && i + 1 < argc) {
            usage = !slice_to_u64(slice_of(argv[++i]), value) || usage;
        } else if (!value && strcmp(argv[i], "--json") == 0) {
            json = true;
        } else {
            usage = true;
        }
    }
    if (usage) {
        fprintf(stderr, "store_kill [--kills N] [--cuts N] [--seed N] [--json]\n");
        return 2;
    }
    uint64_t seed = s.seed;
    printf("# seed %llu\n", (unsigned long long)seed);
    (void)fflush(stdout);
    char folder[] = "/tmp/vaka-store-XXXXXX", journals[sizeof folder + 8];
    if (!mkdtemp(folder)) abort();
    (void)snprintf(journals, sizeof journals, "%s/kill", folder);
    if (mkdir(journals, 0700) != 0) abort();
    buf_init(&s.batch, BATCH_MAX);
    bool good = run_kills(&s, journals, kills);
    s.why[0] = 0;
    good = run_power(&s, folder, cuts) && good;
    printf("1..3\n");
    (void)fflush(stdout);
    if (json) tell_figures(&s.figures, seed);
    buf_done(&s.batch);
    (void)rmdir(journals);
    (void)rmdir(folder);
    return !good;
}
