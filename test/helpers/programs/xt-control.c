// Operations by fcntl(2), ioctl(2) and statx(2): what a descriptor or a file is besides its bytes.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>
// After the libc's headers, which define some of the same.
#include <linux/fs.h>

#include "xt.h"

#define OPERATION(name) static long name(struct words a, char *detail, size_t size)
#define UNUSED (void)a, (void)detail, (void)size

// setfl LETTERS: the descriptor's flags from now on; "a" appends, "-" has none.
OPERATION(do_setfl) {
  UNUSED;
  return fcntl(xt_descriptor(), F_SETFL, *a.word[0] == 'a' ? O_APPEND : 0);
}
static short lock_kind(const char *letter) {
  return *letter == 'r' ? F_RDLCK : *letter == 'w' ? F_WRLCK : F_UNLCK;
}
// ofd r|w|u START LENGTH: a lock of the open file description, never waiting.
OPERATION(do_ofd) {
  UNUSED;
  struct flock lock = {.l_type = lock_kind(a.word[0]),
                       .l_start = strtol(a.word[1], NULL, 0),
                       .l_len = strtol(a.word[2], NULL, 0)};
  return fcntl(xt_descriptor(), F_OFD_SETLK, &lock);
}
OPERATION(do_lease) {
  UNUSED;
  return fcntl(xt_descriptor(), F_SETLEASE, lock_kind(a.word[0]));
}
// clone INDEX: shares the blocks of the descriptor with that index.
OPERATION(do_clone) {
  UNUSED;
  return ioctl(xt_descriptor(), FICLONE, xt_descriptors[atoi(a.word[0])]);
}
// flags [HEX]: the inode flags of chattr(1), or sets them.
OPERATION(do_flags) {
  int flags = 0;
  if (a.count > 0) {
    flags = (int)strtol(a.word[0], NULL, 16);
    return ioctl(xt_descriptor(), FS_IOC_SETFLAGS, &flags);
  }
  if (ioctl(xt_descriptor(), FS_IOC_GETFLAGS, &flags)) return -1;
  snprintf(detail, size, "%x", (unsigned)flags);
  return 0;
}
OPERATION(do_project) {
  struct fsxattr attributes;
  (void)a;
  if (ioctl(xt_descriptor(), FS_IOC_FSGETXATTR, &attributes)) return -1;
  snprintf(detail, size, "%u", attributes.fsx_projid);
  return 0;
}
// ctime FILE: whether it moved since the last time this was asked; then lets the clock tick.
OPERATION(do_ctime) {
  static struct timespec last;
  struct stat st;
  if (lstat(a.word[0], &st)) return -1;
  const int same = st.st_ctim.tv_sec == last.tv_sec && st.st_ctim.tv_nsec == last.tv_nsec;
  snprintf(detail, size, "%s", same ? "same" : "moved");
  last = st.st_ctim;
  const struct timespec ticks = {0, 20000000};
  return nanosleep(&ticks, NULL);
}
// born FILE: whether there is a birth time, not later than ctime.
OPERATION(do_born) {
  struct statx st;
  if (statx(AT_FDCWD, a.word[0], AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &st))
    return -1;
  const int known = (st.stx_mask & STATX_BTIME) != 0;
  const int earlier =
      st.stx_btime.tv_sec < st.stx_ctime.tv_sec ||
      (st.stx_btime.tv_sec == st.stx_ctime.tv_sec && st.stx_btime.tv_nsec <= st.stx_ctime.tv_nsec);
  snprintf(detail, size, "%s", known && earlier ? "yes" : "no");
  return 0;
}
// device FILE b|c MAJOR MINOR: makes it, and says what stat(2) makes of it.
OPERATION(do_device) {
  struct stat st;
  const mode_t type = *a.word[1] == 'b' ? S_IFBLK : S_IFCHR;
  const dev_t device = makedev(atoi(a.word[2]), atoi(a.word[3]));
  if (mknod(a.word[0], type | 0600, device) || lstat(a.word[0], &st)) return -1;
  snprintf(detail, size, "%u:%u", major(st.st_rdev), minor(st.st_rdev));
  return 0;
}
// sendfile INDEX LENGTH: from the descriptor with that index to the current one.
OPERATION(do_sendfile) {
  off_t from = 0;
  const ssize_t put = sendfile(xt_descriptor(), xt_descriptors[atoi(a.word[0])], &from,
                               strtoul(a.word[1], NULL, 0));
  if (put < 0) return -1;
  snprintf(detail, size, "%zd", put);
  return 0;
}
OPERATION(do_fdatasync) {
  UNUSED;
  return fdatasync(xt_descriptor());
}

const struct operation xt_control_operations[] = {
    {"setfl", 1, do_setfl},         {"ofd", 3, do_ofd},
    {"lease", 1, do_lease},         {"clone", 1, do_clone},
    {"flags", 0, do_flags},         {"project", 0, do_project},
    {"ctime", 1, do_ctime},         {"born", 1, do_born},
    {"device", 4, do_device},       {"sendfile", 2, do_sendfile},
    {"fdatasync", 0, do_fdatasync}, {NULL, 0, NULL}};
