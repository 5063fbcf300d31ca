// NativePublicKey of src/binding/addon-types.ts: a public key held by a JavaScript object.
#pragma once
#include <napi.h>

#include <memory>

// Of <openssl/types.h>, which the addon's other sources have no need of.
struct evp_pkey_st;

namespace imafs {

class PublicKey : public Napi::ObjectWrap<PublicKey> {
 public:
  static Napi::Function define(Napi::Env env);
  // Of a SubjectPublicKeyInfo in DER; throws in JavaScript if it is none of a kind that is known.
  explicit PublicKey(const Napi::CallbackInfo& info);

 private:
  Napi::Value verify(const Napi::CallbackInfo& info);
  Napi::Value algorithm(const Napi::CallbackInfo& info);
  Napi::Value bits(const Napi::CallbackInfo& info);

  struct Free {
    void operator()(evp_pkey_st* key) const;
  };
  std::unique_ptr<evp_pkey_st, Free> key_;
};

}  // namespace imafs
