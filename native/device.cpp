#include "device.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <cstdio>

#include "fuse_protocol.hpp"

namespace imafs {

using namespace fuse;

int Device::mount(const std::string& source, const std::string& mountpoint, unsigned long flags,
                  std::string& step) {
  step = "open /dev/fuse";
  fd_.reset(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!fd_) return errno;
  char options[128];
  std::snprintf(options, sizeof options,
                "fd=%d,rootmode=40000,user_id=0,group_id=0,default_permissions,allow_other",
                fd_.get());
  step = "mount " + mountpoint;
  if (::mount(source.c_str(), mountpoint.c_str(), "fuse.imafs", flags, options) != 0) return errno;
  return 0;
}

ssize_t Device::read(void* buffer, size_t size) {
  for (;;) {
    const ssize_t got = ::read(fd_.get(), buffer, size);
    if (got >= 0) return got;
    // ENOENT: the request was interrupted before we read it.
    if (errno == EINTR || errno == EAGAIN || errno == ENOENT) continue;
    return errno == ENODEV ? 0 : -errno;
  }
}

bool Device::send(const struct iovec* parts, int count) {
  for (;;) {
    if (::writev(fd_.get(), parts, count) >= 0) return true;
    if (errno == EINTR) continue;
    return false;
  }
}

bool Device::reply(uint64_t unique, const void* data, size_t size) {
  return replyTwo(unique, data, size, nullptr, 0);
}

bool Device::replyTwo(uint64_t unique, const void* first, size_t firstSize, const void* second,
                      size_t secondSize) {
  OutHeader header{static_cast<uint32_t>(sizeof(OutHeader) + firstSize + secondSize), 0, unique};
  const struct iovec parts[3] = {{&header, sizeof header},
                                 {const_cast<void*>(first), firstSize},
                                 {const_cast<void*>(second), secondSize}};
  return send(parts, secondSize ? 3 : firstSize ? 2 : 1);
}

bool Device::error(uint64_t unique, int error) {
  if (error == ENOSYS) error = EOPNOTSUPP;
  OutHeader header{sizeof(OutHeader), -error, unique};
  const struct iovec part = {&header, sizeof header};
  return send(&part, 1);
}

void Device::notifyPoll(uint64_t handle) {
  NotifyPollOut out{handle};
  OutHeader header{sizeof(OutHeader) + sizeof out, static_cast<int32_t>(Notify::poll), 0};
  const struct iovec parts[2] = {{&header, sizeof header}, {&out, sizeof out}};
  send(parts, 2);
}

void Device::notifyAttributes(uint64_t node) { notifyInode(node, -1); }

void Device::notifyPages(uint64_t node) { notifyInode(node, 0); }

// From `offset` to the end; negative: no page.
void Device::notifyInode(uint64_t node, int64_t offset) {
  NotifyInvalInodeOut out{node, offset, 0};
  OutHeader header{sizeof(OutHeader) + sizeof out, static_cast<int32_t>(Notify::invalInode), 0};
  const struct iovec parts[2] = {{&header, sizeof header}, {&out, sizeof out}};
  send(parts, 2);
}

int Device::backingOpen(int fd) {
  BackingMap map{fd, 0, 0};
  const int id = ::ioctl(fd_.get(), kIocBackingOpen, &map);
  return id < 0 ? -errno : id;
}

void Device::backingClose(int id) {
  uint32_t argument = static_cast<uint32_t>(id);
  ::ioctl(fd_.get(), kIocBackingClose, &argument);
}

}  // namespace imafs
