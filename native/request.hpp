// A request as read from the device: header, then the opcode's struct, then names or data. The
// kernel made it, so it says what is so; here it is made sure that nothing outside it is read, and
// that a name is one.
#pragma once
#include <cstdint>
#include <cstring>
#include <optional>

#include "fuse_protocol.hpp"

namespace imafs {

// The most data of one request, read or written, as INIT agrees on.
constexpr uint32_t kMostData = 1u << 20;

struct Request {
  const fuse::InHeader& header;
  const uint8_t* body;
  size_t size;
  // The decision about it has been made: carry it out.
  bool decided = false;
  // What its writers left has been looked at.
  bool settled = false;

  // What a read of the device gave, aligned as a header is. nullopt if it holds no header.
  static std::optional<Request> from(const uint8_t* bytes, size_t length) {
    if (length < sizeof(fuse::InHeader)) return std::nullopt;
    const auto& header = *reinterpret_cast<const fuse::InHeader*>(bytes);
    // Extensions (security context, groups) follow the body; none is negotiated.
    const size_t extensions = size_t{header.totalExtlen} * 8;
    const size_t size = length - sizeof header;
    return Request{header, bytes + sizeof header, size > extensions ? size - extensions : 0};
  }

  template <typename T>
  const T* as() const {
    return size >= sizeof(T) ? reinterpret_cast<const T*>(body) : nullptr;
  }
  // The NUL-terminated string at `offset`, nullptr if it has no end within the request.
  const char* text(size_t offset) const {
    if (offset >= size || std::memchr(body + offset, 0, size - offset) == nullptr) return nullptr;
    return reinterpret_cast<const char*>(body + offset);
  }
  // The same for the name of a directory's entry, nullptr if it is none. The kernel never sends
  // others (without FUSE_EXPORT_SUPPORT, which nobody asked for, not even "." and ".."), but one of
  // them would lead out of the backing tree.
  const char* name(size_t offset) const {
    const char* const name = text(offset);
    const bool isEntry = name && *name && std::strcmp(name, ".") && std::strcmp(name, "..");
    return isEntry && !std::strchr(name, '/') ? name : nullptr;
  }
  // A struct that says in `size` how much it wants; nullptr also if that is more than agreed on.
  template <typename T>
  const T* wanting() const {
    const T* const in = as<T>();
    return in && in->size <= kMostData ? in : nullptr;
  }
};

}  // namespace imafs
