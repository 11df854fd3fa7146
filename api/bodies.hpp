// The JSON bodies of requests, read and checked. Plain functions, any thread.
#pragma once

#include "model/run.hpp"

#include <string_view>

namespace sluice::api {

/// `{"fraction": 0.4, "text": "row 7"}`, either of them. Errors: `invalid_argument`.
expected<model::task_progress> read_progress(std::string_view body);

/// `{"tokens": 1200, "cost": 0.03}`: an object of numbers. Errors: `invalid_argument`.
expected<model::value> read_usage(std::string_view body);

} // namespace sluice::api
