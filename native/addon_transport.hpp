// NativeTransport of src/binding/addon-types.ts: a Session held by a JavaScript object.
#pragma once
#include <napi.h>

#include <atomic>
#include <memory>

#include "session.hpp"

namespace imafs {

class Transport : public Napi::ObjectWrap<Transport> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit Transport(const Napi::CallbackInfo& info);
  void Finalize(Napi::BasicEnv env) override;
  Session& session() { return *session_; }

 private:
  Napi::Value start(const Napi::CallbackInfo& info);
  Napi::Value takeUpcalls(const Napi::CallbackInfo& info);
  void finishOpen(const Napi::CallbackInfo& info);
  void finish(const Napi::CallbackInfo& info);
  void finishVirtual(const Napi::CallbackInfo& info);
  void notifyPoll(const Napi::CallbackInfo& info);
  void setScope(const Napi::CallbackInfo& info);
  void dropScope(const Napi::CallbackInfo& info);
  void voidNode(const Napi::CallbackInfo& info);
  Napi::Value version(const Napi::CallbackInfo& info);
  Napi::Value openCounts(const Napi::CallbackInfo& info);
  Napi::Value takeLease(const Napi::CallbackInfo& info);
  void releaseLease(const Napi::CallbackInfo& info);
  void setUnsettled(const Napi::CallbackInfo& info);
  Napi::Value openBacking(const Napi::CallbackInfo& info);
  Napi::Value counters(const Napi::CallbackInfo& info);
  void unmount(const Napi::CallbackInfo& info);

  // Wakes the JavaScript thread; calls in a row fold into one.
  Napi::ThreadSafeFunction wake_;
  std::shared_ptr<std::atomic<bool>> waking_ = std::make_shared<std::atomic<bool>>(false);
  std::unique_ptr<Session> session_;
};

}  // namespace imafs
