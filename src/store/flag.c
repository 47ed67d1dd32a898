/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/flag.h"

#include <fcntl.h>
#include <unistd.h>

static struct flock lock_of(short type, uint32_t number)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = number, .l_len = 1};
}

void flag_set(int folder, uint32_t number, bool raised)
{
    struct flock lock = lock_of(raised ? F_RDLCK : F_UNLCK, number);
    (void)fcntl(folder, F_OFD_SETLK, &lock);
}

bool flag_is_raised(int folder, uint32_t number)
{
    struct flock lock = lock_of(F_WRLCK, number);
    return fcntl(folder, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}
