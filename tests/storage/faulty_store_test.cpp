#include "testing/faulty_store.hpp"
#include "tests/storage/store_fixture.hpp"

using namespace sluice;
using namespace sluice::storage;
using testing::fault_moment;
using testing::faulty_store;

TEST_CASE("faulty_store: passes on and counts when no fault is asked for", "[storage][testing]") {
  faulty_store store{open_store_in_memory(in_memory::next_name())};
  CHECK(commit(store, {created(1, workflow_of({"a"}))}) == 1);
  const std::vector<step_ptr> group{step_of(2, {dispatched(1, 0)}), step_of(3, {ended(1, 0)})};
  CHECK(must(store.commit(1, group)) == 2);
  CHECK(store.calls() == 2);
  CHECK(store.commits() == 2);
  CHECK(store.group_sizes() == std::vector<std::size_t>{1, 2});
  REQUIRE(store.steps().size() == 3);
  CHECK(store.steps()[2] == group[1]);
  CHECK(must(store.last_commit()) == commit_mark{1, 3});
  CHECK(must(store.last_seq()) == 3);
  CHECK(store.refused() == 0);
}

TEST_CASE("faulty_store: fails the next commits with the error it was given",
          "[storage][testing]") {
  const auto [moment, stored] = GENERATE(table<fault_moment, std::size_t>({
    {fault_moment::before_commit, 0},
    {fault_moment::after_commit, 2},
  }));
  faulty_store store{open_store_in_memory(in_memory::next_name())};
  store.fail_next(2, {errc::unavailable, "disk full"}, moment);
  for (std::uint64_t number = 1; number <= 2; ++number) {
    const std::vector<step_ptr> steps{step_of(number, {})};
    const auto failed = store.commit(1, steps);
    REQUIRE_FALSE(failed);
    CHECK(failed.error() == error{errc::unavailable, "disk full"});
  }
  CHECK(store.calls() == 2);
  CHECK(store.commits() == 0);
  CHECK(store.steps().size() == stored);
  CHECK(must(store.last_commit()).step == stored);
  commit(store, {created(1, workflow_of({"a"}))});
  CHECK(store.commits() == 1);
}

TEST_CASE("faulty_store: what could not be opened cannot be wrapped", "[storage][testing]") {
  CHECK_THROWS_WITH(faulty_store(fail(errc::corrupt, "no database")), "no database");
}
