// needs: path_text.cpp
#include "path_text.hpp"

#include "check.hpp"

using namespace imafs;

TEST(what_is_utf8_is_what_javascript_has) {
  CHECK(textOfPath("/a b") == u"/a b");
  CHECK(textOfPath("/\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80") == u"/\u00e9\u20ac\U0001f600");
}

TEST(any_byte_comes_back) {
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  CHECK(bytesOfPath(textOfPath(all)) == all);
  for (const char* path :
       {"n\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xc0\x80", "\xed\xa0\x80", "\xed\xb2\x80",
        "\xf4\x90\x80\x80", "a\x80z", "\xc3\xa9\xc3", "\xf0\x9f\x98\x80\xff"}) {
    CHECK(bytesOfPath(textOfPath(path)) == path);
  }
}

TEST(different_bytes_are_different_texts) {
  CHECK(textOfPath("n\xff") != textOfPath("n\xfe"));
  CHECK(textOfPath("n\xff") == u"n\xf7ff");
  CHECK(textOfPath("n\xef\x9f\xbf") == u"n\xf7ef\xf79f\xf7bf");
}

TEST(text_that_is_no_path_is_replaced) {
  const char16_t lone[] = {u'a', 0xd800, u'b', 0xdc00, 0};
  CHECK(bytesOfPath(lone) ==
        "a\xef\xbf\xbd"
        "b\xef\xbf\xbd");
}
