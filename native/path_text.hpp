// Paths on their way between bytes and JavaScript's strings. A byte that is not part of UTF-8
// becomes the character U+F700 + byte, for private use (lone surrogates do not get through N-API),
// and so do the bytes of such characters themselves: every path comes back as it was.
#pragma once
#include <string>

namespace imafs {

std::u16string textOfPath(const std::string& bytes);
std::string bytesOfPath(const std::u16string& text);

}  // namespace imafs
