#include "executors/output_files.hpp"
#include "tests/executors/process_world.hpp"

using namespace sluice;
using namespace sluice::executors;
using model::value_type;

namespace {

/// The outputs of a task that wrote `text`.
struct task_outputs {
  std::vector<model::output_spec> declared;
  std::size_t limit_bytes = 1 << 20;
  model::value told = nullptr;
  temp_dir dir;

  collected_outputs of(const std::string& text) {
    write_file(dir / "out", text);
    return collect();
  }
  collected_outputs collect() {
    return collect_outputs({.path = dir / "out",
                            .told = told,
                            .declared = declared,
                            .workdir = dir.path().native(),
                            .limit_bytes = limit_bytes});
  }
};

} // namespace

TEST_CASE("output_files: each type is read from lines and from JSON", "[executors][output_files]") {
  const auto [type, line, json, want] =
    GENERATE(table<value_type, std::string, std::string, model::value>({
      {value_type::integer, "42", "42", 42},
      {value_type::real, "2", "2", 2.0},
      {value_type::real, "0.5", "0.5", 0.5},
      {value_type::boolean, "true", "true", true},
      {value_type::text, " two words=x", R"(" two words=x")", " two words=x"},
      {value_type::text, "", R"("")", ""},
      {value_type::date, "2026-02-28", R"("2026-02-28")", "2026-02-28"},
      {value_type::timestamp, "2026-02-28T01:02:03Z", R"("2026-02-28T01:02:03Z")",
       "2026-02-28T01:02:03Z"},
      {value_type::list, R"([1,"a"])", R"([1,"a"])", model::value::array({1, "a"})},
      {value_type::map, R"({"k":1})", R"({"k":1})", model::value{{"k", 1}}},
    }));
  CAPTURE(line, json);
  task_outputs task{{{"x", type}}};
  for (const auto& text : {"x=" + line + "\n", "x=" + line, "{\"x\": " + json + "}\n"}) {
    const auto got = task.of(text);
    INFO(text << (got.failure ? got.failure->message : ""));
    CHECK_FALSE(got.failure.has_value());
    CHECK(got.outputs == model::value{{"x", want}});
    CHECK(got.outputs["x"].type() == want.type());
    CHECK(got.warnings.empty());
  }
}

TEST_CASE("output_files: the last line of a name counts", "[executors][output_files]") {
  task_outputs task{{{"n", value_type::integer}}};
  CHECK(task.of("n=wrong\n\nn=1\nn=2\n").outputs == model::value{{"n", 2}});
}

TEST_CASE("output_files: what was told counts before the file", "[executors][output_files]") {
  task_outputs task{{{"n", value_type::integer}, {"s", value_type::text}}};
  task.told = {{"n", 7}, {"other", 1}};
  const auto* const text =
    GENERATE("s=x\n", "s=x\nn=2\n", "n=wrong\ns=x\n", R"({"n": 2, "s": "x"})");
  const auto got = task.of(text);
  CHECK_FALSE(got.failure);
  CHECK(got.outputs == model::value{{"n", 7}, {"s", "x"}});
  CHECK(got.warnings == std::vector<std::string>{"the output 'other' is not declared"});
  task.told["n"] = "seven";
  const auto wrong = task.of(text);
  REQUIRE(wrong.failure);
  CHECK(wrong.failure->code == "output_type");
}

TEST_CASE("output_files: what was told counts towards the limit", "[executors][output_files]") {
  task_outputs task{{{"s", value_type::text}}};
  task.limit_bytes = 30;
  task.told = {{"s", "0123456789"}}; // 18 bytes
  CHECK_FALSE(task.of("s=012345678\n").failure);
  const auto got = task.of("s=0123456789\n");
  REQUIRE(got.failure);
  CHECK(got.failure->code == "output_too_large");
}

TEST_CASE("output_files: what is wrong is class validation", "[executors][output_files]") {
  const auto [text, code] = GENERATE(table<std::string, std::string>({
    {"", "output_missing"},
    {"m=1\n", "output_missing"},
    {"n=\n", "output_type"},
    {"n=1.5\n", "output_type"},
    {"{\"n\": \"1\"}", "output_type"},
    {"{\"n\": null}", "output_type"},
    {"{\"n\": 1", "output_invalid"},
    {"{\"n\": 1}{\"n\": 2}", "output_invalid"},
    {"[1]", "output_invalid"},
    {"n=1\nno equals sign\n", "output_invalid"},
    {"=1\n", "output_invalid"},
  }));
  CAPTURE(text);
  task_outputs task{{{"n", value_type::integer}}};
  const auto got = task.of(text);
  REQUIRE(got.failure.has_value());
  CHECK(got.failure->failure_class == model::failure_class::validation);
  CHECK(got.failure->code == code);
  CHECK(got.outputs.is_null());
}

