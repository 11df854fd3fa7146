// SHA-256 in hex.
#pragma once

#include <string>
#include <string_view>

namespace sluice::runtime {

std::string sha256(std::string_view text);

} // namespace sluice::runtime
