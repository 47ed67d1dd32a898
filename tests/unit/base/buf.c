/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/buf.h"

#include "test.h"

TEST(buf_grows_to_its_maximum_and_no_further)
{
    struct buf b;
    buf_init(&b, 1000);
    for (int i = 0; i < 1000; i++) buf_putc(&b, 'x');
    CHECK(!buf_failed(&b));
    CHECK_INT(b.len, 1000);
    buf_putc(&b, 'y');
    CHECK(buf_failed(&b));
    CHECK_INT(b.len, 1000);
    buf_clear(&b);
    CHECK(!buf_failed(&b));
    buf_puts(&b, "again");
    CHECK_SLICE(buf_slice(&b), "again");
    buf_done(&b);
}

TEST(buf_failure_is_sticky)
{
    struct buf b;
    buf_init(&b, 4);
    buf_puts(&b, "12345");
    CHECK(buf_failed(&b));
    buf_putc(&b, '1');
    CHECK_INT(b.len, 0);
    CHECK(buf_reserve(&b, 1) == NULL);
    buf_done(&b);
}

TEST(buf_printf_short_and_long)
{
    struct buf b;
    buf_init(&b, 4096);
    buf_printf(&b, "%s=%d;", "a", 1);
    buf_printf(&b, "%01000d", 7);
    CHECK_INT(b.len, 1004);
    CHECK(b.ptr[1003] == '7');
    buf_done(&b);
}

TEST(buf_consume_moves_down)
{
    struct buf b;
    buf_init(&b, 100);
    buf_puts(&b, "abcdef");
    buf_consume(&b, 0);
    buf_consume(&b, 4);
    CHECK_SLICE(buf_slice(&b), "ef");
    buf_consume(&b, 2);
    CHECK_INT(b.len, 0);
    buf_done(&b);
}
