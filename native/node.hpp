// One inode of the backing tree as the kernel knows it through the mount.
#pragma once
#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <string_view>

#include "short_bytes.hpp"
#include "small_lock.hpp"

namespace imafs {

// What tells two states of a file apart. The inode's own identity (generation) is in its file
// handle.
struct FileStamp {
  uint64_t size = 0;
  int64_t mtime = 0, ctime = 0;  // ns since the epoch
  bool operator==(const FileStamp&) const = default;
};

// Of a second that is too far away for it, which a file's owner may set (utimensat), it is what is
// left: another number for another time all the same.
inline int64_t nanoseconds(const struct statx_timestamp& time) {
  return static_cast<int64_t>(static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec);
}

inline FileStamp stampOf(const struct statx& file) {
  return {file.stx_size, nanoseconds(file.stx_mtime), nanoseconds(file.stx_ctime)};
}

inline uint64_t deviceOf(const struct statx& file) {
  return (uint64_t{file.stx_dev_major} << 32) | file.stx_dev_minor;
}

// How the kernel does I/O on an inode: chosen at its first open, kept until its last RELEASE
// (mixed modes are EIO to the application, fs/fuse/iomode.c).
enum class IoMode : uint8_t { none, passthrough, cached };

// A device number in the 32 bits that the kernel has for it; reads as deviceOf() makes it.
class Device32 {
 public:
  explicit Device32(uint64_t device)
      : bits_(static_cast<uint32_t>(device >> 32 << kMinorBits | (device & kMinorMask))) {}
  operator uint64_t() const { return uint64_t{bits_ >> kMinorBits} << 32 | (bits_ & kMinorMask); }

 private:
  static constexpr uint32_t kMinorBits = 20, kMinorMask = (1u << kMinorBits) - 1;
  uint32_t bits_;
};

// There may be a hundred thousand of them, so small members stand together.
struct Node {
  Node(uint64_t id, uint64_t device, uint64_t ino, uint16_t type, std::string_view handle)
      : id(id), ino(ino), handle(handle), device(device), type(type) {}

  const uint64_t id;
  const uint64_t ino;
  const ShortBytes handle;  // file handle of name_to_handle_at with its type; empty: none
  const Device32 device;
  std::atomic<uint32_t> sharers{0};  // see NodePtr
  const uint16_t type;               // S_IFMT bits

  // Guarded by the InodeTable's mutex.
  bool told = false;  // TypeScript has heard of it

  // Guarded by `lock`.
  bool referenced = false;
  bool unsettled = false;  // a writer may have changed it since it was last hashed
  bool isNew = false;      // made empty through the mount, no writer settled since
  bool passthroughRefused = false;
  IoMode mode = IoMode::none;
  SmallLock lock;
  int fd = -1;  // O_PATH, or -1 while idle
  uint32_t pins = 0;
  uint32_t opens = 0, writers = 0;
  uint32_t openingReaders = 0, openingWriters = 0;  // under way, see opening_mark.hpp
  int backingId = 0;
  FileStamp stamp;
  uint64_t version = 0;

  // Guarded by the InodeTable's mutex.
  uint64_t lookups = 0;  // the kernel's count
  uint64_t parent = 0;   // by the latest lookup
  ShortBytes name;
};

}  // namespace imafs
