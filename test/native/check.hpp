// A test program: TEST(name) { CHECK(condition); CHECK_EQ(seen, wanted); } and no main of its own.
// The last line of its output is "PASSED FAILED" in numbers, for run.sh.
#pragma once
#include <cstdio>
#include <iostream>
#include <vector>

namespace check {

struct Test {
  const char* name;
  void (*body)();
};

inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

inline bool failed = false;

struct Registration {
  Registration(const char* name, void (*body)()) { tests().push_back({name, body}); }
};

inline void report(const char* file, int line, const char* text) {
  failed = true;
  std::cout << "    " << file << ":" << line << ": " << text << "\n";
}

template <typename Seen, typename Wanted>
void equal(const char* file, int line, const char* text, const Seen& seen, const Wanted& wanted) {
  if (seen == wanted) return;
  report(file, line, text);
  std::cout << "      seen " << seen << ", wanted " << wanted << "\n";
}

}  // namespace check

#define CHECK(condition)                                             \
  do {                                                               \
    if (!(condition)) check::report(__FILE__, __LINE__, #condition); \
  } while (false)
#define CHECK_EQ(seen, wanted) check::equal(__FILE__, __LINE__, #seen, seen, wanted)
#define TEST(name)                                                          \
  static void test_##name();                                                \
  static const check::Registration registration_##name(#name, test_##name); \
  static void test_##name()

int main() {
  int passed = 0, failures = 0;
  for (const check::Test& test : check::tests()) {
    check::failed = false;
    test.body();
    ++(check::failed ? failures : passed);
    std::cout << (check::failed ? "  FAILED " : "  ok     ") << test.name << std::endl;
  }
  std::cout << passed << " " << failures << std::endl;
  return failures == 0 ? 0 : 1;
}
