// What is to be done on a thread that may act for callers, at once or a little later.
#pragma once
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>

namespace imafs {

class Operations;

class WorkQueue {
 public:
  using Work = std::function<void(Operations&)>;
  using Clock = std::chrono::steady_clock;

  void post(Work work, int delayMs);
  // Waits until something is due, at most until `end`. Empty: nothing was, or the queue is closed.
  Work next(Clock::time_point end = Clock::time_point::max());
  void close();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false;
  std::multimap<Clock::time_point, Work> work_;  // by when it is due
};

}  // namespace imafs
