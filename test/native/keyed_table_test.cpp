#include "keyed_table.hpp"

#include <map>
#include <memory>
#include <random>

#include "check.hpp"

using namespace imafs;

namespace {

struct Thing {
  uint64_t key;
  int value;
};

struct ByKey {
  static uint64_t keyOf(const Thing& thing) { return thing.key; }
  static uint64_t hash(uint64_t seed, uint64_t key) { return mixHash(seed, key); }
};

// Two homes side by side at the end of the first slots, so that runs cross and wrap around.
struct Crowded : ByKey {
  static uint64_t hash(uint64_t, uint64_t key) { return 14 + key % 2; }
};

// A table and a std::map go the same way.
template <typename Keying>
void goTheSameWay(uint64_t keys, int steps) {
  KeyedTable<std::unique_ptr<Thing>, uint64_t, Keying> table;
  std::map<uint64_t, int> wanted;
  std::mt19937 random(7);
  for (int step = 0; step < steps; ++step) {
    const uint64_t key = random() % keys;
    const bool known = wanted.count(key) == 1;
    if (random() % 2 == 0) {
      if (!known) table.insert(std::make_unique<Thing>(Thing{key, step}));
      wanted.try_emplace(key, step);
    } else {
      CHECK_EQ(table.erase(key) != nullptr, known);
      wanted.erase(key);
    }
    CHECK_EQ(table.size(), wanted.size());
    const uint64_t other = random() % keys;
    const auto* found = table.find(other);
    CHECK_EQ(found != nullptr, wanted.count(other) == 1);
    if (found) CHECK_EQ((*found)->value, wanted.at(other));
  }
  size_t held = 0;
  for (const auto& thing : table.slots()) held += thing != nullptr;
  CHECK_EQ(held, wanted.size());
}

}  // namespace

TEST(found_under_its_key_until_erased) { goTheSameWay<ByKey>(1000, 50'000); }

TEST(keys_that_collide_are_told_apart) { goTheSameWay<Crowded>(12, 50'000); }

TEST(another_takes_its_place) {
  Thing first{5, 1}, second{5, 2};
  KeyedTable<Thing*, uint64_t, ByKey> table;
  table.insert(&first);
  *table.find(5) = &second;
  CHECK_EQ(table.size(), 1u);
  CHECK_EQ((*table.find(5))->value, 2);
  CHECK(table.erase(5) == &second);
  CHECK(table.erase(5) == nullptr);
}
