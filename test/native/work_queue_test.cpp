// needs: work_queue.cpp
#include "work_queue.hpp"

#include <string>
#include <thread>

#include "check.hpp"

// The queue only hands it on.
namespace imafs {
class Operations {
 public:
  std::string done;
};
}  // namespace imafs

using namespace imafs;
using namespace std::chrono_literals;

namespace {

WorkQueue::Work note(char letter) {
  return [letter](Operations& operations) { operations.done += letter; };
}

}  // namespace

TEST(what_is_due_first_comes_first) {
  WorkQueue queue;
  Operations operations;
  queue.post(note('c'), 20);
  queue.post(note('a'), 0);
  queue.post(note('d'), 40);
  queue.post(note('b'), 0);
  for (int i = 0; i < 4; ++i) queue.next()(operations);
  CHECK_EQ(operations.done, "abcd");
}

TEST(nothing_due_is_nothing) {
  WorkQueue queue;
  const auto now = WorkQueue::Clock::now();
  CHECK(!queue.next(now));
  CHECK(!queue.next(now + 2ms));
  queue.post(note('a'), 60'000);
  CHECK(!queue.next(now));
  CHECK(!queue.next(WorkQueue::Clock::now() + 2ms));
}

TEST(who_waits_gets_what_comes) {
  WorkQueue queue;
  Operations operations;
  std::thread worker([&] {
    while (const WorkQueue::Work next = queue.next()) next(operations);
  });
  queue.post(note('a'), 0);
  queue.post([&](Operations&) { queue.close(); }, 5);
  worker.join();
  CHECK_EQ(operations.done, "a");
}

TEST(a_closed_queue_gives_nothing) {
  WorkQueue queue;
  queue.post(note('a'), 0);
  queue.close();
  CHECK(!queue.next());
}
