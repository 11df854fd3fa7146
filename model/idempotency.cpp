#include "model/idempotency.hpp"

#include <algorithm>

namespace sluice::model {

expected<void> check_key(std::string_view text) {
  constexpr std::size_t most_bytes = 200;
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (text.empty() || text.size() > most_bytes || std::any_of(text.begin(), text.end(), is_control))
    return fail(errc::invalid_argument, "a key is a text of 1 to " + std::to_string(most_bytes)
                                          + " bytes without control characters");
  return {};
}

expected<run_no> repeated_run(const keyed_run& first, const idempotency_key& key) {
  if (first.request != key.request)
    return fail(errc::conflict,
                "this key stands for run " + to_string(first.run_no)
                  + ", which has other parameters or another version of the workflow");
  return first.run_no;
}

} // namespace sluice::model
