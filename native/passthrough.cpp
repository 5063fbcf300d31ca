#include "passthrough.hpp"

#include "fuse_protocol.hpp"

namespace imafs {

namespace {
// A backing id holds the inode and a struct file in the kernel, no descriptor of ours. The kernel
// sets no limit; this keeps idle files from being held by the hundred thousand.
constexpr size_t kMostIds = 4096;
// Ids that an open looks at when there are too many. Files that are open keep theirs, so there may
// be any number: an open must not look at all of them, and more than one so that all are seen.
constexpr int kLooks = 8;
}  // namespace

// Under the node's lock. The ioctl stores this thread's credentials for all I/O through the id, so
// it is made as the anonymous identity (no CAP_FSETID, not the owner of reserved blocks).
bool Passthrough::registerId(Node& node, int fd, ThreadIdentity& identity) {
  if (node.backingId > 0) return true;
  if (node.passthroughRefused) return false;
  if (identity.anonymous() != 0) return false;
  const int id = device_.backingOpen(fd);
  identity.root();
  if (id <= 0) {
    node.passthroughRefused =
        true;  // ELOOP: a stacked file system below; served by reads and writes
    return false;
  }
  node.backingId = id;
  ++ids_;
  std::lock_guard guard(mutex_);
  order_.push_back({node.id, id});
  return true;
}

IoGrant Passthrough::acquire(const NodePtr& node, int fd, bool writable, ThreadIdentity& identity) {
  IoGrant grant;
  {
    std::lock_guard guard(node->lock);
    if (node->opens == 0) {
      const bool wanted = option_ == PassthroughOption::readWrite ||
                          (option_ == PassthroughOption::readOnly && !writable);
      node->mode = wanted && registerId(*node, fd, identity) ? IoMode::passthrough : IoMode::cached;
    }
    ++node->opens;
    if (writable) ++node->writers;
    if (node->mode == IoMode::passthrough) {
      grant.backingId = node->backingId;
      grant.openFlags = fuse::kFopenPassthrough | fuse::kFopenNoFlush;
      if (writable && option_ == PassthroughOption::readOnly) {
        // A writer joins passthrough readers: its writes come to us, its maps go to the file.
        grant.openFlags = fuse::kFopenPassthrough | fuse::kFopenDirectIo;
        grant.needsDescriptor = true;
      }
    } else {
      grant.needsDescriptor = true;
      if (!writable) grant.openFlags = fuse::kFopenNoFlush;
    }
  }
  trim();
  return grant;
}

void Passthrough::release(const NodePtr& node, bool writable) {
  std::lock_guard guard(node->lock);
  --node->opens;
  if (writable) --node->writers;
  if (node->opens == 0) node->mode = IoMode::none;
}

void Passthrough::drop(Node& node) {
  if (node.backingId <= 0) return;
  device_.backingClose(node.backingId);
  node.backingId = 0;
  --ids_;
}

void Passthrough::trim() {
  std::unique_lock guard(mutex_);
  for (int looks = 0; looks < kLooks && order_.size() > kMostIds; ++looks) {
    const Registered oldest = order_.front();
    order_.pop_front();
    // The node's lock comes first: registerId holds it when it takes ours.
    guard.unlock();
    bool keep = false;
    if (const NodePtr node = inodes_.find(oldest.node)) {
      std::lock_guard inner(node->lock);
      keep = node->backingId == oldest.backingId;
      if (keep && node->opens == 0 && ids() > kMostIds) {
        drop(*node);
        keep = false;
      }
    }
    guard.lock();
    if (keep) order_.push_back(oldest);
  }
}

}  // namespace imafs
