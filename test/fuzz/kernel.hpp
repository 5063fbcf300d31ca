// The kernel's and TypeScript's place around a session that has no mount and no threads: sends it
// requests, gives it answers, and sees to it that each request is answered once, in a form that the
// kernel takes.
#pragma once
#include <sys/socket.h>

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

#include "operations.hpp"
#include "step.hpp"

namespace imafs::fuzz {

// What stands for /dev/fuse: two ends that messages go through whole, large ones too. Made once, as
// the host's root, who alone may have such buffers.
struct Line {
  Line();
  OwnedFd kernel, session;
};

class Kernel {
 public:
  // On the tree below `backing`. `init`: the body of the first request.
  Kernel(const Line& line, const std::string& backing, const std::string& init);

  // Whether the session agreed to INIT; if not, it is not to be asked anything.
  bool serves() const { return operations_ != nullptr; }
  void perform(const Step& step);
  // Answers what was held back, closes and forgets all, and looks whether anything is left.
  void end();

 private:
  struct Asked {
    fuse::Opcode opcode;

    uint32_t size;  // what it wants at most
  };

  void request(const Step& step);
  void own(const Step& step);
  void remember(uint64_t node, uint32_t access);
  // Serves and answers what is there, until there is no more.
  void settle(uint8_t answer);
  bool answerUpcalls(uint8_t answer);
  void answer(const Upcall& upcall, uint8_t answer);
  VirtualReply virtualReply(const Upcall& upcall, uint8_t answer) const;
  void takeLease(uint64_t node);
  void hearReplies();
  void check(const uint8_t* message, size_t length);

  const Line& line_;
  uint64_t scope_ = 0;
  std::unique_ptr<Session> session_;
  std::unique_ptr<Operations> operations_;
  std::unordered_map<uint64_t, Asked> asked_;
  uint64_t lastUnique_ = 1;
  bool deaf_ = false;
  OwnedFd lease_;
  std::deque<UpcallPtr> held_;
};

}  // namespace imafs::fuzz
