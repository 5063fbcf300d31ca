// needs: lease.cpp
#include "lease.hpp"

#include <sys/mman.h>

#include "check.hpp"
#include "child.hpp"

using namespace imafs;

TEST(granted_where_nobody_writes) {
  TemporaryDirectory directory;
  const std::string path = directory.file("f", "content", 0644);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  CHECK(!leaseStands(fd));
  CHECK(takeReadLease(fd) == LeaseState::granted);
  CHECK(leaseStands(fd));
  const int second = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  CHECK(probeWriters(second) == LeaseState::granted);
  dropLease(fd);
  CHECK(!leaseStands(fd));
  ::close(second);
  ::close(fd);
}

TEST(busy_with_an_open_writer) {
  TemporaryDirectory directory;
  const std::string path = directory.file("f", "content", 0644);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const int writer = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  CHECK(takeReadLease(fd) == LeaseState::busy);
  ::close(writer);
  CHECK(probeWriters(fd) == LeaseState::granted);
  ::close(fd);
}

TEST(busy_with_a_writable_mapping_after_close) {
  TemporaryDirectory directory;
  const std::string path = directory.file("f", "content", 0644);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const int writer = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  void* mapping = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, writer, 0);
  CHECK(mapping != MAP_FAILED);
  ::close(writer);
  CHECK(probeWriters(fd) == LeaseState::busy);
  ::munmap(mapping, 4096);
  CHECK(probeWriters(fd) == LeaseState::granted);
  ::close(fd);
}

TEST(a_break_shows_and_its_signal_harms_nobody) {
  ignoreLeaseSignals();
  TemporaryDirectory directory;
  const std::string path = directory.file("f", "content", 0644);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  CHECK(takeReadLease(fd) == LeaseState::granted);
  CHECK(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC) < 0);
  CHECK(!leaseStands(fd));
  dropLease(fd);
  const int writer = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  CHECK(writer >= 0);
  ::close(writer);
  ::close(fd);
}

TEST(unsupported_where_there_are_no_leases) {
  int ends[2];
  CHECK_EQ(::pipe2(ends, O_CLOEXEC), 0);
  CHECK(takeReadLease(ends[0]) == LeaseState::unsupported);
  ::close(ends[0]);
  ::close(ends[1]);
}
