#include "testing/scripted_launcher.hpp"

namespace sluice::testing {

void scripted_launcher::start(std::shared_ptr<const model::start_attempt> what,
                              std::shared_ptr<const executors::launch_listener> listener) {
  starts.push_back(what);
  const auto key = what->key;
  attempts_.emplace(key, attempt{std::move(what), std::move(listener), std::nullopt});
}

void scripted_launcher::go_on(model::attempt_key key) {
  if (attempts_.contains(key))
    gone_on.push_back(key);
}

void scripted_launcher::put_out(model::attempt_key key, model::value outputs) {
  if (attempts_.contains(key))
    put_outs[key].update(outputs);
}

void scripted_launcher::signal(model::attempt_key key, executors::stop_signal what) {
  if (attempts_.contains(key))
    signals.push_back({key, what});
}

void scripted_launcher::forget(model::attempt_key key) {
  forgotten.push_back(key);
}

void scripted_launcher::abandon_all(std::function<void()> on_gone) {
  for (const auto& [key, attempt] : attempts_)
    abandoned.push_back(key);
  attempts_.clear();
  on_gone();
}

std::vector<std::string> scripted_launcher::under_way() const {
  std::vector<std::string> names;
  for (const auto& [key, attempt] : attempts_)
    names.push_back(attempt.what->spec().name);
  return names;
}

model::attempt_key scripted_launcher::key_of(const std::string& task) const {
  for (const auto& [key, attempt] : attempts_)
    if (attempt.what->spec().name == task)
      return key;
  return {};
}

void scripted_launcher::confirm(model::attempt_key key, model::wall_time at) {
  auto& attempt = attempts_.at(key);
  attempt.started_at = at;
  executors::launch_news news;
  news.started.push_back(key);
  (*attempt.listener)(std::move(news));
}

void scripted_launcher::hold(model::attempt_key key, std::string snapshot) {
  executors::launch_news news;
  news.snapshots.push_back({key, std::make_shared<const std::string>(std::move(snapshot))});
  (*attempts_.at(key).listener)(std::move(news));
}

void scripted_launcher::validate(model::attempt_key key) {
  executors::launch_news news;
  news.validating.push_back(key);
  (*attempts_.at(key).listener)(std::move(news));
}

void scripted_launcher::end(model::attempt_key key, model::wall_time at,
                            std::optional<model::failure> failure, model::value outputs) {
  auto ended = attempts_.extract(key);
  model::attempt_report report;
  report.key = key;
  report.failure = std::move(failure);
  report.outputs = std::move(outputs);
  report.started_at = ended.mapped().started_at;
  report.finished_at = at;
  if (!report.failure && !report.started_at)
    report.started_at = at;
  tell_end(std::move(ended.mapped().listener), std::move(report));
}

void scripted_launcher::hand_back(model::attempt_key key, model::wall_time at) {
  auto ended = attempts_.extract(key);
  model::attempt_report report;
  report.key = key;
  report.finished_at = at;
  report.failure = model::failure{model::failure_class::lost, "no_slot", "no slot became free"};
  report.given_back = true;
  tell_end(std::move(ended.mapped().listener), std::move(report));
}

void scripted_launcher::repeat_end(std::size_t which) {
  const auto again = told_.at(which);
  executors::launch_news news;
  news.ended.push_back(again.report);
  (*again.listener)(std::move(news));
}

std::vector<model::attempt_key> scripted_launcher::keys() const {
  std::vector<model::attempt_key> all;
  for (const auto& [key, attempt] : attempts_)
    all.push_back(key);
  return all;
}

void scripted_launcher::tell_end(std::shared_ptr<const executors::launch_listener> listener,
                                 model::attempt_report report) {
  executors::launch_news news;
  news.ended.push_back(report);
  (*listener)(std::move(news));
  told_.push_back({std::move(listener), std::move(report)});
}

} // namespace sluice::testing
