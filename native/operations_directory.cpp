// Listing directories. Cookies are the backing file system's own, so they stay stable.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "operations.hpp"

namespace imafs {

using namespace fuse;

namespace {
// struct linux_dirent64 of getdents64(2).
struct KernelDirent {
  uint64_t ino;
  int64_t off;
  uint16_t reclen;
  uint8_t type;
  char name[];
};
size_t padded(size_t size) { return (size + 7) & ~size_t{7}; }
}  // namespace

void Operations::opendir(const Request& request) {
  const NodePtr node = nodeOf(request);
  if (!node) return fail(request, ESTALE);
  PinnedFd pin(*session_.inodes, node);
  if (!pin) return fail(request, pin.error());
  auto handle = std::make_shared<Handle>();
  handle->node = node;
  handle->directory = true;
  handle->fd.reset(::openat(pin.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!handle->fd) return fail(request, errno);
  const OpenOut out{session_.handles.add(handle), 0, 0};
  if (!session_.device.reply(request.header.unique, &out, sizeof out))
    session_.handles.take(out.fh, true);
}

void Operations::readdir(const Request& request) { listDirectory(request, false); }

void Operations::readdirplus(const Request& request) { listDirectory(request, true); }

void Operations::listDirectory(const Request& request, bool plus) {
  const auto* in = request.wanting<ReadIn>();
  if (!in) return fail(request, EINVAL);
  const HandlePtr handle = session_.handles.find(in->fh);
  if (!handle || !handle->directory) return fail(request, EBADF);
  std::lock_guard position(handle->position);
  if (::lseek(handle->fd.get(), static_cast<off_t>(in->offset), SEEK_SET) < 0)
    return fail(request, errno);
  std::vector<uint8_t> entries(in->size < 4096 ? 4096 : in->size), reply;
  reply.reserve(in->size);
  std::vector<uint64_t> interned;
  for (bool full = false; !full;) {
    const long got = ::syscall(SYS_getdents64, handle->fd.get(), entries.data(), entries.size());
    if (got < 0 && reply.empty()) return fail(request, errno);
    if (got <= 0) break;
    for (long at = 0; at < got;) {
      const auto* entry = reinterpret_cast<const KernelDirent*>(entries.data() + at);
      at += entry->reclen;
      // Made behind the mount later on: the virtual tree has the name.
      if (handle->node->id == kRootNode && session_.options.virtualName == entry->name) continue;
      const size_t length = std::strlen(entry->name);
      const size_t head = plus ? sizeof(EntryOut) : 0;
      const size_t size = padded(head + sizeof(Dirent) + length);
      if (reply.size() + size > in->size) {
        full = true;
        break;
      }
      const size_t start = reply.size();
      reply.resize(start + size);
      if (plus) {
        EntryOut out{};
        const bool dots = !std::strcmp(entry->name, ".") || !std::strcmp(entry->name, "..");
        NodePtr node;
        struct statx file {};
        // A name without a node (nodeid 0) is only listed; the kernel looks it up when needed.
        if (!dots && internName(handle->fd.get(), handle->node->id, entry->name, node, file) == 0 &&
            node) {
          session_.inodes->observe(*node, file);
          std::lock_guard guard(node->lock);
          out.nodeid = node->id;
          out.entryValid = kEntrySeconds;
          out.attrValid = node->writers > 0 || node->unsettled ? 0 : kAttributeSeconds;
          fillAttributes(file, out.attr);
          interned.push_back(node->id);
        }
        std::memcpy(reply.data() + start, &out, sizeof out);
      }
      const Dirent dirent{entry->ino, static_cast<uint64_t>(entry->off),
                          static_cast<uint32_t>(length), entry->type};
      std::memcpy(reply.data() + start + head, &dirent, sizeof dirent);
      std::memcpy(reply.data() + start + head + sizeof dirent, entry->name, length);
    }
  }
  if (session_.device.reply(request.header.unique, reply.data(), reply.size())) return;
  std::vector<uint64_t> gone;
  for (const uint64_t id : interned) session_.inodes->forget(id, 1, gone);
}

void Operations::releasedir(const Request& request) {
  const auto* in = request.as<ReleaseIn>();
  if (in) session_.handles.take(in->fh, true);
  succeed(request);
}

void Operations::fsyncdir(const Request& request) {
  const auto* in = request.as<FsyncIn>();
  const HandlePtr handle = in ? session_.handles.find(in->fh) : nullptr;
  if (!handle || !handle->directory) return fail(request, EBADF);
  if (::fsync(handle->fd.get()) != 0) return fail(request, errno);
  succeed(request);
}

}  // namespace imafs
