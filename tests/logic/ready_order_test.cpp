#include "logic/ready_order.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <random>

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;

namespace {

constexpr model::wall_time start{1'000'000s};

ready_entry task(std::uint32_t index, std::int64_t run = 1, model::wall_time since = start) {
  static std::uint64_t turns = 0;
  return {.task = {{run}, index}, .since = since, .due = start + 24h, .turn = ++turns};
}

/// The tasks as they are served, all at one time.
std::vector<std::uint32_t> drained(ready_order& order, model::wall_time now = start) {
  std::vector<std::uint32_t> served;
  while (!order.empty())
    served.push_back(order.serve(now).task.task_idx);
  return served;
}

using indices = std::vector<std::uint32_t>;

} // namespace

TEST_CASE("ready order: who came first is first, all else being equal", "[logic][ready-order]") {
  ready_order order;
  for (std::uint32_t i = 0; i < 5; ++i)
    order.add({"w"}, model::normal_priority, task(i, 1, start + i * 1s));
  CHECK(order.size() == 5);
  CHECK(order.front().task.task_idx == 0);
  CHECK(drained(order) == indices{0, 1, 2, 3, 4});
  CHECK(order.size() == 0);
}

TEST_CASE("ready order: the higher priority goes first", "[logic][ready-order]") {
  ready_order order;
  order.add({"w"}, 25, task(0));
  order.add({"w"}, 75, task(1));
  order.add({"w"}, 50, task(2));
  order.add({"v"}, 76, task(3));
  CHECK(drained(order) == indices{3, 1, 2, 0});
}

TEST_CASE("ready order: in a queue by deadline then run then way to the end",
          "[logic][ready-order]") {
  ready_order order;
  auto due_late = task(0), due_early = task(1), long_way = task(2), older_run = task(3, 0),
       given_back = task(4);
  due_late.due = start + 2h;
  due_early.due = start + 1h;
  long_way.rank = 7;
  given_back.was_given_back = true;
  order.add({"w"}, model::normal_priority, task(5));
  for (const auto& entry : {due_late, due_early, long_way, older_run, given_back})
    order.add({"w"}, model::normal_priority, entry);
  CHECK(drained(order) == indices{1, 0, 4, 3, 2, 5});
}

TEST_CASE("ready order: a queue that waits gains a point a minute", "[logic][ready-order]") {
  ready_order order;
  order.add({"low"}, 25, task(0));
  const auto at = GENERATE(24min, 26min);
  order.add({"w"}, model::normal_priority, task(1, 1, start + at));
  CHECK(order.front().task.task_idx == (at < 25min ? 1 : 0));
}

TEST_CASE("ready order: being served makes a queue young again", "[logic][ready-order]") {
  ready_order order;
  order.add({"low"}, 40, task(0));
  order.add({"low"}, 40, task(1));
  const auto later = start + 11min;
  order.add({"w"}, model::normal_priority, task(2, 1, later));
  order.add({"w"}, model::normal_priority, task(3, 1, later));
  CHECK(drained(order, later) == indices{0, 2, 3, 1});
}

TEST_CASE("ready order: what is due soon counts for more", "[logic][ready-order]") {
  ready_order order;
  auto urgent = task(0);
  urgent.due = start + 10min; // at least 89
  order.add({"w"}, 25, urgent);
  order.add({"w"}, 90, task(1));
  order.add({"w"}, 88, task(2));
  CHECK(drained(order) == indices{1, 0, 2});
}

TEST_CASE("ready order: nothing overtakes what is critical", "[logic][ready-order]") {
  ready_order order;
  auto urgent = task(0);
  urgent.due = start - 1h;
  urgent.since = start - 48h;
  order.add({"w"}, 99, urgent);
  order.add({"w"}, model::critical_priority, task(1));
  CHECK(drained(order) == indices{1, 0});
}

TEST_CASE("ready order: what is dropped counts against nobody", "[logic][ready-order]") {
  ready_order order;
  for (std::uint32_t i = 0; i < 3; ++i)
    order.add({"a"}, model::normal_priority, task(i));
  order.add({"b"}, model::normal_priority, task(10));
  CHECK(order.drop().task.task_idx == 0);
  CHECK(order.drop().task.task_idx == 1);
  auto back = order.drop();
  order.add({"a"}, model::normal_priority, back);
  CHECK(order.size() == 2);
  CHECK(drained(order) == indices{2, 10});
}

