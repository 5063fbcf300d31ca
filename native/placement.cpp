#include "placement.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string_view>

#include "proc_text.hpp"

namespace imafs {

namespace {

constexpr int kProcessorField = 39;

// The CPU a task last ran on, from /proc/TID/stat; -1 if it cannot be told.
int lastCpu(pid_t tid) {
  char path[32], text[1024];
  std::snprintf(path, sizeof path, "/proc/%d/stat", tid);
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  const ssize_t got = ::read(fd, text, sizeof text);
  ::close(fd);
  if (got <= 0) return -1;
  const auto cpu = proc::statField({text, static_cast<size_t>(got)}, kProcessorField);
  return cpu ? static_cast<int>(*cpu) : -1;
}

}  // namespace

void Placement::follow(pid_t tid) {
  if (seen_++ % kEvery != 0) return;
  const int cpu = lastCpu(tid);
  if (cpu < 0 || cpu >= CPU_SETSIZE) return;
  same_ = cpu == last_ ? same_ + 1 : 0;
  last_ = cpu;
  if (same_ >= kSteady) {
    bind(cpu);
  } else if (same_ == 0) {
    bind(-1);
  }
}

void Placement::bind(int cpu) {
  if (cpu == bound_) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (cpu >= 0) {
    CPU_SET(cpu, &set);
  } else {
    for (int i = 0; i < CPU_SETSIZE; ++i) CPU_SET(i, &set);  // the kernel keeps those there are
  }
  if (::sched_setaffinity(0, sizeof set, &set) == 0) bound_ = cpu;
}

}  // namespace imafs
