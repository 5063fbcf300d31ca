// TypeScript's answers on the virtual tree, in the kernel's form. Nothing of it is ever cached:
// lifetimes are 0, because a name's content differs by reader and namespaces come and go.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cstring>

#include "fuse_protocol.hpp"
#include "session.hpp"

namespace imafs {

using namespace fuse;

namespace {

Attr attributesOf(const VirtualReply& reply) {
  Attr attr{};
  attr.ino = reply.attributes.node | kVirtualBit;
  attr.size = reply.attributes.size;
  attr.mode = reply.attributes.mode;
  attr.uid = reply.attributes.uid;
  attr.gid = reply.attributes.gid;
  attr.nlink = S_ISDIR(reply.attributes.mode) ? 2 : 1;
  attr.blksize = 4096;
  return attr;
}

// Entries from `offset` on, as many as fit; an entry's cookie is the number of the next one.
std::vector<uint8_t> packEntries(const VirtualReply& reply, uint64_t offset, size_t room,
                                 bool plus) {
  std::vector<uint8_t> out;
  uint64_t cookie = offset;
  for (const VirtualEntry& entry : reply.entries) {
    const size_t head = plus ? sizeof(EntryOut) : 0;  // nodeid 0: listed, not looked up
    const size_t size = (head + sizeof(Dirent) + entry.name.size() + 7) & ~size_t{7};
    if (out.size() + size > room) break;
    const size_t start = out.size();
    out.resize(start + size);
    const Dirent dirent{entry.node | kVirtualBit, ++cookie,
                        static_cast<uint32_t>(entry.name.size()), (entry.mode & S_IFMT) >> 12};
    std::memcpy(out.data() + start + head, &dirent, sizeof dirent);
    std::memcpy(out.data() + start + head + sizeof dirent, entry.name.data(), entry.name.size());
  }
  return out;
}

}  // namespace

void Session::finishVirtual(uint64_t id, VirtualReply reply) {
  const UpcallPtr upcall = upcalls.finish(id);
  if (!upcall) return;
  const uint64_t unique = upcall->header.unique;
  if (reply.error) {
    device.error(unique, reply.error);
    return;
  }
  switch (static_cast<Opcode>(upcall->header.opcode)) {
    case Opcode::lookup: {
      EntryOut out{};
      out.nodeid = reply.attributes.node | kVirtualBit;
      out.attr = attributesOf(reply);
      device.reply(unique, &out, sizeof out);
      return;
    }
    case Opcode::getattr:
    case Opcode::setattr: {
      AttrOut out{};
      out.attr = attributesOf(reply);
      device.reply(unique, &out, sizeof out);
      return;
    }
    case Opcode::statx: {
      StatxOut out{};
      out.stat.mask = STATX_BASIC_STATS & ~(STATX_ATIME | STATX_MTIME | STATX_CTIME);
      out.stat.mode = static_cast<uint16_t>(reply.attributes.mode);
      out.stat.ino = reply.attributes.node | kVirtualBit;
      out.stat.size = reply.attributes.size;
      out.stat.uid = reply.attributes.uid;
      out.stat.gid = reply.attributes.gid;
      out.stat.nlink = S_ISDIR(reply.attributes.mode) ? 2 : 1;
      out.stat.blksize = 4096;
      device.reply(unique, &out, sizeof out);
      return;
    }
    case Opcode::open: {
      // Writers go by the call, not by the offset; readers keep their place (lists grow at stable
      // offsets), so only a descriptor that cannot read is a stream.
      const bool writes = (upcall->flags & O_ACCMODE) == O_WRONLY;
      const OpenOut out{reply.handle, kFopenDirectIo | (writes ? kFopenStream : 0), 0};
      device.reply(unique, &out, sizeof out);
      return;
    }
    case Opcode::opendir: {
      const OpenOut out{reply.handle, 0, 0};
      device.reply(unique, &out, sizeof out);
      return;
    }
    case Opcode::read:
    case Opcode::readlink:
      device.reply(unique, reply.data.data(), reply.data.size());
      return;
    case Opcode::write: {
      const WriteOut out{reply.written, 0};
      device.reply(unique, &out, sizeof out);
      return;
    }
    case Opcode::readdir:
    case Opcode::readdirplus: {
      const bool plus = static_cast<Opcode>(upcall->header.opcode) == Opcode::readdirplus;
      const auto packed = packEntries(reply, upcall->offset, upcall->size, plus);
      device.reply(unique, packed.data(), packed.size());
      return;
    }
    case Opcode::poll: {
      const PollOut out{reply.events, 0};
      device.reply(unique, &out, sizeof out);
      return;
    }
    default:
      device.reply(unique, nullptr, 0);
  }
}

}  // namespace imafs
