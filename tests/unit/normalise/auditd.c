/* SPDX-License-Identifier: EUPL-1.2 */
#include "trace.h"

#define CHECK_AUDITD(in, want) TRACE_CHECK(&decoder_auditd, in, want)
#define A                      "msg=audit(1364481363.243:24287): "
#define WANT_A                 "|audit.timestamp=1364481363.243|audit.sequence=24287"

TEST(auditd_front)
{
    CHECK_AUDITD("type=EOE " A "\n", "1|type=EOE" WANT_A "\n");
    CHECK_AUDITD("type=EOE msg=audit(1.000:1):",
                 "1|type=EOE|audit.timestamp=1.000|audit.sequence=1\n");
    CHECK_AUDITD("node=web.example type=UNKNOWN[1334] " A "x=1\r\n",
                 "1|type=UNKNOWN[1334]|node=web.example" WANT_A "|x=1\n");
    CHECK_AUDITD("type=CWD msg=audit(02/25/2021 10:11:12.123:456) : cwd=/root",
                 "1|type=CWD|audit.timestamp=02/25/2021 10:11:12.123|audit.sequence=456"
                 "|cwd=/root\n");
}

TEST(auditd_what_is_no_record)
{
    CHECK_AUDITD("# comment\n\n----\ntime->Thu Mar 28 2013\n", "");
    CHECK_AUDITD("hello\ntype=X\ntype=X msg=audit(1.0:x): a=b\ntype=X msg=audit(1.0): \n"
                 "type=X msg=audit(:1): \ntype= msg=audit(1.0:1): \ntype=A msg=audit(1.0:7): b=c",
                 "bad 0 #1 not an audit record\nbad 6 #2 not an audit record\n"
                 "bad 13 #3 not an audit record\nbad 42 #4 not an audit record\n"
                 "bad 66 #5 not an audit record\nbad 89 #6 not an audit record\n"
                 "7|type=A|audit.timestamp=1.0|audit.sequence=7|b=c\n");
}

TEST(auditd_syscall_has_its_name_too)
{
    CHECK_AUDITD("type=SYSCALL " A "arch=c000003e syscall=59 success=yes a0=1f key=(null)",
                 "1|type=SYSCALL" WANT_A "|arch=c000003e|syscall=59|success=yes|a0=1f|key=(null)"
                 "|syscall=execve|SYSCALL=execve\n");
    /* The enriched name stands already; other machines and unknown numbers have no name here. */
    CHECK_AUDITD("type=SYSCALL " A "arch=c000003e syscall=2 x=1\x1d"
                 "ARCH=x86_64 SYSCALL=open",
                 "1|type=SYSCALL" WANT_A "|arch=c000003e|syscall=2|x=1|ARCH=x86_64|SYSCALL=open"
                 "|syscall=open\n");
    CHECK_AUDITD("type=SYSCALL " A "arch=c00000b7 syscall=221",
                 "1|type=SYSCALL" WANT_A "|arch=c00000b7|syscall=221\n");
    CHECK_AUDITD("type=SYSCALL " A "arch=c000003e syscall=400",
                 "1|type=SYSCALL" WANT_A "|arch=c000003e|syscall=400\n");
    CHECK_AUDITD("type=SYSCALL " A "arch=c000003e syscall=99999999999999999999",
                 "1|type=SYSCALL" WANT_A "|arch=c000003e|syscall=99999999999999999999\n");
    CHECK_AUDITD("type=SYSCALL " A "arch=c000003e syscall=435",
                 "1|type=SYSCALL" WANT_A "|arch=c000003e|syscall=435|syscall=clone3"
                 "|SYSCALL=clone3\n");
}

TEST(auditd_hex_is_decoded_where_text_is_encoded)
{
    CHECK_AUDITD("type=PROCTITLE " A "proctitle=636174002F6574632F736861646F7700",
                 "1|type=PROCTITLE" WANT_A "|proctitle=cat /etc/shadow\n");
    CHECK_AUDITD("type=PROCTITLE " A "proctitle=\"bash\"",
                 "1|type=PROCTITLE" WANT_A "|proctitle=bash\n");
    CHECK_AUDITD("type=PATH " A "name=2F746D702F612062 inode=4142",
                 "1|type=PATH" WANT_A "|name=/tmp/a b|inode=4142\n");
    /* A quoted value is itself, odd and other text too. */
    CHECK_AUDITD("type=X " A "comm=\"6162\" exe=616 cwd=61zz name=(null) cmd=6C73",
                 "1|type=X" WANT_A "|comm=6162|exe=616|cwd=61zz|name=(null)|cmd=ls\n");
}

TEST(auditd_arguments_are_text_only_in_execve)
{
    CHECK_AUDITD("type=EXECVE " A "argc=3 a0=\"sh\" a1=2D63 a2=6C73202F a10=41",
                 "1|type=EXECVE" WANT_A "|argc=3|a0=sh|a1=-c|a2=ls /|a10=A\n");
    CHECK_AUDITD("type=SYSCALL " A "a0=4142 a1=7f", "1|type=SYSCALL" WANT_A "|a0=4142|a1=7f\n");
    CHECK_AUDITD("type=EXECVE " A "argc=1 a1_len=6 a1[0]=6261 a1[1]=6364 apple=6162",
                 "1|type=EXECVE" WANT_A "|argc=1|a1_len=6|a1=ba|a1=cd|apple=6162\n");
}

