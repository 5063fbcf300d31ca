// needs: read_as_caller.cpp caller_helper.cpp caller.cpp xattrs.cpp
#include "read_as_caller.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <linux/limits.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "check.hpp"
#include "child.hpp"
#include "fuse_protocol.hpp"

using namespace imafs;

namespace {

ReadAsCallerRequest requestOf(pid_t tid, const std::string& path) {
  ReadAsCallerRequest request;
  request.tid = tid;
  request.path = path;
  request.limit = 100000;
  request.timeoutMs = 5000;
  request.openBacking = [](uint64_t) { return -EIO; };
  return request;
}

std::string textOf(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

int readFor(pid_t tid, const std::string& path, std::string& text) {
  FileOfCaller read;
  const int error = readAsCaller(requestOf(tid, path), read);
  text = textOf(read.content);
  return error;
}

int errorFor(pid_t tid, const std::string& path) {
  std::string text;
  return readFor(tid, path, text);
}

// A mount namespace of its own in which nothing spreads to or from others.
bool ownMounts() {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

// Drops CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, staying root.
bool dropReadingCapabilities() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return false;
  data[0].effective &= ~(1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH);
  return ::syscall(SYS_capset, &header, data) == 0;
}

// A FUSE file system that answers INIT and then nothing ever. Its mount is in the namespace of the
// child that calls mountIn(); ending this object aborts the connection.
class SilentFuse {
 public:
  SilentFuse() : device_(::open("/dev/fuse", O_RDWR | O_CLOEXEC)) {}
  ~SilentFuse() { end(); }
  SilentFuse(const SilentFuse&) = delete;
  SilentFuse& operator=(const SilentFuse&) = delete;
  bool mountIn(const std::string& directory) const {
    const std::string options =
        "fd=" + std::to_string(device_) + ",rootmode=40000,user_id=0,group_id=0,allow_other";
    return ::mount("silent", directory.c_str(), "fuse", 0, options.c_str()) == 0;
  }
  bool answerInit() const {
    char request[65536];
    if (::read(device_, request, sizeof request) < 40) return false;
    const auto* header = reinterpret_cast<const fuse::InHeader*>(request);
    struct {
      fuse::OutHeader out;
      fuse::InitOut init;
    } reply = {};
    reply.out = {.len = sizeof reply, .error = 0, .unique = header->unique};
    reply.init.major = fuse::kMajor;
    reply.init.minor = fuse::kOldestMinor;
    reply.init.maxWrite = 4096;
    return ::write(device_, &reply, sizeof reply) == sizeof reply;
  }
  // Takes the next request, whose caller from then on cannot be killed.
  bool takeRequest() const {
    pollfd wanted = {.fd = device_, .events = POLLIN, .revents = 0};
    char request[65536];
    return ::poll(&wanted, 1, 3000) == 1 && ::read(device_, request, sizeof request) > 0;
  }
  void end() {
    if (device_ >= 0) ::close(device_);
    device_ = -1;
  }

 private:
  int device_;
};

}  // namespace

TEST(reads_what_the_caller_sees) {
  TemporaryDirectory directory;
  const std::string path = directory.file("policy", "measure everything\n", 0644);
  const SleepingChild child([] { return true; });
  std::string text;
  CHECK_EQ(readFor(child.pid(), path, text), 0);
  CHECK_EQ(text, "measure everything\n");
}

TEST(in_his_mount_namespace) {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/inside";
  const SleepingChild child([&] {
    if (!ownMounts() || ::mount("t", directory.path().c_str(), "tmpfs", 0, nullptr) != 0)
      return false;
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT, 0644);
    return ::write(fd, "theirs", 6) == 6;
  });
  CHECK(child.ready());
  std::string text;
  CHECK_EQ(readFor(child.pid(), path, text), 0);
  CHECK_EQ(text, "theirs");
  CHECK_EQ(errorFor(::getpid(), path), ENOENT);
}

