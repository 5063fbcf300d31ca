// Opening files: the one place where a verdict is found again or asked for.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "operations.hpp"

namespace imafs {

using namespace fuse;

namespace {

// Of an object file TypeScript wants the program headers; of others a look will do.
constexpr size_t kHeadSize = 4096, kGlanceSize = 64;
constexpr char kObjectMagic[] = {0x7f, 'E', 'L', 'F'};

int readHead(int fd, std::vector<uint8_t>& head) {
  uint8_t buffer[kHeadSize];
  ssize_t got = ::pread(fd, buffer, kGlanceSize, 0);
  if (got >= static_cast<ssize_t>(sizeof kObjectMagic) &&
      std::memcmp(buffer, kObjectMagic, sizeof kObjectMagic) == 0)
    got = ::pread(fd, buffer, kHeadSize, 0);
  if (got < 0) return errno;
  head.assign(buffer, buffer + got);
  return 0;
}

// O_RDONLY | O_TRUNC changes the file and leaves no write handle.
bool changesFile(uint32_t flags) { return isWriter(flags) || (flags & O_TRUNC) != 0; }

// The access of an open as part of a verdict's key.
uint32_t accessBits(uint32_t flags, bool exec, bool succeeding) {
  return (flags & O_ACCMODE) | (exec ? 4 : 0) | (succeeding ? 8 : 0) | (flags & O_DIRECT ? 16 : 0) |
         (flags & O_APPEND ? 32 : 0);
}

// What may_open() and the backing's mount say to an open that changes the file, before anybody
// judges it: passthrough would not ask them (backing_file_open()), and the kernel's FUSE knows no
// such flags. An append-only file that is open for reading too could be mapped and overwritten,
// which do_mmap() refuses there: so it is not opened for both. 0 or errno.
int refusalOfWriter(int rootFd, const struct statx& file, uint32_t flags) {
  struct statvfs fs {};
  if (::fstatvfs(rootFd, &fs) != 0) return errno;
  if (fs.f_flag & ST_RDONLY) return EROFS;
  if (file.stx_attributes & STATX_ATTR_IMMUTABLE) return EPERM;
  if (!(file.stx_attributes & STATX_ATTR_APPEND)) return 0;
  const bool grows = (flags & O_ACCMODE) == O_WRONLY && (flags & O_APPEND) && !(flags & O_TRUNC);
  return grows ? 0 : EPERM;
}

}  // namespace

void Operations::open(const Request& request) {
  const auto* in = request.as<OpenIn>();
  if (!in) return fail(request, EINVAL);
  Opening opening;
  opening.node = nodeOf(request);
  if (!opening.node) return fail(request, ESTALE);
  opening.flags = in->flags;
  placement_.follow(static_cast<pid_t>(request.header.pid));
  judge(request, std::move(opening));
}

// OPEN names an inode. If its path in the backing tree leads elsewhere by now, the kernel is sent
// to look the names up again, once; a second OPEN means this inode (through /proc/self/fd, say). A
// path that leads here gives the file's state in the same call.
bool Operations::pathLeads(const NodePtr& node, struct statx& file) {
  const std::optional<std::string> path = session_.inodes->pathOf(node);
  if (!path || path->size() < 2) return false;
  if (::statx(session_.inodes->rootFd(), path->c_str() + 1, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS,
              &file) == 0)
    return file.stx_ino == node->ino && deviceOf(file) == node->device;
  if (errno != ENAMETOOLONG) return false;
  // A tree deeper than PATH_MAX: at least the last name.
  const InodeTable::Place place = session_.inodes->placeOf(node);
  const NodePtr parent = session_.inodes->find(place.parent);
  if (!parent) return false;
  PinnedFd pin(*session_.inodes, parent);
  return pin &&
         ::statx(pin.get(), place.name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &file) ==
             0 &&
         file.stx_ino == node->ino && deviceOf(file) == node->device;
}

void Operations::judge(const Request& request, Opening opening) {
  ++session_.counters.opens;
  const auto undo = [&](int error) {
    if (opening.created) undoOpen(0, opening.node, true);
    fail(request, error);
  };
  if (request.header.pid == 0) return undo(EACCES);
  PinnedFd pin(*session_.inodes, opening.node);
  if (!pin) return undo(pin.error());
  if (opening.created || !pathLeads(opening.node, opening.file)) {
    // Who opens for an ioctl(2) has the file open already and would not look anything up again.
    const bool byName = !opening.created && (opening.flags & kLargeFile) != 0;
    if (byName && session_.retries.send(request.header.pid, monotonicMs())) {
      ++session_.counters.estale;
      return fail(request, ESTALE);
    }
    if (const int error = statFd(pin.get(), opening.file)) return undo(error);
  } else {
    session_.retries.done(request.header.pid);
  }
  if (!S_ISREG(opening.file.stx_mode)) return undo(EOPNOTSUPP);
  if (!opening.created && changesFile(opening.flags)) {
    const int root = session_.inodes->rootFd();
    if (const int error = refusalOfWriter(root, opening.file, opening.flags)) return undo(error);
  }
  opening.version = session_.inodes->observe(*opening.node, opening.file);
  CallerScopes scopes;
  if (callers_.scopes(static_cast<pid_t>(request.header.pid), scopes) != 0) return undo(EACCES);

  const bool exec = (opening.flags & kFmodeExec) != 0;
  bool succeeding = false;
  if (exec) {
    const std::string expected = session_.successors.take(request.header.pid, monotonicMs());
    succeeding = !expected.empty() && expected == session_.inodes->pathOf(opening.node);
  }
  VerdictKey key;
  key.access = accessBits(opening.flags, exec, succeeding);
  uint64_t generation = 0;
  if (serveRemembered(request, opening, scopes, key, generation)) return;
  mayTakeLong();
  auto upcall = std::make_shared<Upcall>();
  upcall->kind = UpcallKind::open;
  upcall->header = request.header;
  upcall->caller.scopes = scopes;
  upcall->node = opening.node;
  upcall->flags = opening.flags;
  upcall->created = opening.created;
  upcall->nameless = opening.nameless;
  upcall->exec = exec;
  upcall->succeeding = succeeding;
  upcall->key = key;
  upcall->generation = generation;
  if (session_.upcalls.admit(upcall)) prepareOpen(upcall);
}

// Takes what TypeScript needs to judge an open, and sends it up.
void Operations::prepareOpen(const UpcallPtr& upcall) {
  identity_.root();
  if (!upcall->mark) upcall->mark = OpeningMark::of(upcall->node, isWriter(upcall->flags));
  if (!upcall->pagesAreBelow && PageFlusher::mayBeNeeded(upcall->node)) {
    upcall->pagesAreBelow = true;
    session_.pages.flush(upcall->node, [upcall, &session = session_] {
      session.post([upcall](Operations& operations) { operations.prepareOpen(upcall); });
    });
    return;
  }
  const int error = fillUpcall(*upcall);
  if (error == EWOULDBLOCK) {
    // Somebody holds a write lease on the file: until it is broken.
    session_.post([upcall](Operations& operations) { operations.prepareOpen(upcall); }, 2);
    return;
  }
  if (error) {
    session_.upcalls.abandon(upcall);
    if (upcall->created) undoOpen(0, upcall->node, true);
    session_.device.error(upcall->header.unique, error);
    return session_.admitNext();
  }
  session_.inodes->markTold(upcall->node);
  session_.upcalls.push(upcall);
}

// The warm path. Also tells the key and the generation under which an answer may be remembered.
bool Operations::serveRemembered(const Request& request, const Opening& opening,
                                 const CallerScopes& scopes, VerdictKey& key,
                                 uint64_t& generation) {
  const ScopeState state = session_.verdicts.scope(scopes.thread.id);
  key.scope = scopes.thread.id;
  key.node = opening.node->id;
  generation = state.generation;
  // What a kernel thread reads may be firmware, which is asked about by a hook of its own.
  if (!state.known || !state.cacheable || scopes.ioWorker || scopes.kernelThread) return false;
  if (opening.created || changesFile(opening.flags)) return false;
  if (state.readCredentials) {
    pid_t leader = 0;
    if (callers_.credentials(static_cast<pid_t>(request.header.pid), key.subject, leader) != 0)
      return false;
    if (key.subject.fsuid != request.header.uid || key.subject.fsgid != request.header.gid)
      return false;
  }
  // In this order: a writer who came and went before the mark has voided the verdict.
  const OpeningMarkPtr mark = OpeningMark::besideNoWriter(opening.node);
  if (!mark) return false;
  const std::optional<Verdict> verdict = session_.verdicts.find(key, opening.version);
  if (!verdict) return false;
  ++session_.counters.remembered;
  if (!verdict->successor.empty())
    session_.successors.expect(request.header.pid, verdict->successor, monotonicMs());
  answerOpen(request.header, opening.node, opening.flags, false, mark);
  return true;
}

int Operations::fillUpcall(Upcall& upcall) {
  const Request request{upcall.header, nullptr, 0};
  if (const int error = fillCaller(request, upcall.caller)) return error;
  PinnedFd pin(*session_.inodes, upcall.node);
  if (!pin) return pin.error();
  struct statx file {};
  if (const int error = statFd(pin.get(), file)) return error;
  upcall.fd.reset(::open(DescriptorPath(pin.get()), O_RDONLY | O_NONBLOCK | O_NOATIME | O_CLOEXEC));
  if (!upcall.fd) return errno;
  upcall.xattrs = readXattrs(upcall.fd.get(), session_.options.guardedXattrs);
  if (const int error = readHead(upcall.fd.get(), upcall.head)) return error;
  // The version is that of before the xattrs and the head were read: what moved since has another.
  upcall.facts = factsOf(upcall.node, file);
  bool unsettled;
  {
    std::lock_guard guard(upcall.node->lock);
    upcall.isNew = upcall.node->isNew;
    unsettled = upcall.node->unsettled;
  }
  upcall.rememberable = !upcall.created && !changesFile(upcall.flags) && !upcall.caller.borrowed &&
                        !upcall.caller.scopes.kernelThread && !upcall.facts.fresh && !unsettled &&
                        upcall.facts.writers == 0;
  return 0;
}

}  // namespace imafs
