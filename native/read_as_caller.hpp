// Reads a file that a caller names by path, as that caller would open it, without ever hanging this
// process: a short-lived helper process (fork) takes the caller's mount namespace, root, fsuid,
// fsgid, groups and file capabilities, opens O_PATH, reads, and leaves the content and what the
// file is like in shared memory.
#pragma once
#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "xattrs.hpp"

namespace imafs {

struct ReadAsCallerRequest {
  pid_t tid = 0;
  std::string path;
  size_t limit = 0;
  int timeoutMs = 0;
  std::vector<std::string> xattrs;  // the names to be told of, 16 at most
  // st_dev of our own mount, and how to open one of its inodes (by st_ino) on the backing: such a
  // file is never opened through the mount, which would wait for ourselves.
  uint64_t ownDevice = 0;
  std::function<int(uint64_t ino)> openBacking;  // O_RDONLY descriptor or -errno
};

// Everything of the one descriptor that was read, with owners as this process knows them.
struct FileOfCaller {
  std::vector<uint8_t> content;
  struct statx file {};
  XattrValues xattrs;
  uint64_t fsMagic = 0;  // f_type of fstatfs(2)
};

// 0 or an errno: ETIMEDOUT, EFBIG over the limit, EINVAL not a regular file, empty, or the path is
// not absolute, ELOOP through a magic link (/proc/PID/root, /proc/PID/fd/N), EBUSY while an earlier
// helper of the same mount namespace still hangs after its end was ordered, else as open(2) said.
// Blocks for `timeoutMs` at most, plus reading one file of our own backing. From any thread.
int readAsCaller(const ReadAsCallerRequest& request, FileOfCaller& out);

}  // namespace imafs
