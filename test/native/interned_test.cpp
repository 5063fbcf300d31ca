#include "interned.hpp"

#include <string>

#include "check.hpp"

using namespace imafs;

namespace {

struct Hashing {
  static uint64_t hash(uint64_t seed, const std::string& text) {
    return mixHash(seed, text.size());  // texts of one length collide
  }
};

}  // namespace

TEST(equal_values_are_kept_once_until_the_last_release) {
  Interned<std::string, Hashing> texts(100);
  const uint32_t one = texts.take("one"), two = texts.take("two");
  CHECK(one != two);
  CHECK_EQ(texts.take("one"), one);
  CHECK_EQ(texts[one], "one");
  CHECK_EQ(texts[two], "two");
  texts.release(one);
  CHECK_EQ(texts[one], "one");
  CHECK_EQ(texts.size(), 2u);
  texts.release(one);
  CHECK_EQ(texts.size(), 1u);
  CHECK_EQ(texts[texts.take("three")], "three");
  CHECK_EQ(texts[two], "two");
}

TEST(what_is_nothing_needs_no_place) {
  Interned<std::string, Hashing> texts(100);
  CHECK_EQ(texts.take(""), texts.kDefault);
  CHECK_EQ(texts[texts.kDefault], "");
  texts.release(texts.kDefault);
  CHECK_EQ(texts.size(), 0u);
}
