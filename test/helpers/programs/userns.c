// userns FIRST COUNT COMMAND...: runs a command as root of a user namespace whose ids 0 to COUNT-1
// are FIRST and on outside. To be run as root, who may map what it likes.
#define _GNU_SOURCE
#include <err.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void map(pid_t child, const char *kind, char **range) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s_map", child, kind);
  FILE *file = fopen(path, "we");
  if (!file || fprintf(file, "0 %s %s", range[0], range[1]) < 0 || fclose(file))
    err(125, "%s", path);
}

int main(int argc, char **argv) {
  int made[2], mapped[2];
  char byte = 0;
  if (argc < 4) errx(125, "usage: userns FIRST COUNT COMMAND...");
  if (pipe(made) || pipe(mapped)) err(125, "pipe");
  const pid_t child = fork();
  if (child < 0) err(125, "fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare(CLONE_NEWUSER) || write(made[1], &byte, 1) != 1) err(125, "unshare");
    if (read(mapped[0], &byte, 1) != 1) err(125, "the maps were not written");
    if (setgroups(0, NULL) || setgid(0) || setuid(0)) err(125, "become root");
    execvp(argv[3], argv + 3);
    err(127, "%s", argv[3]);
  }
  close(made[1]);
  if (read(made[0], &byte, 1) != 1) return 125;
  map(child, "uid", argv + 1);
  map(child, "gid", argv + 1);
  int status = 0;
  if (write(mapped[1], &byte, 1) != 1 || waitpid(child, &status, 0) < 0) err(125, "wait");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}
