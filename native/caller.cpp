#include "caller.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "proc_text.hpp"

namespace imafs {
namespace {

// linux/nsfs.h since 6.11; Debian 12's headers are older.
constexpr unsigned long kNsGetMntnsId = _IOR(0xb7, 5, uint64_t);
constexpr unsigned long kNsGetNstype = _IO(0xb7, 3);
// linux/sched.h PF_IO_WORKER: set by create_io_thread() for io-wq workers and SQPOLL threads.
constexpr uint64_t kIoWorkerFlag = 0x10;
constexpr uint64_t kKernelThreadFlag = 0x0020'0000;  // PF_KTHREAD
constexpr int kFlagsField = 9;

int openTask(pid_t tid) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d", tid);
  return ::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

// `own`: a namespace that a descriptor keeps alive. No other can have its inode number meanwhile,
// so for its members (mostly the host's) one fstatat(2) tells it; for others the 64-bit id must be
// asked.
int scopeOfTask(int directory, const Scope& own, Scope& out) {
  struct stat link;
  if (::fstatat(directory, "ns/mnt", &link, 0) != 0) return errno;
  if (own.id != 0 && link.st_ino == own.name) {
    out = own;
    return 0;
  }
  const int nsfs = ::openat(directory, "ns/mnt", O_RDONLY | O_CLOEXEC);
  if (nsfs < 0) return errno;
  const int error = scopeOfDescriptor(nsfs, out);
  ::close(nsfs);
  return error;
}

// What /proc says of a task that is no more, or whose struct pid has another task by now.
bool isGone(int error) { return error == ESRCH || error == ENOENT; }

bool fourIds(std::string_view line, uint32_t& real, uint32_t& effective, uint32_t& saved,
             uint32_t& fs) {
  for (uint32_t* id : {&real, &effective, &saved, &fs}) {
    const auto number = proc::takeNumber(line);
    if (!number) return false;
    *id = static_cast<uint32_t>(*number);
  }
  return true;
}

int leaderOf(std::string_view status, pid_t& leader) {
  auto line = proc::statusLine(status, "Tgid");
  const auto number = line ? proc::takeNumber(*line) : std::nullopt;
  // 0: a thread of a process outside the pid namespace of our /proc.
  if (!number || *number == 0) return ESRCH;
  leader = static_cast<pid_t>(*number);
  return 0;
}

int parseCredentials(std::string_view status, Credentials& out) {
  const auto uids = proc::statusLine(status, "Uid");
  const auto gids = proc::statusLine(status, "Gid");
  auto capabilities = proc::statusLine(status, "CapEff");
  if (!uids || !gids || !capabilities) return EIO;
  if (!fourIds(*uids, out.uid, out.euid, out.suid, out.fsuid)) return EIO;
  if (!fourIds(*gids, out.gid, out.egid, out.sgid, out.fsgid)) return EIO;
  const auto effective = proc::takeNumber(*capabilities, 16);
  if (!effective) return EIO;
  out.effective = *effective;
  return 0;
}

}  // namespace

int scopeOfDescriptor(int nsfs, Scope& out) {
  struct stat facts;
  if (::fstat(nsfs, &facts) != 0) return errno;
  out.name = facts.st_ino;
  if (::ioctl(nsfs, kNsGetMntnsId, &out.id) == 0) return 0;
  if (errno != ENOTTY) return errno;
  // An older kernel, or no namespace at all.
  if (::ioctl(nsfs, kNsGetNstype) != CLONE_NEWNS) return EINVAL;
  out.id = out.name;
  return 0;
}

bool scopeIdsAreUnique() {
  const int nsfs = ::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  uint64_t id = 0;
  const bool unique = nsfs >= 0 && ::ioctl(nsfs, kNsGetMntnsId, &id) == 0;
  if (nsfs >= 0) ::close(nsfs);
  return unique;
}

CallerReader::CallerReader() : ownNamespace_(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC)) {
  if (ownNamespace_ >= 0 && scopeOfDescriptor(ownNamespace_, own_) != 0) own_ = Scope{};
}

