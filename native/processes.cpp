#include "processes.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unordered_set>
#include <utility>

#include "proc_text.hpp"

namespace imafs {
namespace {

// linux/nsfs.h
constexpr unsigned long kNsGetUserns = _IO(0xb7, 1);
constexpr unsigned long kNsGetParent = _IO(0xb7, 2);
// linux/mount.h since 6.8, mnt_ns_id since 6.11; one number on all 64-bit architectures we run on.
constexpr long kSysListmount = 458;
constexpr uint64_t kListRoot = ~uint64_t{0};
struct MountRequest {
  uint32_t size, spare;
  uint64_t mountId, parameter, namespaceId;
};
static_assert(sizeof(MountRequest) == 32);

// Of a walk: how often it looks for what is new, how many numbers that may be, and how long a
// number may be given before its process is to be seen.
constexpr int kMostRounds = 50;
constexpr uint64_t kMostNew = 20'000;
constexpr useconds_t kMomentUs = 2'000;
constexpr uint64_t kJustGiven = 64;

constexpr int kParentField = 4;
constexpr int kStartTimeField = 22;

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  bool isOpen() const { return fd_ >= 0; }

 private:
  int fd_;
};

// Calls `visit(number)` for every entry of a directory of tasks until it says false.
template <typename Visit>
void eachTask(const char* path, Visit visit) {
  DIR* directory = ::opendir(path);
  if (directory == nullptr) return;
  while (const dirent* entry = ::readdir(directory)) {
    const int pid = ::atoi(entry->d_name);
    if (pid > 0 && !visit(static_cast<pid_t>(pid))) break;
  }
  ::closedir(directory);
}

template <typename Visit>
void eachProcess(Visit visit) {
  eachTask("/proc", visit);
}

Descriptor openTask(pid_t tid) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d", tid);
  return Descriptor(::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

bool sameFile(const struct stat& one, const struct stat& other) {
  return one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

std::optional<uint64_t> inodeBehind(int directory, const char* link) {
  struct stat facts;
  if (::fstatat(directory, link, &facts, 0) != 0) return std::nullopt;
  return facts.st_ino;
}

// /proc/PID/cgroup: the unified hierarchy unless it is not in use, which its "/" beside lines of
// the first version tells; those are named by controller or as name=systemd.
std::string cgroupOf(std::string_view text) {
  std::string_view unified, systemd, longest;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() < text.size() ? line.size() + 1 : line.size());
    const size_t first = line.find(':');
    const size_t second = first == line.npos ? first : line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string_view name = line.substr(first + 1, second - first - 1);
    const std::string_view path = line.substr(second + 1);
    if (line.starts_with("0::")) {
      unified = path;
    } else if (name == "name=systemd") {
      systemd = path;
    }
    if (path.size() > longest.size()) longest = path;
  }
  if (unified.size() > 1) return std::string(unified);
  return std::string(systemd.size() > 1 ? systemd : longest);
}

bool readNamespaces(int task, ProcessFacts& out) {
  const Descriptor mounts(::openat(task, "ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!mounts.isOpen() || scopeOfDescriptor(mounts.get(), out.scope) != 0) return false;
  const auto user = inodeBehind(task, "ns/user");
  const auto pids = inodeBehind(task, "ns/pid");
  if (!user || !pids) return false;
  out.userNamespace = *user;
  out.pidNamespace = *pids;
  return true;
}

bool readNumbers(int task, std::string& buffer, ProcessFacts& out) {
  std::string_view text;
  if (proc::readText(task, "stat", buffer, text) != 0) return false;
  const auto parent = proc::statField(text, kParentField);
  const auto start = proc::statField(text, kStartTimeField);
  if (!parent || !start) return false;
  out.parent = static_cast<pid_t>(*parent);
  out.startTime = *start;
  if (proc::readText(task, "status", buffer, text) != 0) return false;
  // The number of a thread leads to /proc as well.
  auto leader = proc::statusLine(text, "Tgid");
  const auto group = leader ? proc::takeNumber(*leader) : std::nullopt;
  if (!group || static_cast<pid_t>(*group) != out.pid) return false;
  auto uids = proc::statusLine(text, "Uid");
  const auto uid = uids ? proc::takeNumber(*uids) : std::nullopt;
  if (!uid) return false;
  out.uid = static_cast<uint32_t>(*uid);
  return true;
}

// One entry for the process and one more for each mount namespace that a thread of it is in besides
// the leader's: a thread can unshare alone, and a leader that ended has no namespaces any more.
bool readProcess(pid_t pid, std::string& buffer, std::vector<ProcessFacts>& all) {
  ProcessFacts process;
  process.pid = pid;
  const Descriptor leader = openTask(pid);
  if (!leader.isOpen() || !readNumbers(leader.get(), buffer, process)) return false;
  std::string_view text;
  if (proc::readText(leader.get(), "cgroup", buffer, text) != 0) return false;
  process.cgroup = cgroupOf(text);
  std::vector<uint64_t> scopes;
  const auto add = [&](int task) {
    ProcessFacts facts = process;
    if (!readNamespaces(task, facts)) return;
    if (std::find(scopes.begin(), scopes.end(), facts.scope.id) != scopes.end()) return;
    scopes.push_back(facts.scope.id);
    all.push_back(std::move(facts));
  };
  add(leader.get());
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  eachTask(path, [&](pid_t tid) {
    if (tid == pid) return true;
    const Descriptor thread = openTask(tid);
    if (thread.isOpen()) add(thread.get());
    return true;
  });
  return true;
}

// The number given last in our pid namespace, the fifth word of /proc/loadavg; 0 if it cannot be
// told.
uint64_t lastPid(std::string& buffer) {
  std::string_view text;
  if (proc::readText(AT_FDCWD, "/proc/loadavg", buffer, text) != 0) return 0;
  while (text.ends_with('\n')) text.remove_suffix(1);
  text.remove_prefix(text.rfind(' ') + 1);
  return proc::takeNumber(text).value_or(0);
}

// The user namespace that owns the mount namespace of a task. Held open by the result, so that its
// inode number stands for it.
int openOwner(pid_t tid, Descriptor& out) {
  const Descriptor task = openTask(tid);
  if (!task.isOpen()) return errno;
  const Descriptor mounts(::openat(task.get(), "ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!mounts.isOpen()) return errno;
  out = Descriptor(::ioctl(mounts.get(), kNsGetUserns));
  return out.isOpen() ? 0 : errno;
}

bool isInUserNamespace(int task, const struct stat& wanted) {
  struct stat facts;
  return ::fstatat(task, "ns/user", &facts, 0) == 0 && sameFile(facts, wanted);
}

// A task in the user namespace: `tid` itself if it is one, else any.
Descriptor findMember(pid_t tid, const struct stat& wanted) {
  Descriptor found = openTask(tid);
  if (found.isOpen() && isInUserNamespace(found.get(), wanted)) return found;
  found = Descriptor();
  eachProcess([&](pid_t pid) {
    Descriptor task = openTask(pid);
    if (!task.isOpen() || !isInUserNamespace(task.get(), wanted)) return true;
    found = std::move(task);
    return false;
  });
  return found;
}

// What 0 is outside, by /proc/PID/uid_map or gid_map ("inside outside count" lines, `outside` as
// seen from the user namespace of the reader: ours).
std::optional<uint32_t> mapOfZero(int task, const char* map, std::string& buffer) {
  constexpr uint64_t unmapped = ~uint32_t{0};
  std::string_view text;
  if (proc::readText(task, map, buffer, text) != 0) return std::nullopt;
  for (;;) {
    const auto inside = proc::takeNumber(text);
    const auto outside = proc::takeNumber(text);
    const auto count = proc::takeNumber(text);
    if (!inside || !outside || !count) return std::nullopt;
    if (*inside == 0 && *count > 0) {
      if (*outside == unmapped) return std::nullopt;
      return static_cast<uint32_t>(*outside);
    }
    if (text.starts_with('\n')) text.remove_prefix(1);
  }
}

}  // namespace

// Who is not seen because it ended meanwhile may have forked before, and what it made has a number
// that was given since the walk began. So the numbers given meanwhile are looked at one by one,
// until none was given while that was done.
ProcessWalk walkProcesses() {
  ProcessWalk walk;
  std::string buffer;
  std::unordered_set<pid_t> seen;
  const auto look = [&](pid_t pid) {
    if (seen.contains(pid) || !readProcess(pid, buffer, walk.processes)) return;
    seen.insert(pid);
  };
  const uint64_t first = lastPid(buffer);
  eachProcess([&](pid_t pid) {
    look(pid);
    return true;
  });
  uint64_t known = 0;
  for (int round = 0; round < kMostRounds && !walk.complete; ++round) {
    const uint64_t last = lastPid(buffer);
    // Numbers begin anew at their end: then nobody knows which are new.
    if (first == 0 || last < first || last < known || last - first > kMostNew) break;
    for (uint64_t pid = first > kJustGiven ? first - kJustGiven : 1; pid <= last; ++pid)
      look(static_cast<pid_t>(pid));
    walk.complete = last == known;
    known = last;
    // A number is given a moment before its process is to be seen in /proc (copy_process()).
    if (!walk.complete) ::usleep(kMomentUs);
  }
  return walk;
}

int namespaceOwner(pid_t tid, NamespaceOwner& out) {
  out = NamespaceOwner{};
  Descriptor owner;
  if (const int error = openOwner(tid, owner)) return error;
  struct stat wanted, own;
  if (::fstat(owner.get(), &wanted) != 0) return errno;
  if (::stat("/proc/self/ns/user", &own) != 0) return errno;
  out.userNamespace = wanted.st_ino;
  if (sameFile(wanted, own)) {
    // Our own: its map would show what 0 is in our parent.
    out.rootUid = out.rootGid = 0;
    return 0;
  }
  const Descriptor member = findMember(tid, wanted);
  if (!member.isOpen()) return 0;
  std::string buffer;
  out.rootUid = mapOfZero(member.get(), "uid_map", buffer);
  out.rootGid = mapOfZero(member.get(), "gid_map", buffer);
  return 0;
}

bool isUserNamespaceAncestor(pid_t tid, pid_t other) {
  Descriptor at;
  if (openOwner(other, at) != 0) return false;
  const Descriptor task = openTask(tid);
  if (!task.isOpen()) return false;
  while (at.isOpen()) {
    struct stat facts;
    if (::fstat(at.get(), &facts) != 0) return false;
    if (isInUserNamespace(task.get(), facts)) return true;
    // EPERM above our own user namespace ends the walk.
    at = Descriptor(::ioctl(at.get(), kNsGetParent));
  }
  return false;
}

std::optional<bool> scopeLives(uint64_t scope) {
  MountRequest request = {};
  request.size = sizeof request;
  request.mountId = kListRoot;
  request.namespaceId = scope;
  uint64_t first = 0;
  if (::syscall(kSysListmount, &request, &first, 1, 0) >= 0) return true;
  // Older kernels: ENOSYS, or E2BIG for a request of this size (6.8 to 6.10).
  return errno == ENOENT ? std::optional(false) : std::nullopt;
}

bool notifySupervisor(const std::string& message) {
  const char* name = ::getenv("NOTIFY_SOCKET");
  if (name == nullptr || (name[0] != '/' && name[0] != '@')) return false;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const size_t length = ::strlen(name);
  if (length >= sizeof address.sun_path) return false;
  ::memcpy(address.sun_path, name, length);
  if (name[0] == '@') address.sun_path[0] = 0;  // an abstract name, without a terminating zero
  const Descriptor channel(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!channel.isOpen()) return false;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  const ssize_t sent = ::sendto(channel.get(), message.data(), message.size(), MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&address), size);
  return sent == static_cast<ssize_t>(message.size());
}

}  // namespace imafs
