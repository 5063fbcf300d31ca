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

struct FreeDigest {
  void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
};

// Nothing where there are no bytes: that is no key, no digest and no signature.
Bytes bytesOf(const CallbackInfo& info, size_t at) {
  if (!info[at].IsTypedArray()) return {};
  const auto array = info[at].As<Napi::Uint8Array>();
  return {array.Data(), array.ByteLength()};
}

bool isRsa(const EVP_PKEY* key) { return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA; }

}  // namespace

void PublicKey::Free::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

void PublicKey::Free::operator()(evp_pkey_ctx_st* context) const { EVP_PKEY_CTX_free(context); }

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

PublicKey::Verifier* PublicKey::verifierFor(const std::string& digestName) {
  if (const auto known = verifiers_.find(digestName); known != verifiers_.end())
    return &known->second;
  if (digestName.find('\0') != std::string::npos) return nullptr;  // its end, to OpenSSL
  const std::unique_ptr<EVP_MD, FreeDigest> kind(
      EVP_MD_fetch(nullptr, digestName.c_str(), nullptr));
  Verifier made{decltype(Verifier::context)(EVP_PKEY_CTX_new(key_.get(), nullptr)), 0};
  EVP_PKEY_CTX* const context = made.context.get();
  if (!kind || !context || EVP_PKEY_verify_init(context) != 1) return nullptr;
  if (isRsa(key_.get()) && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) != 1)
    return nullptr;
  // For RSA this demands the digest's DigestInfo around it.
  if (EVP_PKEY_CTX_set_signature_md(context, kind.get()) != 1) return nullptr;
  made.digestBytes = static_cast<size_t>(EVP_MD_get_size(kind.get()));
  return &verifiers_.emplace(digestName, std::move(made)).first->second;
}

bool PublicKey::verifies(const std::string& digestName, Bytes digest, Bytes signature) {
  if (digest.empty() || signature.empty()) return false;
  const Verifier* const verifier = verifierFor(digestName);
  if (!verifier || verifier->digestBytes != digest.size()) return false;
  // 0 is another signature, below 0 something that cannot be one.
  return EVP_PKEY_verify(verifier->context.get(), signature.data(), signature.size(), digest.data(),
                         digest.size()) == 1;
}

Value PublicKey::verify(const CallbackInfo& info) {
  const ErrorsCleared cleared;
  const std::string digestName = info[0].IsString() ? info[0].As<String>().Utf8Value() : "";
  return Napi::Boolean::New(info.Env(), verifies(digestName, bytesOf(info, 1), bytesOf(info, 2)));
}

Value PublicKey::algorithm(const CallbackInfo& info) {
  return String::New(info.Env(), isRsa(key_.get()) ? "rsa" : "ec");
}

Value PublicKey::bits(const CallbackInfo& info) {
  return Number::New(info.Env(), EVP_PKEY_get_bits(key_.get()));
}

}  // namespace imafs
