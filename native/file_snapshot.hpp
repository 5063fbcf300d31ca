// What a file was when it was opened, for whoever changes an attribute of it only while it still is
// that.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "owned_fd.hpp"

namespace imafs {

struct FileSnapshot {
  // 64 bits each: they cross to JavaScript as one array.
  int64_t readBytes = 0;
  int64_t device = 0;
  int64_t mode = 0;
  int64_t sizeBytes = 0;
  int64_t mtimeNs = 0;
  int64_t ctimeNs = 0;
};

enum class FileChange { none, attributes, content };

// Opens a file for reading (no symlink, no FIFO that would keep us, its time of access as it is if
// we may ask for that), and takes its first `capacity` bytes if it is a regular one, and its
// attribute `name`. 0, or an errno: then `fd` holds nothing.
int openSnapshot(int directory, const char* path, const char* name, uint8_t* into, size_t capacity,
                 OwnedFd& fd, FileSnapshot& snapshot, std::optional<std::vector<uint8_t>>& value);

// 0, or an errno.
int changeSince(int fd, const FileSnapshot& snapshot, FileChange& change);

}  // namespace imafs
