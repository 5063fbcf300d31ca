#include "slab.hpp"

#include <unistd.h>

#include <atomic>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "check.hpp"

using namespace imafs;

namespace {

struct Thing {
  explicit Thing(uint64_t value) : value(value) { ++alive; }
  ~Thing() { --alive; }
  uint64_t value;
  char more[92] = {};
  static inline std::atomic<int> alive{0};
};

// Whether the page that holds the address has memory.
bool isResident(const void* address) {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  unsigned char seen = 0;
  void* const start = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(address) & ~(page - 1));
  return ::mincore(start, page, &seen) == 0 && (seen & 1) != 0;
}

}  // namespace

TEST(a_number_leads_to_its_thing_and_back) {
  Slab<Thing> slab(100'000);
  std::map<uint32_t, uint64_t> wanted;
  std::mt19937 random(7);
  for (uint64_t step = 0; step < 60'000; ++step) {
    if (wanted.size() < 5'000 || random() % 2 == 0) {
      const uint32_t number = slab.make(step);
      CHECK(number != slab.kNone);
      CHECK(wanted.emplace(number, step).second);
    } else {
      auto gone = wanted.lower_bound(random() % 10'000);
      if (gone == wanted.end()) gone = wanted.begin();
      slab.destroy(gone->first);
      wanted.erase(gone);
    }
  }
  CHECK_EQ(Thing::alive.load(), static_cast<int>(wanted.size()));
  for (const auto& [number, value] : wanted) {
    CHECK_EQ(slab[number].value, value);
    CHECK_EQ(slab.numberOf(slab[number]), number);
    CHECK(&Slab<Thing>::of(slab[number]) == &slab);
    slab.destroy(number);
  }
  CHECK_EQ(Thing::alive.load(), 0);
}

TEST(full_is_said_and_passes) {
  Slab<Thing> slab(1000);
  std::vector<uint32_t> numbers;
  while (const uint32_t number = slab.make(1u)) numbers.push_back(number);
  CHECK(numbers.size() >= 1000);
  CHECK_EQ(std::set<uint32_t>(numbers.begin(), numbers.end()).size(), numbers.size());
  slab.destroy(numbers[77]);
  CHECK_EQ(slab.make(2u), numbers[77]);
  CHECK_EQ(slab.make(2u), slab.kNone);
  for (const uint32_t number : numbers) slab.destroy(number);
}

TEST(empty_blocks_give_their_memory_back) {
  Slab<Thing> slab(10'000);
  std::vector<uint32_t> numbers;
  for (uint64_t value = 0; value < 10'000; ++value) numbers.push_back(slab.make(value));
  std::vector<const Thing*> places;
  for (const uint32_t number : numbers) places.push_back(&slab[number]);
  CHECK(isResident(places.front()) && isResident(places.back()));
  for (const uint32_t number : numbers) slab.destroy(number);
  size_t resident = 0;
  for (const Thing* place : places) resident += isResident(place);
  // All but the one block that stays.
  CHECK(resident < 1000);
  const uint32_t again = slab.make(5u);
  CHECK_EQ(slab[again].value, 5u);
  CHECK(&Slab<Thing>::of(slab[again]) == &slab);
  slab.destroy(again);
}

TEST(several_threads) {
  Slab<Thing> slab(100'000);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (uint64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      std::vector<uint32_t> mine;
      std::mt19937 random(static_cast<unsigned>(thread));
      for (uint64_t at = 0; at < 40'000; ++at) {
        if (mine.size() < 2'000 && random() % 5 < 3) {
          mine.push_back(slab.make(thread));
        } else if (!mine.empty()) {
          wrong += slab[mine.back()].value != thread;
          slab.destroy(mine.back());
          mine.pop_back();
        }
      }
      for (const uint32_t number : mine) {
        wrong += slab[number].value != thread;
        slab.destroy(number);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_EQ(wrong.load(), 0);
  CHECK_EQ(Thing::alive.load(), 0);
}
