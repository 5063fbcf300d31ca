// The digest that fs-verity keeps of a file: the root of a hash tree over its content, which the
// kernel checks at each read. Such a file cannot be written to any more.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace imafs {

struct VerityDigest {
  const char* algorithm = "";  // "sha256" or "sha512", static
  size_t size = 0;
  std::array<uint8_t, 64> bytes{};
};

// Of an open file (not O_PATH). 0 or an errno; nothing, and 0, where fs-verity is not switched on
// for it or not known to its file system. ENOPKG: an algorithm that is newer than this.
int verityDigest(int fd, std::optional<VerityDigest>& out);

}  // namespace imafs
