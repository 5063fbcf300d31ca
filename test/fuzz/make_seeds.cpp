// Writes what the fuzzer begins with: requests of each kind, a few that belong together in a file.
// Usage: make_seeds DIRECTORY
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>

#include <cstdio>
#include <string>

#include "step.hpp"

using namespace imafs::fuse;
using namespace imafs::fuzz;

namespace {

// As request_decoder.cpp makes them, and the first lookups below find them.
constexpr uint64_t kFile = 2, kDirectory = 3, kLink = 4, kMade = 5;
// Bits of an answer; see Kernel::answer().
constexpr uint8_t kDeny = 1, kRemember = 2, kSuccessor = 4, kLease = 8, kSettle = 16, kHold = 128;

std::string name(const char* text) { return std::string(text) + '\0'; }

template <typename Struct>
std::string with(const Struct& in, const std::string& rest = "") {
  return std::string(reinterpret_cast<const char*>(&in), sizeof in) + rest;
}

class Seed {
 public:
  Seed() {
    for (const char* entry : {"f", "d", "l"}) ask(Opcode::lookup, kRootNode, name(entry));
  }
  Seed& ask(Opcode opcode, uint64_t node, const std::string& body = "", uint8_t answer = 0) {
    return add(static_cast<uint8_t>(opcode), node, body, answer);
  }
  Seed& own(Own code, uint64_t node = 0, uint8_t answer = 0, const std::string& body = "") {
    return add(static_cast<uint8_t>(code), node, body, answer);
  }
  bool write(const std::string& path) const {
    FILE* const file = std::fopen(path.c_str(), "we");
    return file && std::fwrite(text_.data(), 1, text_.size(), file) == text_.size() &&
           std::fclose(file) == 0;
  }

 private:
  Seed& add(uint8_t code, uint64_t node, const std::string& body, uint8_t answer) {
    const auto low = static_cast<uint8_t>(node & 0x3f);
    for (const size_t byte : {size_t{code}, size_t(node & kVirtualNode ? kVirtual | low : low),
                              size_t{0}, size_t{answer}, body.size() & 0xff, body.size() >> 8})
      text_ += static_cast<char>(byte);
    text_ += body;
    return *this;
  }

