// Child processes in some state (another namespace, other ids) that tests look at from outside.
#pragma once
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// Of the sanitizers, where they are: the thread sanitizer ends the thread that it has for itself,
// if there ever was one of ours. Who changes to another namespace has to be alone in its process.
extern "C" __attribute__((weak)) void __sanitizer_sandbox_on_notify(void* arguments);
inline void beAlone() {
  if (__sanitizer_sandbox_on_notify) __sanitizer_sandbox_on_notify(nullptr);
}

// Runs `prepare` in a child, which then sleeps until this object ends. `ready()` is false if
// `prepare` returned false.
class SleepingChild {
 public:
  explicit SleepingChild(const std::function<bool()>& prepare) {
    if (__sanitizer_sandbox_on_notify) std::thread([] {}).join();
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      const bool done = prepare();
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      (void)!::write(ends[1], done ? "y" : "n", 1);
      for (;;) ::pause();
    }
    ::close(ends[1]);
    char answer = 'n';
    ready_ = ::read(ends[0], &answer, 1) == 1 && answer == 'y';
    ::close(ends[0]);
  }
  ~SleepingChild() { end(); }
  SleepingChild(const SleepingChild&) = delete;
  SleepingChild& operator=(const SleepingChild&) = delete;

  pid_t pid() const { return pid_; }
  bool ready() const { return ready_; }
  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
  bool ready_ = false;
};

// Moves the calling process into a new user namespace with these maps, which only someone outside
// may write freely: a child made before does it.
inline bool enterUserNamespace(const std::string& uidMap, const std::string& gidMap) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return false;
  const std::string self = "/proc/" + std::to_string(::getpid());
  const pid_t writer = ::fork();
  if (writer == 0) {
    ::close(ends[1]);
    char go;
    bool done = ::read(ends[0], &go, 1) == 1;
    for (const auto& [file, map] : {std::pair{"/uid_map", uidMap}, {"/gid_map", gidMap}}) {
      const int fd = ::open((self + file).c_str(), O_WRONLY | O_CLOEXEC);
      done = done && ::write(fd, map.data(), map.size()) == static_cast<ssize_t>(map.size());
    }
    ::_exit(done ? 0 : 1);
  }
  beAlone();
  const bool moved = ::unshare(CLONE_NEWUSER) == 0 && ::write(ends[1], "g", 1) == 1;
  ::close(ends[1]);
  int status = 1;
  ::waitpid(writer, &status, 0);
  ::close(ends[0]);
  // As its root, where it has one: without a mapped id no further user namespace can be made. The
  // change of ids makes /proc/self root's, which a writer for a nested one could not open.
  const bool isRoot = ::setresgid(0, 0, 0) == 0 && ::setresuid(0, 0, 0) == 0;
  if (isRoot) ::prctl(PR_SET_DUMPABLE, 1);
  return moved && status == 0;
}

// A directory of its own below /tmp, removed with the plain files that were made by `file`.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    char name[] = "/tmp/imafs-native-XXXXXX";
    if (::mkdtemp(name) == nullptr) std::abort();
    path_ = name;
  }
  ~TemporaryDirectory() {
    for (const std::string& name : files_) ::unlink(name.c_str());
    ::rmdir(path_.c_str());
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  // The path of a file there, which is removed at the end if it exists.
  std::string name(const std::string& name) {
    files_.push_back(path_ + "/" + name);
    return files_.back();
  }
  std::string file(const std::string& name, const std::string& content, mode_t mode) {
    const std::string path = this->name(name);
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    (void)!::write(fd, content.data(), content.size());
    ::fchmod(fd, mode);
    ::close(fd);
    return path;
  }

 private:
  std::string path_;
  std::vector<std::string> files_;
};
