// Of the scheduler core: tasks that only wait, for a time, an approval or a signal.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;
using model::failure_class;
using model::gate_kind;
using model::task_state;
using model::timer_kind;

namespace {

model::gate_spec approval() {
  model::param_spec target;
  target.name = "target";
  target.choices = {"staging", "production"};
  model::gate_spec gate;
  gate.prompt = "Publish?";
  gate.form = {target};
  return gate;
}

model::gate_spec signal(std::string name = "") {
  return {.which = gate_kind::signal, .name = std::move(name)};
}

flow with_wait(std::string until) {
  flow f{"a; w < a; b < w"};
  f["w"].wait(std::move(until));
  return f;
}

flow with_approval(model::gate_spec gate = approval()) {
  flow f{"a; ok < a; b < ok"};
  f["ok"].gate(std::move(gate));
  return f;
}

expected<model::control_result> approve(core_world& world, std::string task,
                                        model::value values = {{"target", "staging"}}) {
  return world.control(model::decide_gate{
    std::move(task), model::verdict::approved, std::move(values), {"ana", "looks fine"}});
}

expected<model::control_result> reject(core_world& world, std::string task) {
  return world.control(model::decide_gate{
    std::move(task), model::verdict::rejected, model::value::object(), {"ana", "not today"}});
}

expected<model::control_result> send(core_world& world, std::string name,
                                     model::value payload = {}) {
  return world.control(model::send_signal{std::move(name), std::move(payload), "ana"});
}

std::string problem_of(const flow& f) {
  const auto compiled = compile(std::make_shared<const model::workflow_spec>(f.spec));
  return compiled ? "" : compiled.error().front().path + ": " + compiled.error().front().message;
}

} // namespace

// --- waits -------------------------------------------------------------------------------------

TEST_CASE("scheduler_core: a wait lets its dependents go on when it is over",
          "[logic][scheduler_core][gates]") {
  core_world world{with_wait("10m")};
  world.finish("a");
  CHECK(world.states() == "a=succeeded w=waiting b=pending");
  CHECK(world.reason("w") == "wait");
  CHECK(world.core.attempts_under_way() == 0);
  const auto due = world.timer("w", timer_kind::gate).due;
  CHECK(due == world.now + 10min);
  const auto begun = model::event_of(world.last.records.back());
  CHECK(begun.type == model::event_type::task_waiting);
  CHECK(begun.data["due_us"] == model::to_us(due));

  SECTION("by its timer") {
    world.fire("w", timer_kind::gate);
    const auto passed = model::event_of(world.last.records.front());
    CHECK(passed.type == model::event_type::task_passed);
    CHECK(passed.data["reason"] == "wait");
    CHECK(world.running() == "b");
    world.play();
    CHECK(world.run_state() == "succeeded");
  }
  SECTION("after a restart too") {
    world.restart();
    CHECK(world.state("w") == "waiting");
    CHECK(world.timer("w", timer_kind::gate).due == due);
    world.fire("w", timer_kind::gate);
    world.play();
    CHECK(world.run_state() == "succeeded");
  }
  SECTION("or does not: it is cancelled") {
    world.cancel();
    CHECK(world.states() == "a=succeeded w=cancelled b=cancelled");
    CHECK(world.timers.empty());
  }
  SECTION("or is marked") {
    REQUIRE(world.mark("w", task_state::succeeded));
    CHECK(world.timers.empty());
    world.play();
    CHECK(world.run_state() == "succeeded");
  }
  SECTION("it waits anew after a pause") {
    REQUIRE(world.control(model::pause_task{"w"}));
    CHECK(world.timers.empty());
    REQUIRE(world.control(model::resume_task{"w"}));
    CHECK(world.state("w") == "waiting");
    CHECK(world.timer("w", timer_kind::gate).due > due);
  }
}

TEST_CASE("scheduler_core: a wait for what has passed is over at once",
          "[logic][scheduler_core][gates]") {
  core_world world{with_wait("2001-01-01T00:00:00Z")};
  world.finish("a");
  CHECK(world.states() == "a=succeeded w=succeeded b=dispatched");
  CHECK(world.timers.empty());
}

