#include "logic/commit_window.hpp"

#include <iterator>

namespace sluice::logic {

std::vector<model::command> commit_window::push(reaction&& step) {
  if (step.records.empty() && step.counts.empty() && step.timers.empty() && step.switches.empty()
      && step.limits.empty()) {
    if (pending_.empty())
      return std::move(step.effects);
    auto& last = pending_.back().effects; // order among effects is kept
    last.insert(last.end(), std::make_move_iterator(step.effects.begin()),
                std::make_move_iterator(step.effects.end()));
    return {};
  }
  auto numbered = std::make_shared<model::step>();
  numbered->number = ++last_number_;
  numbered->records = std::move(step.records);
  numbered->counts = std::move(step.counts);
  numbered->switches = std::move(step.switches);
  numbered->limits = std::move(step.limits);
  numbered->timers = std::move(step.timers);
  const auto heavy = model::weight(*numbered);
  outstanding_ += heavy;
  pending_.push_back({std::move(numbered), heavy, std::move(step.effects)});
  return {};
}

std::vector<step_ptr> commit_window::take_sendable() {
  std::vector<step_ptr> out;
  while (sent_ < pending_.size()) {
    auto& next = pending_[sent_];
    // A heavy step is sent when nothing else is with the writer, and then nothing else is.
    const bool fits = sent_weight_ + next.weight <= limits_.group * limits_.groups_outstanding;
    const bool alone = next.weight > limits_.group || pending_.front().weight > limits_.group;
    if (sent_ > 0 && (alone || !fits))
      break;
    next.sent = true;
    ++sent_;
    sent_weight_ += next.weight;
    out.push_back(next.step);
  }
  return out;
}

std::vector<model::command> commit_window::committed(std::uint64_t number) {
  std::vector<model::command> released;
  while (!pending_.empty() && pending_.front().step->number <= number) {
    auto& done = pending_.front();
    released.insert(released.end(), std::make_move_iterator(done.effects.begin()),
                    std::make_move_iterator(done.effects.end()));
    outstanding_ -= done.weight;
    if (done.sent) {
      --sent_;
      sent_weight_ -= done.weight;
    }
    pending_.pop_front();
  }
  return released;
}

std::vector<model::command> commit_window::writer_replaced(std::uint64_t number) {
  auto released = committed(number);
  for (auto& step : pending_)
    step.sent = false;
  sent_ = 0;
  sent_weight_ = 0;
  return released;
}

} // namespace sluice::logic
