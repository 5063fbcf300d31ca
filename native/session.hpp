// One mount: its parts, its threads, and the answers that come down from TypeScript.
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "device.hpp"
#include "handle_table.hpp"
#include "inode_table.hpp"
#include "lease.hpp"
#include "page_flusher.hpp"
#include "passthrough.hpp"
#include "reader_pool.hpp"
#include "retry_table.hpp"
#include "upcall.hpp"
#include "verdict_cache.hpp"
#include "work_queue.hpp"

namespace imafs {

// The virtual tree's nodes have this bit in their FUSE node id; the rest is TypeScript's number.
constexpr uint64_t kVirtualBit = 1ull << 63;

struct SessionOptions {
  std::string backing, mountpoint, source, virtualName;
  unsigned long mountFlags = 0;
  PassthroughOption passthrough = PassthroughOption::readWrite;
  uint32_t anonymousId = 0;
  std::vector<std::string> guardedXattrs;
};

struct SessionFacts {
  uint32_t protocolMinor = 0, stackDepth = 0;
  PassthroughOption passthrough = PassthroughOption::off;
  bool fileHandles = false, leases = false;
  // Stores through a mapping move neither mtime nor ctime: no state of a file can be relied on.
  bool traceless = false;
  uint64_t fsMagic = 0, device = 0;
  std::string fsUuid;
  unsigned readers = 0;
};

struct SessionCounters {
  std::atomic<uint64_t> requests{0}, opens{0}, remembered{0}, estale{0};
};

struct VirtualEntry {
  std::string name;
  uint64_t node = 0;
  uint32_t mode = 0;
};

struct VirtualReply {
  int error = 0;
  struct {
    uint64_t node = 0, size = 0;
    uint32_t mode = 0, uid = 0, gid = 0;
  } attributes;
  uint64_t handle = 0;
  std::vector<uint8_t> data;
  uint32_t written = 0, events = 0;
  std::vector<VirtualEntry> entries;
};

class Session {
 public:
  Session(SessionOptions options, std::function<void()> wake);
  ~Session();

  // Mounts and starts the threads: the three steps below, with mount(2) after the first. 0 or an
  // errno, `step` saying what failed.
  int start(std::string& step);
  // Of the backing directory, held open: what it is like, and the tables.
  int useBacking(OwnedFd root, std::string& step);
  // Answers INIT, the first request.
  int negotiate(std::string& step);
  int startThreads(std::string& step);
  const SessionFacts& facts() const { return facts_; }
  // umount2(2) of the mountpoint; 0 or an errno. The `ended` notice follows.
  int unmount(bool detach);

  // Answers; unknown ids are ignored (the transport ended meanwhile).
  void finishOpen(uint64_t id, int error, bool remember, std::string successor);
  void finish(uint64_t id, int error);
  void finishVirtual(uint64_t id, VirtualReply reply);

  // For TypeScript, by node id.
  bool version(uint64_t node, uint64_t& out);
  LeaseState takeLease(uint64_t node, int& fd, bool& gone);
  void setUnsettled(uint64_t node, bool unsettled);
  void dropVerdicts(uint64_t node) { verdicts.voidNode(node); }
  struct Opened {
    OwnedFd fd;
    struct statx file {};
    NodePtr node;
    XattrValues xattrs;
  };
  // Below the backing root, never through a symlink or another mount. 0 or an errno.
  int openBacking(const std::string& path, Opened& out);
  int openBackingInode(uint64_t ino);
  // st_dev of the mount itself.
  uint64_t ownDevice() const { return ownDevice_; }

  // After the end of an open: the next one that waits for its turn, if any.
  void admitNext();

  // Runs `work` on a thread that may act for callers, after `delayMs`.
  void post(WorkQueue::Work work, int delayMs = 0) { this->work.post(std::move(work), delayMs); }

  const SessionOptions options;
  Device device;
  std::unique_ptr<InodeTable> inodes;
  std::unique_ptr<Passthrough> passthrough;
  HandleTable handles;
  VerdictCache verdicts;
  UpcallQueue upcalls;
  RetryTable retries;
  SuccessorTable successors;
  SessionCounters counters;
  ReaderPool readers;
  WorkQueue work;
  PageFlusher pages{device};

 private:
  void readRequests();
  void doWork();
  bool reportStart(int error);
  void end(const std::string& error);
  void giveUpIdle();
  void dropLingering();

  SessionFacts facts_;
  uint64_t ownDevice_ = 0;
  std::vector<std::thread> threads_;
  std::atomic<unsigned> readersLeft_{0};
  // Threads report here once they have their identity; none serves a request without it.
  std::mutex startMutex_;
  std::condition_variable startReady_;
  unsigned started_ = 0;
  int startError_ = 0;
  std::atomic<bool> ended_{false};
};

}  // namespace imafs
