// Extended attributes. Guarded names are decided above; the rest is the backing file's own.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "operations.hpp"

namespace imafs {

using namespace fuse;

namespace {
bool isPosixAcl(const char* name) { return std::strncmp(name, "system.posix_acl_", 17) == 0; }
}  // namespace

void Operations::setxattr(const Request& request) {
  const auto* in = request.as<SetxattrIn>();
  const char* name = request.text(sizeof(SetxattrIn));
  if (!in || !name) return fail(request, EINVAL);
  const size_t start = sizeof(SetxattrIn) + std::strlen(name) + 1;
  if (request.size < start + in->size) return fail(request, EINVAL);
  changeXattr(request, name, request.body + start, in->size, static_cast<int>(in->flags));
}

void Operations::removexattr(const Request& request) {
  const char* name = request.text(0);
  if (!name) return fail(request, EINVAL);
  changeXattr(request, name, nullptr, 0, 0);
}

void Operations::changeXattr(const Request& request, const char* name, const uint8_t* value,
                             size_t size, int flags) {
  const NodePtr node = nodeOf(request);
  if (!node) return fail(request, ESTALE);
  PinnedFd pin(*session_.inodes, node);
  if (!pin) return fail(request, pin.error());
  if (!request.decided && guarded(name)) {
    sendForDecision(request, UpcallKind::xattrChange, node, pin.get(), name, value, size);
    return;
  }
  const DescriptorPath path(pin.get());
  const int done = value ? ::setxattr(path, name, value, size, flags) : ::removexattr(path, name);
  if (done != 0) return fail(request, errno);
  // posix_acl_update_mode() dropped the set-group-id bit above and says so here.
  const auto* in = value ? request.as<SetxattrIn>() : nullptr;
  if (in && (in->setxattrFlags & kSetxattrAclKillSgid)) {
    struct statx file {};
    if (statFd(pin.get(), file) == 0 && (file.stx_mode & S_ISGID))
      ::fchmodat(AT_FDCWD, path, file.stx_mode & 07777 & ~S_ISGID, 0);
  }
  session_.verdicts.voidNode(node->id);
  succeed(request);
}

void Operations::getxattr(const Request& request) {
  const auto* in = request.wanting<GetxattrIn>();
  const char* name = request.text(sizeof(GetxattrIn));
  if (!in || !name) return fail(request, EINVAL);
  const NodePtr node = nodeOf(request);
  if (!node) return fail(request, ESTALE);
  PinnedFd pin(*session_.inodes, node);
  if (!pin) return fail(request, pin.error());
  if (!request.decided && guarded(name)) {
    bool unsettled;
    {
      std::lock_guard guard(node->lock);
      unsettled = node->unsettled;
    }
    if (unsettled) {
      sendForDecision(request, UpcallKind::xattrRead, node, pin.get(), name, nullptr, 0);
      return;
    }
  }
  scratch_.resize(in->size);
  const ssize_t length =
      ::getxattr(DescriptorPath(pin.get()), name, in->size ? scratch_.data() : nullptr, in->size);
  // EOPNOTSUPP for an ACL would become the result of the kernel's permission check.
  if (length < 0 && errno == EOPNOTSUPP && isPosixAcl(name)) return fail(request, ENODATA);
  if (length < 0) return fail(request, errno);
  if (in->size > 0) {
    session_.device.reply(request.header.unique, scratch_.data(), static_cast<size_t>(length));
    return;
  }
  const GetxattrOut out{static_cast<uint32_t>(length), 0};
  session_.device.reply(request.header.unique, &out, sizeof out);
}

void Operations::listxattr(const Request& request) {
  const auto* in = request.wanting<GetxattrIn>();
  if (!in) return fail(request, EINVAL);
  const NodePtr node = nodeOf(request);
  if (!node) return fail(request, ESTALE);
  PinnedFd pin(*session_.inodes, node);
  if (!pin) return fail(request, pin.error());
  scratch_.resize(in->size);
  const ssize_t length =
      ::listxattr(DescriptorPath(pin.get()),
                  in->size ? reinterpret_cast<char*>(scratch_.data()) : nullptr, in->size);
  if (length < 0) return fail(request, errno);
  if (in->size > 0) {
    session_.device.reply(request.header.unique, scratch_.data(), static_cast<size_t>(length));
    return;
  }
  const GetxattrOut out{static_cast<uint32_t>(length), 0};
  session_.device.reply(request.header.unique, &out, sizeof out);
}

}  // namespace imafs