TEST(below_his_root) {
  TemporaryDirectory directory;
  directory.file("policy", "below", 0644);
  const SleepingChild child([&] { return ::chroot(directory.path().c_str()) == 0; });
  CHECK(child.ready());
  std::string text;
  CHECK_EQ(readFor(child.pid(), "/policy", text), 0);
  CHECK_EQ(text, "below");
  CHECK_EQ(readFor(child.pid(), "/../../policy", text), 0);
  CHECK_EQ(errorFor(child.pid(), "/etc/passwd"), ENOENT);
}

TEST(with_his_rights_only) {
  TemporaryDirectory directory;
  ::chmod(directory.path().c_str(), 0755);
  const std::string secret = directory.file("secret", "x", 0600);
  const std::string group = directory.file("group", "x", 0640);
  CHECK_EQ(::chown(group.c_str(), 0, 77), 0);
  const std::string other = directory.file("other", "x", 0600);
  CHECK_EQ(::chown(other.c_str(), 1000, 1000), 0);
  const SleepingChild user([] {
    const gid_t groups[] = {77};
    return ::setgroups(1, groups) == 0 && ::setresgid(20, 20, 20) == 0 &&
           ::setresuid(2000, 2000, 2000) == 0;
  });
  CHECK(user.ready());
  CHECK_EQ(errorFor(user.pid(), secret), EACCES);
  CHECK_EQ(errorFor(user.pid(), group), 0);
  CHECK_EQ(errorFor(user.pid(), other), EACCES);
  const SleepingChild root([] { return true; });
  CHECK_EQ(errorFor(root.pid(), other), 0);
  const SleepingChild weak(dropReadingCapabilities);
  CHECK(weak.ready());
  CHECK_EQ(errorFor(weak.pid(), secret), 0);
  CHECK_EQ(errorFor(weak.pid(), other), EACCES);
}

TEST(root_of_a_user_namespace_rules_its_own_files) {
  TemporaryDirectory directory;
  ::chmod(directory.path().c_str(), 0755);
  const std::string mapped = directory.file("mapped", "x", 0600);
  CHECK_EQ(::chown(mapped.c_str(), 100005, 100005), 0);
  const std::string hosts = directory.file("hosts", "x", 0600);
  const SleepingChild child([] {
    return enterUserNamespace("0 100000 100", "0 100000 100") && ::unshare(CLONE_NEWNS) == 0;
  });
  CHECK(child.ready());
  CHECK_EQ(errorFor(child.pid(), mapped), 0);
  CHECK_EQ(errorFor(child.pid(), hosts), EACCES);
}

TEST(tells_what_the_file_is_like) {
  TemporaryDirectory directory;
  const std::string path = directory.file("policy", "rules", 0640);
  CHECK_EQ(::chown(path.c_str(), 7, 8), 0);
  CHECK_EQ(::setxattr(path.c_str(), "security.first", "one", 3, 0), 0);
  ReadAsCallerRequest request = requestOf(::getpid(), path);
  request.xattrs = {"security.first", "security.none", "user.\xff", "trusted.overlay"};
  FileOfCaller read;
  CHECK_EQ(readAsCaller(request, read), 0);
  CHECK_EQ(textOf(read.content), "rules");
  struct stat facts;
  CHECK_EQ(::stat(path.c_str(), &facts), 0);
  CHECK_EQ(read.file.stx_ino, facts.st_ino);
  CHECK_EQ(makedev(read.file.stx_dev_major, read.file.stx_dev_minor), facts.st_dev);
  CHECK_EQ(read.file.stx_mode, static_cast<unsigned>(S_IFREG | 0640));
  CHECK_EQ(read.file.stx_uid, 7u);
  CHECK_EQ(read.file.stx_gid, 8u);
  CHECK_EQ(read.file.stx_size, 5u);
  struct statfs fs;
  CHECK_EQ(::statfs(path.c_str(), &fs), 0);
  CHECK_EQ(read.fsMagic, static_cast<uint64_t>(fs.f_type));
  CHECK_EQ(read.xattrs.size(), 4u);
  CHECK(read.xattrs[0] && textOf(*read.xattrs[0]) == "one");
  CHECK(!read.xattrs[1] && !read.xattrs[2] && !read.xattrs[3]);
  request.xattrs.resize(17, "security.first");
  CHECK_EQ(readAsCaller(request, read), E2BIG);
}

