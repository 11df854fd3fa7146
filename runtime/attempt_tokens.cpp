#include "runtime/attempt_tokens.hpp"

#include <sodium.h>

#include <charconv>
#include <cstring>

namespace sluice::runtime {
namespace {

/// Takes `NUMBER.` off the front.
template <class T>
bool take_number(std::string_view& text, T& number) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto used = static_cast<std::size_t>(end - text.data());
  if (failed != std::errc{} || used >= text.size() || text[used] != '.')
    return false;
  text.remove_prefix(used + 1);
  return true;
}

} // namespace

expected<attempt_tokens> attempt_tokens::draw() {
  static_assert(secret_bytes == crypto_generichash_KEYBYTES);
  static_assert(hash_bytes == crypto_generichash_BYTES_MIN);
  if (::sodium_init() < 0) // 1: it had been done
    return fail(errc::internal, "cannot initialise libsodium");
  attempt_tokens tokens;
  ::randombytes_buf(tokens.secret_.data(), tokens.secret_.size());
  return tokens;
}

std::array<unsigned char, attempt_tokens::hash_bytes>
attempt_tokens::hash(model::attempt_key key) const {
  // The layout may be this machine's: the secret never leaves the process.
  std::array<unsigned char, sizeof key.run_no.value + sizeof key.task_idx + sizeof key.attempt>
    text{};
  std::memcpy(text.data(), &key.run_no.value, sizeof key.run_no.value);
  std::memcpy(text.data() + sizeof key.run_no.value, &key.task_idx, sizeof key.task_idx);
  std::memcpy(text.data() + sizeof key.run_no.value + sizeof key.task_idx, &key.attempt,
              sizeof key.attempt);
  std::array<unsigned char, hash_bytes> digest{};
  ::crypto_generichash(digest.data(), digest.size(), text.data(), text.size(), secret_.data(),
                       secret_.size());
  return digest;
}

std::string attempt_tokens::of(model::attempt_key key) const {
  const auto digest = hash(key);
  std::array<char, 2 * hash_bytes + 1> hex{};
  ::sodium_bin2hex(hex.data(), hex.size(), digest.data(), digest.size());
  return std::to_string(key.run_no.value) + "." + std::to_string(key.task_idx) + "."
         + std::to_string(key.attempt) + "." + hex.data();
}

std::optional<model::attempt_key> attempt_tokens::verify(std::string_view token) const {
  auto rest = token;
  model::attempt_key key;
  if (!take_number(rest, key.run_no.value) || !take_number(rest, key.task_idx)
      || !take_number(rest, key.attempt))
    return std::nullopt;
  const auto right = of(key);
  if (right.size() != token.size()
      || ::sodium_memcmp(right.data(), token.data(), token.size()) != 0)
    return std::nullopt;
  return key;
}

} // namespace sluice::runtime
