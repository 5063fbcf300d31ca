// System calls only: see HelperPlan.
#include "caller_helper.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

namespace imafs {
namespace {

// The capabilities that decide which files may be read.
constexpr uint64_t kReadingCapabilities =
    uint64_t{1} << CAP_DAC_OVERRIDE | uint64_t{1} << CAP_DAC_READ_SEARCH;
static_assert(CAP_DAC_OVERRIDE < 32 && CAP_DAC_READ_SEARCH < 32);

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
int becomeCaller(const HelperPlan& plan) {
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

int enterCaller(const HelperPlan& plan) {
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
  ::close(own);
  ::close(callers);
  ::close(mounts);
  ::close(root);
  return 0;
}

int readAll(int fd, const HelperPlan& plan, HelperReport& report) {
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
int reopenAndRead(int descriptors, int target, const HelperPlan& plan, HelperReport& report) {
  char name[16];
  char* at = name + sizeof name;
  *--at = 0;
  for (int rest = target; at == name + sizeof name - 1 || rest > 0; rest /= 10) {
    *--at = static_cast<char>('0' + rest % 10);
  }
  const int fd = ::openat(descriptors, at, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return errno;
  report.fd = fd;
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

int openAndRead(int descriptors, const HelperPlan& plan, HelperReport& report) {
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

[[noreturn]] void actAsCaller(const HelperPlan& plan, HelperReport& report) {
  const int descriptors = ::open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
  report.error = descriptors < 0 ? errno : enterCaller(plan);
  if (report.error == 0) report.error = openAndRead(descriptors, plan, report);
  report.opened = true;
  for (;;) ::syscall(SYS_exit_group, 0);
}

void waitForEnd(long pid) {
  siginfo_t info;
  while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | __WALL) != 0 && errno == EINTR) {
  }
}

// Of the descriptor that was read, as the daemon sees it.
int tellFacts(const HelperPlan& plan, HelperReport& report) {
  if (::statx(report.fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &report.file) != 0) return errno;
  struct statfs fs;
  if (::fstatfs(report.fd, &fs) != 0) return errno;
  report.fsMagic = static_cast<uint32_t>(fs.f_type);
  for (size_t i = 0; i < plan.xattrCount; ++i) {
    auto& xattr = report.xattrs[i];
    xattr.size = ::fgetxattr(report.fd, plan.xattrs[i], xattr.value, sizeof xattr.value);
  }
  return 0;
}

}  // namespace

void runHelper(const HelperPlan& plan, HelperReport& report) {
  stayPrivate();
  // A daemon that dies leaves no helper.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  // Nothing of the daemon's can be named through /proc/self/fd, and a helper that hangs does not
  // hold the FUSE connection open.
  ::syscall(SYS_close_range, 0u, ~0u, 0u);
  const long pid = ::syscall(SYS_clone, static_cast<unsigned long>(CLONE_FILES), 0, 0, 0, 0);
  if (pid == 0) actAsCaller(plan, report);
  if (pid < 0) {
    report.error = errno;
  } else {
    waitForEnd(pid);
    // It died: short of memory, or killed by hand.
    if (!report.opened) report.error = EIO;
  }
  if (report.error == 0 && !report.own) report.error = tellFacts(plan, report);
  report.finished = true;
  for (;;) ::syscall(SYS_exit_group, 0);
}

}  // namespace imafs
