// Things of one kind under 32-bit numbers, side by side in blocks of their own: such a number takes
// half of what a pointer does, malloc puts nothing in between, and blocks that become empty go back
// to the system, however long what was made around that time lives.
#pragma once
#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "small_lock.hpp"

namespace imafs {

// Any thread may make and destroy. A number leads to its thing without a lock.
template <typename T>
class Slab {
 public:
  // The number of nothing.
  static constexpr uint32_t kNone = 0;

  // Addresses for `most` things are taken at once, which costs no memory.
  explicit Slab(size_t most)
      : most_(most / kPerBlock + 1), reserved_((most_ + 1) * kBlockSize), space_(reserve()) {}
  // What is left in it is not destroyed.
  ~Slab() {
    for (size_t at = 0; at < blocks_.size(); ++at)
      ASAN_UNPOISON_MEMORY_REGION(start(at), kBlockSize);
    ::munmap(space_, reserved_);
  }
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  // The number of a new thing; kNone: there is no room or no memory for it.
  template <typename... Args>
  uint32_t make(Args&&... args) {
    const uint32_t number = take();
    if (number != kNone) new (place(number)) T(std::forward<Args>(args)...);
    return number;
  }

  void destroy(uint32_t number) {
    (*this)[number].~T();
    giveBack(number);
  }

  T& operator[](uint32_t number) const {
    return *std::launder(reinterpret_cast<T*>(place(number)));
  }

  uint32_t numberOf(const T& thing) const {
    const size_t offset = reinterpret_cast<const char*>(&thing) - first();
    const size_t within = (offset % kBlockSize - kHeadSize) / sizeof(T);
    return static_cast<uint32_t>(offset / kBlockSize * kPerBlock + within + 1);
  }

  // The slab that a thing is in.
  static Slab& of(const T& thing) {
    const auto block = reinterpret_cast<uintptr_t>(&thing) & ~(uintptr_t{kBlockSize} - 1);
    return **reinterpret_cast<Slab**>(block);
  }

 private:
  // A multiple of every page size there is.
  static constexpr size_t kBlockSize = 64 * 1024;
  // A block begins with the address of its slab.
  static constexpr size_t kHeadSize = alignof(T) > sizeof(Slab*) ? alignof(T) : sizeof(Slab*);
  static constexpr size_t kPerBlock = (kBlockSize - kHeadSize) / sizeof(T);
  static constexpr uint32_t kNoBlock = UINT32_MAX;
  static_assert(sizeof(T) >= sizeof(uint16_t) && kPerBlock > 1);

  struct Block {
    uint16_t used = 0;
    uint16_t begun = 0;  // places that were ever used, counted from the first
    uint16_t firstFree =
        0;  // of those that are free again, by position from 1; each names the next
  };

  void* reserve() const {
    void* const space =
        ::mmap(nullptr, reserved_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space == MAP_FAILED) std::abort();  // as operator new does without exceptions
    return space;
  }
  char* first() const {
    const auto from = reinterpret_cast<uintptr_t>(space_) + kBlockSize - 1;
    return reinterpret_cast<char*>(from & ~(uintptr_t{kBlockSize} - 1));
  }
  char* start(size_t block) const { return first() + block * kBlockSize; }
  char* place(uint32_t number) const {
    const size_t at = number - 1;
    return start(at / kPerBlock) + kHeadSize + at % kPerBlock * sizeof(T);
  }

  uint32_t take() {
    std::lock_guard guard(lock_);
    if (roomy_.empty() && !addBlock()) return kNone;
    const uint32_t at = roomy_.back();
    Block& block = blocks_[at];
    if (block.used == 0) {
      *reinterpret_cast<Slab**>(start(at)) = this;
      if (spare_ == at) spare_ = kNoBlock;
    }
    uint16_t position = block.firstFree;
    if (position == 0) position = ++block.begun;
    const auto number = static_cast<uint32_t>(at * kPerBlock + position);
    ASAN_UNPOISON_MEMORY_REGION(place(number), sizeof(T));
    if (position == block.firstFree)
      std::memcpy(&block.firstFree, place(number), sizeof block.firstFree);
    if (++block.used == kPerBlock) roomy_.pop_back();
    return number;
  }

  void giveBack(uint32_t number) {
    std::lock_guard guard(lock_);
    const auto at = static_cast<uint32_t>((number - 1) / kPerBlock);
    Block& block = blocks_[at];
    std::memcpy(place(number), &block.firstFree, sizeof block.firstFree);
    block.firstFree = static_cast<uint16_t>((number - 1) % kPerBlock + 1);
    // Malloc would say so by itself: nobody may look at what is gone.
    ASAN_POISON_MEMORY_REGION(place(number), sizeof(T));
    if (block.used-- == kPerBlock) roomy_.push_back(at);
    if (block.used > 0) return;
    // One stays, so that a thing that comes and goes does not cost a system call each time.
    if (spare_ == kNoBlock) {
      spare_ = at;
    } else {
      ::madvise(start(at), kBlockSize, MADV_DONTNEED);
      block = {};
    }
  }

  bool addBlock() {
    const size_t at = blocks_.size();
    if (at == most_ || ::mprotect(start(at), kBlockSize, PROT_READ | PROT_WRITE) != 0) return false;
    blocks_.emplace_back();
    roomy_.push_back(static_cast<uint32_t>(at));
    return true;
  }

  const size_t most_, reserved_;
  void* const space_;
  SmallLock lock_;
  std::vector<Block> blocks_;
  std::vector<uint32_t> roomy_;  // blocks with a free place, in no order
  uint32_t spare_ = kNoBlock;    // a block without things that keeps its memory
};

}  // namespace imafs
