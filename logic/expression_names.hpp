// The fixed names of the expression language and what to say about all others. Plain functions,
// used by the parser only.
#pragma once

#include "logic/expression_tree.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sluice::logic {

/// A function and how many arguments it takes, the value counted on which it is called.
struct builtin_signature {
  enum class form : std::uint8_t { function, method, either }; ///< `f(x)`, `x.f()`
  std::string_view name;
  builtin function;
  std::size_t least;
  std::size_t most;
  form called = form::function;
};

/// Null when there is no such function.
const builtin_signature* find_builtin(std::string_view name);

/// The sentence for a function that does not exist, or not yet.
std::string unknown_function(std::string_view name);

/// The sentence for a name at the beginning of a reference that means nothing.
std::string unknown_name(std::string_view name);

/// Whether a word means something in expressions already, or will.
bool is_known_word(std::string_view word);

/// The sentence for what is wrong with a field of `run`; nothing when it exists.
std::optional<std::string> problem_with_run_field(std::string_view field);

/// The sentence for something else than `out` or `state` after `tasks.X`.
std::string unknown_task_field(std::string_view task, std::string_view field);

/// The name as a member of something: `.name`, or `['na-me']` when it is no identifier.
std::string as_member(std::string_view name);

} // namespace sluice::logic
