#include "session.hpp"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "operations.hpp"

namespace imafs {

using namespace fuse;

namespace {

constexpr size_t kRequestSize = kMostData + 8192;
constexpr size_t kVerdicts = 200'000;
constexpr unsigned kWorkers = 2;
// What nobody used for this long to twice this long gives up its descriptor.
constexpr int kIdleMs = 15'000;

// File systems on which F_SETLEASE speaks only for this machine or only for the upper inode.
constexpr uint64_t kLeaseBlind[] = {0x794c7630 /* overlayfs */, 0x65735546 /* fuse */,
                                    0x6969 /* nfs */,           0xff534d42 /* cifs */,
                                    0xfe534d42 /* smb2 */,      0x01021997 /* 9p */,
                                    0x00c36400 /* ceph */,      0xf15f /* ecryptfs */};

// In memory, without file_update_time() at a store.
constexpr uint64_t kTraceless[] = {0x01021994 /* tmpfs */, 0x858458f6 /* ramfs */};

bool leasesEnabled(uint64_t magic) {
  for (const uint64_t blind : kLeaseBlind)
    if (magic == blind) return false;
  FILE* file = std::fopen("/proc/sys/fs/leases-enable", "re");
  if (!file) return false;
  const int value = std::fgetc(file);
  std::fclose(file);
  return value == '1';
}

// FS_IOC_GETFSUUID (6.9): length, then 16 bytes.
std::string uuidOf(int fd) {
  struct {
    uint8_t length, bytes[16];
  } uuid{};
  if (::ioctl(fd, _IOR(0x15, 0, uuid), &uuid) != 0 || uuid.length != 16) return {};
  char text[37];
  const uint8_t* b = uuid.bytes;
  std::snprintf(text, sizeof text,
                "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
                b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
                b[15]);
  return text;
}

// Opens a clone of the directory's mount: what is mounted on or below it later, our own mount
// included, cannot be reached through it, so the daemon never walks into its own mount.
int openPrivately(const std::string& path, OwnedFd& root, std::string& step) {
  step = "open_tree " + path;
  const OwnedFd tree(static_cast<int>(
      ::syscall(SYS_open_tree, AT_FDCWD, path.c_str(), 1 /* OPEN_TREE_CLONE */ | O_CLOEXEC)));
  if (!tree) return errno;
  root.reset(::openat(tree.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return root ? 0 : errno;
}

// As many descriptors as the limits allow, and the share of them that nodes may keep open.
size_t descriptorBudget() {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 256;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  const size_t budget = limit.rlim_cur / 2;
  return budget > 65536 ? 65536 : budget;
}

// Reader threads that are worth running at a time; as many again may be busy with something long.
unsigned mostReading() {
  const unsigned cpus = std::thread::hardware_concurrency();
  return cpus < 2 ? 2 : cpus > 8 ? 8 : cpus;
}

int64_t nowNs() {
  struct timespec now {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

Session::Session(SessionOptions given, std::function<void()> wake)
    : options(std::move(given)),
      verdicts(kVerdicts),
      upcalls(std::move(wake)),
      readers(mostReading()) {}

Session::~Session() {
  work.close();
  for (std::thread& thread : threads_) thread.join();
}

int Session::start(std::string& step) {
  OwnedFd root;
  if (const int error = openPrivately(options.backing, root, step)) return error;
  if (const int error = useBacking(std::move(root), step)) return error;
  ignoreLeaseSignals();
  if (const int error = device.mount(options.source, options.mountpoint, options.mountFlags, step))
    return error;
  int error = negotiate(step);
  if (!error) error = startThreads(step);
  if (error) {
    ::umount2(options.mountpoint.c_str(), MNT_DETACH);
    return error;
  }
  struct statx own {};
  if (::statx(AT_FDCWD, options.mountpoint.c_str(), AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_INO,
              &own) == 0)
    ownDevice_ = deviceOf(own);
  return 0;
}

int Session::useBacking(OwnedFd root, std::string& step) {
  struct statx entry {};
  step = "the backing directory has an entry " + options.virtualName;
  if (::statx(root.get(), options.virtualName.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &entry) ==
      0)
    return EEXIST;
  step = "statfs " + options.backing;
  struct statfs fs {};
  struct statx file {};
  if (::fstatfs(root.get(), &fs) != 0) return errno;
  if (const int error = statFd(root.get(), file)) return error;
  facts_.fsMagic = static_cast<uint64_t>(fs.f_type) & 0xffffffff;
  facts_.device = deviceOf(file);
  facts_.fsUuid = uuidOf(root.get());
  facts_.leases = leasesEnabled(facts_.fsMagic);
  for (const uint64_t magic : kTraceless)
    if (facts_.fsMagic == magic) facts_.traceless = true;
  struct {
    struct file_handle head;
    char bytes[MAX_HANDLE_SZ];
  } handle{};
  handle.head.handle_bytes = MAX_HANDLE_SZ;
  int mountId = 0;
  facts_.fileHandles =
      ::name_to_handle_at(root.get(), "", &handle.head, &mountId, AT_EMPTY_PATH) == 0;
  const size_t descriptors = descriptorBudget();
  inodes = std::make_unique<InodeTable>(std::move(root), descriptors, facts_.fileHandles);
  upcalls.setMostOpens(descriptors / 4);
  passthrough = std::make_unique<Passthrough>(device, *inodes);
  inodes->onIdle([this](Node& node) { passthrough->drop(node); });
  return 0;
}

int Session::negotiate(std::string& step) {
  step = "FUSE_INIT";
  const auto buffer = std::make_unique_for_overwrite<uint8_t[]>(kRequestSize);
  const ssize_t got = device.read(buffer.get(), kRequestSize);
  if (got < 0) return static_cast<int>(-got);
  const auto request = Request::from(buffer.get(), static_cast<size_t>(got));
  const auto* const told = request ? request->as<InitIn>() : nullptr;
  if (!told) return EPROTO;
  const InHeader& header = request->header;
  const InitIn& in = *told;
  if (static_cast<Opcode>(header.opcode) != Opcode::init || in.major != kMajor ||
      in.minor < kOldestMinor) {
    device.error(header.unique, EPROTO);
    return EPROTO;
  }
  uint64_t offered = in.flags;
  if (in.flags & kInitExt) offered |= uint64_t{in.flags2} << 32;
  // Deliberately not asked for: HANDLE_KILLPRIV(_V2) and WRITEBACK_CACHE (with passthrough they
  // lose set-id clearing and decisions), ALLOW_IDMAP, CACHE_SYMLINKS, POSIX_LOCKS and FLOCK_LOCKS
  // (the kernel keeps locks itself).
  uint64_t wanted = kAsyncRead | kAtomicOTrunc | kBigWrites | kDontMask | kDoReaddirplus |
                    kReaddirplusAuto | kAsyncDio | kParallelDirops | kPosixAcl | kAbortError |
                    kMaxPages | kSetxattrExt | kInitExt;
  const bool passes = options.passthrough != PassthroughOption::off && facts_.leases;
  if (passes) wanted |= kPassthrough;
  const uint64_t flags = offered & wanted;
  if (!(flags & kSetxattrExt) || !(flags & kAtomicOTrunc) || !(flags & kPosixAcl)) {
    device.error(header.unique, EPROTO);
    return EPROTO;
  }
  facts_.protocolMinor = in.minor < kMinor ? in.minor : kMinor;
  facts_.passthrough = flags & kPassthrough ? options.passthrough : PassthroughOption::off;
  passthrough->set(facts_.passthrough);
  InitOut out{};
  out.major = kMajor;
  out.minor = facts_.protocolMinor;
  out.maxReadahead = in.maxReadahead;
  out.flags = static_cast<uint32_t>(flags);
  out.flags2 = static_cast<uint32_t>(flags >> 32);
  out.maxBackground = 64;
  out.congestionThreshold = 48;
  out.maxWrite = kMostData;
  out.timeGran = 1;
  out.maxPages = static_cast<uint16_t>(kMostData / ::sysconf(_SC_PAGESIZE));
  // File systems may be stacked on us once more. Where the backing is a stack itself, leases do not
  // speak for it and nothing passes through, so that depth 2 is never asked for.
  facts_.stackDepth = flags & kPassthrough ? 1 : 0;
  out.maxStackDepth = facts_.stackDepth;
  return device.reply(header.unique, &out, sizeof out) ? 0 : EPROTO;
}

int Session::startThreads(std::string& step) {
  facts_.readers = 2 * mostReading();
  readersLeft_ = facts_.readers;
  for (unsigned i = 0; i < facts_.readers; ++i) threads_.emplace_back([this] { readRequests(); });
  for (unsigned i = 0; i < kWorkers; ++i) threads_.emplace_back([this] { doWork(); });
  std::unique_lock lock(startMutex_);
  startReady_.wait(lock, [this] { return started_ == threads_.size(); });
  if (startError_) {
    step = "give a thread its identity";
    return startError_;
  }
  post([this](Operations&) { giveUpIdle(); }, kIdleMs);
  return 0;
}

bool Session::reportStart(int error) {
  {
    std::lock_guard guard(startMutex_);
    ++started_;
    if (error) startError_ = error;
  }
  startReady_.notify_all();
  return error == 0;
}

void Session::readRequests() {
  Operations operations(*this);
  if (!reportStart(operations.startError())) return;
  // A MiB for each reader, of which most requests touch the first page alone.
  const auto buffer = std::make_unique_for_overwrite<uint8_t[]>(kRequestSize);
  std::string error;
  bool placed = false;
  ReaderPool::Pace pace;
  for (;;) {
    if (!placed && !readers.enter()) break;
    placed = true;
    const int64_t before = nowNs();
    const ssize_t got = device.read(buffer.get(), kRequestSize);
    if (got <= 0) {
      if (got < 0 && got != -ECONNABORTED) error = std::strerror(static_cast<int>(-got));
      readers.close();
      break;
    }
    const auto request = Request::from(buffer.get(), static_cast<size_t>(got));
    if (!request) continue;
    const bool needed = readers.readTook(nowNs() - before, request->header.pid, pace);
    operations.serveReading(*request, placed);
    if (placed && !needed) {
      readers.leave();
      placed = false;
    }
  }
  if (--readersLeft_ == 0) end(error);
}

void Session::end(const std::string& error) {
  if (ended_.exchange(true)) return;
  for (const UpcallPtr& upcall : upcalls.drain()) device.error(upcall->header.unique, ENOTCONN);
  Notice notice;
  notice.kind = Notice::Kind::ended;
  notice.error = error;
  upcalls.notify(std::move(notice));
}

int Session::unmount(bool detach) {
  return ::umount2(options.mountpoint.c_str(), detach ? MNT_DETACH : 0) == 0 ? 0 : errno;
}

void Session::giveUpIdle() {
  inodes->giveUpIdle();
  dropLingering();
  post([this](Operations&) { giveUpIdle(); }, kIdleMs);
}

void Session::doWork() {
  Operations operations(*this);
  if (!reportStart(operations.startError())) return;
  while (const WorkQueue::Work next = work.next()) next(operations);
}

void Session::admitNext() {
  const UpcallPtr next = upcalls.nextAdmitted();
  if (next) post([next](Operations& operations) { operations.prepareOpen(next); });
}

void Session::finishOpen(uint64_t id, int error, bool remember, std::string successor) {
  const UpcallPtr upcall = upcalls.finish(id);
  if (!upcall) return;
  admitNext();
  if (error == 0) {
    post([upcall, remember, successor = std::move(successor)](Operations& operations) {
      operations.grantOpen(upcall, remember, successor);
    });
    return;
  }
  device.error(upcall->header.unique, error);
  if (upcall->created) {
    std::vector<uint64_t> gone;
    inodes->forget(upcall->node->id, 1, gone);
  }
}

void Session::finish(uint64_t id, int error) {
  const UpcallPtr upcall = upcalls.finish(id);
  if (!upcall) return;
  if (error != 0) {
    device.error(upcall->header.unique, error);
    return;
  }
  // Of an attribute that is set nothing is decided by looking at what writers left.
  const bool settledOnly = upcall->kind == UpcallKind::xattrRead &&
                           upcall->header.opcode == static_cast<uint32_t>(fuse::Opcode::setattr);
  post([upcall, settledOnly](Operations& operations) {
    const std::vector<uint8_t>& body = upcall->body;
    operations.serve({upcall->header, body.data(), body.size(), !settledOnly, settledOnly});
  });
}

bool Session::version(uint64_t id, uint64_t& out) {
  const NodePtr node = inodes->find(id);
  if (!node) return false;
  PinnedFd pin(*inodes, node);
  struct statx file {};
  if (!pin || statFd(pin.get(), file) != 0) return false;
  out = inodes->observe(*node, file);
  return true;
}

LeaseState Session::takeLease(uint64_t id, int& fd, bool& gone) {
  fd = -1;
  const NodePtr node = inodes->find(id);
  PinnedFd pin(*inodes, node ? node : inodes->find(kRootNode));
  gone = !node || !pin;
  if (gone) return LeaseState::busy;
  if (!facts_.leases) return LeaseState::unsupported;
  OwnedFd own(::open(DescriptorPath(pin.get()), O_RDONLY | O_NONBLOCK | O_NOATIME | O_CLOEXEC));
  if (!own) return LeaseState::busy;
  const LeaseState state = takeReadLease(own.get());
  if (state == LeaseState::granted) fd = own.release();
  if (state == LeaseState::busy) {
    // Of a writer through the mount everything is forgotten at his end, and until then nothing
    // kept.
    bool isKnownWriter;
    {
      std::lock_guard guard(node->lock);
      isKnownWriter = node->unsettled;
    }
    if (!isKnownWriter) InodeTable::distrust(*node);
  }
  return state;
}

void Session::setUnsettled(uint64_t id, bool unsettled) {
  const NodePtr node = inodes->find(id);
  if (!node) return;
  {
    std::lock_guard guard(node->lock);
    node->unsettled = unsettled;
    if (!unsettled) node->isNew = false;
  }
  if (!unsettled) InodeTable::distrust(*node);
  verdicts.voidNode(id);
  if (!unsettled) dropLingering();
}

// Nodes that the kernel forgot while they were still needed.
void Session::dropLingering() {
  Notice notice;
  notice.kind = Notice::Kind::forgotten;
  inodes->dropLingering(notice.nodes);
  if (!notice.nodes.empty()) upcalls.notify(std::move(notice));
}

int Session::openBacking(const std::string& path, Opened& out) {
  struct open_how how {};
  how.flags = O_RDONLY | O_NONBLOCK | O_NOATIME | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  const char* below = path.c_str();
  while (*below == '/') ++below;
  out.fd.reset(static_cast<int>(
      ::syscall(SYS_openat2, inodes->rootFd(), *below ? below : ".", &how, sizeof how)));
  if (!out.fd) return errno;
  if (const int error = statFd(out.fd.get(), out.file)) return error;
  if (S_ISDIR(out.file.stx_mode)) return EISDIR;
  if (!S_ISREG(out.file.stx_mode)) return EINVAL;
  out.node = inodes->findInode(deviceOf(out.file), out.file.stx_ino);
  out.xattrs = readXattrs(out.fd.get(), options.guardedXattrs);
  return 0;
}

int Session::openBackingInode(uint64_t ino) {
  const NodePtr node = inodes->findInode(facts_.device, ino);
  if (!node) return -ENOENT;
  PinnedFd pin(*inodes, node);
  if (!pin) return pin.get();
  const int fd = ::open(DescriptorPath(pin.get()), O_RDONLY | O_NONBLOCK | O_NOATIME | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

}  // namespace imafs
