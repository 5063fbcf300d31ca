#include "verdict_cache.hpp"

#include <mutex>
#include <unordered_map>
#include <utility>

#include "keyed_table.hpp"

namespace imafs {
namespace {

struct ScopeEntries;

// What few verdicts have: kept apart, because there may be a hundred thousand of the others.
struct Rare {
  Credentials subject;
  std::string successor;
};

// One verdict, a member of two lists: its scope's by last use, and its node's.
struct Entry {
  ScopeEntries* scope;
  uint64_t node;
  uint32_t access;
  uint64_t version;
  std::unique_ptr<const Rare> rare;  // null: all zero and empty
  Entry *newer = nullptr, *older = nullptr;
  Entry *nodePrevious = nullptr, *nodeNext = nullptr;
};

struct ScopeEntries {
  uint64_t id = 0;
  ScopeState state;
  Entry *newest = nullptr, *oldest = nullptr;
  size_t count = 0;
};

struct ByKey {
  static VerdictKey keyOf(const Entry& entry) {
    return {.scope = entry.scope->id,
            .node = entry.node,
            .access = entry.access,
            .subject = entry.rare ? entry.rare->subject : Credentials{}};
  }
  static uint64_t pair(uint32_t high, uint32_t low) { return uint64_t{high} << 32 | low; }
  static uint64_t hash(uint64_t seed, const VerdictKey& key) {
    const Credentials& who = key.subject;
    uint64_t sum = mixHash(seed, key.node);
    sum = mixHash(sum, key.scope + key.access);
    sum = mixHash(sum, pair(who.uid, who.euid));
    sum = mixHash(sum, pair(who.suid, who.fsuid));
    sum = mixHash(sum, pair(who.gid, who.egid));
    sum = mixHash(sum, pair(who.sgid, who.fsgid));
    return mixHash(sum, who.effective);
  }
};

struct ByNode {
  static uint64_t keyOf(const Entry& entry) { return entry.node; }
  static uint64_t hash(uint64_t seed, uint64_t node) { return mixHash(seed, node); }
};

std::unique_ptr<const Rare> rareOf(const Credentials& subject, std::string successor) {
  if (subject == Credentials{} && successor.empty()) return nullptr;
  return std::make_unique<const Rare>(Rare{subject, std::move(successor)});
}

}  // namespace

struct VerdictCache::Impl {
  explicit Impl(size_t most) : capacity(most) {}

  void link(Entry& entry) {
    ScopeEntries& scope = *entry.scope;
    entry.newer = nullptr;
    entry.older = scope.newest;
    (scope.newest ? scope.newest->newer : scope.oldest) = &entry;
    scope.newest = &entry;
    ++scope.count;
  }

  void unlink(Entry& entry) {
    ScopeEntries& scope = *entry.scope;
    (entry.newer ? entry.newer->older : scope.newest) = entry.older;
    (entry.older ? entry.older->newer : scope.oldest) = entry.newer;
    --scope.count;
  }

  void linkNode(Entry& entry) {
    Entry** first = firstOfNodes.find(entry.node);
    if (!first) {
      firstOfNodes.insert(&entry);
      return;
    }
    entry.nodeNext = *first;
    (*first)->nodePrevious = &entry;
    *first = &entry;
  }

  void unlinkNode(Entry& entry) {
    if (entry.nodeNext) entry.nodeNext->nodePrevious = entry.nodePrevious;
    if (entry.nodePrevious) {
      entry.nodePrevious->nodeNext = entry.nodeNext;
    } else if (entry.nodeNext) {
      *firstOfNodes.find(entry.node) = entry.nodeNext;
    } else {
      firstOfNodes.erase(entry.node);
    }
  }

  // The entry is gone then.
  void remove(Entry& entry) {
    unlink(entry);
    unlinkNode(entry);
    verdicts.erase(ByKey::keyOf(entry));
  }

  void removeAll(ScopeEntries& scope) {
    while (scope.oldest) remove(*scope.oldest);
  }

  // Scopes are few and this runs only where an upcall was answered, so a walk over them will do.
  void makeRoom() {
    ScopeEntries* largest = nullptr;
    for (auto& [id, scope] : scopes) {
      if (!largest || scope.count > largest->count) largest = &scope;
    }
    if (largest && largest->oldest) remove(*largest->oldest);
    ++dropped;
  }

  mutable std::mutex mutex;
  const size_t capacity;
  KeyedTable<std::unique_ptr<Entry>, VerdictKey, ByKey> verdicts;
  KeyedTable<Entry*, uint64_t, ByNode> firstOfNodes;
  std::unordered_map<uint64_t, ScopeEntries> scopes;
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
  entries.id = scope;
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
  const auto* found = impl_->verdicts.find(key);
  if (!found) return std::nullopt;
  Entry& entry = **found;
  if (entry.version != version) {
    impl_->remove(entry);
    ++impl_->dropped;
    return std::nullopt;
  }
  if (entry.newer) {
    impl_->unlink(entry);
    impl_->link(entry);
  }
  return Verdict{entry.version, entry.rare ? entry.rare->successor : std::string()};
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
  if (const auto* old = impl_->verdicts.find(key)) {
    impl_->remove(**old);
  } else if (impl_->verdicts.size() >= impl_->capacity) {
    impl_->makeRoom();
  }
  auto entry =
      std::make_unique<Entry>(Entry{.scope = &known->second,
                                    .node = key.node,
                                    .access = key.access,
                                    .version = verdict.version,
                                    .rare = rareOf(key.subject, std::move(verdict.successor))});
  impl_->link(*entry);
  impl_->linkNode(*entry);
  impl_->verdicts.insert(std::move(entry));
  return true;
}

void VerdictCache::voidNode(uint64_t node) {
  std::lock_guard lock(impl_->mutex);
  while (Entry* const* first = impl_->firstOfNodes.find(node)) impl_->remove(**first);
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
