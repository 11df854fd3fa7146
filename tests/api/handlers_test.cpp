#include "api/handlers.hpp"
#include "model/json.hpp"
#include "model/workflow.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::api;

namespace {

/// A runtime that notes what it is asked.
struct asked_runtime {
  std::string asked;
  std::vector<model::sign_of_life> signs;
  expected<void> result;
  model::checkpoint_ptr checkpoint;
  model::value gates;

  runtime_calls calls() {
    return {
      .attempt_of = [](std::string_view token) -> std::optional<model::attempt_key> {
        return token == "good" ? std::optional{model::attempt_key{{1}, 2, 3}} : std::nullopt;
      },
      .cancel =
        [this](model::run_no run, model::cancel_mode mode,
               const runtime_calls::answer<model::run_no>& done) {
          asked = "cancel " + to_string(run)
                  + (mode == model::cancel_mode::immediate ? " immediate" : " graceful");
          done(result.map([run] { return run; }));
        },
      .control =
        [this](model::run_no run, const model::control& what,
               const runtime_calls::answer<model::control_result>& done) {
          if (const auto* retry = std::get_if<model::retry_run>(&what))
            asked =
              "retry " + to_string(run) + " " + std::to_string(int(retry->scope)) + retry->task;
          if (const auto* retry = std::get_if<model::retry_task>(&what))
            asked = "retry " + to_string(run) + " held " + retry->task;
          if (const auto* pause = std::get_if<model::pause_run>(&what))
            asked = (pause->mode == model::pause_mode::stop ? "pause and stop " : "pause ")
                    + to_string(run);
          if (const auto* pause = std::get_if<model::pause_task>(&what))
            asked = "pause " + pause->task + " of " + to_string(run);
          if (const auto* resume = std::get_if<model::resume_task>(&what))
            asked = "resume " + resume->task + " of " + to_string(run);
          if (std::holds_alternative<model::resume_run>(what))
            asked = "resume " + to_string(run);
          if (std::holds_alternative<model::rollback_run>(what))
            asked = "rollback " + to_string(run);
          if (const auto* cancel = std::get_if<model::cancel_group>(&what))
            asked = "cancel " + cancel->group + " of " + to_string(run)
                    + (cancel->mode == model::cancel_mode::immediate ? " immediate" : " graceful");
          if (const auto* mark = std::get_if<model::mark_task>(&what))
            asked =
              "mark " + to_string(run) + " " + mark->task + " " + std::string{to_string(mark->as)};
          if (const auto* decide = std::get_if<model::decide_gate>(&what))
            asked = (decide->verdict == model::verdict::approved ? "approve " : "reject ")
                    + to_string(run) + " " + decide->task + " " + model::to_text(decide->values)
                    + " " + decide->whose.by + " " + decide->whose.note;
          if (const auto* signal = std::get_if<model::send_signal>(&what))
            asked = "signal " + to_string(run) + " " + signal->name + " "
                    + model::to_text(signal->payload) + " " + signal->by;
          if (const auto* add = std::get_if<model::add_tasks>(&what))
            asked = "add " + add->what->tasks.at(0).name + " to " + to_string(run);
          if (const auto* set = std::get_if<model::set_switch>(&what))
            asked = (set->to == model::switch_position::open ? "open " : "close ") + set->name + " "
                    + set->whose.by + " " + set->whose.note;
          done(result.map([run] { return model::control_result{run, 2, {"b", "c"}, 7}; }));
        },
      .gates = [this] { return result.map([this] { return gates; }); },
      .save_checkpoint =
        [this](model::attempt_key key, const model::checkpoint& what,
               const runtime_calls::answer<void>& done) {
          asked = "save " + to_string(key) + " " + what.token + "=" + what.data;
          done(result);
        },
      .read_checkpoint =
        [this](model::task_key task, const runtime_calls::answer<model::checkpoint_ptr>& done) {
          asked = "read " + to_string(task);
          done(result.map([this] { return checkpoint; }));
        },
      .hear =
        [this](model::sign_of_life what, const runtime_calls::answer<void>& done) {
          signs.push_back(std::move(what));
          done(result);
        },
    };
  }

  response ask(verb v, const std::string& target, const std::string& token = "",
               const std::string& body = "") {
    std::optional<response> answer;
    handle(calls(), {.verb = v, .target = target, .bearer = token, .body = body}, [&](response r) {
      CHECK_FALSE(answer); // once
      answer = std::move(r);
    });
    REQUIRE(answer);
    return *answer;
  }
};

} // namespace

