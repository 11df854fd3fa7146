#include "tests/storage/store_fixture.hpp"

using namespace sluice;
using namespace sluice::storage;

TEST_CASE("in memory: a name is one database for the whole process", "[storage][memory]") {
  in_memory one, two;
  commit(*one.store, {created(1, workflow_of({"a"}))});
  auto other = must(open_reader_in_memory(one.name));
  CHECK(must(other->run({1})).workflow == "etl");
  CHECK(must(two.reader->runs({})).empty());
}

TEST_CASE("in memory: it lives as long as someone has it open", "[storage][memory]") {
  const auto name = in_memory::next_name();
  {
    auto store = must(open_store_in_memory(name));
    commit(*store, {created(1, workflow_of({"a"}))});
    auto reader = must(open_reader_in_memory(name));
    store.reset();
    CHECK(must(reader->run({1})).run_no == model::run_no{1});
    store = must(open_store_in_memory(name));
    CHECK(must(reader->next_run_no()) == model::run_no{2});
  }
  CHECK(open_reader_in_memory(name).error().code == errc::not_found);
}

TEST_CASE("in memory: a name may hold anything", "[storage][memory]") {
  const auto name = GENERATE(values<std::string>({"a b?vfs=unix#%41&x", "../../up", "\xC3\xA9"}));
  auto store = must(open_store_in_memory(name));
  commit(*store, {created(1, workflow_of({"a"}))});
  CHECK(must(must(open_reader_in_memory(name))->runs({})).size() == 1);
}
