#include "logic/capacity_ledger.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>
#include <random>

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;
using model::capacity_kind;

namespace {

constexpr model::wall_time epoch{1'000'000s};

model::capacity_need resource(std::string name, std::int64_t amount) {
  return {.kind = capacity_kind::resource, .name = std::move(name), .amount = amount};
}

model::capacity_need key(std::string name, std::int64_t most = 1) {
  return {.kind = capacity_kind::key, .name = std::move(name), .amount = 1, .limit = most};
}

model::capacity_need rate(std::string name, std::int64_t most, model::milliseconds per) {
  return {
    .kind = capacity_kind::rate, .name = std::move(name), .amount = 1, .limit = most, .per = per};
}

capacity_ledger::options with(model::resource_amounts resources) {
  return {.resources = std::move(resources)};
}

/// Queues that always have another task: of those that are not parked the one that was served
/// longest ago is served, as long as one fits.
class queues {
public:
  explicit queues(capacity_ledger::options what) : ledger(std::move(what)) {}

  std::size_t add(const capacity_demand& demand) {
    const auto shape = ledger.hold(demand);
    waiters.push_back(std::make_unique<capacity_waiter>(shape));
    demands.push_back(demand);
    served.push_back(0);
    turns.push_back(++last_turn);
    open.emplace(last_turn, waiters.size() - 1);
    return waiters.size() - 1;
  }
  void serve() {
    ledger.pass_time(now);
    take_woken();
    while (!open.empty()) {
      const auto first = open.begin()->second;
      open.erase(open.begin());
      auto& who = *waiters[first];
      if (const auto alternative = ledger.fitting(who)) {
        grants.push_back(ledger.take(who, *alternative, now));
        ++served[first];
        turns[first] = ++last_turn;
        open.emplace(last_turn, first);
      } else {
        waiting_place place;
        place.first.turn = turns[first];
        ledger.park(who, place, now);
      }
      take_woken();
    }
  }
  void end(std::size_t which) {
    ledger.give_back(grants[which]);
    grants.erase(grants.begin() + std::ptrdiff_t(which));
  }
  std::int64_t used(capacity_kind kind, const std::string& name) const {
    std::int64_t sum = 0;
    for (const auto& grant : grants)
      for (const auto& need : grant.taken)
        sum += need.kind == kind && need.name == name ? need.amount : 0;
    return sum;
  }

  capacity_ledger ledger;
  std::vector<std::unique_ptr<capacity_waiter>> waiters; // gone before the ledger is
  std::vector<capacity_demand> demands;
  std::vector<int> served;
  std::vector<std::uint64_t> turns; ///< when each was served last
  std::set<std::pair<std::uint64_t, std::size_t>> open;
  std::vector<model::capacity_grant> grants;
  model::wall_time now = epoch;

private:
  void take_woken() {
    for (auto* who : ledger.take_woken()) {
      const auto own =
        std::find_if(waiters.begin(), waiters.end(), [&](auto& w) { return w.get() == who; });
      const auto index = std::size_t(own - waiters.begin());
      open.emplace(turns[index], index);
    }
  }
  std::uint64_t last_turn = 0;
};

} // namespace