TEST_CASE("handlers: a run is cancelled, or killed", "[api][handlers]") {
  const auto [target, want] = GENERATE(table<std::string, std::string>({
    {"/api/v1/runs/r-7/cancel", "cancel r-7 graceful"},
    {"/api/v1/runs/7/cancel?force=false", "cancel r-7 graceful"},
    {"/api/v1/runs/r-7/cancel?force=true", "cancel r-7 immediate"},
  }));
  CAPTURE(target);
  asked_runtime node;
  const auto answer = node.ask(verb::post, target);
  CHECK(answer.status == 202);
  CHECK(node.asked == want);
  CHECK(model::parse_json(answer.body).value()
        == model::value{{"run", "r-7"}, {"state", "cancelling"}});
}

TEST_CASE("handlers: a group of a run is cancelled", "[api][handlers]") {
  const auto [body, status, want] = GENERATE(table<std::string, unsigned, std::string>({
    {R"({"group": "load"})", 202, "cancel load of r-7 graceful"},
    {R"({"group": "load", "force": true})", 202, "cancel load of r-7 immediate"},
    {R"({"group": 3})", 400, ""},
    {R"({"force": true})", 400, ""},
    {R"({"groop": "load"})", 400, ""},
  }));
  CAPTURE(body);
  asked_runtime node;
  CHECK(node.ask(verb::post, "/api/v1/runs/r-7/cancel", "", body).status == status);
  CHECK(node.asked == want);
}

TEST_CASE("handlers: a run is retried", "[api][handlers]") {
  const auto [body, want] = GENERATE(table<std::string, std::string>({
    {"", "retry r-7 0"},
    {"{}", "retry r-7 0"},
    {R"({"from": "load"})", "retry r-7 1load"},
    {R"({"downstream": "a b"})", "retry r-7 2a b"},
    {R"({"task": "load"})", "retry r-7 held load"},
  }));
  CAPTURE(body);
  asked_runtime node;
  const auto answer = node.ask(verb::post, "/api/v1/runs/r-7/retry", "", body);
  CHECK(answer.status == 202);
  CHECK(node.asked == want);
  CHECK(model::parse_json(answer.body).value()
        == model::value{{"run", "r-7"}, {"generation", 2}, {"tasks", {"b", "c"}}, {"kept", 7}});
  node.result = fail(errc::conflict, "run r-7 has not ended");
  CHECK(node.ask(verb::post, "/api/v1/runs/r-7/retry", "", body).status == 409);
}

TEST_CASE("handlers: a task is marked", "[api][handlers]") {
  asked_runtime node;
  const auto mark = [&](const std::string& body) {
    return node.ask(verb::post, "/api/v1/runs/r-7/mark", "", body).status;
  };
  CHECK(mark(R"({"task": "load", "as": "skipped"})") == 202);
  CHECK(node.asked == "mark r-7 load skipped");
  node.asked.clear();
  for (const auto* body : {"", "{}", R"({"task": "load"})", R"({"task": "load", "as": "well"})",
                           R"({"task": "", "as": "failed"})", R"({"task": 7, "as": "failed"})",
                           R"({"task": "load", "as": "failed", "why": "so"})"}) {
    CAPTURE(body);
    CHECK(mark(body) == 400);
  }
  CHECK(node.asked.empty());
}

TEST_CASE("handlers: gates are decided, signalled and set", "[api][handlers]") {
  const auto [target, body, want] = GENERATE(table<std::string, std::string, std::string>({
    {"runs/r-7/approve", R"({"task": "ok", "values": {"x": 1}, "by": "ana", "note": "fine"})",
     R"(approve r-7 ok {"x":1} ana fine)"},
    {"runs/r-7/approve", R"({"task": "ok"})", "approve r-7 ok {}  "},
    {"runs/r-7/reject", R"({"task": "ok", "note": "no"})", "reject r-7 ok {}  no"},
    {"runs/r-7/signals", R"({"name": "go", "payload": [1], "by": "ana"})", "signal r-7 go [1] ana"},
    {"runs/r-7/signals", R"({"name": "go"})", "signal r-7 go null "},
    {"gates/a%20b/close", R"({"by": "ana", "reason": "work"})", "close a b ana work"},
    {"gates/db/open", "", "open db  "},
  }));
  CAPTURE(target, body);
  asked_runtime node;
  CHECK(node.ask(verb::post, "/api/v1/" + target, "", body).status == 202);
  CHECK(node.asked == want);
}

