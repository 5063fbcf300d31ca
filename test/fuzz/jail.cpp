#include "jail.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace imafs::fuzz {

namespace {

// Users and groups 0 to 65535 of the jail are these outside, who own nothing.
constexpr char kIds[] = "0 1048576 65536";
constexpr rlim_t kLargestFile = 8 << 20;
constexpr char kBackingSize[] = "size=4m,nr_inodes=4096";

void must(bool done, const char* what) {
  if (done) return;
  std::perror(what);
  std::_Exit(1);
}

void writeFile(const std::string& path, const char* text) {
  FILE* file = std::fopen(path.c_str(), "we");
  must(file && std::fputs(text, file) >= 0 && std::fclose(file) == 0, path.c_str());
}

// The child goes on; the parent ends as its child does.
void becomeChild() {
  const pid_t child = ::fork();
  must(child >= 0, "fork");
  if (child == 0) return;
  for (const int signal : {SIGINT, SIGTERM}) ::signal(signal, SIG_IGN);  // theirs are for the child
  int status = 0;
  must(::waitpid(child, &status, 0) == child, "waitpid");
  std::_Exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

// The maps are written from outside, because more than one id takes a right over both sides.
void unshareMapped() {
  int asked[2], mapped[2];
  must(::pipe(asked) == 0 && ::pipe(mapped) == 0, "pipe");
  const pid_t outer = ::getpid();
  const pid_t helper = ::fork();
  must(helper >= 0, "fork");
  char byte = 0;
  if (helper == 0) {
    must(::read(asked[0], &byte, 1) == 1, "read");
    const std::string process = "/proc/" + std::to_string(outer);
    writeFile(process + "/uid_map", kIds);
    writeFile(process + "/gid_map", kIds);
    std::_Exit(::write(mapped[1], &byte, 1) == 1 ? 0 : 1);
  }
  must(::unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
                 CLONE_NEWUTS) == 0,
       "unshare");
  int status = 1;
  must(::write(asked[1], &byte, 1) == 1 && ::waitpid(helper, &status, 0) == helper, "helper");
  must(status == 0, "user and group maps");
  for (const int end : {asked[0], asked[1], mapped[0], mapped[1]}) ::close(end);
  must(::setresgid(0, 0, 0) == 0 && ::setresuid(0, 0, 0) == 0, "become root of the jail");
}

void bindInto(const char* from, const std::string& to) {
  must(::mkdir(to.c_str(), 0755) == 0, to.c_str());
  must(::mount(from, to.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0, to.c_str());
}

void changeRoot() {
  must(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "private mounts");
  const std::string root = "/tmp";
  const int work = ::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  must(work >= 0 && ::mount("jail", root.c_str(), "tmpfs", 0, "mode=755") == 0, "tmpfs");
  bindInto("/usr", root + "/usr");  // the symbolizer and its libraries
  for (const char* name : {"bin", "lib", "lib64"})
    must(::symlink((std::string("usr/") + name).c_str(), (root + "/" + name).c_str()) == 0, name);
  bindInto(("/proc/self/fd/" + std::to_string(work)).c_str(), root + "/work");
  must(::mkdir((root + "/proc").c_str(), 0755) == 0 &&
           ::mount("proc", (root + "/proc").c_str(), "proc", 0, nullptr) == 0,
       "proc");
  must(::mkdir((root + "/backing").c_str(), 0755) == 0 &&
           ::mount("backing", (root + "/backing").c_str(), "tmpfs",
                   MS_NODEV | MS_NOSUID | MS_NOEXEC, kBackingSize) == 0,
       "backing");
  // pivot_root(2): with "." twice the old root ends on top of the new one, and goes.
  must(::chdir(root.c_str()) == 0 && ::syscall(SYS_pivot_root, ".", ".") == 0 &&
           ::umount2(".", MNT_DETACH) == 0 && ::chdir("/work") == 0,
       "pivot_root");
  ::close(work);
}

}  // namespace

void enterJail() {
  unshareMapped();
  becomeChild();
  changeRoot();
  const struct rlimit most = {kLargestFile, kLargestFile};
  must(::setrlimit(RLIMIT_FSIZE, &most) == 0, "setrlimit");
  ::signal(SIGXFSZ, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace imafs::fuzz
