// What a task needs beside a slot, and what an attempt was given: amounts of resources, a place in
// a pool, a key that only so many may hold at once, and a rate.
#pragma once

#include "model/error.hpp"
#include "model/json.hpp"
#include "model/time.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::model {

/// Amounts of resources by name, in order of the names: bytes of `mem` and `disk`, thousandths of
/// all others, so that half a processor is 500.
using resource_amounts = std::vector<std::pair<std::string, std::int64_t>>;

/// How much one of a resource is: a thousand thousandths, or a byte.
std::int64_t unit_of(std::string_view resource);
/// Whether the units of a resource are told apart, and an attempt is given some of them by number.
inline bool has_indices(std::string_view resource) {
  return resource == "gpu";
}
/// `0.5`, `2`, `512Mi`: as it is written for this resource.
std::string amount_text(std::string_view resource, std::int64_t amount);
/// The inverse. Errors: `invalid_argument`.
expected<std::int64_t> parse_amount(std::string_view resource, std::string_view text);
/// `cpu 0.5, mem 512Mi`
std::string to_text(const resource_amounts& amounts);
/// Whether it can be the name of a resource or a pool: letters, digits, `_`, `-` and `.`, a letter
/// first, at most 64.
bool is_capacity_name(std::string_view text);

/// Which of the units that are told apart an attempt gets when it needs a part of one.
enum class placement : std::uint8_t {
  best_fit, ///< the one that is left with least
  pack,     ///< the first one that has enough
  spread,   ///< the one that is left with most
};
std::string_view to_string(placement p);
std::optional<placement> parse_placement(std::string_view name);

/// At most `max` attempts at once, of all that say the same key.
struct concurrency_spec {
  std::optional<std::string> key; ///< with `${{ }}`; none: the task's own, in all runs of its
                                  ///< workflow
  std::uint32_t max = 1;
  friend bool operator==(const concurrency_spec&, const concurrency_spec&) = default;
};

/// The longest stretch of time that a rate is about: what was started in it is read at a start.
inline constexpr milliseconds longest_rate = std::chrono::hours{24};

/// At most `max` starts in any stretch of time of a length, of all that say the same key.
struct rate_spec {
  std::optional<std::string> key; ///< as above
  std::uint32_t max = 1;
  milliseconds per{0};
  friend bool operator==(const rate_spec&, const rate_spec&) = default;
};

enum class capacity_kind : std::uint8_t { resource, pool, key, rate };
std::string_view to_string(capacity_kind k);

/// So much of something that is limited.
struct capacity_need {
  capacity_kind kind = capacity_kind::resource;
  std::string name;
  std::int64_t amount = 0;
  std::int64_t limit = std::numeric_limits<std::int64_t>::max(); ///< of a key or a rate
  milliseconds per{0};                                           ///< of a rate
  friend bool operator==(const capacity_need&, const capacity_need&) = default;
};

/// What an attempt holds.
struct capacity_grant {
  std::uint32_t alternative = 0; ///< of those that its task names
  std::vector<capacity_need> taken;
  std::vector<std::uint32_t> indices; ///< of the units that are told apart
  friend bool operator==(const capacity_grant&, const capacity_grant&) = default;

  /// How much of a resource; nothing: it named none.
  std::optional<std::int64_t> amount_of(std::string_view resource) const;
};

/// What people allow for a whole store, while runs go on.
enum class limit_kind : std::uint8_t {
  slots,    ///< attempts at once; without a name
  resource, ///< so much of what the node has of it, in its own amounts
  pool,     ///< attempts at once that are in it
  // The weight of one among those of the same effective priority, and of a workflow among those of
  // its user; 1 if not set.
  workflow_share,
  user_share,
};
std::string_view to_string(limit_kind k);
std::optional<limit_kind> parse_limit_kind(std::string_view name);
std::span<const std::string_view> limit_kind_names();

struct store_limit {
  limit_kind kind = limit_kind::pool;
  std::string name;
  std::optional<std::int64_t> amount; ///< nothing: none is set any more
  std::string by;                     ///< who said so
  wall_time changed_at;
  friend bool operator==(const store_limit&, const store_limit&) = default;
};

/// A store has at most so many of them.
inline constexpr std::size_t most_store_limits = 10'000;
/// Of the amount as people write it; checks the name too. Errors: `invalid_argument`.
expected<store_limit> parse_store_limit(limit_kind kind, std::string name, std::string_view amount);
/// `pool`, `workflow`: whose name a limit of this kind has
std::string_view owner_of(limit_kind kind);
/// `pool 'db'`, `slots`
std::string title_of(const store_limit& what);
/// The amount as `parse_store_limit` takes it. @pre there is one
std::string amount_text(const store_limit& what);
value to_json(const store_limit& what);

/// For messages and lists: `cpu 2, gpu 1 (0), pool db, key 'eu'`
std::string to_text(const capacity_grant& grant);
std::string to_text(const capacity_need& need);

/// The stored form of a grant.
value to_json(const capacity_grant& grant);
/// Errors: `corrupt`.
expected<capacity_grant> grant_from_json(const value& v);

} // namespace sluice::model
