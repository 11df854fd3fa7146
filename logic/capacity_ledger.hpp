// What is limited beside slots: resources of the node, pools, keys and rates; who holds how much,
// and who waits for what. Tasks that need the same are of one shape. A shape that does not fit
// waits for the first thing that it lacks, and is looked at again when enough of that has come
// back: of all that wait for as much only the one that is first, so that a release costs O(log n).
// Who has waited for long has what comes back kept for it, so that small ones do not pass it for
// ever. An attempt gets all that it needs or nothing, so that no two can wait for each other. Owned
// by the scheduler core.
#pragma once

#include "logic/ready_entry.hpp"
#include "model/capacity.hpp"
#include "model/time.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sluice::logic {

/// What a task needs: one of some alternatives, the first that fits.
using capacity_demand = std::vector<std::vector<model::capacity_need>>;

/// Stands for a demand; 0 for none.
using shape_id = std::uint32_t;

class capacity_ledger;
struct stock;

/// A queue of tasks of one shape, as long as it exists: it may be waiting for capacity.
class capacity_waiter {
public:
  explicit capacity_waiter(shape_id shape = 0) : shape_(shape) {}
  ~capacity_waiter();
  capacity_waiter(const capacity_waiter&) = delete;
  capacity_waiter& operator=(const capacity_waiter&) = delete;

  shape_id shape() const { return shape_; }
  bool is_parked() const { return !waits_for_.empty(); }

  std::uint8_t tag = 0; ///< the owner's

private:
  friend class capacity_ledger;
  friend struct is_before;
  shape_id shape_;
  capacity_ledger* among_ =
    nullptr;            ///< which knows of it; from when it is parked until it is served
  waiting_place place_; ///< among those that wait
  std::vector<std::pair<stock*, std::int64_t>> waits_for_; ///< and how much may be used then
  /// By which of these it was woken, and not served since.
  std::optional<std::pair<stock*, std::int64_t>> woken_by_;
  std::optional<model::wall_time> hungry_since_; ///< it was parked, and not served since
};

struct is_before {
  bool operator()(const capacity_waiter* one, const capacity_waiter* other) const;
};

/// Something of which there is only so much.
struct stock {
  model::capacity_kind kind = model::capacity_kind::resource;
  std::string name;
  std::int64_t limit = 0;
  std::int64_t most = 0; ///< that the limit ever was
  std::int64_t used = 0;
  std::vector<std::int64_t> units; ///< of those that are told apart, what is left of each
  bool is_configured = false;      ///< else it is gone when nobody needs it any more
  std::uint32_t references = 0;    ///< by those who do
  /// By how much may be used for them to fit; the first of each goes first.
  std::map<std::int64_t, std::set<capacity_waiter*, is_before>, std::greater<>> waiting;
};

/// How much of something a shape needs, and how much there is.
struct shortage {
  model::capacity_need need;
  std::int64_t limit = 0;
  std::int64_t used = 0;
  std::int64_t reserved = 0; ///< for one that has waited for long
  bool fits = false;
};

class capacity_ledger {
public:
  struct options {
    model::resource_amounts resources; ///< of this node
    model::placement placement = model::placement::best_fit;
    /// What has waited for so long has what comes back kept for it.
    model::milliseconds patience{30'000};
  };
  explicit capacity_ledger(options what);
  ~capacity_ledger();
  capacity_ledger(const capacity_ledger&) = delete; // waiters know it
  capacity_ledger& operator=(const capacity_ledger&) = delete;

  // --- shapes ------------------------------------------------------------------------------------

  /// The shape of a task's demand, to be let go once for each time. @pre there is an alternative
  shape_id hold(const capacity_demand& demand);
  void let_go(shape_id shape);
  /// A sentence about why no alternative can ever fit here; nothing: one can, or could when the
  /// node had all that it began with.
  std::optional<std::string> why_never(shape_id shape) const;
  /// All resources of the node, and all pools that attempts are in or that have a size.
  std::vector<shortage> stocks() const;
  /// What each alternative needs and finds.
  std::vector<std::vector<shortage>> shortages(shape_id shape) const;

  // --- attempts ----------------------------------------------------------------------------------

