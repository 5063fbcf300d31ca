// needs: processes.cpp caller.cpp
#include "processes.hpp"

#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "check.hpp"
#include "child.hpp"

using namespace imafs;

namespace {

uint64_t inodeOf(const std::string& path) {
  struct stat facts = {};
  ::stat(path.c_str(), &facts);
  return facts.st_ino;
}

Scope scopeOf(pid_t pid) {
  CallerReader reader;
  CallerScopes scopes;
  CHECK_EQ(reader.scopes(pid, scopes), 0);
  return scopes.thread;
}

const ProcessFacts* find(const std::vector<ProcessFacts>& all, pid_t pid) {
  const auto found =
      std::find_if(all.begin(), all.end(), [pid](const auto& facts) { return facts.pid == pid; });
  return found == all.end() ? nullptr : &*found;
}

bool ownNamespaces(const char* uidMap, const char* gidMap) {
  return enterUserNamespace(uidMap, gidMap) && ::unshare(CLONE_NEWNS) == 0;
}

}  // namespace

TEST(the_walk_sees_this_process_and_its_child) {
  const SleepingChild child(
      [] { return ::unshare(CLONE_NEWNS) == 0 && ::setresuid(1000, 1001, 1001) == 0; });
  CHECK(child.ready());
  const auto all = walkProcesses().processes;
  const ProcessFacts* own = find(all, ::getpid());
  const ProcessFacts* other = find(all, child.pid());
  CHECK(own != nullptr && other != nullptr);
  if (own == nullptr || other == nullptr) return;
  CHECK_EQ(own->parent, ::getppid());
  CHECK_EQ(other->parent, ::getpid());
  CHECK(other->startTime >= own->startTime && own->startTime > 0);
  CHECK(own->scope == scopeOf(::getpid()));
  CHECK(other->scope == scopeOf(child.pid()));
  CHECK_EQ(own->userNamespace, inodeOf("/proc/self/ns/user"));
  CHECK_EQ(own->pidNamespace, inodeOf("/proc/self/ns/pid"));
  CHECK_EQ(other->uid, 1000u);
  CHECK(own->cgroup.starts_with('/'));
  CHECK_EQ(own->cgroup, other->cgroup);
}

TEST(owner_of_our_own_namespace) {
  const SleepingChild child([] { return ::unshare(CLONE_NEWNS) == 0; });
  NamespaceOwner owner;
  CHECK_EQ(namespaceOwner(child.pid(), owner), 0);
  CHECK_EQ(owner.userNamespace, inodeOf("/proc/self/ns/user"));
  CHECK(owner.rootUid == 0u);
  CHECK(owner.rootGid == 0u);
}

TEST(owner_with_maps) {
  const SleepingChild child(
      [] { return ownNamespaces("70000 7 1\n0 100000 65536", "0 200000 10"); });
  CHECK(child.ready());
  NamespaceOwner owner;
  CHECK_EQ(namespaceOwner(child.pid(), owner), 0);
  CHECK_EQ(owner.userNamespace, inodeOf("/proc/" + std::to_string(child.pid()) + "/ns/user"));
  CHECK(owner.rootUid == 100000u);
  CHECK(owner.rootGid == 200000u);
}

TEST(owner_without_a_zero) {
  const SleepingChild child([] { return ownNamespaces("1000 1000 1", "1000 1000 1"); });
  CHECK(child.ready());
  NamespaceOwner owner;
  CHECK_EQ(namespaceOwner(child.pid(), owner), 0);
  CHECK(owner.userNamespace != 0);
  CHECK(!owner.rootUid.has_value());
  CHECK(!owner.rootGid.has_value());
}

TEST(owner_found_through_another_process) {
  // The second child is in the first one's mount namespace, and in no user namespace but ours.
  const SleepingChild first([] { return ownNamespaces("0 100000 10", "0 100000 10"); });
  CHECK(first.ready());
  const SleepingChild second([&first] {
    const std::string path = "/proc/" + std::to_string(first.pid()) + "/ns/mnt";
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    beAlone();
    return ::setns(fd, CLONE_NEWNS) == 0;
  });
  CHECK(second.ready());
  NamespaceOwner owner;
  CHECK_EQ(namespaceOwner(second.pid(), owner), 0);
  CHECK(owner.rootUid == 100000u);
}

TEST(owner_of_the_gone) {
  SleepingChild child([] { return true; });
  const pid_t was = child.pid();
  child.end();
  NamespaceOwner owner;
  const int error = namespaceOwner(was, owner);
  CHECK(error == ENOENT || error == ESRCH);
}

TEST(ancestors) {
  const SleepingChild inner([] { return ownNamespaces("0 100000 10", "0 100000 10"); });
  const SleepingChild deeper([] {
    return enterUserNamespace("0 100000 65536", "0 100000 65536") &&
           ownNamespaces("0 1 10", "0 1 10");
  });
  const SleepingChild sibling([] { return ownNamespaces("0 100000 10", "0 100000 10"); });
  CHECK(inner.ready() && deeper.ready() && sibling.ready());
  CHECK(isUserNamespaceAncestor(::getpid(), ::getpid()));
  CHECK(isUserNamespaceAncestor(::getpid(), inner.pid()));
  CHECK(isUserNamespaceAncestor(::getpid(), deeper.pid()));
  CHECK(isUserNamespaceAncestor(inner.pid(), inner.pid()));
  CHECK(!isUserNamespaceAncestor(inner.pid(), ::getpid()));
  CHECK(!isUserNamespaceAncestor(inner.pid(), deeper.pid()));
  CHECK(!isUserNamespaceAncestor(sibling.pid(), inner.pid()));
  CHECK(!isUserNamespaceAncestor(0x7ffffff0, ::getpid()));
}

TEST(a_scope_lives_until_its_last_process_ends) {
  SleepingChild child([] { return ::unshare(CLONE_NEWNS) == 0; });
  CHECK(child.ready());
  const uint64_t scope = scopeOf(child.pid()).id;
  CHECK(scopeLives(scope) == true);
  CHECK(scopeLives(scopeOf(::getpid()).id) == true);
  child.end();
  // The kernel frees it a moment after its last user.
  std::optional<bool> lives = true;
  for (int attempt = 0; attempt < 200 && lives != false; ++attempt) {
    lives = scopeLives(scope);
    ::usleep(5000);
  }
  CHECK(lives == false);
}

TEST(a_scope_of_another_user_namespace_lives_too) {
  const SleepingChild child([] { return ownNamespaces("0 100000 10", "0 100000 10"); });
  CHECK(child.ready());
  CHECK(scopeLives(scopeOf(child.pid()).id) == true);
}

TEST(supervisor) {
  ::unsetenv("NOTIFY_SOCKET");
  CHECK(!notifySupervisor("READY=1"));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  TemporaryDirectory directory;
  const std::string abstract = "@imafs-test-" + std::to_string(::getpid());
  for (const std::string& name : {directory.name("socket"), abstract}) {
    ::memset(address.sun_path, 0, sizeof address.sun_path);
    ::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = 0;
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    CHECK_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), size), 0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    CHECK(notifySupervisor("READY=1\nSTATUS=x"));
    char text[64] = {};
    CHECK_EQ(::recv(fd, text, sizeof text - 1, MSG_DONTWAIT), 16);
    CHECK_EQ(std::string(text), "READY=1\nSTATUS=x");
    ::close(fd);
  }
  CHECK(!notifySupervisor("nobody listens any more"));
  ::unsetenv("NOTIFY_SOCKET");
}
