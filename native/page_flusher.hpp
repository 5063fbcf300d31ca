// Without passthrough the kernel keeps what programs store through a mapping in pages of its own.
// Whoever is to judge the file must see them below: this has them written back and waits for it. On
// a thread of its own, because the kernel sends the pages as WRITE requests while it waits.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "device.hpp"
#include "node_ptr.hpp"

namespace imafs {

class PageFlusher {
 public:
  explicit PageFlusher(Device& device) : device_(device) {}
  // Ends the thread; what was not begun is not done.
  ~PageFlusher();

  // Whether the node may have pages that its backing file has not.
  static bool mayBeNeeded(const NodePtr& node);
  // Calls `then` when they are below, on the flusher's thread: it must not block.
  void flush(const NodePtr& node, std::function<void()> then);

 private:
  struct Order {
    uint64_t node;
    std::function<void()> then;
  };
  void run();

  Device& device_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Order> orders_;
  bool stopping_ = false;
  std::thread thread_;  // from the first order on
};

}  // namespace imafs
