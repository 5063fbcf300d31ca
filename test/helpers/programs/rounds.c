// Writes a program, closes it and executes it at once, again and again.
//   rounds same|new PROGRAM DIRECTORY COUNT
// same: one path truncated and rewritten; new: a new file each time. Every round's content differs
// in a trailing number. Any failure but a right exit is spurious and printed with its errno.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  int fresh = !strcmp(argv[1], "new"), count = atoi(argv[4]), spurious = 0;
  static char program[1 << 20];
  int source = open(argv[2], O_RDONLY);
  ssize_t length = read(source, program, sizeof program - sizeof(int));
  if (length <= 0) return 3;
  for (int round = 0; round < count; round++) {
    char path[4096];
    snprintf(path, sizeof path, "%s/round%d", argv[3], fresh ? round % 100 : 0);
    if (fresh) unlink(path);
    const char *step = "open";
    int status = 0, number = 0,
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    memcpy(program + length, &round, sizeof round);
    if (descriptor < 0)
      number = errno;
    else if (step = "write", write(descriptor, program, length + sizeof round) < 0)
      number = errno;
    else if (step = "close", close(descriptor))
      number = errno;
    else {
      pid_t child;
      char *arguments[] = {path, NULL}, *environment[] = {NULL};
      step = "exec";
      number = posix_spawn(&child, path, NULL, NULL, arguments, environment);
      if (!number && (waitpid(child, &status, 0) < 0 || status)) step = "exit", number = EIO;
    }
    if (number && spurious++ < 10)
      printf("round=%d %s=%s status=%x\n", round, step, strerrorname_np(number), status);
  }
  printf("rounds=%d spurious=%d\n", count, spurious);
  return spurious != 0;
}