  std::string text_ = std::string(1, '\0');  // the usual INIT
};

Seed opening() {
  return Seed()
      .own(Own::setScope, 0, 3)
      .ask(Opcode::open, kFile, with(OpenIn{O_RDONLY, 0}), kRemember | kSuccessor)
      .ask(Opcode::read, kFile, with(ReadIn{1, 0, 4096, 0, 0, 0, 0}))
      .own(Own::remember, kFile, 0)
      .ask(Opcode::open, kFile, with(OpenIn{O_RDONLY, 0}))
      .own(Own::remember, kFile, 4)
      .ask(Opcode::open, kFile, with(OpenIn{O_RDONLY | kFmodeExec, 0}))
      .ask(Opcode::open, kFile, with(OpenIn{O_RDONLY | kFmodeExec, 0}), kSuccessor)
      .ask(Opcode::open, kFile, with(OpenIn{O_RDWR | O_TRUNC, 0}), kLease)
      .ask(Opcode::open, kFile, with(OpenIn{O_WRONLY, 0}), kDeny)
      .ask(Opcode::open, kFile, with(OpenIn{O_WRONLY | O_APPEND, 0}), kHold)
      .own(Own::answerHeld)
      .ask(Opcode::flush, kFile, with(FlushIn{4, 0, 0, 0}), kSettle)
      .ask(Opcode::release, kFile, with(ReleaseIn{4, 0, 0, 0}))
      .ask(Opcode::forget, kFile, with(ForgetIn{1}));
}

// Requests that a lease is in the way of, and nodes without a descriptor.
Seed waiting() {
  SetattrIn cut{};
  cut.valid = kSetSize;
  return Seed()
      .ask(Opcode::setxattr, kFile, with(SetxattrIn{3, 0, 0, 0}, name("user.guarded") + "abc"))
      .own(Own::takeLease, kFile)
      .ask(Opcode::setattr, kFile, with(cut))
      .own(Own::takeLease, kFile)
      .ask(Opcode::open, kFile, with(OpenIn{O_WRONLY | O_TRUNC, 0}))
      .ask(Opcode::release, kFile, with(ReleaseIn{1, 0, 0, 0}))
      .own(Own::unsettle, kFile, 0)
      .own(Own::giveUpIdle)
      .own(Own::giveUpIdle)
      .ask(Opcode::getattr, kFile, with(GetattrIn{}))
      .own(Own::giveUpIdle)
      .own(Own::giveUpIdle)
      .own(Own::openInode, 0, 0, with(kFile))
      .ask(Opcode::lookup, kDirectory, name("g"));
}

Seed writing() {
  return Seed()
      .ask(Opcode::create, kRootNode, with(CreateIn{O_RDWR, S_IFREG | 0644, 022, 0}, name("n")))
      .ask(Opcode::write, kMade, with(WriteIn{1, 0, 5, 0, 0, 0, 0}, "bytes"))
      .ask(Opcode::fsync, kMade, with(FsyncIn{1, 1, 0}))
      .ask(Opcode::fallocate, kMade, with(FallocateIn{1, 0, 8192, 0, 0}))
      .ask(Opcode::lseek, kMade, with(LseekIn{1, 0, SEEK_HOLE, 0}))
      .ask(Opcode::tmpfile, kDirectory, with(CreateIn{O_RDWR, S_IFREG | 0600, 0, 0}))
      .ask(Opcode::copy_file_range, kMade, with(CopyFileRangeIn{1, 0, kMade, 2, 0, 4096, 0}))
      .ask(Opcode::copy_file_range_64, kMade, with(CopyFileRangeIn{1, 0, kMade, 2, 0, 4096, 0}))
      .ask(Opcode::flush, kMade, with(FlushIn{1, 0, 0, 0}))
      .ask(Opcode::poll, kMade, with(PollIn{1, 0, 0, 5}))
      .ask(Opcode::ioctl, kMade, with(IoctlIn{1, 0, FS_IOC_GETFLAGS, 0, 0, 4}))
      .ask(Opcode::ioctl, kMade, with(IoctlIn{1, 0, FS_IOC_SETFLAGS, 0, 4, 0}, std::string(4, 0)))
      .ask(Opcode::ioctl, kMade, with(IoctlIn{1, 0, FS_IOC_FSGETXATTR, 0, 0, 28}))
      .ask(Opcode::release, kMade, with(ReleaseIn{1, 0, 0, 0}));
}

Seed naming() {
  return Seed()
      .ask(Opcode::mkdir, kRootNode, with(MkdirIn{0755, 0}, name("m")))
      .ask(Opcode::mknod, kMade, with(MknodIn{S_IFREG | 0644, 0, 0, 0}, name("r")))
      .ask(Opcode::symlink, kRootNode, name("s") + name("target"))
      .ask(Opcode::readlink, kLink)
      .ask(Opcode::link, kDirectory, with(LinkIn{kFile}, name("h")))
      .ask(Opcode::rename, kRootNode, with(RenameIn{kDirectory}, name("f") + name("x")))
      .ask(Opcode::rename2, kRootNode, with(Rename2In{kDirectory, 2, 0}, name("s") + name("x")))
      .ask(Opcode::mkdir, kRootNode, with(MkdirIn{0755, 0}, name(".ima")))
      .ask(Opcode::unlink, kDirectory, name("x"))
      .ask(Opcode::rmdir, kRootNode, name("m"))
      .ask(Opcode::open, kFile, with(OpenIn{}))
      .ask(Opcode::batch_forget, 0,
           with(BatchForgetIn{2, 0}, with(ForgetOne{2, 9}) + with(ForgetOne{3, 1})));
}

Seed listing() {
  const ReadIn in{1, 0, 4096, 0, 0, 0, 0};
  return Seed()
      .ask(Opcode::opendir, kRootNode, with(OpenIn{}))
      .ask(Opcode::readdir, kRootNode, with(in))
      .ask(Opcode::readdirplus, kRootNode, with(in))
      .ask(Opcode::fsyncdir, kRootNode, with(FsyncIn{1, 0, 0}))
      .ask(Opcode::releasedir, kRootNode, with(ReleaseIn{1, 0, 0, 0}))
      .ask(Opcode::statfs, kRootNode)
      .ask(Opcode::syncfs, kRootNode)
      .own(Own::openPath, 0, 0, "d/g")
      .own(Own::giveUpIdle)
      .ask(Opcode::opendir, kDirectory, with(OpenIn{}));
}

Seed attributes() {
  SetattrIn in{};
  in.valid = kSetMode | kSetUid | kSetGid | kSetSize | kSetAtimeNow | kSetMtime;
  in.mode = 0600;
  in.size = 3;
  in.mtime = uint64_t{1} << 60;
  Seed seed;
  seed.ask(Opcode::setattr, kFile, with(in)).ask(Opcode::getattr, kFile, with(GetattrIn{}));
  seed.ask(Opcode::statx, kFile, with(StatxIn{})).ask(Opcode::access, kFile);
  for (const char* key : {"user.free", "user.guarded", "security.ima"}) {
    seed.own(Own::unsettle, kFile, 1)
        .ask(Opcode::setxattr, kFile, with(SetxattrIn{3, 0, 1, 0}, name(key) + "abc"))
        .ask(Opcode::getxattr, kFile, with(GetxattrIn{}, name(key)))
        .ask(Opcode::getxattr, kFile, with(GetxattrIn{64, 0}, name(key)), kSettle)
        .ask(Opcode::listxattr, kFile, with(GetxattrIn{256, 0}))
        .ask(Opcode::removexattr, kFile, name(key));
  }
  return seed.ask(Opcode::getxattr, kFile,
                  with(GetxattrIn{64, 0}, name("system.posix_acl_access")));
}

Seed virtualTree() {
  constexpr uint64_t node = kVirtualNode | 1;
  const ReadIn in{1, 0, 4096, 0, 0, 0, 0};
  Seed seed;
  seed.ask(Opcode::lookup, kRootNode, name(".ima"), 12)
      .ask(Opcode::lookup, node, name("policy"), 8);
  seed.ask(Opcode::open, node, with(OpenIn{O_WRONLY, 0}))
      .ask(Opcode::write, node, with(WriteIn{1, 0, 4, 0, 0, 0, 0}, "rule"))
      .ask(Opcode::flush, node, with(FlushIn{1, 0, 0, 0}))
      .ask(Opcode::setattr, node, with(SetattrIn{}))
      .ask(Opcode::poll, node, with(PollIn{1, 1, 1, 1}))
      .ask(Opcode::release, node, with(ReleaseIn{1, 0, 0, 0}))
      .ask(Opcode::opendir, node, with(OpenIn{}));
  for (const Opcode opcode : {Opcode::read, Opcode::readdir, Opcode::readdirplus})
    seed.ask(opcode, node, with(in), 0x34);
  for (const Opcode opcode : {Opcode::getattr, Opcode::statx, Opcode::readlink, Opcode::getxattr,
                              Opcode::listxattr, Opcode::statfs, Opcode::unlink, Opcode::lseek})
    seed.ask(opcode, node, with(in));
  return seed.ask(Opcode::releasedir, node, with(ReleaseIn{1, 0, 0, 0}));
}

// Answers that nobody waits for any more.
Seed unheard() {
  return Seed()
      .ask(Opcode::interrupt, 0, with(InterruptIn{2}))
      .own(Own::deafen)
      .ask(Opcode::lookup, kDirectory, name("g"))
      .ask(Opcode::open, kFile, with(OpenIn{O_RDWR, 0}))
      .ask(Opcode::create, kRootNode, with(CreateIn{O_RDWR, S_IFREG | 0644, 0, 0}, name("n")))
      .ask(Opcode::opendir, kRootNode, with(OpenIn{}))
      .ask(Opcode::destroy, 0);
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) return 2;
  int number = 0;
  for (const auto make :
       {opening, waiting, writing, naming, listing, attributes, virtualTree, unheard})
    if (!make().write(std::string(words[1]) + "/seed" + std::to_string(++number))) return 1;
  return 0;
}
