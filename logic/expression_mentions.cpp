#include "logic/expression_parser.hpp"

#include <tuple>
#include <utility>

namespace sluice::logic {

/// Names with a hyphen read as a difference, which is what the reader must be told.
std::string expression_parser::unknown_name_at(const token& name) const {
  auto message = unknown_name(written(name));
  const bool continues =
    name.begin >= 2 && text_[name.begin - 1] == '-' && is_name_part(text_[name.begin - 2]);
  if (continues)
    message += "; a name with '-' in it is written ['like-this']";
  return message;
}

/// A member with a fixed name, `.name` or `['name']`; `found` is false, and nothing is read, when
/// something else follows.
bool expression_parser::constant_member(std::string& name, std::size_t& offset, bool& found) {
  found = false;
  const auto saved = std::tuple{lexer_, now_, last_end_};
  if (now_.kind == token_kind::dot) {
    if (!advance())
      return false;
    offset = now_.begin;
    if (!field(name))
      return false;
    found = now_.kind != token_kind::left_paren;
    if (!found) { // it is called on what came before
      std::tie(lexer_, now_, last_end_) = saved;
      name.clear();
    }
    return true;
  }
  if (now_.kind != token_kind::left_bracket)
    return true;
  if (!advance())
    return false;
  const auto key = now_;
  if (key.kind == token_kind::text) {
    if (!advance())
      return false;
    found = now_.kind == token_kind::right_bracket;
  }
  if (!found) { // a computed index
    std::tie(lexer_, now_, last_end_) = saved;
    return true;
  }
  auto text = decode_text(written(key), key.begin);
  if (!text)
    return wrong(text.error().offset, std::move(text.error().message));
  name = std::move(*text);
  offset = key.begin;
  return advance();
}

bool expression_parser::mention(expression_node& out, const token& root) {
  reference mentioned{.offset = root.begin};
  if (written(root) == "tasks") {
    if (!task_mention(mentioned))
      return false;
  } else if (is_item(written(root))) {
    mentioned.what = reference::root::item; // its members are no names of ours
  } else {
    const bool is_run = written(root) == "run";
    mentioned.what = is_run ? reference::root::run : reference::root::params;
    std::size_t offset = 0;
    bool found = false;
    if (!constant_member(mentioned.name, offset, found))
      return false;
    if (found && mentioned.name.empty())
      return wrong(offset, "a name cannot be empty");
    if (found && is_run)
      if (auto problem = problem_with_run_field(mentioned.name))
        return wrong(offset, std::move(*problem));
  }
  out.kind = node_kind::mention;
  out.which = static_cast<std::uint32_t>(references_.size());
  out.end = last_end_;
  references_.push_back(std::move(mentioned));
  return true;
}

bool expression_parser::task_mention(reference& mentioned) {
  std::size_t task_at = 0;
  std::size_t offset = 0;
  bool found = false;
  const bool is_bracket = now_.kind == token_kind::left_bracket;
  if (!constant_member(mentioned.name, task_at, found))
    return false;
  if (!found)
    return wrong(mentioned.offset,
                 is_bracket ? "the name of a task is written out, as in tasks['a-b'].out.y"
                            : "'tasks' alone is no value; write tasks.X.out.y or tasks.X.state");
  if (mentioned.name.empty())
    return wrong(task_at, "a name cannot be empty");
  const auto task = as_member(mentioned.name);
  std::string what;
  const bool may_be_instance = now_.kind == token_kind::left_bracket;
  if (!constant_member(what, offset, found))
    return false;
  if (found && may_be_instance && what != "out" && what != "state" && what != "states") {
    if (what.empty())
      return wrong(offset, "a name cannot be empty");
    mentioned.instance = std::exchange(what, {});
    if (!constant_member(what, offset, found))
      return false;
    if (!found || (what != "out" && what != "state"))
      return wrong(mentioned.offset, "of an instance there is 'out' or 'state': write tasks"
                                       + as_member(mentioned.name) + "['" + mentioned.instance
                                       + "'].out.y");
  }
  if (!found && now_.kind == token_kind::minus && !is_bracket) {
    auto end = task_at;
    while (end < text_.size() && (is_name_part(text_[end]) || text_[end] == '-'))
      ++end;
    return wrong(task_at, "a name with '-' in it is written tasks['"
                            + std::string{text_.substr(task_at, end - task_at)} + "']");
  }
  if (!found)
    return wrong(mentioned.offset, "'tasks" + task + "' alone is no value; write tasks" + task
                                     + ".out.y for an output or tasks" + task + ".state");
  if (what == "state") {
    mentioned.what = reference::root::task_state;
    return true;
  }
  if (what == "states") {
    mentioned.what = reference::root::task_states;
    return true;
  }
  if (what != "out")
    return wrong(offset, unknown_task_field(mentioned.name, what));
  mentioned.what = reference::root::task_output;
  if (!constant_member(mentioned.field, offset, found))
    return false;
  if (found && mentioned.field.empty())
    return wrong(offset, "a name cannot be empty");
  return true;
}

} // namespace sluice::logic
