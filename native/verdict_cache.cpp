#include "verdict_cache.hpp"

#include <mutex>
#include <unordered_map>
#include <utility>

#include "interned.hpp"
#include "keyed_table.hpp"
#include "slab.hpp"

namespace imafs {
namespace {

constexpr uint32_t kNone = 0;  // the number of no entry and of no scope

// A mount namespace that callers come from.
constexpr size_t kMostScopes = size_t{1} << 20;

// One verdict, a member of two lists: its scope's by last use, and its node's. There may be a
// hundred thousand of them: what they refer to, they refer to by number.
struct Entry {
  uint64_t node;
  uint64_t version;
  uint32_t scope, access, subject, successor;
  uint32_t newer = kNone, older = kNone;
  uint32_t nodePrevious = kNone, nodeNext = kNone;
};

struct ScopeEntries {
  uint64_t id = 0;
  ScopeState state;
  uint32_t newest = kNone, oldest = kNone;
  size_t count = 0;
};

uint64_t pair(uint32_t high, uint32_t low) { return uint64_t{high} << 32 | low; }

struct SubjectHashing {
  static uint64_t hash(uint64_t seed, const Credentials& who) {
    uint64_t sum = mixHash(seed, pair(who.uid, who.euid));
    sum = mixHash(sum, pair(who.suid, who.fsuid));
    sum = mixHash(sum, pair(who.gid, who.egid));
    sum = mixHash(sum, pair(who.sgid, who.fsgid));
    return mixHash(sum, who.effective);
  }
};

struct TextHashing {
  static uint64_t hash(uint64_t seed, const std::string& text) {
    uint64_t sum = mixHash(seed, text.size());
    for (size_t at = 0; at < text.size(); at += sizeof(uint64_t)) {
      uint64_t word = 0;
      text.copy(reinterpret_cast<char*>(&word), sizeof word, at);
      sum = mixHash(sum, word);
    }
    return sum;
  }
};

using Subjects = Interned<Credentials, SubjectHashing>;
using Successors = Interned<std::string, TextHashing>;

// All that an entry's key is made of.
struct Entries {
  explicit Entries(size_t capacity)
      : entries(capacity), scopes(kMostScopes), subjects(capacity), successors(capacity) {}
  Slab<Entry> entries;
  Slab<ScopeEntries> scopes;
  Subjects subjects;
  Successors successors;
};

struct ByKey {
  using Key = VerdictKey;
  const Entries* all;
  VerdictKey keyOf(uint32_t number) const {
    const Entry& entry = all->entries[number];
    return {.scope = all->scopes[entry.scope].id,
            .node = entry.node,
            .access = entry.access,
            .subject = all->subjects[entry.subject]};
  }
  static uint64_t hash(uint64_t seed, const VerdictKey& key) {
    const uint64_t sum = mixHash(mixHash(seed, key.node), key.scope + key.access);
    return SubjectHashing::hash(sum, key.subject);
  }
};

struct ByNode {
  using Key = uint64_t;
  const Entries* all;
  uint64_t keyOf(uint32_t number) const { return all->entries[number].node; }
  static uint64_t hash(uint64_t seed, uint64_t node) { return mixHash(seed, node); }
};

}  // namespace

struct VerdictCache::Impl {
  explicit Impl(size_t most) : capacity(most), all(most) {}

  Entry& at(uint32_t number) { return all.entries[number]; }
  ScopeEntries& scopeOf(const Entry& entry) { return all.scopes[entry.scope]; }

  void link(uint32_t number) {
    Entry& entry = at(number);
    ScopeEntries& scope = scopeOf(entry);
    entry.newer = kNone;
    entry.older = scope.newest;
    (scope.newest ? at(scope.newest).newer : scope.oldest) = number;
    scope.newest = number;
    ++scope.count;
  }

  void unlink(const Entry& entry) {
    ScopeEntries& scope = scopeOf(entry);
    (entry.newer ? at(entry.newer).older : scope.newest) = entry.older;
    (entry.older ? at(entry.older).newer : scope.oldest) = entry.newer;
    --scope.count;
  }

  void linkNode(uint32_t number) {
    Entry& entry = at(number);
    const uint32_t first = firstOfNodes.find(entry.node);
    if (first == kNone) {
      firstOfNodes.insert(number);
      return;
    }
    entry.nodeNext = first;
    at(first).nodePrevious = number;
    firstOfNodes.replace(entry.node, number);
  }

  void unlinkNode(const Entry& entry) {
    if (entry.nodeNext) at(entry.nodeNext).nodePrevious = entry.nodePrevious;
    if (entry.nodePrevious) {
      at(entry.nodePrevious).nodeNext = entry.nodeNext;
    } else if (entry.nodeNext) {
      firstOfNodes.replace(entry.node, entry.nodeNext);
    } else {
      firstOfNodes.erase(entry.node);
    }
  }

