// Bugs for run.sh: a sanitizer that does not report the one that IMAFS_PLANTED names would not
// report ours either. They happen as this library is loaded.
#include <cstdlib>
#include <memory>
#include <string_view>
#include <thread>

namespace {

volatile int shared = 0;

void count() {
  for (int i = 0; i < 1000; ++i) shared = shared + 1;
}

struct Planted {
  Planted() {
    const char* const bug = std::getenv("IMAFS_PLANTED");
    const std::string_view name = bug ? bug : "";
    if (name == "overflow") {
      const std::unique_ptr<volatile char[]> bytes(new volatile char[8]);
      volatile int behind = 8;
      bytes[behind] = 1;
    } else if (name == "undefined") {
      volatile int most = 0x7fffffff;
      shared = most + 1;
    } else if (name == "race") {
      // Two threads besides this one, which is within node's dlopen(), where nothing is looked at.
      std::thread one(count), other(count);
      one.join();
      other.join();
    }
  }
};

const Planted planted;

}  // namespace
