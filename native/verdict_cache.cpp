#include "verdict_cache.hpp"

#include <sys/random.h>

#include <mutex>
#include <unordered_map>
#include <utility>

namespace imafs {
namespace {

// One verdict, a member of two lists: its scope's by last use, and its node's.
struct Entry {
  const VerdictKey* key = nullptr;  // the map's own, which never moves
  Verdict verdict;
  Entry *newer = nullptr, *older = nullptr;
  Entry *nodePrevious = nullptr, *nodeNext = nullptr;
};

struct ScopeEntries {
  ScopeState state;
  Entry *newest = nullptr, *oldest = nullptr;
  size_t count = 0;
};

// Seeded, because callers choose ids and can make files until numbers collide.
struct KeyHash {
  uint64_t seed;
  static uint64_t mix(uint64_t sum, uint64_t value) {
    const auto product = static_cast<unsigned __int128>(sum ^ value) * 0x9e3779b97f4a7c15u;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }
  static uint64_t pair(uint32_t high, uint32_t low) { return uint64_t{high} << 32 | low; }
  size_t operator()(const VerdictKey& key) const {
    const Credentials& who = key.subject;
    uint64_t sum = mix(seed, key.node);
    sum = mix(sum, key.scope + key.access);
    sum = mix(sum, pair(who.uid, who.euid));
    sum = mix(sum, pair(who.suid, who.fsuid));
    sum = mix(sum, pair(who.gid, who.egid));
    sum = mix(sum, pair(who.sgid, who.fsgid));
    return mix(sum, who.effective);
  }
};

uint64_t randomSeed() {
  uint64_t seed = 0;
  // Cannot fall short for 8 bytes once the system has booted; 0 would only cost the protection.
  (void)!::getrandom(&seed, sizeof seed, 0);
  return seed | 1;
}

}  // namespace

struct VerdictCache::Impl {
  explicit Impl(size_t most) : capacity(most), verdicts(16, KeyHash{randomSeed()}) {}

  void link(ScopeEntries& scope, Entry& entry) {
    entry.newer = nullptr;
    entry.older = scope.newest;
    (scope.newest ? scope.newest->newer : scope.oldest) = &entry;
    scope.newest = &entry;
    ++scope.count;
  }

  void unlink(ScopeEntries& scope, Entry& entry) {
    (entry.newer ? entry.newer->older : scope.newest) = entry.older;
    (entry.older ? entry.older->newer : scope.oldest) = entry.newer;
    --scope.count;
  }

  void linkNode(Entry& entry) {
    Entry*& first = nodes[entry.key->node];
    entry.nodeNext = first;
    if (first) first->nodePrevious = &entry;
    first = &entry;
  }

  void unlinkNode(Entry& entry) {
    if (entry.nodeNext) entry.nodeNext->nodePrevious = entry.nodePrevious;
    if (entry.nodePrevious) {
      entry.nodePrevious->nodeNext = entry.nodeNext;
    } else if (entry.nodeNext) {
      nodes[entry.key->node] = entry.nodeNext;
    } else {
      nodes.erase(entry.key->node);
    }
  }

  void remove(ScopeEntries& scope, Entry& entry) {
    unlink(scope, entry);
    unlinkNode(entry);
    verdicts.erase(verdicts.find(*entry.key));
  }

  void removeAll(ScopeEntries& scope) {
    while (scope.oldest) remove(scope, *scope.oldest);
  }

  // Scopes are few and this runs only where an upcall was answered, so a walk over them will do.
  void makeRoom() {
    ScopeEntries* largest = nullptr;
    for (auto& [id, scope] : scopes) {
      if (!largest || scope.count > largest->count) largest = &scope;
    }
    if (largest && largest->oldest) remove(*largest, *largest->oldest);
    ++dropped;
  }

  mutable std::mutex mutex;
  const size_t capacity;
  std::unordered_map<VerdictKey, Entry, KeyHash> verdicts;
  std::unordered_map<uint64_t, ScopeEntries> scopes;
  std::unordered_map<uint64_t, Entry*> nodes;
  // One count for all scopes: a scope that is dropped and set again has no generation twice.
  uint64_t lastGeneration = 0;
  uint64_t dropped = 0;
};

VerdictCache::VerdictCache(size_t capacity) : impl_(std::make_unique<Impl>(capacity)) {}
VerdictCache::~VerdictCache() = default;

ScopeState VerdictCache::scope(uint64_t scope) const {
  std::lock_guard lock(impl_->mutex);
  const auto found = impl_->scopes.find(scope);
  return found == impl_->scopes.end() ? ScopeState{} : found->second.state;
}

void VerdictCache::setScope(uint64_t scope, bool readCredentials, bool cacheable) {
  std::lock_guard lock(impl_->mutex);
  ScopeEntries& entries = impl_->scopes[scope];
  impl_->removeAll(entries);
  entries.state = {.generation = ++impl_->lastGeneration,
                   .known = true,
                   .readCredentials = readCredentials,
                   .cacheable = cacheable};
}

void VerdictCache::dropScope(uint64_t scope) {
  std::lock_guard lock(impl_->mutex);
  const auto found = impl_->scopes.find(scope);
  if (found == impl_->scopes.end()) return;
  impl_->removeAll(found->second);
  impl_->scopes.erase(found);
}

std::optional<Verdict> VerdictCache::find(const VerdictKey& key, uint64_t version) {
  std::lock_guard lock(impl_->mutex);
  const auto found = impl_->verdicts.find(key);
  if (found == impl_->verdicts.end()) return std::nullopt;
  Entry& entry = found->second;
  ScopeEntries& scope = impl_->scopes.find(key.scope)->second;
  if (entry.verdict.version != version) {
    impl_->remove(scope, entry);
    ++impl_->dropped;
    return std::nullopt;
  }
  if (entry.newer) {
    impl_->unlink(scope, entry);
    impl_->link(scope, entry);
  }
  return entry.verdict;
}

bool VerdictCache::insert(const VerdictKey& key, Verdict verdict, uint64_t generation) {
  std::lock_guard lock(impl_->mutex);
  const auto known = impl_->scopes.find(key.scope);
  const bool wanted = known != impl_->scopes.end() && known->second.state.cacheable &&
                      known->second.state.generation == generation && impl_->capacity > 0;
  if (!wanted) {
    ++impl_->dropped;
    return false;
  }
  ScopeEntries& scope = known->second;
  if (const auto old = impl_->verdicts.find(key); old != impl_->verdicts.end()) {
    impl_->remove(scope, old->second);
  } else if (impl_->verdicts.size() >= impl_->capacity) {
    impl_->makeRoom();
  }
  const auto place = impl_->verdicts.try_emplace(key).first;
  Entry& entry = place->second;
  entry.key = &place->first;
  entry.verdict = std::move(verdict);
  impl_->link(scope, entry);
  impl_->linkNode(entry);
  return true;
}

void VerdictCache::voidNode(uint64_t node) {
  std::lock_guard lock(impl_->mutex);
  for (;;) {
    const auto found = impl_->nodes.find(node);
    if (found == impl_->nodes.end()) return;
    Entry& entry = *found->second;
    impl_->remove(impl_->scopes.find(entry.key->scope)->second, entry);
  }
}

size_t VerdictCache::size() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->verdicts.size();
}

uint64_t VerdictCache::dropped() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->dropped;
}

}  // namespace imafs
