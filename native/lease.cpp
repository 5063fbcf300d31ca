#include "lease.hpp"

#include <fcntl.h>
#include <signal.h>

#include <cerrno>

namespace imafs {

LeaseState takeReadLease(int fd) {
  if (::fcntl(fd, F_SETLEASE, F_RDLCK) == 0) return LeaseState::granted;
  // EAGAIN: a writer or a writable mapping (generic_setlease, check_conflicting_open). Short memory
  // proves nothing either way and passes, so it counts as a writer too.
  if (errno == EAGAIN || errno == ENOMEM) return LeaseState::busy;
  return LeaseState::unsupported;
}

void dropLease(int fd) { ::fcntl(fd, F_SETLEASE, F_UNLCK); }

bool leaseStands(int fd) { return ::fcntl(fd, F_GETLEASE) == F_RDLCK; }

LeaseState probeWriters(int fd) {
  const LeaseState state = takeReadLease(fd);
  if (state == LeaseState::granted) dropLease(fd);
  return state;
}

std::optional<bool> probeOthers(int fd) {
  if (::fcntl(fd, F_SETLEASE, F_WRLCK) == 0) {
    dropLease(fd);
    return false;
  }
  if (errno == EAGAIN) return true;
  return std::nullopt;
}

void ignoreLeaseSignals() {
  struct sigaction action = {};
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGIO, &action, nullptr);
}

}  // namespace imafs