  /// The first alternative that fits now; with what is reserved for others out of reach.
  std::optional<std::uint32_t> fitting(const capacity_waiter& who) const;
  /// The first alternative that would fit if these were given back.
  std::optional<std::uint32_t>
  fitting_without(const capacity_waiter& who,
                  const std::vector<const model::capacity_grant*>& grants) const;
  /// Whether something of this is what it lacks.
  bool lacks_some_of(const capacity_waiter& who, const model::capacity_grant& grant) const;
  /// @pre it is the one that fits
  model::capacity_grant take(capacity_waiter& who, std::uint32_t alternative, model::wall_time now);
  /// What an attempt holds since before a restart, whether it fits or not.
  void take_again(const model::capacity_grant& grant, model::wall_time since);
  /// An attempt is over. What it took of rates comes back by itself.
  void give_back(const model::capacity_grant& grant);

  // --- those that wait ---------------------------------------------------------------------------

  /// Nothing fits: it waits. @pre `fitting` has just said so
  void park(capacity_waiter& who, const waiting_place& place, model::wall_time now);
  /// What the alternative needs, and comes back, is kept for it from now on. Returns false when
  /// something is kept for another one.
  bool reserve_for(capacity_waiter& who, std::uint32_t alternative);
  /// It need not wait, for the time being.
  void wake(capacity_waiter& who);
  /// Those that may fit now. They are not parked any more.
  std::vector<capacity_waiter*> take_woken();

  // --- limits and time ---------------------------------------------------------------------------

  /// Changes how much there is of a resource, or how large a pool is; nothing: it is not limited.
  void set_limit(model::capacity_kind kind, const std::string& name,
                 std::optional<std::int64_t> limit);
  /// What rates have to get back by now comes back, and who has waited for long is looked after.
  void pass_time(model::wall_time now);
  /// When the next of it does, if anybody waits for that.
  std::optional<model::wall_time> next_return() const;
  const capacity_waiter* reserver() const { return reserver_; }

private:
  friend class capacity_waiter;
  struct need {
    stock* of = nullptr;
    std::int64_t amount = 0;
    std::int64_t limit = 0;
    model::milliseconds per{0};
  };
  struct shape {
    std::string text; ///< what it is known by
    std::vector<std::vector<need>> alternatives;
    std::uint32_t tasks = 0;
    std::set<capacity_waiter*> waiting; ///< parked
  };
  /// Of a rate: comes back at a time.
  struct returning {
    model::wall_time due;
    model::milliseconds per;
    stock* of = nullptr;
    bool operator<(const returning& other) const { return due < other.due; }
  };
  using stock_key = std::pair<model::capacity_kind, std::string>;

  stock& find_or_add(model::capacity_kind kind, const std::string& name);
  void release(stock& what);
  void remove_if_unused(shape_id id);
  std::int64_t reserved_of(const stock& what, const capacity_waiter* who) const;
  bool fits(const need& wanted, const capacity_waiter* who) const;
  void add_return(stock& what, std::int64_t amount, model::milliseconds per, model::wall_time now);
  void count_from(model::wall_time now);
  void wake_first(stock& what);
  enum class room : std::uint8_t { left, used };
  void no_longer_woken(capacity_waiter& who, room of_that);
  void unpark(capacity_waiter& who);
  void forget(capacity_waiter& who);
  void reserve(model::wall_time now);
  const std::vector<need>* alternative_to_reserve(const capacity_waiter& who) const;
  void keep(capacity_waiter& who, const std::vector<need>& needs);
  void end_reservation();

  options options_;
  std::map<stock_key, stock> stocks_;
  std::unordered_map<shape_id, shape> shapes_;
  std::unordered_map<std::string, shape_id> by_text_;
  shape_id last_shape_ = 0;
  std::multiset<returning> returning_;
  model::wall_time latest_; ///< that time was passed to
  std::size_t waiting_for_rates_ = 0;
  std::set<std::pair<model::wall_time, capacity_waiter*>> hungry_;
  std::vector<capacity_waiter*> woken_;
  capacity_waiter* reserver_ = nullptr;
  std::vector<std::pair<stock*, std::int64_t>> reservation_;
};

} // namespace sluice::logic
