#include "inode_table.hpp"

#include <errno.h>
#include <fcntl.h>

#include <cstdlib>
#include <cstring>

#include "fuse_protocol.hpp"

namespace imafs {

namespace {

// File handle as one string: its type, then its bytes. Empty where the backing has none.
std::string fileHandleOf(int fd) {
  alignas(struct file_handle) char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
  auto* handle = reinterpret_cast<struct file_handle*>(space);
  handle->handle_bytes = MAX_HANDLE_SZ;
  int mountId = 0;
  if (::name_to_handle_at(fd, "", handle, &mountId, AT_EMPTY_PATH) != 0) return {};
  std::string bytes(sizeof(int) + handle->handle_bytes, '\0');
  std::memcpy(bytes.data(), &handle->handle_type, sizeof(int));
  std::memcpy(bytes.data() + sizeof(int), handle->f_handle, handle->handle_bytes);
  return bytes;
}

int openByHandle(int mount, std::string_view bytes) {
  alignas(struct file_handle) char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
  auto* handle = reinterpret_cast<struct file_handle*>(space);
  handle->handle_bytes = static_cast<unsigned>(bytes.size() - sizeof(int));
  std::memcpy(&handle->handle_type, bytes.data(), sizeof(int));
  std::memcpy(handle->f_handle, bytes.data() + sizeof(int), handle->handle_bytes);
  const int fd = ::open_by_handle_at(mount, handle, O_PATH | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

}  // namespace

PinnedFd::PinnedFd(InodeTable& table, NodePtr node)
    : node_(std::move(node)), fd_(table.pin(*node_)) {}

PinnedFd::~PinnedFd() {
  if (node_ && fd_ >= 0) InodeTable::unpin(*node_);
}

InodeTable::InodeTable(OwnedFd root, size_t descriptors, bool fileHandles)
    : root_(std::move(root)), budget_(descriptors), fileHandles_(fileHandles) {
  struct statx file {};
  ::statx(root_.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS, &file);
  const uint32_t number =
      nodes_.make(fuse::kRootNode, deviceOf(file), uint64_t{file.stx_ino}, uint16_t{S_IFDIR}, "");
  if (number == nodes_.kNone) std::abort();
  Node* const node = NodePtr(nodes_[number]).release();
  node->fd = ::openat(root_.get(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  node->pins = 1;  // the root is never idle
  node->lookups = 1;
  byId_.insert(number);
  byInode_.insert(number);
}

InodeTable::~InodeTable() {
  byId_.each([this](uint32_t number) {
    const NodePtr node = NodePtr::adopt(nodes_[number]);
    if (node->fd >= 0) ::close(node->fd);
  });
}

// Under the mutex. nullptr: there is none.
Node* InodeTable::lookUp(uint64_t id) const {
  const uint32_t number = byId_.find(id);
  return number == nodes_.kNone ? nullptr : &nodes_[number];
}

NodePtr InodeTable::find(uint64_t id) const {
  std::lock_guard guard(mutex_);
  Node* const node = lookUp(id);
  return node ? NodePtr(*node) : nullptr;
}

NodePtr InodeTable::findInode(uint64_t device, uint64_t ino) const {
  std::lock_guard guard(mutex_);
  const uint32_t number = byInode_.find({device, ino});
  return number == nodes_.kNone ? nullptr : NodePtr(nodes_[number]);
}

NodePtr InodeTable::intern(OwnedFd fd, const struct statx& file, uint64_t parent,
                           const std::string& name, int& error) {
  const std::string handle = fileHandles_ ? fileHandleOf(fd.get()) : std::string();
  const InodeKey key{deviceOf(file), file.stx_ino};
  NodePtr node;
  {
    std::lock_guard guard(mutex_);
    const uint32_t found = byInode_.find(key);
    // A reused inode number has another handle: the old node keeps its id and loses the inode.
    if (found != nodes_.kNone &&
        (nodes_[found].handle.view() == handle || nodes_[found].id == fuse::kRootNode)) {
      node = NodePtr(nodes_[found]);
    } else {
      if (handle.empty() && open_.load() >= budget_) {
        error = ENFILE;
        return nullptr;
      }
      const auto type = static_cast<uint16_t>(file.stx_mode & S_IFMT);
      const uint32_t number = nodes_.make(nextId_, key.device, key.ino, type, handle);
      if (number == nodes_.kNone) {
        error = ENOMEM;
        return nullptr;
      }
      ++nextId_;
      node = NodePtr(nodes_[number]);
      NodePtr(node).release();
      byId_.insert(number);
      if (found != nodes_.kNone) {
        byInode_.replace(key, number);
      } else {
        byInode_.insert(number);
      }
    }
    ++node->lookups;
    if (node->id != fuse::kRootNode) {
      node->parent = parent;
      node->name = name;
    }
  }
  bool kept = false;
  {
    std::lock_guard guard(node->lock);
    if (node->fd < 0) {
      node->fd = fd.release();
      kept = true;
    }
    node->referenced = true;
  }
  if (kept) {
    remember(*node);
    evict();
  }
  return node;
}

void InodeTable::place(const NodePtr& node, uint64_t parent, const std::string& name) {
  std::lock_guard guard(mutex_);
  node->parent = parent;
  node->name = name;
}

void InodeTable::markTold(const NodePtr& node) {
  std::lock_guard guard(mutex_);
  node->told = true;
}

void InodeTable::forget(uint64_t id, uint64_t count, std::vector<uint64_t>& gone) {
  std::lock_guard guard(mutex_);
  Node* const node = lookUp(id);
  if (node && id != fuse::kRootNode) {
    node->lookups -= count < node->lookups ? count : node->lookups;
    if (node->lookups == 0) lingering_.push_back(id);
  }
  dropLingeringLocked(gone);
}

void InodeTable::dropLingering(std::vector<uint64_t>& gone) {
  std::lock_guard guard(mutex_);
  dropLingeringLocked(gone);
}

void InodeTable::dropLingeringLocked(std::vector<uint64_t>& gone) {
  std::vector<uint64_t> later;
  for (const uint64_t candidate : lingering_) {
    Node* const entry = lookUp(candidate);
    if (!entry || entry->lookups > 0) continue;
    const NodePtr node(*entry);
    if (!eraseIfUnused(node)) {
      later.push_back(candidate);
    } else if (node->told) {
      gone.push_back(candidate);
    }
  }
  lingering_.swap(later);
}

bool InodeTable::eraseIfUnused(const NodePtr& node) {
  std::lock_guard guard(node->lock);
  if (node->unsettled || node->opens > 0 || node->pins > 0) return false;
  if (node->fd >= 0) closeDescriptor(*node);
  if (onIdle_) onIdle_(*node);
  const InodeKey key{node->device, node->ino};
  const uint32_t number = byId_.erase(node->id);
  if (byInode_.find(key) == number) byInode_.erase(key);
  NodePtr::adopt(nodes_[number]);  // the table's share; the caller has one too
  return true;
}

InodeTable::Place InodeTable::placeOf(const NodePtr& node) const {
  std::lock_guard guard(mutex_);
  return {node->parent, std::string(node->name.view())};
}

std::optional<std::string> InodeTable::pathOf(const NodePtr& node) const {
  std::lock_guard guard(mutex_);
  if (node->id == fuse::kRootNode) return "/";
  std::string path;
  const Node* at = node.get();
  for (int depth = 0; at->id != fuse::kRootNode; ++depth) {
    if (depth > 4096 || at->name.empty()) return std::nullopt;
    path.insert(0, at->name.view()).insert(0, 1, '/');
    at = lookUp(at->parent);
    if (!at) return std::nullopt;
  }
  return path;
}

uint64_t InodeTable::observe(Node& node, const struct statx& file) {
  const FileStamp now = stampOf(file);
  std::lock_guard guard(node.lock);
  if (node.version == 0 || !(node.stamp == now)) {
    node.stamp = now;
    node.version = ++versions_;
  }
  return node.version;
}

void InodeTable::distrust(Node& node) {
  std::lock_guard guard(node.lock);
  node.version = 0;
}

size_t InodeTable::size() const {
  std::lock_guard guard(mutex_);
  return byId_.size();
}

int InodeTable::pin(Node& node) {
  bool opened = false;
  int fd;
  {
    std::lock_guard guard(node.lock);
    if (node.fd < 0) {
      if (node.handle.empty()) return -ESTALE;
      const int got = openByHandle(root_.get(), node.handle.view());
      if (got < 0) return got;
      node.fd = got;
      opened = true;
    }
    ++node.pins;
    node.referenced = true;
    fd = node.fd;
  }
  if (opened) {
    remember(node);
    evict();
  }
  return fd;
}

void InodeTable::unpin(Node& node) {
  std::lock_guard guard(node.lock);
  --node.pins;
}

void InodeTable::remember(const Node& node) {
  ++open_;
  std::lock_guard guard(clockMutex_);
  clock_.push_back(node.id);
  if (clock_.size() > open_.load() * 2 + 1024)
    std::erase_if(clock_, [this](uint64_t id) { return find(id) == nullptr; });
}

// Under the node's lock.
void InodeTable::closeDescriptor(Node& node) {
  ::close(node.fd);
  node.fd = -1;
  --open_;
}

// Second chance: descriptors used since the hand came by stay for another round.
void InodeTable::evict() {
  if (!fileHandles_ || open_.load() <= budget_) return;
  std::lock_guard guard(clockMutex_);
  for (size_t round = clock_.size() * 2; round > 0 && open_.load() > budget_; --round) {
    if (clock_.empty()) return;
    const NodePtr node = find(clock_.front());
    clock_.pop_front();
    if (!node) continue;
    std::lock_guard inner(node->lock);
    if (node->fd < 0) continue;
    // What passes through is held by the kernel, and an inode that is held can be found by its
    // handle even without a name.
    const bool open = node->opens > 0 && node->mode != IoMode::passthrough;
    if (node->referenced || node->pins > 0 || open || node->handle.empty()) {
      node->referenced = false;
      clock_.push_back(node->id);
      continue;
    }
    closeDescriptor(*node);
  }
}

void InodeTable::giveUpIdle() {
  if (!fileHandles_) return;
  std::lock_guard guard(clockMutex_);
  for (size_t left = clock_.size(); left > 0; --left) {
    const NodePtr node = find(clock_.front());
    clock_.pop_front();
    if (!node) continue;
    std::lock_guard inner(node->lock);
    if (node->fd < 0) continue;
    if (!node->referenced && node->pins == 0 && node->opens == 0 && !node->handle.empty()) {
      closeDescriptor(*node);
      if (onIdle_) onIdle_(*node);
      continue;
    }
    node->referenced = false;
    clock_.push_back(node->id);
  }
}

}  // namespace imafs
