#include "read_as_caller.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>

#include "caller.hpp"

namespace imafs {
namespace {

using Clock = std::chrono::steady_clock;

// Not in the C library of Debian 12.
constexpr int kWaitByPidfd = 3;        // P_PIDFD
constexpr size_t kMostGroups = 65536;  // NGROUPS_MAX
// The capabilities that decide which files may be read.
constexpr uint64_t kReadingCapabilities =
    uint64_t{1} << CAP_DAC_OVERRIDE | uint64_t{1} << CAP_DAC_READ_SEARCH;
static_assert(CAP_DAC_OVERRIDE < 32 && CAP_DAC_READ_SEARCH < 32);

// What the helper process tells, in memory shared with it; the content follows behind.
struct Report {
  bool finished;
  int error;
  bool own;  // lies on our own mount: `ino` is to be read by the parent, there is no content
  uint64_t ino;
  size_t size;
  uint8_t content[];
};

// Everything the helper needs. Made before it starts: the child of a process with threads must not
// allocate, because another thread may have held the allocator's lock at that moment.
struct Plan {
  char root[32], mounts[32], user[32];
  const char* path = nullptr;
  size_t limit = 0;
  uint64_t ownDevice = 0;
  Credentials who;
  std::unique_ptr<gid_t[]> groups;
  size_t groupCount = 0;
};

// ---- In the helper process: system calls only. -------------------------------------------------

// Each change of credentials resets this to fs.suid_dumpable. The helper's memory is a copy of the
// daemon's, and inside the caller's user namespace only this keeps the caller from tracing it.
void stayPrivate() { ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

int setFsId(long call, uint32_t id) {
  ::syscall(call, id);
  return static_cast<uint32_t>(::syscall(call, ~0u)) == id ? 0 : EPERM;
}

// The caller's capabilities as far as they concern reading, and nothing else for good.
int keepCapabilities(uint64_t wanted) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return errno;
  const uint32_t kept = data[0].permitted & static_cast<uint32_t>(wanted & kReadingCapabilities);
  data[0] = {.effective = kept, .permitted = kept, .inheritable = 0};
  data[1] = {};
  return ::syscall(SYS_capset, &header, data) == 0 ? 0 : errno;
}

// fsuid and fsgid rather than all ids: file systems ask for these, while the helper stays root's to
// everyone else, so that the caller can neither signal nor trace it as a process of his own.
int becomeCaller(const Plan& plan) {
  if (::syscall(SYS_setgroups, plan.groupCount, plan.groups.get()) != 0) return errno;
  if (const int error = setFsId(SYS_setfsgid, plan.who.fsgid)) return error;
  if (const int error = setFsId(SYS_setfsuid, plan.who.fsuid)) return error;
  stayPrivate();
  return 0;
}

// The caller's capabilities count in his user namespace. Joining it raises all of them there.
int joinUserNamespace(int own, int callers) {
  struct stat ours, theirs;
  if (::fstat(own, &ours) != 0 || ::fstat(callers, &theirs) != 0) return errno;
  if (ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev) return 0;
  if (::setns(callers, CLONE_NEWUSER) != 0) return errno;
  stayPrivate();
  return 0;
}

int enterRoot(int mounts, int root) {
  if (::setns(mounts, CLONE_NEWNS) != 0) return errno;
  if (::fchdir(root) != 0) return errno;
  return ::chroot(".") == 0 ? 0 : errno;
}

int enterCaller(const Plan& plan) {
  const int own = ::open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
  const int callers = ::open(plan.user, O_RDONLY | O_CLOEXEC);
  const int mounts = ::open(plan.mounts, O_RDONLY | O_CLOEXEC);
  const int root = ::open(plan.root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (own < 0 || callers < 0 || mounts < 0 || root < 0) return errno;
  if (const int error = enterRoot(mounts, root)) return error;
  if (const int error = becomeCaller(plan)) return error;
  if (const int error = joinUserNamespace(own, callers)) return error;
  if (const int error = keepCapabilities(plan.who.effective)) return error;
  stayPrivate();
  // After the credentials, whose change clears it: a daemon that dies leaves no helper.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  ::close(own);
  ::close(callers);
  ::close(mounts);
  ::close(root);
  return 0;
}

int readAll(int fd, const Plan& plan, Report& report) {
  // One byte more than allowed, to see what is too long.
  const size_t most = plan.limit + 1;
  while (report.size < most) {
    const ssize_t got = ::read(fd, report.content + report.size, most - report.size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return 0;
    report.size += static_cast<size_t>(got);
  }
  return EFBIG;
}

// Opens by descriptor what O_PATH found, through the daemon's own /proc: the caller's may be
// anything.
int reopenAndRead(int descriptors, int target, const Plan& plan, Report& report) {
  char name[16];
  char* at = name + sizeof name;
  *--at = 0;
  for (int rest = target; at == name + sizeof name - 1 || rest > 0; rest /= 10) {
    *--at = static_cast<char>('0' + rest % 10);
  }
  const int fd = ::openat(descriptors, at, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return errno;
  return readAll(fd, plan, report);
}

// Without magic links: /proc/self would be this process and not the caller, and its descriptors
// lead out of the caller's tree.
int openTarget(const char* path) {
  open_how how = {};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how));
}

int openAndRead(int descriptors, const Plan& plan, Report& report) {
  const int target = openTarget(plan.path);
  if (target < 0) return errno;
  struct statx facts;
  constexpr int flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
  if (::statx(target, "", flags, STATX_BASIC_STATS, &facts) != 0) return errno;
  // Files without a size (of /proc, say) too, like kernel_read_file().
  if (!S_ISREG(facts.stx_mode) || facts.stx_size == 0) return EINVAL;
  if (makedev(facts.stx_dev_major, facts.stx_dev_minor) != plan.ownDevice) {
    return reopenAndRead(descriptors, target, plan, report);
  }
  // O_PATH asked for no permission on the file itself.
  if (::syscall(SYS_faccessat2, target, "", R_OK, AT_EACCESS | AT_EMPTY_PATH) != 0) return errno;
  report.own = true;
  report.ino = facts.stx_ino;
  return 0;
}

[[noreturn]] void runHelper(const Plan& plan, Report& report) {
  stayPrivate();
  // Nothing of the daemon's can be named through /proc/self/fd, and a helper that hangs does not
  // hold the FUSE connection open.
  ::syscall(SYS_close_range, 0u, ~0u, 0u);
  const int descriptors = ::open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
  report.error = descriptors < 0 ? errno : enterCaller(plan);
  if (report.error == 0) report.error = openAndRead(descriptors, plan, report);
  report.finished = true;
  for (;;) ::syscall(SYS_exit_group, 0);
}

// ---- In the daemon.
// ------------------------------------------------------------------------------

// A killed helper that sleeps uninterruptibly (in a hostile FUSE, a dead NFS) is there until that
// lets go of it. Its namespace gets no other one before: a caller cannot pile them up.
class Lingering {
 public:
  bool has(uint64_t scope) {
    std::lock_guard lock(mutex_);
    return std::find(scopes_.begin(), scopes_.end(), scope) != scopes_.end();
  }
  void add(uint64_t scope) {
    std::lock_guard lock(mutex_);
    scopes_.push_back(scope);
  }
  void remove(uint64_t scope) {
    std::lock_guard lock(mutex_);
    const auto found = std::find(scopes_.begin(), scopes_.end(), scope);
    if (found != scopes_.end()) scopes_.erase(found);
  }

 private:
  std::mutex mutex_;
  std::vector<uint64_t> scopes_;
};

// Never destroyed: a reaper may outlive main().
Lingering& lingering() {
  static auto* all = new Lingering;
  return *all;
}

// Blocks all signals for its life. The helper inherits that: a signal meant for the daemon must not
// run Node's handlers there, which write into pipes that both share.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

class SharedReport {
 public:
  explicit SharedReport(size_t limit) : size_(sizeof(Report) + limit + 1) {
    void* memory = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    report_ = memory == MAP_FAILED ? nullptr : static_cast<Report*>(memory);
  }
  ~SharedReport() {
    if (report_) ::munmap(report_, size_);
  }
  SharedReport(const SharedReport&) = delete;
  SharedReport& operator=(const SharedReport&) = delete;
  Report* get() const { return report_; }

 private:
  size_t size_;
  Report* report_;
};

// fork(2) with a pidfd, without the handlers of pthread_atfork, and without an exit signal: no one
// else's waitpid(-1) or SIGCHLD handler meets this child. The pidfd or -errno.
int startHelper(const Plan& plan, Report& report) {
  const SignalsBlocked blocked;
  int pidfd = -1;
  const long pid = ::syscall(SYS_clone, static_cast<unsigned long>(CLONE_PIDFD), 0, &pidfd, 0, 0);
  if (pid == 0) runHelper(plan, report);
  return pid < 0 ? -errno : pidfd;
}

bool waitForEnd(int pidfd, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd wanted = {.fd = pidfd, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&wanted, 1, static_cast<int>(std::max<int64_t>(left, 0)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

void reap(int pidfd) {
  siginfo_t info;
  const auto id = static_cast<id_t>(pidfd);
  while (::waitid(static_cast<idtype_t>(kWaitByPidfd), id, &info, WEXITED | __WALL) != 0 &&
         errno == EINTR) {
  }
  ::close(pidfd);
}

struct LateEnd {
  int pidfd;
  uint64_t scope;
};

void* reapLate(void* argument) {
  const std::unique_ptr<LateEnd> late(static_cast<LateEnd*>(argument));
  reap(late->pidfd);
  lingering().remove(late->scope);
  return nullptr;
}

// Ends a helper that took too long; where it does not end at once, a thread waits for it.
void killHelper(int pidfd, uint64_t scope) {
  ::syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
  if (waitForEnd(pidfd, Clock::now() + std::chrono::milliseconds(50))) {
    reap(pidfd);
    return;
  }
  lingering().add(scope);
  auto late = std::make_unique<LateEnd>(LateEnd{pidfd, scope});
  const SignalsBlocked blocked;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  // Without a thread the scope stays marked: better no more helpers than unbounded ones.
  if (pthread_create(&thread, &attributes, reapLate, late.get()) == 0) (void)late.release();
  pthread_attr_destroy(&attributes);
}

int makePlan(const ReadAsCallerRequest& request, Plan& plan, uint64_t& scope) {
  CallerReader reader;
  CallerScopes scopes;
  if (const int error = reader.scopes(request.tid, scopes)) return error;
  scope = scopes.thread.id;
  pid_t leader = 0;
  if (const int error = reader.credentials(request.tid, plan.who, leader)) return error;
  plan.groups = std::make_unique<gid_t[]>(kMostGroups);
  const int error = reader.groups(request.tid, plan.groups.get(), kMostGroups, plan.groupCount);
  if (error != 0) return error;
  snprintf(plan.root, sizeof plan.root, "/proc/%d/root", request.tid);
  snprintf(plan.mounts, sizeof plan.mounts, "/proc/%d/ns/mnt", request.tid);
  snprintf(plan.user, sizeof plan.user, "/proc/%d/ns/user", request.tid);
  plan.path = request.path.c_str();
  plan.limit = request.limit;
  plan.ownDevice = request.ownDevice;
  return 0;
}

int readOwn(int fd, size_t limit, std::vector<uint8_t>& content) {
  struct stat facts;
  if (::fstat(fd, &facts) != 0) return errno;
  if (!S_ISREG(facts.st_mode) || facts.st_size == 0) return EINVAL;
  if (static_cast<uint64_t>(facts.st_size) > limit) return EFBIG;
  content.resize(static_cast<size_t>(facts.st_size));
  size_t used = 0;
  while (used < content.size()) {
    const auto at = static_cast<off_t>(used);
    const ssize_t got = ::pread(fd, content.data() + used, content.size() - used, at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) break;
    used += static_cast<size_t>(got);
  }
  content.resize(used);
  return 0;
}

int takeOver(const ReadAsCallerRequest& request, const Report& report,
             std::vector<uint8_t>& content) {
  // It died: short of memory, or killed by hand.
  if (!report.finished) return EIO;
  if (report.error != 0) return report.error;
  if (!report.own) {
    content.assign(report.content, report.content + report.size);
    return 0;
  }
  const int fd = request.openBacking(report.ino);
  if (fd < 0) return -fd;
  const int error = readOwn(fd, request.limit, content);
  ::close(fd);
  return error;
}

}  // namespace

int readAsCaller(const ReadAsCallerRequest& request, std::vector<uint8_t>& content) {
  content.clear();
  if (!request.path.starts_with('/')) return EINVAL;
  if (request.path.find('\0') != std::string::npos) return EINVAL;
  Plan plan;
  uint64_t scope = 0;
  if (const int error = makePlan(request, plan, scope)) return error;
  if (lingering().has(scope)) return EBUSY;
  const SharedReport shared(request.limit);
  if (shared.get() == nullptr) return ENOMEM;
  const auto deadline = Clock::now() + std::chrono::milliseconds(request.timeoutMs);
  const int pidfd = startHelper(plan, *shared.get());
  if (pidfd < 0) return -pidfd;
  if (!waitForEnd(pidfd, deadline)) {
    killHelper(pidfd, scope);
    return ETIMEDOUT;
  }
  reap(pidfd);
  return takeOver(request, *shared.get(), content);
}

}  // namespace imafs
