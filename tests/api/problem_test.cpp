#include "api/problem.hpp"
#include "model/json.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::api;

TEST_CASE("problem: an error travels and comes back", "[api][problem]") {
  const auto code =
    GENERATE(errc::invalid_argument, errc::not_found, errc::conflict, errc::unavailable,
             errc::timeout, errc::cancelled, errc::corrupt, errc::internal);
  const error e{code, "cannot do it: \"quoted\""};
  CHECK(error_of(problem(e)) == e);
  CHECK(problem(e).status >= 400);
}

TEST_CASE("problem: it is JSON in the form of RFC 7807", "[api][problem]") {
  const auto r = problem({errc::conflict, "it is over"});
  CHECK(r.status == 409);
  CHECK(r.type == "application/problem+json");
  CHECK(model::parse_json(r.body).value()
        == model::value{{"status", 409}, {"title", "conflict"}, {"detail", "it is over"}});
}

TEST_CASE("problem: a foreign response is read by its status", "[api][problem]") {
  response r;
  r.status = 404;
  r.body = "<html>";
  const auto e = error_of(r);
  CHECK(e.code == errc::not_found);
  CHECK_THAT(e.message, Catch::Contains("404"));
}
