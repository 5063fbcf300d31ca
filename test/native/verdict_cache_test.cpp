// needs: verdict_cache.cpp
#include "verdict_cache.hpp"

#include <thread>
#include <vector>

#include "check.hpp"

using namespace imafs;

namespace {

VerdictKey keyOf(uint64_t scope, uint64_t node, uint32_t access = 0) {
  VerdictKey key;
  key.scope = scope;
  key.node = node;
  key.access = access;
  return key;
}

uint64_t generationOf(const VerdictCache& cache, uint64_t scope) {
  return cache.scope(scope).generation;
}

bool remember(VerdictCache& cache, uint64_t scope, uint64_t node, uint64_t version = 1) {
  return cache.insert(keyOf(scope, node), {version, ""}, generationOf(cache, scope));
}

size_t held(VerdictCache& cache, uint64_t scope, uint64_t nodes) {
  size_t count = 0;
  for (uint64_t node = 0; node < nodes; ++node)
    count += cache.find(keyOf(scope, node), 1).has_value();
  return count;
}

}  // namespace

TEST(unknown_and_uncacheable_scopes_remember_nothing) {
  VerdictCache cache(10);
  CHECK(!cache.scope(1).known);
  CHECK(!cache.insert(keyOf(1, 1), {1, ""}, 0));
  cache.setScope(1, true, false);
  CHECK(cache.scope(1).known);
  CHECK(cache.scope(1).readCredentials);
  CHECK(!remember(cache, 1, 1));
  CHECK_EQ(cache.size(), 0u);
  CHECK_EQ(cache.dropped(), 2u);
}

TEST(found_for_the_whole_key_only) {
  VerdictCache cache(10);
  cache.setScope(1, true, true);
  cache.setScope(2, true, true);
  VerdictKey key = keyOf(1, 5, 3);
  key.subject.uid = 1000;
  key.subject.effective = 8;
  CHECK(cache.insert(key, {7, "ld.so"}, generationOf(cache, 1)));
  const auto verdict = cache.find(key, 7);
  CHECK(verdict.has_value());
  CHECK_EQ(verdict->successor, "ld.so");
  VerdictKey other = key;
  other.scope = 2;
  CHECK(!cache.find(other, 7));
  other = key;
  other.access = 2;
  CHECK(!cache.find(other, 7));
  other = key;
  other.subject.euid = 1;
  CHECK(!cache.find(other, 7));
  other = key;
  other.subject.effective = 0;
  CHECK(!cache.find(other, 7));
  CHECK(cache.find(key, 7).has_value());
}

TEST(subjects_and_successors_are_told_apart_among_many) {
  VerdictCache cache(1000);
  cache.setScope(1, true, true);
  const auto successorOf = [](uint64_t at) { return "/lib/ld-" + std::to_string(at % 3) + ".so"; };
  const auto keyAt = [](uint64_t at) {
    VerdictKey key = keyOf(1, at % 50);
    key.subject.fsuid = static_cast<uint32_t>(at % 7);
    return key;
  };
  for (uint64_t at = 0; at < 350; ++at)
    CHECK(cache.insert(keyAt(at), {at, successorOf(at)}, generationOf(cache, 1)));
  CHECK_EQ(cache.size(), 350u);
  for (uint64_t node = 0; node < 50; node += 2) cache.voidNode(node);
  CHECK_EQ(cache.size(), 175u);
  for (uint64_t at = 1; at < 350; at += 2) {
    if (at % 50 % 2 == 0) continue;
    const auto verdict = cache.find(keyAt(at), at);
    CHECK(verdict.has_value());
    if (verdict) CHECK_EQ(verdict->successor, successorOf(at));
  }
}

TEST(another_version_removes) {
  VerdictCache cache(10);
  cache.setScope(1, false, true);
  CHECK(remember(cache, 1, 5, 7));
  CHECK(!cache.find(keyOf(1, 5), 8));
  CHECK(!cache.find(keyOf(1, 5), 7));
  CHECK_EQ(cache.size(), 0u);
  CHECK_EQ(cache.dropped(), 1u);
}

TEST(the_same_key_again_replaces) {
  VerdictCache cache(10);
  cache.setScope(1, false, true);
  CHECK(remember(cache, 1, 5, 7));
  CHECK(remember(cache, 1, 5, 8));
  CHECK_EQ(cache.size(), 1u);
  CHECK(cache.find(keyOf(1, 5), 8).has_value());
}

