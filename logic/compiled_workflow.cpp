#include "logic/compiled_workflow.hpp"

#include "logic/fan_out.hpp"
#include "logic/spec_checks.hpp"
#include "logic/spec_path.hpp"
#include "model/nearest_name.hpp"

#include <algorithm>
#include <string_view>

namespace sluice::logic {
namespace {

/// Looking for the nearest of many names takes a while; after this many the reader has got the
/// idea.
constexpr int max_hints = 100;
/// A longer cycle is shown with its middle left out.
constexpr std::size_t max_shown_cycle = 20;

std::string in_quotes(std::string_view text) {
  return "'" + std::string{text} + "'";
}

bool names_item(const std::vector<reference>& references) {
  return std::any_of(references.begin(), references.end(), [](const reference& mentioned) {
    return mentioned.what == reference::root::item;
  });
}

bool allows_no_upstream(model::join_rule rule) {
  return rule == model::join_rule::all_success || rule == model::join_rule::all_done;
}

bool needs_capacity(const model::workflow_spec& workflow, const model::task_spec& task) {
  using model::task_settings;
  if (is_gate(task.action))
    return false;
  const bool has_limit = setting_of(workflow, task, &task_settings::concurrency)
                         || setting_of(workflow, task, &task_settings::rate);
  // What is a run holds nothing that its own tasks may need.
  return has_limit
         || (child_of(task) == nullptr
             && (setting_of(workflow, task, &task_settings::resources)
                 || setting_of(workflow, task, &task_settings::pool)));
}

/// What a task that only waits has to have evaluated, with the key under which it stands.
std::optional<std::pair<const char*, std::string>> text_of_gate(const model::action& action) {
  if (const auto* wait = std::get_if<model::wait_action>(&action))
    return std::pair{"wait", wait->until};
  if (const auto* gate = std::get_if<model::gate_action>(&action);
      gate && !gate->what->prompt.empty())
    return std::pair{"prompt", gate->what->prompt};
  return std::nullopt;
}

void sort_unique(std::vector<std::uint32_t>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

} // namespace

/// One pass over the specification in its order; every problem is noted and the pass goes on.
class workflow_compiler {
public:
  /// Workflows that others start, as far as they are compiled: one may be started by many tasks.
  using compiled_children =
    std::unordered_map<const model::workflow_spec*, std::shared_ptr<const compiled_workflow>>;

  workflow_compiler(std::shared_ptr<const model::workflow_spec> spec,
                    const handler_lookup& has_handler, std::span<const std::uint32_t> read_in_part,
                    compiled_children& children)
    : result_(std::make_shared<compiled_workflow>()), spec_(*spec), has_handler_(has_handler),
      read_in_part_(read_in_part), known_children_(children) {
    result_->spec_ = std::move(spec);
  }

  tl::expected<std::shared_ptr<const compiled_workflow>, std::vector<spec_problem>> run();

private:
  /// Which names an expression may use, and where its mentions are noted.
  struct place {
    std::string path;
    std::optional<std::uint32_t> task; ///< none: the workflow's own environment
    bool is_condition = false;         ///< `when` or `join`
    bool is_of_task = false;           ///< of the task as a whole, not of its instances
    bool is_result = false;            ///< of the run: all of its tasks are over
  };

  void report(std::string path, std::string message, std::size_t offset = 0) {
    problems_.push_back({std::move(path), std::move(message), offset});
  }
  void report_name(std::string path, std::string message) {
    problems_.push_back({std::move(path), std::move(message), 0, true});
  }
  std::string hint(std::string_view name, const std::vector<std::string>& candidates) {
    return ++hints_ > max_hints ? std::string{} : model::did_you_mean(name, candidates);
  }
  std::string hint_of_task(std::string_view name);

