#include "xattrs.hpp"

#include <linux/limits.h>
#include <sys/xattr.h>

#include <cerrno>

namespace imafs {

XattrValues readXattrs(int fd, const std::vector<std::string>& names) {
  XattrValues values;
  for (const std::string& name : names) {
    std::vector<uint8_t> value(256);
    ssize_t length = ::fgetxattr(fd, name.c_str(), value.data(), value.size());
    if (length < 0 && errno == ERANGE) {
      value.resize(XATTR_SIZE_MAX);
      length = ::fgetxattr(fd, name.c_str(), value.data(), value.size());
    }
    if (length < 0) {
      values.emplace_back(std::nullopt);
    } else {
      values.emplace_back(std::in_place, value.begin(), value.begin() + length);
    }
  }
  return values;
}

}  // namespace imafs
