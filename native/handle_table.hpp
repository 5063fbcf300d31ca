// Open files and directories by the number the kernel hands back.
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "inode_table.hpp"

namespace imafs {

struct Handle {
  NodePtr node;
  bool directory = false;
  bool writable = false;
  bool passthrough = false;
  // Directories and files whose data goes through this process; passthrough files have none.
  OwnedFd fd;
  // Directories: getdents64 moves the descriptor's position.
  std::mutex position;
};

using HandlePtr = std::shared_ptr<Handle>;

class HandleTable {
 public:
  uint64_t add(HandlePtr handle) {
    std::lock_guard guard(mutex_);
    handles_.emplace(++last_, std::move(handle));
    return last_;
  }
  HandlePtr find(uint64_t id) const {
    std::lock_guard guard(mutex_);
    const auto found = handles_.find(id);
    return found == handles_.end() ? nullptr : found->second;
  }
  // Of its kind only: a file's end is counted, a directory's is not.
  HandlePtr take(uint64_t id, bool directory) {
    std::lock_guard guard(mutex_);
    const auto found = handles_.find(id);
    if (found == handles_.end() || found->second->directory != directory) return nullptr;
    HandlePtr handle = std::move(found->second);
    handles_.erase(found);
    return handle;
  }
  size_t size() const {
    std::lock_guard guard(mutex_);
    return handles_.size();
  }

 private:
  mutable std::mutex mutex_;
  uint64_t last_ = 0;
  std::unordered_map<uint64_t, HandlePtr> handles_;
};

}  // namespace imafs
