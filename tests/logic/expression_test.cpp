#include "logic/expression.hpp"
#include "tests/logic/fake_scope.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

using namespace sluice;
using namespace sluice::logic;

namespace {

expected<model::value> evaluate(std::string_view text, const evaluation_budget& budget = {}) {
  const auto parsed = expression::parse(text);
  if (!parsed)
    return fail(errc::internal, "syntax, at " + std::to_string(parsed.error().offset) + ": "
                                  + parsed.error().message);
  return parsed->evaluate(example_scope(), budget);
}

/// The result as JSON text, or the error.
std::string shown(std::string_view text, const evaluation_budget& budget = {}) {
  const auto result = evaluate(text, budget);
  return result ? model::to_text(*result) : "error: " + result.error().message;
}

std::string repeat(std::string_view piece, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i)
    all += piece;
  return all;
}

} // namespace

TEST_CASE("expression: literals are those of CEL", "[logic][expression]") {
  const auto [text, want] = GENERATE(table<std::string, std::string>({
    {"1", "1"},
    {"007", "7"},
    {"0x1F", "31"},
    {"-0x10", "-16"},
    {"9223372036854775807", "9223372036854775807"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"-0x8000000000000000", "-9223372036854775808"},
    {"1.5", "1.5"},
    {".5", "0.5"},
    {"-1e3", "-1000.0"},
    {"2.5E-1", "0.25"},
    {"true", "true"},
    {" false ", "false"},
    {"null", "null"},
    {"[]", "[]"},
    {"[1, 'a', [2.0],]", R"([1,"a",[2.0]])"},
    {"{}", "{}"},
    {"{'a': 1, 'b' + 'c': {'d': null},}", R"({"a":1,"bc":{"d":null}})"},
    {"'a'", R"("a")"},
    {"\"it's\"", R"("it's")"},
    {"''", R"("")"},
    {"''''''", R"("")"},
    {"'''it's \"so\"\n'''", R"("it's \"so\"\n")"},
    {"\"\"\"a\"b\"\"\"", R"("a\"b")"},
    {R"('a\n\t\\\'\"\?\`')", R"("a\n\t\\'\"?`")"},
    {R"('\x41\u00e9\U0001F600\101')", "\"A\u00e9\U0001F600A\""},
    {R"(r'a\n')", R"("a\\n")"},
    {"R'''\\'''", R"("\\")"},
    {"'\u00e9'", "\"\u00e9\""},
  }));
  CAPTURE(text);
  CHECK(shown(text) == want);
}

TEST_CASE("expression: references reach parameters and outputs and the run",
          "[logic][expression]") {
  const auto [text, want] = GENERATE(table<std::string, std::string>({
    {"params.n", "7"},
    {"params['na-me']", R"("hyphen")"},
    {"params[ 'n' ]", "7"},
    {"params['na' + '-me']", R"("hyphen")"},
    {"params.regions[1]", R"("us")"},
    {"params.regions[params.n - 5]", R"("apac")"},
    {"params.deep.list[0].k", R"("v")"},
    {"params.deep['list'][0]['k']", R"("v")"},
    {"size(params)", "9"},
    {"params . n", "7"},
    {"tasks.load.out.rows", "42"},
    {"tasks.load.out['rows']", "42"},
    {"tasks['source-ready'].out.at", R"("noon")"},
    {"tasks['source-ready'].out", R"({"at":"noon"})"},
    {"tasks.load.out['ro' + 'ws']", "42"},
    {"tasks.load.state", R"("succeeded")"},
    {"tasks.bad.state", R"("failed")"},
    {"run.id", R"("r-12")"},
    {"run['workflow']", R"("etl")"},
    {"run", R"({"generation":1,"id":"r-12","workflow":"etl"})"},
    {"[1, 2, 3][1]", "2"},
    {"{'a': {'b': 3}}.a.b", "3"},
    {"(params.deep).list[0]", R"({"k":"v"})"},
  }));
  CAPTURE(text);
  CHECK(shown(text) == want);
}

TEST_CASE("expression: what there is of a task that is fanned out", "[logic][expression]") {
  struct fanned_out : fake_scope {
    model::value of_item{{"id", 7}};
    model::value outputs{{{"n", 1}}, {{"n", 2}, {"x", "y"}}};
    const model::value* item() const override { return &of_item; }
    const model::value* task_outputs(std::string_view task) const override {
      return task == "load" ? &outputs : nullptr;
    }
    std::string_view task_state(std::string_view) const override { return "succeeded"; }
    const model::value* instance_outputs(std::string_view, std::string_view name) const override {
      return name == "eu" ? &outputs[0] : nullptr;
    }
    std::string_view instance_state(std::string_view, std::string_view name) const override {
      return name == "eu" ? "succeeded" : name == "us" ? "failed" : "";
    }
    std::optional<model::value> task_states(std::string_view task) const override {
      return task == "load" ? std::optional{model::value{"succeeded", "failed"}} : std::nullopt;
    }
  };
  const auto [text, want] = GENERATE(table<const char*, const char*>({
    {"item.id + it.id", "14"},
    {"[item]", R"([{"id":7}])"},
    {"has(item.id) && !has(item.no)", "true"},
    {"tasks.load.out.n", "[1,2]"},
    {"tasks.load.out.x", R"(["y"])"},
    {"sum(tasks.load.out.n)", "3"},
    {"tasks.load.out[1].x", R"("y")"},
    {"size(tasks.load.out)", "2"},
    {"tasks.load.states", R"(["succeeded","failed"])"},
    {"tasks['load']['eu'].out.n", "1"},
    {"tasks.load['eu'].state", R"("succeeded")"},
    {"default(tasks.load['us'].out.n, 0)", "0"},
    {"tasks.load['us'].out.n", "'tasks.load['us'].out.n' is absent: task load[us] failed"},
    {"tasks.load['no'].out.n", "'tasks.load['no'].out.n' is absent: there is no task 'load[no]'"},
    {"tasks.other.states", "'tasks.other.states' is absent: task other is not fanned out"},
  }));
  CAPTURE(text);
  const auto parsed = expression::parse(text, "it");
  REQUIRE(parsed);
  const auto result = parsed->evaluate(fanned_out{});
  CHECK((result ? model::to_text(*result) : result.error().message) == want);
}

TEST_CASE("expression: operators bind as in CEL", "[logic][expression]") {
  const auto [text, want] = GENERATE(table<std::string, std::string>({
    {"1 + 2 * 3", "7"},
    {"(1 + 2) * 3", "9"},
    {"10 - 4 - 3", "3"},
    {"100 / 10 / 2 * 3", "15"},
    {"7 % 4 * 2", "6"},
    {"-7 / 2", "-3"},
    {"-7 % 3", "-1"},
    {"--5", "5"},
    {"-params.n", "-7"},
    {"- -params.x", "1.5"},
    {"1 - -1", "2"},
    {"1-1", "0"},
    {"!true || true", "true"},
    {"!(true || true)", "false"},
    {"!!true", "true"},
    {"true || false && false", "true"},
    {"(true || false) && false", "false"},
    {"1 + 1 == 2 && 3 > 2", "true"},
    {"1 < 2 == true", "true"},
    {"true == 1 < 2", "error: 'true == 1 < 2': '<' does not work on bool and int"},
    {"2 in [1 + 1] || false", "true"},
    {"true ? 1 : 2", "1"},
    {"false ? 1 : true ? 2 : 3", "2"},
    {"false ? 1 : false ? 2 : 3", "3"},
    {"false || true ? 'a' : 'b'", R"("a")"},
    {"true ? (false ? 1 : 2) : 3", "2"},
    {"-1 + 2", "1"},
    {"!params.on == false", "true"},
  }));
  CAPTURE(text);
  CHECK(shown(text) == want);
}

TEST_CASE("expression: one operand that decides makes up for errors", "[logic][expression]") {
  const auto [text, want] = GENERATE(table<std::string, std::string>({
    {"1 / 0 == 1 && false", "false"},
    {"false && 1 / 0 == 1", "false"},
    {"1 / 0 == 1 || true", "true"},
    {"true || 1 / 0 == 1", "true"},
    {"true && 1 / 0 == 1 && false", "false"},
    {"'a' || true", "true"},
    {"1 && false", "false"},
    {"tasks.clean.out.x > 1 || true", "true"},
    {"1 / 0 == 1 && true", "error: '1 / 0' divides by zero"},
    {"false || 1 / 0 == 1", "error: '1 / 0' divides by zero"},
    {"params.n || false", "error: 'params.n' is int, but '||' needs bool"},
    {"true && params.day", "error: 'params.day' is string, but '&&' needs bool"},
    {"true ? 1 : 1 / 0", "1"},
    {"false ? 1 / 0 : 2", "2"},
    {"1 ? 2 : 3", "error: '1' is int, but the condition before '?' must be bool"},
  }));
  CAPTURE(text);
  CHECK(shown(text) == want);
}

TEST_CASE("expression: comparison goes across numeric types and never mixes others",
          "[logic][expression]") {
  const auto [text, want] = GENERATE(table<std::string, std::string>({
    {"1 == 1.0", "true"},
    {"1 != 1.5", "true"},
    {"1 < 1.5", "true"},
    {"-1 > -1.5", "true"},
    {"2.0 <= 2", "true"},
    {"9007199254740993 == 9007199254740992.0", "false"}, // exact, where doubles have gaps
    {"9007199254740993 > 9007199254740992.0", "true"},
    {"9223372036854775807 < 9223372036854775808.0", "true"},
    {"-9223372036854775808 >= -9223372036854775808.0", "true"},
    {"1e300 > 1", "true"},
    {"-1e300 < 1", "true"},
    {"'a' < 'b'", "true"},
    {"'b' >= 'ba'", "false"},
    {"'\u00e9' > 'z'", "true"},
    {"false < true", "true"},
    {"1 == '1'", "false"},
    {"1 != '1'", "true"},
    {"null == null", "true"},
    {"null == 0", "false"},
    {"params.nothing == null", "true"},
    {"[1, 2.0] == [1.0, 2]", "true"},
    {"[1] == [1, 2]", "false"},
    {"{'a': 1} == {'a': 1.0}", "true"},
    {"{'a': 1} == {'b': 1}", "false"},
    {"tasks.bad.state == 'failed'", "true"},
    {"'us' in params.regions", "true"},
    {"'mars' in params.regions", "false"},
    {"3.0 in params.rows", "true"},
    {"'k' in {'k': null}", "true"},
    {"1 in {'k': null}", "false"},
    {"'n' in params", "true"},
    {"1 in 2", "error: '1 in 2': 'in' looks into a list or a map, not int"},
    {"1 < '2'", "error: '1 < '2'': '<' does not work on int and string"},
    {"null < 1", "error: 'null < 1': '<' does not work on null and int"},
    {"[1] < [2]", "error: '[1] < [2]': '<' does not work on list and list"},
  }));
  CAPTURE(text);
  CHECK(shown(text) == want);
}

TEST_CASE("expression: arithmetic neither wraps nor mixes nor divides by zero",
          "[logic][expression]") {
  const auto [text, want] = GENERATE(table<std::string, std::string>({
    {"1.5 + 2.5", "4.0"},
    {"3.0 / 2.0", "1.5"},
    {"'a' + 'b' + params.day", R"("ab2024-02-29")"},
    {"[1] + [] + params.rows", "[1,3,4,5]"},
    {"params.rows + [6]", "[3,4,5,6]"},
    {"9223372036854775807 + 1",
     "error: '9223372036854775807 + 1' is outside the range of int (64 bits)"},
    {"-9223372036854775808 - 1",
     "error: '-9223372036854775808 - 1' is outside the range of int (64 bits)"},
    {"4611686018427387904 * 2",
     "error: '4611686018427387904 * 2' is outside the range of int (64 bits)"},
    {"-(-9223372036854775808)",
     "error: '-(-9223372036854775808)' is outside the range of int (64 bits)"},
    {"-9223372036854775808 / -1",
     "error: '-9223372036854775808 / -1' is outside the range of int (64 bits)"},
    {"1 % 0", "error: '1 % 0' divides by zero"},
    {"1.0 / 0.0", "error: '1.0 / 0.0' divides by zero"},
    {"1e308 * 10.0", "error: '1e308 * 10.0' is outside the range of double"},
    {"5.0 % 2.0", "error: '5.0 % 2.0' is not possible: '%' is for int only"},
    {"params.x * 2", "error: 'params.x * 2' mixes int and double; write 2.0 instead of 2"},
    {"1 + params.n + params.x", "error: '1 + params.n + params.x' mixes int and double; both must "
                                "be of one type, and 2 is int while 2.0 is double"},
    {"'n = ' + params.n", "error: ''n = ' + params.n': '+' does not work on string and int; to put "
                          "a value into a text, write \"${{ a }} ${{ b }}\""},
    {"'a' * 2", "error: ''a' * 2': '*' does not work on string and int"},
    {"null + 1", "error: 'null + 1': '+' does not work on null and int"},
    {"-params.day", "error: '-params.day': 'params.day' is string and no number"},
    {"!params.n", "error: '!params.n': 'params.n' is int and not bool"},
  }));
  CAPTURE(text);
  CHECK(shown(text) == want);
}

TEST_CASE("expression: functions", "[logic][expression]") {
  const auto [text, want] = GENERATE(table<std::string, std::string>({
    {"size('a\u00e9\U0001F600')", "3"},
    {"size(params.regions)", "3"},
    {"size({'a': 1})", "1"},
    {"size(1)", "error: size() takes a string, a list or a map, but '1' is int"},
    {"sum(params.rows)", "12"},
    {"sum([])", "0"},
    {"sum(1, 2, 3)", "6"},
    {"sum([0.5, 1.5])", "2.0"},
    {"sum([1, 1.5])",
     "error: 'sum([1, 1.5])' mixes int and double: element 1 is double, what is before it int"},
    {"sum(9223372036854775807, 1)",
     "error: 'sum(9223372036854775807, 1)' is outside the range of int (64 bits)"},
    {"sum(['a'])", "error: 'sum(['a'])': element 0 is string and no number"},
    {"sum(params.n)",
     "error: 'sum(params.n)' takes a list or several arguments, but 'params.n' is int"},
    {"min(params.rows)", "3"},
    {"max(params.rows)", "5"},
    {"min([4, 2, 9])", "2"},
    {"max(1, 2.5, 2)", "2.5"},
    {"min(3, params.n)", "3"},
    {"max(['a', 'c', 'b'])", R"("c")"},
    {"max(params.regions)", R"("us")"},
    {"min([])", "error: 'min([])' of an empty list has no value"},
    {"max([1, 'a'])", "error: 'max([1, 'a'])': element 1 is string, what is before it int"},
    {"min([null])", "error: 'min([null])': element 0 is null, neither number nor string"},
    {"default(1, 2)", "1"},
    {"default(null, 2)", "2"},
    {"default(params.nothing, 'x')", R"("x")"},
    {"default(params.unknown, 'x')", R"("x")"},
    {"default(params.deep.other, 'x')", R"("x")"},
    {"default(tasks.clean.out.rows, 0)", "0"},
    {"default(tasks.clean.out, {})", "{}"},
    {"default(tasks.load.out.other, 0)", "0"},
    {"default(sum(tasks.clean.out.rows), 0)", "0"},
    {"default(1 / 0, 2)", "error: '1 / 0' divides by zero"},
    {"default(params.regions[9], 2)",
     "error: 'params.regions[9]': index 9 is out of range, the list has 3 elements"},
    {"default(params.unknown, params.other)",
     "error: 'params.other' is absent: params has no 'other'"},
    {"has(params.n)", "true"},
    {"has(params.nothing)", "true"},
    {"has(params.unknown)", "false"},
    {"has(params['na-me'])", "true"},
    {"has(params.deep.list)", "true"},
    {"has(params.deep.other.more)", "false"},
    {"has(tasks.load.out.rows)", "true"},
    {"has(tasks.load.out.other)", "false"},
    {"has(tasks.clean.out.rows)", "false"},
    {"has(tasks.clean.out)", "false"},
    {"has(tasks.clean.state)", "true"},
    {"has({'a': 1}.a)", "true"},
    {"has(params.n.x)", "error: 'params.n.x': 'params.n' is int, which has no members"},
  }));
  CAPTURE(text);
  CHECK(shown(text) == want);
}

TEST_CASE("expression: functions of texts", "[logic][expression]") {
  const auto [text, want] = GENERATE(table<std::string, std::string>({
    {"'abc'.contains('bc') && !'abc'.contains('ac')", "true"},
    {"params.day.startsWith('2024') && params.day.endsWith('-29')", "true"},
    {"'a1'.matches('^[a-z][0-9]$') && matches('xa1x', 'a1')", "true"},
    {"'a'.matches('(')", "error: ''a'.matches('(')': '(' is no regular expression: missing ): ("},
    {"'a,b,'.split(',')", R"(["a","b",""])"},
    {"'a\u00e9b'.split('')", "[\"a\",\"\u00e9\",\"b\"]"},
    {"''.split(',')", R"([""])"},
    {"'aXbX'.replace('X', '--')", R"("a--b--")"},
    {"'a'.replace('', 'b')", "error: ''a'.replace('', 'b')': what is replaced is empty"},
    {"' a b\t'.trim()", R"("a b")"},
    {"'aB\u00c9'.lowerAscii() + 'aB'.upperAscii()", "\"ab\u00c9AB\""},
    {"'a\u00e9bc'.substring(1)", "\"\u00e9bc\""},
    {"'a\u00e9bc'.substring(1, 3)", "\"\u00e9b\""},
    {"'abc'.substring(3)", R"("")"},
    {"'abc'.substring(4)", "error: ''abc'.substring(4)': index 4 is out of range"},
    {"'abc'.substring(2, 1)", "error: ''abc'.substring(2, 1)': it ends before it begins"},
    {"params.regions.join('-') + join([1, 2.5, true])", R"("eu-us-apac12.5true")"},
    {"join([[1]], ',')", "error: 'join([[1]], ',')': element 0 is list and no single value"},
    {"params.n.contains('a')", "error: 'params.n.contains('a')': 'params.n' is int and no string"},
    {"'a'.contains(1)", "error: ''a'.contains(1)': '1' is int and no string"},
    {"'a b'.split(' ').map(w, w.upperAscii())[1]", R"("B")"},
    {"size('a b'.split(' ')) + 'abc'.size()", "5"},
  }));
  CAPTURE(text);
  CHECK(shown(text) == want);
}

TEST_CASE("expression: one type is made of another", "[logic][expression]") {
  const auto [text, want] = GENERATE(table<std::string, std::string>({
    {"int(2.9) + int(-2.9) + int('7') + int(1)", "8"},
    {"double(2) + double('0.5')", "2.5"},
    {"string(1) + string(2.5) + string(true) + string('x')", R"("12.5truex")"},
    {"bool('true') && !bool('false')", "true"},
    {"int('7x')", "error: 'int('7x')': '7x' is no int"},
    {"int('')", "error: 'int('')': '' is no int"},
    {"int([1])", "error: 'int([1])': '[1]' is list and no int"},
    {"int(1e19)", "error: 'int(1e19)': '1e19' is no int"},
    {"double('nan')", "error: 'double('nan')': 'nan' is no double"},
    {"bool(1)", "error: 'bool(1)': '1' is no bool"},
    {"string([1])", "error: 'string([1])': '[1]' is list and no single value"},
  }));
  CAPTURE(text);
  CHECK(shown(text) == want);
}

TEST_CASE("expression: times and their lengths", "[logic][expression]") {
  const auto [text, want] = GENERATE(table<std::string, std::string>({
    {"timestamp('2024-02-29T23:30:00.5+01:00')", R"("2024-02-29T22:30:00.500Z")"},
    {"[timestamp('2024-02-29')]", R"(["2024-02-29T00:00:00Z"])"},
    {"timestamp(params.day) + duration('1d12h')", R"("2024-03-01T12:00:00Z")"},
    {"duration('90s') + timestamp(0) - duration('1h')", R"("1969-12-31T23:01:30Z")"},
    {"timestamp('2024-03-01') - timestamp(params.day)", R"("86400s")"},
    {"duration('-1500ms') - duration('1s')", R"("-2.5s")"},
    {"duration(string(duration('1ms') + duration('1s'))) - duration('-0.5s')", R"("1.501s")"},
    {"duration('1h') == duration('60m') && duration('1h') > duration('59m')", "true"},
    {"timestamp('2024-01-01') < timestamp('2024-01-02') && timestamp(0) != duration('0s')", "true"},
    {"max(timestamp('2024-01-01'), timestamp('2023-01-01'))", R"("2024-01-01T00:00:00Z")"},
    {"int(timestamp('1970-01-02')) + int(timestamp('1969-12-31T23:59:59.5Z'))", "86399"},
    {"string(timestamp(0)) + ' ' + join([duration('1m')], '')", R"("1970-01-01T00:00:00Z 60s")"},
    {"timestamp(timestamp(0)) == timestamp(0)", "true"},
    {"timestamp(params.day).getFullYear()", "2024"},
    {"timestamp(params.day).getMonth()", "1"},
    {"timestamp(params.day).getDate() * 100 + timestamp(params.day).getDayOfMonth()", "2928"},
    {"timestamp(params.day).getDayOfWeek()", "4"},
    {"timestamp(params.day).getDayOfYear()", "59"},
    {"timestamp('2024-02-29T23:30:15.25Z').getHours('+01:00')", "0"},
    {"timestamp('2024-02-29T23:30:15.25Z').getDate('+01:00')", "1"},
    {"timestamp('2024-02-29T23:30:15.25Z').getMinutes('UTC')", "30"},
    {"timestamp('2024-02-29T23:30:15.25Z').getSeconds()", "15"},
    {"timestamp('1969-12-31T23:59:59.75Z').getMilliseconds()", "750"},
    {"duration('1h30m').getHours() * 1000 + duration('1h30m').getMinutes()", "1090"},
    {"timestamp('yesterday')", "error: 'timestamp('yesterday')': 'yesterday' is no timestamp"},
    {"timestamp(true)", "error: 'timestamp(true)': 'true' is bool and no timestamp"},
    {"timestamp(1e3)", "error: 'timestamp(1e3)': '1e3' is no timestamp"},
    {"duration('1x')", "error: 'duration('1x')': '1x' is no duration"},
    {"duration('1h').getDate()",
     "error: 'duration('1h').getDate()': 'duration('1h')' is duration and no timestamp"},
    {"duration('1h').getHours('+01:00')",
     "error: 'duration('1h').getHours('+01:00')': a duration has no zone"},
    {"duration('1.5h')", "error: 'duration('1.5h')': '1.5h' is no duration"},
    {"params.day.getDate()",
     "error: 'params.day.getDate()': 'params.day' is string and no timestamp"},
    {"timestamp(0).getHours('Europe/Madrid')",
     "error: 'timestamp(0).getHours('Europe/Madrid')': 'Europe/Madrid' is neither UTC nor an "
     "offset "
     "such as +01:00; names of zones are not in this version"},
    {"timestamp(0) + timestamp(0)",
     "error: 'timestamp(0) + timestamp(0)': '+' does not work on timestamp and timestamp"},
    {"timestamp('9999-12-31') + duration('1d')",
     "error: 'timestamp('9999-12-31') + duration('1d')' is outside the range of timestamp"},
    {"timestamp(0) < params.day",
     "error: 'timestamp(0) < params.day': '<' does not work on timestamp and string"},
  }));
  CAPTURE(text);
  CHECK(shown(text) == want);
}

TEST_CASE("expression: macros ask each element", "[logic][expression]") {
  const auto [text, want] = GENERATE(table<std::string, std::string>({
    {"params.rows.all(r, r > 2)", "true"},
    {"[].all(r, r > 2) && ![].exists(r, true)", "true"},
    {"params.rows.exists(r, r == 4) && !params.rows.exists(r, r > 5)", "true"},
    {"params.rows.exists_one(r, r > 4) && !params.rows.exists_one(r, r > 3)", "true"},
    {"params.rows.filter(r, r != 4)", "[3,5]"},
    {"params.rows.map(r, r * params.n)", "[21,28,35]"},
    {"params.rows.map(r, r > 3, {'r': r})", R"([{"r":4},{"r":5}])"},
    {"{'b': 1, 'a': 2}.map(k, k)", R"(["a","b"])"},
    {"[[1, 2], [3]].map(x, x.map(y, y + size(x)))", "[[3,4],[4]]"},
    {"[1].map(x, [2].map(x, x)[0] + x)", "[3]"},
    {"params.deep.list.map(e, e.k)", R"(["v"])"},
    {"[1, 'a'].exists(x, x == 1 || x > 0)", "true"},
    {"['a', 1].exists(x, x > 0)", "true"},
    {"['a', 0].exists(x, x > 0)", "error: 'x > 0': '>' does not work on string and int"},
    {"['a', 0].all(x, x > 0)", "false"},
    {"[1].all(x, x)", "error: 'x' is int, but all() needs bool"},
    {"[1].filter(x, x)", "error: 'x' is int, but filter() needs bool"},
    {"params.n.map(x, x)", "error: 'params.n.map(x, x)': 'params.n' is int, neither list nor map"},
    {"max_by([{'a': 1}, {'a': 3, 'b': 1}, {'a': 3}], 'a')", R"({"a":3,"b":1})"},
    {"min_by([{'a': 'y'}, {'a': 'x'}], 'a').a", R"("x")"},
    {"max_by([], 'a')", "error: 'max_by([], 'a')' of an empty list has no value"},
    {"max_by([{'a': 1}, {}], 'a')", "error: 'max_by([{'a': 1}, {}], 'a')': element 1 has no 'a'"},
    {"max_by([{'a': 1}, {'a': 'x'}], 'a')",
     "error: 'max_by([{'a': 1}, {'a': 'x'}], 'a')': 'a' of element 1 is string, what is before it "
     "int"},
  }));
  CAPTURE(text);
  CHECK(shown(text) == want);
}

TEST_CASE("expression: errors name the part that failed", "[logic][expression]") {
  const auto [text, want] = GENERATE(table<std::string, std::string>({
    {"1 + tasks.clean.out.rows", "'tasks.clean.out.rows' is absent: task clean was skipped"},
    {"tasks.bad.out.x", "'tasks.bad.out.x' is absent: task bad failed"},
    {"tasks.late.out['a b']",
     "'tasks.late.out['a b']' is absent: task late is not decided, it is running"},
    {"tasks.clean.out", "'tasks.clean.out' is absent: task clean was skipped"},
    {"tasks.load.out.raws", "'tasks.load.out.raws' is absent: task load has no output 'raws'"},
    {"tasks.nobody.state", "'tasks.nobody.state' is absent: there is no task 'nobody'"},
    {"run.submitted", "'run.submitted' is absent: run has no 'submitted'"},
    {"params.deep.list[ 1 ].k",
     "'params.deep.list[ 1 ]': index 1 is out of range, the list has 1 element"},
    {"params.regions[-1]",
     "'params.regions[-1]': index -1 is out of range, the list has 3 elements"},
    {"params.deep.list['a']",
     "'params.deep.list['a']': 'params.deep.list' is list, its index is int and not string"},
    {"params.deep[0]", "'params.deep[0]': 'params.deep' is map, its keys are strings and not int"},
    {"params.nothing.x", "'params.nothing.x': 'params.nothing' is null, which has no members"},
    {"{'a': {}}.a.b.c", "'{'a': {}}.a.b' is absent: '{'a': {}}.a' has no 'b'"},
    {"{1: 2}", "a key of a map is a string, but '1' is int"},
    {"{'a': 1, 'a': 2}", "key 'a' stands twice in '{'a': 1, 'a': 2}'"},
    {"-'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefg\u00e9h'",
     "'-'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdef...': "
     "''abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefg...' is string and no number"},
  }));
  CAPTURE(text);
  const auto result = evaluate(text);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == errc::invalid_argument);
  CHECK(result.error().message == want);
}

TEST_CASE("expression: syntax errors say what and where", "[logic][expression]") {
  const auto [text, offset, want] = GENERATE(table<std::string, std::size_t, std::string>({
    {"", 0, "the expression is empty"},
    {"  ", 0, "the expression is empty"},
    {"1 +", 3, "a value expected, but the expression ends here"},
    {"1 + * 2", 4, "a value expected before '*'"},
    {"(1", 2, "')' expected, but the expression ends here"},
    {"1 2", 2, "an operator or the end expected before '2'"},
    {"[1 2]", 3, "',' or ']' expected before '2'"},
    {"[,]", 1, "a value expected before ','"},
    {"{'a' 1}", 5, "':' after a key expected before '1'"},
    {"{a: 1}", 1, "a key of a map stands in quotes: 'a'"},
    {"true ? 1", 8, "':' of the condition expected, but the expression ends here"},
    {"size(1,)", 7, "a value expected before ')'"},
    {"sum(1 2)", 6, "',' or ')' expected before '2'"},
    {"'abc", 0, "the text that begins here has no closing quote"},
    {"1 + 'a\nb'", 4, "the text that begins here does not end on its line; put it into '''"},
    {R"('a\q')", 2, R"('\q' is no escape; a backslash itself is written '\\', or the text r'...')"},
    {R"('\ud800')", 1,
     R"('\u' is no escape; a backslash itself is written '\\', or the text r'...')"},
    {"b'a'", 0, "bytes are not in this version"},
    {"5u", 0, "unsigned numbers are not in this version; leave out the 'u'"},
    {"1 + 12abc", 4, "'12a' is no number; a text stands in quotes"},
    {"9223372036854775808", 0, "number 9223372036854775808 is outside the range of int (64 bits)"},
    {"-9223372036854775809", 1,
     "number -9223372036854775809 is outside the range of int (64 bits)"},
    {"1e999", 0, "number 1e999 is outside the range of double"},
    {"params.n = 1", 9, "'=' assigns nothing here; to compare, write '=='"},
    {"true & true", 5, "'&' is no operator; write '&&'"},
    {"true | true", 5, "'|' is no operator; write '||'"},
    {"true and true", 5, "'and' is no operator; write '&&'"},
    {"not true", 0, "'not' is no operator; write '!'"},
    {"1 # 2", 2, "unexpected character '#'"},
    {"1 \u20ac 2", 2, "unexpected character '\u20ac'"},
    {"1 // 2", 2, "comments have no place in an expression"},
    {"!-1", 1, "a value expected before '-'"},
    {"params.", 7, "a name after '.' expected, but the expression ends here"},
    {"params.in", 7, "'in' is a word of the language; write ['in']"},
    {"param.n", 0, "unknown name 'param'; did you mean 'params'?"},
    {"1 + xyz", 4,
     "unknown name 'xyz'; there are params, tasks and run, and a text stands in "
     "quotes"},
    {"params.my-name", 10,
     "unknown name 'name'; there are params, tasks and run, and a text "
     "stands in quotes; a name with '-' in it is written ['like-this']"},
    {"schedule.day", 0, "'schedule' is not in this version"},
    {"all([], x, true)", 0, "'all' is called on a value: write x.all(...)"},
    {"params.x.default(1)", 9, "'default' is called on no value: write default(...)"},
    {"params.x.nothing()", 9, "unknown function 'nothing'"},
    {"params.x.timestamp()", 9, "'timestamp' is called on no value: write timestamp(...)"},
    {"uint(1)", 0, "function 'uint' is not in this version"},
    {"[1].map(1, 2)", 8, "a name for an element expected before '1'"},
    {"[1].map(item, 2)", 8, "a name for an element expected before 'item'"},
    {"[1].map(x)", 9, "',' expected before ')'"},
    {"[1].all(x, x, x)", 0, "all() takes 2 arguments, not 3"},
    {"[1].map(x, x) + x", 16,
     "unknown name 'x'; there are params, tasks and run, and a text stands in quotes"},
    {"'a'.contains()", 0, "contains() takes 1 argument, not 0"},
    {"'a'.substring()", 0, "substring() takes 1 or 2 arguments, not 0"},
    {"szie([])", 0, "unknown function 'szie'; did you mean 'size'?"},
    {"range(3)", 0, "'range' is no function: `foreach` takes 3 or 1-3 as it is"},
    {"frobnicate(1)", 0, "unknown function 'frobnicate'"},
    {"size == 1", 0, "'size' is a function: write size(...)"},
    {"size()", 0, "size() takes 1 argument, not 0"},
    {"1 + default(1)", 4, "default() takes 2 arguments, not 1"},
    {"sum()", 0, "sum() takes at least one argument, not 0"},
    {"has(1)", 4, "has() takes a reference such as params.x or tasks.a.out.y"},
    {"has(params)", 4, "has() takes a reference such as params.x or tasks.a.out.y"},
    {"tasks", 0, "'tasks' alone is no value; write tasks.X.out.y or tasks.X.state"},
    {"1 + tasks.load", 4,
     "'tasks.load' alone is no value; write tasks.load.out.y for an output "
     "or tasks.load.state"},
    {"tasks['a b']", 0,
     "'tasks['a b']' alone is no value; write tasks['a b'].out.y for an output "
     "or tasks['a b'].state"},
    {"tasks[params.n].out.x", 0, "the name of a task is written out, as in tasks['a-b'].out.y"},
    {"tasks[''].out.x", 6, "a name cannot be empty"},
    {"tasks.source-ready.out.at", 6, "a name with '-' in it is written tasks['source-ready']"},
    {"tasks.load.rows", 11, "'tasks.load.rows' does not exist; an output is tasks.load.out.rows"},
    {"tasks.load.stat", 11, "'tasks.load.stat' does not exist; did you mean 'state'?"},
    {"tasks.load['a'].rows", 0,
     "of an instance there is 'out' or 'state': write tasks.load['a'].out.y"},
    {"run.idd", 4, "'run' has no 'idd'; did you mean 'id'?"},
  }));
  CAPTURE(text);
  const auto parsed = expression::parse(text);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().message == want);
  CHECK(parsed.error().offset == offset);
}

TEST_CASE("expression: references are listed in order of the text", "[logic][expression]") {
  const auto parsed = expression::parse("params.n > 1 && tasks['a b'].state == 'failed' ? "
                                        "tasks.x.out.y : [tasks.x.out, run.id, params]");
  REQUIRE(parsed);
  using root = reference::root;
  CHECK(parsed->references()
        == std::vector<reference>{{root::params, "n", "", 0},
                                  {root::task_state, "a b", "", 16},
                                  {root::task_output, "x", "y", 49},
                                  {root::task_output, "x", "", 66},
                                  {root::run, "id", "", 79},
                                  {root::params, "", "", 87}});
}

TEST_CASE("expression: the text is limited in length and depth", "[logic][expression]") {
  CHECK(expression::parse(repeat("(", 63) + "1" + repeat(")", 63)));
  const auto deep = expression::parse(repeat("(", 64) + "1" + repeat(")", 64));
  REQUIRE_FALSE(deep);
  CHECK(deep.error().message == "nested more than 64 levels deep");
  CHECK(deep.error().offset == 64);
  CHECK_FALSE(expression::parse(repeat("[", 30'000)));
  CHECK_FALSE(expression::parse(repeat("size(", 10'000)));
  CHECK(expression::parse("'a'" + repeat(".trim()", 60)));
  CHECK_FALSE(expression::parse("'a'" + repeat(".trim()", 9'000)));

  const auto long_text = expression::parse(std::string(70'000, ' ') + "1");
  REQUIRE_FALSE(long_text);
  CHECK(long_text.error().message == "the expression is longer than 64 KiB");
}

TEST_CASE("expression: long chains are not deep", "[logic][expression]") {
  CHECK(shown("1" + repeat("+1", 30'000)) == "30001");
  CHECK(shown("true" + repeat(" && true", 8'000)) == "true");
  CHECK(shown(repeat("!", 60'000) + "true") == "true");
  CHECK(shown(repeat("-", 60'001) + "params.n") == "-7");
  CHECK(shown(repeat("false ? 1 : ", 5'000) + "2") == "2");
  CHECK(shown("params" + repeat(".a", 30'000)).starts_with("error: 'params.a' is absent"));
  CHECK(shown("1 == 1" + repeat(" == true", 8'000)) == "true");
}

TEST_CASE("expression: an evaluation stays within its budget", "[logic][expression]") {
  const std::string over = "error: the expression goes over its budget of ";
  SECTION("steps, for nodes") {
    CHECK(shown("1 + 2 + 3", {.steps = 4}) == "6");
    CHECK(shown("1 + 2 + 3", {.steps = 3}).starts_with(over));
  }
  SECTION("steps, for elements") {
    CHECK(shown("[1, 2, 3] == [1, 2, 3]", {.steps = 15}).starts_with(over));
    CHECK(shown("5 in params.rows", {.steps = 5}).starts_with(over));
    CHECK(shown("sum(params.rows)", {.steps = 4}).starts_with(over));
  }
  SECTION("steps, for what texts are searched for") {
    const auto searched = "['x', 'y'].all(a, !a.matches(r'[a-z0-9]{100}z'))";
    CHECK(shown(searched) == "true");
    CHECK(shown(searched, {.steps = 100}).starts_with(over));
    const auto big = "'" + std::string(60'000, 'a') + "'"; // would take minutes, were it quadratic
    CHECK(shown("params.rows.map(r, size(" + big + ".split('a'))).map(n, n)[0]") == "60001");
    CHECK(shown("size(" + big + ".replace('a', 'bc'))") == "120000");
    CHECK(shown("size(" + big + ".split(''))", {.steps = 50'000}).starts_with(over));
    CHECK(shown("size(" + big + ".replace('a', ''))", {.steps = 50'000}).starts_with(over));
  }
  SECTION("bytes, for the result") {
    CHECK(shown("params.rows", {.result_bytes = 64}) == "[3,4,5]");
    CHECK(shown("params.rows", {.result_bytes = 63}).starts_with(over));
  }
  SECTION("bytes, for values on the way") {
    const auto big = "'" + std::string(1'000, 'x') + "'";
    CHECK(shown("size(" + big + " + " + big + ")", {.result_bytes = 4'000}) == "2000");
    CHECK(shown("size(" + big + " + " + big + ")", {.result_bytes = 1'500}).starts_with(over));
    // Each level doubles.
    auto doubled = big;
    for (int i = 0; i < 5; ++i)
      doubled = "(" + doubled + " + " + doubled + ")";
    CHECK(shown("size(" + doubled + ")", {.result_bytes = 20'000}).starts_with(over));
  }
  SECTION("and nothing makes up for it") {
    CHECK(shown("1 + 1 == 2 || true", {.steps = 3}).starts_with(over));
    CHECK(shown("default(params.rows, 1)", {.result_bytes = 10}).starts_with(over));
  }
}

TEST_CASE("expression: numbers that no JSON text holds do no harm", "[logic][expression]") {
  fake_scope names;
  names.parameters = {{"huge", std::numeric_limits<std::uint64_t>::max()},
                      {"small", std::uint64_t{5}},
                      {"nan", std::nan("")}};
  const auto [text, want] = GENERATE(table<std::string, std::string>({
    {"params.small + 1", "6"},
    {"params.huge > 9223372036854775807", "true"},
    {"params.huge + 1 == 1", "nothing"},
    {"params.nan == params.nan", "false"},
    {"params.nan < 1", "false"},
    {"params.nan >= 1", "false"},
    {"params.nan + 1.0", "nothing"},
  }));
  CAPTURE(text);
  const auto result = expression::parse(text)->evaluate(names);
  CHECK((result ? model::to_text(*result) : "nothing") == want);
}

TEST_CASE("expression: one that was never parsed is an error", "[logic][expression]") {
  const auto result = expression{}.evaluate(fake_scope{});
  REQUIRE_FALSE(result);
  CHECK(result.error().code == errc::internal);
}
