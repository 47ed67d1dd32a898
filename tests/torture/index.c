/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Indexes while memory runs out: what is made of a segment's records, and asked then. One that is
 * written although something had no room says of the block that it may have anything.
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "index/ask.h"
#include "index/keeper.h"
#include "query/query.h"
#include "torture.h"

static const char *const records[] = {
    "<38>Nov 26 10:00:00 host9 sshd[4711]: Failed password for invalid user eva from 10.0.0.7 port "
    "40001 ssh2",
    "{\"user\":{\"name\":\"\\u0041nna\"},\"n\":4.625e3,\"source\":{\"ip\":\"2001:DB8::0:7\"},"
    "\"path\":\"C:\\\\Temp\\\\new.exe\"}",
    "<13>Nov 26 10:00:00 fw CEF:0|V|P|1|100|deny|5|src=10.1.2.3 dst=10.9.9.9 act=blocked",
    "type=USER_LOGIN msg=audit(1364481363.243:24287): pid=1 uid=0 acct=\"root\" res=failed",
};

static const char *const queries[] = {"user.name: (anna or eva)", "source.ip: \"2001:db8::7\"",
                                      "n: 4625 or 10.1.2.3", "zqxjwvk and not eva"};

struct place {
    int store_fd, folder_fd;
    struct store_io store, folder;
    struct config config;
    struct ruleset rules;
    uint64_t may[sizeof queries / sizeof *queries]; /* of the first, undisturbed run */
    bool known;
};

static void seal(struct place *p)
{
    struct segment_options options;
    struct segment_writer *w;
    struct tree_range tree;
    tree_range_init(&tree, 0);
    segment_options_default(&options);
    options.before = &tree;
    options.block_bytes = 1;
    REQUIRE(segment_writer_new(&p->store, &w) == 0);
    REQUIRE(segment_writer_begin(w, &options) == 0);
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        const struct record r = {.raw = slice_of(records[i]), .format = RECORD_TEXT};
        REQUIRE(segment_writer_add(w, &r, NULL) == 0);
    }
    REQUIRE(segment_writer_finish(w, 1, &tree) == 0);
    segment_writer_free(w);
}

static int open_folder(const char *name)
{
    char inside[64];
    (void)snprintf(inside, sizeof inside, "%s/.keep", name);
    test_write(inside, "");
    int fd = open(test_path(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    return fd;
}

static int make(const struct place *p)
{
    struct index_maker *m;
    struct slice fields[CELLS_FIELDS_MAX];
    uint64_t bytes;
    int error = index_maker_new(&p->rules, fields, cells_fields(fields), &m);
    if (error) return error;
    error = index_maker_begin(m, &p->store, 0);
    for (int more = 1; error == 0 && more > 0;) {
        more = index_maker_step(m);
        error = more < 0 ? more : 0;
    }
    if (error == 0) error = index_maker_finish(m, &p->folder, &bytes);
    index_maker_free(m);
    return error;
}

static int put_file(const struct place *p, struct buf *out)
{
    char name[STORE_NAME_MAX + 1], bytes[8 * 1024];
    segment_name(name, "index", 0);
    int file = p->folder.open(p->folder.ctx, name, STORE_READ);
    if (file < 0) return file;
    int64_t n = store_io_read(&p->folder, file, bytes, sizeof bytes, 0);
    p->folder.close(p->folder.ctx, file);
    if (n < 0) return (int)n;
    buf_printf(out, "%lld bytes, %x\n", (long long)n, crc32c(0, slice_make(bytes, (size_t)n)));
    return 0;
}

static int ask_one(struct place *p, size_t number, const struct segment *s,
                   const struct index_file *f, struct buf *out)
{
    const struct query_options options = {.whole = true};
    struct arena arena;
    struct query query;
    struct diag diag;
    uint64_t may;
    arena_init(&arena, 1 << 20);
    int error = query_read(&arena, slice_of(queries[number]), &options, &query, &diag);
    struct index_asks *asks = error ? NULL : index_asks_new(query.filter);
    if (error == 0) error = asks ? index_asks_run(asks, s, f, 0, &may) : ERR_NOMEM;
    if (error == 0) {
        buf_printf(out, "%llx\n", (unsigned long long)may);
        if (!p->known) p->may[number] = may;
        REQUIRE((p->may[number] & ~may) == 0);
    }
    index_asks_free(asks);
    arena_done(&arena);
    return error;
}

static int ask(struct place *p, struct buf *out)
{
    char name[STORE_NAME_MAX + 1];
    struct segment *s;
    struct index_file f;
    int error = segment_open(&p->store, 0, &s);
    if (error) return error;
    segment_name(name, "index", 0);
    int file = p->folder.open(p->folder.ctx, name, STORE_READ);
    const struct index_key key = {segment_footer_of(s), index_version(&p->rules)};
    error = file < 0 ? file : index_file_init(&f, &p->folder, file, &key);
    if (error == 0) {
        for (size_t i = 0; i < sizeof queries / sizeof *queries && error == 0; i++)
            error = ask_one(p, i, s, &f, out);
        if (f.groups[0].head.full) buf_puts(out, "anything\n");
        p->known |= error == 0;
        index_file_done(&f);
    }
    if (file >= 0) p->folder.close(p->folder.ctx, file);
    segment_close(s);
    return error;
}

static int keep(const struct place *p, struct buf *out)
{
    struct index_keeper k;
    uint64_t n[INDEX_STATES];
    index_keeper_init(&k, &p->store, &p->folder, index_version(&p->rules));
    int error = index_keeper_look(&k);
    index_keeper_count(&k, n);
    if (error == 0) buf_printf(out, "%llu current\n", (unsigned long long)n[INDEX_CURRENT]);
    index_keeper_done(&k);
    return error;
}

static int run(void *ctx, struct buf *out)
{
    struct place *p = ctx;
    int error = make(p);
    if (error == 0) error = put_file(p, out);
    if (error == 0) error = ask(p, out);
    return error ? error : keep(p, out);
}

TEST(indexes)
{
    /* Small allocations of the engine's. */
    static const char *const asserts[] = {"keys.c:", "auditd.c:intern", "router.c:", "match.c:",
                                          "run.c:",  "plan.c:",         "truths.c:", NULL};
    static const char *const losses[] = {"anything", NULL};
    struct place p = {.known = false};
    struct diag diag;
    p.store_fd = open_folder("store");
    p.folder_fd = open_folder("store/index");
    p.store = store_io_system(p.store_fd);
    p.folder = store_io_system(p.folder_fd);
    config_init(&p.config);
    REQUIRE(ruleset_load_without_rules(&p.rules, &p.config, &diag) == 0);
    seal(&p);
    torture_run(&(struct torture){.run = run, .ctx = &p, .asserts = asserts, .told_by = losses});
    ruleset_done(&p.rules);
    config_done(&p.config);
    (void)close(p.store_fd);
    (void)close(p.folder_fd);
}
