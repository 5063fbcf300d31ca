// The race harness: one process swaps a file behind the mount while another uses it through it.
//   race rename|create|inplace GOOD BAD LABEL BACKING MOUNTED ROUNDS
// GOOD and BAD are programs of equal size that exit 0 and 66; LABEL is GOOD's security.ima in hex.
// rename: GOOD (labelled) and BAD (in turn without a label and with GOOD's) are renamed over the
// name; create: unlinked, created, written, labelled; inplace: rewritten with mtime restored, label
// kept. A round is one open+read, one open+mmap and one execve. `bad` counts what must never be:
// BAD served or run, in place only if the whole open lay between the end of a rewrite and the next
// one's begin; `late` counts BAD seen through an open that was allowed before.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static char good[65536], bad[65536], label[256];
static ssize_t length;
static size_t label_length;
static const char *mode, *backing, *mounted;

// 4 * swap + phase; phase 0: GOOD in place, 2: BAD in place, odd: being changed.
static volatile uint64_t *state;
static volatile uint64_t *swaps;

static ssize_t load(const char *path, char *into) {
  int descriptor = open(path, O_RDONLY);
  ssize_t got = read(descriptor, into, sizeof good);
  close(descriptor);
  return got;
}

static int put(const char *path, int flags, const char *content) {
  int descriptor = open(path, O_WRONLY | flags, 0755);
  if (descriptor < 0 || pwrite(descriptor, content, length, 0) != length) return -1;
  return descriptor;
}

static void enter(uint64_t phase) {
  uint64_t next = (*state & ~3ull) + phase;
  __atomic_store_n(state, phase == 1 ? next + 4 : next, __ATOMIC_SEQ_CST);
}

static void swap_name(int to_bad, int with_label) {
  char other[4096];
  snprintf(other, sizeof other, "%s.other", backing);
  int created = !strcmp(mode, "create");
  const char *path = created ? backing : other;
  unlink(path);
  int descriptor = put(path, O_CREAT | O_EXCL, to_bad ? bad : good);
  if (!to_bad || with_label) fsetxattr(descriptor, "security.ima", label, label_length, 0);
  close(descriptor);
  if (!created) rename(other, backing);
}

static void swap_in_place(int to_bad) {
  struct stat before;
  stat(backing, &before);
  close(put(backing, 0, to_bad ? bad : good));
  struct timespec times[2] = {before.st_atim, before.st_mtim};
  utimensat(AT_FDCWD, backing, times, 0);
}

static void swapper(void) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (uint64_t turn = 1;; turn++) {
    int to_bad = turn & 1;
    enter(1);
    if (!strcmp(mode, "inplace"))
      swap_in_place(to_bad);
    else
      swap_name(to_bad, turn & 2);
    enter(to_bad ? 2 : 0);
    *swaps = turn;
    usleep(turn % 7 * 50);
  }
}

static long served, refused, gone, violations, late, others[256];

// BAD was seen through an open that began in state `before` and was allowed in state `after`.
static void seen_bad(uint64_t before, uint64_t after) {
  if (strcmp(mode, "inplace"))
    violations++;
  else if (before == after && (before & 3) == 2)
    violations++;
  else
    late++;
}

static void not_opened(int number) {
  if (number == EACCES)
    refused++;
  else if (number == ENOENT)
    gone++;
  else
    others[number & 255]++;
}

static void use_content(int map) {
  char data[65536];
  uint64_t before = *state;
  int descriptor = open(mounted, O_RDONLY | O_CLOEXEC);
  uint64_t after = *state;
  if (descriptor < 0) {
    not_opened(errno);
    return;
  }
  const char *content = data;
  ssize_t got = length;
  struct stat st;
  if (map && (fstat(descriptor, &st) || st.st_size < length))
    got = 0;  // touching it would be SIGBUS
  else if (map)
    content = mmap(NULL, length, PROT_READ | PROT_EXEC, MAP_PRIVATE, descriptor, 0);
  else
    got = read(descriptor, data, sizeof data);
  if (content == MAP_FAILED || got < 0)
    others[errno & 255]++;
  else if (got == length && !memcmp(content, bad, length))
    seen_bad(before, after);
  else
    served++;
  if (content != data && content != MAP_FAILED) munmap((void *)content, length);
  close(descriptor);
}

static void execute(void) {
  char *arguments[] = {(char *)mounted, NULL}, *environment[] = {NULL};
  pid_t child;
  int status;
  uint64_t before = *state;
  int number = posix_spawn(&child, mounted, NULL, NULL, arguments, environment);
  uint64_t after = *state;
  if (number) {
    not_opened(number);
    return;
  }
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 66)
    seen_bad(before, after);
  else
    served++;
}

int main(int argc, char **argv) {
  if (argc < 8) return 2;
  mode = argv[1], backing = argv[5], mounted = argv[6];
  length = load(argv[2], good);
  if (length <= 0 || load(argv[3], bad) != length) return 3;
  for (const char *hex = argv[4]; hex[0] && hex[1]; hex += 2)
    sscanf(hex, "%2hhx", &label[label_length++]);
  state = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  swaps = state + 8;
  int descriptor = put(backing, O_CREAT | O_TRUNC, good);
  if (descriptor < 0 || fsetxattr(descriptor, "security.ima", label, label_length, 0)) return 4;
  close(descriptor);
  pid_t child = fork();
  if (child == 0) swapper();
  long rounds = atol(argv[7]);
  for (long round = 0; round < rounds; round++) use_content(0), use_content(1), execute();
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  printf("rounds=%ld swaps=%lu served=%ld refused=%ld gone=%ld late=%ld bad=%ld", rounds,
         (unsigned long)*swaps, served, refused, gone, late, violations);
  for (int number = 0; number < 256; number++)
    if (others[number]) printf(" %s=%ld", strerrorname_np(number), others[number]);
  printf("\n");
  return violations != 0;
}
