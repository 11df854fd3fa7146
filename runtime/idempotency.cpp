#include "runtime/idempotency.hpp"

#include "model/json.hpp"
#include "model/workflow.hpp"
#include "runtime/sha256.hpp"

#include <algorithm>

namespace sluice::runtime {

expected<model::idempotency_key> key_of(const model::submission& submission, std::string_view key) {
  constexpr std::size_t most_bytes = 200;
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (key.empty() || key.size() > most_bytes || std::any_of(key.begin(), key.end(), is_control))
    return fail(errc::invalid_argument, "a key is a text of 1 to " + std::to_string(most_bytes)
                                          + " bytes without control characters");
  // As JSON, so that no two lists of parts have the same text.
  const model::value what{"run", submission.workflow->name, key};
  const model::value request{submission.content_hash, submission.params};
  return model::idempotency_key{sha256(model::to_text(what)), sha256(model::to_text(request))};
}

} // namespace sluice::runtime
