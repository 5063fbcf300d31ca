// Requests on the virtual tree: carried up as they are, TypeScript serves them all.
#include <errno.h>
#include <poll.h>
#include <sys/stat.h>

#include "operations.hpp"

namespace imafs {

using namespace fuse;

void Operations::virtualLookup(const Request& request, const char* name) {
  auto upcall = std::make_shared<Upcall>();
  upcall->kind = UpcallKind::virtualOperation;
  upcall->header = request.header;
  upcall->virtualNode =
      request.header.nodeid & kVirtualBit ? request.header.nodeid & ~kVirtualBit : 0;
  upcall->name = name;
  // Answered alike for everybody: an error here would detach what others mounted on the name.
  upcall->noCaller = fillCaller(request, upcall->caller) != 0;
  session_.upcalls.push(std::move(upcall));
}

void Operations::virtualOperation(const Request& request) {
  auto upcall = std::make_shared<Upcall>();
  upcall->kind = UpcallKind::virtualOperation;
  upcall->header = request.header;
  upcall->virtualNode = request.header.nodeid & ~kVirtualBit;
  bool attributes = false;  // asked on the way to anything, so answered whoever asks
  switch (static_cast<Opcode>(request.header.opcode)) {
    case Opcode::lookup: {
      const char* name = request.name(0);
      return name ? virtualLookup(request, name) : fail(request, EINVAL);
    }
    case Opcode::getattr:
    case Opcode::statx:
      attributes = true;
      break;
    case Opcode::readlink:
      break;
    case Opcode::setattr: {
      const auto* in = request.as<SetattrIn>();
      if (!in) return fail(request, EINVAL);
      // Only truncation can be asked of a virtual file (shells do); times are not kept.
      if (in->valid & (kSetMode | kSetUid | kSetGid)) return fail(request, EPERM);
      upcall->size = static_cast<uint32_t>(in->size);
      attributes = true;
      break;
    }
    case Opcode::open:
    case Opcode::opendir: {
      const auto* in = request.as<OpenIn>();
      if (!in) return fail(request, EINVAL);
      upcall->flags = in->flags;
      break;
    }
    case Opcode::read:
    case Opcode::readdir:
    case Opcode::readdirplus: {
      const auto* in = request.wanting<ReadIn>();
      if (!in) return fail(request, EINVAL);
      upcall->handle = in->fh;
      upcall->offset = in->offset;
      upcall->size = in->size;
      break;
    }
    case Opcode::write: {
      const auto* in = request.as<WriteIn>();
      if (!in || request.size < sizeof(WriteIn) + in->size) return fail(request, EINVAL);
      upcall->handle = in->fh;
      upcall->offset = in->offset;
      upcall->size = in->size;
      const uint8_t* data = request.body + sizeof(WriteIn);
      upcall->value.emplace(data, data + in->size);
      break;
    }
    case Opcode::flush: {
      const auto* in = request.as<FlushIn>();
      if (!in) return fail(request, EINVAL);
      upcall->handle = in->fh;
      break;
    }
    case Opcode::release:
    case Opcode::releasedir: {
      const auto* in = request.as<ReleaseIn>();
      if (!in) return fail(request, EINVAL);
      upcall->handle = in->fh;
      upcall->noCaller = true;
      break;
    }
    case Opcode::poll: {
      const auto* in = request.as<PollIn>();
      if (!in) return fail(request, EINVAL);
      upcall->handle = in->fh;
      upcall->flags = in->events;
      upcall->pollHandle = in->kh;
      upcall->pollNotify = (in->flags & kPollScheduleNotify) != 0;
      break;
    }
    case Opcode::statfs:
      return statfs(request);
    case Opcode::access:
    case Opcode::fsync:
    case Opcode::fsyncdir:
      return succeed(request);
    case Opcode::getxattr:
      return fail(request, ENODATA);
    case Opcode::listxattr: {
      const auto* in = request.as<GetxattrIn>();
      const GetxattrOut none{};
      if (in && in->size > 0) return succeed(request);
      session_.device.reply(request.header.unique, &none, sizeof none);
      return;
    }
    case Opcode::ioctl:
      return fail(request, ENOTTY);
    case Opcode::lseek:
      return fail(request, ESPIPE);
    case Opcode::destroy:
      return succeed(request);
    default:
      return fail(request, EPERM);  // making, moving, removing: not here
  }
  if (!upcall->noCaller) {
    const int error = fillCaller(request, upcall->caller);
    if (error && !attributes) return fail(request, error);
    upcall->noCaller = error != 0;
  }
  session_.upcalls.push(std::move(upcall));
}

}  // namespace imafs
