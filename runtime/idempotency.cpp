#include "runtime/idempotency.hpp"

#include "model/json.hpp"
#include "model/workflow.hpp"
#include "runtime/sha256.hpp"

namespace sluice::runtime {

expected<model::idempotency_key> key_of(const model::submission& submission, std::string_view key) {
  if (const auto valid = model::check_key(key); !valid)
    return tl::unexpected(valid.error());
  // As JSON, so that no two lists of parts have the same text.
  const model::value what{"run", submission.workflow->name, key};
  const model::value request{submission.content_hash, submission.params};
  return model::idempotency_key{sha256(model::to_text(what)), sha256(model::to_text(request))};
}

} // namespace sluice::runtime
