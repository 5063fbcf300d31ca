// Operations on the current descriptor and the current mapping.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "xt.h"

#define OPERATION(name) static long name(struct words a, char *detail, size_t size)
#define UNUSED (void)a, (void)detail, (void)size

static char *mapping;
static size_t mapping_length;

static long pushed(int descriptor) {
  if (descriptor < 0) return -1;
  xt_push(descriptor);
  return 0;
}

// The text of what was read, up to its first newline.
static long shown(ssize_t got, const char *data, char *detail, size_t size) {
  if (got < 0) return -1;
  size_t line = 0;
  while (line < (size_t)got && data[line] != '\n' && line < 200) line++;
  snprintf(detail, size, "%zd%s%.*s", got, line ? " " : "", (int)line, data);
  return 0;
}

static char *slurp(const char *path, size_t *length) {
  FILE *file = fopen(path, "r");
  if (!file) return NULL;
  char *data = malloc(4 << 20);
  *length = fread(data, 1, 4 << 20, file);
  fclose(file);
  return data;
}

OPERATION(do_open) {
  UNUSED;
  return pushed(open(a.word[1], xt_open_flags(a.word[0]), 0644));
}
OPERATION(do_use) {
  UNUSED;
  xt_current = atoi(a.word[0]);
  return 0;
}
OPERATION(do_dup) {
  UNUSED;
  return pushed(dup(xt_descriptor()));
}
OPERATION(do_close) {
  UNUSED;
  return close(xt_descriptor());
}
// Opens the current descriptor's file anew, through /proc/self/fd.
OPERATION(do_reopen) {
  UNUSED;
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", xt_descriptor());
  return pushed(open(path, xt_open_flags(a.word[0])));
}
OPERATION(do_read) {
  static char data[1 << 20];
  size_t length = a.count ? strtoul(a.word[0], NULL, 0) : sizeof data;
  return shown(read(xt_descriptor(), data, length < sizeof data ? length : sizeof data), data,
               detail, size);
}
OPERATION(do_pread) {
  static char data[1 << 20];
  return shown(
      pread(xt_descriptor(), data, strtoul(a.word[1], NULL, 0), strtol(a.word[0], NULL, 0)), data,
      detail, size);
}
// O_DIRECT read of one aligned block.
OPERATION(do_dread) {
  UNUSED;
  char *data = aligned_alloc(4096, 4096);
  return shown(read(xt_descriptor(), data, 4096), data, detail, size);
}
static long wrote(ssize_t put, char *detail, size_t size) {
  if (put < 0) return -1;
  snprintf(detail, size, "%zd", put);
  return 0;
}
OPERATION(do_write) {
  return wrote(write(xt_descriptor(), a.word[0], strlen(a.word[0])), detail, size);
}
OPERATION(do_pwrite) {
  return wrote(pwrite(xt_descriptor(), a.word[1], strlen(a.word[1]), strtol(a.word[0], NULL, 0)),
               detail, size);
}
// One write(2) per line of a file; ends at the first that fails.
OPERATION(do_lines) {
  size_t length, written = 0;
  char *data = slurp(a.word[0], &length), *at = data;
  if (!data) return -1;
  for (; at < data + length; written++) {
    char *newline = memchr(at, '\n', data + length - at);
    size_t line = newline ? (size_t)(newline + 1 - at) : (size_t)(data + length - at);
    if (write(xt_descriptor(), at, line) < 0) return -1;
    at += line;
  }
  snprintf(detail, size, "%zu lines", written);
  return 0;
}
OPERATION(do_seek) {
  int whence = !strcmp(a.word[0], "data")   ? SEEK_DATA
               : !strcmp(a.word[0], "hole") ? SEEK_HOLE
               : !strcmp(a.word[0], "end")  ? SEEK_END
                                            : SEEK_SET;
  off_t at = lseek(xt_descriptor(), strtoll(a.word[1], NULL, 0), whence);
  if (at < 0) return -1;
  snprintf(detail, size, "%lld", (long long)at);
  return 0;
}
// poll MILLISECONDS: waits until the current descriptor can be read
OPERATION(do_poll) {
  struct pollfd one = {.fd = xt_descriptor(), .events = POLLIN};
  if (poll(&one, 1, atoi(a.word[0])) < 0) return -1;
  snprintf(detail, size, "%s%s", one.revents & POLLIN ? "in" : "nothing",
           one.revents & POLLHUP ? " hup" : "");
  return 0;
}
OPERATION(do_ftruncate) {
  UNUSED;
  return ftruncate(xt_descriptor(), strtoll(a.word[0], NULL, 0));
}
OPERATION(do_fallocate) {
  UNUSED;
  return fallocate(xt_descriptor(), strtol(a.word[0], NULL, 0), strtoll(a.word[1], NULL, 0),
                   strtoll(a.word[2], NULL, 0));
}
OPERATION(do_fsync) {
  UNUSED;
  return fsync(xt_descriptor());
}
// copyrange INDEX LENGTH: from the descriptor with that index to the current one.
OPERATION(do_copyrange) {
  return wrote(copy_file_range(xt_descriptors[atoi(a.word[0])], NULL, xt_descriptor(), NULL,
                               strtoul(a.word[1], NULL, 0), 0),
               detail, size);
}
OPERATION(do_fstat) {
  struct stat st;
  (void)a;
  if (fstat(xt_descriptor(), &st)) return -1;
  snprintf(detail, size, "mode=%o uid=%u gid=%u nlink=%lu size=%lld", st.st_mode, st.st_uid,
           st.st_gid, (unsigned long)st.st_nlink, (long long)st.st_size);
  return 0;
}
// lock r|w|u START LENGTH: a POSIX lock, never waiting.
OPERATION(do_lock) {
  UNUSED;
  struct flock lock = {.l_type = *a.word[0] == 'r'   ? F_RDLCK
                                 : *a.word[0] == 'w' ? F_WRLCK
                                                     : F_UNLCK,
                       .l_start = strtol(a.word[1], NULL, 0),
                       .l_len = strtol(a.word[2], NULL, 0)};
  return fcntl(xt_descriptor(), F_SETLK, &lock);
}
OPERATION(do_flock) {
  UNUSED;
  int kind = *a.word[0] == 's' ? LOCK_SH : *a.word[0] == 'x' ? LOCK_EX : LOCK_UN;
  return flock(xt_descriptor(), kind | LOCK_NB);
}
// mmap rwx s|p LENGTH
OPERATION(do_mmap) {
  UNUSED;
  int protection = 0;
  for (char *letter = a.word[0]; *letter; letter++)
    protection |= *letter == 'r' ? PROT_READ : *letter == 'w' ? PROT_WRITE : PROT_EXEC;
  mapping_length = strtoul(a.word[2], NULL, 0);
  mapping = mmap(NULL, mapping_length, protection, *a.word[1] == 's' ? MAP_SHARED : MAP_PRIVATE,
                 xt_descriptor(), 0);
  return mapping == MAP_FAILED ? -1 : 0;
}
OPERATION(do_store) {
  UNUSED;
  memcpy(mapping + strtoul(a.word[0], NULL, 0), a.word[1], strlen(a.word[1]));
  return 0;
}
OPERATION(do_load) {
  return shown(strtol(a.word[1], NULL, 0), mapping + strtoul(a.word[0], NULL, 0), detail, size);
}
OPERATION(do_msync) {
  UNUSED;
  return msync(mapping, mapping_length, MS_SYNC);
}
OPERATION(do_munmap) {
  UNUSED;
  return munmap(mapping, mapping_length);
}
OPERATION(do_fgetx) {
  char value[1024];
  ssize_t got = fgetxattr(xt_descriptor(), a.word[0], value, sizeof value);
  if (got < 0) return -1;
  for (ssize_t at = 0; at < got; at++)
    snprintf(detail + 2 * at, size - 2 * at, "%02x", (unsigned char)value[at]);
  return 0;
}

