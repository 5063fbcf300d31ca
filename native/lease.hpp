// F_SETLEASE(F_RDLCK) as an exact probe: granted means that no writer and no writable mapping of
// the file exists anywhere. Lease breaks arrive as SIGIO, which the addon ignores process-wide.
#pragma once
#include <cstdint>
#include <optional>

namespace imafs {

enum class LeaseState { granted, busy, unsupported };

// Takes a read lease on an O_RDONLY descriptor of the backing file.
LeaseState takeReadLease(int fd);
// Gives it up; the descriptor stays open.
void dropLease(int fd);
// F_GETLEASE still says F_RDLCK (a break in progress says F_UNLCK).
bool leaseStands(int fd);
// take + drop: whether a writer exists at this moment.
LeaseState probeWriters(int fd);
// Whether any other descriptor or mapping of the file exists, for reading too: a write lease is
// granted only to the one opener (check_conflicting_open). nullopt where leases say nothing.
std::optional<bool> probeOthers(int fd);
// SIGIO ignored (its default action would end the process).
void ignoreLeaseSignals();

}  // namespace imafs
