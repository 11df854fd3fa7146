#include "storage/migrate.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::storage;

namespace {

struct fake_database final : migration_target {
  int version = 0;
  int fails_at = 0;
  bool cannot_back_up = false;
  std::vector<std::string> done;

  expected<int> schema() override { return version; }
  expected<void> back_up(int schema) override {
    if (cannot_back_up)
      return fail(errc::unavailable, "disk full");
    done.push_back("backup " + std::to_string(schema));
    return {};
  }
  expected<void> apply(const migration& step) override {
    if (step.number == fails_at)
      return fail(errc::internal, "syntax");
    done.push_back(step.name);
    version = step.number;
    return {};
  }
};

constexpr migration three[] = {{1, "one", ""}, {2, "two", ""}, {3, "three", ""}};
using list = std::vector<std::string>;

} // namespace

TEST_CASE("migrate: applies what is missing after a backup", "[storage][migrate]") {
  const auto [from, want] = GENERATE(table<int, list>({
    {0, {"one", "two", "three"}}, // nothing to back up
    {1, {"backup 1", "two", "three"}},
    {2, {"backup 2", "three"}},
    {3, {}},
  }));
  CAPTURE(from);
  fake_database db;
  db.version = from;
  CHECK(migrate(db, three));
  CHECK(db.done == want);
  CHECK(db.version == 3);
}

TEST_CASE("migrate: a newer schema is refused", "[storage][migrate]") {
  fake_database db;
  db.version = 4;
  const auto refused = migrate(db, three);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::conflict);
  CHECK_THAT(refused.error().message, Catch::Contains("schema 4") && Catch::Contains("up to 3"));
  CHECK(db.done.empty());
}

TEST_CASE("migrate: without a backup nothing is changed", "[storage][migrate]") {
  fake_database db;
  db.version = 1;
  db.cannot_back_up = true;
  CHECK(migrate(db, three).error().code == errc::unavailable);
  CHECK(db.done.empty());
}

TEST_CASE("migrate: stops at the first that fails", "[storage][migrate]") {
  fake_database db;
  db.fails_at = 2;
  CHECK_FALSE(migrate(db, three));
  CHECK(db.done == list{"one"});
  CHECK(db.version == 1);
}

TEST_CASE("migrate: the program's migrations are numbered without gaps", "[storage][migrate]") {
  REQUIRE_FALSE(all_migrations().empty());
  int number = 0;
  for (const auto& step : all_migrations()) {
    CHECK(step.number == ++number);
    const auto digits = std::to_string(number);
    CHECK(std::string{step.name}.starts_with(std::string(4 - digits.size(), '0') + digits + "_"));
  }
  CHECK(newest_schema(all_migrations()) == number);
}