  std::string path_of_task(std::uint32_t idx) const {
    return path_of(is_finally(idx) ? "finally" : "tasks", spec_.task(idx).name);
  }
  bool is_finally(std::uint32_t idx) const { return spec_.is_finally(idx); }
  void index_tasks();
  void compile_task(std::uint32_t idx);
  void note_compensation(std::uint32_t idx);
  void index_groups();
  std::size_t add_named_upstreams(std::uint32_t idx);
  std::optional<expression> compile_condition(const std::string& text, place where);
  std::vector<std::pair<std::string, value_template>>
  compile_values(const model::named_values& values, const std::string& path,
                 std::optional<std::uint32_t> task);
  std::vector<std::pair<std::string, value_template>>
  compile_defaults(const model::task_settings& defaults);
  bool gets_added_env(const model::task_spec& task) const;
  std::vector<std::pair<std::string, value_template>> compile_env(std::uint32_t idx);
  std::optional<value_template> compile_text(const char* key, const std::string& text,
                                             const std::string& path,
                                             std::optional<std::uint32_t> task);
  template <class Spec>
  std::optional<value_template> compile_limit_key(std::optional<Spec> model::task_settings::*limit,
                                                  const std::string& path, std::uint32_t task);
  std::unique_ptr<const capacity_expressions> compile_capacity(std::uint32_t idx);
  std::unique_ptr<const fan_out_expressions> compile_fan_out(std::uint32_t idx);
  value_template compile_items(const model::value& v, const std::string& path, std::uint32_t idx);
  void check_names_item(const value_template& text, const std::string& path, const char* what);
  bool compile_texts(const model::value& v, const place& where);
  void use(const reference& mentioned, const place& where);
  void use_task(const reference& mentioned, std::uint32_t upstream, const place& where);
  void use_output(const reference& mentioned, std::uint32_t upstream, const place& where);
  void compile_child(std::uint32_t idx);
  void compile_results();
  void build_graph();

