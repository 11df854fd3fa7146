#include "model/item_list.hpp"
#include "model/task_names.hpp"
#include "model/workflow.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using model::item_list;
using model::value;

namespace {

item_list items_of(const char* json) {
  auto items = item_list::of(*model::parse_json(json));
  REQUIRE(items);
  return std::move(*items);
}

std::string names(const item_list& items) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i)
    text += (i == 0 ? "" : " ") + items.name(i);
  return text;
}

std::string all(const item_list& items) {
  auto list = value::array();
  for (std::size_t i = 0; i < items.size(); ++i)
    list.push_back(items.item(i));
  return model::to_text(list);
}

} // namespace

TEST_CASE("item_list: lists, maps, numbers and ranges", "[model][item_list]") {
  const auto [json, items, named] = GENERATE(table<const char*, const char*, const char*>({
    {R"(["eu", "us"])", R"(["eu","us"])", "eu us"},
    {R"([1, 2.5, true, "a b", null, [1], ""])", R"([1,2.5,true,"a b",null,[1],""])",
     "1 2.5 true 3 4 5 6"},
    {R"({"b": 1, "a/c": [2]})", R"([{"key":"a/c","value":[2]},{"key":"b","value":1}])", "0 b"},
    {"3", "[0,1,2]", "0 1 2"},
    {"0", "[]", ""},
    {"[]", "[]", ""},
    {R"("7-9")", "[7,8,9]", "7 8 9"},
    {R"("-1-1")", "[-1,0,1]", "-1 0 1"},
  }));
  CAPTURE(json);
  const auto made = items_of(json);
  CHECK(all(made) == items);
  CHECK(names(made) == named);
}

TEST_CASE("item_list: what is none is refused", "[model][item_list]") {
  const auto [json, why] = GENERATE(table<const char*, const char*>({
    {"null", "null is no list, map, number or range"},
    {"2.5", "2.5 is no list, map, number or range"},
    {"-1", "-1 is no number of items"},
    {"1000001", "1000001 items are more than the limit of 1000000"},
    {R"("abc")", R"("abc" is no range such as "1-100")"},
    {R"("5-3")", R"("5-3" is no range such as "1-100")"},
    {R"("1-")", R"("1-" is no range such as "1-100")"},
    {R"("1-1000001")", "1-1000001 items are more than the limit of 1000000"},
    {R"("-9223372036854775808-9223372036854775807")",
     "-9223372036854775808-9223372036854775807 items are more than the limit of 1000000"},
  }));
  CAPTURE(json);
  const auto items = item_list::of(*model::parse_json(json));
  REQUIRE_FALSE(items);
  CHECK(items.error().message == why);
}

TEST_CASE("item_list: a matrix is all combinations but what is excluded", "[model][item_list]") {
  const model::matrix_axes axes{{"window", {30, 90}}, {"model", {"gbm", "nn"}}};
  const auto whole = item_list::of_matrix(axes);
  REQUIRE(whole);
  CHECK(names(*whole) == "30,gbm 30,nn 90,gbm 90,nn"); // in the order of the file
  CHECK(model::to_text(whole->item(1)) == R"({"model":"nn","window":30})");

  const auto part = item_list::of_matrix(
    axes, value::array({{{"window", 7}, {"model", "nn"}, {"deep", true}}}),
    value::array({{{"model", "nn"}, {"window", 90}}, {{"window", 30}, {"model", "gbm"}}}));
  REQUIRE(part);
  CHECK(names(*part) == "30,nn 90,gbm 7,nn");
  CHECK(model::to_text(part->item(2)) == R"({"deep":true,"model":"nn","window":7})");

  const auto none =
    item_list::of_matrix({{"a", {1, 2}}}, {}, value::array({{{"a", 1}}, {{"a", 2}}}));
  REQUIRE(none);
  CHECK(none->size() == 0);
  CHECK(names(*item_list::of_matrix({{"a", {"x y", 2}}})) == "0 2");
}

