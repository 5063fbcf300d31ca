// Nodes by id and by inode, their names, and their descriptors: an idle node gives its descriptor
// up and keeps its file handle, so that RLIMIT_NOFILE bounds nothing.
#pragma once
#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "keyed_table.hpp"
#include "node_ptr.hpp"
#include "owned_fd.hpp"
#include "slab.hpp"

namespace imafs {

class InodeTable;

// A node's O_PATH descriptor, held open while this lives.
class PinnedFd {
 public:
  PinnedFd(InodeTable& table, NodePtr node);
  ~PinnedFd();
  PinnedFd(PinnedFd&& other) noexcept : node_(std::move(other.node_)), fd_(other.fd_) {}
  PinnedFd(const PinnedFd&) = delete;
  PinnedFd& operator=(const PinnedFd&) = delete;
  PinnedFd& operator=(PinnedFd&&) = delete;
  // The descriptor, or -errno (ESTALE: the inode is gone).
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int error() const { return -fd_; }

 private:
  NodePtr node_;
  int fd_;
};

class InodeTable {
 public:
  // `root`: O_RDONLY directory descriptor of the backing tree; `descriptors`: how many may stay
  // open.
  InodeTable(OwnedFd root, size_t descriptors, bool fileHandles);
  ~InodeTable();

  NodePtr find(uint64_t id) const;
  // The node of an inode just opened O_PATH by name, its kernel lookup count raised by one.
  // nullptr and ENFILE where the backing has no file handles and the descriptors are used up, or
  // ENOMEM.
  NodePtr intern(OwnedFd fd, const struct statx& file, uint64_t parent, const std::string& name,
                 int& error);
  // Names of a node follow a rename or link through the mount.
  void place(const NodePtr& node, uint64_t parent, const std::string& name);
  // What else a node holds in the kernel is to be given up; called under the node's lock when it
  // goes or has been idle for long.
  void onIdle(std::function<void(Node&)> hook) { onIdle_ = std::move(hook); }
  // Gives up what nodes hold that nobody used since the last call, so that what is removed behind
  // the mount does not keep its space.
  void giveUpIdle();
  // Lowers the kernel's count; nodes go when nothing needs them. Appends the ids of those that went
  // and that TypeScript knew.
  void forget(uint64_t id, uint64_t count, std::vector<uint64_t>& gone);
  // Looks again at those that were still needed when the kernel forgot them.
  void dropLingering(std::vector<uint64_t>& gone);
  void markTold(const NodePtr& node);

  struct Place {
    uint64_t parent = 0;
    std::string name;
  };
  Place placeOf(const NodePtr& node) const;
  // Below the mount's root, "/" first; nullopt where an ancestor is no longer known.
  std::optional<std::string> pathOf(const NodePtr& node) const;
  NodePtr findInode(uint64_t device, uint64_t ino) const;

  // Version number of the state just seen; a new number if it is not the state seen last.
  uint64_t observe(Node& node, const struct statx& file);
  // A writer was there: stores through its mapping may have left no trace in size and times, so the
  // state seen last counts as another one from now on.
  static void distrust(Node& node);

  int rootFd() const { return root_.get(); }
  size_t size() const;
  size_t descriptors() const { return open_.load(); }

  // For PinnedFd.
  int pin(Node& node);
  static void unpin(Node& node);

 private:
  // A gigabyte of the kernel's memory would not do for a hundredth of as many inodes.
  static constexpr size_t kMostNodes = size_t{1} << 26;

  struct ById {
    using Key = uint64_t;
    const Slab<Node>* nodes;
    uint64_t keyOf(uint32_t number) const { return (*nodes)[number].id; }
    static uint64_t hash(uint64_t seed, uint64_t id) { return mixHash(seed, id); }
  };
  struct InodeKey {
    uint64_t device, ino;
    bool operator==(const InodeKey&) const = default;
  };
  struct ByInode {
    using Key = InodeKey;
    const Slab<Node>* nodes;
    InodeKey keyOf(uint32_t number) const {
      return {(*nodes)[number].device, (*nodes)[number].ino};
    }
    static uint64_t hash(uint64_t seed, const InodeKey& key) {
      return mixHash(mixHash(seed, key.device), key.ino);
    }
  };
  Node* lookUp(uint64_t id) const;
  void remember(const Node& node);
  void evict();
  void closeDescriptor(Node& node);
  bool eraseIfUnused(const NodePtr& node);
  void dropLingeringLocked(std::vector<uint64_t>& gone);

  OwnedFd root_;
  const size_t budget_;
  const bool fileHandles_;
  std::function<void(Node&)> onIdle_;
  std::atomic<size_t> open_{0};
  std::atomic<uint64_t> versions_{0};

  mutable std::mutex mutex_;
  uint64_t nextId_ = 2;
  Slab<Node> nodes_{kMostNodes};
  KeyedTable<ById> byId_{ById{&nodes_}};  // shares each of them
  KeyedTable<ByInode> byInode_{ByInode{&nodes_}};
  // Forgotten by the kernel but still open, pinned or unsettled: looked at again at the next
  // forget.
  std::vector<uint64_t> lingering_;

  std::mutex clockMutex_;
  std::deque<uint64_t> clock_;  // ids of nodes with an open descriptor, second chance order
};

}  // namespace imafs
