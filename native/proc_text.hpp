// Reading and picking apart the text files of /proc. Header only.
#pragma once
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace imafs::proc {

// The whole of a /proc file below an open directory, into a buffer that keeps its size between
// calls. Such a file is one seq_file record: a read that does not fill the buffer was the last.
// 0 or an errno.
inline int readText(int directory, const char* name, std::string& buffer, std::string_view& text) {
  const int fd = ::openat(directory, name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  if (buffer.size() < 4096) buffer.resize(4096);
  size_t used = 0;
  int error = 0;
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data() + used, buffer.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) error = errno;
    if (got <= 0) break;
    used += static_cast<size_t>(got);
    if (used < buffer.size()) break;
    buffer.resize(buffer.size() * 2);
  }
  ::close(fd);
  text = std::string_view(buffer).substr(0, used);
  return error;
}

// The next number of `text`, which is advanced behind it; none at the end or where there is no
// digit.
inline std::optional<uint64_t> takeNumber(std::string_view& text, int base = 10) {
  const size_t start = text.find_first_not_of(" \t");
  if (start == std::string_view::npos) return std::nullopt;
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [behind, failure] = std::from_chars(text.data() + start, end, value, base);
  if (failure != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(behind - text.data()));
  return value;
}

// What stands behind "\nKEY:" up to the end of that line, in /proc/TID/status. The kernel escapes
// newlines in Name, so a task cannot forge a line.
inline std::optional<std::string_view> statusLine(std::string_view status, std::string_view key) {
  for (size_t at = status.find(key); at != std::string_view::npos; at = status.find(key, at + 1)) {
    const size_t behind = at + key.size();
    const bool whole = at > 0 && status[at - 1] == '\n' && status.substr(behind).starts_with(':');
    if (!whole) continue;
    const std::string_view rest = status.substr(behind + 1);
    return rest.substr(0, rest.find('\n'));
  }
  return std::nullopt;
}

// Field `field` (counted from 1 as in proc(5), at least 4) of /proc/TID/stat. The name in field 2
// may hold anything, so counting starts behind the last parenthesis, where field 3 (one letter)
// follows.
inline std::optional<uint64_t> statField(std::string_view stat, int field) {
  const size_t name = stat.rfind(')');
  if (name == std::string_view::npos || stat.size() < name + 4) return std::nullopt;
  std::string_view rest = stat.substr(name + 3);
  for (int at = 4; at < field; ++at) {
    const size_t gap = rest.find(' ', 1);
    if (gap == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(gap);
  }
  return takeNumber(rest);
}

}  // namespace imafs::proc
