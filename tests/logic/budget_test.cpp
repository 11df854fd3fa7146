#include "logic/budget.hpp"
#include "testing/dice.hpp"

#include <catch2/catch.hpp>

#include <numeric>

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;
using model::amount;
using model::budget_kind;
using model::to_amount;

namespace {

constexpr auto cost_index = std::size_t(budget_kind::cost);
constexpr auto tokens_index = std::size_t(budget_kind::tokens);
constexpr auto time_index = std::size_t(budget_kind::time);

const model::wall_time began = model::from_us(1'700'000'000'000'000);

model::budget_spec costing(double most) {
  model::budget_spec budget;
  budget.limits[cost_index] = to_amount(most);
  return budget;
}

model::amounts spent(double money) {
  model::amounts used{};
  used[cost_index] = to_amount(money);
  return used;
}

} // namespace

TEST_CASE("budget: amounts are read as they are told and shown as people write them",
          "[logic][budget]") {
  CHECK(model::amounts_of({{"cost", 0.5}, {"tokens", 12}, {"pages", 3}})
        == model::amounts{500'000, 12'000'000, 0});
  CHECK(model::amounts_of({{"cost", -1}, {"tokens", 1e300}})
        == model::amounts{0, model::most_amount, 0});
  CHECK(model::amounts_of({}) == model::amounts{});
  const auto [kind, a, want] = GENERATE(table<budget_kind, amount, std::string>({
    {budget_kind::cost, 6'100'000, "6.10"},
    {budget_kind::cost, 25'000'000, "25.00"},
    {budget_kind::cost, 1'234, "0.001234"},
    {budget_kind::tokens, 1'200'000'000, "1200"},
    {budget_kind::tokens, 1'500'000, "1.5"},
    {budget_kind::time, 9'660'000'000, "2h 41m"},
  }));
  CHECK(model::to_text(kind, a) == want);
}

TEST_CASE("budget: one pot is for all until it is empty", "[logic][budget]") {
  const auto spec = costing(10);
  pot p{spec};
  CHECK(p.begin(0, {}, began)[cost_index] == to_amount(10));
  p.tell(0, spent(4));
  p.tell(0, spent(3)); // what was told before counts
  CHECK(p.begin(1, {}, began)[cost_index] == to_amount(6));
  CHECK_FALSE(p.exceeded(began));
  p.end(0, spent(4), 0s);
  p.tell(1, spent(6));
  REQUIRE(p.exceeded(began));
  CHECK_FALSE(p.exceeded(began)->is_over); // exactly all of it
  p.end(1, spent(6.5), 0s);
  REQUIRE(p.exceeded(began));
  CHECK(p.exceeded(began)->is_over);
  CHECK(p.exceeded(began)->used == to_amount(10.5));
  CHECK(p.left(budget_kind::cost, began) == 0);
}

TEST_CASE("budget: what is split is split evenly or by weight", "[logic][budget]") {
  auto spec = costing(12);
  spec.is_split = true;
  spec.weights = {{"large", to_amount(2)}};
  CHECK(weight_of(spec, "large") == to_amount(2));
  CHECK(weight_of(spec, "small") == to_amount(1));
  pot p{spec};
  p.expect(to_amount(2) + to_amount(1)); // large, small; and one more begins now
  CHECK(p.begin(0, to_amount(1), began)[cost_index] == to_amount(3));
  p.expect_no_more(to_amount(2));
  CHECK(p.begin(1, to_amount(2), began)[cost_index] == to_amount(6));
  p.end(0, spent(1), 0s); // what it left is for the others
  p.expect_no_more(to_amount(1));
  CHECK(p.begin(2, to_amount(1), began)[cost_index] == to_amount(5));
  p.tell(2, spent(5.5));
  REQUIRE(p.exceeded(began));
  CHECK(p.exceeded(began)->task == 2u);
  CHECK(p.exceeded(began)->is_over);
  CHECK(p.exceeded(began)->limit == to_amount(5));
}

TEST_CASE("budget: time passes while attempts run", "[logic][budget]") {
  model::budget_spec spec;
  spec.limits[time_index] = to_amount(3600);
  pot p{spec};
  p.begin(0, {}, began);
  p.begin(1, {}, began);
  CHECK_FALSE(p.time_is_over_at(began));
  p.start(0, began);
  CHECK(p.time_is_over_at(began) == began + 1h + 1us);
  p.start(1, began + 20min);
  CHECK(p.time_is_over_at(began + 20min) == began + 40min + 1us);
  CHECK_FALSE(p.exceeded(began + 39min));
  p.end(1, {}, 10min);
  CHECK(p.used(budget_kind::time, began + 30min) == to_amount(2400));
  CHECK(p.time_is_over_at(began + 30min) == began + 50min + 1us);
  CHECK(p.exceeded(began + 50min + 1us)->is_over);
}

TEST_CASE("budget: an attempt that never reports uses nothing but time", "[logic][budget]") {
  auto spec = costing(1);
  spec.limits[tokens_index] = to_amount(1);
  spec.limits[time_index] = to_amount(10);
  pot p{spec};
  p.begin(0, {}, began);
  p.start(0, began);
  p.end(0, {}, 4s);
  CHECK(p.used(budget_kind::cost, began) == 0);
  CHECK(p.used(budget_kind::tokens, began) == 0);
  CHECK(p.used(budget_kind::time, began) == to_amount(4));
}

TEST_CASE("budget: shares never add up to more than what is left", "[logic][budget]") {
  const auto seed = GENERATE(range(1, 200));
  CAPTURE(seed);
  testing::dice random{std::uint64_t(seed)};
  auto spec = costing(0.01 * double(1 + random.below(100'000)));
  spec.is_split = true;
  pot p{spec};
  struct task {
    amount weight = 0, share = 0, used = 0;
    enum { waits, runs, over } state = waits;
  };
  std::vector<task> tasks(1 + random.below(30));
  for (auto& t : tasks) {
    t.weight =
      random.percent(50) ? model::amount_unit : to_amount(0.1 * double(1 + random.below(90)));
    p.expect(t.weight);
  }
  amount gone = 0;
  for (int i = 0; i < 200; ++i) {
    const auto which = std::uint32_t(random.below(tasks.size()));
    auto& t = tasks[which];
    if (t.state == task::waits) {
      p.expect_no_more(t.weight);
      t.share = *p.begin(which, t.weight, began)[cost_index];
      t.used = 0;
      t.state = task::runs;
    } else if (t.state == task::runs) {
      t.used += t.used == t.share ? 0 : amount(random.below(std::size_t(t.share - t.used + 1)));
      model::amounts used{};
      used[cost_index] = t.used;
      p.tell(which, used);
      if (random.percent(40)) {
        p.end(which, used, 0s);
        gone += t.used;
        t.state = random.percent(20) ? task::waits : task::over;
        if (t.state == task::waits)
          p.expect(t.weight);
      }
    }
    amount promised = gone;
    for (const auto& other : tasks)
      promised += other.state == task::runs ? other.share : 0;
    REQUIRE(promised <= *spec.limits[cost_index]);
    const auto found = p.exceeded(began);
    REQUIRE((!found || !found->is_over)); // nobody took more than was given
  }
}

TEST_CASE("budget: all shares together are all there is but for rounding", "[logic][budget]") {
  const auto seed = GENERATE(range(1, 100));
  CAPTURE(seed);
  testing::dice random{std::uint64_t(seed)};
  auto spec = costing(0.01 * double(1 + random.below(100'000)));
  spec.is_split = true;
  pot p{spec};
  std::vector<amount> weights(1 + random.below(50));
  for (auto& weight : weights)
    p.expect(weight = to_amount(0.5 * double(1 + random.below(20))));
  amount sum = 0;
  for (std::uint32_t task = 0; task < weights.size(); ++task) {
    p.expect_no_more(weights[task]);
    sum += *p.begin(task, weights[task], began)[cost_index];
  }
  CHECK(sum <= *spec.limits[cost_index]);
  CHECK(sum == *spec.limits[cost_index]); // the last one has what rounding left
}
