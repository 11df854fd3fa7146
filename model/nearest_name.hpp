// "Did you mean": the name nearest to one that is not known. A plain function, any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sluice::model {

/// Number of single-character edits between two names, a swap of neighbours counting one.
/// Source: V. I. Levenshtein, 1966; transpositions: F. J. Damerau, 1964 (restricted form).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate nearest to `name` when it is near enough to be a typing error (a third of its
/// length, at least one edit), the first of equals; else empty.
std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

/// `; did you mean 'x'?` for the nearest candidate, or nothing.
std::string did_you_mean(std::string_view name, std::span<const std::string> candidates);

} // namespace sluice::model
