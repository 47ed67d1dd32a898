/* SPDX-License-Identifier: EUPL-1.2 */
/* The audit log while memory runs out: what was begun is there, and is told, or there is an error.
 */
#include "audit/audit.h"

#include "torture.h"

static const nsec now = 1790000000 * NSEC_PER_SEC;

static int begin(const char *folder, struct audit *ret)
{
    struct diag diag = {0};
    const struct audit_entry entry = {.what = "search",
                                      .user = SLICE("anna"),
                                      .query = SLICE("a: b"),
                                      .now = now,
                                      .from = INT64_MIN,
                                      .to = INT64_MAX};
    return audit_begin(folder, &entry, ret, &diag);
}

static int write_entry(void *ctx, struct buf *out)
{
    struct audit a;
    struct diag diag = {0};
    int error = begin(ctx, &a);
    if (error == 0) error = audit_end(&a, now, "whole", 3, &diag);
    if (error == 0) buf_puts(out, "written\n");
    return error;
}

static int on_entry(void *ctx, struct slice line, struct slice end)
{
    struct buf *out = ctx;
    buf_put(out, line);
    buf_put(out, end);
    buf_putc(out, '\n');
    return buf_error(out);
}

static int read_log(void *ctx, struct buf *out)
{
    uint64_t damaged;
    struct diag diag = {0};
    int error = audit_read(ctx, INT64_MIN, INT64_MAX, out, on_entry, &damaged, &diag);
    buf_printf(out, "%u damaged\n", (unsigned)damaged);
    return error;
}

TEST(an_entry_is_written_or_refused)
{
    static char folder[256];
    test_write("written/x", "");
    (void)snprintf(folder, sizeof folder, "%s", test_path("written"));
    torture_run(&(struct torture){.run = write_entry, .ctx = folder});
}

TEST(a_log_is_read_whole_or_not_at_all)
{
    static char folder[256];
    struct audit a, b;
    struct diag diag = {0};
    test_write("read/x", "");
    (void)snprintf(folder, sizeof folder, "%s", test_path("read"));
    REQUIRE(begin(folder, &a) == 0 && begin(folder, &b) == 0);
    REQUIRE(audit_end(&b, now, "whole", 3, &diag) == 0);
    torture_run(&(struct torture){.run = read_log, .ctx = folder});
}
