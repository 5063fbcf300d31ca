// Paths on their way between bytes and JavaScript's strings. A byte that is not part of UTF-8
// becomes a lone surrogate (U+DC00 + byte, as in Python's surrogateescape), so that every path
// comes back as it was.
#pragma once
#include <string>

namespace imafs {

std::u16string textOfPath(const std::string& bytes);
std::string bytesOfPath(const std::u16string& text);

}  // namespace imafs
