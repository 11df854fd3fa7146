#include "api/problem.hpp"

#include "model/json.hpp"

#include <algorithm>
#include <array>

namespace sluice::api {
namespace {

struct code_row {
  errc code;
  unsigned status;
};

/// The first row of a status is what a foreign response with it means.
constexpr std::array<code_row, 8> codes{{
  {errc::invalid_argument, 400},
  {errc::not_found, 404},
  {errc::conflict, 409},
  {errc::unavailable, 503},
  {errc::timeout, 504},
  {errc::internal, 500},
  {errc::cancelled, 409},
  {errc::corrupt, 500},
}};

} // namespace

response problem(unsigned status, std::string_view title, std::string_view detail) {
  response r;
  r.status = status;
  r.type = "application/problem+json";
  r.body =
    model::to_text(model::value{{"status", status}, {"title", title}, {"detail", detail}}) + "\n";
  return r;
}

response problem(const error& e) {
  const auto row =
    std::find_if(codes.begin(), codes.end(), [&](const code_row& c) { return c.code == e.code; });
  return problem(row == codes.end() ? 500 : row->status, to_string(e.code), e.message);
}

error error_of(const response& r) {
  auto said = model::parse_json(r.body);
  const auto text = [&](const char* name) {
    return said && said->is_object() && said->contains(name) && (*said)[name].is_string()
             ? (*said)[name].get<std::string>()
             : std::string{};
  };
  const auto title = text("title");
  auto row = std::find_if(codes.begin(), codes.end(),
                          [&](const code_row& c) { return to_string(c.code) == title; });
  if (row == codes.end())
    row = std::find_if(codes.begin(), codes.end(),
                       [&](const code_row& c) { return c.status == r.status; });
  auto detail = text("detail");
  if (detail.empty())
    detail = "the runtime answered with HTTP status " + std::to_string(r.status);
  return {row == codes.end() ? errc::invalid_argument : row->code, std::move(detail)};
}

} // namespace sluice::api
