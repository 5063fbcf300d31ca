#define _GNU_SOURCE
#include "xt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int xt_descriptors[64];
int xt_descriptor_count;
int xt_current = -1;

static const char *prefix = "";

int xt_descriptor(void) { return xt_current < 0 ? -1 : xt_descriptors[xt_current]; }

void xt_push(int descriptor) {
  xt_current = xt_descriptor_count;
  xt_descriptors[xt_descriptor_count++] = descriptor;
}

const char *xt_errno_name(int number) {
  const char *name = strerrorname_np(number);
  return name ? name : "EUNKNOWN";
}

int xt_open_flags(const char *letters) {
  int reads = 0, writes = 0, flags = 0;
  for (; *letters; letters++) {
    switch (*letters) {
      case 'r':
        reads = 1;
        break;
      case 'w':
        writes = 1;
        break;
      case 'a':
        flags |= O_APPEND;
        writes = 1;
        break;
      case 'c':
        flags |= O_CREAT;
        break;
      case 'x':
        flags |= O_EXCL;
        break;
      case 't':
        flags |= O_TRUNC;
        break;
      case 'd':
        flags |= O_DIRECT;
        break;
      case 'n':
        flags |= O_NOFOLLOW;
        break;
      case 'p':
        flags |= O_PATH;
        break;
      case 'y':
        flags |= O_DIRECTORY;
        break;
      case 'm':
        flags |= O_TMPFILE;
        break;
      case 'b':
        flags |= O_NONBLOCK;
        break;
      case 's':
        flags |= O_SYNC;
        break;
      default:
        fprintf(stderr, "xt: unknown open flag %c\n", *letters);
        exit(2);
    }
  }
  return flags | (reads && writes ? O_RDWR : writes ? O_WRONLY : O_RDONLY);
}

static const struct operation *find(const char *name, size_t length) {
  const struct operation *tables[] = {xt_file_operations, xt_path_operations, xt_process_operations,
                                      xt_control_operations};
  for (size_t table = 0; table < sizeof tables / sizeof *tables; table++)
    for (const struct operation *it = tables[table]; it->name; it++)
      if (strlen(it->name) == length && !strncmp(it->name, name, length)) return it;
  return NULL;
}

static struct words take(int *count, char ***word) {
  struct words taken = {0, *word};
  while (taken.count < *count && strcmp((*word)[taken.count], ",")) taken.count++;
  int used = taken.count < *count ? taken.count + 1 : taken.count;
  *count -= used;
  *word += used;
  return taken;
}

// fork , CHILD OPERATIONS , end: the child runs up to "end" and leaves; the parent goes on after
// it.
static int fork_child(int *count, char ***word) {
  fflush(stdout);
  pid_t child = fork();
  if (child < 0) return -1;
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prefix = "child.";
    return 0;
  }
  while (*count > 0 && strcmp(take(count, word).word[0], "end")) continue;
  return 1;
}

static int join(int *failed) {
  int status = 0;
  if (wait(&status) < 0) return -1;
  if (!WIFEXITED(status) || WEXITSTATUS(status)) *failed = 1;
  return 0;
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  int count = argc - 1, failed = 0;
  char **word = argv + 1;
  while (count > 0) {
    struct words words = take(&count, &word);
    if (words.count == 0) continue;
    const char *name = words.word[0];
    if (!strcmp(name, "end")) return failed;
    if (!strcmp(name, "fork") || !strcmp(name, "join")) {
      int outcome = *name == 'f' ? fork_child(&count, &word) : join(&failed);
      if (outcome < 0) failed = 1, printf("%s%s=%s\n", prefix, name, xt_errno_name(errno));
      continue;
    }
    size_t length = strlen(name);
    int must = length && name[length - 1] == '!';
    if (must) length--;
    const struct operation *operation = find(name, length);
    if (!operation || words.count - 1 < operation->arguments) {
      fprintf(stderr, "xt: bad operation %s\n", name);
      return 2;
    }
    char detail[8192] = "";
    struct words arguments = {words.count - 1, words.word + 1};
    errno = 0;
    long result = operation->run(arguments, detail, sizeof detail);
    if (result < 0) {
      failed = 1;
      printf("%s%s=%s%s%s\n", prefix, operation->name, xt_errno_name(errno), *detail ? " " : "",
             detail);
      if (must) return 1;
    } else if (*detail) {
      printf("%s%s=ok %s\n", prefix, operation->name, detail);
    } else {
      printf("%s%s=ok\n", prefix, operation->name);
    }
  }
  return failed;
}