TEST_CASE("scheduler_core: what is waited for may be an expression",
          "[logic][scheduler_core][gates]") {
  auto f = with_wait("${{ tasks.a.out.until }}");
  f["a"].out("until", model::value_type::text);
  core_world world{f};
  world.finish("a", {{"until", "90s"}});
  CHECK(world.timer("w", timer_kind::gate).due == world.now + 90s);
  SECTION("it is read again after a pause") {
    REQUIRE(world.control(model::pause_task{"w"}));
    REQUIRE(world.control(model::resume_task{"w"}));
    CHECK(world.timer("w", timer_kind::gate).due == world.now + 90s);
  }
}

TEST_CASE("scheduler_core: a wait that comes to no time fails", "[logic][scheduler_core][gates]") {
  auto f = with_wait("${{ tasks.a.out.until }}");
  f["a"].out("until", model::value_type::text);
  core_world world{f};
  world.finish("a", {{"until", "soon"}});
  CHECK(world.state("w") == "failed");
  CHECK(world.failure("w").code == "expression");
  CHECK(world.failure("w").message.find("\"soon\" is neither a length of time")
        != std::string::npos);
}

TEST_CASE("scheduler_core: each instance of a wait waits for itself",
          "[logic][scheduler_core][gates]") {
  flow f{"w; b < w"};
  f["w"].wait("${{ item }}").foreach ({"1s", "2s", "3s"});
  core_world world{f};
  CHECK(world.states() == "b=pending w[1s]=waiting w[2s]=waiting w[3s]=waiting");
  world.fire("w[1s]", timer_kind::gate);
  world.restart();
  world.fire("w[2s]", timer_kind::gate);
  CHECK(world.states() == "b=pending w[1s]=succeeded w[2s]=succeeded w[3s]=waiting");
  world.fire("w[3s]", timer_kind::gate);
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: more instances of a wait than are admitted at once all wait",
          "[logic][scheduler_core][gates]") {
  flow f{"w"};
  f["w"].wait("1h").foreach (200);
  core_world world{f};
  CHECK(world.recorded().counts[std::size_t(task_state::waiting)] == 200);
}

TEST_CASE("scheduler_core: a wait ends at its deadline", "[logic][scheduler_core][gates]") {
  auto f = with_wait("10m");
  f["w"].deadline(1min);
  core_world world{f};
  world.finish("a");
  world.fire("w", timer_kind::deadline);
  CHECK(world.failure_class("w") == "deadline");
  CHECK(world.timers.empty());
}

TEST_CASE("scheduler_core: a wait works in finally and after a retry of its run",
          "[logic][scheduler_core][gates]") {
  flow f{"a"};
  f.finally("w; c < w");
  f["w"].wait("1s");
  core_world world{f};
  world.fail("a");
  CHECK(world.state("w") == "waiting");
  world.fire("w", timer_kind::gate);
  world.play();
  CHECK(world.run_state() == "failed");
  REQUIRE(world.retry());
  world.finish("a");
  CHECK(world.state("w") == "waiting");
  world.fire("w", timer_kind::gate);
  world.play();
  CHECK(world.run_state() == "succeeded");
}

// --- approvals ---------------------------------------------------------------------------------

TEST_CASE("scheduler_core: a gate that came early leaves what comes later to others",
          "[logic][scheduler_core][gates]") {
  flow f{"a; u; b; g < a u | one_success; r < u b"};
  f["u"].out("v");
  f["g"].gate({.prompt = "Go on with ${{ default(tasks.u.out.v, 0) }}?"});
  f["r"].in("v", "${{ tasks.u.out.v }}");
  core_world world{f};
  world.finish("a");
  REQUIRE(world.state("g") == "waiting");
  CHECK(world.recorded().awaited.at(3).prompt == "Go on with 0?");
  world.finish("u", {{"v", 1}});
  REQUIRE(approve(world, "g", model::value::object()));
  world.finish("b");
  CHECK(world.started("r").inputs == model::value{{"v", 1}});
}

