// Operations on the process itself: programs, ids, namespaces, waiting.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xt.h"

#define OPERATION(name) static long name(struct words a, char *detail, size_t size)
#define UNUSED (void)a, (void)detail, (void)size

static char **null_terminated(struct words words) {
  char **copy = calloc(words.count + 1, sizeof *copy);
  memcpy(copy, words.word, words.count * sizeof *copy);
  return copy;
}

OPERATION(do_exec) {
  UNUSED;
  fflush(stdout);
  return execv(a.word[0], null_terminated(a));
}
// Executes a program and waits; an execve(2) that failed is the result, its errno through a pipe.
OPERATION(do_run) {
  int failure[2], number = 0, status;
  if (pipe2(failure, O_CLOEXEC)) return -1;
  fflush(stdout);
  pid_t child = fork();
  if (child < 0) return -1;
  if (child == 0) {
    execv(a.word[0], null_terminated(a));
    number = errno;
    if (write(failure[1], &number, sizeof number) < 0) _exit(125);
    _exit(126);
  }
  close(failure[1]);
  ssize_t got = read(failure[0], &number, sizeof number);
  close(failure[0]);
  if (waitpid(child, &status, 0) < 0) return -1;
  if (got > 0) return errno = number, -1;
  if (WIFSIGNALED(status))
    snprintf(detail, size, "signal %d", WTERMSIG(status));
  else
    snprintf(detail, size, "exit %d", WEXITSTATUS(status));
  return 0;
}
// Executes the current descriptor's file (execveat with AT_EMPTY_PATH); never comes back.
OPERATION(do_fexec) {
  UNUSED;
  fflush(stdout);
  char *arguments[] = {"fexec", NULL}, *environment[] = {NULL};
  return execveat(xt_descriptor(), "", arguments, environment, AT_EMPTY_PATH);
}
OPERATION(do_wait) {
  UNUSED;
  char line[256];
  printf("waiting\n");
  ssize_t got = read(0, line, sizeof line);
  return got < 0 ? -1 : 0;
}
OPERATION(do_sleep) {
  UNUSED;
  return usleep(1000 * strtoul(a.word[0], NULL, 0));
}
// unshare m|U|p…: a mount namespace is made private, a user namespace maps 0 to the caller's ids
OPERATION(do_unshare) {
  UNUSED;
  int flags = 0;
  uid_t uid = geteuid();
  gid_t gid = getegid();
  for (char *letter = a.word[0]; *letter; letter++)
    flags |= *letter == 'm'   ? CLONE_NEWNS
             : *letter == 'U' ? CLONE_NEWUSER
             : *letter == 'p' ? CLONE_NEWPID
                              : 0;
  if (unshare(flags)) return -1;
  if (flags & CLONE_NEWUSER) {
    FILE *file = fopen("/proc/self/setgroups", "w");
    if (file) fputs("deny", file), fclose(file);
    if (!(file = fopen("/proc/self/uid_map", "w"))) return -1;
    fprintf(file, "0 %u 1", uid), fclose(file);
    if (!(file = fopen("/proc/self/gid_map", "w"))) return -1;
    fprintf(file, "0 %u 1", gid), fclose(file);
  }
  return flags & CLONE_NEWNS ? mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) : 0;
}
// setns PATH: whatever kind of namespace it is; the working directory becomes its root
OPERATION(do_setns) {
  UNUSED;
  int descriptor = open(a.word[0], O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return -1;
  long result = setns(descriptor, 0);
  close(descriptor);
  return result;
}
OPERATION(do_bind) {
  UNUSED;
  return mount(a.word[0], a.word[1], NULL, MS_BIND, NULL);
}
// as UID GID: real, effective and saved, no groups
OPERATION(do_as) {
  UNUSED;
  uid_t uid = strtoul(a.word[0], NULL, 0);
  gid_t gid = strtoul(a.word[1], NULL, 0);
  if (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid)) return -1;
  return prctl(PR_SET_DUMPABLE, 1);  // or /proc/self would stay root's
}
static id_t id_of(const char *word) {
  return !strcmp(word, "-") ? (id_t)-1 : strtoul(word, NULL, 0);
}
// resuid R E S and resgid R E S, "-" keeps one
OPERATION(do_resuid) {
  UNUSED;
  return setresuid(id_of(a.word[0]), id_of(a.word[1]), id_of(a.word[2]));
}
OPERATION(do_resgid) {
  UNUSED;
  return setresgid(id_of(a.word[0]), id_of(a.word[1]), id_of(a.word[2]));
}
OPERATION(do_fsuid) {
  UNUSED;
  setfsuid(strtoul(a.word[0], NULL, 0));
  return 0;
}
OPERATION(do_mntns) {
  ssize_t got = readlink("/proc/self/ns/mnt", detail, size - 1);
  (void)a;
  if (got < 0) return -1;
  detail[got] = 0;
  return 0;
}
OPERATION(do_chdir) {
  UNUSED;
  return chdir(a.word[0]);
}
// The process goes on as an orphan of its own session: fork twice, the parents leave.
OPERATION(do_daemonize) {
  UNUSED;
  fflush(stdout);
  for (int generation = 0; generation < 2; generation++) {
    pid_t child = fork();
    if (child < 0) return -1;
    if (child > 0) _exit(0);
    if (generation == 0 && setsid() < 0) return -1;
  }
  usleep(20000);
  return 0;
}

const struct operation xt_process_operations[] = {
    {"exec", 1, do_exec},     {"run", 1, do_run},       {"fexec", 0, do_fexec},
    {"wait", 0, do_wait},     {"sleep", 1, do_sleep},   {"unshare", 1, do_unshare},
    {"setns", 1, do_setns},   {"bind", 2, do_bind},     {"as", 2, do_as},
    {"resuid", 3, do_resuid}, {"resgid", 3, do_resgid}, {"fsuid", 1, do_fsuid},
    {"mntns", 0, do_mntns},   {"chdir", 1, do_chdir},   {"daemonize", 0, do_daemonize},
    {NULL, 0, NULL}};
