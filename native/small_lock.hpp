// A mutex in four bytes instead of forty, for what there are a hundred thousand of.
#pragma once
#include <atomic>
#include <cstdint>

namespace imafs {

class SmallLock {
 public:
  void lock() {
    uint32_t seen = kFree;
    if (state_.compare_exchange_strong(seen, kHeld, std::memory_order_acquire)) return;
    // Who had to wait leaves the lock marked as wanted, because others may be waiting still.
    while (state_.exchange(kWanted, std::memory_order_acquire) != kFree)
      state_.wait(kWanted, std::memory_order_relaxed);
  }

  void unlock() {
    if (state_.exchange(kFree, std::memory_order_release) == kWanted) state_.notify_one();
  }

 private:
  static constexpr uint32_t kFree = 0, kHeld = 1, kWanted = 2;
  std::atomic<uint32_t> state_{kFree};
};

}  // namespace imafs
