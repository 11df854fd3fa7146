#include "executors/attempt_starter.hpp"

#include "executors/command_line.hpp"
#include "executors/program_path.hpp"
#include "executors/start_failure.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace sluice::executors {
namespace {

using model::failure;
using model::failure_class;

bool holds_nul(const std::vector<std::string>& argv) {
  return std::any_of(argv.begin(), argv.end(),
                     [](const std::string& s) { return s.find('\0') != std::string::npos; });
}

std::string group_name(model::attempt_key key) {
  return std::to_string(key.run_no.value) + "." + std::to_string(key.task_idx) + "."
         + std::to_string(key.attempt);
}

/// What is undone put out, as JSON: an object without members when that is nothing.
std::string result_text(const model::start_attempt& order) {
  return order.kept->result.is_null() ? "{}" : model::to_text(order.kept->result);
}

} // namespace

attempt_starter::attempt_starter(const process_options& options, attempt_files& files)
  : options_{options}, files_{files}, spawner_{options.guard_fd} {}

tl::expected<void, failure> attempt_starter::prepare_files(const model::start_attempt& order) {
  const auto check = [](const std::string& path, int err) -> tl::expected<void, failure> {
    if (err == 0)
      return {};
    if (is_shortage(err))
      return tl::unexpected(explain({.err = err, .program = path}));
    return tl::unexpected(cannot_make_files(path, err));
  };
  files_.make_log_dir(
    order.key); // a failure shows, and is explained, when the log cannot be opened
  const bool has_in = order.inputs.is_object();
  const bool has_checkpoint = order.kept->checkpoint != nullptr;
  const bool has_snapshot = order.kept->snapshot != nullptr;
  if (!has_in && !has_checkpoint && !has_snapshot && !order.takes_snapshot && !order.has_result
      && order.spec().out.empty())
    return {};
  auto made = check(files_.work_dir_of(order.key), files_.make_work_dir(order.key));
  if (made && has_in)
    made = check(files_.in_of(order.key), files_.write_in(order.key, model::to_text(order.inputs)));
  if (made && order.has_result)
    made = check(files_.result_of(order.key), files_.write_result(order.key, result_text(order)));
  if (made && has_checkpoint)
    made = check(files_.checkpoint_of(order.key),
                 files_.write_checkpoint(order.key, order.kept->checkpoint->data));
  if (made && has_snapshot)
    made =
      check(files_.snapshot_of(order.key), files_.write_snapshot(order.key, *order.kept->snapshot));
  return made;
}

tl::expected<pid_t, failure> attempt_starter::start(const model::start_attempt& order,
                                                    model::command_role role, attempt_kit& kit) {
  const auto& task = order.spec();
  const auto& what = *command_for(*order.workflow, task, role);
  const auto in = order.inputs.is_object() ? files_.in_of(order.key) : std::string{};
  const bool puts_out = !task.out.empty() && !undoes(role) && role != model::command_role::snapshot;
  const auto out = puts_out ? files_.out_of(order.key) : std::string{};
  const auto checkpoint =
    order.kept->checkpoint == nullptr ? std::string{} : files_.checkpoint_of(order.key);
  const bool sees_snapshot =
    role == model::command_role::snapshot || order.kept->snapshot != nullptr;
  const auto snapshot = sees_snapshot ? files_.snapshot_of(order.key) : std::string{};
  const auto result = order.has_result ? files_.result_of(order.key) : std::string{};
  const auto token = options_.token_of ? options_.token_of(order.key) : std::string{};
  if (auto wrong = give_secrets(order, kit))
    return tl::unexpected(std::move(*wrong));
  if (auto wrong =
        fill_environment(environment_, order,
                         {.base = options_.environment,
                          .instance_token = options_.instance_token,
                          .in_path = in,
                          .out_path = out,
                          .input_limit_bytes = options_.input_limit_bytes,
                          .inputs_limit_bytes = options_.inputs_limit_bytes,
                          .socket = options_.socket,
                          .token = token,
                          .checkpoint_path = checkpoint,
                          .snapshot_path = snapshot,
                          .result_path = result,
                          .secrets = kit.secrets == nullptr ? std::span<const secret_value>{}
                                                            : kit.secrets->values}))
    return tl::unexpected(std::move(*wrong));
  environment_.finish();

  const auto& shell = shell_of(*order.workflow, task);
  const auto workdir = workdir_of(*order.workflow, task);
  auto command = command_of(what, shell);
  if (command.argv.empty() || holds_nul(command.argv))
    return tl::unexpected(
      failure{failure_class::permanent, "start_failed", "the command is empty or holds a NUL"});
  if (auto wrong = hold_to_limits(order, kit))
    return tl::unexpected(std::move(*wrong));
  auto pid = spawn(order.key, command.argv, workdir, kit);
  if (!pid && pid.error() == ENOEXEC && command.skips_shell) {
    command.argv = shell_command(std::get<model::run_action>(what).text, shell);
    pid = spawn(order.key, command.argv, workdir, kit);
  }
  if (!pid && pid.error() == ENOENT) { // perhaps someone removed the log's directory meanwhile
    files_.forget_log_dir(order.key);
    files_.make_log_dir(order.key);
    pid = spawn(order.key, command.argv, workdir, kit);
  }
  if (kit.secrets != nullptr)
    environment_.wipe();
  if (!pid)
    return tl::unexpected(explain({.err = pid.error(),
                                   .program = command.argv.front(),
                                   .path = program_,
                                   .workdir = workdir,
                                   .log_path = files_.log_of(order.key)}));
  return *pid;
}

