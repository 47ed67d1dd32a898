/* SPDX-License-Identifier: EUPL-1.2 */
#include "proc/landlock.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Numbers and layout: Documentation/userspace-api/landlock.rst and uapi/linux/landlock.h. */
struct ruleset_attr {
    uint64_t handled_access_fs;
    uint64_t handled_access_net; /* from ABI 4 */
    uint64_t scoped;             /* from ABI 6 */
};
struct path_beneath_attr {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));
struct net_port_attr { /* from ABI 4 */
    uint64_t allowed_access, port;
};

enum {
    CREATE_RULESET_VERSION = 1 << 0,
    RULE_PATH_BENEATH = 1,
    RULE_NET_PORT = 2,
    NET_CONNECT = 1 << 1,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_DIR = 1 << 4,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_DIR = 1 << 7,
    FS_MAKE_REG = 1 << 8,
    FS_TRUNCATE = 1 << 14, /* from ABI 3; before, truncating was not asked about */
    FS_BITS_ABI_1 = 13,    /* execute, write, read, readdir, 2 removes, 7 makes */
    FS_BITS_ABI_2 = 14,    /* refer */
    FS_BITS_ABI_3 = 15,    /* truncate */
    FS_BITS_ABI_5 = 16,    /* ioctl on devices */
    NET_TCP = 3,           /* bind and connect, ABI 4 */
    SCOPED = 3,            /* abstract Unix sockets and signals of others, ABI 6 */
};

static unsigned fs_bits(long abi)
{
    if (abi >= 5) return FS_BITS_ABI_5;
    if (abi >= 3) return FS_BITS_ABI_3;
    return abi >= 2 ? FS_BITS_ABI_2 : FS_BITS_ABI_1;
}

static void allow_path(int ruleset, const char *path, uint64_t more)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    struct stat st;
    if (fd < 0) return;
    if (fstat(fd, &st) == 0) {
        uint64_t access = FS_READ_FILE;
        if (S_ISDIR(st.st_mode)) access |= FS_READ_DIR | more;
        struct path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};
        (void)syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0);
    }
    (void)close(fd);
}

static void allow_port(int ruleset, uint16_t port)
{
    struct net_port_attr rule = {.allowed_access = NET_CONNECT, .port = port};
    (void)syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0);
}

int landlock_confine(const struct landlock_allowed *allowed)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, CREATE_RULESET_VERSION);
    if (abi < 1) return ERR_UNSUPPORTED;
    struct ruleset_attr attr = {.handled_access_fs = (UINT64_C(1) << fs_bits(abi)) - 1};
    size_t size = sizeof attr.handled_access_fs;
    if (abi >= 4) {
        attr.handled_access_net = NET_TCP;
        size += sizeof attr.handled_access_net;
    }
    if (abi >= 6) {
        attr.scoped = SCOPED;
        size += sizeof attr.scoped;
    }
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
    if (ruleset < 0) return ERR_UNSUPPORTED;
    for (size_t i = 0; i < allowed->n_paths; i++) allow_path(ruleset, allowed->paths[i], 0);
    const uint64_t with_folders = allowed->makes_folders ? FS_MAKE_DIR | FS_REMOVE_DIR : 0;
    const uint64_t writing =
        (FS_WRITE_FILE | FS_REMOVE_FILE | FS_MAKE_REG | FS_TRUNCATE | with_folders) &
        attr.handled_access_fs;
    for (size_t i = 0; i < allowed->n_folders; i++)
        allow_path(ruleset, allowed->folders[i], writing);
    for (size_t i = 0; i < allowed->n_ports && abi >= 4; i++)
        allow_port(ruleset, allowed->ports[i]);
    long r = syscall(SYS_landlock_restrict_self, ruleset, 0);
    (void)close(ruleset);
    return r == 0 ? 0 : ERR_UNSUPPORTED;
}
