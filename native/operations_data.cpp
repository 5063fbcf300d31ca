// Data of open files that does not pass through in the kernel, and what always comes here: space,
// holes, copies, syncing, the close of a writer.
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "operations.hpp"

namespace imafs {

using namespace fuse;

namespace {

// How a write(2) was meant: by the flags of its descriptor at that moment, which fcntl(2) may have
// changed since the open. What the kernel writes back from mapped pages belongs where it says,
// whether or not the descriptor it borrows for that appends.
int writeMode(const WriteIn& in) {
  if (in.writeFlags & kWriteCache) return 0;
  const int append = in.flags & O_APPEND ? RWF_APPEND : 0;
  if ((in.flags & O_SYNC) == O_SYNC) return append | RWF_SYNC;
  return in.flags & O_DSYNC ? append | RWF_DSYNC : append;
}

// What chattr(1), lsattr(1) and project quotas ask. The kernel has checked the caller's right to
// ask (vfs_fileattr_set) on the mount's own inode; other commands are not known to be harmless.
bool isKnownCommand(uint32_t command) {
  return command == FS_IOC_GETFLAGS || command == FS_IOC_SETFLAGS || command == FS_IOC_FSGETXATTR ||
         command == FS_IOC_FSSETXATTR || command == FS_IOC_GETVERSION;
}

}  // namespace

void Operations::read(const Request& request) {
  const auto* in = request.wanting<ReadIn>();
  if (!in) return fail(request, EINVAL);
  const HandlePtr handle = session_.handles.find(in->fh);
  if (!handle || handle->directory) return fail(request, EBADF);
  OwnedFd temporary;
  const int fd = dataFd(handle, O_RDONLY, temporary);
  if (fd == -EWOULDBLOCK) return park(request);
  if (fd < 0) return fail(request, -fd);
  if (scratch_.size() < in->size) scratch_.resize(in->size);
  size_t done = 0;
  while (done < in->size) {
    const ssize_t got =
        ::pread(fd, scratch_.data() + done, in->size - done, static_cast<off_t>(in->offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(request, errno);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  session_.device.reply(request.header.unique, scratch_.data(), done);
}

void Operations::write(const Request& request) {
  const auto* in = request.as<WriteIn>();
  if (!in || request.size < sizeof(WriteIn) + in->size) return fail(request, EINVAL);
  const HandlePtr handle = session_.handles.find(in->fh);
  if (!handle || !handle->writable) return fail(request, EBADF);
  OwnedFd temporary;
  const int fd = dataFd(handle, O_WRONLY, temporary);
  if (fd == -EWOULDBLOCK) return park(request);
  if (fd < 0) return fail(request, -fd);
  // For callers nobody writes as root: quotas, reserved blocks and set-id clearing would be lost.
  if (const int error = identity_.anonymous()) return fail(request, error);
  const uint8_t* data = request.body + sizeof(WriteIn);
  const int mode = writeMode(*in);
  size_t done = 0;
  int error = 0;
  while (done < in->size) {
    const struct iovec part = {const_cast<uint8_t*>(data + done), in->size - done};
    const ssize_t put = ::pwritev2(fd, &part, 1, static_cast<off_t>(in->offset + done), mode);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      error = errno;
      break;
    }
    if (put == 0) break;
    done += static_cast<size_t>(put);
  }
  if (done == 0 && error) return fail(request, error);
  const WriteOut out{static_cast<uint32_t>(done), 0};
  session_.device.reply(request.header.unique, &out, sizeof out);
}

// Without passthrough, close(2) of the only writer waits here until the file is settled.
void Operations::flush(const Request& request) {
  const auto* in = request.as<FlushIn>();
  const HandlePtr handle = in ? session_.handles.find(in->fh) : nullptr;
  if (!handle) return fail(request, EBADF);
  if (request.decided || !handle->writable || handle->passthrough) return succeed(request);
  bool only;
  {
    std::lock_guard guard(handle->node->lock);
    only = handle->node->writers == 1;
  }
  if (!only) return succeed(request);
  PinnedFd pin(*session_.inodes, handle->node);
  if (!pin) return succeed(request);
  sendForDecision(request, UpcallKind::flush, handle->node, pin.get(), nullptr, nullptr, 0);
}

void Operations::fsync(const Request& request) {
  const auto* in = request.as<FsyncIn>();
  const HandlePtr handle = in ? session_.handles.find(in->fh) : nullptr;
  if (!handle) return fail(request, EBADF);
  OwnedFd temporary;
  const int fd = dataFd(handle, O_RDONLY, temporary);
  if (fd == -EWOULDBLOCK) return park(request);
  if (fd < 0) return fail(request, -fd);
  const int done = in->fsyncFlags & kFsyncDatasync ? ::fdatasync(fd) : ::fsync(fd);
  if (done != 0) return fail(request, errno);
  succeed(request);
}

void Operations::fallocate(const Request& request) {
  const auto* in = request.as<FallocateIn>();
  const HandlePtr handle = in ? session_.handles.find(in->fh) : nullptr;
  if (!handle || !handle->writable) return fail(request, EBADF);
  OwnedFd temporary;
  const int fd = dataFd(handle, O_WRONLY, temporary);
  if (fd == -EWOULDBLOCK) return park(request);
  if (fd < 0) return fail(request, -fd);
  if (const int refused = identity_.anonymous()) return fail(request, refused);
  const int done = ::fallocate(fd, static_cast<int>(in->mode), static_cast<off_t>(in->offset),
                               static_cast<off_t>(in->length));
  const int error = errno;
  identity_.root();
  if (done != 0) return fail(request, error);
  session_.device.notifyAttributes(handle->node->id);
  succeed(request);
}

void Operations::lseek(const Request& request) {
  const auto* in = request.as<LseekIn>();
  const HandlePtr handle = in ? session_.handles.find(in->fh) : nullptr;
  if (!handle) return fail(request, EBADF);
  OwnedFd temporary;
  // A descriptor of its own: SEEK_DATA and SEEK_HOLE do not move what others read.
  const int fd = dataFd(handle, O_RDONLY, temporary);
  if (fd == -EWOULDBLOCK) return park(request);
  if (fd < 0) return fail(request, -fd);
  const off_t found = ::lseek(fd, static_cast<off_t>(in->offset), static_cast<int>(in->whence));
  if (found < 0) return fail(request, errno);
  const LseekOut out{static_cast<uint64_t>(found)};
  session_.device.reply(request.header.unique, &out, sizeof out);
}

void Operations::copyFileRange(const Request& request) {
  const auto* in = request.as<CopyFileRangeIn>();
  const HandlePtr from = in ? session_.handles.find(in->fhIn) : nullptr;
  const HandlePtr to = in ? session_.handles.find(in->fhOut) : nullptr;
  if (!from || !to || !to->writable) return fail(request, EBADF);
  OwnedFd fromTemporary, toTemporary;
  const int source = dataFd(from, O_RDONLY, fromTemporary);
  const int target = dataFd(to, O_WRONLY, toTemporary);
  if (source == -EWOULDBLOCK || target == -EWOULDBLOCK) return park(request);
  if (source < 0) return fail(request, -source);
  if (target < 0) return fail(request, -target);
  off_t sourceOffset = static_cast<off_t>(in->offIn), targetOffset = static_cast<off_t>(in->offOut);
  if (const int refused = identity_.anonymous()) return fail(request, refused);
  const ssize_t copied = ::copy_file_range(source, &sourceOffset, target, &targetOffset, in->len,
                                           static_cast<unsigned>(in->flags));
  const int error = errno;
  identity_.root();
  if (copied < 0) return fail(request, error);
  session_.device.notifyAttributes(to->node->id);
  // Since 7.45 the kernel asks for any length, and until then for what 32 bits can answer.
  if (static_cast<Opcode>(request.header.opcode) == Opcode::copy_file_range) {
    const WriteOut out{static_cast<uint32_t>(copied), 0};
    session_.device.reply(request.header.unique, &out, sizeof out);
  } else {
    const CopyFileRangeOut out{static_cast<uint64_t>(copied)};
    session_.device.reply(request.header.unique, &out, sizeof out);
  }
}

void Operations::ioctl(const Request& request) {
  const auto* in = request.as<IoctlIn>();
  const HandlePtr handle = in ? session_.handles.find(in->fh) : nullptr;
  if (!handle) return fail(request, EBADF);
  if (!isKnownCommand(in->cmd)) return fail(request, ENOTTY);
  const bool gives = (_IOC_DIR(in->cmd) & _IOC_READ) != 0;
  alignas(struct fsxattr) uint8_t argument[sizeof(struct fsxattr)] = {};
  const size_t size = gives ? in->outSize : in->inSize;
  if (size > sizeof argument) return fail(request, EINVAL);
  if (!gives) {
    if (request.size < sizeof(IoctlIn) + size) return fail(request, EINVAL);
    std::memcpy(argument, request.body + sizeof(IoctlIn), size);
  }
  OwnedFd temporary;
  const int fd = dataFd(handle, O_RDONLY, temporary);
  if (fd == -EWOULDBLOCK) return park(request);
  if (fd < 0) return fail(request, -fd);
  if (::ioctl(fd, in->cmd, argument) != 0) return fail(request, errno);
  if (!gives) session_.device.notifyAttributes(handle->node->id);  // ctime
  const IoctlOut out{};
  session_.device.replyTwo(request.header.unique, &out, sizeof out, argument, gives ? size : 0);
}

// Regular files are always ready.
void Operations::poll(const Request& request) {
  const auto* in = request.as<PollIn>();
  if (!in) return fail(request, EINVAL);
  const PollOut out{in->events & (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM), 0};
  session_.device.reply(request.header.unique, &out, sizeof out);
}

}  // namespace imafs
