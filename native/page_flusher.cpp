#include "page_flusher.hpp"

#include <algorithm>

#include "node.hpp"

namespace imafs {

PageFlusher::~PageFlusher() {
  {
    std::lock_guard guard(mutex_);
    stopping_ = true;
  }
  ready_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool PageFlusher::mayBeNeeded(const NodePtr& node) {
  std::lock_guard guard(node->lock);
  return node->mode == IoMode::cached && node->writers > 0;
}

void PageFlusher::flush(const NodePtr& node, std::function<void()> then) {
  {
    std::lock_guard guard(mutex_);
    const auto same = std::find_if(orders_.begin(), orders_.end(),
                                   [&](const Order& order) { return order.node == node->id; });
    Order& order = same == orders_.end() ? orders_.emplace_back(node->id) : *same;
    order.then.push_back(std::move(then));
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  }
  ready_.notify_one();
}

void PageFlusher::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ready_.wait(lock, [this] { return stopping_ || !orders_.empty(); });
    if (stopping_) return;
    const Order order = std::move(orders_.front());
    orders_.pop_front();
    lock.unlock();
    device_.notifyPages(order.node);
    for (const auto& then : order.then) then();
    lock.lock();
  }
}

}  // namespace imafs