/// Once for all commands of the attempt.
std::optional<failure> attempt_starter::give_secrets(const model::start_attempt& order,
                                                     attempt_kit& kit) {
  if (kit.secrets != nullptr)
    return std::nullopt;
  auto secrets = resolve_secrets(order, options_.variable_of);
  if (!secrets)
    return std::move(secrets.error());
  kit.secrets = std::move(*secrets);
  if (kit.secrets != nullptr && options_.secrets != nullptr)
    options_.secrets->add(order.key, kit.secrets->patterns);
  return std::nullopt;
}

/// Whoever names limits is told whether they hold; all others are not bothered.
void attempt_starter::say_how_once() {
  if (std::exchange(has_said_how_, true))
    return;
  if (options_.groups != nullptr)
    spdlog::info("attempts are held to mem and cpu by control groups dir='{}'",
                 options_.groups->dir().string());
  else
    spdlog::info("attempts are held to mem by a limit of each process and cpu is only counted "
                 "cause='{}'",
                 options_.no_groups_because);
}

/// Nothing happens to an attempt that was given neither memory nor processors.
std::optional<failure> attempt_starter::hold_to_limits(const model::start_attempt& order,
                                                       attempt_kit& kit) {
  data_bytes_ = 0;
  if (!order.holds.is_set())
    return std::nullopt;
  const auto limits = limits_of(*order.holds);
  if (!limits.any())
    return std::nullopt;
  say_how_once();
  if (options_.groups == nullptr) {
    data_bytes_ = limits.memory_bytes.value_or(0);
    return std::nullopt;
  }
  if (kit.group != nullptr)
    return std::nullopt;
  auto made = options_.groups->make_leaf(group_name(order.key), limits);
  if (!made)
    return failure{failure_class::resource, "no_cgroup",
                   "cannot make a control group for the attempt in '"
                     + options_.groups->dir().string() + "': " + errno_text(made.error())};
  kit.group = std::move(*made);
  return std::nullopt;
}

tl::expected<pid_t, int> attempt_starter::spawn(model::attempt_key key,
                                                const std::vector<std::string>& argv,
                                                const std::string& workdir, attempt_kit& kit) {
  const auto path = environment_.find("PATH").value_or(default_search_path);
  const auto program = find_program(argv.front(), path, workdir);
  program_ = program.value_or(std::string{});
  if (!program)
    return tl::unexpected(program.error());
  argv_.clear();
  for (const auto& word : argv)
    argv_.push_back(const_cast<char*>(word.c_str())); // posix_spawn does not write to it
  argv_.push_back(nullptr);
  const auto log = files_.log_of(key);
  if (kit.secrets != nullptr) {
    auto output = masked_output::open(log, kit.secrets->patterns);
    if (!output)
      return tl::unexpected(output.error());
    kit.output = std::move(*output);
  }
  const auto pid = spawner_.spawn({.program = program_.c_str(),
                                   .argv = argv_.data(),
                                   .environment = environment_.pointers(),
                                   .log_path = log.c_str(),
                                   .output = kit.output == nullptr ? -1 : kit.output->write_end(),
                                   .workdir = workdir.empty() ? nullptr : workdir.c_str(),
                                   .cgroup = kit.group == nullptr ? -1 : kit.group->descriptor(),
                                   .data_bytes = data_bytes_});
  if (!pid)
    kit.output.reset();
  else if (kit.output != nullptr)
    kit.output->close_write_end();
  return pid;
}

} // namespace sluice::executors
