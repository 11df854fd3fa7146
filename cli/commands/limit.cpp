// What people allow for the whole store: `limit` for slots and resources, `pool`, and `share` for
// workflows and users. The verbs are alike.
#include "api/requests.hpp"
#include "cli/commands/commands.hpp"
#include "cli/control.hpp"
#include "cli/remote.hpp"
#include "cli/table.hpp"
#include "cli/words.hpp"
#include "model/timestamp.hpp"
#include "runtime/config_load.hpp"
#include "runtime/history.hpp"
#include "runtime/liveness.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace sluice::cli {
namespace {

using model::limit_kind;

constexpr auto target = "/api/v1/limits";

struct limit_options {
  std::string name;
  std::string amount;
  std::string by;
  bool of_user = false;
};

using kind_of = limit_kind (*)(const limit_options&);

limit_kind slots_or_resource(const limit_options& options) {
  return options.name == to_string(limit_kind::slots) ? limit_kind::slots : limit_kind::resource;
}

limit_kind pool(const limit_options&) {
  return limit_kind::pool;
}

limit_kind share(const limit_options& options) {
  return options.of_user ? limit_kind::user_share : limit_kind::workflow_share;
}

/// One verb that has limits of its own.
struct family {
  const char* verb;
  const char* description;
  const char* name;   ///< what its NAME is
  const char* amount; ///< what its AMOUNT is
  kind_of kind;
  std::vector<limit_kind> kinds;
};

const std::array families{
  family{"limit",
         "Limits of slots and resources",
         "slots, or a resource such as gpu or mem",
         "So much of it at most: 2, 0.5, 8Gi",
         slots_or_resource,
         {limit_kind::slots, limit_kind::resource}},
  family{"pool",
         "Sizes of pools",
         "The pool, as workflows name it",
         "Tasks in it at once",
         pool,
         {limit_kind::pool}},
  family{"share",
         "Weights of workflows and users among each other",
         "The workflow, or the user",
         "Its weight; 1 is that of all others",
         share,
         {limit_kind::workflow_share, limit_kind::user_share}},
};

/// Of the runtime that has the store, with what is used; of the store when there is none.
tl::expected<model::value, int> read_limits(session& s) {
  if (runtime::lock_view::look({s.store_dir}).is_held())
    return ask_holder(s, {.target = target}).map([](const model::value& v) {
      return v.value("limits", model::value::array());
    });
  auto store = runtime::history::open(s.store_dir);
  if (!store)
    return tl::unexpected(s.fail(store.error()));
  const auto stored = store->store_limits();
  if (!stored)
    return tl::unexpected(s.fail(stored.error()));
  auto all = model::value::array();
  for (const auto& what : *stored)
    all.push_back(to_json(what));
  return all;
}

std::string text_at(const model::value& v, const char* key) {
  return v.value(key, std::string{});
}

std::string title_of(const model::value& v) {
  const auto kind = model::parse_limit_kind(text_at(v, "kind"));
  const bool is_share = kind == limit_kind::workflow_share || kind == limit_kind::user_share;
  return is_share ? std::string{model::owner_of(*kind)} + " " + text_at(v, "name")
         : kind == limit_kind::slots ? "slots"
                                     : text_at(v, "name");
}

void print_limits(session& s, const family& of, const std::vector<model::value>& limits) {
  const bool is_share = of.kind == share;
  table t{{"NAME", is_share ? "WEIGHT" : "LIMIT", is_share ? "" : "USED",
           of.kind == slots_or_resource ? "HAS" : "", "SINCE", "BY"}};
  for (const auto& v : limits) {
    const auto changed = model::parse_timestamp(text_at(v, "changed_at"));
    t.row({{printable(title_of(v))},
           {v.contains("amount") ? text_at(v, "amount") : "none"},
           {text_at(v, "used")},
           {text_at(v, "has")},
           {changed ? runtime::to_date_and_time(*changed, s.zone) : ""},
           {printable(text_at(v, "by"))}});
  }
  t.print(s.out);
}

int list_limits(session& s, const family& of) {
  const auto all = read_limits(s);
  if (!all)
    return all.error();
  std::vector<model::value> own;
  for (const auto& v : *all)
    if (const auto kind = model::parse_limit_kind(text_at(v, "kind"));
        kind && std::find(of.kinds.begin(), of.kinds.end(), *kind) != of.kinds.end())
      own.push_back(v);
  if (s.json())
    for (const auto& v : own)
      s.print_json(v);
  else if (own.empty())
    s.out.line("none is set");
  else
    print_limits(s, of, own);
  return exit_done;
}

int set_limit(session& s, const family& of, const limit_options& options, bool takes_back) {
  const auto kind = of.kind(options);
  auto what = takes_back ? expected<model::store_limit>{model::store_limit{
                .kind = kind, .name = options.name, .amount = {}, .by = {}, .changed_at = {}}}
                         : model::parse_store_limit(kind, options.name, options.amount);
  if (!what)
    return s.fail(what.error().message, exit_usage);
  if (kind == limit_kind::slots)
    what->name.clear();
  what->by = options.by.empty() ? runtime::user_name() : options.by;
  model::value body{{"kind", to_string(kind)}, {"name", what->name}, {"by", what->by}};
  if (!takes_back)
    body["amount"] = amount_text(*what);
  const auto done = carry_out(s, {.run = {},
                                  .what = model::set_store_limit{*what},
                                  .verb = std::string{of.verb} + (takes_back ? " unset" : " set"),
                                  .body = body,
                                  .target = target});
  if (!done)
    return done.error();
  if (s.json())
    s.print_json(body);
  else if (s.text())
    s.out.line(printable(model::title_of(*what))
               + (takes_back         ? " has no limit any more"
                  : of.kind == share ? " has weight " + amount_text(*what)
                                     : ": at most " + amount_text(*what)));
  return exit_done;
}

void add_family(CLI::App& program, action& chosen, const family& of) {
  auto* verb = program.add_subcommand(of.verb, of.description);
  verb->require_subcommand(1);
  auto* list = verb->add_subcommand("list", "What is set, and how much of it is used");
  list->fallthrough();
  list->callback([&of, &chosen] { chosen = [&of](session& s) { return list_limits(s, of); }; });
  for (const bool takes_back : {false, true}) {
    const auto options = std::make_shared<limit_options>();
    auto* setter = verb->add_subcommand(takes_back ? "unset" : "set",
                                        takes_back ? "Take it back" : "Set it, from now on");
    setter->add_option("NAME", options->name, of.name)->required();
    if (!takes_back)
      setter->add_option("AMOUNT", options->amount, of.amount)->required();
    setter->add_option("--by", options->by, "Who does it; by default who you are");
    if (of.kind == share)
      setter->add_flag("--user", options->of_user, "NAME is a user, no workflow");
    setter->fallthrough();
    setter->callback([&of, options, takes_back, &chosen] {
      chosen = [&of, options, takes_back](session& s) {
        return set_limit(s, of, *options, takes_back);
      };
    });
  }
}

} // namespace

void add_limits(CLI::App& program, action& chosen) {
  for (const auto& of : families)
    add_family(program, chosen, of);
}

} // namespace sluice::cli
