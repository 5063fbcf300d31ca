// A file descriptor that is closed with its owner.
#pragma once
#include <unistd.h>

#include <atomic>

namespace imafs {

class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(other.release()) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  ~OwnedFd() { reset(); }

  int get() const { return fd_.load(std::memory_order_relaxed); }
  explicit operator bool() const { return get() >= 0; }
  int release() { return fd_.exchange(-1, std::memory_order_relaxed); }
  void reset(int fd = -1) {
    const int old = fd_.exchange(fd, std::memory_order_relaxed);
    if (old >= 0) ::close(old);
  }

 private:
  // A file's handle is released by another thread than the one that has read by it. The kernel asks
  // for the one after the other, of which the language knows nothing.
  std::atomic<int> fd_ = -1;
};

}  // namespace imafs
