// Making files: as the caller, never over what is there, and then judged like any other open.
#include <errno.h>
#include <fcntl.h>

#include "operations.hpp"

namespace imafs {

using namespace fuse;

void Operations::createAs(const Request& request, uint32_t flags, mode_t mode, mode_t umask,
                          const char* name) {
  const NodePtr parent = nodeOf(request);
  if (!parent) return fail(request, ESTALE);
  PinnedFd pin(*session_.inodes, parent);
  if (!pin) return fail(request, pin.error());
  if (const int error = becomeCaller(request, umask)) return fail(request, error);
  // A temporary file has no name; the kernel's d_tmpfile() calls it "#" and its inode number.
  OwnedFd fd(
      name ? ::openat(pin.get(), name, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
           : ::openat(pin.get(), ".", O_TMPFILE | O_RDWR | (flags & O_EXCL) | O_CLOEXEC, mode));
  const int error = errno;
  identity_.root();
  // Made behind the mount since the kernel looked: it is to be looked up and judged as an open.
  if (!fd) return fail(request, error == EEXIST && !(flags & O_EXCL) ? ESTALE : error);
  openCreated(request, std::move(fd), parent, name, flags);
}

void Operations::openCreated(const Request& request, OwnedFd fd, const NodePtr& parent,
                             const char* name, uint32_t flags) {
  Opening opening;
  opening.flags = flags;
  opening.created = true;
  opening.nameless = name == nullptr;
  OwnedFd path(::open(DescriptorPath(fd.get()), O_PATH | O_CLOEXEC));
  if (!path) return fail(request, errno);
  struct statx file {};
  int error = statFd(path.get(), file);
  if (error) return fail(request, error);
  opening.node = session_.inodes->intern(std::move(path), file, parent->id,
                                         name ? name : "#" + std::to_string(file.stx_ino), error);
  if (!opening.node) return fail(request, error);
  {
    std::lock_guard guard(opening.node->lock);
    opening.node->isNew = true;
  }
  fd.reset();
  judge(request, std::move(opening));
}

void Operations::create(const Request& request) {
  const auto* in = request.as<CreateIn>();
  const char* name = request.name(sizeof(CreateIn));
  if (!in || !name) return fail(request, EINVAL);
  if (forbiddenName(request, request.header.nodeid, name)) return;
  createAs(request, in->flags, in->mode, in->umask, name);
}

void Operations::tmpfile(const Request& request) {
  const auto* in = request.as<CreateIn>();
  if (!in) return fail(request, EINVAL);
  createAs(request, in->flags, in->mode, in->umask, nullptr);
}

}  // namespace imafs
