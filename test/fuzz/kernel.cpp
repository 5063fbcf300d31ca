#include "kernel.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "lease.hpp"
#include "reply_form.hpp"

namespace imafs::fuzz {

using namespace fuse;

namespace {

constexpr uint32_t kAnonymousId = 65533;
constexpr uint32_t kNoSuchProcess = 0x7ffffff0;
// Twice the largest message, so that nothing waits for its reader.
constexpr int kSocketBuffer = 4 << 20;
// How long a request may be parked once the lease in its way is gone.
constexpr auto kParked = std::chrono::seconds(1);
// Fewer than make a session let others wait.
constexpr size_t kMostHeld = 32;

[[noreturn]] void fail(const char* what, uint64_t detail = 0) {
  std::fprintf(stderr, "the session is wrong: %s (%llu)\n", what,
               static_cast<unsigned long long>(detail));
  std::abort();
}

void must(bool holds, const char* what, uint64_t detail = 0) {
  if (!holds) fail(what, detail);
}

SessionOptions optionsOf(const std::string& backing) {
  SessionOptions options;
  options.backing = backing;
  options.virtualName = ".ima";
  options.anonymousId = kAnonymousId;
  options.guardedXattrs = {"security.ima", "user.guarded"};
  return options;
}

InHeader headerOf(const Step& step, size_t length, uint64_t unique) {
  constexpr uint32_t ids[] = {0, 1000, kAnonymousId, 70'000};
  const uint32_t id = ids[(step.caller & kIdentity) >> 2];
  const uint32_t own = static_cast<uint32_t>(::syscall(SYS_gettid));
  const uint32_t pids[] = {own, own, 0, kNoSuchProcess};
  InHeader header{};
  header.len = static_cast<uint32_t>(length);
  header.opcode = step.code;
  header.unique = unique;
  header.nodeid = step.node;
  header.uid = header.gid = id;
  header.pid = pids[step.caller & kPid];
  header.totalExtlen = (step.caller & kExtensions) >> 4;
  return header;
}

uint32_t wantedBy(const Request& request) {
  switch (static_cast<Opcode>(request.header.opcode)) {
    case Opcode::read:
    case Opcode::readdir:
    case Opcode::readdirplus: {
      const auto* in = request.as<ReadIn>();
      return in ? in->size : 0;
    }
    case Opcode::getxattr:
    case Opcode::listxattr: {
      const auto* in = request.as<GetxattrIn>();
      return in ? in->size : 0;
    }
    case Opcode::ioctl: {
      const auto* in = request.as<IoctlIn>();
      return in ? in->outSize : 0;
    }
    default:
      return 0;
  }
}

}  // namespace

Line::Line() {
  int ends[2];
  must(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0,
       "socket");
  kernel.reset(ends[0]);
  session.reset(ends[1]);
  must(::setsockopt(ends[1], SOL_SOCKET, SO_SNDBUFFORCE, &kSocketBuffer, sizeof kSocketBuffer) == 0,
       "socket buffer");
}

Kernel::Kernel(const Line& line, const std::string& backing, const std::string& init)
    : line_(line) {
  session_ = std::make_unique<Session>(optionsOf(backing), [] {});
  std::string step;
  OwnedFd root(::open(backing.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  must(session_->useBacking(std::move(root), step) == 0, step.c_str());
  session_->device.use(OwnedFd(::dup(line.session.get())));
  Step first;
  first.code = static_cast<uint8_t>(Opcode::init);
  const InHeader header = headerOf(first, sizeof(InHeader) + init.size(), lastUnique_);
  const std::string message =
      std::string(reinterpret_cast<const char*>(&header), sizeof header) + init;
  must(::send(line_.kernel.get(), message.data(), message.size(), 0) > 0, "send INIT");
  const bool agreed = session_->negotiate(step) == 0;
  OutHeader answer{};
  InitOut out{};
  const struct iovec parts[] = {{&answer, sizeof answer}, {&out, sizeof out}};
  const ssize_t got = ::readv(line_.kernel.get(), parts, 2);
  if (!agreed) {
    must(got < 0 || answer.error != 0, "INIT failed without saying so");
    return;
  }
  must(got == sizeof answer + sizeof out && answer.error == 0, "the answer to INIT");
  must(out.maxWrite == kMostData && out.maxPages > 0, "what INIT agrees on");
  operations_ = std::make_unique<Operations>(*session_);
  must(operations_->startError() == 0, "identity", operations_->startError());
  OwnedFd ownNamespace(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  Scope scope;
  must(scopeOfDescriptor(ownNamespace.get(), scope) == 0, "own namespace");
  scope_ = scope.id;
}

void Kernel::perform(const Step& step) {
  if (step.code >= static_cast<uint8_t>(Own::setScope)) {
    own(step);
  } else {
    request(step);
  }
  settle(step.answer);
}

void Kernel::request(const Step& step) {
  const uint64_t unique = ++lastUnique_;
  size_t length = sizeof(InHeader) + step.body.size();
  const InHeader header = headerOf(step, length, unique);
  if ((step.caller & kCut) == kCut) length = step.body.size() % sizeof(InHeader);
  // Of its exact size, so that whoever reads beyond its end is seen.
  const std::unique_ptr<uint8_t[]> message(new uint8_t[length]);
  std::memcpy(message.get(), &header, length < sizeof header ? length : sizeof header);
  if (length > sizeof header)
    std::memcpy(message.get() + sizeof header, step.body.data(), step.body.size());
  const auto request = Request::from(message.get(), length);
  if (!request) return must(length < sizeof header, "a request is none");
  const auto opcode = static_cast<Opcode>(step.code);
  if (isAnswered(opcode)) asked_.emplace(unique, Asked{opcode, wantedBy(*request)});
  bool placed = session_->readers.enter();
  operations_->serveReading(*request, placed);
  if (placed) session_->readers.leave();
}

void Kernel::own(const Step& step) {
  uint64_t out = 0;
  switch (static_cast<Own>(step.code)) {
    case Own::setScope:
      return session_->verdicts.setScope(scope_, step.answer & 1, step.answer & 2);
    case Own::dropScope:
      return session_->verdicts.dropScope(scope_);
    case Own::remember:
      return remember(step.node, step.answer);
    case Own::unsettle:
      session_->setUnsettled(step.node, step.answer & 1);
      session_->version(step.node, out);
      return;
    case Own::takeLease:
      return takeLease(step.node);
    case Own::openPath: {
      Session::Opened opened;
      session_->openBacking(step.body.c_str(), opened);
      return;
    }
    case Own::openInode: {
      step.body.copy(reinterpret_cast<char*>(&out), sizeof out);
      const OwnedFd opened(session_->openBackingInode(out));
      return;
    }
    case Own::giveUpIdle:
      session_->inodes->giveUpIdle();
      return;
    case Own::answerHeld:
      for (; !held_.empty(); held_.pop_front()) answer(*held_.front(), step.answer & 0x7f);
      return;
    case Own::deafen:
      deaf_ = true;
      session_->device.use(OwnedFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
      return;
  }
}

void Kernel::remember(uint64_t node, uint32_t access) {
  VerdictKey key;
  key.scope = scope_;
  key.node = node;
  key.access = access;
  Verdict verdict;
  if (!session_->version(node, verdict.version)) return;
  verdict.successor = access & 4 ? "/f" : "";
  session_->verdicts.insert(key, verdict, session_->verdicts.scope(scope_).generation);
}

void Kernel::settle(uint8_t answer) {
  for (;;) {
    auto work = session_->work.next(WorkQueue::Clock::now());
    hearReplies();
    if (!work && answerUpcalls(answer)) continue;
    if (!work && asked_.size() > held_.size() && !deaf_) {
      // Something is parked because of the lease, which is given up for it now.
      lease_.reset();
      work = session_->work.next(WorkQueue::Clock::now() + kParked);
      must(work != nullptr, "a request has no answer", asked_.begin()->first);
    }
    if (!work) break;
    work(*operations_);
    hearReplies();
  }
}

bool Kernel::answerUpcalls(uint8_t how) {
  UpcallQueue::Batch batch = session_->upcalls.take(64);
  for (const UpcallPtr& upcall : batch.upcalls) {
    if (how & 0x80 && held_.size() < kMostHeld) {
      held_.push_back(upcall);
    } else {
      answer(*upcall, how);
    }
  }
  return !batch.upcalls.empty() || !batch.notices.empty();
}

// bit 0: no; bit 1: remember; bit 2: a successor; bit 3: a lease is taken meanwhile; bit 4: the
// file is settled; bits 3 to 6 also say what a virtual answer looks like.
void Kernel::answer(const Upcall& upcall, uint8_t how) {
  const int error = how & 1 ? (how & 2 ? ENOSYS : EACCES) : 0;
  if (upcall.kind == UpcallKind::virtualOperation)
    return session_->finishVirtual(upcall.id, virtualReply(upcall, how));
  if (how & 8) takeLease(upcall.node->id);
  if (how & 16) session_->setUnsettled(upcall.node->id, false);
  if (upcall.kind == UpcallKind::open) {
    session_->finishOpen(upcall.id, error, how & 2, how & 4 ? "/f" : "");
  } else {
    session_->finish(upcall.id, error);
  }
}

VirtualReply Kernel::virtualReply(const Upcall& upcall, uint8_t how) const {
  VirtualReply reply;
  reply.error = how & 1 ? (how & 2 ? ENOSYS : EACCES) : 0;
  reply.attributes.node = how >> 3;
  reply.attributes.mode = how & 4 ? S_IFDIR | 0755 : S_IFREG | 0644;
  reply.handle = how >> 2;
  reply.data.assign(how < upcall.size ? how : 0, 'v');
  reply.written = upcall.value ? static_cast<uint32_t>(upcall.value->size()) : 0;
  for (int i = 0; i < how >> 4; ++i)
    reply.entries.push_back({std::string(how, 'e'), upcall.virtualNode + i, S_IFREG});
  return reply;
}

void Kernel::takeLease(uint64_t node) {
  int fd = -1;
  bool gone = false;
  if (session_->takeLease(node, fd, gone) == LeaseState::granted) lease_.reset(fd);
}

void Kernel::hearReplies() {
  static std::unique_ptr<uint8_t[]> message(new uint8_t[kSocketBuffer]);
  for (;;) {
    const ssize_t got = ::recv(line_.kernel.get(), message.get(), kSocketBuffer, MSG_DONTWAIT);
    if (got <= 0) return;
    if (!deaf_) check(message.get(), static_cast<size_t>(got));
  }
}

void Kernel::check(const uint8_t* message, size_t length) {
  must(length >= sizeof(OutHeader), "an answer without a header");
  OutHeader header;
  std::memcpy(&header, message, sizeof header);
  must(header.len == length, "an answer's length");
  if (header.unique == 0) {
    const auto kind = static_cast<Notify>(header.error);
    return must(kind == Notify::poll || kind == Notify::invalInode, "a notification of no kind");
  }
  const auto found = asked_.find(header.unique);
  must(found != asked_.end(), "an answer that nobody waits for", header.unique);
  const Asked asked = found->second;
  asked_.erase(found);
  const size_t size = length - sizeof header;
  if (header.error != 0) {
    must(header.error < 0 && header.error > -4096 && size == 0, "the form of an error");
    return must(header.error != -ENOSYS, "ENOSYS", static_cast<uint64_t>(asked.opcode));
  }
  must(isForm(asked.opcode, asked.size, size), "the form of an answer",
       static_cast<uint64_t>(asked.opcode));
}

void Kernel::end() {
  for (; !held_.empty(); held_.pop_front()) answer(*held_.front(), 0);
  settle(0);
  lease_.reset();
  must(asked_.empty() || deaf_, "a request has no answer");
  const auto tell = [this](Opcode opcode, uint64_t node, const auto& body) {
    Step step;
    step.code = static_cast<uint8_t>(opcode);
    step.node = node;
    step.body.assign(reinterpret_cast<const char*>(&body), sizeof body);
    perform(step);
  };
  for (uint64_t handle = 1; session_->handles.size() > 0; ++handle) {
    ReleaseIn in{};
    in.fh = handle;
    tell(Opcode::release, kRootNode, in);
    tell(Opcode::releasedir, kRootNode, in);
    must(handle < 100'000, "a handle that cannot be closed");
  }
  for (uint64_t node = kRootNode + 1; session_->inodes->size() > 1; ++node) {
    session_->setUnsettled(node, false);
    tell(Opcode::forget, node, ForgetIn{UINT64_MAX});
    must(node < 100'000, "a node that cannot be forgotten", session_->inodes->size());
  }
  must(session_->upcalls.queued() == 0, "upcalls are left");
}

}  // namespace imafs::fuzz
