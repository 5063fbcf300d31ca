// As whom the current thread acts towards the backing file system. Identities are per thread (raw
// setfsuid, setfsgid, setgroups), changed only when the wanted one differs from the one held.
#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace imafs {

class ThreadIdentity {
 public:
  // To be called once at the start of each native thread: own fs_struct (unshare CLONE_FS, so that
  // umask is the thread's), CAP_SYS_RESOURCE dropped for good, SIGIO blocked, and then as root().
  // `anonymous` is the id for writing on behalf of callers: neither 0 nor the backing's
  // resuid/resgid.
  explicit ThreadIdentity(uint32_t anonymous);

  // 0, or why the constructor failed: the thread must not serve requests then.
  int startError() const { return startError_; }

  // fsuid 0, fsgid 0, no groups changed; umask 0.
  void root();
  // fsuid = fsgid = anonymous, no groups: without CAP_FSETID (setfsuid drops the fs capabilities).
  // 0 or errno; after an error nothing may be written for a caller. The kernel refuses an id that
  // the user namespace does not map without saying so, therefore what it then holds is read back.
  int anonymous();
  // fsuid, fsgid and supplementary groups of the caller, umask as given: for creating. 0 or errno.
  int caller(uint32_t uid, uint32_t gid, const std::vector<gid_t>& groups, mode_t umask);

 private:
  int setIds(uint32_t uid, uint32_t gid);
  int setGroups(const std::vector<gid_t>& groups);
  void setUmask(mode_t umask);

  uint32_t uid_ = 0, gid_ = 0;
  mode_t umask_ = 0;
  // What setgroups was given last; before that the daemon's own, which nobody looked at.
  std::vector<gid_t> groups_;
  bool groupsKnown_ = false;
  uint32_t anonymous_;
  int startError_ = 0;
};

}  // namespace imafs
