// needs: caller.cpp
#include "caller.hpp"

#include <dirent.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <thread>

#include "check.hpp"
#include "child.hpp"
#include "proc_text.hpp"

using namespace imafs;

namespace {

pid_t ownTid() { return static_cast<pid_t>(::syscall(SYS_gettid)); }

uint64_t ownNamespaceInode() {
  struct stat facts;
  ::stat("/proc/thread-self/ns/mnt", &facts);
  return facts.st_ino;
}

// Starts an open of `path` on an io-wq worker of this process, without liburing. The ring's
// descriptor, or -1.
int openOnWorker(const char* path) {
  io_uring_params parameters = {};
  const int ring = static_cast<int>(::syscall(SYS_io_uring_setup, 4, &parameters));
  if (ring < 0) return -1;
  const auto& offsets = parameters.sq_off;
  auto* queue =
      static_cast<char*>(::mmap(nullptr, offsets.array + parameters.sq_entries * sizeof(uint32_t),
                                PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING));
  auto* entries =
      static_cast<io_uring_sqe*>(::mmap(nullptr, parameters.sq_entries * sizeof(io_uring_sqe),
                                        PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES));
  entries[0] = {};
  entries[0].opcode = IORING_OP_OPENAT;
  entries[0].flags = IOSQE_ASYNC;
  entries[0].fd = AT_FDCWD;
  entries[0].addr = reinterpret_cast<uint64_t>(path);
  entries[0].open_flags = O_RDONLY;
  reinterpret_cast<uint32_t*>(queue + offsets.array)[0] = 0;
  __atomic_store_n(reinterpret_cast<uint32_t*>(queue + offsets.tail), 1, __ATOMIC_RELEASE);
  return ::syscall(SYS_io_uring_enter, ring, 1, 0, 0, nullptr, 0) == 1 ? ring : -1;
}

// The thread of `pid` whose name begins so, 0 if none appears within a second.
pid_t threadNamed(pid_t pid, const std::string& start) {
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (int attempt = 0; attempt < 100; ++attempt) {
    pid_t found = 0;
    DIR* directory = ::opendir(tasks.c_str());
    while (const dirent* entry = directory ? ::readdir(directory) : nullptr) {
      std::string buffer;
      std::string_view text;
      const std::string file = tasks + "/" + entry->d_name + "/comm";
      if (proc::readText(AT_FDCWD, file.c_str(), buffer, text) != 0) continue;
      if (text.starts_with(start)) found = ::atoi(entry->d_name);
    }
    if (directory) ::closedir(directory);
    if (found) return found;
    ::usleep(10000);
  }
  return 0;
}

}  // namespace

TEST(own_scope) {
  CallerReader reader;
  CallerScopes scopes;
  CHECK_EQ(reader.scopes(::getpid(), scopes), 0);
  CHECK_EQ(scopes.thread.name, ownNamespaceInode());
  CHECK(scopes.thread.id != 0);
  CHECK(!scopes.ioWorker);
}

TEST(scope_of_an_unshared_child) {
  CallerReader reader;
  CallerScopes own, other;
  const SleepingChild child([] { return ::unshare(CLONE_NEWNS) == 0; });
  CHECK(child.ready());
  CHECK_EQ(reader.scopes(::getpid(), own), 0);
  CHECK_EQ(reader.scopes(child.pid(), other), 0);
  CHECK(own.thread.id != other.thread.id);
  CHECK(own.thread.name != other.thread.name);
}

TEST(scope_is_read_anew_each_time_and_per_thread) {
  CallerReader reader;
  CallerScopes before, after, leader;
  std::thread([&] {
    CHECK_EQ(::unshare(CLONE_FS), 0);
    CHECK_EQ(reader.scopes(ownTid(), before), 0);
    CHECK_EQ(::unshare(CLONE_NEWNS), 0);
    CHECK_EQ(reader.scopes(ownTid(), after), 0);
    CHECK_EQ(reader.scopes(::getpid(), leader), 0);
    CHECK_EQ(after.thread.name, ownNamespaceInode());
  }).join();
  CHECK(before.thread == leader.thread);
  CHECK(!(after.thread == before.thread));
}

TEST(the_dead_and_the_impossible) {
  CallerReader reader;
  CallerScopes scopes;
  SleepingChild child([] { return true; });
  CHECK_EQ(reader.scopes(child.pid(), scopes), 0);
  const pid_t was = child.pid();
  child.end();
  const int error = reader.scopes(was, scopes);
  CHECK(error == ESRCH || error == ENOENT);
  CHECK_EQ(reader.scopes(0, scopes), ESRCH);
}

TEST(more_tasks_than_are_kept_open) {
  CallerReader reader;
  CallerScopes own, scopes;
  CHECK_EQ(reader.scopes(::getpid(), own), 0);
  for (int round = 0; round < 150; ++round) {
    const SleepingChild child([] { return true; });
    CHECK_EQ(reader.scopes(child.pid(), scopes), 0);
    CHECK(scopes.thread == own.thread);
  }
}