// On tmpfs, which has room for them.
TEST(extended_attributes_of_any_size) {
  char path[] = "/dev/shm/imafs-native-XXXXXX";
  const int fd = ::mkstemp(path);
  CHECK(fd >= 0 && ::write(fd, "x", 1) == 1);
  const std::string largest(XATTR_SIZE_MAX, 'x');
  CHECK_EQ(::fsetxattr(fd, "security.first", largest.data(), largest.size(), 0), 0);
  CHECK_EQ(::fsetxattr(fd, "security.second", "", 0, 0), 0);
  ReadAsCallerRequest request = requestOf(::getpid(), path);
  request.xattrs = {"security.first", "security.second"};
  FileOfCaller read;
  CHECK_EQ(readAsCaller(request, read), 0);
  CHECK(read.xattrs[0] && textOf(*read.xattrs[0]) == largest);
  CHECK(read.xattrs[1] && read.xattrs[1]->empty());
  CHECK_EQ(read.fsMagic, 0x01021994u);
  ::close(fd);
  ::unlink(path);
}

// In the caller's user namespace its own files would look like root's, and root's like nobody's.
TEST(owners_are_those_of_the_daemon) {
  TemporaryDirectory directory;
  ::chmod(directory.path().c_str(), 0755);
  const std::string mapped = directory.file("mapped", "x", 0600);
  CHECK_EQ(::chown(mapped.c_str(), 100005, 100006), 0);
  const std::string hosts = directory.file("hosts", "x", 0644);
  const SleepingChild child([] {
    return enterUserNamespace("0 100000 100", "0 100000 100") && ::unshare(CLONE_NEWNS) == 0;
  });
  CHECK(child.ready());
  FileOfCaller read;
  CHECK_EQ(readAsCaller(requestOf(child.pid(), mapped), read), 0);
  CHECK_EQ(read.file.stx_uid, 100005u);
  CHECK_EQ(read.file.stx_gid, 100006u);
  CHECK_EQ(readAsCaller(requestOf(child.pid(), hosts), read), 0);
  CHECK_EQ(read.file.stx_uid, 0u);
  CHECK_EQ(read.file.stx_gid, 0u);
}

TEST(only_regular_files_with_content_up_to_the_limit) {
  TemporaryDirectory directory;
  const pid_t self = ::getpid();
  CHECK_EQ(errorFor(self, directory.path()), EINVAL);
  CHECK_EQ(errorFor(self, "/dev/null"), EINVAL);
  CHECK_EQ(errorFor(self, "/proc/self/environ"), EINVAL);
  CHECK_EQ(errorFor(self, directory.file("empty", "", 0644)), EINVAL);
  const std::string fifo = directory.name("fifo");
  CHECK_EQ(::mkfifo(fifo.c_str(), 0644), 0);
  CHECK_EQ(errorFor(self, fifo), EINVAL);
  CHECK_EQ(errorFor(self, directory.path() + "/nothing"), ENOENT);
  CHECK_EQ(errorFor(self, "relative"), EINVAL);
  CHECK_EQ(errorFor(self, directory.file("most", std::string(100000, 'x'), 0644)), 0);
  CHECK_EQ(errorFor(self, directory.file("more", std::string(100001, 'x'), 0644)), EFBIG);
}

