#include "addon_files.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "addon_values.hpp"
#include "lease.hpp"
#include "verity.hpp"

namespace imafs {
namespace {

using Napi::CallbackInfo;
using Napi::Env;
using Napi::Number;
using Napi::Object;
using Napi::String;
using Napi::Value;

int intOf(const CallbackInfo& info, size_t at) { return info[at].As<Number>().Int32Value(); }

Value leaseStandsOn(const CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), leaseStands(intOf(info, 0)));
}

void setXattr(const CallbackInfo& info) {
  const int fd = intOf(info, 0);
  const std::string name = info[1].As<String>().Utf8Value();
  int done;
  if (info[2].IsTypedArray()) {
    const auto value = info[2].As<Napi::Uint8Array>();
    done = ::fsetxattr(fd, name.c_str(), value.Data(), value.ByteLength(), 0);
  } else {
    done = ::fremovexattr(fd, name.c_str());
  }
  if (done != 0) throwSystemError(info.Env(), errno, "setxattr " + name);
}

Value getXattr(const CallbackInfo& info) {
  const std::string name = info[1].As<String>().Utf8Value();
  const auto values = readXattrs(intOf(info, 0), {name});
  if (!values[0]) return info.Env().Undefined();
  return Napi::Buffer<uint8_t>::Copy(info.Env(), values[0]->data(), values[0]->size());
}

Value isBeingWritten(const CallbackInfo& info) {
  const LeaseState state = probeWriters(intOf(info, 0));
  if (state == LeaseState::unsupported) return info.Env().Undefined();
  return Napi::Boolean::New(info.Env(), state == LeaseState::busy);
}

Value isOpenElsewhere(const CallbackInfo& info) {
  const auto answer = probeOthers(intOf(info, 0));
  if (!answer) return info.Env().Undefined();
  return Napi::Boolean::New(info.Env(), *answer);
}

// The lock lasts as long as the descriptor, so as long as the process at most.
Value lockFile(const CallbackInfo& info) {
  const Env env = info.Env();
  const std::string path = info[0].As<String>().Utf8Value();
  OwnedFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    throwSystemError(env, errno, "lock " + path);
    return env.Undefined();
  }
  return Number::New(env, fd.release());
}

void closeDescriptor(const CallbackInfo& info) { ::close(intOf(info, 0)); }

Value verityDigestOf(const CallbackInfo& info) {
  const Env env = info.Env();
  std::optional<VerityDigest> digest;
  if (const int error = verityDigest(intOf(info, 0), digest)) {
    throwSystemError(env, error, "ioctl for the fs-verity digest");
    return env.Undefined();
  }
  if (!digest) return env.Undefined();
  Object out = Object::New(env);
  out.Set("algorithm", String::New(env, digest->algorithm));
  out.Set("digest", Napi::Buffer<uint8_t>::Copy(env, digest->bytes.data(), digest->size));
  return out;
}

}  // namespace

void exportFileFunctions(Env env, Object exports) {
  const auto set = [&](const char* name, auto function) {
    exports.Set(name, Napi::Function::New(env, function, name));
  };
  set("leaseStands", leaseStandsOn);
  set("setXattr", setXattr);
  set("getXattr", getXattr);
  set("closeDescriptor", closeDescriptor);
  set("lockFile", lockFile);
  set("isBeingWritten", isBeingWritten);
  set("isOpenElsewhere", isOpenElsewhere);
  set("verityDigest", verityDigestOf);
}

}  // namespace imafs
