// The addon's functions, see src/binding/addon-types.ts. No state of its own: it can be loaded by
// several threads of Node (the hash workers use leaseStands and the xattr functions).
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <napi.h>

#include "addon_files.hpp"
#include "addon_public_key.hpp"
#include "addon_snapshot.hpp"
#include "addon_transport.hpp"
#include "addon_values.hpp"
#include "processes.hpp"
#include "read_as_caller.hpp"

namespace imafs {
namespace {

using Napi::BigInt;
using Napi::CallbackInfo;
using Napi::Env;
using Napi::Number;
using Napi::Object;
using Napi::String;
using Napi::Value;

// Raised with every change of addon-types.ts.
constexpr int kAbi = 9;

int intOf(const CallbackInfo& info, size_t at) { return info[at].As<Number>().Int32Value(); }

Value scopeValue(Env env, int error, const Scope& scope, const std::string& what) {
  if (error) {
    throwSystemError(env, error, what);
    return env.Undefined();
  }
  Object out = Object::New(env);
  out.Set("scope", BigInt::New(env, scope.id));
  out.Set("scopeName", Number::New(env, static_cast<double>(scope.name)));
  return out;
}

int scopeAt(const std::string& path, Scope& scope) {
  OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return fd ? scopeOfDescriptor(fd.get(), scope) : errno;
}

Value namespaceOf(const CallbackInfo& info) {
  const std::string who =
      info[0].IsString() ? "self" : std::to_string(info[0].As<Number>().Int64Value());
  const std::string path = "/proc/" + who + "/ns/mnt";
  Scope scope;
  return scopeValue(info.Env(), scopeAt(path, scope), scope, path);
}

Value namespaceAt(const CallbackInfo& info) {
  const std::string path = info[0].As<String>().Utf8Value();
  Scope scope;
  return scopeValue(info.Env(), scopeAt(path, scope), scope, path);
}

Value namespaceIdsAreUnique(const CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), scopeIdsAreUnique());
}

Value pinNamespace(const CallbackInfo& info) {
  bool lossless = false;
  const uint64_t wanted = info[1].As<BigInt>().Uint64Value(&lossless);
  const std::string path = info[0].As<String>().Utf8Value();
  OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  // Only that it is gone or nobody's to see may pass for absence.
  if (!fd && errno != ENOENT && errno != ESRCH && errno != EACCES && errno != EINVAL) {
    throwSystemError(info.Env(), errno, path);
    return info.Env().Undefined();
  }
  Scope scope;
  if (!fd || scopeOfDescriptor(fd.get(), scope) != 0 || scope.id != wanted)
    return info.Env().Undefined();
  return Number::New(info.Env(), fd.release());
}

Value namespaceLives(const CallbackInfo& info) {
  bool lossless = false;
  const auto lives = scopeLives(info[0].As<BigInt>().Uint64Value(&lossless));
  if (!lives) return info.Env().Undefined();
  return Napi::Boolean::New(info.Env(), *lives);
}

Value ownerOfNamespace(const CallbackInfo& info) {
  const Env env = info.Env();
  NamespaceOwner owner;
  if (const int error = namespaceOwner(intOf(info, 0), owner)) {
    throwSystemError(env, error, "owner of the mount namespace of a task");
    return env.Undefined();
  }
  Object out = Object::New(env);
  const auto id = [&](const std::optional<uint32_t>& value) -> Value {
    if (!value) return env.Undefined();
    return Number::New(env, *value);
  };
  out.Set("userNamespace", Number::New(env, static_cast<double>(owner.userNamespace)));
  out.Set("rootUid", id(owner.rootUid));
  out.Set("rootGid", id(owner.rootGid));
  return out;
}

Value userNamespaceIsAncestor(const CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), isUserNamespaceAncestor(intOf(info, 0), intOf(info, 1)));
}

class WalkWork : public Napi::AsyncWorker {
 public:
  explicit WalkWork(Napi::Env env) : AsyncWorker(env), deferred_(env) {}
  Napi::Promise promise() { return deferred_.Promise(); }

