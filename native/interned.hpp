// Values that many have and few are different, each kept once under a number, with a count of who
// has it. Not for several threads.
#pragma once
#include "keyed_table.hpp"
#include "slab.hpp"

namespace imafs {

// `Hashing` has `static uint64_t hash(uint64_t seed, const Value& value)`.
template <typename Value, typename Hashing>
class Interned {
 public:
  // The number of Value{}, which is not counted.
  static constexpr uint32_t kDefault = Slab<Value>::kNone;

  explicit Interned(size_t most) : held_(most), table_(ByValue{&held_}) {}
  ~Interned() {
    table_.each([this](uint32_t number) { held_.destroy(number); });
  }

  // The value's number, for one release(). kDefault for another value: there is no memory for it.
  uint32_t take(const Value& value) {
    if (value == Value{}) return kDefault;
    uint32_t number = table_.find(value);
    if (number == kDefault) {
      number = held_.make(Held{value, 0});
      if (number == kDefault) return kDefault;
      table_.insert(number);
    }
    ++held_[number].count;
    return number;
  }

  void release(uint32_t number) {
    if (number == kDefault || --held_[number].count > 0) return;
    table_.erase(held_[number].value);
    held_.destroy(number);
  }

  const Value& operator[](uint32_t number) const {
    return number == kDefault ? default_ : held_[number].value;
  }

  // Different values.
  size_t size() const { return table_.size(); }

 private:
  struct Held {
    Value value;
    size_t count;
  };
  struct ByValue {
    using Key = Value;
    const Slab<Held>* held;
    const Value& keyOf(uint32_t number) const { return (*held)[number].value; }
    static uint64_t hash(uint64_t seed, const Value& value) { return Hashing::hash(seed, value); }
  };

  const Value default_{};
  Slab<Held> held_;
  KeyedTable<ByValue> table_;
};

}  // namespace imafs
