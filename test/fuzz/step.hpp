// What a fuzzer's input consists of: steps, each a request of the kernel with the answers that
// TypeScript would give to what comes of it, or something TypeScript does by itself.
#pragma once
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "fuse_protocol.hpp"

namespace imafs::fuzz {

// Codes from here on are no opcodes of the kernel.
enum class Own : uint8_t {
  setScope = 0xf0,    // answer: bit 0 reads credentials, bit 1 cacheable
  dropScope = 0xf1,   //
  remember = 0xf2,    // a verdict for `node`; answer: the access bits of its key
  unsettle = 0xf3,    // `node`; answer: bit 0 is what it becomes
  openPath = 0xf4,    // the body is a path below the backing directory
  openInode = 0xf5,   // the body begins with an inode number
  giveUpIdle = 0xf6,  //
  answerHeld = 0xf7,  // what was held back, with this answer
  deafen = 0xf8,      // from now on nobody wants answers
  takeLease = 0xf9,   // on `node`, until somebody wants to write it
};

struct Step {
  uint8_t code = 0;
  uint64_t node = fuse::kRootNode;
  uint8_t caller = 0;  // kPid, kIdentity, kExtensions, kCut
  uint8_t answer = 0;
  std::string body;
};

// Bits of Step::caller.
constexpr uint8_t kPid = 0x03;         // 0, 1: our own; 2: none; 3: no such process
constexpr uint8_t kIdentity = 0x0c;    // root, somebody, the anonymous id, one that cannot be
constexpr uint8_t kExtensions = 0x30;  // how many units of extensions the header speaks of
constexpr uint8_t kCut = 0xc0;         // all set: the message ends within its header

// Nodes in one byte: below kVirtual as they are, below kWhole of the virtual tree; else eight bytes
// follow.
constexpr uint8_t kVirtual = 0x40, kWhole = 0x80;
constexpr uint64_t kVirtualNode = uint64_t{1} << 63;

// Cuts steps off the front of an input; what is missing at its end is zero.
class Steps {
 public:
  Steps(const uint8_t* data, size_t size) : data_(data), left_(size) {}

  uint8_t byte() {
    uint8_t value = 0;
    take(&value, sizeof value);
    return value;
  }

  std::optional<Step> next() {
    if (left_ == 0) return std::nullopt;
    Step step;
    step.code = byte();
    const uint8_t node = byte();
    step.node = node < kVirtual ? node : kVirtualNode | (node - kVirtual);
    if (node >= kWhole) take(&step.node, sizeof step.node);
    step.caller = byte();
    step.answer = byte();
    uint16_t length = 0;
    take(&length, sizeof length);
    step.body.resize(length < left_ ? length : left_);
    take(step.body.data(), step.body.size());
    return step;
  }

 private:
  void take(void* to, size_t size) {
    const size_t there = size < left_ ? size : left_;
    if (there == 0) return;
    std::memcpy(to, data_, there);
    data_ += there;
    left_ -= there;
  }

  const uint8_t* data_;
  size_t left_;
};

}  // namespace imafs::fuzz
