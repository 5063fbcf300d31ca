// Bytes that are few most of the time: up to fifteen of them within sixteen, more on the heap. A
// std::string takes thirty-two for the same.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace imafs {

class ShortBytes {
 public:
  ShortBytes() = default;
  explicit ShortBytes(std::string_view bytes) { set(bytes); }
  ~ShortBytes() { clear(); }
  ShortBytes(const ShortBytes&) = delete;
  ShortBytes& operator=(const ShortBytes&) = delete;

  ShortBytes& operator=(std::string_view bytes) {
    if (bytes == view()) return *this;
    clear();
    set(bytes);
    return *this;
  }

  std::string_view view() const {
    if (size_ != kLong) return {within_, size_};
    const Long outside = get();
    return {outside.bytes, outside.size};
  }
  bool empty() const { return size_ == 0; }

 private:
  static constexpr uint8_t kLong = 0xff;
  struct Long {
    char* bytes;
    uint32_t size;
  };

  Long get() const {
    Long outside;
    std::memcpy(&outside.bytes, within_, sizeof outside.bytes);
    std::memcpy(&outside.size, within_ + sizeof outside.bytes, sizeof outside.size);
    return outside;
  }

  // Where there is nothing yet. `bytes` are none of ours.
  void set(std::string_view bytes) {
    if (bytes.size() <= sizeof within_) {
      size_ = static_cast<uint8_t>(bytes.size());
      bytes.copy(within_, bytes.size());
      return;
    }
    const Long outside{new char[bytes.size()], static_cast<uint32_t>(bytes.size())};
    bytes.copy(outside.bytes, bytes.size());
    std::memcpy(within_, &outside.bytes, sizeof outside.bytes);
    std::memcpy(within_ + sizeof outside.bytes, &outside.size, sizeof outside.size);
    size_ = kLong;
  }

  void clear() {
    if (size_ == kLong) delete[] get().bytes;
    size_ = 0;
  }

  alignas(char*) char within_[15] = {};
  uint8_t size_ = 0;  // or kLong
};

}  // namespace imafs
