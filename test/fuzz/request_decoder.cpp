// A libFuzzer target: a session is asked whatever the fuzzer thinks of, on a fresh backing tree
// each time, so that an input alone says what happens.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "jail.hpp"
#include "kernel.hpp"

using namespace imafs;
using namespace imafs::fuzz;

namespace {

constexpr char kBacking[] = "/backing";

const Line& line() {
  static const Line made;
  return made;
}

void removeAllIn(int directory) {
  DIR* const list = ::fdopendir(directory);
  while (const dirent* entry = list ? ::readdir(list) : nullptr) {
    const char* name = entry->d_name;
    if (!std::strcmp(name, ".") || !std::strcmp(name, "..")) continue;
    if (::unlinkat(directory, name, 0) == 0) continue;
    const int below = ::openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below >= 0) removeAllIn(below);
    ::unlinkat(directory, name, AT_REMOVEDIR);
  }
  if (list) ::closedir(list);
}

void makeFile(const char* path, const char* content) {
  FILE* const file = std::fopen(path, "we");
  if (!file || std::fputs(content, file) < 0 || std::fclose(file) != 0) std::abort();
}

// Nodes in the order in which a lookup of f, d, l makes them: 2, 3, 4.
void makeTree() {
  removeAllIn(::open(kBacking, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (::chdir(kBacking) != 0 || ::mkdir("d", 0755) != 0 || ::symlink("f", "l") != 0) std::abort();
  makeFile("f", "\177ELF: content");
  makeFile("d/g", "");
  if (::chdir("/work") != 0) std::abort();
}

// As a kernel of these days says it.
std::string usualInit() {
  fuse::InitIn in{};
  in.major = fuse::kMajor;
  in.minor = fuse::kMinor;
  in.flags = in.flags2 = UINT32_MAX;
  return {reinterpret_cast<const char*>(&in), sizeof in};
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  line();
  enterJail();
  ignoreLeaseSignals();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Steps steps(data, size);
  // The first byte: how much of the rest is a request to begin with, 0 for the usual one.
  std::string init(steps.byte() % 96, '\0');
  for (char& byte : init) byte = static_cast<char>(steps.byte());
  makeTree();
  Kernel kernel(line(), kBacking, init.empty() ? usualInit() : init);
  if (!kernel.serves()) return 0;
  while (const auto step = steps.next()) kernel.perform(*step);
  kernel.end();
  return 0;
}
