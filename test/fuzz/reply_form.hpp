// What the kernel takes for an answer (fs/fuse: out_args of each request, fuse_dev_do_write).
#pragma once
#include <cstddef>
#include <cstdint>

#include "fuse_protocol.hpp"

namespace imafs::fuzz {

constexpr bool isAnswered(fuse::Opcode opcode) {
  return opcode != fuse::Opcode::forget && opcode != fuse::Opcode::batch_forget &&
         opcode != fuse::Opcode::interrupt;
}

// Whether `size` bytes behind the header are an answer without an error. `wanted`: what the request
// wanted at most, 0 for getxattr and listxattr that ask for the size.
constexpr bool isForm(fuse::Opcode opcode, uint32_t wanted, size_t size) {
  using fuse::Opcode;
  switch (opcode) {
    case Opcode::lookup:
    case Opcode::mknod:
    case Opcode::mkdir:
    case Opcode::symlink:
    case Opcode::link:
      return size == sizeof(fuse::EntryOut);
    case Opcode::create:
    case Opcode::tmpfile:
      return size == sizeof(fuse::EntryOut) + sizeof(fuse::OpenOut);
    case Opcode::getattr:
    case Opcode::setattr:
      return size == sizeof(fuse::AttrOut);
    case Opcode::statx:
      return size == sizeof(fuse::StatxOut);
    case Opcode::statfs:
      return size == sizeof(fuse::Kstatfs);
    case Opcode::open:
    case Opcode::opendir:
      return size == sizeof(fuse::OpenOut);
    case Opcode::write:
    case Opcode::copy_file_range:
      return size == sizeof(fuse::WriteOut);
    case Opcode::copy_file_range_64:
      return size == sizeof(fuse::CopyFileRangeOut);
    case Opcode::ioctl:
      return size >= sizeof(fuse::IoctlOut) && size - sizeof(fuse::IoctlOut) <= wanted;
    case Opcode::lseek:
      return size == sizeof(fuse::LseekOut);
    case Opcode::poll:
      return size == sizeof(fuse::PollOut);
    case Opcode::readlink:
      return size <= 4096;
    case Opcode::read:
    case Opcode::readdir:
    case Opcode::readdirplus:
      return size <= wanted;
    case Opcode::getxattr:
    case Opcode::listxattr:
      return wanted == 0 ? size == sizeof(fuse::GetxattrOut) : size <= wanted;
    default:
      return size == 0;
  }
}

}  // namespace imafs::fuzz
