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

// The name a thread is expected to exec-open next (a program's interpreter). Taken by the next
// exec open of that thread, whatever it opens.
class SuccessorTable {
 public:
  void expect(uint32_t tid, const std::string& name) {
    std::lock_guard guard(mutex_);
    if (names_.size() >= kMost) names_.clear();
    names_.insert_or_assign(tid, name);
  }
  std::string take(uint32_t tid) {
    std::lock_guard guard(mutex_);
    const auto found = names_.find(tid);
    if (found == names_.end()) return {};
    std::string name = std::move(found->second);
    names_.erase(found);
    return name;
  }

 private:
  static constexpr size_t kMost = 8192;
  std::mutex mutex_;
  std::unordered_map<uint32_t, std::string> names_;
};

}  // namespace imafs
