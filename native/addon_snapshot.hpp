// Functions of the addon that label files where no mount is, see src/binding/addon-types.ts.
#pragma once
#include <napi.h>

namespace imafs {

void exportSnapshotFunctions(Napi::Env env, Napi::Object exports);

}  // namespace imafs