TEST(io_worker_keeps_the_older_namespace) {
  TemporaryDirectory directory;
  const std::string fifo = directory.name("fifo");
  CHECK_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  CallerReader reader;
  CallerScopes own, worker, leader;
  const SleepingChild child([&] {
    return openOnWorker(fifo.c_str()) >= 0 && threadNamed(::getpid(), "iou-wrk") != 0 &&
           ::unshare(CLONE_NEWNS) == 0;
  });
  CHECK(child.ready());
  const pid_t tid = threadNamed(child.pid(), "iou-wrk");
  CHECK(tid != 0);
  CHECK_EQ(reader.scopes(::getpid(), own), 0);
  CHECK_EQ(reader.scopes(child.pid(), leader), 0);
  CHECK_EQ(reader.scopes(tid, worker), 0);
  CHECK(worker.ioWorker);
  CHECK(!leader.ioWorker);
  CHECK(worker.thread == own.thread);
  CHECK(worker.leader == leader.thread);
  CHECK(!(worker.leader == worker.thread));
  Credentials credentials;
  pid_t group = 0;
  CHECK_EQ(reader.credentials(tid, credentials, group), 0);
  CHECK_EQ(group, child.pid());
}

TEST(credentials_and_groups) {
  CallerReader reader;
  Credentials seen;
  pid_t leader = 0;
  const SleepingChild child([] {
    const gid_t groups[] = {7, 4000000000u, 9};
    return ::setgroups(3, groups) == 0 && ::setresgid(20, 21, 22) == 0 &&
           ::setresuid(1000, 1001, 1002) == 0;
  });
  CHECK(child.ready());
  CHECK_EQ(reader.credentials(child.pid(), seen, leader), 0);
  CHECK_EQ(leader, child.pid());
  CHECK(seen.uid == 1000 && seen.euid == 1001 && seen.suid == 1002 && seen.fsuid == 1001);
  CHECK(seen.gid == 20 && seen.egid == 21 && seen.sgid == 22 && seen.fsgid == 21);
  CHECK_EQ(seen.effective, 0u);
  gid_t groups[8];
  size_t used = 0;
  CHECK_EQ(reader.groups(child.pid(), groups, 8, used), 0);
  CHECK_EQ(used, 3u);
  CHECK(groups[0] == 7 && groups[1] == 9 && groups[2] == 4000000000u);
  CHECK_EQ(reader.groups(child.pid(), groups, 2, used), 0);
  CHECK_EQ(used, 2u);
  CHECK_EQ(reader.credentials(::getpid(), seen, leader), 0);
  CHECK((seen.effective & uint64_t{1} << CAP_SYS_ADMIN) != 0);
}

TEST(a_long_list_of_groups_hides_nothing) {
  CallerReader reader;
  const SleepingChild child([] {
    std::vector<gid_t> groups(20000);
    for (size_t at = 0; at < groups.size(); ++at) groups[at] = static_cast<gid_t>(100000 + at);
    return ::setgroups(groups.size(), groups.data()) == 0;
  });
  CHECK(child.ready());
  Credentials seen;
  pid_t leader = 0;
  CHECK_EQ(reader.credentials(child.pid(), seen, leader), 0);
  CHECK((seen.effective & uint64_t{1} << CAP_SYS_ADMIN) != 0);
  std::vector<gid_t> groups(65536);
  size_t used = 0;
  CHECK_EQ(reader.groups(child.pid(), groups.data(), groups.size(), used), 0);
  CHECK_EQ(used, 20000u);
  CHECK_EQ(groups[19999], 119999u);
}

TEST(a_name_cannot_forge_fields) {
  CallerReader reader;
  const SleepingChild child(
      [] { return ::prctl(PR_SET_NAME, ") R 1\nUid:\t0") == 0 && ::setresuid(5, 5, 5) == 0; });
  CHECK(child.ready());
  Credentials seen;
  pid_t leader = 0;
  CallerScopes scopes;
  CHECK_EQ(reader.credentials(child.pid(), seen, leader), 0);
  CHECK_EQ(seen.uid, 5u);
  CHECK_EQ(reader.scopes(child.pid(), scopes), 0);
  CHECK(!scopes.ioWorker);
}

TEST(only_mount_namespaces_have_a_scope) {
  Scope scope;
  const int plain = ::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  CHECK(scopeOfDescriptor(plain, scope) != 0);
  const int user = ::open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
  CHECK(scopeOfDescriptor(user, scope) != 0);
  ::close(plain);
  ::close(user);
}

TEST(what_it_costs) {
  CallerReader reader;
  CallerScopes scopes;
  Credentials credentials;
  pid_t leader = 0;
  const SleepingChild child([] { return true; });
  const auto timed = [](const char* what, auto call) {
    const auto start = std::chrono::steady_clock::now();
    for (int round = 0; round < 2000; ++round) call();
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
    std::cout << "    " << what << ": " << took.count() / 2000 << " us\n";
  };
  timed("scopes of a known thread", [&] { reader.scopes(child.pid(), scopes); });
  timed("credentials of a known thread",
        [&] { reader.credentials(child.pid(), credentials, leader); });
}
