#include "addon_values.hpp"

#include <errno.h>
#include <string.h>

#include "path_text.hpp"

namespace imafs {

namespace {

using Napi::BigInt;
using Napi::Boolean;
using Napi::Buffer;
using Napi::Env;
using Napi::Number;
using Napi::Object;
using Napi::String;
using Napi::Value;

Value number(Env env, uint64_t value) { return Number::New(env, static_cast<double>(value)); }

std::string deviceText(uint64_t device) {
  return std::to_string(device >> 32) + ":" + std::to_string(device & 0xffffffff);
}

Value bytes(Env env, const std::vector<uint8_t>& data) {
  return Buffer<uint8_t>::Copy(env, data.data(), data.size());
}

// Capability numbers of <linux/capability.h>.
constexpr int kCapSetgid = 6, kCapSetuid = 7, kCapSysAdmin = 21;

Object toValue(Env env, const Credentials& from) {
  const auto has = [&](int capability) {
    return Boolean::New(env, ((from.effective >> capability) & 1) != 0);
  };
  Object to = Object::New(env);
  to.Set("uid", number(env, from.uid));
  to.Set("euid", number(env, from.euid));
  to.Set("suid", number(env, from.suid));
  to.Set("fsuid", number(env, from.fsuid));
  to.Set("gid", number(env, from.gid));
  to.Set("egid", number(env, from.egid));
  to.Set("sgid", number(env, from.sgid));
  to.Set("fsgid", number(env, from.fsgid));
  to.Set("capSetuid", has(kCapSetuid));
  to.Set("capSetgid", has(kCapSetgid));
  to.Set("capSysAdmin", has(kCapSysAdmin));
  return to;
}

Value toValue(Env env, const CallerFacts& from) {
  Object to = Object::New(env);
  to.Set("tid", number(env, static_cast<uint64_t>(from.tid)));
  to.Set("pid", number(env, static_cast<uint64_t>(from.leader)));
  to.Set("scope", BigInt::New(env, from.scopes.thread.id));
  to.Set("scopeName", number(env, from.scopes.thread.name));
  if (from.scopes.ioWorker) {
    Object leader = Object::New(env);
    leader.Set("scope", BigInt::New(env, from.scopes.leader.id));
    leader.Set("scopeName", number(env, from.scopes.leader.name));
    to.Set("leaderScope", leader);
  } else {
    to.Set("leaderScope", env.Undefined());
  }
  to.Set("kernelThread", Boolean::New(env, from.scopes.kernelThread));
  to.Set("credentials", toValue(env, from.credentials));
  to.Set("requestUid", number(env, from.requestUid));
  to.Set("requestGid", number(env, from.requestGid));
  to.Set("borrowed", Boolean::New(env, from.borrowed));
  return to;
}

const char* kindName(UpcallKind kind) {
  switch (kind) {
    case UpcallKind::open:
      return "open";
    case UpcallKind::flush:
      return "flush";
    case UpcallKind::xattrRead:
      return "xattr-read";
    case UpcallKind::xattrChange:
      return "xattr-change";
    case UpcallKind::attributes:
      return "attributes";
    case UpcallKind::virtualOperation:
      return "virtual";
  }
  return "";
}

const char* virtualName(uint32_t opcode) {
  using fuse::Opcode;
  switch (static_cast<Opcode>(opcode)) {
    case Opcode::lookup:
      return "lookup";
    case Opcode::setattr:
      return "setattr";
    case Opcode::readlink:
      return "readlink";
    case Opcode::opendir:
      return "opendir";
    case Opcode::readdir:
    case Opcode::readdirplus:
      return "readdir";
    case Opcode::releasedir:
      return "releasedir";
    case Opcode::open:
      return "open";
    case Opcode::read:
      return "read";
    case Opcode::write:
      return "write";
    case Opcode::flush:
      return "flush";
    case Opcode::release:
      return "release";
    case Opcode::poll:
      return "poll";
    default:
      return "getattr";
  }
}

void fillVirtual(Env env, const Upcall& from, Object& to) {
  to.Set("op", String::New(env, virtualName(from.header.opcode)));
  to.Set("node", number(env, from.virtualNode));
  to.Set("caller", from.noCaller ? env.Undefined() : toValue(env, from.caller));
  to.Set("name", String::New(env, from.name));
  to.Set("handle", number(env, from.handle));
  to.Set("flags", number(env, from.flags));
  to.Set("offset", number(env, from.offset));
  to.Set("size", number(env, from.size));
  to.Set("data", from.value ? bytes(env, *from.value) : env.Undefined());
  to.Set("pollHandle", BigInt::New(env, from.pollHandle));
  to.Set("pollNotify", Boolean::New(env, from.pollNotify));
}

void fillOpen(Env env, const Upcall& from, Object& to) {
  to.Set("flags", number(env, from.flags));
  to.Set("exec", Boolean::New(env, from.exec));
  to.Set("succeeding", Boolean::New(env, from.succeeding));
  to.Set("created", Boolean::New(env, from.created));
  to.Set("nameless", Boolean::New(env, from.nameless));
  to.Set("isNew", Boolean::New(env, from.isNew));
  to.Set("fd", number(env, static_cast<uint64_t>(from.fd.get())));
  to.Set("xattrs", imafs::toValue(env, from.xattrs));
  to.Set("head", bytes(env, from.head));
}

uint32_t uintOf(const Object& object, const char* name) {
  const Value value = object.Get(name);
  return value.IsNumber() ? value.As<Number>().Uint32Value() : 0;
}

uint64_t bigOf(const Object& object, const char* name) {
  const Value value = object.Get(name);
  return value.IsNumber() ? static_cast<uint64_t>(value.As<Number>().Int64Value()) : 0;
}

std::string textOf(const Object& object, const char* name) {
  const Value value = object.Get(name);
  return value.IsString() ? value.As<String>().Utf8Value() : std::string();
}

}  // namespace

void throwSystemError(Env env, int error, const std::string& what) {
  const char* name = ::strerrorname_np(error);
  Napi::Error thrown = Napi::Error::New(
      env, std::string(name ? name : "E?") + ": " + ::strerror(error) + ", " + what);
  thrown.Set("code", String::New(env, name ? name : "EIO"));
  thrown.Set("errno", number(env, static_cast<uint64_t>(error)));
  thrown.Set("syscall", String::New(env, what));
  thrown.ThrowAsJavaScriptException();
}

Value toValue(Env env, const XattrValues& xattrs) {
  Napi::Array to = Napi::Array::New(env, xattrs.size());
  for (uint32_t i = 0; i < xattrs.size(); ++i)
    to.Set(i, xattrs[i] ? bytes(env, *xattrs[i]) : env.Undefined());
  return to;
}

Object toValue(Env env, const struct statx& from) {
  Object to = Object::New(env);
  to.Set("ino", BigInt::New(env, static_cast<uint64_t>(from.stx_ino)));
  to.Set("device", String::New(env, deviceText(deviceOf(from))));
  to.Set("mode", number(env, from.stx_mode));
  to.Set("uid", number(env, from.stx_uid));
  to.Set("gid", number(env, from.stx_gid));
  to.Set("size", number(env, from.stx_size));
  return to;
}

Value toValue(Env env, const UpcallPtr& upcall) {
  const Upcall& from = *upcall;
  Object to = Object::New(env);
  to.Set("kind", String::New(env, kindName(from.kind)));
  to.Set("id", number(env, from.id));
  if (from.kind == UpcallKind::virtualOperation) {
    fillVirtual(env, from, to);
    return to;
  }
  to.Set("node", number(env, from.node->id));
  to.Set("caller", toValue(env, from.caller));
  to.Set("file", toValue(env, from.facts.file));
  to.Set("version", number(env, from.facts.version));
  to.Set("fresh", Boolean::New(env, from.facts.fresh));
  to.Set("path", String::New(env, textOfPath(from.facts.path)));
  to.Set("writers", number(env, from.facts.writers));
  if (from.kind == UpcallKind::open) fillOpen(env, from, to);
  if (from.kind == UpcallKind::attributes) to.Set("truncated", Boolean::New(env, from.truncated));
  if (from.kind == UpcallKind::xattrRead || from.kind == UpcallKind::xattrChange)
    to.Set("name", String::New(env, from.name));
  if (from.kind == UpcallKind::xattrChange)
    to.Set("value", from.value ? bytes(env, *from.value) : env.Undefined());
  return to;
}

Value toValue(Env env, const Notice& notice) {
  Object to = Object::New(env);
  switch (notice.kind) {
    case Notice::Kind::released:
      to.Set("kind", String::New(env, "released"));
      to.Set("node", number(env, notice.node));
      to.Set("writers", number(env, notice.writers));
      break;
    case Notice::Kind::forgotten: {
      to.Set("kind", String::New(env, "forgotten"));
      Napi::Array nodes = Napi::Array::New(env, notice.nodes.size());
      for (uint32_t i = 0; i < notice.nodes.size(); ++i) nodes.Set(i, number(env, notice.nodes[i]));
      to.Set("nodes", nodes);
      break;
    }
    case Notice::Kind::ended:
      to.Set("kind", String::New(env, "ended"));
      to.Set("error", notice.error.empty() ? env.Undefined() : String::New(env, notice.error));
      break;
  }
  return to;
}

Object toValue(Env env, const SessionFacts& facts) {
  const char* const options[] = {"off", "ro", "rw"};
  Object to = Object::New(env);
  to.Set("protocolMinor", number(env, facts.protocolMinor));
  to.Set("passthrough", String::New(env, options[static_cast<int>(facts.passthrough)]));
  to.Set("stackDepth", number(env, facts.stackDepth));
  to.Set("fileHandles", Boolean::New(env, facts.fileHandles));
  to.Set("leases", Boolean::New(env, facts.leases));
  to.Set("fsMagic", number(env, facts.fsMagic));
  to.Set("fsUuid", facts.fsUuid.empty() ? env.Undefined() : String::New(env, facts.fsUuid));
  to.Set("device", String::New(env, deviceText(facts.device)));
  to.Set("readers", number(env, facts.readers));
  return to;
}

Object toValue(Env env, const ProcessFacts& from) {
  Object to = Object::New(env);
  to.Set("pid", number(env, static_cast<uint64_t>(from.pid)));
  to.Set("parent", number(env, static_cast<uint64_t>(from.parent)));
  to.Set("startTime", BigInt::New(env, from.startTime));
  to.Set("scope", BigInt::New(env, from.scope.id));
  to.Set("scopeName", number(env, from.scope.name));
  to.Set("userNamespace", number(env, from.userNamespace));
  to.Set("pidNamespace", number(env, from.pidNamespace));
  to.Set("cgroup", String::New(env, from.cgroup));
  to.Set("uid", number(env, from.uid));
  return to;
}

SessionOptions toOptions(const Object& object) {
  SessionOptions options;
  options.backing = textOf(object, "backing");
  options.mountpoint = textOf(object, "mountpoint");
  options.source = textOf(object, "source");
  options.virtualName = textOf(object, "virtualName");
  options.mountFlags = uintOf(object, "mountFlags");
  options.anonymousId = uintOf(object, "anonymousId");
  const std::string passthrough = textOf(object, "passthrough");
  options.passthrough = passthrough == "rw"   ? PassthroughOption::readWrite
                        : passthrough == "ro" ? PassthroughOption::readOnly
                                              : PassthroughOption::off;
  options.guardedXattrs = toStrings(object.Get("guardedXattrs"));
  return options;
}

std::vector<std::string> toStrings(const Value& value) {
  const Napi::Array from = value.As<Napi::Array>();
  std::vector<std::string> strings;
  for (uint32_t i = 0; i < from.Length(); ++i)
    strings.push_back(from.Get(i).As<String>().Utf8Value());
  return strings;
}

VirtualReply toVirtualReply(const Object& object) {
  VirtualReply reply;
  reply.error = static_cast<int>(uintOf(object, "errno"));
  if (const Value value = object.Get("attributes"); value.IsObject()) {
    const Object attributes = value.As<Object>();
    reply.attributes.node = bigOf(attributes, "node");
    reply.attributes.size = bigOf(attributes, "size");
    reply.attributes.mode = uintOf(attributes, "mode");
    reply.attributes.uid = uintOf(attributes, "uid");
    reply.attributes.gid = uintOf(attributes, "gid");
  }
  reply.handle = bigOf(object, "handle");
  reply.written = uintOf(object, "written");
  reply.events = uintOf(object, "events");
  if (const Value value = object.Get("data"); value.IsTypedArray()) {
    const auto data = value.As<Napi::Uint8Array>();
    reply.data.assign(data.Data(), data.Data() + data.ByteLength());
  }
  if (const Value value = object.Get("entries"); value.IsArray()) {
    const Napi::Array entries = value.As<Napi::Array>();
    for (uint32_t i = 0; i < entries.Length(); ++i) {
      const Object entry = entries.Get(i).As<Object>();
      reply.entries.push_back({textOf(entry, "name"), bigOf(entry, "node"), uintOf(entry, "mode")});
    }
  }
  return reply;
}

}  // namespace imafs
