#include "node.hpp"

#include <cstdint>

#include "check.hpp"

using namespace imafs;

namespace {

struct statx changedAt(int64_t second, uint32_t nanosecond) {
  struct statx file {};
  file.stx_mtime.tv_sec = second;
  file.stx_mtime.tv_nsec = nanosecond;
  return file;
}

}  // namespace

TEST(a_stamp_tells_times_apart) {
  CHECK_EQ(nanoseconds(changedAt(1, 5).stx_mtime), 1'000'000'005);
  CHECK_EQ(nanoseconds(changedAt(-1, 5).stx_mtime), -999'999'995);
  CHECK(!(stampOf(changedAt(1, 0)) == stampOf(changedAt(1, 1))));
}

// tmpfs and btrfs keep any second that utimensat(2) is given.
TEST(a_time_out_of_range_is_a_time) {
  for (const int64_t second : {INT64_MAX, INT64_MIN, INT64_MAX / 2, int64_t{9'223'372'037}}) {
    CHECK(!(stampOf(changedAt(second, 0)) == stampOf(changedAt(second, 1))));
    CHECK(!(stampOf(changedAt(second, 0)) == stampOf(changedAt(second - (second > 0), 1))));
  }
}