// Descriptors travel over an abstract socket, which knows no mount namespaces.
static struct sockaddr_un address_of(const char *name, socklen_t *length) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path + 1, name, sizeof address.sun_path - 2);
  *length = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name);
  return address;
}
static struct msghdr message(struct iovec *byte, char *control, size_t length) {
  return (struct msghdr){
      .msg_iov = byte, .msg_iovlen = 1, .msg_control = control, .msg_controllen = length};
}
OPERATION(do_send) {
  UNUSED;
  socklen_t length;
  struct sockaddr_un address = address_of(a.word[0], &length);
  char control[CMSG_SPACE(sizeof(int))] = {0}, byte = 'd';
  struct iovec io = {&byte, 1};
  struct msghdr header = message(&io, control, sizeof control);
  struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
  *rights = (struct cmsghdr){
      .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
  int descriptor = xt_descriptor(), stream = socket(AF_UNIX, SOCK_STREAM, 0), tries = 500;
  memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
  while (connect(stream, (struct sockaddr *)&address, length) && --tries) usleep(10000);
  return sendmsg(stream, &header, 0) < 0 ? -1 : close(stream);
}
OPERATION(do_receive) {
  UNUSED;
  socklen_t length;
  struct sockaddr_un address = address_of(a.word[0], &length);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 1)) return -1;
  int stream = accept(listener, NULL, NULL);
  char control[CMSG_SPACE(sizeof(int))], byte;
  struct iovec io = {&byte, 1};
  struct msghdr header = message(&io, control, sizeof control);
  if (recvmsg(stream, &header, 0) < 0 || !CMSG_FIRSTHDR(&header)) return -1;
  int descriptor;
  memcpy(&descriptor, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof descriptor);
  close(stream);
  close(listener);
  return pushed(descriptor);
}

const struct operation xt_file_operations[] = {{"open", 2, do_open},
                                               {"use", 1, do_use},
                                               {"dup", 0, do_dup},
                                               {"close", 0, do_close},
                                               {"reopen", 1, do_reopen},
                                               {"read", 0, do_read},
                                               {"pread", 2, do_pread},
                                               {"dread", 0, do_dread},
                                               {"write", 1, do_write},
                                               {"pwrite", 2, do_pwrite},
                                               {"lines", 1, do_lines},
                                               {"seek", 2, do_seek},
                                               {"poll", 1, do_poll},
                                               {"ftruncate", 1, do_ftruncate},
                                               {"fallocate", 3, do_fallocate},
                                               {"fsync", 0, do_fsync},
                                               {"copyrange", 2, do_copyrange},
                                               {"fstat", 0, do_fstat},
                                               {"lock", 3, do_lock},
                                               {"flock", 1, do_flock},
                                               {"mmap", 3, do_mmap},
                                               {"store", 2, do_store},
                                               {"load", 2, do_load},
                                               {"msync", 0, do_msync},
                                               {"munmap", 0, do_munmap},
                                               {"fgetx", 1, do_fgetx},
                                               {"send", 1, do_send},
                                               {"receive", 1, do_receive},
                                               {NULL, 0, NULL}};
