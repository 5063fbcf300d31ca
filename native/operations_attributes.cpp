// Attributes of files, and of the file system.
#include <errno.h>
#include <fcntl.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "operations.hpp"

namespace imafs {

using namespace fuse;

namespace {

constexpr const char* kEvmXattr = "security.evm";

AttrOut attributesOf(const NodePtr& node, const struct statx& file) {
  AttrOut out{};
  {
    std::lock_guard guard(node->lock);
    // Stores through a mapping change times and size without a request: ask again each time.
    out.attrValid = node->writers > 0 || node->unsettled ? 0 : kAttributeSeconds;
  }
  fillAttributes(file, out.attr);
  return out;
}

struct timespec timeOf(uint32_t valid, uint32_t given, uint32_t now, uint64_t seconds,
                       uint32_t nanosecondsPart) {
  if (valid & now) return {0, UTIME_NOW};
  if (valid & given) return {static_cast<time_t>(seconds), static_cast<long>(nanosecondsPart)};
  return {0, UTIME_OMIT};
}

}  // namespace

void Operations::getattr(const Request& request) {
  const NodePtr node = nodeOf(request);
  if (!node) return fail(request, ESTALE);
  PinnedFd pin(*session_.inodes, node);
  if (!pin) return fail(request, pin.error());
  struct statx file {};
  if (const int error = statFd(pin.get(), file)) return fail(request, error);
  session_.inodes->observe(*node, file);
  const AttrOut out = attributesOf(node, file);
  session_.device.reply(request.header.unique, &out, sizeof out);
}

void Operations::statx(const Request& request) {
  const NodePtr node = nodeOf(request);
  if (!node) return fail(request, ESTALE);
  PinnedFd pin(*session_.inodes, node);
  if (!pin) return fail(request, pin.error());
  struct statx file {};
  if (const int error = statFd(pin.get(), file)) return fail(request, error);
  StatxOut out{};
  out.attrValid = attributesOf(node, file).attrValid;
  Statx& to = out.stat;
  to.mask = file.stx_mask;
  to.blksize = file.stx_blksize;
  to.attributes = file.stx_attributes;
  to.attributesMask = file.stx_attributes_mask;
  to.nlink = file.stx_nlink;
  to.uid = file.stx_uid;
  to.gid = file.stx_gid;
  to.mode = file.stx_mode;
  to.ino = file.stx_ino;
  to.size = file.stx_size;
  to.blocks = file.stx_blocks;
  const auto time = [](const struct statx_timestamp& from) {
    return SxTime{from.tv_sec, from.tv_nsec, 0};
  };
  to.atime = time(file.stx_atime);
  to.btime = time(file.stx_btime);
  to.ctime = time(file.stx_ctime);
  to.mtime = time(file.stx_mtime);
  to.rdevMajor = file.stx_rdev_major;
  to.rdevMinor = file.stx_rdev_minor;
  session_.device.reply(request.header.unique, &out, sizeof out);
}

// Order matters: size before mode, so that a set-id bit the kernel cleared for a truncation stays
// cleared; owner before mode, because a change of owner clears set-id bits by itself.
int Operations::applyAttributes(const SetattrIn& in, const Request& request, int fd, bool& parked) {
  // chown(2) to no owner and no group: nothing is named, and all it does is to move ctime.
  if (!(in.valid & kSetAny))
    return ::fchownat(fd, "", static_cast<uid_t>(-1), static_cast<gid_t>(-1), AT_EMPTY_PATH) == 0
               ? 0
               : errno;
  if (in.valid & kSetSize) {
    const HandlePtr handle = in.valid & kSetHandle ? session_.handles.find(in.fh) : nullptr;
    OwnedFd temporary;
    int data = handle && handle->writable && handle->fd ? handle->fd.get() : -1;
    if (data < 0) {
      temporary.reset(::open(DescriptorPath(fd), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
      if (!temporary && errno == EWOULDBLOCK) {
        park(request);
        parked = true;
        return 0;
      }
      if (!temporary) return errno;
      data = temporary.get();
    }
    if (const int refused = identity_.anonymous()) return refused;
    const int cut = ::ftruncate(data, static_cast<off_t>(in.size));
    const int error = errno;
    identity_.root();
    if (cut != 0) return error;
  }
  if (in.valid & (kSetUid | kSetGid)) {
    const uid_t uid = in.valid & kSetUid ? in.uid : static_cast<uid_t>(-1);
    const gid_t gid = in.valid & kSetGid ? in.gid : static_cast<gid_t>(-1);
    if (::fchownat(fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0) return errno;
  }
  if (in.valid & kSetMode) {
    if (::fchmodat(AT_FDCWD, DescriptorPath(fd), in.mode & 07777, 0) != 0) return errno;
  }
  if (in.valid & (kSetAtime | kSetMtime | kSetAtimeNow | kSetMtimeNow)) {
    const struct timespec times[2] = {
        timeOf(in.valid, kSetAtime, kSetAtimeNow, in.atime, in.atimensec),
        timeOf(in.valid, kSetMtime, kSetMtimeNow, in.mtime, in.mtimensec)};
    if (::utimensat(fd, "", times, AT_EMPTY_PATH) != 0) return errno;
  }
  return 0;
}

// There are or may be writers, be it that they have nothing but a mapping left.
bool Operations::hasWriters(const NodePtr& node) {
  std::lock_guard guard(node->lock);
  return node->writers > 0 || node->openingWriters > 0 || node->unsettled;
}

// Whether policies may say something else of the file than they said of `before`: of another owner,
// of other content, to somebody else who asks. To its mode only portable signatures of EVM look, to
// its times nothing.
bool Operations::changesVerdicts(const SetattrIn& in, const Request& request, int fd,
                                 const struct statx& before) {
  if (in.valid & kSetSize) return true;
  const bool mode = in.valid & kSetMode;
  if (mode && ::getxattr(DescriptorPath(fd), kEvmXattr, nullptr, 0) >= 0) return true;
  if (in.valid & kSetUid && in.uid != before.stx_uid) return true;
  if (in.valid & kSetGid && in.gid != before.stx_gid) return true;
  CallerScopes scopes;
  if (callers_.scopes(static_cast<pid_t>(request.header.pid), scopes) != 0) return true;
  const ScopeState state = session_.verdicts.scope(scopes.thread.id);
  return !state.known || !state.cacheable || state.readCredentials || scopes.ioWorker;
}

// truncate(2): whoever closed the file a moment ago has it labelled as he left it.
bool Operations::cutsUnsettled(const SetattrIn& in, const NodePtr& node) const {
  if (!(in.valid & kSetSize) || (in.valid & kSetHandle)) return false;
  std::lock_guard guard(node->lock);
  return node->unsettled && !session_.options.guardedXattrs.empty();
}

void Operations::setattr(const Request& request) {
  const auto* in = request.as<SetattrIn>();
  if (!in) return fail(request, EINVAL);
  const NodePtr node = nodeOf(request);
  if (!node) return fail(request, ESTALE);
  PinnedFd pin(*session_.inodes, node);
  if (!pin) return fail(request, pin.error());
  if (!request.decided && !request.settled && cutsUnsettled(*in, node)) {
    const std::string& name = session_.options.guardedXattrs.front();
    sendForDecision(request, UpcallKind::xattrRead, node, pin.get(), name.c_str(), nullptr, 0);
    return;
  }
  if (!request.decided) {
    // What let a file's writers in may hold no more: ima_inode_post_setattr.
    UpcallPtr upcall;
    struct statx before {};
    if (const int error = statFd(pin.get(), before)) return fail(request, error);
    if (hasWriters(node) && changesVerdicts(*in, request, pin.get(), before)) {
      upcall = upcallOf(request, UpcallKind::attributes, node);
      if (!upcall) return;
    }
    bool parked = false;
    if (const int error = applyAttributes(*in, request, pin.get(), parked))
      return fail(request, error);
    if (parked) return;
    // One may have come meanwhile.
    if (!upcall && hasWriters(node) && changesVerdicts(*in, request, pin.get(), before)) {
      upcall = upcallOf(request, UpcallKind::attributes, node);
      if (!upcall) return;
    }
    if (upcall) {
      upcall->truncated = in->valid & kSetSize;
      send(upcall, request, pin.get());
      return;
    }
  }
  struct statx file {};
  if (const int error = statFd(pin.get(), file)) return fail(request, error);
  session_.inodes->observe(*node, file);
  const AttrOut out = attributesOf(node, file);
  session_.device.reply(request.header.unique, &out, sizeof out);
}

void Operations::statfs(const Request& request) {
  struct statfs64 fs {};
  if (::fstatfs64(session_.inodes->rootFd(), &fs) != 0) return fail(request, errno);
  Kstatfs out{};
  out.blocks = fs.f_blocks;
  out.bfree = fs.f_bfree;
  out.bavail = fs.f_bavail;
  out.files = fs.f_files;
  out.ffree = fs.f_ffree;
  out.bsize = static_cast<uint32_t>(fs.f_bsize);
  out.namelen = static_cast<uint32_t>(fs.f_namelen);
  out.frsize = static_cast<uint32_t>(fs.f_frsize);
  session_.device.reply(request.header.unique, &out, sizeof out);
}

// default_permissions: the kernel decides access(2) itself; should it ask, it already has.
void Operations::access(const Request& request) { succeed(request); }

}  // namespace imafs
