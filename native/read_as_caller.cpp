#include "read_as_caller.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>

#include "caller_helper.hpp"
#include "owned_fd.hpp"

namespace imafs {
namespace {

using Clock = std::chrono::steady_clock;

// Not in the C library of Debian 12.
constexpr int kWaitByPidfd = 3;        // P_PIDFD
constexpr size_t kMostGroups = 65536;  // NGROUPS_MAX

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
  explicit SharedReport(size_t limit) : size_(sizeof(HelperReport) + limit + 1) {
    void* memory = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    report_ = memory == MAP_FAILED ? nullptr : static_cast<HelperReport*>(memory);
  }
  ~SharedReport() {
    if (report_) ::munmap(report_, size_);
  }
  SharedReport(const SharedReport&) = delete;
  SharedReport& operator=(const SharedReport&) = delete;
  HelperReport* get() const { return report_; }

 private:
  size_t size_;
  HelperReport* report_;
};

// fork(2) with a pidfd, without the handlers of pthread_atfork, and without an exit signal: no one
// else's waitpid(-1) or SIGCHLD handler meets this child. In a pid namespace, whose first process
// does not end before all others there did (zap_pid_ns_processes). The pidfd or -errno.
int startHelper(const HelperPlan& plan, HelperReport& report) {
  const SignalsBlocked blocked;
  int pidfd = -1;
  constexpr unsigned long flags = CLONE_PIDFD | CLONE_NEWPID;
  const long pid = ::syscall(SYS_clone, flags, 0, &pidfd, 0, 0);
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

int makePlan(const ReadAsCallerRequest& request, HelperPlan& plan, uint64_t& scope) {
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
  if (request.xattrs.size() > kMostHelperXattrs) return E2BIG;
  for (const std::string& name : request.xattrs) plan.xattrs[plan.xattrCount++] = name.c_str();
  return 0;
}

int readContent(int fd, std::vector<uint8_t>& content) {
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

// A file of our own backing.
int readOwn(int fd, const ReadAsCallerRequest& request, FileOfCaller& out) {
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &out.file) != 0) return errno;
  if (!S_ISREG(out.file.stx_mode) || out.file.stx_size == 0) return EINVAL;
  if (out.file.stx_size > request.limit) return EFBIG;
  struct statfs fs;
  if (::fstatfs(fd, &fs) != 0) return errno;
  out.fsMagic = static_cast<uint32_t>(fs.f_type);
  out.content.resize(static_cast<size_t>(out.file.stx_size));
  if (const int error = readContent(fd, out.content)) return error;
  out.xattrs = readXattrs(fd, request.xattrs);
  return 0;
}

int takeOver(const ReadAsCallerRequest& request, const HelperReport& report, FileOfCaller& out) {
  if (!report.finished) return EIO;
  if (report.error != 0) return report.error;
  if (report.own) {
    const OwnedFd fd(request.openBacking(report.ino));
    return fd ? readOwn(fd.get(), request, out) : -fd.get();
  }
  out.content.assign(report.content, report.content + report.size);
  out.file = report.file;
  out.fsMagic = report.fsMagic;
  for (size_t i = 0; i < request.xattrs.size(); ++i) {
    const auto& [size, value] = report.xattrs[i];
    if (size < 0) {
      out.xattrs.emplace_back(std::nullopt);
    } else {
      out.xattrs.emplace_back(std::in_place, value, value + size);
    }
  }
  return 0;
}

}  // namespace

int readAsCaller(const ReadAsCallerRequest& request, FileOfCaller& out) {
  out = {};
  if (!request.path.starts_with('/')) return EINVAL;
  if (request.path.find('\0') != std::string::npos) return EINVAL;
  HelperPlan plan;
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
  return takeOver(request, *shared.get(), out);
}

}  // namespace imafs
