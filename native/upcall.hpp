// Decisions that only TypeScript can make: requests on their way up, in one queue per scope served
// in turn, and the requests that wait for an answer.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "caller.hpp"
#include "fuse_protocol.hpp"
#include "handle_table.hpp"
#include "opening_mark.hpp"
#include "verdict_cache.hpp"
#include "xattrs.hpp"

namespace imafs {

struct CallerFacts {
  CallerScopes scopes;
  Credentials credentials;
  pid_t tid = 0, leader = 0;
  uint32_t requestUid = 0, requestGid = 0;
  bool borrowed = false;
};

// What TypeScript is told of a node, as it was when the upcall was made.
struct NodeFacts {
  struct statx file {};
  uint64_t version = 0;
  bool fresh = false;
  uint32_t writers = 0;
  std::string path;
};

enum class UpcallKind { open, flush, xattrRead, xattrChange, attributes, virtualOperation };

struct Upcall {
  uint64_t id = 0;
  UpcallKind kind = UpcallKind::open;
  fuse::InHeader header{};
  CallerFacts caller;
  NodePtr node;
  NodeFacts facts;

  // open
  uint32_t flags = 0;
  bool exec = false, succeeding = false, created = false, nameless = false, isNew = false;
  bool pagesAreBelow = false;  // see PageFlusher
  OwnedFd fd;
  OpeningMarkPtr mark;
  XattrValues xattrs;
  std::vector<uint8_t> head;
  VerdictKey key;
  uint64_t generation = 0;
  bool rememberable = false;

  // attributes
  bool truncated = false;

  // flush, xattrRead, xattrChange, attributes: the request's body, to be carried out once allowed
  std::vector<uint8_t> body;
  std::string name;
  std::optional<std::vector<uint8_t>> value;

  // virtualOperation
  uint64_t virtualNode = 0, handle = 0, offset = 0, pollHandle = 0;
  uint32_t size = 0;
  bool pollNotify = false, noCaller = false;
};

using UpcallPtr = std::shared_ptr<Upcall>;

// Things TypeScript is told without an answer.
struct Notice {
  enum class Kind { released, forgotten, ended } kind = Kind::released;
  uint64_t node = 0;
  uint32_t writers = 0;
  std::vector<uint64_t> nodes;
  std::string error;
};

class UpcallQueue {
 public:
  // `wake` is called (from any thread) when something is there to take.
  explicit UpcallQueue(std::function<void()> wake) : wake_(std::move(wake)) {}

  // How many opens may hold a descriptor at a time, over all scopes.
  void setMostOpens(size_t most) { mostOpens_ = most; }
  // An open is about to take a descriptor and join the queue. False: not now; it waits here without
  // one, and nextAdmitted gives it out when its turn has come.
  bool admit(const UpcallPtr& upcall);
  // An admitted open ended before it was pushed.
  void abandon(const UpcallPtr& upcall);
  // A waiting open that is admitted now; nullptr if there is none. To be asked after each end.
  UpcallPtr nextAdmitted();

  void push(UpcallPtr upcall);
  void notify(Notice notice);

  struct Batch {
    std::vector<Notice> notices;
    std::vector<UpcallPtr> upcalls;
  };
  // Notices first, then upcalls, one scope after the other, at most kMostPerScope of one scope
  // under way at a time.
  Batch take(size_t most);
  // Ends the wait of an upcall that was taken. nullptr if there is none of that id.
  UpcallPtr finish(uint64_t id);
  // All that wait, taken or not, at the end of the transport.
  std::vector<UpcallPtr> drain();
  size_t queued() const;
  uint64_t total() const { return total_; }

 private:
  struct Lane {
    std::deque<UpcallPtr> waiting;
    std::deque<UpcallPtr> backlog;  // opens that are not admitted yet
    size_t underWay = 0, opens = 0;
    bool empty() const { return waiting.empty() && backlog.empty() && underWay == 0 && opens == 0; }
  };
  bool hasRoom(const Lane& lane) const;
  void endOpen(const UpcallPtr& upcall);

  std::function<void()> wake_;
  mutable std::mutex mutex_;
  uint64_t nextId_ = 1, total_ = 0;
  size_t waiting_ = 0, backlog_ = 0, opens_ = 0, mostOpens_ = 256;
  std::deque<Notice> notices_;
  std::map<uint64_t, Lane> lanes_;  // by scope
  uint64_t lastLane_ = 0, lastAdmitted_ = 0;
  std::unordered_map<uint64_t, UpcallPtr> underWay_;
};

}  // namespace imafs
