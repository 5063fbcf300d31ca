// What the mount does with each request: one small function per opcode, over *at() calls on O_PATH
// descriptors. One object per thread that serves requests.
#pragma once
#include <fcntl.h>

#include "caller.hpp"
#include "fuse_protocol.hpp"
#include "placement.hpp"
#include "request.hpp"
#include "session.hpp"
#include "thread_identity.hpp"

namespace imafs {

class Operations {
 public:
  explicit Operations(Session& session);

  // Whether this thread got its identity: 0, or an errno and then it must serve nothing.
  int startError() const { return identity_.startError(); }
  void serve(const Request& request);
  // The same for a thread that holds a reader's place; `placed` is false if it gave the place away.
  void serveReading(const Request& request, bool& placed);
  // An open whose turn to be judged has come.
  void prepareOpen(const UpcallPtr& upcall);
  // The answer to an open upcall that was allowed.
  void grantOpen(const UpcallPtr& upcall, bool remember, const std::string& successor);

 private:
  using Handler = void (Operations::*)(const Request&);
  static Handler handlerOf(fuse::Opcode opcode);

  // operations_names.cpp
  void lookup(const Request& request);
  void forget(const Request& request);
  void batchForget(const Request& request);
  void mknod(const Request& request);
  void mkdir(const Request& request);
  void symlink(const Request& request);
  void link(const Request& request);
  void unlink(const Request& request);
  void rmdir(const Request& request);
  void rename(const Request& request);
  void rename2(const Request& request);
  void readlink(const Request& request);
  // operations_attributes.cpp
  void getattr(const Request& request);
  void setattr(const Request& request);
  void statx(const Request& request);
  void statfs(const Request& request);
  void access(const Request& request);
  // operations_xattr.cpp
  void setxattr(const Request& request);
  void getxattr(const Request& request);
  void listxattr(const Request& request);
  void removexattr(const Request& request);
  // operations_data.cpp
  void read(const Request& request);
  void write(const Request& request);
  void flush(const Request& request);
  void fsync(const Request& request);
  void fallocate(const Request& request);
  void lseek(const Request& request);
  void copyFileRange(const Request& request);
  void ioctl(const Request& request);
  void poll(const Request& request);
  // operations_directory.cpp
  void opendir(const Request& request);
  void readdir(const Request& request);
  void readdirplus(const Request& request);
  void releasedir(const Request& request);
  void fsyncdir(const Request& request);
  // operations_open.cpp
  void open(const Request& request);
  // operations_answer.cpp
  void release(const Request& request);
  // operations_create.cpp
  void create(const Request& request);
  void tmpfile(const Request& request);
  // operations_virtual.cpp
  void virtualOperation(const Request& request);
  void virtualLookup(const Request& request, const char* name);

  // Shared steps.
  void mayTakeLong();
  void fail(const Request& request, int error) {
    session_.device.error(request.header.unique, error);
  }
  void succeed(const Request& request) { session_.device.reply(request.header.unique, nullptr, 0); }
  NodePtr nodeOf(const Request& request) { return session_.inodes->find(request.header.nodeid); }
  bool forbiddenName(const Request& request, uint64_t parent, const char* name);
  int becomeCaller(const Request& request, mode_t umask);
  // Opens a name O_PATH and makes it a node; 0 or errno.
  int internName(int parentFd, uint64_t parent, const char* name, NodePtr& node,
                 struct statx& file);
  void replyEntry(const Request& request, const NodePtr& node, const struct statx& file);
  void replyNewName(const Request& request, const char* name);
  void renameTo(const Request& request, uint64_t newParent, uint32_t flags, size_t names);
  void changeXattr(const Request& request, const char* name, const uint8_t* value, size_t size,
                   int flags);
  bool guarded(const char* name) const;
  bool sendForDecision(const Request& request, UpcallKind kind, const NodePtr& node, int fd,
                       const char* name, const uint8_t* value, size_t size);
  // An upcall with its caller; nullptr and an answer if nothing is known of that one.
  UpcallPtr upcallOf(const Request& request, UpcallKind kind, const NodePtr& node);
  // The request is served again, as decided, when TypeScript is done with the upcall.
  bool send(const UpcallPtr& upcall, const Request& request, int fd);
  bool cutsUnsettled(const fuse::SetattrIn& in, const NodePtr& node) const;
  static bool hasWriters(const NodePtr& node);
  bool changesVerdicts(const fuse::SetattrIn& in, const Request& request, int fd,
                       const struct statx& before);
  int applyAttributes(const fuse::SetattrIn& in, const Request& request, int fd, bool& parked);
  void listDirectory(const Request& request, bool plus);

  // Opening.
  struct Opening {
    NodePtr node;
    struct statx file {};
    uint64_t version = 0;
    uint32_t flags = 0;
    bool created = false;
    bool nameless = false;
  };
  bool pathLeads(const NodePtr& node, struct statx& file);
  void judge(const Request& request, Opening opening);
  bool serveRemembered(const Request& request, const Opening& opening, const CallerScopes& scopes,
                       VerdictKey& key, uint64_t& generation);
  int fillUpcall(Upcall& upcall);
  void answerOpen(const fuse::InHeader& header, const NodePtr& node, uint32_t flags, bool created,
                  const OpeningMarkPtr& mark);
  // Tells TypeScript that a write handle is gone, or that one it allowed never came to be.
  void tellReleased(const NodePtr& node);
  void undoOpen(uint64_t handle, const NodePtr& node, bool created);
  void createAs(const Request& request, uint32_t flags, mode_t mode, mode_t umask,
                const char* name);
  void openCreated(const Request& request, OwnedFd fd, const NodePtr& parent, const char* name,
                   uint32_t flags);
  bool dropIfChanged(const UpcallPtr& upcall, int fd);

  // 0 or an errno; the request is to be refused if it fails.
  int fillCaller(const Request& request, CallerFacts& caller);
  NodeFacts factsOf(const NodePtr& node, const struct statx& file);
  // Serve the request again a little later, off this thread: a lease is being given up.
  void park(const Request& request);
  // The descriptor for data operations on a handle, opened for this one where it has none; -errno.
  int dataFd(const HandlePtr& handle, int accessMode, OwnedFd& temporary);

  Session& session_;
  ThreadIdentity identity_;
  CallerReader callers_;
  Placement placement_;
  bool* placed_ = nullptr;  // the reader's place this thread holds, if it does
  std::vector<uint8_t> scratch_;
};

// An O_PATH descriptor opened anew: /proc/self/fd/N as the path.
struct DescriptorPath {
  explicit DescriptorPath(int fd);
  operator const char*() const { return text; }
  char text[32];
};

void fillAttributes(const struct statx& file, fuse::Attr& out);
// Blocks for as long as the kernel may keep what it was told of names and attributes, in seconds.
constexpr uint64_t kEntrySeconds = 60, kAttributeSeconds = 60;
// A write handle, whose end is to be told.
inline bool isWriter(uint32_t flags) { return (flags & O_ACCMODE) != O_RDONLY; }
int statFd(int fd, struct statx& out);
int64_t monotonicMs();

}  // namespace imafs
