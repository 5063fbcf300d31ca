// Which I/O mode an open gets, and the backing ids: one per inode, registered at its first
// passthrough open from an O_PATH descriptor and kept for later opens until room is wanted.
#pragma once
#include <atomic>
#include <deque>
#include <mutex>
#include <string>

#include "device.hpp"
#include "inode_table.hpp"
#include "thread_identity.hpp"

namespace imafs {

enum class PassthroughOption { off, readOnly, readWrite };

struct IoGrant {
  uint32_t openFlags = 0;  // FOPEN_*
  int backingId = 0;
  bool needsDescriptor = false;  // reads or writes of this open come to this process
};

class Passthrough {
 public:
  Passthrough(Device& device, InodeTable& inodes) : device_(device), inodes_(inodes) {}
  // What INIT agreed on; before the first open.
  void set(PassthroughOption option) { option_ = option; }
  PassthroughOption option() const { return option_; }

  // Joins the node's mode or chooses it, and counts the open. `fd`: the node's O_PATH descriptor.
  IoGrant acquire(const NodePtr& node, int fd, bool writable, ThreadIdentity& identity);
  // The end of an open counted by acquire.
  void release(const NodePtr& node, bool writable);
  // Closes the node's backing id if it has one; under the node's lock, with nothing open.
  void drop(Node& node);
  size_t ids() const { return ids_.load(); }

 private:
  bool registerId(Node& node, int fd, ThreadIdentity& identity);
  void trim();

  Device& device_;
  InodeTable& inodes_;
  PassthroughOption option_ = PassthroughOption::off;
  // A backing id of a node. One that the node has no more is found out when its turn comes.
  struct Registered {
    uint64_t node;
    int backingId;
  };
  std::atomic<size_t> ids_{0};
  std::mutex mutex_;
  std::deque<Registered> order_;  // oldest first
};

}  // namespace imafs