TEST_CASE("item_list: a matrix says what is wrong with it", "[model][item_list]") {
  const auto message = [](model::matrix_axes axes, value include, value exclude) {
    const auto made = item_list::of_matrix(std::move(axes), std::move(include), std::move(exclude));
    REQUIRE_FALSE(made);
    return made.error().message;
  };
  const model::matrix_axes axes{{"a", {1, 2}}};
  CHECK(message({{"a", "x"}}, {}, {}) == R"(matrix.a must be a list, and is "x")");
  CHECK(message(axes, {}, "x") == "matrix.exclude must be a list of maps");
  CHECK(message(axes, {}, value::array({{{"b", 1}}})) == "matrix.exclude: the matrix has no 'b'");
  CHECK(message(axes, value::array({{{"b", 1}}}), {}) == R"(matrix.include: {"b":1} lacks 'a')");
  CHECK(message(axes, value::array({1}), {}) == "matrix.include: 1 is no map");
  const value many(2'000, 1);
  CHECK(message({{"a", many}, {"b", many}}, {}, {})
        == "more than 1000000 items are more than the limit of 1000000");
}

TEST_CASE("item_list: names are found, and have to differ", "[model][item_list]") {
  CHECK(items_of(R"(["eu", "us"])").find("us") == 1);
  CHECK_FALSE(items_of(R"(["eu", "us"])").find("u"));
  CHECK(items_of(R"("5-999999")").find("999999") == 999'994);
  CHECK_FALSE(items_of(R"("5-9")").find("4"));
  CHECK_FALSE(items_of(R"("5-9")").find("10"));
  CHECK_FALSE(items_of(R"("5-9")").find("05"));

  CHECK_FALSE(items_of("3").duplicate());
  CHECK_FALSE(items_of(R"(["a", "b"])").duplicate());
  CHECK(items_of(R"(["a", "b", "a"])").duplicate() == std::pair<std::size_t, std::size_t>{0, 2});
  CHECK(items_of(R"([1, "x y"])").duplicate() == std::pair<std::size_t, std::size_t>{0, 1});
  auto given = items_of(R"(["a", "a"])");
  given.set_names({"first", "second"});
  CHECK_FALSE(given.duplicate());
  CHECK(given.name(1) == "second");
  CHECK(given.find("second") == 1);
}

TEST_CASE("item_list: it comes back from the store as it was", "[model][item_list]") {
  std::vector<item_list> lists{items_of("3"), items_of(R"("-2-5")"), items_of(R"(["a", {"b": 1}])"),
                               items_of(R"({"x": 1, "y": null})"), item_list{}};
  lists.push_back(*item_list::of_matrix({{"b", {1, 2}}, {"a", {"x", "y"}}},
                                        value::array({{{"a", "z"}, {"b", 3}}}),
                                        value::array({{{"a", "x"}}})));
  lists.push_back(items_of(R"([[1], [2]])"));
  lists.back().set_names({"one", "two"});
  for (const auto& items : lists) {
    const auto text = model::to_text(items.stored());
    CAPTURE(text);
    const auto again = item_list::from_stored(*model::parse_json(text));
    REQUIRE(again);
    CHECK(all(*again) == all(items));
    CHECK(names(*again) == names(items));
  }
  CHECK(model::to_text(items_of("1000000").stored()) == R"({"count":1000000,"from":0})");
  for (const auto* broken : {"[]", "{}", R"({"from": 1})", R"({"list": 3, "names": ["a"]})"})
    CHECK(item_list::from_stored(*model::parse_json(broken)).error().code == errc::corrupt);
}

TEST_CASE("task_names: instances have the name of their task and of their item",
          "[model][task_names]") {
  model::workflow_spec spec;
  spec.tasks.resize(3);
  spec.tasks[0].name = "load";
  spec.tasks[1].name = "train";
  spec.tasks[2].name = "odd[x]";
  const auto list = [](const char* json) { return std::make_shared<item_list>(items_of(json)); };
  model::task_names names{std::make_shared<const model::workflow_spec>(spec)};
  CHECK(names.size() == 3);
  names.add({1, 3, list("[]"), true});
  names.add({1, 3, list(R"(["a", "b"])"), true});
  names.add({0, 5, list("[]")});
  names.add({1, 5, list(R"(["b", "c"])")});
  CHECK(names.size() == 7);
  CHECK(names.name(1) == "train");
  CHECK(names.name(4) == "train[b]");
  CHECK(names.name(5) == "train[b]");
  CHECK(names.node(6) == 1);
  CHECK(names.node(2) == 2);
  CHECK(names.find("train") == 1);
  CHECK(names.find("train[b]") == 5); // and not the one that counts no more
  CHECK(names.find("odd[x]") == 2);
  for (const auto* none : {"train[a]", "load[b]", "train[", "trai", "train[]", "[b]", ""})
    CHECK_FALSE(names.find(none));
}
