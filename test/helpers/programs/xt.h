// xt: a tiny interpreter of system calls for tests. Operations are words separated by a lone ",":
//   xt open rw FILE , write hello , close , wait , exec /bin/true
// Each operation prints one line "name=ok [detail]" or "name=ERRNO"; the exit status is 0 if all
// went well, 1 if any failed. Operations go on after a failure unless the name ends in "!".
#pragma once
#include <stddef.h>
#include <sys/types.h>

struct words {
  int count;
  char **word;
};

// Current descriptor and mapping, shared by all operations.
extern int xt_descriptors[64];
extern int xt_descriptor_count;
extern int xt_current;

struct operation {
  const char *name;
  int arguments;  // at least so many words after the name
  // >= 0: success, the number is printed if not 0; -1: errno is printed. `detail` may be filled.
  long (*run)(struct words arguments, char *detail, size_t size);
};

extern const struct operation xt_file_operations[];
extern const struct operation xt_path_operations[];
extern const struct operation xt_process_operations[];
extern const struct operation xt_control_operations[];

int xt_descriptor(void);
void xt_push(int descriptor);
int xt_open_flags(const char *letters);
const char *xt_errno_name(int number);
