#include "addon_transport.hpp"

#include <errno.h>
#include <unistd.h>

#include "addon_values.hpp"
#include "path_text.hpp"

namespace imafs {

using Napi::BigInt;
using Napi::CallbackInfo;
using Napi::Number;
using Napi::Object;
using Napi::String;

namespace {
uint64_t idOf(const CallbackInfo& info, size_t at) {
  return static_cast<uint64_t>(info[at].As<Number>().Int64Value());
}
uint64_t bigOf(const CallbackInfo& info, size_t at) {
  bool lossless = false;
  return info[at].As<BigInt>().Uint64Value(&lossless);
}
}  // namespace

Napi::Function Transport::define(Napi::Env env) {
  return DefineClass(env, "Transport",
                     {InstanceMethod("start", &Transport::start),
                      InstanceMethod("takeUpcalls", &Transport::takeUpcalls),
                      InstanceMethod("finishOpen", &Transport::finishOpen),
                      InstanceMethod("finish", &Transport::finish),
                      InstanceMethod("finishVirtual", &Transport::finishVirtual),
                      InstanceMethod("notifyPoll", &Transport::notifyPoll),
                      InstanceMethod("setScope", &Transport::setScope),
                      InstanceMethod("dropScope", &Transport::dropScope),
                      InstanceMethod("voidNode", &Transport::voidNode),
                      InstanceMethod("version", &Transport::version),
                      InstanceMethod("openCounts", &Transport::openCounts),
                      InstanceMethod("takeLease", &Transport::takeLease),
                      InstanceMethod("releaseLease", &Transport::releaseLease),
                      InstanceMethod("setUnsettled", &Transport::setUnsettled),
                      InstanceMethod("openBacking", &Transport::openBacking),
                      InstanceMethod("counters", &Transport::counters),
                      InstanceMethod("unmount", &Transport::unmount)});
}

Transport::Transport(const CallbackInfo& info) : Napi::ObjectWrap<Transport>(info) {
  const Napi::Env env = info.Env();
  const auto waking = waking_;
  const auto callback = info[1].As<Napi::Function>();
  wake_ = Napi::ThreadSafeFunction::New(env, callback, "imafs upcalls", 0, 1);
  session_ = std::make_unique<Session>(toOptions(info[0].As<Object>()), [this, waking] {
    if (waking->exchange(true)) return;
    wake_.NonBlockingCall([waking](Napi::Env, Napi::Function onWake) {
      waking->store(false);
      onWake.Call({});
    });
  });
}

void Transport::Finalize(Napi::BasicEnv) {
  session_.reset();
  wake_.Release();
}

Napi::Value Transport::start(const CallbackInfo& info) {
  std::string step;
  if (const int error = session_->start(step)) {
    wake_.Unref(info.Env());
    throwSystemError(info.Env(), error, step);
    return info.Env().Undefined();
  }
  return toValue(info.Env(), session_->facts());
}

Napi::Value Transport::takeUpcalls(const CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto batch = session_->upcalls.take(info[0].As<Number>().Uint32Value());
  Napi::Array out = Napi::Array::New(env);
  uint32_t at = 0;
  for (const Notice& notice : batch.notices) {
    out.Set(at++, toValue(env, notice));
    // The last word: nothing keeps the event loop alive any longer.
    if (notice.kind == Notice::Kind::ended) wake_.Unref(env);
  }
  for (const UpcallPtr& upcall : batch.upcalls) out.Set(at++, toValue(env, upcall));
  return out;
}

void Transport::finishOpen(const CallbackInfo& info) {
  const auto answer = info[1].As<Object>();
  const Napi::Value successor = answer.Get("successor");
  session_->finishOpen(
      idOf(info, 0), answer.Get("errno").As<Number>().Int32Value(),
      answer.Get("remember").ToBoolean().Value(),
      successor.IsString() ? bytesOfPath(successor.As<String>().Utf16Value()) : std::string());
}

void Transport::finish(const CallbackInfo& info) {
  session_->finish(idOf(info, 0), info[1].As<Number>().Int32Value());
}

void Transport::finishVirtual(const CallbackInfo& info) {
  session_->finishVirtual(idOf(info, 0), toVirtualReply(info[1].As<Object>()));
}

void Transport::notifyPoll(const CallbackInfo& info) {
  // From a worker: a notification may wait for locks that the JavaScript thread must not wait for.
  session_->post([session = session_.get(), handle = bigOf(info, 0)](Operations&) {
    session->device.notifyPoll(handle);
  });
}

void Transport::setScope(const CallbackInfo& info) {
  const auto facts = info[1].As<Object>();
  session_->verdicts.setScope(bigOf(info, 0), facts.Get("readCredentials").ToBoolean().Value(),
                              facts.Get("cacheable").ToBoolean().Value());
}

void Transport::dropScope(const CallbackInfo& info) {
  session_->verdicts.dropScope(bigOf(info, 0));
}

void Transport::voidNode(const CallbackInfo& info) { session_->dropVerdicts(idOf(info, 0)); }

Napi::Value Transport::version(const CallbackInfo& info) {
  uint64_t version = 0;
  if (!session_->version(idOf(info, 0), version)) return info.Env().Undefined();
  return Number::New(info.Env(), static_cast<double>(version));
}

Napi::Value Transport::openCounts(const CallbackInfo& info) {
  Object out = Object::New(info.Env());
  uint32_t readers = 0, writers = 0;
  if (const NodePtr node = session_->inodes->find(idOf(info, 0))) {
    std::lock_guard guard(node->lock);
    readers = node->opens - node->writers + node->openingReaders;
    writers = node->writers + node->openingWriters;
  }
  out.Set("readers", Number::New(info.Env(), readers));
  out.Set("writers", Number::New(info.Env(), writers));
  return out;
}

Napi::Value Transport::takeLease(const CallbackInfo& info) {
  int fd = -1;
  bool gone = false;
  const LeaseState state = session_->takeLease(idOf(info, 0), fd, gone);
  Object out = Object::New(info.Env());
  out.Set("state", gone                               ? "gone"
                   : state == LeaseState::granted     ? "granted"
                   : state == LeaseState::unsupported ? "unsupported"
                                                      : "busy");
  if (fd >= 0) out.Set("fd", Number::New(info.Env(), fd));
  return out;
}

void Transport::releaseLease(const CallbackInfo& info) {
  const int fd = info[0].As<Number>().Int32Value();
  dropLease(fd);
  ::close(fd);
}

void Transport::setUnsettled(const CallbackInfo& info) {
  session_->setUnsettled(idOf(info, 0), info[1].ToBoolean().Value());
}

Napi::Value Transport::openBacking(const CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Session::Opened opened;
  const std::string path = bytesOfPath(info[0].As<String>().Utf16Value());
  if (const int error = session_->openBacking(path, opened)) {
    throwSystemError(env, error, "open " + path);
    return env.Undefined();
  }
  Object out = Object::New(env);
  out.Set("node", opened.node
                      ? Number::New(env, static_cast<double>(opened.node->id)).As<Napi::Value>()
                      : env.Undefined());
  out.Set("file", toValue(env, opened.file));
  out.Set("xattrs", toValue(env, opened.xattrs));
  out.Set("fd", Number::New(env, opened.fd.release()));
  return out;
}

Napi::Value Transport::counters(const CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Session& s = *session_;
  Object out = Object::New(env);
  const auto set = [&](const char* name, uint64_t value) {
    out.Set(name, Number::New(env, static_cast<double>(value)));
  };
  set("requests", s.counters.requests);
  set("opens", s.counters.opens);
  set("remembered", s.counters.remembered);
  set("upcalls", s.upcalls.total());
  set("nodes", s.inodes ? s.inodes->size() : 0);
  set("handles", s.handles.size());
  set("backingIds", s.passthrough ? s.passthrough->ids() : 0);
  set("descriptors", s.inodes ? s.inodes->descriptors() : 0);
  set("verdicts", s.verdicts.size());
  set("verdictsDropped", s.verdicts.dropped());
  set("estale", s.counters.estale);
  set("queued", s.upcalls.queued());
  return out;
}

void Transport::unmount(const CallbackInfo& info) {
  if (const int error = session_->unmount(info[0].ToBoolean().Value()))
    throwSystemError(info.Env(), error, "umount " + session_->options.mountpoint);
}

}  // namespace imafs
