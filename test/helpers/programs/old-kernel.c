// Preloaded into the daemon (LD_PRELOAD), makes the kernel look like an older one to it, so that
// its fallbacks are chosen by what INIT and the system calls answer:
//   OLD_KERNEL=5.15  FUSE 7.34: no second word of INIT flags, so no passthrough
//   OLD_KERNEL=6.8   FUSE 7.39, no passthrough
//   OLD_KERNEL=6.10  FUSE 7.40 with passthrough
// None of them has NS_GET_MNTNS_ID (6.11); the first two have no FS_IOC_GETFSUUID (6.9) and
// listmount(2) (6.8) either.
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

// linux/fuse.h: struct fuse_in_header, then struct fuse_init_in.
enum { OPCODE = 4, HEADER = 40, MINOR = HEADER + 4, FLAGS = HEADER + 12, FLAGS2 = HEADER + 16 };
enum { INIT = 26, INIT_SIZE = HEADER + 64 };
static const uint32_t kInitExt = 1u << 30, kPassthrough = 1u << 5;  // bit 37 of both words

static const char *kernel(void) {
  const char *version = getenv("OLD_KERNEL");
  return version ? version : "5.15";
}

static int is_fuse(int fd) {
  struct stat st;
  return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(10, 229);
}

static void grow_old(char *request) {
  uint32_t minor, flags, flags2;
  memcpy(&minor, request + MINOR, 4);
  memcpy(&flags, request + FLAGS, 4);
  memcpy(&flags2, request + FLAGS2, 4);
  if (!strcmp(kernel(), "5.15")) {
    minor = 34;
    flags &= kInitExt - 1;
    flags2 = 0;
  } else if (!strcmp(kernel(), "6.8")) {
    minor = 39;
    flags2 &= kPassthrough - 1;
  } else {
    minor = 40;
    flags2 &= 2 * kPassthrough - 1;
  }
  memcpy(request + MINOR, &minor, 4);
  memcpy(request + FLAGS, &flags, 4);
  memcpy(request + FLAGS2, &flags2, 4);
}

ssize_t read(int fd, void *buffer, size_t size) {
  const ssize_t got = syscall(SYS_read, fd, buffer, size);
  uint32_t opcode;
  if (got < INIT_SIZE) return got;
  memcpy(&opcode, (char *)buffer + OPCODE, 4);
  if (opcode == INIT && got == INIT_SIZE && is_fuse(fd)) grow_old(buffer);
  return got;
}

int ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  const int is_new = request == 0x8008b705 /* NS_GET_MNTNS_ID */ ||
                     (request == 0x80111500 /* FS_IOC_GETFSUUID */ && strcmp(kernel(), "6.10"));
  if (is_new) return errno = ENOTTY, -1;
  return (int)syscall(SYS_ioctl, fd, request, argument);
}

// listmount(2) came with 6.8, and took the id of a namespace in 6.11.
long syscall(long number, ...) {
  long a[6];
  va_list arguments;
  va_start(arguments, number);
  for (int i = 0; i < 6; i++) a[i] = va_arg(arguments, long);
  va_end(arguments);
  if (number == 458) return errno = strcmp(kernel(), "6.10") ? ENOSYS : E2BIG, -1;
  register long r10 __asm__("r10") = a[3];
  register long r8 __asm__("r8") = a[4];
  register long r9 __asm__("r9") = a[5];
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  if (result < 0 && result > -4096) return errno = (int)-result, -1;
  return result;
}
