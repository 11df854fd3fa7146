// What travels over the API, free of any HTTP library: requests, responses, and the targets that
// requests name. Plain values.
#pragma once

#include "model/error.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::api {

enum class verb : std::uint8_t { get, post, other };

struct request {
  api::verb verb = api::verb::get;
  std::string target; ///< as sent: path and query, percent-encoded
  std::string bearer; ///< the token of the Authorization header, or empty
  std::string body;
};

struct response {
  unsigned status = 200;
  std::string type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers; ///< beside those of every response
};

/// Answers a request: once, from any thread, with or without delay.
using responder = std::function<void(response)>;

/// `/api/v1/runs/r-1/cancel?force=true` taken apart and decoded.
struct target {
  std::vector<std::string> path; ///< what stands between the slashes
  std::map<std::string, std::string> query;
};

/// Errors: `invalid_argument` for what is no path, and for broken percent-encoding.
expected<target> parse_target(std::string_view text);

/// Encodes a text so that it can stand between two slashes, or as the value of a query.
std::string percent_encoded(std::string_view text);

} // namespace sluice::api
