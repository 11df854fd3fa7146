// One request to the API of a runtime, and its response. Blocks; any thread.
#pragma once

#include "api/requests.hpp"
#include "model/error.hpp"

#include <filesystem>

namespace sluice::api {

/// Waits as long as the runtime takes to answer. Whatever the runtime answers is a response, also
/// what it refuses. Errors: `unavailable` when it cannot be reached, `timeout` when the connection
/// broke before the answer: then it is not known whether the request was carried out.
expected<response> ask(const std::filesystem::path& socket, const request& what);

} // namespace sluice::api
