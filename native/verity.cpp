#include "verity.hpp"

#include <linux/fsverity.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>

namespace imafs {

namespace {

// Of <linux/fsverity.h>, the one that reads a digest.
constexpr unsigned long kReadDigest = _IOWR('f', 134, fsverity_digest);

const char* nameOf(uint16_t algorithm) {
  switch (algorithm) {
    case FS_VERITY_HASH_ALG_SHA256:
      return "sha256";
    case FS_VERITY_HASH_ALG_SHA512:
      return "sha512";
    default:
      return nullptr;
  }
}

// As fs/verity answers: ENODATA is a file without, EOPNOTSUPP a kernel or file system
// without; one that has no such ioctl says ENOTTY.
bool isAbsence(int error) { return error == ENODATA || error == EOPNOTSUPP || error == ENOTTY; }

}  // namespace

int verityDigest(int fd, std::optional<VerityDigest>& out) {
  out.reset();
  VerityDigest digest;
  alignas(fsverity_digest) uint8_t answer[sizeof(fsverity_digest) + sizeof digest.bytes] = {};
  auto* header = reinterpret_cast<fsverity_digest*>(answer);
  header->digest_size = sizeof digest.bytes;
  if (::ioctl(fd, kReadDigest, answer) != 0) return isAbsence(errno) ? 0 : errno;
  const char* algorithm = nameOf(header->digest_algorithm);
  if (!algorithm || header->digest_size > digest.bytes.size()) return ENOPKG;
  digest.algorithm = algorithm;
  digest.size = header->digest_size;
  std::copy_n(answer + sizeof(fsverity_digest), digest.size, digest.bytes.begin());
  out = digest;
  return 0;
}

}  // namespace imafs
