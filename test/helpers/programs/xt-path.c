// Operations that name a file.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "xt.h"

#define OPERATION(name) static long name(struct words a, char *detail, size_t size)
#define UNUSED (void)a, (void)detail, (void)size

OPERATION(do_truncate) {
  UNUSED;
  return truncate(a.word[0], strtoll(a.word[1], NULL, 0));
}
OPERATION(do_unlink) {
  UNUSED;
  return unlink(a.word[0]);
}
OPERATION(do_rmdir) {
  UNUSED;
  return rmdir(a.word[0]);
}
OPERATION(do_mkdir) {
  UNUSED;
  return mkdir(a.word[0], strtol(a.word[1], NULL, 8));
}
OPERATION(do_link) {
  UNUSED;
  return link(a.word[0], a.word[1]);
}
OPERATION(do_symlink) {
  UNUSED;
  return symlink(a.word[0], a.word[1]);
}
OPERATION(do_readlink) {
  ssize_t got = readlink(a.word[0], detail, size - 1);
  if (got < 0) return -1;
  detail[got] = 0;
  return 0;
}
// rename FROM TO [noreplace|exchange|whiteout]
OPERATION(do_rename) {
  UNUSED;
  const char *how = a.count < 3 ? "" : a.word[2];
  unsigned flags = *how == 'n'   ? RENAME_NOREPLACE
                   : *how == 'e' ? RENAME_EXCHANGE
                   : *how == 'w' ? RENAME_WHITEOUT
                                 : 0;
  return renameat2(AT_FDCWD, a.word[0], AT_FDCWD, a.word[1], flags);
}
OPERATION(do_chmod) {
  UNUSED;
  return chmod(a.word[0], strtol(a.word[1], NULL, 8));
}
OPERATION(do_chown) {
  UNUSED;
  return lchown(a.word[0], strtol(a.word[1], NULL, 0), strtol(a.word[2], NULL, 0));
}
// mknod FILE p|s|f|c MODE
OPERATION(do_mknod) {
  UNUSED;
  char kind = *a.word[1];
  mode_t type = kind == 'p' ? S_IFIFO : kind == 's' ? S_IFSOCK : kind == 'c' ? S_IFCHR : S_IFREG;
  return mknod(a.word[0], type | strtol(a.word[2], NULL, 8), kind == 'c' ? makedev(1, 3) : 0);
}
OPERATION(do_umask) {
  UNUSED;
  umask(strtol(a.word[0], NULL, 8));
  return 0;
}
OPERATION(do_stat) {
  struct stat st;
  if (lstat(a.word[0], &st)) return -1;
  snprintf(detail, size, "mode=%o uid=%u gid=%u nlink=%lu size=%lld", st.st_mode, st.st_uid,
           st.st_gid, (unsigned long)st.st_nlink,
           S_ISDIR(st.st_mode) ? 0LL : (long long)st.st_size);
  return 0;
}
// utimens FILE ATIME_S ATIME_NS MTIME_S MTIME_NS, and "times FILE" to see them
OPERATION(do_utimens) {
  UNUSED;
  struct timespec times[2] = {{strtoll(a.word[1], NULL, 0), strtol(a.word[2], NULL, 0)},
                              {strtoll(a.word[3], NULL, 0), strtol(a.word[4], NULL, 0)}};
  return utimensat(AT_FDCWD, a.word[0], times, AT_SYMLINK_NOFOLLOW);
}
OPERATION(do_times) {
  struct stat st;
  if (lstat(a.word[0], &st)) return -1;
  snprintf(detail, size, "%lld.%09ld %lld.%09ld", (long long)st.st_atim.tv_sec, st.st_atim.tv_nsec,
           (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
  return 0;
}
OPERATION(do_access) {
  UNUSED;
  int mode = 0;
  for (char *letter = a.word[1]; *letter; letter++)
    mode |= *letter == 'r' ? R_OK : *letter == 'w' ? W_OK : X_OK;
  return faccessat(AT_FDCWD, a.word[0], mode, AT_EACCESS);
}
// How many names a directory lists, and whether one of them is NAME.
OPERATION(do_list) {
  DIR *directory = opendir(a.word[0]);
  if (!directory) return -1;
  long names = 0;
  const char *found = "";
  for (struct dirent *entry; (entry = readdir(directory)); names++)
    if (a.count > 1 && !strcmp(entry->d_name, a.word[1])) found = " found";
  snprintf(detail, size, "%ld%s", names, found);
  return closedir(directory);
}
// cookies DIRECTORY: notes the place of every 97th name, and finds each there again, last one
// first.
OPERATION(do_cookies) {
  static struct {
    long place;
    char name[256];
  } noted[2048];
  DIR *directory = opendir(a.word[0]);
  if (!directory) return -1;
  long names = 0, count = 0, lost = 0;
  for (;; names++) {
    const long place = telldir(directory);
    struct dirent *entry = readdir(directory);
    if (!entry) break;
    if (names % 97 || count == 2048) continue;
    noted[count].place = place;
    strcpy(noted[count++].name, entry->d_name);
  }
  for (long at = count - 1; at >= 0; at--) {
    seekdir(directory, noted[at].place);
    struct dirent *entry = readdir(directory);
    if (!entry || strcmp(entry->d_name, noted[at].name)) lost++;
  }
  snprintf(detail, size, "%ld names, %ld places, %ld lost", names, count, lost);
  return closedir(directory);
}
OPERATION(do_setx) {
  UNUSED;
  unsigned char value[4096];
  size_t length = 0;
  for (const char *hex = a.count > 2 ? a.word[2] : ""; hex[0] && hex[1]; hex += 2)
    sscanf(hex, "%2hhx", &value[length++]);
  return lsetxattr(a.word[0], a.word[1], value, length, 0);
}
OPERATION(do_getx) {
  unsigned char value[4000];
  ssize_t got = lgetxattr(a.word[0], a.word[1], value, sizeof value);
  if (got < 0) return -1;
  for (ssize_t at = 0; at < got; at++) snprintf(detail + 2 * at, size - 2 * at, "%02x", value[at]);
  return 0;
}
OPERATION(do_rmx) {
  UNUSED;
  return lremovexattr(a.word[0], a.word[1]);
}
OPERATION(do_listx) {
  char names[4000];
  ssize_t got = llistxattr(a.word[0], names, sizeof names);
  if (got < 0) return -1;
  for (ssize_t at = 0; at < got; at++) detail[at] = names[at] ? names[at] : ' ';
  detail[got < (ssize_t)size ? got : 0] = 0;
  return 0;
}
// Gives the O_TMPFILE of the current descriptor a name.
OPERATION(do_linkfd) {
  UNUSED;
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", xt_descriptor());
  return linkat(AT_FDCWD, path, AT_FDCWD, a.word[0], AT_SYMLINK_FOLLOW);
}

const struct operation xt_path_operations[] = {
    {"truncate", 2, do_truncate}, {"unlink", 1, do_unlink},   {"rmdir", 1, do_rmdir},
    {"mkdir", 2, do_mkdir},       {"link", 2, do_link},       {"symlink", 2, do_symlink},
    {"readlink", 1, do_readlink}, {"rename", 2, do_rename},   {"chmod", 2, do_chmod},
    {"chown", 3, do_chown},       {"mknod", 3, do_mknod},     {"umask", 1, do_umask},
    {"stat", 1, do_stat},         {"utimens", 5, do_utimens}, {"times", 1, do_times},
    {"access", 2, do_access},     {"list", 1, do_list},       {"cookies", 1, do_cookies},
    {"setx", 2, do_setx},         {"getx", 2, do_getx},       {"rmx", 2, do_rmx},
    {"listx", 1, do_listx},       {"linkfd", 1, do_linkfd},   {NULL, 0, NULL}};