TEST_CASE("scheduler_core: a task waits until a person approves",
          "[logic][scheduler_core][gates]") {
  auto f = with_approval();
  f["b"].in("target", "${{ tasks.ok.out.target }}").in("by", "${{ tasks.ok.out.by }}");
  core_world world{f};
  CHECK(approve(world, "ok").error().code == errc::conflict); // not yet
  world.finish("a");
  CHECK(world.reason("ok") == "approval");
  CHECK(world.recorded().awaited.at(1).prompt == "Publish?");
  CHECK(approve(world, "a").error().code == errc::invalid_argument);
  CHECK(approve(world, "ok", {{"target", "moon"}}).error().code == errc::invalid_argument);
  CHECK(approve(world, "ok", model::value::object()).error().code == errc::invalid_argument);
  CHECK(world.state("ok") == "waiting");
  const bool restarts = GENERATE(false, true);
  if (restarts)
    world.restart();

  SECTION("and does") {
    const auto done = approve(world, "ok");
    REQUIRE(done);
    CHECK(done->tasks == std::vector<std::string>{"ok"});
    const auto passed = model::event_of(world.last.records.front());
    CHECK(passed.type == model::event_type::task_passed);
    CHECK(passed.actor == "operator");
    CHECK(passed.data["by"] == "ana");
    CHECK(passed.data["note"] == "looks fine");
    CHECK(world.recorded().gate_outputs.at(1)
          == model::value{{"target", "staging"}, {"by", "ana"}});
    CHECK(world.started("b").inputs == model::value{{"target", "staging"}, {"by", "ana"}});
    CHECK(approve(world, "ok").error().code == errc::conflict);
    world.play();
    CHECK(world.run_state() == "succeeded");
  }
  SECTION("or rejects") {
    REQUIRE(reject(world, "ok"));
    CHECK(world.failure("ok")
          == model::failure{failure_class::gate, "rejected", "rejected by ana: not today"});
    CHECK(model::event_of(world.last.records.front()).data["by"] == "ana");
    CHECK(world.run_state() == "failed");
    REQUIRE(world.retry()); // and it is asked again
    CHECK(world.state("ok") == "waiting");
  }
  SECTION("or pauses it, when it cannot be decided") {
    REQUIRE(world.control(model::pause_task{"ok"}));
    CHECK(approve(world, "ok").error().code == errc::conflict);
    REQUIRE(world.control(model::resume_task{"ok"}));
    REQUIRE(approve(world, "ok"));
    world.play();
    CHECK(world.run_state() == "succeeded");
  }
}

TEST_CASE("scheduler_core: a rejection can skip what comes after it",
          "[logic][scheduler_core][gates]") {
  auto gate = approval();
  gate.on_closed = model::on_closed::skip;
  core_world world{with_approval(gate)};
  world.finish("a");
  REQUIRE(reject(world, "ok"));
  CHECK(world.states() == "a=succeeded ok=skipped b=skipped");
  CHECK(world.reason("ok") == "rejected");
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: an approval expires", "[logic][scheduler_core][gates]") {
  auto gate = approval();
  gate.form[0].default_value = "staging";
  gate.expires = 8h;
  const auto [rule, state] = GENERATE(table<model::on_expire, std::string>({
    {model::on_expire::reject, "failed"},
    {model::on_expire::approve, "succeeded"},
    {model::on_expire::skip, "skipped"},
  }));
  gate.on_expire = rule;
  core_world world{with_approval(gate)};
  world.finish("a");
  world.restart();
  world.fire("ok", timer_kind::gate);
  CHECK(world.state("ok") == state);
  CHECK(world.timers.empty());
  if (rule == model::on_expire::reject)
    CHECK(world.failure("ok")
          == model::failure{failure_class::gate, "expired", "not approved within 8h"});
  if (rule == model::on_expire::approve)
    CHECK(world.recorded().gate_outputs.at(1)
          == model::value{{"target", "staging"}, {"by", "scheduler"}});
}

