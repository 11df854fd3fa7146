#include "api/handlers.hpp"

#include "api/bodies.hpp"
#include "api/problem.hpp"
#include "model/json.hpp"
#include "runtime/history.hpp"
#include "runtime/history_json.hpp"
#include "runtime/orchestrator.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sluice::api {
namespace {

/// A request on its way to its handler.
struct routed {
  const runtime_calls& calls;
  request& what;
  const target& at;
  responder done;

  /// An element of the path, counted behind `/api/v1`.
  const std::string& part(std::size_t i) const { return at.path[2 + i]; }
  std::string query(const char* name) const {
    const auto found = at.query.find(name);
    return found == at.query.end() ? std::string{} : found->second;
  }
};

response json_response(unsigned status, const model::value& v) {
  response r;
  r.status = status;
  r.body = model::to_text(v) + "\n";
  return r;
}

/// Asks for something that the body describes.
template <class What>
void control(const routed& r, const expected<What>& what) {
  const auto run = model::parse_run_no(r.part(1));
  if (!run || !what)
    return r.done(problem(run ? what.error() : run.error()));
  r.calls.control(*run, *what, [done = r.done](const expected<model::control_result>& result) {
    done(result ? json_response(202, to_json(*result)) : problem(result.error()));
  });
}

void cancel(const routed& r) {
  const auto run = model::parse_run_no(r.part(1));
  const auto force = r.query("force");
  const auto group = read_cancel(r.what.body);
  if (!run)
    return r.done(problem(run.error()));
  if (!force.empty() && force != "true" && force != "false")
    return r.done(problem({errc::invalid_argument, "force is true or false"}));
  if (!group || *group)
    return control(r, group.map([](const auto& what) { return *what; }));
  r.calls.cancel(*run,
                 force == "true" ? model::cancel_mode::immediate : model::cancel_mode::graceful,
                 [done = r.done](const expected<model::run_no>& result) {
                   if (!result)
                     return done(problem(result.error()));
                   done(json_response(202, {{"run", to_string(*result)}, {"state", "cancelling"}}));
                 });
}

void retry(const routed& r) {
  control(r, read_retry(r.what.body));
}

void mark(const routed& r) {
  control(r, read_mark(r.what.body));
}

void pause(const routed& r) {
  control(r, read_pause(r.what.body));
}

void resume(const routed& r) {
  control(r, read_resume(r.what.body));
}

void rollback(const routed& r) {
  control(r, expected<model::rollback_run>{});
}

/// Asks something that changes nothing.
void ask(const routed& r, model::question what) {
  const auto run = model::parse_run_no(r.part(1));
  if (!run)
    return r.done(problem(run.error()));
  r.calls.ask(*run, std::move(what), [done = r.done](const expected<model::value>& answer) {
    done(answer ? json_response(200, *answer) : problem(answer.error()));
  });
}

void explain(const routed& r) {
  ask(r, model::explain_task{r.query("task")});
}

/// `?from=0&to=99`: of the ready ones of these tasks.
void list_waits(const routed& r) {
  model::list_waits what;
  for (const auto& [name, number] : {std::pair{"from", &what.from}, std::pair{"to", &what.to}}) {
    const auto text = r.query(name);
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), *number);
    if (failed != std::errc{} || end != text.data() + text.size())
      return r.done(problem({errc::invalid_argument, std::string{name} + " is a task's index"}));
  }
  ask(r, what);
}

void approve(const routed& r) {
  control(r, read_approval(r.what.body));
}

void reject(const routed& r) {
  control(r, read_rejection(r.what.body));
}

void signal(const routed& r) {
  control(r, read_signal(r.what.body));
}

void give_tasks(const routed& r) {
  control(r, read_added_tasks(r.what.body));
}

void set_switch(const routed& r, model::switch_position to) {
  auto whose = read_decision(r.what.body);
  if (!whose)
    return r.done(problem(whose.error()));
  r.calls.control({}, model::set_switch{r.part(1), to, std::move(*whose)},
                  [done = r.done](const expected<model::control_result>& result) {
                    done(result ? json_response(202, to_json(*result)) : problem(result.error()));
                  });
}

void open_gate(const routed& r) {
  set_switch(r, model::switch_position::open);
}

