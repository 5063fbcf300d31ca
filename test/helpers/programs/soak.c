// soak DIRECTORY OPERATIONS SEED: what programs do to files, mixed at random, by four processes
// that meddle with each other's. Ends with 1 at an errno that no ordinary file system gives for it.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { PROCESSES = 4, NAMES = 64, DIRECTORIES = 8 };

static uint64_t state;
static unsigned pick(unsigned below) {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return (unsigned)(state >> 33) % below;
}

static char names[2][32];
static const char *name(int which) {
  snprintf(names[which], sizeof names[0], "d%u/f%u", pick(DIRECTORIES), pick(NAMES));
  return names[which];
}

// What may be the matter where others remove, replace and refuse.
static int is_ordinary(int error) {
  static const int known[] = {ENOENT,  EEXIST, ENOTEMPTY, EISDIR, ENOTDIR, EACCES, ETXTBSY,
                              ENODATA, EINVAL, ENOSPC,    EMLINK, ELOOP,   EBADF};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (error == known[i]) return 1;
  return 0;
}

static int with_file(const char *path, int flags) {
  char data[4096];
  const int fd = open(path, flags | O_CLOEXEC, 0644);
  if (fd < 0) return -1;
  int done = 0;
  memset(data, 'a' + (int)pick(26), sizeof data);
  switch (pick(10)) {
    case 0:
    case 1:
      done = read(fd, data, sizeof data) < 0;
      break;
    case 2:
    case 3:
      done = write(fd, data, pick(sizeof data)) < 0;
      break;
    case 4:
      done = pwrite(fd, data, 100, pick(100000)) < 0;
      break;
    case 5:
      done = ftruncate(fd, pick(20000));
      break;
    case 6:
      done = fallocate(fd, (int)pick(2), pick(10000), 1 + pick(10000));
      break;
    case 7: {
      struct stat st;
      char *map = MAP_FAILED;
      if (fstat(fd, &st) == 0 && st.st_size > 0)
        map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
      // No store: a file that another one cuts short meanwhile would be a SIGBUS.
      if (map != MAP_FAILED) munmap(map, 4096);
      break;
    }
    case 8:
      done = fsync(fd);
      break;
    default:
      done = lseek(fd, 0, SEEK_DATA) < 0 && errno != ENXIO;
  }
  const int error = errno;
  close(fd);
  errno = error;
  return done ? -1 : 0;
}

static int list(void) {
  char path[16];
  snprintf(path, sizeof path, "d%u", pick(DIRECTORIES));
  DIR *directory = opendir(path);
  if (!directory) return -1;
  while (readdir(directory)) continue;
  return closedir(directory);
}

static int temporary(void) {
  const int fd = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  const int done =
      write(fd, "x", 1) < 0 || linkat(AT_FDCWD, path, AT_FDCWD, name(0), AT_SYMLINK_FOLLOW);
  const int error = errno;
  close(fd);
  errno = error;
  return done ? -1 : 0;
}

static int one(void) {
  struct stat st;
  char value[64];
  static const int modes[] = {O_RDONLY, O_RDONLY, O_WRONLY, O_RDWR, O_WRONLY | O_APPEND};
  switch (pick(20)) {
    case 0:
    case 1:
    case 2:
      return with_file(name(0), O_CREAT | modes[pick(5)]);
    case 3:
    case 4:
    case 5:
    case 6:
      return with_file(name(0), modes[pick(5)]);
    case 7:
      return with_file(name(0), O_WRONLY | O_TRUNC);
    case 8:
    case 9:
      return stat(name(0), &st);
    case 10:
      return unlink(name(0));
    case 11:
      return rename(name(0), name(1));
    case 12:
      return renameat2(AT_FDCWD, name(0), AT_FDCWD, name(1), RENAME_EXCHANGE);
    case 13:
      return link(name(0), name(1));
    case 14:
      return symlink(name(0), name(1));
    case 15:
      return lsetxattr(name(0), "user.soak", "value", 5, 0) < 0 && errno != EPERM ? -1 : 0;
    case 16:
      return getxattr(name(0), "user.soak", value, sizeof value) < 0 ? -1 : 0;
    case 17:
      return list();
    case 18:
      return truncate(name(0), pick(10000));
    default:
      return temporary();
  }
}

int main(int argc, char **argv) {
  if (argc != 4 || chdir(argv[1])) return perror("soak"), 2;
  const long operations = atol(argv[2]);
  for (int i = 0; i < DIRECTORIES; i++) {
    char path[16];
    snprintf(path, sizeof path, "d%d", i);
    if (mkdir(path, 0755) && errno != EEXIST) return perror(path), 2;
  }
  for (int i = 0; i < PROCESSES; i++) {
    if (fork()) continue;
    state = (strtoull(argv[3], NULL, 0) + 1) * 0x9e3779b97f4a7c15u + (uint64_t)i;
    for (long done = 0; done < operations / PROCESSES; done++) {
      errno = 0;
      if (one() == 0 || is_ordinary(errno)) continue;
      fprintf(stderr, "process %d, operation %ld: %s\n", i, done, strerror(errno));
      _exit(1);
    }
    _exit(0);
  }
  int failed = 0, status;
  while (wait(&status) > 0) failed |= !WIFEXITED(status) || WEXITSTATUS(status);
  return failed;
}
