#include "request.hpp"

#include <cstddef>
#include <string>
#include <vector>

#include "check.hpp"

using namespace imafs;

namespace {

// A request's bytes: its header, then `body`.
struct Message {
  explicit Message(const std::string& body, uint16_t extensions = 0)
      : bytes(sizeof(fuse::InHeader) + body.size()) {
    const fuse::InHeader header{
        static_cast<uint32_t>(bytes.size()), 1, 1, 1, 0, 0, 1, extensions, 0};
    std::memcpy(bytes.data(), &header, sizeof header);
    body.copy(reinterpret_cast<char*>(bytes.data()) + sizeof header, body.size());
  }
  Request request() const { return *Request::from(bytes.data(), bytes.size()); }

  std::vector<uint8_t> bytes;
};

std::string sized(uint32_t size) {
  fuse::ReadIn in{};
  in.size = size;
  return {reinterpret_cast<const char*>(&in), sizeof in};
}

}  // namespace

TEST(no_header_is_no_request) {
  const Message message("");
  CHECK(Request::from(message.bytes.data(), message.bytes.size()));
  CHECK(!Request::from(message.bytes.data(), message.bytes.size() - 1));
  CHECK(!Request::from(message.bytes.data(), 0));
}

TEST(extensions_are_no_body) {
  CHECK_EQ(Message(std::string(24, 'x'), 2).request().size, 8u);
  CHECK_EQ(Message(std::string(24, 'x'), 3).request().size, 0u);
  CHECK_EQ(Message(std::string(24, 'x'), 4).request().size, 0u);
  CHECK_EQ(Message(std::string(24, 'x'), 65535).request().size, 0u);
}

TEST(a_struct_is_whole_or_none) {
  CHECK(Message(std::string(sizeof(fuse::ReadIn), 'x')).request().as<fuse::ReadIn>());
  CHECK(!Message(std::string(sizeof(fuse::ReadIn) - 1, 'x')).request().as<fuse::ReadIn>());
}

TEST(a_text_ends_within_the_request) {
  CHECK(!Message("").request().text(0));
  CHECK(!Message("abc").request().text(0));
  const Message message(std::string("abc\0de\0f", 8));
  CHECK_EQ(std::string(message.request().text(0)), "abc");
  CHECK_EQ(std::string(message.request().text(4)), "de");
  CHECK(!message.request().text(7));
  CHECK(!message.request().text(8));
  CHECK(!message.request().text(SIZE_MAX));
}

TEST(a_name_leads_nowhere_else) {
  for (const char* name : {"a", "...", ".a", "..a", "a..", " ", "\\", "\n"})
    CHECK(Message(std::string(name, std::strlen(name) + 1)).request().name(0));
  for (const char* name : {"", ".", "..", "/", "../x", "a/b", "a/", "/etc"})
    CHECK(!Message(std::string(name, std::strlen(name) + 1)).request().name(0));
  CHECK(!Message("abc").request().name(0));
}

TEST(no_more_is_wanted_than_was_agreed_on) {
  CHECK(Message(sized(0)).request().wanting<fuse::ReadIn>());
  CHECK(Message(sized(kMostData)).request().wanting<fuse::ReadIn>());
  CHECK(!Message(sized(kMostData + 1)).request().wanting<fuse::ReadIn>());
  CHECK(!Message(sized(UINT32_MAX)).request().wanting<fuse::ReadIn>());
  CHECK(!Message("").request().wanting<fuse::ReadIn>());
}
