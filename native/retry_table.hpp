// Two small bounded memories of threads: who was just sent to look again, and what is expected
// next.
#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace imafs {

// Threads whose last open was answered ESTALE: the kernel looks the name up and opens once more,
// and a second ESTALE would reach the caller.
class RetryTable {
 public:
  // True if the thread is to be sent back now; false if it has been, and its open is to be judged.
  bool send(uint32_t tid, int64_t nowMs) {
    std::lock_guard guard(mutex_);
    const auto found = sent_.find(tid);
    if (found != sent_.end() && nowMs - found->second <= kRetryMs) {
      sent_.erase(found);
      --count_;
      return false;
    }
    if (sent_.size() >= kMost) sent_.clear();
    sent_.insert_or_assign(tid, nowMs);
    count_ = sent_.size();
    return true;
  }
  // The thread's open led where it should: nothing is owed to it.
  void done(uint32_t tid) {
    if (count_ == 0) return;
    std::lock_guard guard(mutex_);
    sent_.erase(tid);
    count_ = sent_.size();
  }

 private:
  static constexpr size_t kMost = 8192;
  static constexpr int64_t kRetryMs = 1000;
  std::mutex mutex_;
  std::atomic<size_t> count_{0};
  std::unordered_map<uint32_t, int64_t> sent_;
};

// The file a thread is expected to exec-open next (a program's interpreter), by its path below the
// mount's root. Taken by the next exec open of that thread, whatever it opens, and for a moment
// only.
class SuccessorTable {
 public:
  void expect(uint32_t tid, const std::string& path, int64_t nowMs) {
    std::lock_guard guard(mutex_);
    if (expected_.size() >= kMost) expected_.clear();
    expected_.insert_or_assign(tid, Expected{path, nowMs});
  }
  // Empty if nothing is expected.
  std::string take(uint32_t tid, int64_t nowMs) {
    std::lock_guard guard(mutex_);
    const auto found = expected_.find(tid);
    if (found == expected_.end()) return {};
    Expected expected = std::move(found->second);
    expected_.erase(found);
    return nowMs - expected.since <= kMomentMs ? std::move(expected.path) : std::string();
  }

 private:
  struct Expected {
    std::string path;
    int64_t since;
  };
  static constexpr size_t kMost = 8192;
  static constexpr int64_t kMomentMs = 1000;
  std::mutex mutex_;
  std::unordered_map<uint32_t, Expected> expected_;
};

}  // namespace imafs
