// The /dev/fuse descriptor: mount, requests in, replies and notifications out, backing ids.
#pragma once
#include <sys/types.h>
#include <sys/uio.h>

#include <cstdint>
#include <string>
#include <utility>

#include "owned_fd.hpp"

namespace imafs {

class Device {
 public:
  // Opens /dev/fuse and mounts it. 0 or an errno; `step` names the system call that failed.
  int mount(const std::string& source, const std::string& mountpoint, unsigned long flags,
            std::string& step);
  // Speaks to whoever is at the other end of a descriptor, one message a request.
  void use(OwnedFd device) { fd_ = std::move(device); }

  // One request. > 0: its length; 0: unmounted (ENODEV); < 0: -errno. Retries what is to be
  // retried.
  ssize_t read(void* buffer, size_t size);

  // False if the kernel no longer waits for the answer (ENOENT): what it granted must be undone.
  bool reply(uint64_t unique, const void* data, size_t size);
  bool replyTwo(uint64_t unique, const void* first, size_t firstSize, const void* second,
                size_t secondSize);
  // ENOSYS is never sent: the kernel would stop asking for the life of the mount.
  bool error(uint64_t unique, int error);

  void notifyPoll(uint64_t handle);
  // Cached attributes of a node are outdated (its pages are not touched).
  void notifyAttributes(uint64_t node);
  // And so are its pages: written back first where they are dirty, which the call waits for
  // (invalidate_inode_pages2_range()).
  void notifyPages(uint64_t node);

  // Backing id (> 0) or -errno. The ioctl keeps the credentials of the calling thread for all I/O.
  int backingOpen(int fd);
  void backingClose(int id);

 private:
  bool send(const struct iovec* parts, int count);
  void notifyInode(uint64_t node, int64_t offset);
  OwnedFd fd_;
};

}  // namespace imafs
