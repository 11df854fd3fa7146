// Errors as they travel over the API: an HTTP status, and a JSON object in the form of RFC 7807.
// Plain functions, any thread.
#pragma once

#include "api/requests.hpp"
#include "model/error.hpp"

namespace sluice::api {

/// `{"status": 409, "title": "conflict", "detail": "..."}`.
response problem(const error& e);
/// The same with a status that no error code has, such as 401.
response problem(unsigned status, std::string_view title, std::string_view detail);

/// What a response says went wrong, for whoever asked: the code by its title, else by its status.
/// @pre its status is no success
error error_of(const response& r);

} // namespace sluice::api
