// A hash table of numbers (of a Slab, say) of things that know their own key: eight bytes a slot,
// where std::unordered_map keeps each key again in a node of its own.
#pragma once
#include <sys/random.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace imafs {

// For the hash of a Keying, word by word.
inline uint64_t mixHash(uint64_t sum, uint64_t value) {
  const auto product = static_cast<unsigned __int128>(sum ^ value) * 0x9e3779b97f4a7c15u;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// `Keying` says what the key is:
//   using Key = ...;
//   Key keyOf(uint32_t number) const;                      must not change while it is in here
//   static uint64_t hash(uint64_t seed, const Key& key);
template <typename Keying>
class KeyedTable {
 public:
  using Key = typename Keying::Key;
  // The number of nothing.
  static constexpr uint32_t kNone = 0;

  explicit KeyedTable(Keying keying) : keying_(keying) {}

  // The number of the thing with this key, or kNone.
  uint32_t find(const Key& key) const { return slots_[locate(hashOf(key), key)].number; }

  // Nothing with the same key may be in here.
  void insert(uint32_t number) {
    if ((size_ + 1) * 8 > slots_.size() * 7) grow();
    put({number, hashOf(keying_.keyOf(number))});
    ++size_;
  }

  // Another with the same key takes the place of what is in here.
  void replace(const Key& key, uint32_t number) {
    slots_[locate(hashOf(key), key)].number = number;
  }

  // What was removed, or kNone.
  uint32_t erase(const Key& key) {
    size_t hole = locate(hashOf(key), key);
    const uint32_t gone = std::exchange(slots_[hole].number, kNone);
    if (gone == kNone) return gone;
    --size_;
    // A search ends at the first gap, so what would be behind this one moves into it.
    for (size_t at = next(hole); slots_[at].number; at = next(at)) {
      if (distance(slots_[at].hash, at) < distance(hole, at)) continue;
      slots_[hole] = std::exchange(slots_[at], {});
      hole = at;
    }
    return gone;
  }

  size_t size() const { return size_; }

  // Calls `visit` with each number, in no order.
  template <typename Visit>
  void each(Visit visit) const {
    for (const Slot& slot : slots_)
      if (slot.number) visit(slot.number);
  }

 private:
  static constexpr size_t kFirstSize = 16;

  struct Slot {
    uint32_t number = kNone;
    uint32_t hash = 0;
  };

  static uint64_t randomSeed() {
    uint64_t seed = 0;
    // Cannot fall short for 8 bytes once the system has booted; 0 would only cost the protection.
    (void)!::getrandom(&seed, sizeof seed, 0);
    return seed | 1;
  }

  uint32_t hashOf(const Key& key) const { return static_cast<uint32_t>(Keying::hash(seed_, key)); }
  size_t next(size_t at) const { return (at + 1) & (slots_.size() - 1); }
  // Steps forward from where `from` (a hash or a place) says.
  size_t distance(size_t from, size_t to) const { return (to - from) & (slots_.size() - 1); }

  // Where the key is, or the free slot where it would be.
  size_t locate(uint32_t hash, const Key& key) const {
    size_t at = hash & (slots_.size() - 1);
    while (slots_[at].number &&
           !(slots_[at].hash == hash && keying_.keyOf(slots_[at].number) == key))
      at = next(at);
    return at;
  }

  void put(Slot slot) {
    size_t at = slot.hash & (slots_.size() - 1);
    while (slots_[at].number) at = next(at);
    slots_[at] = slot;
  }

  void grow() {
    std::vector<Slot> slots(slots_.size() * 2);
    slots.swap(slots_);
    for (const Slot& slot : slots)
      if (slot.number) put(slot);
  }

  const Keying keying_;
  // Because callers choose some of what keys are made of, and could make them collide.
  const uint64_t seed_ = randomSeed();
  std::vector<Slot> slots_ = std::vector<Slot>(kFirstSize);
  size_t size_ = 0;
};

}  // namespace imafs
