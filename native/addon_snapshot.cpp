#include "addon_snapshot.hpp"

#include <fcntl.h>
#include <sys/xattr.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "addon_values.hpp"
#include "file_snapshot.hpp"

namespace imafs {
namespace {

using Napi::CallbackInfo;
using Napi::Env;
using Napi::Number;
using Napi::String;
using Napi::Value;

// A descriptor, then the snapshot.
constexpr size_t kFacts = 1 + sizeof(FileSnapshot) / sizeof(int64_t);

// A path as it is given here: a character for each byte.
std::string latin1(Env env, const Value& value) {
  size_t length = 0;
  napi_get_value_string_latin1(env, value, nullptr, 0, &length);
  std::string text(length, '\0');
  napi_get_value_string_latin1(env, value, text.data(), length + 1, &length);
  return text;
}

// (directory | undefined, path, name, into, facts) => value | undefined
Value open(const CallbackInfo& info) {
  const Env env = info.Env();
  const int directory = info[0].IsNumber() ? info[0].As<Number>().Int32Value() : AT_FDCWD;
  const std::string path = latin1(env, info[1]);
  const std::string name = info[2].As<String>().Utf8Value();
  auto into = info[3].As<Napi::Uint8Array>();
  auto facts = info[4].As<Napi::BigInt64Array>();
  if (facts.ElementLength() != kFacts) {
    throwSystemError(env, EINVAL, "the facts of a file");
    return env.Undefined();
  }
  OwnedFd fd;
  FileSnapshot snapshot;
  std::optional<std::vector<uint8_t>> value;
  if (const int error = openSnapshot(directory, path.c_str(), name.c_str(), into.Data(),
                                     into.ByteLength(), fd, snapshot, value)) {
    throwSystemError(env, error, "open " + path);
    return env.Undefined();
  }
  facts[0] = fd.release();
  std::memcpy(facts.Data() + 1, &snapshot, sizeof snapshot);
  if (!value) return env.Undefined();
  return Napi::Buffer<uint8_t>::Copy(env, value->data(), value->size());
}

// (facts, name, value | undefined) => what has changed, and nothing is set then
Value setXattrIfUnchanged(const CallbackInfo& info) {
  const Env env = info.Env();
  const auto facts = info[0].As<Napi::BigInt64Array>();
  const std::string name = info[1].As<String>().Utf8Value();
  const int fd = static_cast<int>(facts.Data()[0]);
  FileSnapshot snapshot;
  std::memcpy(static_cast<void*>(&snapshot), facts.Data() + 1, sizeof snapshot);
  FileChange change = FileChange::content;
  int error = changeSince(fd, snapshot, change);
  if (!error && change == FileChange::none && info[2].IsTypedArray()) {
    const auto value = info[2].As<Napi::Uint8Array>();
    if (::fsetxattr(fd, name.c_str(), value.Data(), value.ByteLength(), 0) != 0) error = errno;
  }
  if (error) {
    throwSystemError(env, error, "setxattr " + name);
    return env.Undefined();
  }
  return Number::New(env, static_cast<int>(change));
}

}  // namespace

void exportSnapshotFunctions(Env env, Napi::Object exports) {
  const auto set = [&](const char* name, auto function) {
    exports.Set(name, Napi::Function::New(env, function, name));
  };
  set("openSnapshot", open);
  set("setXattrIfUnchanged", setXattrIfUnchanged);
}

}  // namespace imafs
