// Which of the reader threads read. Waking a second reader for a request that the first could take
// in its stride costs a context switch (seen: 5 us of a 19 us open), so one thread reads and
// serves by itself as long as that is quick; before anything that may take long it lends its place
// to another, and when requests pile up more threads read at a time.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace imafs {

class ReaderPool {
 public:
  // `most`: threads that may read at a time.
  explicit ReaderPool(unsigned most) : most_(most) {}

  // Waits for a place. False: the end.
  bool enter();
  // Gives the place to another thread, if one waits for it.
  void leave();
  // What a thread remembers of its last reads.
  struct Pace {
    uint32_t caller = 0;
    int score = 0;
  };
  // How long the read of a request took, and whose it is. False: this thread is one too many and
  // shall leave.
  bool readTook(int64_t nanoseconds, uint32_t caller, Pace& pace);
  void close();

 private:
  const unsigned most_;
  std::mutex mutex_;
  std::condition_variable free_;
  unsigned places_ = 1, taken_ = 0;
  bool closed_ = false;
};

}  // namespace imafs
