// Signatures over a digest that was computed already. node:crypto verifies ECDSA over the data
// itself alone (crypto.verify() hashes what it is given), so this asks the OpenSSL below it: the
// one that node exports to addons, so nothing is linked.
#include "addon_public_key.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <span>
#include <string>

namespace imafs {

using Napi::CallbackInfo;
using Napi::Number;
using Napi::String;
using Napi::Value;

namespace {

using Bytes = std::span<const uint8_t>;

// OpenSSL's queue of errors is the thread's, and node:crypto would take what is left in it for its
// own.
class ErrorsCleared {
 public:
  ErrorsCleared() = default;
  ~ErrorsCleared() { ERR_clear_error(); }
  ErrorsCleared(const ErrorsCleared&) = delete;
  ErrorsCleared& operator=(const ErrorsCleared&) = delete;
};

struct Free {
  void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};

// Nothing where there are no bytes: that is no key, no digest and no signature.
Bytes bytesOf(const CallbackInfo& info, size_t at) {
  if (!info[at].IsTypedArray()) return {};
  const auto array = info[at].As<Napi::Uint8Array>();
  return {array.Data(), array.ByteLength()};
}

bool isRsa(const EVP_PKEY* key) { return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA; }

bool verifies(EVP_PKEY* key, const std::string& digestName, Bytes digest, Bytes signature) {
  if (digest.empty() || signature.empty()) return false;
  if (digestName.find('\0') != std::string::npos) return false;  // its end, to OpenSSL
  const std::unique_ptr<EVP_MD, Free> kind(EVP_MD_fetch(nullptr, digestName.c_str(), nullptr));
  if (!kind || static_cast<size_t>(EVP_MD_get_size(kind.get())) != digest.size()) return false;
  const std::unique_ptr<EVP_PKEY_CTX, Free> context(EVP_PKEY_CTX_new(key, nullptr));
  if (!context || EVP_PKEY_verify_init(context.get()) != 1) return false;
  if (isRsa(key) && EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1)
    return false;
  // For RSA this demands the digest's DigestInfo around it.
  if (EVP_PKEY_CTX_set_signature_md(context.get(), kind.get()) != 1) return false;
  // 0 is another signature, below 0 something that cannot be one.
  return EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(),
                         digest.size()) == 1;
}

}  // namespace

void PublicKey::Free::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

Napi::Function PublicKey::define(Napi::Env env) {
  return DefineClass(env, "PublicKey",
                     {InstanceMethod("verify", &PublicKey::verify),
                      InstanceAccessor<&PublicKey::algorithm>("algorithm"),
                      InstanceAccessor<&PublicKey::bits>("bits")});
}

PublicKey::PublicKey(const CallbackInfo& info) : Napi::ObjectWrap<PublicKey>(info) {
  const ErrorsCleared cleared;
  const Bytes der = bytesOf(info, 0);
  const uint8_t* at = der.data();
  key_.reset(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  std::string problem;
  if (!key_) {
    const char* reason = ERR_reason_error_string(ERR_peek_last_error());
    problem = std::string("is none that OpenSSL can read") + (reason ? ": " : "") +
              (reason ? reason : "");
  } else if (at != der.data() + der.size()) {
    problem = "has more bytes than it should";
  } else if (!isRsa(key_.get()) && EVP_PKEY_get_base_id(key_.get()) != EVP_PKEY_EC) {
    const char* type = EVP_PKEY_get0_type_name(key_.get());
    problem = std::string("is of type ") + (type ? type : "unknown") + ", not RSA or EC";
  }
  if (problem.empty()) return;
  Napi::Error::New(info.Env(), "the public key (SubjectPublicKeyInfo, DER) " + problem)
      .ThrowAsJavaScriptException();
}

Value PublicKey::verify(const CallbackInfo& info) {
  const ErrorsCleared cleared;
  const std::string digestName = info[0].IsString() ? info[0].As<String>().Utf8Value() : "";
  return Napi::Boolean::New(info.Env(),
                            verifies(key_.get(), digestName, bytesOf(info, 1), bytesOf(info, 2)));
}

Value PublicKey::algorithm(const CallbackInfo& info) {
  return String::New(info.Env(), isRsa(key_.get()) ? "rsa" : "ec");
}

Value PublicKey::bits(const CallbackInfo& info) {
  return Number::New(info.Env(), EVP_PKEY_get_bits(key_.get()));
}

}  // namespace imafs