 protected:
  void Execute() override { walk_ = walkProcesses(); }
  void OnOK() override {
    const auto& found = walk_.processes;
    Napi::Array processes = Napi::Array::New(Env(), found.size());
    for (uint32_t i = 0; i < found.size(); ++i) processes.Set(i, toValue(Env(), found[i]));
    Object out = Object::New(Env());
    out.Set("processes", processes);
    out.Set("isComplete", Napi::Boolean::New(Env(), walk_.complete));
    deferred_.Resolve(out);
  }

 private:
  Napi::Promise::Deferred deferred_;
  ProcessWalk walk_;
};

Value walk(const CallbackInfo& info) {
  auto* work = new WalkWork(info.Env());
  const auto promise = work->promise();
  work->Queue();
  return promise;
}

class ReadWork : public Napi::AsyncWorker {
 public:
  ReadWork(Napi::Env env, ReadAsCallerRequest request)
      : AsyncWorker(env), deferred_(env), request_(std::move(request)) {}
  Napi::Promise promise() { return deferred_.Promise(); }

 protected:
  void Execute() override { error_ = readAsCaller(request_, read_); }
  void OnOK() override {
    if (error_ == 0) {
      const auto& content = read_.content;
      Object out = Object::New(Env());
      out.Set("content", Napi::Buffer<uint8_t>::Copy(Env(), content.data(), content.size()));
      out.Set("file", toValue(Env(), read_.file));
      out.Set("xattrs", toValue(Env(), read_.xattrs));
      out.Set("fsMagic", Number::New(Env(), static_cast<double>(read_.fsMagic)));
      deferred_.Resolve(out);
      return;
    }
    throwSystemError(Env(), error_, "open " + request_.path);
    deferred_.Reject(Env().GetAndClearPendingException().Value());
  }

 private:
  Napi::Promise::Deferred deferred_;
  ReadAsCallerRequest request_;
  FileOfCaller read_;
  int error_ = 0;
};

Value readAs(const CallbackInfo& info) {
  Session& session = Transport::Unwrap(info[0].As<Object>())->session();
  ReadAsCallerRequest request;
  request.tid = intOf(info, 1);
  request.path = info[2].As<String>().Utf8Value();
  request.limit = info[3].As<Number>().Uint32Value();
  request.timeoutMs = intOf(info, 4);
  request.xattrs = toStrings(info[5]);
  request.ownDevice = session.ownDevice();
  request.openBacking = [&session](uint64_t ino) { return session.openBackingInode(ino); };
  auto* work = new ReadWork(info.Env(), std::move(request));
  const auto promise = work->promise();
  work->Queue();
  return promise;
}

Value notify(const CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), notifySupervisor(info[0].As<String>().Utf8Value()));
}

// What is constructed by functions of ours, in each thread of Node anew.
struct Classes {
  Napi::FunctionReference transport, publicKey;
};

Value createTransport(const CallbackInfo& info) {
  return info.Env().GetInstanceData<Classes>()->transport.New({info[0], info[1]});
}

Value publicKey(const CallbackInfo& info) {
  return info.Env().GetInstanceData<Classes>()->publicKey.New({info[0]});
}

Object initialize(Env env, Object exports) {
  // A dozen threads with a heap of their own would keep more memory than all files known.
  ::mallopt(M_ARENA_MAX, 2);
  // Tables that were outgrown give their memory back at once.
  ::mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  env.SetInstanceData(new Classes{.transport = Napi::Persistent(Transport::define(env)),
                                  .publicKey = Napi::Persistent(PublicKey::define(env))});
  exports.Set("abi", Number::New(env, kAbi));
  const auto set = [&](const char* name, auto function) {
    exports.Set(name, Napi::Function::New(env, function, name));
  };
  set("createTransport", createTransport);
  set("publicKey", publicKey);
  exportFileFunctions(env, exports);
  exportSnapshotFunctions(env, exports);
  set("namespaceOf", namespaceOf);
  set("namespaceAt", namespaceAt);
  set("namespaceIdsAreUnique", namespaceIdsAreUnique);
  set("pinNamespace", pinNamespace);
  set("namespaceLives", namespaceLives);
  set("namespaceOwner", ownerOfNamespace);
  set("isUserNamespaceAncestor", userNamespaceIsAncestor);
  set("walkProcesses", walk);
  set("readAsCaller", readAs);
  set("notifySupervisor", notify);
  return exports;
}

}  // namespace

NODE_API_MODULE(imafs, initialize)

}  // namespace imafs