TEST_CASE("scheduler_core: a task of a run that nobody executes is approved or rejected",
          "[logic][scheduler_core][gates]") {
  auto gate = approval();
  gate.expires = 8h;
  core_world world{with_approval(gate)};
  world.finish("a");
  const auto options = core_world::roomy();
  auto stored = std::make_shared<const model::stored_run>(world.stored(world.last_run));
  scheduler_core idle{options}; // of a verb that took the lock
  const auto ask = [&](model::decide_gate what) {
    idle.react(model::control_requested{1, world.last_run, std::move(what), "operator"}, world.now);
    return idle.react(model::run_loaded{world.last_run, stored}, world.now);
  };
  SECTION("approved") {
    const auto done = ask({"ok", model::verdict::approved, {{"target", "staging"}}, {"ana", ""}});
    REQUIRE(done.records.size() == 1);
    const auto& passed = std::get<model::gate_passed>(done.records.front());
    CHECK(passed.outputs == model::value{{"target", "staging"}, {"by", "ana"}});
    CHECK(done.timers.removed.size() == 1);
    CHECK(done.counts.front().counts[std::size_t(task_state::succeeded)] == 2);
  }
  SECTION("rejected") {
    const auto done = ask({"ok", model::verdict::rejected, model::value::object(), {"ana", ""}});
    REQUIRE(done.records.size() == 1);
    CHECK(std::get<model::task_moved>(done.records.front()).failure->code == "rejected");
    CHECK(done.counts.front().counts[std::size_t(task_state::failed)] == 1);
  }
  SECTION("but not with values that do not fit") {
    CHECK(ask({"ok", model::verdict::approved, {{"target", 5}}, {"ana", ""}}).records.empty());
  }
}

TEST_CASE("scheduler_core: instances of an approval are decided one by one",
          "[logic][scheduler_core][gates]") {
  flow f{"ok; b < ok"};
  f["ok"].gate({.prompt = "Publish ${{ item }}?"}).foreach ({"x", "y"});
  core_world world{f};
  CHECK(world.recorded().awaited.at(2).prompt == "Publish x?");
  CHECK(approve(world, "ok", model::value::object()).error().message
        == "task 'ok' is fanned out: decide its instances, such as 'ok[...]'");
  REQUIRE(approve(world, "ok[y]", model::value::object()));
  CHECK(world.states() == "b=pending ok[x]=waiting ok[y]=succeeded");
  REQUIRE(approve(world, "ok[x]", model::value::object()));
  world.play();
  CHECK(world.run_state() == "succeeded");
}

// --- signals -----------------------------------------------------------------------------------

TEST_CASE("scheduler_core: a signal lets one gate through", "[logic][scheduler_core][gates]") {
  flow f{"a; go < a; also < a; b < go also"};
  f["go"].gate(signal());
  f["also"].gate(signal("go"));
  f["b"].in("it", "${{ tasks.go.out.payload.x }}");
  core_world world{f};
  world.finish("a");
  CHECK(world.reason("go") == "signal");
  CHECK(world.recorded().awaited.at(2).name == "go");
  const auto sent = send(world, "go", {{"x", 1}});
  REQUIRE(sent);
  CHECK(sent->tasks == std::vector<std::string>{"go"});
  CHECK(world.states("go also") == "go=succeeded also=waiting");
  world.restart();
  CHECK(world.recorded().signals.empty());
  REQUIRE(send(world, "go", {{"x", 2}}));
  world.load("go", model::value{{"payload", {{"x", 1}}}}); // which a new scheduler reads back
  CHECK(world.started("b").inputs == model::value{{"it", 1}});
}

TEST_CASE("scheduler_core: a signal that comes early is kept", "[logic][scheduler_core][gates]") {
  flow f{"a; g < a"};
  f["g"].gate(signal("go")).foreach (3);
  core_world world{f};
  REQUIRE(send(world, "go", 1));
  REQUIRE(send(world, "go", 2));
  const auto noted = model::event_of(world.last.records.front());
  CHECK(noted.type == model::event_type::run_signalled);
  CHECK(noted.is_note());
  if (GENERATE(false, true))
    world.restart();
  CHECK(world.recorded().signals.size() == 2);
  world.finish("a");
  CHECK(world.states() == "a=succeeded g[0]=succeeded g[1]=succeeded g[2]=waiting");
  CHECK(world.recorded().gate_outputs.at(2) == model::value{{"payload", 1}});
  CHECK(world.recorded().signals.empty());
  REQUIRE(send(world, "go", 3));
  CHECK(world.run_state() == "succeeded");
  CHECK(send(world, "go").error().code == errc::conflict);
}

