// Times file access from a program that does nothing else; prints nanoseconds.
//   openloop warm FILE COUNT   mean of COUNT times open, read 4 KiB, close
//   openloop open FILE         one open
//   openloop read FILE         reading all of it, the open not counted
//   openloop walk DIR          opens and reads every file below DIR; prints how many there were
//   openloop cold DIR COUNT    mean of the opens of DIR/0, DIR/1, ... one after the other
//   openloop crowd DIR COUNT   COUNT processes walk DIR/0, DIR/1, ... at once, until the last is
//   done
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
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

static void walk(const char* path) {
  if (nftw(path, visit, 64, FTW_PHYS | FTW_MOUNT) != 0) err(1, "nftw %s", path);
}

static const char* numbered(const char* directory, long number) {
  static char path[4096];
  snprintf(path, sizeof path, "%s/%ld", directory, number);
  return path;
}

static double cold(const char* directory, long count) {
  double spent = 0;
  for (long i = 0; i < count; i++) {
    const char* path = numbered(directory, i);
    double start = now();
    int fd = open_or_die(path);
    spent += now() - start;
    read_or_die(fd, 4096);
    close(fd);
  }
  return spent / count;
}

static double crowd(const char* directory, long count) {
  double start = now();
  for (long i = 0; i < count; i++) {
    pid_t child = fork();
    if (child < 0) err(1, "fork");
    if (child == 0) {
      walk(numbered(directory, i));
      _exit(0);
    }
  }
  for (long i = 0; i < count; i++) {
    int status;
    if (wait(&status) < 0) err(1, "wait");
    if (status != 0) errx(1, "a process of the crowd failed");
  }
  return now() - start;
}

int main(int argc, char** argv) {
  if (argc < 3) errx(2, "usage: openloop warm|open|read|walk|cold|crowd PATH [COUNT]");
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
    walk(path);
    printf("%ld\n", files);
  } else if (strcmp(argv[1], "cold") == 0 && argc == 4) {
    printf("%.0f\n", cold(path, atol(argv[3])));
  } else if (strcmp(argv[1], "crowd") == 0 && argc == 4) {
    printf("%.0f\n", crowd(path, atol(argv[3])));
  } else {
    errx(2, "unknown words");
  }
  return 0;
}
