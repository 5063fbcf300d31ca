// Extended attributes of a file as values.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace imafs {

// In the order of the names; nothing where the file has none of that name or it cannot be read.
using XattrValues = std::vector<std::optional<std::vector<uint8_t>>>;

XattrValues readXattrs(int fd, const std::vector<std::string>& names);

}  // namespace imafs
