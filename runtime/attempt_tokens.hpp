// The tokens by which attempts prove who they are when they call their runtime. Nothing is stored:
// a token is the attempt's key and a keyed hash of it under a secret that this process drew. Plain
// value; any thread.
#pragma once

#include "model/ids.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::runtime {

class attempt_tokens {
public:
  /// With a secret of its own, so that the tokens of an earlier runtime are worth nothing.
  /// Errors: `internal` when the cryptography library cannot be used.
  static expected<attempt_tokens> draw();

  /// `12.7.2.` and 32 hex digits for attempt 2 of task 7 of run 12: what a header may carry.
  std::string of(model::attempt_key key) const;
  /// Nothing for every text that `of` did not make.
  std::optional<model::attempt_key> verify(std::string_view token) const;

private:
  static constexpr std::size_t secret_bytes = 32;
  static constexpr std::size_t hash_bytes = 16; // BLAKE2b, the least it makes: 128 bits

  attempt_tokens() = default;
  std::array<unsigned char, hash_bytes> hash(model::attempt_key key) const;

  std::array<unsigned char, secret_bytes> secret_{};
};

} // namespace sluice::runtime
