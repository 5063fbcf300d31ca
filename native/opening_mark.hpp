// An open under way counts as an open: who asks whether others have the file open must not miss one
// that is allowed and not counted yet.
#pragma once
#include <memory>
#include <mutex>

#include "inode_table.hpp"

namespace imafs {

class OpeningMark {
 public:
  // For an open that is going to be decided.
  static std::shared_ptr<OpeningMark> of(NodePtr node, bool writer) {
    {
      std::lock_guard guard(node->lock);
      ++(writer ? node->openingWriters : node->openingReaders);
    }
    return std::shared_ptr<OpeningMark>(new OpeningMark(std::move(node), writer));
  }
  // For one that a remembered verdict allows. nullptr if somebody writes, or may have written, or
  // is about to: whoever marks a writer afterwards sees this reader.
  static std::shared_ptr<OpeningMark> besideNoWriter(const NodePtr& node) {
    {
      std::lock_guard guard(node->lock);
      if (node->unsettled || node->writers > 0 || node->openingWriters > 0) return nullptr;
      ++node->openingReaders;
    }
    return std::shared_ptr<OpeningMark>(new OpeningMark(node, false));
  }
  ~OpeningMark() {
    std::lock_guard guard(node_->lock);
    --(writer_ ? node_->openingWriters : node_->openingReaders);
  }
  OpeningMark(const OpeningMark&) = delete;
  OpeningMark& operator=(const OpeningMark&) = delete;

 private:
  OpeningMark(NodePtr node, bool writer) : node_(std::move(node)), writer_(writer) {}

  const NodePtr node_;
  const bool writer_;
};

using OpeningMarkPtr = std::shared_ptr<OpeningMark>;

}  // namespace imafs
