// What operators ask of runs, through the whole tree.
#include "tests/actors/runtime_world.hpp"

using namespace sluice;

namespace {

class control_world : public runtime_world {
public:
  /// Nothing yet: it is not answered.
  std::optional<expected<model::control_result>> answer;

  void ask(model::run_no run_no, model::control what) {
    answer.reset();
    self->send(host, actors::host_control{{run_no, std::move(what), "operator"},
                                          [this](auto result) { answer = std::move(result); }});
  }
  void retry(model::run_no run_no) {
    ask(run_no, model::retry_run{});
    run();
  }
  model::run_no failed_run() {
    const auto run_no = submit({task("a"), task("b", {"a"})});
    finish("a", model::failure{model::failure_class::exit, "1", "exit code 1"});
    REQUIRE(run_state(run_no) == model::run_state::failed);
    return run_no;
  }
};

} // namespace

TEST_CASE_METHOD(control_world, "control: a run that has ended is read back and goes on",
                 "[actors][control]") {
  start();
  const auto run_no = failed_run();
  retry(run_no);
  REQUIRE(answer);
  REQUIRE(*answer);
  CHECK((*answer)->generation == 2);
  CHECK((*answer)->tasks == std::vector<std::string>{"a", "b"});
  CHECK(reader().run(run_no)->generation == 2);
  CHECK(launcher->key_of("a").attempt == 2);
  finish("a");
  finish("b");
  CHECK(run_state(run_no) == model::run_state::succeeded);
}

TEST_CASE_METHOD(control_world, "control: a retried run is taken up after the scheduler's death",
                 "[actors][control]") {
  start();
  const auto run_no = failed_run();
  retry(run_no);
  crash(actors::child::scheduler);
  skip(model::milliseconds{5'000});
  finish("a");
  finish("b");
  CHECK(run_state(run_no) == model::run_state::succeeded);
}

TEST_CASE_METHOD(control_world, "control: what is refused changes nothing", "[actors][control]") {
  start();
  const auto run_no = submit({task("a")});
  retry(run_no);
  REQUIRE(answer);
  CHECK(answer->error().code == errc::conflict);
  retry({7});
  REQUIRE(answer);
  CHECK(answer->error().code == errc::not_found);
  CHECK(reader().run(run_no)->generation == 1);
}