void close_gate(const routed& r) {
  set_switch(r, model::switch_position::closed);
}

void set_limit(const routed& r) {
  auto what = read_store_limit(r.what.body);
  if (!what)
    return r.done(problem(what.error()));
  r.calls.control({}, std::move(*what),
                  [done = r.done](const expected<model::control_result>& result) {
                    done(result ? json_response(202, to_json(*result)) : problem(result.error()));
                  });
}

void list_limits(const routed& r) {
  r.calls.ask({}, model::list_limits{}, [done = r.done](const expected<model::value>& answer) {
    done(answer ? json_response(200, *answer) : problem(answer.error()));
  });
}

void list_gates(const routed& r) {
  const auto found = r.calls.gates();
  r.done(found ? json_response(200, *found) : problem(found.error()));
}

void list_approvals(const routed& r) {
  const auto found = r.calls.gates();
  if (!found)
    return r.done(problem(found.error()));
  auto approvals = model::value::array();
  for (const auto& gate : found->at("waiting"))
    if (gate.at("wait_reason") == to_string(model::wait_reason::approval))
      approvals.push_back(gate);
  r.done(json_response(200, approvals));
}

/// The header that carries a checkpoint's token beside its data; percent-encoded.
constexpr auto checkpoint_token_header = "Sluice-Checkpoint-Token";

/// Calls back with the attempt that the request's token names; refuses a request without one.
template <class Work>
void with_attempt(const routed& r, const Work& work) {
  if (const auto key = r.calls.attempt_of(r.what.bearer))
    work(*key);
  else
    r.done(problem(401, "unauthorized",
                   "the token (Authorization: Bearer $SLUICE_TOKEN) is of no attempt of this "
                   "runtime"));
}

void save_checkpoint(const routed& r) {
  with_attempt(r, [&](model::attempt_key key) {
    r.calls.hear({.key = key}, [](const expected<void>&) {}); // who saves progress lives
    r.calls.save_checkpoint(key, {r.query("token"), std::move(r.what.body)},
                            [done = r.done](const expected<void>& result) {
                              done(result ? response{.status = 204} : problem(result.error()));
                            });
  });
}

void read_checkpoint(const routed& r) {
  with_attempt(r, [&](model::attempt_key key) {
    r.calls.read_checkpoint(
      key.task(), [done = r.done](const expected<model::checkpoint_ptr>& found) {
        if (!found)
          return done(problem(found.error()));
        if (*found == nullptr)
          return done(problem({errc::not_found, "the task has saved no checkpoint"}));
        response answer;
        answer.type = "application/octet-stream";
        answer.body = (*found)->data;
        answer.headers.emplace_back(checkpoint_token_header, percent_encoded((*found)->token));
        done(std::move(answer));
      });
  });
}

/// Hands on what an attempt says; `read` takes it from the body, where that says anything.
template <class Read>
void hear(const routed& r, const Read& read) {
  with_attempt(r, [&](model::attempt_key key) {
    model::sign_of_life sign{.key = key};
    if (const auto taken = read(sign); !taken)
      return r.done(problem(taken.error()));
    r.calls.hear(std::move(sign), [done = r.done](const expected<void>& result) {
      done(result ? response{.status = 204} : problem(result.error()));
    });
  });
}

void heartbeat(const routed& r) {
  hear(r, [](model::sign_of_life&) { return expected<void>{}; });
}

void progress(const routed& r) {
  hear(r, [&](model::sign_of_life& sign) {
    return read_progress(r.what.body).map([&](model::task_progress&& told) {
      sign.progress = std::move(told);
    });
  });
}

void usage(const routed& r) {
  hear(r, [&](model::sign_of_life& sign) {
    return read_usage(r.what.body).map([&](model::value&& told) { sign.usage = std::move(told); });
  });
}

void output(const routed& r) {
  hear(r, [&](model::sign_of_life& sign) {
    return read_outputs(r.what.body).map([&](model::value&& told) {
      sign.outputs = std::move(told);
    });
  });
}

struct route {
  api::verb verb;
  std::string_view path; ///< behind `/api/v1/`; `*` is any one element
  void (*handle)(const routed&);
};