TEST_CASE("ready order: workflows of one priority share alike", "[logic][ready-order]") {
  ready_order order;
  std::map<std::int64_t, int> served; // by run, one of each workflow
  const auto add = [&](std::int64_t which) {
    order.add({"w" + std::to_string(which)}, model::normal_priority, task(0, which));
  };
  // Of one there are a hundred times more.
  for (int i = 0; i < 10'000; ++i)
    add(1);
  for (std::int64_t which = 2; which <= 4; ++which)
    for (int i = 0; i < 100; ++i)
      add(which);
  for (int i = 0; i < 10'000; ++i) {
    const auto run = order.serve(start).task.run_no.value;
    ++served[run];
    if (run != 1)
      add(run);
  }
  for (const auto& [run, count] : served)
    CHECK(std::abs(double(count) - 2'500) <= 0.05 * 2'500);
}

TEST_CASE("ready order: users share by weight and workflows share what their user gets",
          "[logic][ready-order]") {
  const std::vector<sharer> sharers{{"a", "ana"}, {"b", "ana"}, {"c", "bo"}, {"d", "cy"}};
  ready_order order;
  order.set_weight_of_user("ana", 2);
  order.set_weight_of_workflow("b", 3);
  std::map<std::size_t, int> served;
  std::uint32_t next = 0;
  const auto add = [&](std::size_t which) {
    order.add(sharers[which], model::normal_priority, task(next++, std::int64_t(which)));
  };
  for (std::size_t which = 0; which < sharers.size(); ++which)
    for (int i = 0; i < 100; ++i)
      add(which);
  for (int i = 0; i < 10'000; ++i) {
    const auto which = std::size_t(order.serve(start).task.run_no.value);
    ++served[which];
    add(which);
  }
  const std::array<double, 4> fair{1'250, 3'750, 2'500, 2'500};
  for (std::size_t which = 0; which < fair.size(); ++which)
    CHECK(std::abs(double(served[which]) - fair[which]) <= 0.05 * fair[which]);
}

TEST_CASE("ready order: what yields under load stands back but not for ever",
          "[logic][ready-order]") {
  ready_order order;
  auto yielding = task(0);
  yielding.yields = points_under_load;
  order.add({"low"}, 40, yielding);
  const auto later = GENERATE(9min, 11min);
  order.add({"other"}, 40, task(1, 1, start + later));
  CHECK(order.front().task.task_idx == (later < 10min ? 1 : 0));
}

TEST_CASE("ready order: being idle saves nothing up", "[logic][ready-order]") {
  ready_order order;
  for (std::uint32_t i = 0; i < 100; ++i)
    order.add({"busy"}, model::normal_priority, task(i));
  for (int i = 0; i < 50; ++i)
    order.serve(start);
  for (std::uint32_t i = 0; i < 10; ++i)
    order.add({"late"}, model::normal_priority, task(100 + i));
  int of_busy = 0;
  for (int i = 0; i < 10; ++i)
    of_busy += order.serve(start).task.task_idx < 100 ? 1 : 0;
  CHECK(of_busy == 5);
}

TEST_CASE("ready order: nothing starves", "[logic][ready-order]") {
  std::mt19937 random{GENERATE(1, 2, 3)};
  ready_order order;
  auto now = start;
  order.add({"low"}, 0, task(0, 1, now));
  std::uint32_t next = 1;
  bool is_served = false;
  for (int step = 0; !is_served && step < 200 * 60; ++step) { // more comes than is served
    now += 1s;
    for (int i = 0; i < 2; ++i) {
      auto entry = task(next++, 1, now);
      entry.due = random() % 2 == 0 ? now + std::chrono::minutes{100 + random() % 1000}
                                    : due_without_deadline(now);
      order.add({"w" + std::to_string(random() % 3)}, static_cast<model::priority>(random() % 100),
                entry);
    }
    is_served = order.serve(now).task.task_idx == 0;
  }
  CHECK(is_served);
  CHECK(now <= start + 101min);
}

namespace {

/// All queues are looked at, each time, and all that is in them.
class naive_order {
public:
  void add(const sharer& whose, model::priority base, const ready_entry& entry) {
    const auto [at, is_new] =
      queues_.try_emplace({{std::string{whose.workflow}, std::string{whose.user}}, base});
    auto& q = at->second;
    if (is_new)
      q.id = ++ids_;
    if (q.tasks.empty())
      q.served = std::max(q.served, virtual_times_[base]);
    q.tasks.push_back(entry);
  }

  ready_entry serve(model::wall_time now) {
    const auto whole_minutes = [](model::wall_time at) {
      return std::chrono::floor<std::chrono::minutes>(at.time_since_epoch()).count();
    };
    std::tuple<bool, std::int64_t, int, std::uint64_t, std::uint64_t> best_key;
    queue* best = nullptr;
    names best_whose;
    model::priority best_base = 0;
    for (auto& [of, q] : queues_) {
      if (q.tasks.empty())
        continue;
      const auto base = of.second;
      const auto& first = *next_of(q);
      const auto present = whole_minutes(now);
      const auto effective =
        std::max(base - first.yields + present - whole_minutes(std::max(first.since, q.served_at)),
                 99 + present - whole_minutes(first.due));
      const std::tuple key{base != 100, -effective, -int{base}, q.served, q.id};
      if (best == nullptr || key < best_key) {
        best = &q;
        best_key = key;
        best_whose = of.first;
        best_base = base;
      }
    }
    const auto at = next_of(*best);
    const auto entry = *at;
    virtual_times_[best_base] = best->served;
    best->served += price(best_whose, best_base);
    best->tasks.erase(at);
    best->served_at = now;
    return entry;
  }

  std::map<std::string, weight> workflows, users; ///< their weights

private:
  static weight weight_in(const std::map<std::string, weight>& weights, const std::string& name) {
    const auto found = weights.find(name);
    return found == weights.end() ? 1 : found->second;
  }
  using names = std::pair<std::string, std::string>; ///< of workflow and user
  std::uint64_t price(const names& whose, model::priority base) const {
    std::uint64_t busy = 0;
    for (const auto& [of, q] : queues_)
      if (of.second == base && of.first.second == whose.second && !q.tasks.empty())
        busy += weight_in(workflows, of.first.first);
    return 1'000'000 * busy
           / (std::uint64_t{weight_in(workflows, whose.first)} * weight_in(users, whose.second));
  }

  struct queue {
    std::vector<ready_entry> tasks;
    model::wall_time served_at;
    std::uint64_t served = 0, id = 0;
  };
  static std::vector<ready_entry>::iterator next_of(queue& q) {
    return std::min_element(q.tasks.begin(), q.tasks.end(),
                            [](const auto& a, const auto& b) { return a.is_before(b); });
  }
  std::map<std::pair<names, model::priority>, queue> queues_;
  std::map<model::priority, std::uint64_t> virtual_times_;
  std::uint64_t ids_ = 0;
};

} // namespace

TEST_CASE("ready order: decides as one that looks at everything", "[logic][ready-order]") {
  std::mt19937 random{GENERATE(range(1u, 51u))};
  ready_order order;
  naive_order naive;
  auto now = start;
  std::uint32_t next = 0;
  for (int step = 0; step < 500; ++step) {
    now += std::chrono::seconds{random() % 90};
    const std::string workflow(1, char('a' + random() % 3)), user(1, char('u' + random() % 2));
    const sharer whose{workflow, user};
    if (random() % 20 == 0) {
      const auto w = weight(1 + random() % 3);
      order.set_weight_of_workflow(workflow, w);
      naive.workflows[workflow] = w;
    }
    if (random() % 20 == 0) {
      const auto w = weight(1 + random() % 3);
      order.set_weight_of_user(user, w);
      naive.users[user] = w;
    }
    if (order.empty() || random() % 5 < 3) {
      auto entry = task(next++, std::int64_t(random() % 4), now);
      entry.rank = random() % 3;
      entry.was_given_back = random() % 10 == 0;
      if (random() % 3 == 0)
        entry.due = now + std::chrono::minutes{random() % 120};
      entry.yields = random() % 8 == 0 ? points_under_load : std::uint8_t{0};
      const model::priority base = std::array<model::priority, 4>{25, 50, 60, 100}[random() % 4];
      order.add(whose, base, entry);
      naive.add(whose, base, entry);
    } else {
      REQUIRE(order.serve(now).task == naive.serve(now).task);
    }
  }
}

TEST_CASE("ready order: what has no deadline is not passed for ever by what has one",
          "[logic][ready-order]") {
  ready_order order;
  auto now = start;
  auto patient = task(0);
  patient.due = due_without_deadline(now);
  order.add({"w"}, model::normal_priority, patient);
  for (std::uint32_t i = 1;; ++i) { // one comes for each that is served
    now += 1min;
    auto hasty = task(i, 1, now);
    hasty.due = now + 1h;
    order.add({"w"}, model::normal_priority, hasty);
    if (order.serve(now).task.task_idx == 0)
      break;
    REQUIRE(now <= start + 24h);
  }
  CHECK(now > start + 20h);
}

TEST_CASE("ready order: a workflow of another priority buys no head start",
          "[logic][ready-order]") {
  ready_order order;
  for (std::uint32_t i = 0; i < 1'000; ++i)
    order.add({"a"}, 75, task(i));
  for (int i = 0; i < 500; ++i)
    order.serve(start);
  order.add({"b"}, 25, task(2'000));
  CHECK(order.serve(start + 60min).task.task_idx == 500); // a's queue was served just now
  for (std::uint32_t i = 0; i < 1'000; ++i)
    order.add({"c"}, 75, task(3'000 + i));
  int of_c = 0;
  for (int i = 0; i < 100; ++i)
    of_c += order.serve(start + 60min).task.task_idx >= 3'000 ? 1 : 0;
  CHECK(of_c <= 51);
}
