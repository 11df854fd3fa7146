// Progress that a task saves, for its next attempt to go on from. Plain value, shared by const
// pointer: it may be large.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace sluice::model {

/// Both are the task's own and opaque to us. The token travels in an environment variable: at most
/// `most_token_bytes`, no control characters.
struct checkpoint {
  std::string token;
  std::string data; ///< any bytes
  friend bool operator==(const checkpoint&, const checkpoint&) = default;
};
using checkpoint_ptr = std::shared_ptr<const checkpoint>;

inline constexpr std::size_t most_token_bytes = 256;
/// How much data a task may save unless `checkpoint.max` says otherwise, and the most that can say.
/// A task with more to keep writes a file and saves its name.
inline constexpr std::size_t default_checkpoint_bytes = std::size_t{100} << 10;
inline constexpr std::size_t most_checkpoint_bytes = std::size_t{1} << 20;

} // namespace sluice::model
