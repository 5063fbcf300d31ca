// Values between C++ and JavaScript, in the shapes of src/binding/addon-types.ts.
#pragma once
#include <napi.h>

#include "processes.hpp"
#include "session.hpp"

namespace imafs {

// An Error with `code` (errno name, "EACCES"), `errno` and `syscall`, thrown in JavaScript.
void throwSystemError(Napi::Env env, int error, const std::string& what);

Napi::Value toValue(Napi::Env env, const UpcallPtr& upcall);
Napi::Value toValue(Napi::Env env, const Notice& notice);
Napi::Object toValue(Napi::Env env, const SessionFacts& facts);
Napi::Object toValue(Napi::Env env, const struct statx& file);
Napi::Object toValue(Napi::Env env, const ProcessFacts& process);
std::vector<std::string> toStrings(const Napi::Value& value);
Napi::Value toValue(Napi::Env env, const XattrValues& xattrs);

SessionOptions toOptions(const Napi::Object& object);
VirtualReply toVirtualReply(const Napi::Object& object);

}  // namespace imafs
