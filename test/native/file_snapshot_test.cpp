// needs: file_snapshot.cpp xattrs.cpp
#include "file_snapshot.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cerrno>
#include <cstring>

#include "check.hpp"
#include "child.hpp"

using namespace imafs;

namespace {

struct Opened {
  OwnedFd fd;
  FileSnapshot snapshot;
  std::optional<std::vector<uint8_t>> value;
  uint8_t bytes[8] = {};
  int error = 0;

  explicit Opened(const std::string& path) {
    error =
        openSnapshot(AT_FDCWD, path.c_str(), "user.x", bytes, sizeof bytes, fd, snapshot, value);
  }

  FileChange change() const {
    FileChange change = FileChange::none;
    CHECK_EQ(changeSince(fd.get(), snapshot, change), 0);
    return change;
  }
};

}  // namespace

TEST(content_attribute_and_facts_come_at_once) {
  TemporaryDirectory directory;
  const std::string path = directory.file("f", "content that is longer", 0640);
  Opened bare(path);
  CHECK_EQ(bare.error, 0);
  CHECK(!bare.value);
  CHECK_EQ(bare.snapshot.readBytes, 8);
  CHECK_EQ(bare.snapshot.sizeBytes, 22);
  CHECK_EQ(bare.snapshot.mode, S_IFREG | 0640);
  CHECK(std::memcmp(bare.bytes, "content ", 8) == 0);
  const std::string large(1000, 'v');
  CHECK_EQ(::setxattr(path.c_str(), "user.x", large.data(), large.size(), 0), 0);
  Opened labelled(path);
  CHECK(labelled.value && labelled.value->size() == large.size());
}

TEST(a_change_of_attributes_is_told_from_one_of_content) {
  TemporaryDirectory directory;
  const std::string path = directory.file("f", "content", 0644);
  Opened opened(path);
  CHECK(opened.change() == FileChange::none);
  CHECK_EQ(::chmod(path.c_str(), 0600), 0);
  CHECK(opened.change() == FileChange::attributes);
  CHECK_EQ(::truncate(path.c_str(), 3), 0);
  CHECK(opened.change() == FileChange::content);
}

TEST(no_symlink_is_followed_and_no_fifo_waited_for) {
  TemporaryDirectory directory;
  const std::string path = directory.file("f", "content", 0644);
  const std::string link = directory.name("link"), fifo = directory.name("fifo");
  CHECK_EQ(::symlink(path.c_str(), link.c_str()), 0);
  CHECK_EQ(Opened(link).error, ELOOP);
  CHECK_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  Opened pipe(fifo);
  CHECK_EQ(pipe.error, 0);
  CHECK(S_ISFIFO(pipe.snapshot.mode));
  CHECK_EQ(pipe.snapshot.readBytes, 0);
  Opened missing(path + "-none");
  CHECK_EQ(missing.error, ENOENT);
  CHECK(!missing.fd);
}
