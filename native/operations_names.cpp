// Requests that deal in names: finding, making, linking, moving and removing them.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#include "operations.hpp"

namespace imafs {

using namespace fuse;

int Operations::internName(int parentFd, uint64_t parent, const char* name, NodePtr& node,
                           struct statx& file) {
  OwnedFd fd(::openat(parentFd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return errno;
  if (const int error = statFd(fd.get(), file)) return error;
  int error = 0;
  node = session_.inodes->intern(std::move(fd), file, parent, name, error);
  return error;
}

void Operations::replyEntry(const Request& request, const NodePtr& node, const struct statx& file) {
  session_.inodes->observe(*node, file);
  EntryOut out{};
  out.nodeid = node->id;
  out.entryValid = kEntrySeconds;
  out.attrValid = kAttributeSeconds;
  {
    std::lock_guard guard(node->lock);
    if (node->writers > 0 || node->unsettled) out.attrValid = 0;
  }
  fillAttributes(file, out.attr);
  if (session_.device.reply(request.header.unique, &out, sizeof out)) return;
  std::vector<uint64_t> gone;
  session_.inodes->forget(node->id, 1, gone);
}

void Operations::lookup(const Request& request) {
  const char* name = request.name(0);
  if (!name) return fail(request, EINVAL);
  if (request.header.nodeid == kRootNode && session_.options.virtualName == name)
    return virtualLookup(request, name);
  const NodePtr parent = nodeOf(request);
  if (!parent) return fail(request, ESTALE);
  PinnedFd pin(*session_.inodes, parent);
  if (!pin) return fail(request, pin.error());
  NodePtr node;
  struct statx file {};
  if (const int error = internName(pin.get(), parent->id, name, node, file))
    return fail(request, error);
  replyEntry(request, node, file);
}

void Operations::forget(const Request& request) {
  const auto* in = request.as<ForgetIn>();
  if (!in || (request.header.nodeid & kVirtualBit)) return;
  Notice notice;
  notice.kind = Notice::Kind::forgotten;
  session_.inodes->forget(request.header.nodeid, in->nlookup, notice.nodes);
  if (!notice.nodes.empty()) session_.upcalls.notify(std::move(notice));
}

void Operations::batchForget(const Request& request) {
  const auto* in = request.as<BatchForgetIn>();
  if (!in) return;
  const auto* one = reinterpret_cast<const ForgetOne*>(request.body + sizeof *in);
  Notice notice;
  notice.kind = Notice::Kind::forgotten;
  for (size_t i = 0; i < in->count && sizeof *in + (i + 1) * sizeof *one <= request.size; ++i)
    if (!(one[i].nodeid & kVirtualBit))
      session_.inodes->forget(one[i].nodeid, one[i].nlookup, notice.nodes);
  if (!notice.nodes.empty()) session_.upcalls.notify(std::move(notice));
}

void Operations::replyNewName(const Request& request, const char* name) {
  const NodePtr parent = nodeOf(request);
  if (!parent) return fail(request, ESTALE);
  PinnedFd pin(*session_.inodes, parent);
  if (!pin) return fail(request, pin.error());
  NodePtr node;
  struct statx file {};
  if (const int error = internName(pin.get(), parent->id, name, node, file))
    return fail(request, error);
  if (node->type == S_IFREG) {
    std::lock_guard guard(node->lock);
    node->isNew = file.stx_size == 0;
  }
  replyEntry(request, node, file);
}

void Operations::mknod(const Request& request) {
  const auto* in = request.as<MknodIn>();
  const char* name = request.name(sizeof(MknodIn));
  if (!in || !name) return fail(request, EINVAL);
  if (forbiddenName(request, request.header.nodeid, name)) return;
  const NodePtr parent = nodeOf(request);
  if (!parent) return fail(request, ESTALE);
  PinnedFd pin(*session_.inodes, parent);
  if (!pin) return fail(request, pin.error());
  if (const int error = becomeCaller(request, in->umask)) return fail(request, error);
  const dev_t device =
      makedev((in->rdev & 0xfff00) >> 8, (in->rdev & 0xff) | ((in->rdev >> 12) & 0xfff00));
  const int made = ::mknodat(pin.get(), name, in->mode, device);
  const int error = errno;
  identity_.root();
  if (made != 0) return fail(request, error);
  replyNewName(request, name);
}

void Operations::mkdir(const Request& request) {
  const auto* in = request.as<MkdirIn>();
  const char* name = request.name(sizeof(MkdirIn));
  if (!in || !name) return fail(request, EINVAL);
  if (forbiddenName(request, request.header.nodeid, name)) return;
  const NodePtr parent = nodeOf(request);
  if (!parent) return fail(request, ESTALE);
  PinnedFd pin(*session_.inodes, parent);
  if (!pin) return fail(request, pin.error());
  if (const int error = becomeCaller(request, in->umask)) return fail(request, error);
  const int made = ::mkdirat(pin.get(), name, in->mode);
  const int error = errno;
  identity_.root();
  if (made != 0) return fail(request, error);
  replyNewName(request, name);
}

void Operations::symlink(const Request& request) {
  const char* name = request.name(0);
  const char* target = name ? request.text(std::strlen(name) + 1) : nullptr;
  if (!target) return fail(request, EINVAL);
  if (forbiddenName(request, request.header.nodeid, name)) return;
  const NodePtr parent = nodeOf(request);
  if (!parent) return fail(request, ESTALE);
  PinnedFd pin(*session_.inodes, parent);
  if (!pin) return fail(request, pin.error());
  if (const int error = becomeCaller(request, 0)) return fail(request, error);
  const int made = ::symlinkat(target, pin.get(), name);
  const int error = errno;
  identity_.root();
  if (made != 0) return fail(request, error);
  replyNewName(request, name);
}

void Operations::link(const Request& request) {
  const auto* in = request.as<LinkIn>();
  const char* name = request.name(sizeof(LinkIn));
  if (!in || !name) return fail(request, EINVAL);
  if (forbiddenName(request, request.header.nodeid, name)) return;
  const NodePtr parent = nodeOf(request);
  const NodePtr node = session_.inodes->find(in->oldnodeid);
  if (!parent || !node) return fail(request, ESTALE);
  PinnedFd directory(*session_.inodes, parent), file(*session_.inodes, node);
  if (!directory) return fail(request, directory.error());
  if (!file) return fail(request, file.error());
  if (::linkat(file.get(), "", directory.get(), name, AT_EMPTY_PATH) != 0)
    return fail(request, errno);
  NodePtr linked;
  struct statx now {};
  if (const int error = internName(directory.get(), parent->id, name, linked, now))
    return fail(request, error);
  replyEntry(request, linked, now);
}

void Operations::unlink(const Request& request) {
  const char* name = request.name(0);
  if (!name) return fail(request, EINVAL);
  if (forbiddenName(request, request.header.nodeid, name)) return;
  const NodePtr parent = nodeOf(request);
  if (!parent) return fail(request, ESTALE);
  PinnedFd pin(*session_.inodes, parent);
  if (!pin) return fail(request, pin.error());
  const int flags = static_cast<Opcode>(request.header.opcode) == Opcode::rmdir ? AT_REMOVEDIR : 0;
  if (::unlinkat(pin.get(), name, flags) != 0) return fail(request, errno);
  succeed(request);
}

void Operations::rmdir(const Request& request) { unlink(request); }

void Operations::rename(const Request& request) {
  const auto* in = request.as<RenameIn>();
  if (!in) return fail(request, EINVAL);
  renameTo(request, in->newdir, 0, sizeof(RenameIn));
}

void Operations::rename2(const Request& request) {
  const auto* in = request.as<Rename2In>();
  if (!in) return fail(request, EINVAL);
  renameTo(request, in->newdir, in->flags, sizeof(Rename2In));
}

void Operations::renameTo(const Request& request, uint64_t newParent, uint32_t flags,
                          size_t names) {
  const char* from = request.name(names);
  const char* to = from ? request.name(names + std::strlen(from) + 1) : nullptr;
  if (!to) return fail(request, EINVAL);
  if (forbiddenName(request, request.header.nodeid, from)) return;
  if (forbiddenName(request, newParent, to)) return;
  if (newParent & kVirtualBit) return fail(request, EPERM);
  const NodePtr source = nodeOf(request);
  const NodePtr target = session_.inodes->find(newParent);
  if (!source || !target) return fail(request, ESTALE);
  PinnedFd sourceFd(*session_.inodes, source), targetFd(*session_.inodes, target);
  if (!sourceFd) return fail(request, sourceFd.error());
  if (!targetFd) return fail(request, targetFd.error());
  // What RENAME_WHITEOUT leaves behind is a new file, and the caller's.
  if (flags & RENAME_WHITEOUT)
    if (const int error = becomeCaller(request, 0)) return fail(request, error);
  const int moved = ::renameat2(sourceFd.get(), from, targetFd.get(), to, flags);
  const int error = errno;
  identity_.root();
  if (moved != 0) return fail(request, error);
  // The moved nodes are known by where they are now.
  const auto follow = [&](int directory, uint64_t parent, const char* name) {
    struct statx file {};
    if (::statx(directory, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &file) != 0) return;
    const NodePtr node = session_.inodes->findInode(deviceOf(file), file.stx_ino);
    if (node && node->id != kRootNode) session_.inodes->place(node, parent, name);
  };
  follow(targetFd.get(), newParent, to);
  if (flags & RENAME_EXCHANGE) follow(sourceFd.get(), request.header.nodeid, from);
  succeed(request);
}

void Operations::readlink(const Request& request) {
  const NodePtr node = nodeOf(request);
  if (!node) return fail(request, ESTALE);
  PinnedFd pin(*session_.inodes, node);
  if (!pin) return fail(request, pin.error());
  char target[PATH_MAX];
  const ssize_t length = ::readlinkat(pin.get(), "", target, sizeof target);
  if (length < 0) return fail(request, errno);
  session_.device.reply(request.header.unique, target, static_cast<size_t>(length));
}

}  // namespace imafs