TEST_CASE("output_files: all that is wrong is named at once", "[executors][output_files]") {
  task_outputs task{{{"a", value_type::integer}, {"b", value_type::text}}};
  const auto got = task.of("a=x\nc=1\n");
  REQUIRE(got.failure.has_value());
  CHECK_THAT(got.failure->message, Catch::Contains("'a' is not of type int"));
  CHECK_THAT(got.failure->message, Catch::Contains("'b' is missing"));
  CHECK(got.warnings == std::vector<std::string>{"the output 'c' is not declared"});
}

TEST_CASE("output_files: a task that wrote nothing misses its outputs",
          "[executors][output_files]") {
  task_outputs task{{{"n", value_type::integer}}};
  const auto got = task.collect();
  REQUIRE(got.failure.has_value());
  CHECK(got.failure->code == "output_missing");
}

TEST_CASE("output_files: undeclared names are warnings and are not kept",
          "[executors][output_files]") {
  task_outputs task{{{"n", value_type::integer}}};
  std::string many = "n=1\n";
  for (int i = 0; i < 50; ++i)
    many += "x" + std::to_string(i) + "=1\n";
  const auto got = task.of(many);
  CHECK_FALSE(got.failure.has_value());
  CHECK(got.outputs == model::value{{"n", 1}});
  CHECK(got.warnings.size() < 20);
}

TEST_CASE("output_files: the limit is exact and names the way out", "[executors][output_files]") {
  task_outputs task{{{"n", value_type::text}}, 100};
  CHECK_FALSE(task.of("n=" + std::string(98, 'x')).failure.has_value());
  const auto got = task.of("n=" + std::string(99, 'x'));
  REQUIRE(got.failure.has_value());
  CHECK(got.failure->failure_class == model::failure_class::permanent);
  CHECK(got.failure->code == "output_too_large");
  CHECK_THAT(got.failure->message, Catch::Contains("file"));
}

TEST_CASE("output_files: what is no regular file is refused without blocking",
          "[executors][output_files]") {
  task_outputs task{{{"n", value_type::text}}};
  const auto out = task.dir / "out";
  SECTION("FIFO") {
    REQUIRE(::mkfifo(out.c_str(), 0600) == 0);
  }
  SECTION("directory") {
    REQUIRE(::mkdir(out.c_str(), 0700) == 0);
  }
  SECTION("endless device") {
    REQUIRE(::symlink("/dev/zero", out.c_str()) == 0);
  }
  const auto got = task.collect();
  REQUIRE(got.failure.has_value());
  CHECK(got.failure->code == "output_invalid");
}

TEST_CASE("output_files: a file has to exist where the task ran", "[executors][output_files]") {
  task_outputs task{{{"f", value_type::file}}};
  write_file(task.dir / "data.csv", "1");
  CHECK(task.of("f=data.csv\n").outputs == model::value{{"f", "data.csv"}});
  CHECK_FALSE(task.of("f=" + (task.dir / "data.csv") + "\n").failure.has_value());
  for (const auto* text : {"f=other.csv\n", "f=\n", R"({"f": "a\u0000b"})"}) {
    const auto got = task.of(text);
    REQUIRE(got.failure.has_value());
    CHECK(got.failure->code == "output_file_missing");
    CHECK(got.failure->failure_class == model::failure_class::validation);
  }
}

TEST_CASE("output_files: values of a native handler are checked alike",
          "[executors][output_files]") {
  const std::vector<model::output_spec> declared{{"n", value_type::real}};
  const output_request request{.declared = declared};
  CHECK(check_outputs({{"n", 1}}, request).outputs["n"].is_number_float());
  CHECK(check_outputs({{"n", "x"}}, request).failure->code == "output_type");
  CHECK(check_outputs(nullptr, request).failure->code == "output_missing");
  CHECK(check_outputs(model::value::array(), request).failure->code == "output_invalid");
}
