// Who sent a request: mount namespace and credentials of a thread, read from /proc while the
// request is unanswered (its caller sleeps in request_wait_answer and cannot vanish or change).
#pragma once
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>

namespace imafs {

// A mount namespace: the never reused 64-bit id, and the nsfs inode number that users see.
struct Scope {
  uint64_t id = 0;
  uint64_t name = 0;
  bool operator==(const Scope&) const = default;
};

struct Credentials {
  uint32_t uid = 0, euid = 0, suid = 0, fsuid = 0;
  uint32_t gid = 0, egid = 0, sgid = 0, fsgid = 0;
  uint64_t effective = 0;  // CapEff
  bool operator==(const Credentials&) const = default;
};

struct CallerScopes {
  Scope thread;
  // Set where the thread is an io worker (PF_IO_WORKER): its leader's namespace may be a newer one.
  bool ioWorker = false, kernelThread = false;
  Scope leader;
};

// One per reader thread, not shared. Keeps a few /proc/TID directories open: such a descriptor is
// bound to the task's struct pid, so a reused number is noticed (ESRCH), and PF_IO_WORKER never
// changes.
class CallerReader {
 public:
  CallerReader();
  ~CallerReader();
  CallerReader(const CallerReader&) = delete;
  CallerReader& operator=(const CallerReader&) = delete;

  // Mount namespaces of the thread. 0 or an errno (ESRCH, EACCES …): the request is to be refused.
  int scopes(pid_t tid, CallerScopes& out);
  // Ids and capabilities from /proc/TID/status, and the thread group leader. 0 or an errno.
  int credentials(pid_t tid, Credentials& out, pid_t& leader);
  // Supplementary groups from /proc/TID/status, at most `capacity`; count in `used`. 0 or an errno.
  int groups(pid_t tid, gid_t* out, size_t capacity, size_t& used);

 private:
  struct Known {
    pid_t tid = 0;
    int directory = -1;
    bool ioWorker = false, kernelThread = false;
    pid_t leader = 0;
    uint64_t lastUse = 0;
  };
  Known* open(pid_t tid, int& error);
  void forget(Known& known);
  int readNature(Known& known);
  template <typename Read>
  int withTask(pid_t tid, Read read);
  // Our own mount namespace, held so that nsfs need not make and free an inode for it at each open:
  // a third of the cost of scopes() for callers in it. It lives as long as we do anyway.
  int ownNamespace_;
  Scope own_;
  std::array<Known, 64> known_{};
  std::string buffer_;  // text of a /proc file; kept so that a known caller costs no allocation
  uint64_t clock_ = 0;
};

// The 64-bit id and the inode number of the mount namespace behind an open nsfs descriptor. 0 or
// errno. Kernels before 6.11 have no such id: there the inode number stands for both (ENOTTY is not
// an error).
int scopeOfDescriptor(int nsfs, Scope& out);
// Whether a scope's id is never given to another one: not before Linux 6.11, where it is the inode
// number, which lasts as long as a descriptor of the namespace is open.
bool scopeIdsAreUnique();

}  // namespace imafs
