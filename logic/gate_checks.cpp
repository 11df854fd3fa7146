#include "logic/gate_checks.hpp"

#include "logic/gate.hpp"
#include "logic/spec_checks.hpp"
#include "logic/spec_path.hpp"

#include <algorithm>

namespace sluice::logic {
namespace {

class gate_checker {
public:
  gate_checker(const model::task_spec& task, const std::string& path,
               std::vector<spec_problem>& problems)
    : task_(task), path_(path), problems_(problems) {}

  void check() {
    check_keys_of_others();
    if (const auto* wait = std::get_if<model::wait_action>(&task_.action))
      check_wait(*wait);
    else
      check_gate(*std::get<model::gate_action>(task_.action).what);
  }

private:
  void report(std::string_view key, std::string message) {
    problems_.push_back({path_of(path_, key), std::move(message), 0});
  }
  void report_key(bool is_set, std::string_view key, const char* why) {
    if (is_set)
      problems_.push_back({path_of(path_, key), why, 0, true});
  }

  void check_keys_of_others() {
    constexpr auto why = "goes with tasks that run something; this one only waits";
    report_key(!task_.in.empty(), "in", why);
    report_key(!task_.out.empty(), "out", why);
    report_key(task_.fan_out->max_parallel.has_value(), "max_parallel", why);
    if (!task_.settings.is_set())
      return;
    const auto& own = *task_.settings;
    report_key(!own.env.empty(), "env", why);
    report_key(own.workdir.has_value(), "workdir", why);
    report_key(!own.secrets.empty(), "secrets", why);
    report_key(own.shell.has_value(), "shell", why);
    report_key(own.timeout.has_value(), "timeout", why);
    report_key(own.queue_timeout.has_value(), "queue_timeout", why);
    report_key(own.heartbeat.has_value(), "heartbeat", why);
    report_key(own.retry.has_value(), "retry", why);
    report_key(own.crash_limit.has_value(), "crash_limit", why);
    report_key(own.on_exhausted.has_value(), "on_exhausted", why);
    report_key(own.checkpoint_bytes.has_value(), "checkpoint", why);
    report_key(own.priority.has_value(), "priority", why);
    report_key(own.preemptible.has_value(), "preemptible", why);
    report_key(own.resources.has_value(), "resources", why);
    report_key(own.pool.has_value(), "pool", why);
    report_key(own.concurrency.has_value(), "concurrency", why);
    report_key(own.rate.has_value(), "rate", why);
    report_key(own.idempotency.has_value(), "idempotency", why);
    report_key(own.gates.has_value(), "gates", why);
    for (const auto& command : own.extra)
      report_key(true, to_string(command.role), why);
  }

  void check_wait(const model::wait_action& wait) {
    if (wait.until.find("${{") != std::string::npos)
      return; // found out when it is evaluated
    if (const auto end = end_of_wait(wait.until, {}); !end)
      report("wait", end.error().message);
  }

  void check_gate(const model::gate_spec& gate) {
    using enum model::gate_kind;
    const bool is_approval = gate.which == approval;
    const bool is_decided = is_approval || gate.which == signal;
    report_key(!is_approval && !gate.prompt.empty(), "prompt", "goes with gate: approval");
    report_key(!is_approval && !gate.form.empty(), "form", "goes with gate: approval");
    report_key(is_approval && !gate.name.empty(), "name",
               "goes with gate: signal; an approval is known by its task");
    report_key(gate.which == time && !gate.name.empty(), "name",
               "goes with gate: signal, switch and quota");
    if (const auto valid = check_gate_name(gate_name(task_)); !is_approval && !valid)
      report("name", valid.error().message);
    report_key(!is_decided && gate.expires, "expires", "goes with gate: approval and signal");
    check_hours(gate);
    check_quota(gate);
    check_form(gate.form, path_of(path_, "form"), problems_);
    for (const auto& asked : gate.form)
      if (asked.name == "by")
        report("form", "'by' is put out anyway: who has approved");
    if (gate.expires && gate.expires->count() <= 0)
      report("expires", "must be longer than nothing");
    report_key(gate.on_expire != model::on_expire::reject && !gate.expires, "on_expire",
               "says what follows when it expires: give it 'expires', or leave this out");
    if (is_decided && gate.on_closed == model::on_closed::wait)
      report("on_closed", "a decision stands: it is fail or skip");
    const bool has_defaults =
      std::all_of(gate.form.begin(), gate.form.end(),
                  [](const auto& asked) { return asked.default_value.has_value(); });
    if (gate.on_expire == model::on_expire::approve && !has_defaults)
      report("on_expire", "approves by itself only when all of the form has defaults");
  }

  void check_hours(const model::gate_spec& gate) {
    if (gate.which == model::gate_kind::time && !gate.hours)
      report("gate", "needs 'between', such as \"22:00-06:00\"");
    report_key(gate.which != model::gate_kind::time && gate.hours, "between",
               "goes with gate: time");
  }

  void check_quota(const model::gate_spec& gate) {
    if (gate.which != model::gate_kind::quota)
      return report_key(gate.quota.has_value(), gate.quota && gate.quota->max == 0 ? "per" : "max",
                        "goes with gate: quota");
    if (!gate.quota || gate.quota->max == 0 || gate.quota->max > model::most_passes)
      report("max", "must be from 1 to " + std::to_string(model::most_passes));
    if (!gate.quota || gate.quota->per.count() <= 0)
      report("per", "must be longer than nothing");
  }

  const model::task_spec& task_;
  const std::string& path_;
  std::vector<spec_problem>& problems_;
};

} // namespace

void check_gate(const model::task_spec& task, const std::string& path,
                std::vector<spec_problem>& problems) {
  gate_checker{task, path, problems}.check();
}

} // namespace sluice::logic
