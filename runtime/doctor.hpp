// Looks after everything that a runtime needs, and says what is wrong and what to do about it.
#pragma once

#include "model/error.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace sluice::runtime {

enum class verdict : std::uint8_t { good, warning, problem };
std::string_view to_string(verdict v);

struct finding {
  runtime::verdict verdict = verdict::good;
  std::string subject; ///< `store`, `database`, `runs`, `checkpoints`, `logs`, `guard`, `limits`,
                       ///< `disk`
  std::string text;    ///< what was found, a sentence
  std::string advice;  ///< what to do; empty: nothing
};

/// Looks at a store, whether a runtime holds it or not, and changes nothing.
std::vector<finding> examine(const std::filesystem::path& store_dir);

} // namespace sluice::runtime
