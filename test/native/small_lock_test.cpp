#include "small_lock.hpp"

#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "check.hpp"

using namespace imafs;

TEST(one_at_a_time) {
  SmallLock lock;
  int count = 0;
  std::vector<std::thread> threads;
  for (int each = 0; each < 8; ++each) {
    threads.emplace_back([&] {
      for (int at = 0; at < 20'000; ++at) {
        std::lock_guard guard(lock);
        // Now and then held for long enough that others go to sleep.
        if (at % 1000 == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
        ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_EQ(count, 160'000);
}

TEST(four_bytes) { CHECK_EQ(sizeof(SmallLock), 4u); }
