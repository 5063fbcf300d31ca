#include "thread_identity.hpp"

#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace imafs {
namespace {

constexpr uint32_t kNobodyAtAll = ~0u;  // setfsuid(-1) changes nothing and returns the present id

// glibc's wrappers of these change all threads of the process; the system calls change one.
int changeFsId(long call, uint32_t id) {
  ::syscall(call, id);
  return static_cast<uint32_t>(::syscall(call, kNobodyAtAll)) == id ? 0 : EPERM;
}

// Not merely from the effective set, so that nothing can raise it again: whoever has it writes past
// quotas (ignore_hardlimit) and into reserved blocks (ext4_has_free_clusters).
int dropSysResource() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return errno;
  constexpr uint32_t bit = 1u << CAP_SYS_RESOURCE;
  static_assert(CAP_SYS_RESOURCE < 32);
  data[0].effective &= ~bit;
  data[0].permitted &= ~bit;
  data[0].inheritable &= ~bit;
  return ::syscall(SYS_capset, &header, data) == 0 ? 0 : errno;
}

int blockLeaseSignal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGIO);
  return pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

// The kernel checked the caller's rights on the mount (default_permissions), capabilities included.
// Leaving fsuid 0 dropped ours, so those that making a name may need are raised again; CAP_FSETID
// is not among them, so that set-group-id follows the caller's groups.
int raiseForCreating() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return errno;
  constexpr uint32_t bits = 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH | 1u << CAP_MKNOD;
  if ((data[0].effective & bits) == bits) return 0;
  data[0].effective |= bits & data[0].permitted;
  return ::syscall(SYS_capset, &header, data) == 0 ? 0 : errno;
}

}  // namespace

ThreadIdentity::ThreadIdentity(uint32_t anonymous) : anonymous_(anonymous) {
  startError_ = ::unshare(CLONE_FS) == 0 ? 0 : errno;
  if (startError_ == 0) startError_ = dropSysResource();
  if (startError_ == 0) startError_ = blockLeaseSignal();
  if (startError_ == 0) startError_ = changeFsId(SYS_setfsgid, 0);
  if (startError_ == 0) startError_ = changeFsId(SYS_setfsuid, 0);
  ::umask(0);
  // Once for all: an id that can be taken now can be taken later.
  if (startError_ == 0) startError_ = this->anonymous();
  root();
}

int ThreadIdentity::setIds(uint32_t uid, uint32_t gid) {
  if (gid != gid_) {
    if (const int error = changeFsId(SYS_setfsgid, gid)) return error;
    gid_ = gid;
  }
  if (uid != uid_) {
    // The kernel itself drops CAP_FS_MASK from the effective set on leaving 0 and raises it on
    // returning (cap_task_fix_setuid, LSM_SETID_FS).
    if (const int error = changeFsId(SYS_setfsuid, uid)) return error;
    uid_ = uid;
  }
  return 0;
}

int ThreadIdentity::setGroups(const std::vector<gid_t>& groups) {
  if (groupsKnown_ && groups == groups_) return 0;
  if (::syscall(SYS_setgroups, groups.size(), groups.data()) != 0) return errno;
  groups_ = groups;
  groupsKnown_ = true;
  return 0;
}

void ThreadIdentity::setUmask(mode_t umask) {
  if (umask == umask_) return;
  ::umask(umask);
  umask_ = umask;
}

void ThreadIdentity::root() {
  // Cannot fail: 0 is the thread's real id.
  setIds(0, 0);
  setUmask(0);
}

int ThreadIdentity::anonymous() {
  setUmask(0);
  if (const int error = setGroups({})) return error;
  // By way of 0: the kernel drops the file system capabilities on leaving it, raised ones included.
  if (uid_ != anonymous_)
    if (const int error = setIds(0, 0)) return error;
  return setIds(anonymous_, anonymous_);
}

int ThreadIdentity::caller(uint32_t uid, uint32_t gid, const std::vector<gid_t>& groups,
                           mode_t umask) {
  if (const int error = setGroups(groups)) return error;
  if (const int error = setIds(uid, gid)) return error;
  if (const int error = raiseForCreating()) return error;
  setUmask(umask & 0777);
  return 0;
}

}  // namespace imafs
