// CEL's arithmetic on numbers: int64 that never wraps around, double that stays finite, and no
// mixing of the two. A plain function.
#pragma once

#include "logic/expression_tree.hpp"
#include "logic/expression_values.hpp"

#include <string>

namespace sluice::logic {

/// The result, or what is wrong as the rest of a sentence, such as `divides by zero`.
/// @pre op is one of add, subtract, multiply, divide, modulo
tl::expected<number, std::string> calculate(const number& left, binary_operator op,
                                            const number& right);

/// The number as a value.
model::value to_value(const number& n);

} // namespace sluice::logic
