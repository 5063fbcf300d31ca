// Verdicts remembered for opens without write access: (scope, subject, access, node) -> allowed,
// while the node's version and the scope's generation stand. Bounded, with a fair share for each
// scope.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "caller.hpp"

namespace imafs {

struct VerdictKey {
  uint64_t scope = 0;
  uint64_t node = 0;
  // Access bits as operations_open packs them: exec, succeeding, O_DIRECT, access mode.
  uint32_t access = 0;
  // All zero where the scope does not read credentials.
  Credentials subject;
  bool operator==(const VerdictKey&) const = default;
};

struct Verdict {
  uint64_t version = 0;
  // Name that the thread is expected to exec-open next; empty: none.
  std::string successor;
};

struct ScopeState {
  uint64_t generation = 0;
  bool known = false;
  bool readCredentials = false;
  bool cacheable = false;
};

class VerdictCache {
 public:
  // `capacity` in verdicts over all scopes; one scope may hold at most a fair share of it while
  // others want room (oldest of the largest scope goes first).
  explicit VerdictCache(size_t capacity);
  ~VerdictCache();

  // Facts of a scope; unknown scopes have known == false and remember nothing.
  ScopeState scope(uint64_t scope) const;
  // Sets facts and moves the generation, which voids all verdicts of the scope.
  void setScope(uint64_t scope, bool readCredentials, bool cacheable);
  void dropScope(uint64_t scope);

  // The verdict if one stands for exactly this version; an outdated one is removed on the way.
  std::optional<Verdict> find(const VerdictKey& key, uint64_t version);
  // False (and nothing kept) if the scope is unknown, uncacheable, or its generation is not
  // `generation`.
  bool insert(const VerdictKey& key, Verdict verdict, uint64_t generation);
  void voidNode(uint64_t node);

  size_t size() const;
  // How many inserts were refused or verdicts dropped for room or staleness.
  uint64_t dropped() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imafs
