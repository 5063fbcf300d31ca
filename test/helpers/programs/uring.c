// Opens a file by an io_uring worker thread and reads its first bytes.
//   uring [unshare | setns PATH | personality UID] FILE
// unshare, setns: the worker is made first, then the process leaves for another mount namespace:
// the worker stays in the old one. personality: the ring borrows root's credentials, the process
// becomes UID.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct io_uring_params parameters;
static int ring;
static char *submissions, *completions;
static struct io_uring_sqe *entries;

static void fail(const char *what) {
  printf("%s=%s\n", what, strerrorname_np(errno));
  exit(3);
}

static void set_up(void) {
  ring = syscall(SYS_io_uring_setup, 4, &parameters);
  if (ring < 0) fail("io_uring_setup");
  size_t length = parameters.sq_off.array + parameters.sq_entries * sizeof(uint32_t);
  size_t completion_length =
      parameters.cq_off.cqes + parameters.cq_entries * sizeof(struct io_uring_cqe);
  submissions = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
  completions =
      mmap(NULL, completion_length, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
  entries = mmap(NULL, parameters.sq_entries * sizeof *entries, PROT_READ | PROT_WRITE, MAP_SHARED,
                 ring, IORING_OFF_SQES);
  if (submissions == MAP_FAILED || completions == MAP_FAILED || entries == MAP_FAILED) fail("mmap");
}

// IOSQE_ASYNC: never tried inline, always by a worker.
static int open_by_worker(const char *path, int personality) {
  uint32_t *tail = (uint32_t *)(submissions + parameters.sq_off.tail);
  uint32_t mask = *(uint32_t *)(submissions + parameters.sq_off.ring_mask), slot = *tail & mask;
  entries[slot] = (struct io_uring_sqe){.opcode = IORING_OP_OPENAT,
                                        .flags = IOSQE_ASYNC,
                                        .fd = AT_FDCWD,
                                        .addr = (uintptr_t)path,
                                        .open_flags = O_RDONLY,
                                        .personality = personality};
  ((uint32_t *)(submissions + parameters.sq_off.array))[slot] = slot;
  __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
  if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
    fail("io_uring_enter");
  uint32_t *head = (uint32_t *)(completions + parameters.cq_off.head);
  uint32_t completion_mask = *(uint32_t *)(completions + parameters.cq_off.ring_mask);
  struct io_uring_cqe *completion =
      (struct io_uring_cqe *)(completions + parameters.cq_off.cqes) + (*head & completion_mask);
  int result = completion->res;
  __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
  return result;
}

int main(int argc, char **argv) {
  int personality = 0, at = 1, leave = 0;
  const char *enter = NULL;
  set_up();
  if (at < argc && !strcmp(argv[at], "unshare")) leave = 1, at++;
  if (at + 1 < argc && !strcmp(argv[at], "setns")) enter = argv[at + 1], at += 2;
  if (at + 1 < argc && !strcmp(argv[at], "personality")) {
    uid_t uid = strtoul(argv[at + 1], NULL, 0);
    personality = syscall(SYS_io_uring_register, ring, IORING_REGISTER_PERSONALITY, NULL, 0);
    if (personality < 0) fail("personality");
    if (setresgid(uid, uid, uid) || setresuid(uid, uid, uid)) fail("setresuid");
    at += 2;
  }
  if (at >= argc) return 2;
  if ((leave || enter) && open_by_worker("/dev/null", 0) < 0) fail("first");
  // setns(2) wants an fs_struct of its own, which the process shares with its workers.
  if (enter && (unshare(CLONE_FS) || setns(open(enter, O_RDONLY), 0))) fail("setns");
  if (leave) {
    if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) fail("unshare");
  }
  int descriptor = open_by_worker(argv[at], personality);
  if (descriptor < 0) {
    printf("open=%s\n", strerrorname_np(-descriptor));
    return 1;
  }
  char data[64];
  ssize_t got = read(descriptor, data, sizeof data);
  char *newline = memchr(data, '\n', got < 0 ? 0 : got);
  printf("open=ok\nread=%zd %.*s\n", got,
         (int)(newline   ? newline - data
               : got < 0 ? 0
                         : got),
         data);
  return 0;
}