TEST_CASE("handlers: what is no decision, signal or reason", "[api][handlers]") {
  const auto [target, body] = GENERATE(table<std::string, std::string>({
    {"runs/r-7/approve", ""},
    {"runs/r-7/approve", R"({"values": {}})"},
    {"runs/r-7/approve", R"({"task": "ok", "values": 7})"},
    {"runs/r-7/approve", R"({"task": "ok", "valeus": {}})"},
    {"runs/r-7/reject", R"({"task": "ok", "values": {}})"},
    {"runs/r-7/signals", R"({"payload": 1})"},
    {"runs/r-7/signals", R"({"name": 7})"},
    {"gates/db/close", R"({"why": "so"})"},
  }));
  CAPTURE(target, body);
  asked_runtime node;
  CHECK(node.ask(verb::post, "/api/v1/" + target, "", body).status == 400);
  CHECK(node.asked.empty());
}

TEST_CASE("handlers: a run is given tasks", "[api][handlers]") {
  model::workflow_spec spec;
  spec.name = "etl";
  spec.tasks.emplace_back().name = "load";
  const auto ask = [](asked_runtime& node, const model::value& body) {
    return node.ask(verb::post, "/api/v1/runs/r-7/tasks", "", model::to_text(body)).status;
  };
  asked_runtime node;
  CHECK(ask(node, {{"workflow", model::to_json(spec)}}) == 202);
  CHECK(node.asked == "add load to r-7");
  node.asked.clear();
  CHECK(ask(node, {{"workflow", {{"name", "etl"}}}}) == 400);
  CHECK(ask(node, {{"tasks", model::value::object()}}) == 400);
  CHECK(ask(node, {{"workflow", model::to_json(spec)}, {"x", 1}}) == 400);
  CHECK(node.asked.empty());
}

TEST_CASE("handlers: gates are listed", "[api][handlers]") {
  asked_runtime node;
  node.gates = {
    {"switches", model::value::array()},
    {"waiting",
     {{{"task", "a"}, {"wait_reason", "signal"}}, {{"task", "b"}, {"wait_reason", "approval"}}}}};
  CHECK(model::parse_json(node.ask(verb::get, "/api/v1/gates").body).value() == node.gates);
  CHECK(model::parse_json(node.ask(verb::get, "/api/v1/approvals").body).value()
        == model::value::array({node.gates["waiting"][1]}));
  node.result = fail(errc::unavailable, "busy");
  CHECK(node.ask(verb::get, "/api/v1/gates").status == 503);
}

TEST_CASE("handlers: a run is paused and resumed and rolled back", "[api][handlers]") {
  const auto [target, body, want] = GENERATE(table<std::string, std::string, std::string>({
    {"pause", "", "pause r-7"},
    {"pause", R"({"stop": false})", "pause r-7"},
    {"pause", R"({"stop": true})", "pause and stop r-7"},
    {"resume", "", "resume r-7"},
    {"pause", R"({"task": "load"})", "pause load of r-7"},
    {"resume", R"({"task": "load"})", "resume load of r-7"},
    {"rollback", "", "rollback r-7"},
  }));
  CAPTURE(target, body);
  asked_runtime node;
  CHECK(node.ask(verb::post, "/api/v1/runs/r-7/" + target, "", body).status == 202);
  CHECK(node.asked == want);
}

TEST_CASE("handlers: what is no pause is refused", "[api][handlers]") {
  const auto* body = GENERATE("[]", "{", R"({"stop": 1})", R"({"halt": true})");
  asked_runtime node;
  CHECK(node.ask(verb::post, "/api/v1/runs/r-7/pause", "", body).status == 400);
  CHECK(node.asked.empty());
}

TEST_CASE("handlers: what is no retry is refused", "[api][handlers]") {
  const auto* body =
    GENERATE("[]", "{", R"({"from": 7})", R"({"to": "a"})", R"({"from": "a", "downstream": "b"})");
  CAPTURE(body);
  asked_runtime node;
  CHECK(node.ask(verb::post, "/api/v1/runs/r-7/retry", "", body).status == 400);
  CHECK(node.asked.empty());
}

TEST_CASE("handlers: what the runtime refuses is a problem", "[api][handlers]") {
  asked_runtime node;
  node.result = fail(errc::not_found, "run r-7 is not in progress");
  const auto answer = node.ask(verb::post, "/api/v1/runs/r-7/cancel");
  CHECK(answer.status == 404);
  CHECK_THAT(answer.body, Catch::Contains("run r-7 is not in progress"));
}

