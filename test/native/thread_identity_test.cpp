// needs: thread_identity.cpp caller.cpp
#include "thread_identity.hpp"

#include <linux/capability.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <future>
#include <thread>

#include "caller.hpp"
#include "check.hpp"
#include "child.hpp"

using namespace imafs;

namespace {

constexpr uint32_t kAnonymous = 4294967293u;

Credentials ownCredentials() {
  CallerReader reader;
  Credentials seen;
  pid_t leader = 0;
  CHECK_EQ(reader.credentials(static_cast<pid_t>(::syscall(SYS_gettid)), seen, leader), 0);
  return seen;
}

bool has(const Credentials& who, int capability) { return (who.effective >> capability & 1) != 0; }

struct stat factsOf(const std::string& path) {
  struct stat facts = {};
  CHECK_EQ(::stat(path.c_str(), &facts), 0);
  return facts;
}

void make(const std::string& path, mode_t mode) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  CHECK(fd >= 0);
  ::close(fd);
}

}  // namespace

TEST(files_belong_to_the_caller_with_his_umask) {
  TemporaryDirectory directory;
  ::chmod(directory.path().c_str(), 0777);
  const std::string callers = directory.name("callers"), roots = directory.name("roots");
  std::thread([&] {
    ThreadIdentity identity(kAnonymous);
    CHECK_EQ(identity.startError(), 0);
    CHECK_EQ(identity.caller(1000, 1001, {7, 8}, 027), 0);
    make(callers, 0666);
    identity.root();
    make(roots, 0666);
  }).join();
  CHECK_EQ(factsOf(callers).st_uid, 1000u);
  CHECK_EQ(factsOf(callers).st_gid, 1001u);
  CHECK_EQ(factsOf(callers).st_mode & 07777, 0640u);
  CHECK_EQ(factsOf(roots).st_uid, 0u);
  CHECK_EQ(factsOf(roots).st_mode & 07777, 0666u);
}

TEST(what_the_kernel_allowed_a_caller_to_make_is_made) {
  TemporaryDirectory directory;
  CHECK_EQ(::chmod(directory.path().c_str(), 0700), 0);
  const std::string path = directory.name("f");
  std::thread([&] {
    ThreadIdentity identity(kAnonymous);
    CHECK_EQ(identity.caller(1000, 1000, {76}, 0), 0);
    make(path, 0600);
    CHECK_EQ(identity.anonymous(), 0);
    CHECK(::open(path.c_str(), O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES);
  }).join();
}

TEST(other_threads_are_untouched) {
  const mode_t before = ::umask(022);
  std::promise<void> changed, looked;
  std::thread thread([&] {
    ThreadIdentity identity(kAnonymous);
    CHECK_EQ(identity.caller(1000, 1001, {5}, 077), 0);
    changed.set_value();
    looked.get_future().wait();
  });
  changed.get_future().wait();
  const Credentials own = ownCredentials();
  CHECK_EQ(own.fsuid, 0u);
  CHECK_EQ(own.fsgid, 0u);
  CHECK(has(own, CAP_FSETID));
  CHECK_EQ(::umask(022), 022u);
  looked.set_value();
  thread.join();
  ::umask(before);
}

TEST(capabilities_of_each_identity) {
  std::thread([] {
    ThreadIdentity identity(kAnonymous);
    CHECK(has(ownCredentials(), CAP_FSETID));
    CHECK(!has(ownCredentials(), CAP_SYS_RESOURCE));
    CHECK_EQ(identity.anonymous(), 0);
    const Credentials anonymous = ownCredentials();
    CHECK_EQ(anonymous.fsuid, kAnonymous);
    CHECK_EQ(anonymous.fsgid, kAnonymous);
    CHECK_EQ(anonymous.uid, 0u);
    CHECK(!has(anonymous, CAP_FSETID));
    CHECK(!has(anonymous, CAP_DAC_OVERRIDE));
    CHECK(!has(anonymous, CAP_SYS_RESOURCE));
    CHECK(has(anonymous, CAP_SYS_ADMIN));
    identity.root();
    CHECK(has(ownCredentials(), CAP_FSETID));
    CHECK(has(ownCredentials(), CAP_DAC_OVERRIDE));
    CHECK(!has(ownCredentials(), CAP_SYS_RESOURCE));
    CHECK_EQ(ownCredentials().fsuid, 0u);
  }).join();
}

TEST(anonymous_writes_clear_set_id_bits) {
  TemporaryDirectory directory;
  const std::string path = directory.file("f", "x", 0);
  CHECK_EQ(::chmod(path.c_str(), 04777), 0);
  std::thread([&] {
    ThreadIdentity identity(kAnonymous);
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    CHECK_EQ(identity.anonymous(), 0);
    CHECK_EQ(::pwrite(fd, "y", 1, 0), 1);
    ::close(fd);
  }).join();
  CHECK_EQ(factsOf(path).st_mode & 07777, 0777u);
}

TEST(lease_signals_are_blocked) {
  std::thread([] {
    const ThreadIdentity identity(kAnonymous);
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    CHECK(sigismember(&blocked, SIGIO) == 1);
  }).join();
}

TEST(an_id_that_cannot_be_taken_is_told) {
  // In a user namespace that maps only 0 the kernel refuses all other ids without saying so.
  const SleepingChild child([] {
    if (!enterUserNamespace("0 0 1", "0 0 1")) return false;
    ThreadIdentity identity(kAnonymous);
    return identity.startError() != 0 && identity.anonymous() != 0 &&
           identity.caller(5, 5, {}, 0) != 0;
  });
  CHECK(child.ready());
}