TEST_CASE("capacity: an attempt gets all that it needs or nothing", "[logic][capacity]") {
  queues all{with({{"cpu", 2'000}, {"mem", 100}})};
  all.add({{resource("cpu", 2'000), resource("mem", 60)}});
  all.add({{resource("mem", 60)}});
  all.serve();
  CHECK(all.served == std::vector<int>{1, 0});
  all.end(0);
  all.serve();
  CHECK(all.served == std::vector<int>{1, 1}); // in turn
}

TEST_CASE("capacity: keys and pools are free until somebody limits them", "[logic][capacity]") {
  capacity_ledger ledger{{}};
  const auto shape = ledger.hold({{{.kind = capacity_kind::pool, .name = "db", .amount = 1}}});
  capacity_waiter who{shape};
  const auto first = ledger.take(who, 0, epoch);
  CHECK(ledger.fitting(who));
  ledger.set_limit(capacity_kind::pool, "db", 1);
  CHECK_FALSE(ledger.fitting(who));
  ledger.give_back(first);
  CHECK(ledger.fitting(who));
  ledger.set_limit(capacity_kind::pool, "db", 0);
  CHECK_FALSE(ledger.fitting(who));
}

TEST_CASE("capacity: a limit that changes wakes who waits", "[logic][capacity]") {
  queues all{with({{"cpu", 1'000}})};
  all.add({{resource("cpu", 1'000)}});
  all.serve();
  CHECK(all.grants.size() == 1);
  all.ledger.set_limit(capacity_kind::resource, "cpu", 3'000);
  all.serve();
  CHECK(all.grants.size() == 3);
  all.ledger.set_limit(capacity_kind::resource, "cpu", 1'000); // what runs goes on
  all.end(0);
  all.serve();
  CHECK(all.grants.size() == 2);
}

TEST_CASE("capacity: parts of a unit are placed as it is said", "[logic][capacity]") {
  const auto how =
    GENERATE(model::placement::best_fit, model::placement::pack, model::placement::spread);
  auto options = with({{"gpu", 3'000}});
  options.placement = how;
  capacity_ledger ledger{options};
  capacity_waiter most{ledger.hold({{resource("gpu", 750)}})},
    part{ledger.hold({{resource("gpu", 250)}})};
  const auto index = [&](capacity_waiter& who) { return ledger.take(who, 0, epoch).indices.at(0); };
  CHECK(index(part) == 0); // [750, 1000, 1000]
  CHECK(index(most) == (how == model::placement::spread ? 1 : 0));
  CHECK(index(part) == (how == model::placement::spread ? 2 : 1));
}

TEST_CASE("capacity: whole units need units that nobody uses", "[logic][capacity]") {
  auto options = with({{"gpu", 2'000}});
  options.placement = model::placement::spread;
  capacity_ledger ledger{options};
  capacity_waiter half{ledger.hold({{resource("gpu", 500)}})},
    one{ledger.hold({{resource("gpu", 1'000)}})};
  const auto first = ledger.take(half, 0, epoch);
  const auto second = ledger.take(half, 0, epoch);
  CHECK(first.indices != second.indices);
  CHECK_FALSE(ledger.fitting(one)); // though as much is left, in two parts
  ledger.give_back(second);
  REQUIRE(ledger.fitting(one));
  CHECK(ledger.take(one, 0, epoch).indices == second.indices);
}

TEST_CASE("capacity: what is taken of a rate comes back in time", "[logic][capacity]") {
  queues all{{}};
  all.add({{rate("api", 2, 10s)}});
  all.serve();
  CHECK(all.grants.size() == 2);
  while (!all.grants.empty())
    all.end(0); // gives nothing back
  all.now += 4s;
  all.serve();
  CHECK(all.grants.empty());
  REQUIRE(all.ledger.next_return() == epoch + 10s);
  all.now = epoch + 10s;
  all.serve();
  CHECK(all.grants.size() == 2);
}

TEST_CASE("capacity: a clock that is set back neither blocks a rate nor forgets it",
          "[logic][capacity]") {
  queues all{{}};
  all.add({{rate("api", 1, 10s)}});
  all.serve();
  all.now -= 1h;
  all.serve();
  CHECK(all.grants.size() == 1);
  all.now += 10s;
  all.serve();
  CHECK(all.grants.size() == 2);
}

TEST_CASE("capacity: a large one is not passed for ever", "[logic][capacity]") {
  queues all{with({{"cpu", 4'000}})};
  all.add({{resource("cpu", 1'000)}});
  const auto large = all.add({{resource("cpu", 4'000)}});
  std::mt19937 random{7};
  for (int second = 0; second < 60 && all.served[large] == 0; ++second) {
    all.serve();
    if (!all.grants.empty())
      all.end(random() % all.grants.size());
    all.now += 1s;
  }
  CHECK(all.served[large] == 1);
  CHECK(all.now <= epoch + 40s); // half a minute, and as long as it takes four to end
}

TEST_CASE("capacity: nothing is kept for one that waits for a key", "[logic][capacity]") {
  queues all{with({{"cpu", 2'000}})};
  const auto keyed = all.add({{key("k"), resource("cpu", 1'000)}});
  all.serve();
  const auto small = all.add({{resource("cpu", 1'000)}});
  all.now += 5min;
  all.serve();
  CHECK(all.served[keyed] == 1);
  CHECK(all.served[small] == 1);
  all.end(1);
  all.serve();
  CHECK(all.served[small] == 2);
  CHECK(all.ledger.reserver() == nullptr);
}

TEST_CASE("capacity: shapes and keys that nobody needs are forgotten", "[logic][capacity]") {
  capacity_ledger ledger{{}};
  const auto first = ledger.hold({{key("k")}});
  CHECK(ledger.hold({{key("k")}}) == first);
  ledger.let_go(first);
  ledger.let_go(first);
  const auto again = ledger.hold({{key("k")}});
  CHECK(again != first);
  {
    capacity_waiter who{again};
    const auto grant = ledger.take(who, 0, epoch);
    CHECK_FALSE(ledger.fitting(who));
    ledger.park(who, {}, epoch);
    ledger.let_go(again);
    CHECK(ledger.take_woken() == std::vector<capacity_waiter*>{&who}); // for nothing
    ledger.give_back(grant);
  }
  CHECK(ledger.hold({{key("k")}}) != again);
}

TEST_CASE("capacity: whatever happens nothing is given twice and nobody who fits waits",
          "[logic][capacity]") {
  const auto seed = GENERATE(range(1u, 41u));
  CAPTURE(seed);
  std::mt19937 random{seed};
  const auto below = [&](std::uint32_t n) { return random() % n; };
  const model::resource_amounts node{{"cpu", 4'000}, {"gpu", 2'000}, {"mem", 1'000}};
  auto options = with(node);
  options.placement = model::placement(below(3));
  options.patience = below(2) == 0 ? 365 * 24h : 20s;
  queues all{options};
  for (int i = 0; i < 12; ++i) {
    capacity_demand demand;
    for (auto alternatives = 1 + below(2); alternatives > 0; --alternatives) {
      auto& needs = demand.emplace_back();
      if (below(3) == 0)
        needs.push_back(key("k" + std::to_string(below(3)), 1 + below(2)));
      if (below(4) == 0)
        needs.push_back(rate("r", 2, 10s));
      if (below(2) == 0)
        needs.push_back(resource("gpu", below(2) == 0 ? 500 : 1'000 * (1 + below(2))));
      needs.push_back(resource("cpu", 500 * (1 + below(8))));
      if (below(2) == 0)
        needs.push_back(resource("mem", 1 + below(1'000)));
    }
    all.add(demand);
  }
  for (int step = 0; step < 300; ++step) {
    all.serve();
    for (const auto& [name, amount] : node)
      CHECK(all.used(capacity_kind::resource, name) <= amount);
    std::map<std::uint32_t, std::int64_t> units;
    for (const auto& grant : all.grants) {
      for (const auto& need : grant.taken)
        if (need.kind == capacity_kind::key)
          CHECK(all.used(need.kind, need.name) <= 2);
      for (const auto index : grant.indices)
        units[index] += std::min<std::int64_t>(*grant.amount_of("gpu"), 1'000);
    }
    for (const auto& [index, amount] : units)
      CHECK(amount <= 1'000);
    for (const auto& who : all.waiters)
      CHECK((who->is_parked() && !all.ledger.fitting(*who)));
    if (auto& who = *all.waiters[below(std::uint32_t(all.waiters.size()))]; below(20) == 0) {
      std::vector<const model::capacity_grant*> held;
      for (const auto& grant : all.grants)
        held.push_back(&grant);
      if (const auto alternative = all.ledger.fitting_without(who, held))
        all.ledger.reserve_for(who, *alternative);
    }
    for (auto ends = below(3); ends > 0 && !all.grants.empty(); --ends)
      all.end(below(std::uint32_t(all.grants.size())));
    all.now += std::chrono::milliseconds(below(3'000));
  }
  for (std::size_t i = 0; i < all.served.size(); ++i) // those that never fit are none here
    CHECK((options.patience > 1h || all.served[i] > 0));
}
