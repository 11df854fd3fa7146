// Typed values of parameters and outputs: whether a value has a type, and filling in a run's
// parameters from what was given.
#pragma once

#include "model/workflow.hpp"

namespace sluice::model {

/// Whether `v` is of type `t`: `int` takes integers, `double` any number, `date` the text
/// `YYYY-MM-DD` of a real day, `timestamp` RFC 3339 text, `file` any text. Null is of no type.
bool has_type(const value& v, value_type t);

/// `v` as a value of the type: an integer becomes a double for `double`. @pre has_type(v, t)
value to_type(value v, value_type t);

/// Reads a value written as text (`out` lines `name=value`): text types verbatim, all else as JSON
/// scalars, lists and maps as JSON. Nothing when it is not of the type.
std::optional<value> read_as(std::string_view text, value_type t);

/// A value of a parameter; or a sentence: wrong type, not a choice.
tl::expected<value, std::string> typed_param(const param_spec& param, const value& v,
                                             std::string_view noun = "parameter");

/// A run's complete parameters: the defaults, overridden by `given` (an object). Returns one
/// sentence per problem: unknown (with the nearest name), missing, wrong type, not a choice.
tl::expected<value, std::vector<std::string>> complete_params(const workflow_spec& workflow,
                                                              const value& given);
/// The same of other values with a declaration, such as those of a form; `noun` is what one is
/// called.
tl::expected<value, std::vector<std::string>>
complete_values(const std::vector<param_spec>& declared, const value& given, std::string_view noun);

} // namespace sluice::model
