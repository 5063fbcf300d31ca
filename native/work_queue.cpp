#include "work_queue.hpp"

#include <algorithm>

namespace imafs {

void WorkQueue::post(Work work, int delayMs) {
  const auto due = Clock::now() + std::chrono::milliseconds(delayMs);
  {
    std::lock_guard guard(mutex_);
    work_.emplace(due, std::move(work));
  }
  changed_.notify_one();
}

WorkQueue::Work WorkQueue::next(Clock::time_point end) {
  std::unique_lock lock(mutex_);
  while (!closed_) {
    const auto due = work_.empty() ? Clock::time_point::max() : work_.begin()->first;
    const auto now = Clock::now();
    if (due <= now) {
      Work work = std::move(work_.begin()->second);
      work_.erase(work_.begin());
      return work;
    }
    if (end <= now) break;
    const auto until = std::min(due, end);
    if (until == Clock::time_point::max()) {
      changed_.wait(lock);  // wait_until() would reckon beyond the clock's range
    } else {
      changed_.wait_until(lock, until);
    }
  }
  return nullptr;
}

void WorkQueue::close() {
  {
    std::lock_guard guard(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

}  // namespace imafs
