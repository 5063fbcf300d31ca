// What becomes of an open once it was judged: the one place where a verdict is remembered and
// carried out; and the end of what was opened.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "operations.hpp"

namespace imafs {

using namespace fuse;

namespace {

// A descriptor for the reads and writes of an open. Each write says for itself whether it appends;
// only a file that can do nothing else (chattr +a) wants O_APPEND here. -1 and errno.
int openForData(int fd, uint32_t flags) {
  const int access = static_cast<int>(flags & O_ACCMODE) | O_NONBLOCK | O_CLOEXEC;
  const int opened = ::open(DescriptorPath(fd), access);
  if (opened >= 0 || errno != EPERM || !(flags & O_APPEND)) return opened;
  return ::open(DescriptorPath(fd), access | O_APPEND);
}

}  // namespace

// Keeps a verdict only if nothing has moved since the upcall and nobody can be writing now.
bool Operations::dropIfChanged(const UpcallPtr& upcall, int fd) {
  struct statx file {};
  if (statFd(fd, file) != 0) return true;
  if (session_.inodes->observe(*upcall->node, file) != upcall->facts.version) return true;
  if (!session_.facts().leases) return false;
  if (probeWriters(upcall->fd.get()) == LeaseState::granted) return false;
  session_.inodes->distrust(*upcall->node);
  return true;
}

void Operations::grantOpen(const UpcallPtr& upcall, bool remember, const std::string& successor) {
  identity_.root();
  PinnedFd pin(*session_.inodes, upcall->node);
  if (!pin) {
    undoOpen(0, upcall->node, upcall->created);
    if (isWriter(upcall->flags)) tellReleased(upcall->node);
    session_.device.error(upcall->header.unique, pin.error());
    return;
  }
  if (remember && upcall->rememberable && !dropIfChanged(upcall, pin.get())) {
    if (session_.verdicts.scope(upcall->key.scope).readCredentials)
      upcall->key.subject = upcall->caller.credentials;
    session_.verdicts.insert(upcall->key, {upcall->facts.version, successor}, upcall->generation);
  }
  if (!successor.empty())
    session_.successors.expect(static_cast<uint32_t>(upcall->caller.tid), successor, monotonicMs());
  upcall->fd.reset();
  answerOpen(upcall->header, upcall->node, upcall->flags, upcall->created, upcall->mark);
}

// An allowed open: I/O mode, truncation, descriptor where the data comes through us, the reply.
void Operations::answerOpen(const InHeader& header, const NodePtr& node, uint32_t flags,
                            bool created, const OpeningMarkPtr& mark) {
  // A lease of ours stands in the way (EWOULDBLOCK); it is being given up.
  const auto answerLater = [&] {
    session_.post(
        [header, node, flags, created, mark](Operations& operations) {
          operations.identity_.root();
          operations.answerOpen(header, node, flags, created, mark);
        },
        2);
  };
  const bool writable = isWriter(flags);
  PinnedFd pin(*session_.inodes, node);
  int error = pin ? 0 : pin.error();
  auto handle = std::make_shared<Handle>();
  handle->node = node;
  handle->writable = writable;
  if (!error && writable) {
    {
      std::lock_guard guard(node->lock);
      node->unsettled = true;
    }
    session_.verdicts.voidNode(node->id);
  }
  if (!error && (flags & O_TRUNC) && !created) {
    OwnedFd data(::open(DescriptorPath(pin.get()), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    if (!data && errno == EWOULDBLOCK) {
      answerLater();
      return;
    }
    error = data ? 0 : errno;
    if (!error) {
      error = identity_.anonymous();
      if (!error && ::ftruncate(data.get(), 0) != 0) error = errno;
      identity_.root();
    }
  }
  if (error) {
    undoOpen(0, node, created);
    if (writable) tellReleased(node);
    session_.device.error(header.unique, error);
    return;
  }
  const IoGrant grant = session_.passthrough->acquire(node, pin.get(), writable, identity_);
  handle->passthrough = grant.backingId > 0;
  if (grant.needsDescriptor) {
    handle->fd.reset(openForData(pin.get(), flags));
    if (!handle->fd && errno == EWOULDBLOCK) {
      session_.passthrough->release(node, writable);
      answerLater();
      return;
    }
    if (!handle->fd) error = errno;
  }
  const uint64_t id = session_.handles.add(handle);
  const OpenOut out{id, grant.openFlags, grant.backingId};
  bool delivered = false;
  if (error) {
    session_.device.error(header.unique, error);
  } else if (created) {
    struct {
      EntryOut entry{};
      OpenOut open{};
    } both;
    struct statx file {};
    statFd(pin.get(), file);
    both.entry.nodeid = node->id;
    both.entry.entryValid = kEntrySeconds;
    fillAttributes(file, both.entry.attr);
    both.open = out;
    delivered = session_.device.reply(header.unique, &both, sizeof both);
  } else {
    if (writable) session_.device.notifyAttributes(node->id);
    delivered = session_.device.reply(header.unique, &out, sizeof out);
  }
  if (delivered) return;
  undoOpen(id, node, created);
  if (writable) tellReleased(node);
}

void Operations::tellReleased(const NodePtr& node) {
  Notice notice;
  notice.kind = Notice::Kind::released;
  notice.node = node->id;
  {
    std::lock_guard guard(node->lock);
    notice.writers = node->writers;
  }
  session_.upcalls.notify(std::move(notice));
}

// Takes back what an open got that did not reach its caller.
void Operations::undoOpen(uint64_t handleId, const NodePtr& node, bool created) {
  const HandlePtr handle = handleId ? session_.handles.take(handleId, false) : nullptr;
  if (handle) session_.passthrough->release(node, handle->writable);
  if (!created) return;
  std::vector<uint64_t> gone;
  session_.inodes->forget(node->id, 1, gone);
}

void Operations::release(const Request& request) {
  const auto* in = request.as<ReleaseIn>();
  const HandlePtr handle = in ? session_.handles.take(in->fh, false) : nullptr;
  if (!handle) return succeed(request);
  handle->fd.reset();  // our own descriptor must not count as a writer when the file is settled
  session_.passthrough->release(handle->node, handle->writable);
  if (handle->writable) tellReleased(handle->node);
  succeed(request);
}

}  // namespace imafs
