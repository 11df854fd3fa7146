#include "model/ids.hpp"

#include <charconv>

namespace sluice::model {

std::string to_string(run_no run) {
  return "r-" + std::to_string(run.value);
}

std::string to_string(task_key task) {
  return to_string(task.run_no) + "/" + std::to_string(task.task_idx);
}

std::string to_string(attempt_key attempt) {
  return to_string(attempt.task()) + "#" + std::to_string(attempt.attempt);
}

expected<run_no> parse_run_no(std::string_view text) {
  auto digits = text;
  if (digits.starts_with("r-"))
    digits.remove_prefix(2);
  run_no run;
  const auto [end, err] = std::from_chars(digits.data(), digits.data() + digits.size(), run.value);
  if (err != std::errc{} || end != digits.data() + digits.size() || run.value < 1)
    return fail(errc::invalid_argument, "'" + std::string{text} + "' is not a run id such as r-12");
  return run;
}

} // namespace sluice::model
