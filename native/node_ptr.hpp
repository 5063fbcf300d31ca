// Shares a node: it goes with the last of these. The count is in the node, because a shared_ptr and
// its control block would take more than twice as much for each of a hundred thousand.
#pragma once
#include <cstddef>
#include <utility>

#include "node.hpp"
#include "slab.hpp"

namespace imafs {

// None outlives the InodeTable that made the node.
class NodePtr {
 public:
  NodePtr() = default;
  NodePtr(std::nullptr_t) {}
  explicit NodePtr(Node& node) : node_(&node) {
    node_->sharers.fetch_add(1, std::memory_order_relaxed);
  }
  NodePtr(const NodePtr& other) : node_(other.node_) {
    if (node_) node_->sharers.fetch_add(1, std::memory_order_relaxed);
  }
  NodePtr(NodePtr&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  NodePtr& operator=(NodePtr other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~NodePtr() {
    if (!node_ || node_->sharers.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
    Slab<Node>& slab = Slab<Node>::of(*node_);
    slab.destroy(slab.numberOf(*node_));
  }

  Node* get() const { return node_; }
  Node& operator*() const { return *node_; }
  Node* operator->() const { return node_; }
  explicit operator bool() const { return node_ != nullptr; }
  bool operator==(const NodePtr&) const = default;
  bool operator==(std::nullptr_t) const { return node_ == nullptr; }

  // Gives up this share without looking whether it was the last: adopt() takes it over.
  Node* release() { return std::exchange(node_, nullptr); }
  static NodePtr adopt(Node& node) {
    NodePtr pointer;
    pointer.node_ = &node;
    return pointer;
  }

 private:
  Node* node_ = nullptr;
};

}  // namespace imafs
