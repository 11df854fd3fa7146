// Keys that make a repeated request the same one.
#pragma once

#include "model/run.hpp"

#include <string>
#include <string_view>

namespace sluice::runtime {

/// Of a submission that its sender may repeat: the key identifies it among the runs of workflows of
/// the same name. SHA-256 over kind, name and key; and over version and parameters, so that a key
/// that is given for something else is noticed. Errors: as of `check_key`.
expected<model::idempotency_key> key_of(const model::submission& submission, std::string_view key);

} // namespace sluice::runtime
