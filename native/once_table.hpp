// Two small bounded memories of threads: who was just told something, and what is expected next.
#pragma once
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace imafs {

// Says yes at most once per (thread, node) within a second.
class OnceTable {
 public:
  bool firstTime(uint32_t tid, uint64_t node, int64_t nowMs) {
    std::lock_guard guard(mutex_);
    if (told_.size() >= kMost) {
      std::erase_if(told_, [nowMs](const auto& entry) { return nowMs - entry.second > 1000; });
      if (told_.size() >= kMost) return false;
    }
    auto [entry, added] = told_.try_emplace(node * 0x9e3779b97f4a7c15ull ^ tid, nowMs);
    if (added) return true;
    if (nowMs - entry->second <= 1000) return false;
    entry->second = nowMs;
    return true;
  }

 private:
  static constexpr size_t kMost = 8192;
  std::mutex mutex_;
  std::unordered_map<uint64_t, int64_t> told_;
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