  std::shared_ptr<compiled_workflow> result_;
  const model::workflow_spec& spec_;
  const handler_lookup& has_handler_;
  std::span<const std::uint32_t> read_in_part_;
  compiled_children& known_children_;
  std::vector<spec_problem> problems_;
  std::unordered_map<std::string_view, std::uint32_t> by_name_;
  std::vector<dag::edge> edges_;
  std::vector<std::string> task_names_, param_names_; ///< candidates of hints
  /// Of the tasks that were added together, for each such time.
  std::vector<std::vector<std::pair<std::string, value_template>>> addition_env_;
  task_expressions* current_ = nullptr; ///< of the task that is compiled
  std::string_view item_name_;          ///< its other name of `item`, or empty
  std::size_t mentions_ = 0;            ///< of tasks, in it
  int hints_ = 0;
};

tl::expected<std::shared_ptr<const compiled_workflow>, std::vector<spec_problem>>
workflow_compiler::run() {
  check_workflow(spec_, has_handler_, problems_);
  if (spec_.tasks.size() > max_tasks)
    return tl::unexpected(std::move(problems_));
  for (const auto& param : spec_.params)
    param_names_.push_back(param.name);
  result_->expressions_.resize(spec_.index_end());
  result_->outputs_read_.resize(spec_.index_end());
  result_->env_ = compile_defaults(spec_.defaults);
  for (const auto& addition : spec_.additions)
    addition_env_.push_back(compile_defaults(addition.defaults));
  index_tasks();
  index_groups();
  for (const auto idx : spec_.indices())
    compile_task(idx);
  compile_results();
  build_graph();
  if (!problems_.empty())
    return tl::unexpected(std::move(problems_));
  return std::move(result_);
}

/// Returns their environment.
std::vector<std::pair<std::string, value_template>>
workflow_compiler::compile_defaults(const model::task_settings& defaults) {
  auto env = compile_values(defaults.env, "defaults.env", std::nullopt);
  if (defaults.idempotency)
    compile_text("idempotency", *defaults.idempotency, "defaults", std::nullopt);
  if (defaults.concurrency && defaults.concurrency->key)
    compile_text("key", *defaults.concurrency->key, "defaults.concurrency", std::nullopt);
  if (defaults.rate && defaults.rate->key)
    compile_text("key", *defaults.rate->key, "defaults.rate", std::nullopt);
  return env;
}

/// Whether something came with the task that its commands get. Workflows and gates have none.
bool workflow_compiler::gets_added_env(const model::task_spec& task) const {
  return task.addition != 0 && !addition_env_[task.addition - 1].empty() && !is_gate(task.action)
         && child_of(task) == nullptr;
}

/// The environment of a task, without the workflow's, which is that of the run. What came with the
/// task is merged with its own.
std::vector<std::pair<std::string, value_template>>
workflow_compiler::compile_env(std::uint32_t idx) {
  const auto& task = spec_.task(idx);
  auto env = compile_values(task.settings->env, path_of(path_of_task(idx), "env"), idx);
  if (!gets_added_env(task))
    return env;
  for (const auto& entry : addition_env_[task.addition - 1])
    if (std::none_of(env.begin(), env.end(),
                     [&](const auto& own) { return own.first == entry.first; }))
      env.push_back(entry);
  return env;
}

std::string workflow_compiler::hint_of_task(std::string_view name) {
  if (task_names_.empty())
    for (const auto& task : spec_.tasks)
      task_names_.push_back(task.name);
  return hint(name, task_names_);
}

void workflow_compiler::index_groups() {
  if (spec_.groups.empty())
    return;
  std::unordered_map<std::string_view, std::uint32_t> declared;
  for (std::uint32_t i = 0; i < spec_.groups.size(); ++i)
    declared.emplace(spec_.groups[i].name, i);
  result_->groups_.assign(spec_.index_end(), compiled_workflow::no_group);
  result_->members_.resize(spec_.groups.size());
  for (const auto idx : spec_.indices()) {
    const auto& name = setting_of(spec_, spec_.task(idx), &model::task_settings::group);
    const auto found = name ? declared.find(*name) : declared.end();
    if (found == declared.end())
      continue;
    result_->groups_[idx] = found->second;
    result_->members_[found->second].push_back(idx);
  }
}

void workflow_compiler::index_tasks() {
  by_name_.reserve(spec_.tasks.size());
  for (const auto idx : spec_.indices()) {
    const auto& name = spec_.task(idx).name;
    const bool has_control = std::any_of(name.begin(), name.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    });
    if (name.empty() || has_control)
      report_name(path_of_task(idx), in_quotes(name) + " is no name of a task");
    if (!by_name_.emplace(name, idx).second)
      report_name(path_of_task(idx), "the task " + in_quotes(name) + " stands twice");
  }
}

void workflow_compiler::compile_task(std::uint32_t idx) {
  const auto& task = spec_.task(idx);
  const auto path = path_of_task(idx);
  check_task(task, defaults_of(spec_, task), path, has_handler_, problems_);
  note_compensation(idx);
  const auto named = add_named_upstreams(idx);
  const auto* child = child_of(task);
  if (child != nullptr && child->spec != nullptr)
    compile_child(idx);
  const bool has_expression_join = task.join.rule == model::join_rule::expression;
  mentions_ = 0;
  static const std::optional<std::string> no_key;
  const auto& key = is_gate(task.action)
                      ? no_key // as a default it is for the others
                      : setting_of(spec_, task, &model::task_settings::idempotency);
  const auto awaited = text_of_gate(task.action);
  if (has_expression_join || task.when || !task.in.empty() || !task.settings->env.empty() || key
      || awaited || task.fans_out() || needs_capacity(spec_, task)
      || (child != nullptr && child->params.is_set()) || gets_added_env(task)) {
    auto own = std::make_unique<task_expressions>();
    current_ = own.get();
    item_name_ = task.fan_out->as;
    if (has_expression_join)
      own->join = compile_condition(
        task.join.expression, {.path = path_of(path, "join"), .task = idx, .is_of_task = true});
    if (task.when)
      own->when = compile_condition(*task.when, {.path = path_of(path, "when"), .task = idx});
    own->when_names_item = own->when && names_item(own->when->references());
    if (task.fans_out())
      own->fan_out = compile_fan_out(idx);
    own->in = child != nullptr
                ? compile_values(*child->params, path_of(path_of(path, "workflow"), "params"), idx)
                : compile_values(task.in, path_of(path, "in"), idx);
    own->env = compile_env(idx);
    if (awaited)
      own->awaits = compile_text(awaited->first, awaited->second, path, idx);
    if (task.settings->idempotency)
      own->key = compile_text("idempotency", *task.settings->idempotency, path, idx);
    else if (key)
      own->key = value_template::parse(*key).value_or(value_template{});
    if (needs_capacity(spec_, task))
      own->capacity = compile_capacity(idx);
    if (task.fans_out() && own->key)
      check_names_item(*own->key, path_of(path, "idempotency"),
                       "so that all instances but one would take over its result");
    sort_unique(own->state_reads);
    sort_unique(own->output_reads);
    for (const auto upstream : own->output_reads) {
      result_->outputs_read_[upstream] = true;
      if (is_finally(idx) && !is_finally(upstream))
        result_->readers_in_finally_[upstream].push_back(idx);
    }
    result_->expressions_[idx] = std::move(own);
    current_ = nullptr;
    item_name_ = {};
  }
  const bool sees_others = is_finally(idx) && has_expression_join; // `run.state`, and all tasks
  if (!allows_no_upstream(task.join.rule) && !sees_others && named + mentions_ == 0)
    report(path_of(path, "join"), (has_expression_join ? std::string{"an expression"}
                                                       : in_quotes(to_string(task.join.rule)))
                                    + " needs upstream tasks, and this task has none");
}

void workflow_compiler::note_compensation(std::uint32_t idx) {
  using enum model::command_role;
  const auto& task = spec_.task(idx);
  if (command_for(spec_, task, compensate) == nullptr)
    return;
  if (!is_finally(idx)) {
    result_->compensable_.resize(spec_.index_end());
    result_->compensable_[idx] = true;
  } else if (has_command(*task.settings, compensate)) { // as a default it is for the others
    report_name(path_of(path_of_task(idx), to_string(compensate)),
                "finally comes after all compensation, so that nothing would compensate this task");
  }
}

/// Returns how many there are; those that do not exist count, so that they cause no second problem.
std::size_t workflow_compiler::add_named_upstreams(std::uint32_t idx) {
  const auto& task = spec_.task(idx);
  for (std::size_t i = 0; i < task.after.size(); ++i) {
    const auto upstream = by_name_.find(task.after[i]);
    const bool is_known = upstream != by_name_.end();
    if (is_known && is_finally(upstream->second) != is_finally(idx)) {
      report(path_of(path_of(path_of_task(idx), "after"), i),
             in_quotes(task.after[i])
               + (is_finally(idx) ? " stands in tasks: all of finally comes after it anyway"
                                  : " stands in finally, which comes after all tasks"));
      continue;
    }
    if (is_known && upstream->second != idx) {
      edges_.emplace_back(upstream->second, idx);
      continue;
    }
    auto path = path_of(path_of(path_of_task(idx), "after"), i);
    if (!is_known)
      report(std::move(path), "no task " + in_quotes(task.after[i]) + hint_of_task(task.after[i]));
    else
      report(std::move(path), "the task waits for itself");
  }
  return task.after.size();
}

std::optional<expression> workflow_compiler::compile_condition(const std::string& text,
                                                               place where) {
  where.is_condition = true;
  auto parsed = expression::parse(text, item_name_);
  if (!parsed) {
    ++mentions_; // what it would have mentioned is not known
    report(std::move(where.path), std::move(parsed.error().message), parsed.error().offset);
    return std::nullopt;
  }
  for (const auto& mentioned : parsed->references())
    use(mentioned, where);
  if (parsed->references().empty()) {
    const auto constant = parsed->evaluate(empty_scope{});
    if (!constant)
      report(std::move(where.path), constant.error().message);
    else if (!constant->is_boolean())
      report(std::move(where.path), "must be true or false, and is " + model::to_text(*constant));
  }
  return std::move(*parsed);
}

/// Compiled by itself; only what a reader of its own file could not see is reported.
void workflow_compiler::compile_child(std::uint32_t idx) {
  const auto& child = *child_of(spec_.task(idx));
  const auto path = path_of(path_of_task(idx), "workflow");
  check_child_params(child, path, problems_);
  auto& known = known_children_[child.spec.get()];
  if (known == nullptr) {
    auto compiled = workflow_compiler{child.spec, has_handler_, {}, known_children_}.run();
    if (!compiled) {
      for (const auto& problem : compiled.error())
        report(path, "workflow " + in_quotes(child.spec->name) + ": " + problem.path + ": "
                       + problem.message);
      return;
    }
    known_children_[child.spec.get()] = std::move(*compiled); // `known` may have moved
  }
  result_->children_.emplace(idx, known_children_[child.spec.get()]);
}

/// What a run comes to: evaluated when all of its tasks are over, so it may name any of them.
void workflow_compiler::compile_results() {
  const place where{.path = "out", .task = std::nullopt, .is_result = true};
  for (const auto& [name, v] : spec_.out) {
    auto here = where;
    here.path = path_of(where.path, name);
    auto parsed = value_template::parse(v);
    if (compile_texts(v, here) && !parsed) // no single text is wrong: a key is
      report(here.path + parsed.error().path, parsed.error().what.message,
             parsed.error().what.offset);
    if (parsed)
      result_->results_.emplace_back(name, std::move(*parsed));
  }
  sort_unique(result_->result_reads_);
  for (const auto task : result_->result_reads_)
    result_->outputs_read_[task] = true;
}

std::vector<std::pair<std::string, value_template>>
workflow_compiler::compile_values(const model::named_values& values, const std::string& path,
                                  std::optional<std::uint32_t> task) {
  std::vector<std::pair<std::string, value_template>> compiled;
  compiled.reserve(values.size());
  for (const auto& [name, v] : values) {
    auto parsed = value_template::parse(v, item_name_);
    if (parsed && parsed->references().empty()) {
      compiled.emplace_back(name, std::move(*parsed));
      continue;
    }
    place where{.path = path_of(path, name), .task = task};
    if (v.is_string() && parsed) {
      for (const auto& mentioned : parsed->references())
        use(mentioned, where);
    } else if (compile_texts(v, where) && !parsed) { // no single text is wrong: a key is
      auto& [within, what] = parsed.error();
      report(where.path + within, std::move(what.message), what.offset);
    }
    if (parsed)
      compiled.emplace_back(name, std::move(*parsed));
  }
  return compiled;
}

/// A text that stands below a key of its own.
std::optional<value_template> workflow_compiler::compile_text(const char* key,
                                                              const std::string& text,
                                                              const std::string& path,
                                                              std::optional<std::uint32_t> task) {
  auto compiled = compile_values({{key, text}}, path, task);
  return compiled.empty() ? std::nullopt : std::optional{std::move(compiled.front().second)};
}

/// That of a default names only what all tasks know, which was checked there.
template <class Spec>
std::optional<value_template>
workflow_compiler::compile_limit_key(std::optional<Spec> model::task_settings::*limit,
                                     const std::string& path, std::uint32_t task) {
  const auto& own = (*spec_.task(task).settings).*limit;
  if (own)
    return own->key ? compile_text("key", *own->key, path, task) : std::nullopt;
  const auto& standard = defaults_of(spec_, spec_.task(task)).*limit;
  return standard && standard->key
           ? std::optional{value_template::parse(*standard->key).value_or(value_template{})}
           : std::nullopt;
}

std::unique_ptr<const capacity_expressions> workflow_compiler::compile_capacity(std::uint32_t idx) {
  const auto path = path_of_task(idx);
  auto made = std::make_unique<capacity_expressions>();
  made->concurrency_key =
    compile_limit_key(&model::task_settings::concurrency, path_of(path, "concurrency"), idx);
  made->rate_key = compile_limit_key(&model::task_settings::rate, path_of(path, "rate"), idx);
  return made;
}

/// What the task is fanned out over; in it there is no `item` yet.
std::unique_ptr<const fan_out_expressions> workflow_compiler::compile_fan_out(std::uint32_t idx) {
  const auto& task = spec_.task(idx);
  const auto path = path_of_task(idx);
  auto made = std::make_unique<fan_out_expressions>();
  const auto known_problems = problems_.size();
  if (const auto* foreach = std::get_if<model::foreach_items>(&task.fan_out->items)) {
    made->over = compile_items(foreach->over, path_of(path, "foreach"), idx);
  } else if (const auto* matrix = std::get_if<model::matrix_items>(&task.fan_out->items)) {
    const auto here = path_of(path, "matrix");
    for (const auto& [name, values] : matrix->axes)
      made->axes.emplace_back(name, compile_items(values, path_of(here, name), idx));
    made->include = compile_items(matrix->include, path_of(here, "include"), idx);
    made->exclude = compile_items(matrix->exclude, path_of(here, "exclude"), idx);
  }
  if (problems_.size() == known_problems)
    check_items(task, *made, path, problems_);
  if (const auto& key = task.fan_out->key) {
    const auto here = path_of(path, "key");
    if (auto compiled = compile_values({{"key", *key}}, path, idx); !compiled.empty()) {
      check_names_item(compiled.front().second, here, "so that all instances would be named alike");
      made->key = std::move(compiled.front().second);
    }
  }
  return made;
}

value_template workflow_compiler::compile_items(const model::value& v, const std::string& path,
                                                std::uint32_t idx) {
  compile_texts(v, {.path = path, .task = idx, .is_of_task = true});
  return value_template::parse(v, item_name_).value_or(value_template{});
}

void workflow_compiler::check_names_item(const value_template& text, const std::string& path,
                                         const char* what) {
  if (!names_item(text.references()))
    report(path, "names no item, " + std::string{what});
}

/// Goes through the texts of a value one by one, so that each problem has its place. Returns
/// whether all of them can be parsed.
bool workflow_compiler::compile_texts(const model::value& v, const place& where) {
  bool is_fine = true;
  if (v.is_string()) {
    const auto parsed = value_template::parse(v, item_name_);
    if (!parsed) {
      ++mentions_;
      report(where.path, parsed.error().what.message, parsed.error().what.offset);
      return false;
    }
    for (const auto& mentioned : parsed->references())
      use(mentioned, where);
  } else if (v.is_array()) {
    for (std::size_t i = 0; i < v.size(); ++i) {
      auto inner = where;
      inner.path = path_of(where.path, i);
      is_fine = compile_texts(v[i], inner) && is_fine;
    }
  } else if (v.is_object()) {
    for (const auto& [key, child] : v.items()) {
      auto inner = where;
      inner.path = path_of(where.path, key);
      is_fine = compile_texts(child, inner) && is_fine;
    }
  }
  return is_fine;
}

void workflow_compiler::use(const reference& mentioned, const place& where) {
  using root = reference::root;
  if (mentioned.what == root::run) { // its fields are known to the parser
    const bool is_outcome = mentioned.name == "state" || mentioned.name == "failed";
    if (is_outcome && !(where.task && is_finally(*where.task)))
      report(where.path, "'run." + mentioned.name + "' is known in finally only", mentioned.offset);
    return;
  }
  if (mentioned.what == root::item) {
    if (where.is_of_task || !where.task || !spec_.task(*where.task).fans_out())
      report(where.path,
             where.is_of_task
               ? "'item' is known when the task is fanned out, which comes after this"
               : "'item' is known in a task with foreach, matrix or shard only",
             mentioned.offset);
    return;
  }
  if (mentioned.what == root::params) {
    if (!mentioned.name.empty()
        && std::find(param_names_.begin(), param_names_.end(), mentioned.name)
             == param_names_.end())
      report(where.path,
             "no parameter " + in_quotes(mentioned.name) + hint(mentioned.name, param_names_),
             mentioned.offset);
    return;
  }
  if (!where.task && !where.is_result)
    return report(where.path, "what holds for all tasks can name only params and run, no tasks",
                  mentioned.offset);
  const auto found = by_name_.find(mentioned.name);
  if (where.is_result && found != by_name_.end())
    return use_task(mentioned, found->second, where);
  // What finally sees of the other tasks is decided before its first task: that makes no edge.
  const bool makes_edge =
    found == by_name_.end() || (where.task && is_finally(found->second) == is_finally(*where.task));
  mentions_ += makes_edge ? 1 : 0;
  if (found == by_name_.end())
    return report(where.path, "no task " + in_quotes(mentioned.name) + hint_of_task(mentioned.name),
                  mentioned.offset);
  const auto upstream = found->second;
  if (upstream == *where.task)
    return report(where.path, "the task refers to itself", mentioned.offset);
  if (!makes_edge && !is_finally(*where.task))
    return report(where.path,
                  in_quotes(mentioned.name) + " stands in finally, which comes after all tasks",
                  mentioned.offset);
  if (makes_edge)
    edges_.emplace_back(upstream, *where.task);
  use_task(mentioned, upstream, where);
}

void workflow_compiler::use_task(const reference& mentioned, std::uint32_t upstream,
                                 const place& where) {
  using root = reference::root;
  const bool needs_instances = mentioned.what == root::task_states || !mentioned.instance.empty();
  if (needs_instances && !spec_.task(upstream).fans_out())
    report(where.path,
           "task " + in_quotes(mentioned.name) + " is not fanned out, it has no instances",
           mentioned.offset);
  result_->mentioned_.try_emplace(mentioned.name, upstream);
  if (mentioned.what == root::task_output)
    use_output(mentioned, upstream, where);
  else if (where.is_condition)
    current_->state_reads.push_back(upstream);
}

void workflow_compiler::use_output(const reference& mentioned, std::uint32_t upstream,
                                   const place& where) {
  const auto& task = spec_.task(upstream);
  (where.is_result ? result_->result_reads_ : current_->output_reads).push_back(upstream);
  if (std::binary_search(read_in_part_.begin(), read_in_part_.end(), upstream))
    return;
  if (!declares_output(task, ""))
    return report(where.path, "task " + in_quotes(mentioned.name) + " declares no outputs",
                  mentioned.offset);
  if (declares_output(task, mentioned.field))
    return;
  report(where.path,
         "task " + in_quotes(mentioned.name) + " declares no output " + in_quotes(mentioned.field)
           + hint(mentioned.field, output_names(task)),
         mentioned.offset);
}

void workflow_compiler::build_graph() {
  result_->graph_ = dag{spec_.index_end(), std::move(edges_)};
  const auto cycle = find_cycle(result_->graph_);
  if (!cycle) {
    result_->ranks_ = longest_ways(result_->graph_);
    return;
  }
  std::string text = "these tasks wait for each other: ";
  const auto left_out = cycle->size() > max_shown_cycle ? cycle->size() - max_shown_cycle : 0;
  for (std::size_t i = 0; i < cycle->size(); ++i) {
    if (left_out > 0 && i == max_shown_cycle / 2) {
      text += " -> ... " + std::to_string(left_out) + " more ...";
      i += left_out;
    }
    text += (i == 0 ? "" : " -> ") + spec_.task((*cycle)[i]).name;
  }
  report_name(path_of_task(cycle->front()), std::move(text));
}

std::shared_ptr<const compiled_workflow> compiled_workflow::child(std::uint32_t task) const {
  const auto found = children_.find(task);
  return found == children_.end() ? nullptr : found->second;
}

std::optional<std::uint32_t> compiled_workflow::mentioned_task(std::string_view name) const {
  const auto it = mentioned_.find(std::string{name});
  return it == mentioned_.end() ? std::nullopt : std::optional{it->second};
}

std::span<const std::uint32_t> compiled_workflow::readers_in_finally(std::uint32_t task) const {
  const auto it = readers_in_finally_.find(task);
  return it == readers_in_finally_.end() ? std::span<const std::uint32_t>{} : it->second;
}

bool compiled_workflow::handles_failure(std::uint32_t dependent, std::uint32_t upstream) const {
  const auto rule = spec_->task(dependent).join.rule;
  if (rule == model::join_rule::one_failed || rule == model::join_rule::all_failed)
    return true;
  const auto* own = expressions(dependent);
  return own != nullptr
         && std::binary_search(own->state_reads.begin(), own->state_reads.end(), upstream);
}

tl::expected<std::shared_ptr<const compiled_workflow>, std::vector<spec_problem>>
compile(std::shared_ptr<const model::workflow_spec> spec, const handler_lookup& has_handler,
        std::span<const std::uint32_t> read_in_part) {
  std::vector<spec_problem> problems;
  check_nesting(*spec, problems);
  if (!problems.empty())
    return tl::unexpected(std::move(problems));
  workflow_compiler::compiled_children children;
  return workflow_compiler{std::move(spec), has_handler, read_in_part, children}.run();
}

} // namespace sluice::logic
