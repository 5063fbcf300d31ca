#include "operations.hpp"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include <array>
#include <cstdio>

namespace imafs {

using namespace fuse;

DescriptorPath::DescriptorPath(int fd) { std::snprintf(text, sizeof text, "/proc/self/fd/%d", fd); }

int statFd(int fd, struct statx& out) {
  return ::statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &out) == 0 ? 0 : errno;
}

int64_t monotonicMs() {
  struct timespec now {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

void fillAttributes(const struct statx& file, Attr& out) {
  out = {};
  out.ino = file.stx_ino;
  out.size = file.stx_size;
  out.blocks = file.stx_blocks;
  out.atime = static_cast<uint64_t>(file.stx_atime.tv_sec);
  out.mtime = static_cast<uint64_t>(file.stx_mtime.tv_sec);
  out.ctime = static_cast<uint64_t>(file.stx_ctime.tv_sec);
  out.atimensec = file.stx_atime.tv_nsec;
  out.mtimensec = file.stx_mtime.tv_nsec;
  out.ctimensec = file.stx_ctime.tv_nsec;
  out.mode = file.stx_mode;
  out.nlink = file.stx_nlink;
  out.uid = file.stx_uid;
  out.gid = file.stx_gid;
  // The kernel's new_encode_dev(): 12 bits of major, 20 of minor.
  out.rdev = (file.stx_rdev_minor & 0xff) | (file.stx_rdev_major << 8) |
             ((file.stx_rdev_minor & ~0xffu) << 12);
  out.blksize = file.stx_blksize;
}

Operations::Operations(Session& session)
    : session_(session), identity_(session.options.anonymousId) {}

// A new opcode is an entry here and a function; what is missing answers EOPNOTSUPP, never ENOSYS.
Operations::Handler Operations::handlerOf(Opcode opcode) {
  switch (opcode) {
    case Opcode::lookup:
      return &Operations::lookup;
    case Opcode::forget:
      return &Operations::forget;
    case Opcode::batch_forget:
      return &Operations::batchForget;
    case Opcode::getattr:
      return &Operations::getattr;
    case Opcode::setattr:
      return &Operations::setattr;
    case Opcode::statx:
      return &Operations::statx;
    case Opcode::statfs:
      return &Operations::statfs;
    case Opcode::access:
      return &Operations::access;
    case Opcode::readlink:
      return &Operations::readlink;
    case Opcode::symlink:
      return &Operations::symlink;
    case Opcode::mknod:
      return &Operations::mknod;
    case Opcode::mkdir:
      return &Operations::mkdir;
    case Opcode::unlink:
      return &Operations::unlink;
    case Opcode::rmdir:
      return &Operations::rmdir;
    case Opcode::rename:
      return &Operations::rename;
    case Opcode::rename2:
      return &Operations::rename2;
    case Opcode::link:
      return &Operations::link;
    case Opcode::open:
      return &Operations::open;
    case Opcode::create:
      return &Operations::create;
    case Opcode::tmpfile:
      return &Operations::tmpfile;
    case Opcode::release:
      return &Operations::release;
    case Opcode::read:
      return &Operations::read;
    case Opcode::write:
      return &Operations::write;
    case Opcode::flush:
      return &Operations::flush;
    case Opcode::fsync:
      return &Operations::fsync;
    case Opcode::fallocate:
      return &Operations::fallocate;
    case Opcode::lseek:
      return &Operations::lseek;
    case Opcode::copy_file_range:
    case Opcode::copy_file_range_64:
      return &Operations::copyFileRange;
    case Opcode::ioctl:
      return &Operations::ioctl;
    case Opcode::poll:
      return &Operations::poll;
    case Opcode::setxattr:
      return &Operations::setxattr;
    case Opcode::getxattr:
      return &Operations::getxattr;
    case Opcode::listxattr:
      return &Operations::listxattr;
    case Opcode::removexattr:
      return &Operations::removexattr;
    case Opcode::opendir:
      return &Operations::opendir;
    case Opcode::readdir:
      return &Operations::readdir;
    case Opcode::readdirplus:
      return &Operations::readdirplus;
    case Opcode::releasedir:
      return &Operations::releasedir;
    case Opcode::fsyncdir:
      return &Operations::fsyncdir;
    case Opcode::syncfs:
      return &Operations::access;  // nothing of ours to write back
    default:
      return nullptr;
  }
}

void Operations::serve(const Request& request) {
  ++session_.counters.requests;
  identity_.root();
  const auto opcode = static_cast<Opcode>(request.header.opcode);
  // An interrupted caller stays asleep until its answer: nobody can leave a decision half made.
  if (opcode == Opcode::interrupt) return;
  const bool forgets = opcode == Opcode::forget || opcode == Opcode::batch_forget;
  if ((request.header.nodeid & kVirtualBit) && !forgets) return virtualOperation(request);
  const Handler handler = handlerOf(opcode);
  if (handler) return (this->*handler)(request);
  if (opcode == Opcode::destroy) return succeed(request);
  fail(request, EOPNOTSUPP);
}

void Operations::serveReading(const Request& request, bool& placed) {
  placed_ = &placed;
  switch (static_cast<Opcode>(request.header.opcode)) {
    case Opcode::open:  // gives the place away itself when it is not a matter of a remembered
                        // verdict
    case Opcode::release:
    case Opcode::releasedir:
    case Opcode::forget:
    case Opcode::batch_forget:
    case Opcode::flush:
    case Opcode::interrupt:
      break;
    default:
      mayTakeLong();
  }
  serve(request);
  placed_ = nullptr;
}

// The backing file system may make this thread wait: somebody else is to read meanwhile.
void Operations::mayTakeLong() {
  if (!placed_ || !*placed_) return;
  *placed_ = false;
  session_.readers.leave();
}

bool Operations::forbiddenName(const Request& request, uint64_t parent, const char* name) {
  if (parent != kRootNode || session_.options.virtualName != name) return false;
  fail(request, EPERM);
  return true;
}

int Operations::becomeCaller(const Request& request, mode_t umask) {
  std::array<gid_t, 1024> groups;
  size_t used = 0;
  if (request.header.pid == 0) return EACCES;
  if (const int error = callers_.groups(static_cast<pid_t>(request.header.pid), groups.data(),
                                        groups.size(), used))
    return error;
  return identity_.caller(request.header.uid, request.header.gid,
                          {groups.begin(), groups.begin() + used}, umask);
}

int Operations::fillCaller(const Request& request, CallerFacts& caller) {
  caller.tid = static_cast<pid_t>(request.header.pid);
  caller.requestUid = request.header.uid;
  caller.requestGid = request.header.gid;
  // 0: the caller is outside our pid namespace, so nothing is known of it.
  if (caller.tid == 0) return EACCES;
  if (callers_.scopes(caller.tid, caller.scopes) != 0) return EACCES;
  if (callers_.credentials(caller.tid, caller.credentials, caller.leader) != 0) return EACCES;
  caller.borrowed = caller.scopes.ioWorker || caller.credentials.fsuid != caller.requestUid ||
                    caller.credentials.fsgid != caller.requestGid;
  return 0;
}

NodeFacts Operations::factsOf(const NodePtr& node, const struct statx& file) {
  NodeFacts facts;
  facts.file = file;
  facts.version = session_.inodes->observe(*node, file);
  struct timespec now {
  }, tick{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  ::clock_getres(CLOCK_REALTIME_COARSE, &tick);
  const int64_t age = now.tv_sec * 1'000'000'000 + now.tv_nsec - nanoseconds(file.stx_ctime);
  facts.fresh = session_.facts().traceless || age <= tick.tv_nsec;
  facts.path = session_.inodes->pathOf(node).value_or("");
  std::lock_guard guard(node->lock);
  facts.writers = node->writers;
  return facts;
}

void Operations::park(const Request& request) {
  auto body = std::make_shared<std::vector<uint8_t>>(request.body, request.body + request.size);
  session_.post(
      [header = request.header, body, decided = request.decided,
       settled = request.settled](Operations& operations) {
        operations.serve(Request{header, body->data(), body->size(), decided, settled});
      },
      2);
}

bool Operations::guarded(const char* name) const {
  for (const std::string& guardedName : session_.options.guardedXattrs)
    if (guardedName == name) return true;
  return false;
}

UpcallPtr Operations::upcallOf(const Request& request, UpcallKind kind, const NodePtr& node) {
  auto upcall = std::make_shared<Upcall>();
  upcall->kind = kind;
  upcall->header = request.header;
  upcall->node = node;
  if (const int error = fillCaller(request, upcall->caller)) {
    fail(request, error);
    return nullptr;
  }
  return upcall;
}

bool Operations::send(const UpcallPtr& upcall, const Request& request, int fd) {
  struct statx file {};
  if (const int error = statFd(fd, file)) {
    fail(request, error);
    return false;
  }
  upcall->facts = factsOf(upcall->node, file);
  upcall->body.assign(request.body, request.body + request.size);
  session_.inodes->markTold(upcall->node);
  session_.upcalls.push(upcall);
  return true;
}

bool Operations::sendForDecision(const Request& request, UpcallKind kind, const NodePtr& node,
                                 int fd, const char* name, const uint8_t* value, size_t size) {
  const UpcallPtr upcall = upcallOf(request, kind, node);
  if (!upcall) return false;
  if (name) upcall->name = name;
  if (value) upcall->value.emplace(value, value + size);
  return send(upcall, request, fd);
}

int Operations::dataFd(const HandlePtr& handle, int accessMode, OwnedFd& temporary) {
  if (handle->fd) return handle->fd.get();
  PinnedFd pin(*session_.inodes, handle->node);
  if (!pin) return pin.get();
  // O_NONBLOCK: a lease of ours on the file would block this thread; the caller parks on
  // EWOULDBLOCK.
  const int flags = accessMode | O_NONBLOCK | O_CLOEXEC;
  temporary.reset(::open(DescriptorPath(pin.get()), flags));
  // A file that can only grow (chattr +a) is opened in no other way.
  if (!temporary && errno == EPERM && accessMode != O_RDONLY)
    temporary.reset(::open(DescriptorPath(pin.get()), flags | O_APPEND));
  return temporary ? temporary.get() : -errno;
}

}  // namespace imafs
