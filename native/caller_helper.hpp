// The part of readAsCaller() that runs in processes of its own. One stays what the daemon is; in a
// second one, which has its descriptors in common with the first, it becomes the caller, opens and
// reads. The first then says what was read: in the caller's user namespace owners have other
// numbers.
#pragma once
#include <linux/limits.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "caller.hpp"

namespace imafs {

// What is told of a file are this many extended attributes at most.
constexpr size_t kMostHelperXattrs = 16;

// In memory shared with the daemon; the content follows behind.
struct HelperReport {
  // The first helper process came to its end, the second one to its own.
  bool finished, opened;
  int error;
  bool own;  // lies on our own mount: `ino` is to be read by the daemon, there is nothing else
  uint64_t ino;
  int fd;  // of the file that was read
  struct statx file;
  uint64_t fsMagic;
  struct {
    ssize_t size;  // below 0: there is none
    uint8_t value[XATTR_SIZE_MAX];
  } xattrs[kMostHelperXattrs];
  size_t size;
  uint8_t content[];
};

// Everything the helper needs. Made before it starts: the child of a process with threads must not
// allocate, because another thread may have held the allocator's lock at that moment.
struct HelperPlan {
  char root[32], mounts[32], user[32];
  const char* path = nullptr;
  size_t limit = 0;
  uint64_t ownDevice = 0;
  Credentials who;
  std::unique_ptr<gid_t[]> groups;
  size_t groupCount = 0;
  const char* xattrs[kMostHelperXattrs];
  size_t xattrCount = 0;
};

// In the child of clone(2), which must be the first process of a pid namespace: its end is then the
// end of all that it started.
[[noreturn]] void runHelper(const HelperPlan& plan, HelperReport& report);

}  // namespace imafs
