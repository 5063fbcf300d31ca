// Processes and namespaces as /proc and nsfs show them: for lineage, ownership and the end of
// scopes.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "caller.hpp"

namespace imafs {

struct ProcessFacts {
  pid_t pid = 0, parent = 0;
  uint64_t startTime = 0;  // field 22 of /proc/PID/stat
  Scope scope;
  uint64_t userNamespace = 0, pidNamespace = 0;
  std::string
      cgroup;  // path of the 0:: line; "/" there with v1 lines: name=systemd, else the longest
  uint32_t uid = 0;
};

// Every process whose namespaces can be read; those that vanish on the way are left out.
struct ProcessWalk {
  std::vector<ProcessFacts> processes;
  // Whatever lived at the end of the walk is among them, or its number could not be known: a
  // process that forks and ends over and over stays ahead of who merely lists /proc.
  bool complete = false;
};
ProcessWalk walkProcesses();

struct NamespaceOwner {
  uint64_t userNamespace = 0;
  std::optional<uint32_t> rootUid, rootGid;  // what 0 maps to in our user namespace
};
// Owner of the mount namespace of a task (ioctl NS_GET_USERNS on /proc/TID/ns/mnt, then its maps as
// /proc/PID/uid_map of a process in it shows them). 0 or errno.
int namespaceOwner(pid_t tid, NamespaceOwner& out);
// Whether the user namespace of `tid` is the owner of the mount namespace of `other` or an ancestor
// of that owner (ioctl NS_GET_PARENT chain).
bool isUserNamespaceAncestor(pid_t tid, pid_t other);
// listmount(2) by id: false on ENOENT; nullopt where the kernel cannot tell.
std::optional<bool> scopeLives(uint64_t scope);
// sd_notify(3) protocol on $NOTIFY_SOCKET.
bool notifySupervisor(const std::string& message);

}  // namespace imafs
