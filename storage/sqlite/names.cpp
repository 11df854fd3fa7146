#include "storage/sqlite/names.hpp"

namespace sluice::storage::sqlite {
namespace {

std::vector<std::string> strings(std::span<const std::string_view> names) {
  return {names.begin(), names.end()};
}

} // namespace

const std::string& text_of(model::task_state s) {
  static const auto names = strings(model::task_state_names());
  return names[std::size_t(s)];
}
const std::string& text_of(model::run_state s) {
  static const auto names = strings(model::run_state_names());
  return names[std::size_t(s)];
}
const std::string& text_of(model::failure_class c) {
  static const auto names = strings(model::failure_class_names());
  return names[std::size_t(c)];
}
const std::string& text_of(model::executor_kind k) {
  static const auto names = strings(model::executor_kind_names());
  return names[std::size_t(k)];
}
const std::string& text_of(model::command_role r) {
  static const auto names = strings(model::command_role_names());
  return names[std::size_t(r)];
}
const std::string& text_of(model::event_type t) {
  static const auto names = strings(model::event_type_names());
  return names[std::size_t(t)];
}
const std::string& text_of(model::timer_kind k) {
  static const auto names = strings(model::timer_kind_names());
  return names[std::size_t(k)];
}

} // namespace sluice::storage::sqlite
