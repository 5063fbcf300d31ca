// NativePublicKey of src/binding/addon-types.ts: a public key held by a JavaScript object.
#pragma once
#include <napi.h>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

// Of <openssl/types.h>, which the addon's other sources have no need of.
struct evp_pkey_st;
struct evp_pkey_ctx_st;

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
    void operator()(evp_pkey_ctx_st* context) const;
  };
  // Ready to verify signatures over digests of one algorithm.
  struct Verifier {
    std::unique_ptr<evp_pkey_ctx_st, Free> context;
    size_t digestBytes = 0;
  };
  // Null for an algorithm that OpenSSL has not, or not for this key.
  Verifier* verifierFor(const std::string& digestName);
  bool verifies(const std::string& digestName, std::span<const uint8_t> digest,
                std::span<const uint8_t> signature);

  std::unique_ptr<evp_pkey_st, Free> key_;
  // Looking an algorithm up and preparing it takes a quarter of an RSA verification.
  std::map<std::string, Verifier> verifiers_;
};

}  // namespace imafs
