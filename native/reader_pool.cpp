#include "reader_pool.hpp"

namespace imafs {

namespace {
// A read that did not sleep takes about a microsecond.
constexpr int64_t kAtOnceNs = 3'000;
constexpr int kQueue = 8, kSlack = 32;
}  // namespace

bool ReaderPool::enter() {
  std::unique_lock lock(mutex_);
  free_.wait(lock, [this] { return closed_ || taken_ < places_; });
  ++taken_;
  return !closed_;
}

void ReaderPool::leave() {
  {
    std::lock_guard guard(mutex_);
    --taken_;
  }
  free_.notify_one();
}

// One caller's release and next open wait for us together though one thread suffices; it is other
// callers' requests waiting that make a queue.
bool ReaderPool::readTook(int64_t nanoseconds, uint32_t caller, Pace& pace) {
  const bool queued = nanoseconds <= kAtOnceNs && caller != 0 && caller != pace.caller;
  if (caller != 0) pace.caller = caller;
  pace.score += queued ? 2 : -1;
  if (pace.score < kQueue && pace.score > -kSlack) return true;
  const bool more = pace.score > 0;
  pace.score = 0;
  std::unique_lock lock(mutex_);
  if (!more) {
    if (places_ == 1) return true;
    --places_;
    return taken_ <= places_;
  }
  if (places_ < most_) ++places_;
  lock.unlock();
  free_.notify_one();
  return true;
}

void ReaderPool::close() {
  {
    std::lock_guard guard(mutex_);
    closed_ = true;
  }
  free_.notify_all();
}

}  // namespace imafs