  // kNone: there is no memory for it.
  uint32_t make(uint32_t scope, const VerdictKey& key, const Verdict& verdict) {
    const uint32_t subject = all.subjects.take(key.subject);
    const uint32_t successor = all.successors.take(verdict.successor);
    uint32_t number = kNone;
    if (all.subjects[subject] == key.subject && all.successors[successor] == verdict.successor)
      number = all.entries.make(Entry{.node = key.node,
                                      .version = verdict.version,
                                      .scope = scope,
                                      .access = key.access,
                                      .subject = subject,
                                      .successor = successor});
    if (number == kNone) {
      all.subjects.release(subject);
      all.successors.release(successor);
    }
    return number;
  }

  // The entry is gone then.
  void remove(uint32_t number) {
    const Entry entry = at(number);
    unlink(entry);
    unlinkNode(entry);
    verdicts.erase(ByKey{&all}.keyOf(number));
    all.subjects.release(entry.subject);
    all.successors.release(entry.successor);
    all.entries.destroy(number);
  }

  void removeAll(const ScopeEntries& scope) {
    while (scope.oldest) remove(scope.oldest);
  }

  // Scopes are few and this runs only where an upcall was answered, so a walk over them will do.
  void makeRoom() {
    const ScopeEntries* largest = nullptr;
    for (const auto& [id, number] : scopes) {
      const ScopeEntries& scope = all.scopes[number];
      if (!largest || scope.count > largest->count) largest = &scope;
    }
    if (largest && largest->oldest) remove(largest->oldest);
    ++dropped;
  }

  mutable std::mutex mutex;
  const size_t capacity;
  Entries all;
  KeyedTable<ByKey> verdicts{ByKey{&all}};
  KeyedTable<ByNode> firstOfNodes{ByNode{&all}};
  std::unordered_map<uint64_t, uint32_t> scopes;  // their numbers by id
  // One count for all scopes: a scope that is dropped and set again has no generation twice.
  uint64_t lastGeneration = 0;
  uint64_t dropped = 0;
};

VerdictCache::VerdictCache(size_t capacity) : impl_(std::make_unique<Impl>(capacity)) {}
VerdictCache::~VerdictCache() = default;

ScopeState VerdictCache::scope(uint64_t scope) const {
  std::lock_guard lock(impl_->mutex);
  const auto found = impl_->scopes.find(scope);
  return found == impl_->scopes.end() ? ScopeState{} : impl_->all.scopes[found->second].state;
}

void VerdictCache::setScope(uint64_t scope, bool readCredentials, bool cacheable) {
  std::lock_guard lock(impl_->mutex);
  uint32_t& number = impl_->scopes[scope];
  if (number == kNone) number = impl_->all.scopes.make();
  if (number == kNone) {
    impl_->scopes.erase(scope);  // no memory: an unknown scope remembers nothing
    return;
  }
  ScopeEntries& entries = impl_->all.scopes[number];
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
  impl_->removeAll(impl_->all.scopes[found->second]);
  impl_->all.scopes.destroy(found->second);
  impl_->scopes.erase(found);
}

std::optional<Verdict> VerdictCache::find(const VerdictKey& key, uint64_t version) {
  std::lock_guard lock(impl_->mutex);
  const uint32_t number = impl_->verdicts.find(key);
  if (number == kNone) return std::nullopt;
  const Entry& entry = impl_->at(number);
  if (entry.version != version) {
    impl_->remove(number);
    ++impl_->dropped;
    return std::nullopt;
  }
  if (entry.newer) {
    impl_->unlink(entry);
    impl_->link(number);
  }
  return Verdict{entry.version, impl_->all.successors[entry.successor]};
}

bool VerdictCache::insert(const VerdictKey& key, Verdict verdict, uint64_t generation) {
  std::lock_guard lock(impl_->mutex);
  const auto known = impl_->scopes.find(key.scope);
  const ScopeState state =
      known == impl_->scopes.end() ? ScopeState{} : impl_->all.scopes[known->second].state;
  if (!state.cacheable || state.generation != generation || impl_->capacity == 0) {
    ++impl_->dropped;
    return false;
  }
  if (const uint32_t old = impl_->verdicts.find(key)) {
    impl_->remove(old);
  } else if (impl_->verdicts.size() >= impl_->capacity) {
    impl_->makeRoom();
  }
  const uint32_t number = impl_->make(known->second, key, verdict);
  if (number == kNone) {
    ++impl_->dropped;
    return false;
  }
  impl_->link(number);
  impl_->linkNode(number);
  impl_->verdicts.insert(number);
  return true;
}

void VerdictCache::voidNode(uint64_t node) {
  std::lock_guard lock(impl_->mutex);
  while (const uint32_t first = impl_->firstOfNodes.find(node)) impl_->remove(first);
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
