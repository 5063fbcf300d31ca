// A hash table of pointers to things that know their own key. A hundred thousand of them take
// less than half the memory of a std::unordered_map, which keeps each key again in a node of its
// own.
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

// `Pointer` owns or does not, as it likes. `Keying` says what the key is:
//   static Key keyOf(const T&);                            must not change while it is in here
//   static uint64_t hash(uint64_t seed, const Key& key);
template <typename Pointer, typename Key, typename Keying>
class KeyedTable {
 public:
  // Where the pointer to the thing with this key is kept, until the next insert or erase; nullptr:
  // nowhere. Another with the same key may be put in its place.
  Pointer* find(const Key& key) {
    Pointer& found = items_[locate(hashOf(key), key)];
    return found ? &found : nullptr;
  }
  const Pointer* find(const Key& key) const { return const_cast<KeyedTable*>(this)->find(key); }

  // Nothing with the same key may be in here.
  void insert(Pointer item) {
    if ((size_ + 1) * 8 > items_.size() * 7) grow();
    const uint32_t hash = hashOf(Keying::keyOf(*item));
    put(std::move(item), hash);
    ++size_;
  }

  // What was removed, or null.
  Pointer erase(const Key& key) {
    size_t hole = locate(hashOf(key), key);
    Pointer gone = std::exchange(items_[hole], nullptr);
    if (!gone) return gone;
    --size_;
    // A search ends at the first gap, so what would be behind this one moves into it.
    for (size_t at = next(hole); items_[at]; at = next(at)) {
      if (distance(hashes_[at], at) < distance(hole, at)) continue;
      items_[hole] = std::exchange(items_[at], nullptr);
      hashes_[hole] = hashes_[at];
      hole = at;
    }
    return gone;
  }

  size_t size() const { return size_; }
  // In no order, with null pointers between them.
  const std::vector<Pointer>& slots() const { return items_; }

 private:
  static constexpr size_t kFirstSize = 16;

  static uint64_t randomSeed() {
    uint64_t seed = 0;
    // Cannot fall short for 8 bytes once the system has booted; 0 would only cost the protection.
    (void)!::getrandom(&seed, sizeof seed, 0);
    return seed | 1;
  }

  uint32_t hashOf(const Key& key) const { return static_cast<uint32_t>(Keying::hash(seed_, key)); }
  size_t next(size_t at) const { return (at + 1) & (items_.size() - 1); }
  // Steps forward from where `from` (a hash or a place) says.
  size_t distance(size_t from, size_t to) const { return (to - from) & (items_.size() - 1); }

  // Where the key is, or the free slot where it would be.
  size_t locate(uint32_t hash, const Key& key) const {
    size_t at = hash & (items_.size() - 1);
    while (items_[at] && !(hashes_[at] == hash && Keying::keyOf(*items_[at]) == key)) at = next(at);
    return at;
  }

  void put(Pointer item, uint32_t hash) {
    size_t at = hash & (items_.size() - 1);
    while (items_[at]) at = next(at);
    items_[at] = std::move(item);
    hashes_[at] = hash;
  }

  void grow() {
    std::vector<Pointer> items(items_.size() * 2);
    std::vector<uint32_t> hashes(items.size());
    items.swap(items_);
    hashes.swap(hashes_);
    for (size_t at = 0; at < items.size(); ++at) {
      if (items[at]) put(std::move(items[at]), hashes[at]);
    }
  }

  // Because callers choose some of what keys are made of, and could make them collide.
  const uint64_t seed_ = randomSeed();
  std::vector<Pointer> items_ = std::vector<Pointer>(kFirstSize);
  // Beside their items and not with them, which alignment would make larger.
  std::vector<uint32_t> hashes_ = std::vector<uint32_t>(kFirstSize);
  size_t size_ = 0;
};

}  // namespace imafs
