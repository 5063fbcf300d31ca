#include "file_snapshot.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "xattrs.hpp"

namespace imafs {

namespace {

constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

int64_t nanoseconds(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

FileSnapshot snapshotOf(const struct stat& stat) {
  return {
      .device = static_cast<int64_t>(stat.st_dev),
      .mode = stat.st_mode,
      .sizeBytes = stat.st_size,
      .mtimeNs = nanoseconds(stat.st_mtim),
      .ctimeNs = nanoseconds(stat.st_ctim),
  };
}

}  // namespace

int openSnapshot(int directory, const char* path, const char* name, uint8_t* into, size_t capacity,
                 OwnedFd& fd, FileSnapshot& snapshot, std::optional<std::vector<uint8_t>>& value) {
  // Only the owner and root may ask that reading leaves no trace, which spares writing the inode.
  OwnedFd opened(::openat(directory, path, kFlags | O_NOATIME));
  if (!opened && errno == EPERM) opened.reset(::openat(directory, path, kFlags));
  struct stat stat;
  if (!opened || ::fstat(opened.get(), &stat) != 0) return errno;
  snapshot = snapshotOf(stat);
  if (S_ISREG(stat.st_mode)) {
    value = readXattrs(opened.get(), {name})[0];
    const ssize_t length = ::pread(opened.get(), into, capacity, 0);
    if (length < 0) return errno;
    snapshot.readBytes = length;
  }
  fd = std::move(opened);
  return 0;
}

int changeSince(int fd, const FileSnapshot& snapshot, FileChange& change) {
  struct stat stat;
  if (::fstat(fd, &stat) != 0) return errno;
  const FileSnapshot now = snapshotOf(stat);
  change = now.sizeBytes != snapshot.sizeBytes || now.mtimeNs != snapshot.mtimeNs
               ? FileChange::content
           : now.ctimeNs != snapshot.ctimeNs ? FileChange::attributes
                                             : FileChange::none;
  return 0;
}

}  // namespace imafs
