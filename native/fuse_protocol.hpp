// The FUSE kernel interface, protocol 7.34 (Linux 5.15) to 7.45 (Linux 6.18), as far as this
// program speaks it. Our own definitions because distributions' <linux/fuse.h> may be older than
// the kernel (Debian 12: 7.38, no passthrough). Layouts are the kernel's ABI and asserted below.
#pragma once
#include <sys/ioctl.h>

#include <cstdint>

namespace imafs::fuse {

constexpr uint32_t kMajor = 7;
constexpr uint32_t kMinor = 45;
constexpr uint32_t kOldestMinor = 34;
constexpr uint64_t kRootNode = 1;

enum class Opcode : uint32_t {
  lookup = 1,
  forget = 2,
  getattr = 3,
  setattr = 4,
  readlink = 5,
  symlink = 6,
  mknod = 8,
  mkdir = 9,
  unlink = 10,
  rmdir = 11,
  rename = 12,
  link = 13,
  open = 14,
  read = 15,
  write = 16,
  statfs = 17,
  release = 18,
  fsync = 20,
  setxattr = 21,
  getxattr = 22,
  listxattr = 23,
  removexattr = 24,
  flush = 25,
  init = 26,
  opendir = 27,
  readdir = 28,
  releasedir = 29,
  fsyncdir = 30,
  access = 34,
  create = 35,
  interrupt = 36,
  destroy = 38,
  ioctl = 39,
  poll = 40,
  batch_forget = 42,
  fallocate = 43,
  readdirplus = 44,
  rename2 = 45,
  lseek = 46,
  copy_file_range = 47,
  syncfs = 50,
  tmpfile = 51,
  statx = 52,
  copy_file_range_64 = 53,
};

// INIT flags; bits 32 and up travel in flags2.
constexpr uint64_t kAsyncRead = 1ull << 0;
constexpr uint64_t kAtomicOTrunc = 1ull << 3;
constexpr uint64_t kExportSupport = 1ull << 4;
constexpr uint64_t kBigWrites = 1ull << 5;
constexpr uint64_t kDontMask = 1ull << 6;
constexpr uint64_t kDoReaddirplus = 1ull << 13;
constexpr uint64_t kReaddirplusAuto = 1ull << 14;
constexpr uint64_t kAsyncDio = 1ull << 15;
constexpr uint64_t kParallelDirops = 1ull << 18;
constexpr uint64_t kPosixAcl = 1ull << 20;
constexpr uint64_t kAbortError = 1ull << 21;
constexpr uint64_t kMaxPages = 1ull << 22;
constexpr uint64_t kSetxattrExt = 1ull << 29;
constexpr uint64_t kInitExt = 1ull << 30;
constexpr uint64_t kPassthrough = 1ull << 37;

// fuse_open_out.open_flags
constexpr uint32_t kFopenDirectIo = 1u << 0;
constexpr uint32_t kFopenKeepCache = 1u << 1;
constexpr uint32_t kFopenStream = 1u << 4;
constexpr uint32_t kFopenNoFlush = 1u << 5;
constexpr uint32_t kFopenPassthrough = 1u << 7;

// setattr_in.valid
constexpr uint32_t kSetMode = 1u << 0;
constexpr uint32_t kSetUid = 1u << 1;
constexpr uint32_t kSetGid = 1u << 2;
constexpr uint32_t kSetSize = 1u << 3;
constexpr uint32_t kSetAtime = 1u << 4;
constexpr uint32_t kSetMtime = 1u << 5;
constexpr uint32_t kSetHandle = 1u << 6;
constexpr uint32_t kSetAtimeNow = 1u << 7;
constexpr uint32_t kSetMtimeNow = 1u << 8;
constexpr uint32_t kSetAny =
    kSetMode | kSetUid | kSetGid | kSetSize | kSetAtime | kSetMtime | kSetAtimeNow | kSetMtimeNow;

constexpr uint32_t kGetattrHandle = 1u << 0;
constexpr uint32_t kSetxattrAclKillSgid = 1u << 0;
constexpr uint32_t kWriteCache = 1u << 0;  // from mapped pages, by any descriptor of the file
constexpr uint32_t kFsyncDatasync = 1u << 0;
constexpr uint32_t kPollScheduleNotify = 1u << 0;

enum class Notify : int32_t { poll = 1, invalInode = 2 };

// __FMODE_EXEC: set in file->f_flags by do_open_execat() only; open(2) masks it off.
constexpr uint32_t kFmodeExec = 0x20;
// O_LARGEFILE of the kernel (the libc's is 0): in every open of a 64-bit program, and in none that
// the kernel makes for itself to carry out an ioctl(2) (fuse_priv_ioctl_prepare()).
#if defined(__arm__) || defined(__aarch64__)
constexpr uint32_t kLargeFile = 0400000;
#else
constexpr uint32_t kLargeFile = 0100000;
#endif

struct InHeader {
  uint32_t len, opcode;
  uint64_t unique, nodeid;
  uint32_t uid, gid, pid;
  uint16_t totalExtlen, padding;
};
struct OutHeader {
  uint32_t len;
  int32_t error;
  uint64_t unique;
};
struct Attr {
  uint64_t ino, size, blocks, atime, mtime, ctime;
  uint32_t atimensec, mtimensec, ctimensec, mode, nlink, uid, gid, rdev, blksize, flags;
};
struct EntryOut {
  uint64_t nodeid, generation, entryValid, attrValid;
  uint32_t entryValidNsec, attrValidNsec;
  Attr attr;
};
struct AttrOut {
  uint64_t attrValid;
  uint32_t attrValidNsec, dummy;
  Attr attr;
};
struct InitIn {
  uint32_t major, minor, maxReadahead, flags, flags2, unused[11];
};
struct InitOut {
  uint32_t major, minor, maxReadahead, flags;
  uint16_t maxBackground, congestionThreshold;
  uint32_t maxWrite, timeGran;
  uint16_t maxPages, mapAlignment;
  uint32_t flags2, maxStackDepth;
  uint16_t requestTimeout, unused[11];
};
struct ForgetIn {
  uint64_t nlookup;
};
struct ForgetOne {
  uint64_t nodeid, nlookup;
};
struct BatchForgetIn {
  uint32_t count, dummy;
};
struct GetattrIn {
  uint32_t flags, dummy;
  uint64_t fh;
};
struct SetattrIn {
  uint32_t valid, padding;
  uint64_t fh, size, lockOwner, atime, mtime, ctime;
  uint32_t atimensec, mtimensec, ctimensec, mode, unused4, uid, gid, unused5;
};
struct MknodIn {
  uint32_t mode, rdev, umask, padding;
};
struct MkdirIn {
  uint32_t mode, umask;
};
struct RenameIn {
  uint64_t newdir;
};
struct Rename2In {
  uint64_t newdir;
  uint32_t flags, padding;
};
struct LinkIn {
  uint64_t oldnodeid;
};
struct OpenIn {
  uint32_t flags, openFlags;
};
struct OpenOut {
  uint64_t fh;
  uint32_t openFlags;
  int32_t backingId;
};
struct CreateIn {
  uint32_t flags, mode, umask, openFlags;
};
struct ReleaseIn {
  uint64_t fh;
  uint32_t flags, releaseFlags;
  uint64_t lockOwner;
};
struct FlushIn {
  uint64_t fh;
  uint32_t unused, padding;
  uint64_t lockOwner;
};
struct ReadIn {
  uint64_t fh, offset;
  uint32_t size, readFlags;
  uint64_t lockOwner;
  uint32_t flags, padding;
};
struct WriteIn {
  uint64_t fh, offset;
  uint32_t size, writeFlags;
  uint64_t lockOwner;
  uint32_t flags, padding;
};
struct WriteOut {
  uint32_t size, padding;
};
struct Kstatfs {
  uint64_t blocks, bfree, bavail, files, ffree;
  uint32_t bsize, namelen, frsize, padding, spare[6];
};
struct FsyncIn {
  uint64_t fh;
  uint32_t fsyncFlags, padding;
};
struct SetxattrIn {
  uint32_t size, flags, setxattrFlags, padding;
};
constexpr uint32_t kSetxattrInCompatSize = 8;  // without kSetxattrExt
struct GetxattrIn {
  uint32_t size, padding;
};
struct GetxattrOut {
  uint32_t size, padding;
};
struct InterruptIn {
  uint64_t unique;
};
struct PollIn {
  uint64_t fh, kh;
  uint32_t flags, events;
};
struct PollOut {
  uint32_t revents, padding;
};
struct NotifyPollOut {
  uint64_t kh;
};
struct NotifyInvalInodeOut {
  uint64_t ino;
  int64_t offset, length;
};
struct FallocateIn {
  uint64_t fh, offset, length;
  uint32_t mode, padding;
};
struct LseekIn {
  uint64_t fh, offset;
  uint32_t whence, padding;
};
struct LseekOut {
  uint64_t offset;
};
struct CopyFileRangeIn {
  uint64_t fhIn, offIn, nodeidOut, fhOut, offOut, len, flags;
};
struct CopyFileRangeOut {
  uint64_t copied;
};
struct IoctlIn {
  uint64_t fh;
  uint32_t flags, cmd;
  uint64_t arg;
  uint32_t inSize, outSize;
};
struct IoctlOut {
  int32_t result;
  uint32_t flags, inIovs, outIovs;
};
struct Dirent {
  uint64_t ino, off;
  uint32_t namelen, type;
};
struct SxTime {
  int64_t sec;
  uint32_t nsec;
  int32_t reserved;
};
struct Statx {
  uint32_t mask, blksize;
  uint64_t attributes;
  uint32_t nlink, uid, gid;
  uint16_t mode, spare0;
  uint64_t ino, size, blocks, attributesMask;
  SxTime atime, btime, ctime, mtime;
  uint32_t rdevMajor, rdevMinor, devMajor, devMinor;
  uint64_t spare2[14];
};
struct StatxIn {
  uint32_t getattrFlags, reserved;
  uint64_t fh;
  uint32_t sxFlags, sxMask;
};
struct StatxOut {
  uint64_t attrValid;
  uint32_t attrValidNsec, flags;
  uint64_t spare[2];
  Statx stat;
};
struct BackingMap {
  int32_t fd;
  uint32_t flags;
  uint64_t padding;
};

constexpr unsigned long kIocClone = _IOR(229, 0, uint32_t);
constexpr unsigned long kIocBackingOpen = _IOW(229, 1, BackingMap);
constexpr unsigned long kIocBackingClose = _IOW(229, 2, uint32_t);

static_assert(sizeof(InHeader) == 40 && sizeof(OutHeader) == 16);
static_assert(sizeof(Attr) == 88 && sizeof(EntryOut) == 128 && sizeof(AttrOut) == 104);
static_assert(sizeof(InitIn) == 64 && sizeof(InitOut) == 64);
static_assert(sizeof(OpenIn) == 8 && sizeof(OpenOut) == 16 && sizeof(CreateIn) == 16);
static_assert(sizeof(ReleaseIn) == 24 && sizeof(FlushIn) == 24 && sizeof(ReadIn) == 40);
static_assert(sizeof(WriteIn) == 40 && sizeof(SetattrIn) == 88 && sizeof(GetattrIn) == 16);
static_assert(sizeof(SetxattrIn) == 16 && sizeof(GetxattrIn) == 8 && sizeof(Kstatfs) == 80);
static_assert(sizeof(MknodIn) == 16 && sizeof(MkdirIn) == 8 && sizeof(Rename2In) == 16);
static_assert(sizeof(FallocateIn) == 32 && sizeof(LseekIn) == 24 && sizeof(CopyFileRangeIn) == 56);
static_assert(sizeof(StatxIn) == 24 && sizeof(StatxOut) == 288 && sizeof(Dirent) == 24);
static_assert(sizeof(IoctlIn) == 32 && sizeof(IoctlOut) == 16 && sizeof(PollIn) == 24);
static_assert(kIocBackingOpen == 0x4010e501 && kIocBackingClose == 0x4004e502);

}  // namespace imafs::fuse
