#include "model/error.hpp"

#include <system_error>

namespace sluice {

std::string_view to_string(errc code) {
  switch (code) {
  case errc::invalid_argument:
    return "invalid_argument";
  case errc::not_found:
    return "not_found";
  case errc::conflict:
    return "conflict";
  case errc::unavailable:
    return "unavailable";
  case errc::timeout:
    return "timeout";
  case errc::cancelled:
    return "cancelled";
  case errc::corrupt:
    return "corrupt";
  case errc::internal:
    return "internal";
  }
  return "internal";
}

std::string errno_text(int err) {
  return std::generic_category().message(err);
}

} // namespace sluice
