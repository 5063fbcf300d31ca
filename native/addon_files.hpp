// The functions of src/binding/addon-types.ts that work on one file by its descriptor: leases,
// locks, extended attributes. Usable from any thread of Node.
#pragma once
#include <napi.h>

namespace imafs {

void exportFileFunctions(Napi::Env env, Napi::Object exports);

}  // namespace imafs