TEST_CASE("handlers: what they do not know reaches no runtime", "[api][handlers]") {
  const auto [how, target, status] = GENERATE(table<verb, std::string, unsigned>({
    {verb::post, "/api/v1/runs/x/cancel", 400},
    {verb::post, "/api/v1/runs/r-1/cancel?force=perhaps", 400},
    {verb::post, "broken", 400},
    {verb::get, "/api/v1/runs/r-1/cancel", 405},
    {verb::other, "/api/v1/runs/r-1/cancel", 405},
    {verb::post, "/api/v1/runs/r-1", 404},
    {verb::post, "/api/v1/runs/r-1/cancel/more", 404},
    {verb::post, "/api/v2/runs/r-1/cancel", 404},
    {verb::get, "/", 404},
  }));
  CAPTURE(target);
  asked_runtime node;
  CHECK(node.ask(how, target).status == status);
  CHECK(node.asked.empty());
}

TEST_CASE("handlers: a checkpoint is saved in the name of its attempt", "[api][handlers]") {
  asked_runtime node;
  CHECK(node.ask(verb::post, "/api/v1/attempt/checkpoint?token=step%203", "good", "data").status
        == 204);
  CHECK(node.asked == "save r-1/2#3 step 3=data");
  CHECK(node.signs.size() == 1); // who saves progress lives
  node.result = fail(errc::conflict, "attempt r-1/2#3 is not its task's current one");
  CHECK(node.ask(verb::post, "/api/v1/attempt/checkpoint?token=x", "good").status == 409);
}

TEST_CASE("handlers: a checkpoint is read with its token", "[api][handlers]") {
  asked_runtime node;
  CHECK(node.ask(verb::get, "/api/v1/attempt/checkpoint", "good").status == 404);
  node.checkpoint = std::make_shared<const model::checkpoint>(model::checkpoint{"step 3", "data"});
  const auto answer = node.ask(verb::get, "/api/v1/attempt/checkpoint", "good");
  CHECK(node.asked == "read r-1/2");
  CHECK(answer.status == 200);
  CHECK(answer.body == "data");
  REQUIRE(answer.headers.size() == 1);
  CHECK(answer.headers.front().second == "step%203");
}

TEST_CASE("handlers: without a right token nothing of an attempt is done", "[api][handlers]") {
  const auto how = GENERATE(verb::get, verb::post);
  const auto* token = GENERATE("", "bad");
  asked_runtime node;
  CHECK(node.ask(how, "/api/v1/attempt/checkpoint?token=x", token).status == 401);
  CHECK(node.asked.empty());
}

TEST_CASE("handlers: a sign of life is handed on", "[api][handlers]") {
  asked_runtime node;
  CHECK(node.ask(verb::post, "/api/v1/attempt/heartbeat", "good").status == 204);
  CHECK(
    node
      .ask(verb::post, "/api/v1/attempt/progress", "good", R"({"fraction": 0.4, "text": "row 7"})")
      .status
    == 204);
  CHECK(node.ask(verb::post, "/api/v1/attempt/usage", "good", R"({"tokens": 7})").status == 204);
  CHECK(node.ask(verb::post, "/api/v1/attempt/output", "good", R"({"rows": [7]})").status == 204);
  REQUIRE(node.signs.size() == 4);
  for (const auto& sign : node.signs)
    CHECK(sign.key == model::attempt_key{{1}, 2, 3});
  CHECK_FALSE(node.signs[0].progress);
  CHECK(node.signs[1].progress == model::task_progress{0.4, "row 7"});
  CHECK(node.signs[2].usage == model::value{{"tokens", 7}});
  CHECK(node.signs[3].outputs == model::value{{"rows", {7}}});
  node.result = fail(errc::conflict, "attempt r-1/2#3 is not under way");
  CHECK(node.ask(verb::post, "/api/v1/attempt/heartbeat", "good").status == 409);
}

TEST_CASE("handlers: what is no progress, usage or output is refused", "[api][handlers]") {
  const auto [what, body] = GENERATE(table<std::string, std::string>({
    {"progress", ""},
    {"progress", "[]"},
    {"progress", "{}"},
    {"progress", R"({"fraction": 1.5})"},
    {"progress", R"({"fraction": "half"})"},
    {"progress", R"({"text": 7})"},
    {"progress", R"({"other": 7})"},
    {"usage", ""},
    {"usage", "{}"},
    {"usage", R"({"tokens": "many"})"},
    {"usage", R"({"": 1})"},
    {"output", "{}"},
    {"output", R"(["rows"])"},
  }));
  CAPTURE(what, body);
  asked_runtime node;
  CHECK(node.ask(verb::post, "/api/v1/attempt/" + what, "good", body).status == 400);
  CHECK(node.signs.empty());
}
