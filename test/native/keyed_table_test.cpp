#include "keyed_table.hpp"

#include <map>
#include <random>
#include <vector>

#include "check.hpp"

using namespace imafs;

namespace {

// By number; 0 is none.
struct Thing {
  uint64_t key;
  int value;
};
using Things = std::vector<Thing>;

struct ByKey {
  using Key = uint64_t;
  const Things* things;
  uint64_t keyOf(uint32_t number) const { return (*things)[number].key; }
  static uint64_t hash(uint64_t seed, uint64_t key) { return mixHash(seed, key); }
};

// Two homes side by side at the end of the first slots, so that runs cross and wrap around.
struct Crowded : ByKey {
  static uint64_t hash(uint64_t, uint64_t key) { return 14 + key % 2; }
};

// A table and a std::map go the same way.
template <typename Keying>
void goTheSameWay(uint64_t keys, int steps) {
  Things things(1);
  KeyedTable<Keying> table(Keying{{&things}});
  std::map<uint64_t, int> wanted;
  std::mt19937 random(7);
  for (int step = 0; step < steps; ++step) {
    const uint64_t key = random() % keys;
    const bool known = wanted.count(key) == 1;
    if (random() % 2 == 0) {
      if (!known) {
        things.push_back({key, step});
        table.insert(static_cast<uint32_t>(things.size() - 1));
      }
      wanted.try_emplace(key, step);
    } else {
      CHECK_EQ(table.erase(key) != table.kNone, known);
      wanted.erase(key);
    }
    CHECK_EQ(table.size(), wanted.size());
    const uint64_t other = random() % keys;
    const uint32_t found = table.find(other);
    CHECK_EQ(found != table.kNone, wanted.count(other) == 1);
    if (found) CHECK_EQ(things[found].value, wanted.at(other));
  }
  size_t held = 0;
  table.each([&](uint32_t number) { held += wanted.count(things[number].key); });
  CHECK_EQ(held, wanted.size());
}

struct Plain : ByKey {};

}  // namespace

TEST(found_under_its_key_until_erased) { goTheSameWay<Plain>(1000, 50'000); }

TEST(keys_that_collide_are_told_apart) { goTheSameWay<Crowded>(12, 50'000); }

TEST(another_takes_its_place) {
  const Things things{{}, {5, 1}, {5, 2}};
  KeyedTable<ByKey> table(ByKey{&things});
  table.insert(1);
  table.replace(5, 2);
  CHECK_EQ(table.size(), 1u);
  CHECK_EQ(table.find(5), 2u);
  CHECK_EQ(table.erase(5), 2u);
  CHECK_EQ(table.erase(5), table.kNone);
}
