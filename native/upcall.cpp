#include "upcall.hpp"

namespace imafs {

namespace {
// Bounds what one namespace can make TypeScript hold at a time; the rest of its requests wait here,
// where they cost a few hundred bytes each and hold up nobody else.
constexpr size_t kMostPerScope = 128;
}  // namespace

// A scope without an open under way always gets one, so that none can starve another.
bool UpcallQueue::hasRoom(const Lane& lane) const {
  return lane.opens == 0 || (lane.opens < kMostPerScope && opens_ < mostOpens_);
}

bool UpcallQueue::admit(const UpcallPtr& upcall) {
  std::lock_guard guard(mutex_);
  Lane& lane = lanes_[upcall->caller.scopes.thread.id];
  if (!lane.backlog.empty() || !hasRoom(lane)) {
    lane.backlog.push_back(upcall);
    ++backlog_;
    return false;
  }
  ++lane.opens;
  ++opens_;
  return true;
}

// Under the mutex.
void UpcallQueue::endOpen(const UpcallPtr& upcall) {
  const auto lane = lanes_.find(upcall->caller.scopes.thread.id);
  if (lane == lanes_.end()) return;
  --lane->second.opens;
  --opens_;
  if (lane->second.empty()) lanes_.erase(lane);
}

void UpcallQueue::abandon(const UpcallPtr& upcall) {
  std::lock_guard guard(mutex_);
  endOpen(upcall);
}

UpcallPtr UpcallQueue::nextAdmitted() {
  std::lock_guard guard(mutex_);
  if (backlog_ == 0) return nullptr;
  auto lane = lanes_.upper_bound(lastAdmitted_);
  for (size_t looked = 0; looked <= lanes_.size(); ++looked, ++lane) {
    if (lane == lanes_.end()) lane = lanes_.begin();
    Lane& at = lane->second;
    if (at.backlog.empty() || !hasRoom(at)) continue;
    UpcallPtr upcall = std::move(at.backlog.front());
    at.backlog.pop_front();
    --backlog_;
    ++at.opens;
    ++opens_;
    lastAdmitted_ = lane->first;
    return upcall;
  }
  return nullptr;
}

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
      --lane->second.underWay;
    }
    if (upcall->kind == UpcallKind::open) {
      endOpen(upcall);
    } else if (lane != lanes_.end() && lane->second.empty()) {
      lanes_.erase(lane);
    }
  }
  if (more) wake_();
  return upcall;
}

std::vector<UpcallPtr> UpcallQueue::drain() {
  std::vector<UpcallPtr> all;
  std::lock_guard guard(mutex_);
  for (auto& [scope, lane] : lanes_) {
    for (auto& upcall : lane.waiting) all.push_back(std::move(upcall));
    for (auto& upcall : lane.backlog) all.push_back(std::move(upcall));
  }
  for (auto& [id, upcall] : underWay_) all.push_back(std::move(upcall));
  lanes_.clear();
  underWay_.clear();
  waiting_ = backlog_ = opens_ = 0;
  return all;
}

size_t UpcallQueue::queued() const {
  std::lock_guard guard(mutex_);
  return waiting_ + backlog_;
}

}  // namespace imafs