TEST(never_through_the_helpers_own_descriptors) {
  CHECK_EQ(errorFor(::getpid(), "/proc/self/fd/0/../../version"), ELOOP);
  CHECK_EQ(errorFor(::getpid(), "/proc/self/exe"), ELOOP);
}

TEST(our_own_device_is_left_to_the_daemon) {
  TemporaryDirectory directory;
  ::chmod(directory.path().c_str(), 0755);
  const std::string path = directory.file("f", "through the mount", 0600);
  const std::string backing = directory.file("b", "from the backing", 0600);
  struct stat facts;
  CHECK_EQ(::stat(path.c_str(), &facts), 0);
  CHECK_EQ(::setxattr(path.c_str(), "security.first", "mount's", 7, 0), 0);
  CHECK_EQ(::setxattr(backing.c_str(), "security.first", "backing's", 9, 0), 0);
  ReadAsCallerRequest request = requestOf(::getpid(), path);
  request.xattrs = {"security.first"};
  request.ownDevice = facts.st_dev;
  uint64_t asked = 0;
  request.openBacking = [&](uint64_t ino) {
    asked = ino;
    return ::open(backing.c_str(), O_RDONLY | O_CLOEXEC);
  };
  FileOfCaller read;
  CHECK_EQ(readAsCaller(request, read), 0);
  CHECK_EQ(asked, facts.st_ino);
  CHECK_EQ(textOf(read.content), "from the backing");
  CHECK_EQ(::stat(backing.c_str(), &facts), 0);
  CHECK_EQ(read.file.stx_ino, facts.st_ino);
  CHECK(read.xattrs[0] && textOf(*read.xattrs[0]) == "backing's");
  CHECK(read.fsMagic != 0);
  request.limit = 3;
  CHECK_EQ(readAsCaller(request, read), EFBIG);
  request.openBacking = [](uint64_t) { return -ESTALE; };
  CHECK_EQ(readAsCaller(request, read), ESTALE);
  const SleepingChild user([] { return ::setresuid(2000, 2000, 2000) == 0; });
  request.tid = user.pid();
  CHECK_EQ(readAsCaller(request, read), EACCES);
}

TEST(a_hung_file_system_hangs_only_its_helper) {
  TemporaryDirectory directory;
  SilentFuse silent;
  const SleepingChild child([&] { return ownMounts() && silent.mountIn(directory.path()); });
  CHECK(child.ready());
  CHECK(silent.answerInit());
  std::thread taker([&] { CHECK(silent.takeRequest()); });
  ReadAsCallerRequest request = requestOf(child.pid(), directory.path() + "/f");
  request.timeoutMs = 300;
  FileOfCaller read;
  const auto start = std::chrono::steady_clock::now();
  CHECK_EQ(readAsCaller(request, read), ETIMEDOUT);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(2));
  taker.join();
  // The killed helper is still in there; this namespace waits, others do not.
  CHECK_EQ(readAsCaller(request, read), EBUSY);
  CHECK_EQ(errorFor(::getpid(), "/etc/passwd"), 0);
  silent.end();
  // The child's copy of the device keeps the connection up, so it has to go as well.
  CHECK_EQ(::kill(child.pid(), SIGKILL), 0);
}

TEST(a_dead_caller) {
  SleepingChild child([] { return true; });
  const pid_t was = child.pid();
  child.end();
  const int error = errorFor(was, "/etc/passwd");
  CHECK(error == ENOENT || error == ESRCH);
}

TEST(leaves_no_children) {
  for (int round = 0; round < 20; ++round) CHECK_EQ(errorFor(::getpid(), "/etc/passwd"), 0);
  int children = 0;
  // The helper that hung is reaped as soon as its file system is gone.
  for (int attempt = 0; attempt < 100; ++attempt) {
    siginfo_t info = {};
    children = ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 ? 1 : 0;
    if (children == 0) break;
    ::usleep(10000);
  }
  CHECK_EQ(children, 0);
}
