// Times file access from a program that does nothing else; prints nanoseconds.
//   openloop warm FILE COUNT   mean of COUNT times open, read 4 KiB, close
//   openloop open FILE         one open
//   openloop read FILE         reading all of it, the open not counted
//   openloop walk DIR          opens and reads every file below DIR; prints how many there were
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char buffer[1 << 20];
static long files;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e9 + time.tv_nsec;
}

static int open_or_die(const char* path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) err(1, "open %s", path);
  return fd;
}

static ssize_t read_or_die(int fd, size_t size) {
  ssize_t count = read(fd, buffer, size);
  if (count < 0) err(1, "read");
  return count;
}

static void open_read_close(const char* path) {
  int fd = open_or_die(path);
  read_or_die(fd, 4096);
  close(fd);
}

static int visit(const char* path, const struct stat* stat, int type, struct FTW* place) {
  (void)stat;
  (void)place;
  if (type == FTW_F) {
    open_read_close(path);
    files++;
  }
  return 0;
}

int main(int argc, char** argv) {
  if (argc < 3) errx(2, "usage: openloop warm|open|read|walk PATH [COUNT]");
  const char* path = argv[2];
  if (strcmp(argv[1], "warm") == 0 && argc == 4) {
    long count = atol(argv[3]);
    for (int i = 0; i < 100; i++) open_read_close(path);
    double start = now();
    for (long i = 0; i < count; i++) open_read_close(path);
    printf("%.0f\n", (now() - start) / count);
  } else if (strcmp(argv[1], "open") == 0) {
    double start = now();
    int fd = open_or_die(path);
    printf("%.0f\n", now() - start);
    close(fd);
  } else if (strcmp(argv[1], "read") == 0) {
    int fd = open_or_die(path);
    double start = now();
    while (read_or_die(fd, sizeof buffer) > 0) {
    }
    printf("%.0f\n", now() - start);
    close(fd);
  } else if (strcmp(argv[1], "walk") == 0) {
    if (nftw(path, visit, 64, FTW_PHYS | FTW_MOUNT) != 0) err(1, "nftw %s", path);
    printf("%ld\n", files);
  } else {
    errx(2, "unknown words");
  }
  return 0;
}