TEST(a_generation_that_moved_refuses_and_voids) {
  VerdictCache cache(10);
  cache.setScope(1, false, true);
  cache.setScope(2, false, true);
  const uint64_t before = generationOf(cache, 1);
  CHECK(remember(cache, 1, 5));
  CHECK(remember(cache, 2, 5));
  cache.setScope(1, false, true);
  CHECK(!cache.find(keyOf(1, 5), 1));
  CHECK(cache.find(keyOf(2, 5), 1).has_value());
  CHECK(!cache.insert(keyOf(1, 5), {1, ""}, before));
  cache.dropScope(1);
  cache.setScope(1, false, true);
  CHECK(generationOf(cache, 1) != before);
  CHECK(!cache.insert(keyOf(1, 5), {1, ""}, before));
  CHECK_EQ(cache.size(), 1u);
}

TEST(a_void_node_goes_in_all_scopes) {
  VerdictCache cache(100);
  for (uint64_t scope = 1; scope <= 3; ++scope) {
    cache.setScope(scope, false, true);
    for (uint64_t node = 1; node <= 4; ++node) CHECK(remember(cache, scope, node));
    CHECK(cache.insert(keyOf(scope, 2, 9), {1, ""}, generationOf(cache, scope)));
  }
  cache.voidNode(2);
  cache.voidNode(77);
  CHECK_EQ(cache.size(), 9u);
  CHECK(!cache.find(keyOf(3, 2), 1));
  CHECK(!cache.find(keyOf(3, 2, 9), 1));
  CHECK(cache.find(keyOf(3, 1), 1).has_value());
  cache.dropScope(2);
  CHECK_EQ(cache.size(), 6u);
  CHECK(!cache.scope(2).known);
}

TEST(full_forgets_the_longest_unused) {
  VerdictCache cache(3);
  cache.setScope(1, false, true);
  for (uint64_t node = 0; node < 3; ++node) CHECK(remember(cache, 1, node));
  CHECK(cache.find(keyOf(1, 0), 1).has_value());
  CHECK(remember(cache, 1, 3));
  CHECK_EQ(cache.size(), 3u);
  CHECK(!cache.find(keyOf(1, 1), 1));
  CHECK(cache.find(keyOf(1, 0), 1).has_value());
  CHECK_EQ(cache.dropped(), 1u);
}

TEST(a_greedy_scope_leaves_others_their_share) {
  VerdictCache cache(100);
  for (uint64_t scope = 1; scope <= 3; ++scope) cache.setScope(scope, false, true);
  for (uint64_t node = 0; node < 1000; ++node) CHECK(remember(cache, 1, node));
  CHECK_EQ(cache.size(), 100u);
  for (uint64_t node = 0; node < 20; ++node) CHECK(remember(cache, 2, node));
  for (uint64_t node = 0; node < 1000; ++node) CHECK(remember(cache, 3, node));
  CHECK_EQ(cache.size(), 100u);
  CHECK_EQ(held(cache, 2, 20), 20u);
  CHECK_EQ(held(cache, 1, 1000), 40u);
  CHECK_EQ(held(cache, 3, 1000), 40u);
}

TEST(no_room_at_all) {
  VerdictCache cache(0);
  cache.setScope(1, false, true);
  CHECK(!remember(cache, 1, 1));
  CHECK_EQ(cache.size(), 0u);
}

TEST(several_threads) {
  VerdictCache cache(64);
  for (uint64_t scope = 0; scope < 4; ++scope) cache.setScope(scope, false, true);
  std::vector<std::thread> threads;
  for (uint64_t scope = 0; scope < 4; ++scope) {
    threads.emplace_back([&cache, scope] {
      for (uint64_t at = 0; at < 5000; ++at) {
        remember(cache, scope, at % 50);
        cache.find(keyOf(scope, at % 37), at % 11 == 0 ? 2 : 1);
        if (at % 97 == 0) cache.voidNode(at % 50);
        if (at % 1009 == 0) cache.setScope(scope, false, true);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(cache.size() <= 64);
  for (uint64_t scope = 0; scope < 4; ++scope) cache.dropScope(scope);
  CHECK_EQ(cache.size(), 0u);
}