TEST_CASE("scheduler_core: a signal for no gate, and one too many, are refused",
          "[logic][scheduler_core][gates]") {
  flow f{"a; g < a"};
  f["g"].gate(signal("go"));
  core_world world{f};
  CHECK(send(world, "og").error().message
        == "workflow 'flow' has no gate for the signal 'og'; did you mean 'go'?");
  CHECK(send(world, "go", std::string(70'000, 'x')).error().code == errc::invalid_argument);
  for (std::size_t i = 0; i < model::most_signals; ++i)
    REQUIRE(send(world, "go"));
  CHECK(send(world, "go").error().code == errc::conflict);
}

TEST_CASE("scheduler_core: a signal sent while nobody has the run is found when it goes on",
          "[logic][scheduler_core][gates]") {
  flow f{"g; b < g"};
  f["g"].gate(signal("go"));
  core_world world{f};
  auto stored = std::make_shared<const model::stored_run>(world.stored(world.last_run));
  scheduler_core idle{core_world::roomy()};
  idle.react(
    model::control_requested{1, world.last_run, model::send_signal{"go", 7, "ana"}, "operator"},
    world.now);
  const auto done = idle.react(model::run_loaded{world.last_run, stored}, world.now);
  REQUIRE(done.records.size() == 1);
  auto later = *stored;
  later.signals.push_back(std::get<model::signal_received>(done.records.front()).what);
  scheduler_core next{core_world::roomy()};
  const auto taken = next.restore(later, world.now);
  REQUIRE(taken);
  CHECK(std::get<model::gate_passed>(taken->records.front()).outputs
        == model::value{{"payload", 7}});
}

TEST_CASE("scheduler_core: a gate for a signal expires", "[logic][scheduler_core][gates]") {
  flow f{"g; b < g"};
  auto gate = signal("go");
  gate.expires = 1h;
  f["g"].gate(gate);
  core_world world{f};
  world.fire("g", timer_kind::gate);
  CHECK(world.failure("g")
        == model::failure{failure_class::gate, "expired", "no signal 'go' within 1h"});
}

// --- what is no gate ---------------------------------------------------------------------------

TEST_CASE("compiled_workflow: a gate refuses what it cannot mean",
          "[logic][compiled_workflow][gates]") {
  SECTION("keys of tasks that run something") {
    auto f = with_wait("10m");
    f["w"].retry({.max = 1});
    CHECK(problem_of(f)
          == "tasks.w.retry: goes with tasks that run something; this one only waits");
  }
  SECTION("inputs") {
    auto f = with_wait("10m");
    f["w"].in("x", 1);
    CHECK(problem_of(f) == "tasks.w.in: goes with tasks that run something; this one only waits");
  }
  SECTION("a wait for nothing") {
    CHECK(problem_of(with_wait("soon")).starts_with("tasks.w.wait: \"soon\" is neither"));
  }
  SECTION("an output that it does not have") {
    auto f = with_approval();
    f["b"].in("x", "${{ tasks.ok.out.tarjet }}");
    CHECK(problem_of(f)
          == "tasks.b.in.x: task 'ok' declares no output 'tarjet'; did you mean 'target'?");
  }
  SECTION("an approval by itself without defaults") {
    auto gate = approval();
    gate.expires = 1h;
    gate.on_expire = model::on_expire::approve;
    CHECK(problem_of(with_approval(gate)).starts_with("tasks.ok.on_expire: approves by itself"));
  }
  SECTION("a rule for an end that never comes") {
    auto gate = approval();
    gate.on_expire = model::on_expire::skip;
    CHECK(problem_of(with_approval(gate)).starts_with("tasks.ok.on_expire: says what follows"));
  }
  SECTION("a name of an approval") {
    auto gate = approval();
    gate.name = "x";
    CHECK(problem_of(with_approval(gate)).starts_with("tasks.ok.name: goes with gate: signal"));
  }
  SECTION("but what stands in the defaults does not concern it") {
    auto f = with_approval();
    f.spec.defaults.retry = model::retry_policy{.max = 3};
    f.spec.defaults.idempotency = "key";
    set_command(f.spec.defaults, model::command_role::rollback, model::run_action{"true"});
    set_command(f.spec.defaults, model::command_role::compensate, model::run_action{"true"});
    CHECK(problem_of(f) == "");
  }
}
