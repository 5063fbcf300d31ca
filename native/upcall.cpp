#include "upcall.hpp"

namespace imafs {

namespace {
// Bounds what one namespace can make TypeScript hold at a time; the rest of its requests wait here,
// where they cost a few hundred bytes each and hold up nobody else.
constexpr size_t kMostPerScope = 128;
}  // namespace

void UpcallQueue::push(UpcallPtr upcall) {
  {
    std::lock_guard guard(mutex_);
    upcall->id = nextId_++;
    ++total_;
    ++waiting_;
    lanes_[upcall->caller.scopes.thread.id].waiting.push_back(std::move(upcall));
  }
  wake_();
}

void UpcallQueue::notify(Notice notice) {
  {
    std::lock_guard guard(mutex_);
    notices_.push_back(std::move(notice));
  }
  wake_();
}

UpcallQueue::Batch UpcallQueue::take(size_t most) {
  Batch batch;
  std::lock_guard guard(mutex_);
  while (!notices_.empty() && batch.notices.size() < most) {
    batch.notices.push_back(std::move(notices_.front()));
    notices_.pop_front();
  }
  size_t idle = 0;
  auto lane = lanes_.upper_bound(lastLane_);
  while (batch.upcalls.size() < most && waiting_ > 0 && idle <= lanes_.size()) {
    if (lane == lanes_.end()) lane = lanes_.begin();
    Lane& at = lane->second;
    if (at.waiting.empty() || at.underWay >= kMostPerScope) {
      ++idle;
    } else {
      idle = 0;
      UpcallPtr upcall = std::move(at.waiting.front());
      at.waiting.pop_front();
      --waiting_;
      ++at.underWay;
      lastLane_ = lane->first;
      underWay_.emplace(upcall->id, upcall);
      batch.upcalls.push_back(std::move(upcall));
    }
    ++lane;
  }
  return batch;
}

UpcallPtr UpcallQueue::finish(uint64_t id) {
  UpcallPtr upcall;
  bool more = false;
  {
    std::lock_guard guard(mutex_);
    const auto found = underWay_.find(id);
    if (found == underWay_.end()) return nullptr;
    upcall = std::move(found->second);
    underWay_.erase(found);
    const auto lane = lanes_.find(upcall->caller.scopes.thread.id);
    if (lane != lanes_.end()) {
      // The lane was full: what waits behind it can go on now.
      more = lane->second.underWay == kMostPerScope && !lane->second.waiting.empty();
      if (--lane->second.underWay == 0 && lane->second.waiting.empty()) lanes_.erase(lane);
    }
  }
  if (more) wake_();
  return upcall;
}

std::vector<UpcallPtr> UpcallQueue::drain() {
  std::vector<UpcallPtr> all;
  std::lock_guard guard(mutex_);
  for (auto& [scope, lane] : lanes_)
    for (auto& upcall : lane.waiting) all.push_back(std::move(upcall));
  for (auto& [id, upcall] : underWay_) all.push_back(std::move(upcall));
  lanes_.clear();
  underWay_.clear();
  waiting_ = 0;
  return all;
}

size_t UpcallQueue::queued() const {
  std::lock_guard guard(mutex_);
  return waiting_;
}

}  // namespace imafs
