// Where a reader thread runs. Most of a small request's time is waking the daemon on another CPU
// (seen: an open 28 us on the caller's CPU, 90 us across), and the scheduler, left alone, wakes a
// reader anywhere but on the CPU its caller just used. So a reader whose callers keep coming from
// one CPU binds itself to it, and lets go as soon as they do not.
#pragma once
#include <sys/types.h>

#include <cstdint>

namespace imafs {

class Placement {
 public:
  // To be told of each open's caller, before it is answered; looks at one in kEvery of them.
  void follow(pid_t tid);

 private:
  static constexpr uint32_t kEvery = 16, kSteady = 3;
  void bind(int cpu);

  uint32_t seen_ = 0, same_ = 0;
  int last_ = -1, bound_ = -1;
};

}  // namespace imafs
