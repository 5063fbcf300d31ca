#include "page_flusher.hpp"

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
    orders_.push_back({node->id, std::move(then)});
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
    order.then();
    lock.lock();
  }
}

}  // namespace imafs