TEST(auditd_user_records_nest)
{
    CHECK_AUDITD("type=USER_ACCT " A "pid=9460 ses=1 msg='op=PAM:accounting acct=\"user\" "
                 "exe=\"/usr/bin/sudo\" terminal=/dev/pts/1 res=success'\x1dUID=\"user\""
                 " AUID=\"u\"",
                 "1|type=USER_ACCT" WANT_A "|pid=9460|ses=1|msg=op=PAM:accounting acct=\"user\" "
                 "exe=\"/usr/bin/sudo\" terminal=/dev/pts/1 res=success|UID=user|AUID=u"
                 "|op=PAM:accounting|acct=user|exe=/usr/bin/sudo|terminal=/dev/pts/1"
                 "|res=success\n");
    /* Older style; a single quote inside; hexadecimal inside. */
    CHECK_AUDITD("type=USER_AUTH " A "msg='op=x acct=\"it's\" exe=\"/bin/su\" (hostname=?, addr=?, "
                 "terminal=pts/0 res=success)'",
                 "1|type=USER_AUTH" WANT_A "|msg=op=x acct=\"it's\" exe=\"/bin/su\" (hostname=?, "
                 "addr=?, terminal=pts/0 res=success)|op=x|acct=it's|exe=/bin/su|hostname=?|addr=?"
                 "|terminal=pts/0|res=success\n");
    CHECK_AUDITD("type=USER_CMD " A "msg='cwd=\"/\" cmd=6C73202D6C res=success'",
                 "1|type=USER_CMD" WANT_A "|msg=cwd=\"/\" cmd=6C73202D6C res=success|cwd=/"
                 "|cmd=ls -l"
                 "|res=success\n");
}

TEST(auditd_enriched_address)
{
    CHECK_AUDITD("type=SOCKADDR " A "saddr=0200\x1dSADDR={ saddr_fam=inet laddr=10.0.0.1"
                 " lport=443 }",
                 "1|type=SOCKADDR" WANT_A "|saddr=0200|SADDR=saddr_fam=inet laddr=10.0.0.1"
                 " lport=443"
                 "|saddr_fam=inet|laddr=10.0.0.1|lport=443\n");
}

TEST(auditd_keys_are_split)
{
    CHECK_AUDITD("type=SYSCALL " A "key=6B31016B32", "1|type=SYSCALL" WANT_A "|key=k1|key=k2\n");
    CHECK_AUDITD("type=SYSCALL " A "key=\"one\" x=", "1|type=SYSCALL" WANT_A "|key=one|x=\n");
}

TEST(auditd_selinux_and_free_words)
{
    CHECK_AUDITD("type=AVC " A "avc:  denied  { read write } for  pid=1 comm=\"a b\""
                 " scontext=u:r:t",
                 "1|type=AVC" WANT_A "|seresult=denied|seperms=read|seperms=write|pid=1|comm=a b"
                 "|scontext=u:r:t|message=avc:  denied  { read write } for  pid=1 comm=\"a b\" "
                 "scontext=u:r:t\n");
    CHECK_AUDITD("type=K " A "device eth0 entered",
                 "1|type=K" WANT_A "|message=device eth0 entered\n");
}

TEST(auditd_damaged_quotes)
{
    CHECK_AUDITD("type=X " A "comm=\"open a=1", "1|type=X" WANT_A "|comm=open a=1\n");
    CHECK_AUDITD("type=X " A "msg='a=1", "1|type=X" WANT_A "|msg=a=1|a=1\n");
    CHECK_AUDITD("type=X " A "a=\"", "1|type=X" WANT_A "|a=\n");
    CHECK_AUDITD("type=X " A "a=\"1\"b=2 =3", "1|type=X" WANT_A "|a=1|b=2|message=a=\"1\"b=2 =3\n");
}

TEST(auditd_nesting_is_bounded)
{
    struct trace t;
    struct buf in;
    buf_init(&in, 1 << 20);
    buf_puts(&in, "type=X " A);
    for (int i = 0; i < 1000; i++) buf_puts(&in, "msg='");
    for (int i = 0; i < 1000; i++) buf_puts(&in, "'");
    buf_puts(&in, "\ntype=Y " A "b=c\n");
    trace_init(&t, false);
    CHECK_INT(trace_run(&t, &decoder_auditd, buf_slice(&in), 0, 0), 0);
    CHECK(slice_starts_with(buf_slice(&t.text), SLICE("1~|type=X")));
    CHECK(slice_ends_with(buf_slice(&t.text), SLICE("\n2|type=Y" WANT_A "|b=c\n")));
    trace_done(&t);
    buf_done(&in);
}

TEST(auditd_more_pairs_than_an_event_holds)
{
    struct trace t;
    struct buf in;
    buf_init(&in, 8 << 20);
    buf_puts(&in, "type=EXECVE " A);
    for (int i = 0; i < 60000; i++) buf_printf(&in, "a%d=41 ", i);
    buf_puts(&in, "\ntype=Y " A "b=c\n");
    trace_init(&t, false);
    CHECK_INT(trace_run(&t, &decoder_auditd, buf_slice(&in), 0, 0), 0);
    CHECK(slice_starts_with(buf_slice(&t.text), SLICE("1~|type=EXECVE" WANT_A "|a0=A|a1=A|")));
    CHECK(slice_ends_with(buf_slice(&t.text), SLICE("\n2|type=Y" WANT_A "|b=c\n")));
    trace_done(&t);
    buf_done(&in);
}
