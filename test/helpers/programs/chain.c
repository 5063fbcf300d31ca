// chain MILLISECONDS COMMAND...: leaves its mount namespace and its parent, then forks and ends
// over and over for that long, each process living for two milliseconds; the last one executes the
// command.
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int main(int argc, char **argv) {
  if (argc < 3 || unshare(CLONE_NEWNS)) return perror("chain"), 2;
  const long end = now() + atol(argv[1]);
  while (now() < end) {
    const pid_t child = fork();
    if (child < 0) return perror("fork"), 2;
    if (child > 0) _exit(0);
    usleep(2000);
  }
  execvp(argv[2], argv + 2);
  return perror(argv[2]), 127;
}
