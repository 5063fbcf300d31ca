#include "short_bytes.hpp"

#include <string>

#include "check.hpp"

using namespace imafs;

TEST(sixteen_bytes) { CHECK_EQ(sizeof(ShortBytes), 16u); }

TEST(every_length_comes_back) {
  ShortBytes kept;
  CHECK(kept.empty());
  for (size_t size = 0; size < 300; ++size) {
    std::string bytes(size, '\0');
    for (size_t at = 0; at < size; ++at) bytes[at] = static_cast<char>(size * 7 + at);
    const ShortBytes made(bytes);
    CHECK(made.view() == bytes);
    CHECK_EQ(made.empty(), size == 0);
    // From short to short, to long, from long to long, and back.
    kept = bytes;
    CHECK(kept.view() == bytes);
    kept = kept.view();
    CHECK(kept.view() == bytes);
    if (size % 3 == 0) kept = std::string_view("short");
  }
  kept = std::string_view();
  CHECK(kept.empty());
}