CallerReader::~CallerReader() {
  for (Known& known : known_) forget(known);
  if (ownNamespace_ >= 0) ::close(ownNamespace_);
}

void CallerReader::forget(Known& known) {
  if (known.directory >= 0) ::close(known.directory);
  known = Known{};
}

// The directory of a task, from among the known ones or opened now in place of the one longest
// unused. Null with an errno where there is no such task.
CallerReader::Known* CallerReader::open(pid_t tid, int& error) {
  Known* place = &known_[0];
  for (Known& known : known_) {
    if (known.tid == tid) {
      known.lastUse = ++clock_;
      return &known;
    }
    if (known.lastUse < place->lastUse) place = &known;
  }
  forget(*place);
  Known fresh;
  fresh.tid = tid;
  fresh.lastUse = ++clock_;
  fresh.directory = openTask(tid);
  error = fresh.directory < 0 ? errno : readNature(fresh);
  if (error != 0) {
    forget(fresh);
    return nullptr;
  }
  *place = fresh;
  return place;
}

// What never changes in the life of a task: whether it is an io worker, and then whose.
int CallerReader::readNature(Known& known) {
  std::string_view text;
  if (const int error = proc::readText(known.directory, "stat", buffer_, text)) return error;
  const auto flags = proc::statField(text, kFlagsField);
  if (!flags) return EIO;
  known.ioWorker = (*flags & kIoWorkerFlag) != 0;
  known.kernelThread = (*flags & kKernelThreadFlag) != 0;
  if (!known.ioWorker) return 0;
  if (const int error = proc::readText(known.directory, "status", buffer_, text)) return error;
  return leaderOf(text, known.leader);
}

// Calls `read` on the task's directory, once more on a new one if the known one's task is gone.
template <typename Read>
int CallerReader::withTask(pid_t tid, Read read) {
  if (tid <= 0) return ESRCH;
  for (bool again = false;; again = true) {
    int error = 0;
    Known* known = open(tid, error);
    if (known == nullptr) return error;
    error = read(*known);
    if (error == 0) return 0;
    // Not kept after any error: the next request of this number looks anew.
    forget(*known);
    if (again || !isGone(error)) return error;
  }
}

int CallerReader::scopes(pid_t tid, CallerScopes& out) {
  return withTask(tid, [this, &out](const Known& known) {
    out = CallerScopes{};
    out.ioWorker = known.ioWorker;
    out.kernelThread = known.kernelThread;
    const int error = scopeOfTask(known.directory, own_, out.thread);
    if (error != 0 || !known.ioWorker) return error;
    // While a thread of the group lives, the leader's number is not given to anyone else.
    const int leader = openTask(known.leader);
    if (leader < 0) return errno;
    const int failure = scopeOfTask(leader, own_, out.leader);
    ::close(leader);
    return failure;
  });
}

int CallerReader::credentials(pid_t tid, Credentials& out, pid_t& leader) {
  return withTask(tid, [&](const Known& known) {
    std::string_view text;
    if (const int error = proc::readText(known.directory, "status", buffer_, text)) return error;
    if (const int error = leaderOf(text, leader)) return error;
    return parseCredentials(text, out);
  });
}

int CallerReader::groups(pid_t tid, gid_t* out, size_t capacity, size_t& used) {
  return withTask(tid, [&](const Known& known) {
    std::string_view text;
    if (const int error = proc::readText(known.directory, "status", buffer_, text)) return error;
    auto line = proc::statusLine(text, "Groups");
    if (!line) return EIO;
    for (used = 0; used < capacity; ++used) {
      const auto group = proc::takeNumber(*line);
      if (!group) break;
      out[used] = static_cast<gid_t>(*group);
    }
    return 0;
  });
}

}  // namespace imafs
