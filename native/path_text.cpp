#include "path_text.hpp"

#include <cstdint>

namespace imafs {
namespace {

constexpr char16_t kEscape = 0xf700;

bool isEscape(uint32_t point) { return point >= kEscape + 0x80u && point <= kEscape + 0xffu; }

bool isTrail(unsigned char byte) { return (byte & 0xc0) == 0x80; }

// Length of the UTF-8 sequence at `at` and its code point; 0 where there is none (RFC 3629).
size_t sequenceAt(const std::string& bytes, size_t at, uint32_t& point) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[at + i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) {
    point = first;
    return 1;
  }
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + length > bytes.size()) return 0;
  point = first & (0x7f >> length);
  for (size_t i = 1; i < length; ++i) {
    if (!isTrail(byte(i))) return 0;
    point = (point << 6) | (byte(i) & 0x3f);
  }
  const uint32_t least = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
  const bool isSurrogate = point >= 0xd800 && point <= 0xdfff;
  return point < least || point > 0x10ffff || isSurrogate || isEscape(point) ? 0 : length;
}

void append(std::string& bytes, uint32_t point) {
  if (point < 0x80) {
    bytes += static_cast<char>(point);
    return;
  }
  const size_t length = point >= 0x10000 ? 4 : point >= 0x800 ? 3 : 2;
  bytes += static_cast<char>((0xf00 >> length) | (point >> (6 * (length - 1))));
  for (size_t i = length - 1; i-- > 0;)
    bytes += static_cast<char>(0x80 | ((point >> (6 * i)) & 0x3f));
}

}  // namespace

std::u16string textOfPath(const std::string& bytes) {
  std::u16string text;
  text.reserve(bytes.size());
  for (size_t at = 0; at < bytes.size();) {
    uint32_t point = 0;
    const size_t length = sequenceAt(bytes, at, point);
    if (length == 0) {
      text += static_cast<char16_t>(kEscape + static_cast<unsigned char>(bytes[at]));
    } else if (point < 0x10000) {
      text += static_cast<char16_t>(point);
    } else {
      text += static_cast<char16_t>(0xd800 + ((point - 0x10000) >> 10));
      text += static_cast<char16_t>(0xdc00 + ((point - 0x10000) & 0x3ff));
    }
    at += length == 0 ? 1 : length;
  }
  return text;
}

std::string bytesOfPath(const std::u16string& text) {
  constexpr uint32_t kReplacement = 0xfffd;
  std::string bytes;
  bytes.reserve(text.size());
  for (size_t at = 0; at < text.size(); ++at) {
    const uint32_t unit = text[at];
    const uint32_t next = at + 1 < text.size() ? text[at + 1] : 0;
    if (isEscape(unit)) {
      bytes += static_cast<char>(unit - kEscape);
    } else if (unit < 0xd800 || unit > 0xdfff) {
      append(bytes, unit);
    } else if (unit < 0xdc00 && next >= 0xdc00 && next <= 0xdfff) {
      append(bytes, 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00));
      ++at;
    } else {
      append(bytes, kReplacement);
    }
  }
  return bytes;
}

}  // namespace imafs
