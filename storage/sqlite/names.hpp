// Enumerators as the text of a column, and back. Strings, because they are bound without a copy.
#pragma once

#include "model/state.hpp"
#include "storage/sqlite/guarded.hpp"

#include <string>
#include <vector>

namespace sluice::storage::sqlite {

const std::string& text_of(model::task_state s);
const std::string& text_of(model::run_state s);
const std::string& text_of(model::failure_class c);
const std::string& text_of(model::executor_kind k);
const std::string& text_of(model::command_role r);
const std::string& text_of(model::event_type t);
const std::string& text_of(model::timer_kind k);

/// The state a task is stored in: of `ready` and `running` there is no record.
constexpr model::task_state stored(model::task_state s) {
  if (s == model::task_state::ready)
    return model::task_state::pending;
  return s == model::task_state::running ? model::task_state::dispatched : s;
}

/// Reads a column with one of the `parse_` functions of model/state. Throws `unreadable_row`.
template <class Parse>
auto read_name(const std::string& text, Parse parse) {
  const auto found = parse(text);
  if (!found)
    throw unreadable_row{"unknown name '" + text + "' in a row"};
  return *found;
}

} // namespace sluice::storage::sqlite