constexpr std::array routes{
  route{verb::post, "runs/*/cancel", cancel},
  route{verb::post, "runs/*/retry", retry},
  route{verb::post, "runs/*/rollback", rollback},
  route{verb::post, "runs/*/mark", mark},
  route{verb::post, "runs/*/pause", pause},
  route{verb::post, "runs/*/resume", resume},
  route{verb::get, "runs/*/explain", explain},
  route{verb::get, "runs/*/waits", list_waits},
  route{verb::post, "runs/*/approve", approve},
  route{verb::post, "runs/*/reject", reject},
  route{verb::post, "runs/*/signals", signal},
  route{verb::post, "runs/*/tasks", give_tasks},
  route{verb::get, "gates", list_gates},
  route{verb::post, "gates/*/open", open_gate},
  route{verb::post, "gates/*/close", close_gate},
  route{verb::get, "approvals", list_approvals},
  route{verb::get, "limits", list_limits},
  route{verb::post, "limits", set_limit},
  route{verb::post, "attempt/checkpoint", save_checkpoint},
  route{verb::get, "attempt/checkpoint", read_checkpoint},
  route{verb::post, "attempt/heartbeat", heartbeat},
  route{verb::post, "attempt/progress", progress},
  route{verb::post, "attempt/usage", usage},
  route{verb::post, "attempt/output", output},
};

bool fits(const route& r, const target& at) {
  if (at.path.size() < 2 || at.path[0] != "api" || at.path[1] != "v1")
    return false;
  auto pattern = r.path;
  for (std::size_t i = 2; i < at.path.size(); ++i) {
    const auto part = pattern.substr(0, pattern.find('/'));
    if (part.empty() || (part != "*" && part != at.path[i]))
      return false;
    pattern.remove_prefix(std::min(part.size() + 1, pattern.size()));
  }
  return pattern.empty();
}

} // namespace

namespace {

template <class List>
model::value listed(const List& all) {
  auto array = model::value::array();
  for (const auto& one : all)
    array.push_back(runtime::to_json(one));
  return array;
}

expected<model::value> read_gates(const std::filesystem::path& store_dir) {
  auto store = runtime::history::open(store_dir);
  if (!store)
    return tl::unexpected(store.error());
  const auto gates = store->gates();
  const auto waiting = store->waiting_gates();
  if (!gates || !waiting)
    return tl::unexpected(gates ? waiting.error() : gates.error());
  return model::value{{"switches", listed(gates->switches)}, {"waiting", listed(*waiting)}};
}

} // namespace

runtime_calls calls_of(runtime::orchestrator& node) {
  return {
    .attempt_of = [&node](std::string_view token) { return node.attempt_of(token); },
    .cancel =
      [&node](model::run_no run, model::cancel_mode mode,
              runtime_calls::answer<model::run_no> done) {
        node.cancel(run, mode, "operator", std::move(done));
      },
    .control =
      [&node](model::run_no run, model::control what,
              runtime_calls::answer<model::control_result> done) {
        node.control(run, std::move(what), "operator", std::move(done));
      },
    .ask =
      [&node](model::run_no run, model::question what, runtime_calls::answer<model::value> done) {
        node.ask(run, std::move(what), std::move(done));
      },
    .gates = [&node] { return read_gates(node.store_dir()); },
    .save_checkpoint =
      [&node](model::attempt_key key, model::checkpoint what, runtime_calls::answer<void> done) {
        node.save_checkpoint(key, std::move(what), std::move(done));
      },
    .read_checkpoint =
      [&node](model::task_key task, runtime_calls::answer<model::checkpoint_ptr> done) {
        node.read_checkpoint(task, std::move(done));
      },
    .hear =
      [&node](model::sign_of_life what, runtime_calls::answer<void> done) {
        node.hear(std::move(what), std::move(done));
      },
  };
}

void handle(const runtime_calls& calls, request what, responder done) {
  const auto at = parse_target(what.target);
  if (!at)
    return done(problem(at.error()));
  bool is_known = false;
  for (const auto& route : routes) {
    if (!fits(route, *at))
      continue;
    is_known = true;
    if (route.verb == what.verb)
      return route.handle({calls, what, *at, std::move(done)});
  }
  if (is_known)
    done(problem(405, "method_not_allowed", "another method is needed for " + what.target));
  else
    done(problem({errc::not_found, "there is no " + what.target}));
}

} // namespace sluice::api
