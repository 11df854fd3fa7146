#include "api/bodies.hpp"

#include "model/json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace sluice::api {
namespace {

constexpr std::size_t most_text_bytes = 200; ///< a line of a listing
constexpr std::size_t most_numbers = 16;
constexpr std::size_t most_name_bytes = 64;
constexpr std::size_t most_note_bytes = 4'096;

expected<model::value> read_object(std::string_view body) {
  auto object = model::parse_json(body);
  if (object && !object->is_object())
    return fail(errc::invalid_argument, "the body is not a JSON object");
  return object;
}

/// The name in `{"task": NAME}`, and nothing when the object is another one.
std::optional<std::string> only_task(const model::value& object) {
  const auto task = object.find("task");
  if (object.size() != 1 || task == object.end() || !task->is_string())
    return std::nullopt;
  return task->get<std::string>();
}

} // namespace

expected<model::task_progress> read_progress(std::string_view body) {
  const auto object = read_object(body);
  if (!object)
    return tl::unexpected(object.error());
  model::task_progress progress;
  for (const auto& [name, value] : object->items()) {
    if (name == "fraction" && value.is_number() && value >= 0 && value <= 1)
      progress.fraction = value.get<double>();
    else if (name == "text" && value.is_string()
             && value.get_ref<const std::string&>().size() <= most_text_bytes)
      progress.text = value.get<std::string>();
    else
      return fail(errc::invalid_argument,
                  "progress is a fraction from 0 to 1, and a text of at most "
                    + std::to_string(most_text_bytes) + " bytes");
  }
  if (!progress.fraction && progress.text.empty())
    return fail(errc::invalid_argument, "progress needs a fraction or a text");
  return progress;
}

expected<model::value> read_usage(std::string_view body) {
  auto object = read_object(body);
  if (!object)
    return object;
  bool fits = !object->empty() && object->size() <= most_numbers;
  for (const auto& [name, number] : object->items())
    fits = fits && number.is_number() && !name.empty() && name.size() <= most_name_bytes;
  if (!fits)
    return fail(errc::invalid_argument,
                "usage is 1 to " + std::to_string(most_numbers) + " names, each with a number");
  return object;
}

expected<model::value> read_outputs(std::string_view body) {
  auto object = read_object(body);
  if (object && object->empty())
    return fail(errc::invalid_argument, "outputs are names, each with its value");
  return object;
}

expected<model::control> read_retry(std::string_view body) {
  if (body.empty())
    return model::retry_run{};
  const auto object = read_object(body);
  if (!object)
    return tl::unexpected(object.error());
  if (object->empty())
    return model::retry_run{};
  const auto& name = object->begin().key();
  const auto& task = object->begin().value();
  if (object->size() == 1 && task.is_string()) {
    if (name == "from")
      return model::retry_run{model::retry_scope::from, task.get<std::string>()};
    if (name == "downstream")
      return model::retry_run{model::retry_scope::downstream, task.get<std::string>()};
    if (name == "task")
      return model::retry_task{task.get<std::string>()};
  }
  return fail(errc::invalid_argument, "a retry is of what failed, or \"from\" one task, or "
                                      "\"downstream\" of one, or of a \"task\" that is held");
}

expected<model::mark_task> read_mark(std::string_view body) {
  const auto object = read_object(body);
  if (!object)
    return tl::unexpected(object.error());
  model::mark_task what;
  std::optional<model::task_state> as;
  for (const auto& [name, text] : object->items()) {
    if (!text.is_string())
      return fail(errc::invalid_argument, "'" + name + "' is not a text");
    if (name == "task")
      what.task = text.get<std::string>();
    else if (name == "as")
      as = model::parse_task_state(text.get<std::string>());
  }
  if (what.task.empty() || !as || object->size() != 2)
    return fail(errc::invalid_argument,
                "a mark has a \"task\", and \"as\": succeeded, skipped or failed");
  what.as = *as;
  return what;
}

expected<model::add_tasks> read_added_tasks(std::string_view body) {
  const auto object = read_object(body);
  if (!object)
    return tl::unexpected(object.error());
  if (object->size() != 1 || !object->contains("workflow"))
    return fail(errc::invalid_argument,
                "the body has one entry, \"workflow\": the specification with the tasks to add");
  auto workflow = model::workflow_from_json(object->at("workflow"));
  if (!workflow)
    return fail(errc::invalid_argument, "\"workflow\": " + workflow.error().message);
  return model::add_tasks{std::move(*workflow)};
}

expected<std::optional<model::cancel_group>> read_cancel(std::string_view body) {
  const auto object = body.empty() ? model::value::object() : read_object(body);
  if (!object)
    return tl::unexpected(object.error());
  if (object->empty())
    return std::nullopt;
  model::cancel_group what;
  for (const auto& [name, value] : object->items())
    if (name == "group" && value.is_string())
      what.group = value.get<std::string>();
    else if (name == "force" && value.is_boolean())
      what.mode = value.get<bool>() ? model::cancel_mode::immediate : model::cancel_mode::graceful;
    else
      return fail(errc::invalid_argument,
                  "a cancel of less than the run has a \"group\", and perhaps \"force\": true");
  if (what.group.empty())
    return fail(errc::invalid_argument, "which \"group\" is to be cancelled is missing");
  return what;
}

expected<model::control> read_pause(std::string_view body) {
  const auto object = body.empty() ? model::value::object() : read_object(body);
  if (!object)
    return tl::unexpected(object.error());
  if (const auto task = only_task(*object))
    return model::pause_task{*task};
  const auto stop = object->find("stop");
  if (object->size() > 1 || (!object->empty() && (stop == object->end() || !stop->is_boolean())))
    return fail(errc::invalid_argument,
                "a pause has nothing but \"stop\": true or false, or a \"task\"");
  const bool stops = stop != object->end() && stop->get<bool>();
  return model::pause_run{stops ? model::pause_mode::stop : model::pause_mode::let_end};
}

expected<model::control> read_resume(std::string_view body) {
  const auto object = body.empty() ? model::value::object() : read_object(body);
  if (!object)
    return tl::unexpected(object.error());
  if (const auto task = only_task(*object))
    return model::resume_task{*task};
  if (!object->empty())
    return fail(errc::invalid_argument, "what is resumed is the run, or a \"task\" of it");
  return model::resume_run{};
}

namespace {

/// Takes the texts that the names stand for out of an object; false when one is no text.
bool take_texts(const model::value& object,
                std::initializer_list<std::pair<const char*, std::string*>> wanted) {
  for (const auto& [name, text] : wanted) {
    const auto found = object.find(name);
    if (found == object.end())
      continue;
    if (!found->is_string() || found->get_ref<const std::string&>().size() > most_note_bytes)
      return false;
    *text = found->get<std::string>();
  }
  return true;
}

bool has_only(const model::value& object, std::initializer_list<std::string_view> names) {
  return std::all_of(object.items().begin(), object.items().end(), [&](const auto& item) {
    return std::find(names.begin(), names.end(), item.key()) != names.end();
  });
}

} // namespace

expected<model::decide_gate> read_approval(std::string_view body) {
  const auto object = read_object(body);
  if (!object)
    return tl::unexpected(object.error());
  model::decide_gate what;
  what.values = object->value("values", model::value::object());
  if (!take_texts(*object,
                  {{"task", &what.task}, {"by", &what.whose.by}, {"note", &what.whose.note}})
      || !has_only(*object, {"task", "values", "by", "note"}) || what.task.empty()
      || !what.values.is_object())
    return fail(errc::invalid_argument, "an approval has a \"task\", and may have \"values\" of "
                                        "its form, \"by\" whom it is, and a \"note\"");
  return what;
}

expected<model::decide_gate> read_rejection(std::string_view body) {
  const auto object = read_object(body);
  if (!object)
    return tl::unexpected(object.error());
  model::decide_gate what{.verdict = model::verdict::rejected};
  if (!take_texts(*object,
                  {{"task", &what.task}, {"by", &what.whose.by}, {"note", &what.whose.note}})
      || !has_only(*object, {"task", "by", "note"}) || what.task.empty())
    return fail(errc::invalid_argument,
                "a rejection has a \"task\", and may have \"by\" whom it is, and a \"note\"");
  return what;
}

expected<model::decision> read_decision(std::string_view body) {
  const auto object = body.empty() ? model::value::object() : read_object(body);
  if (!object)
    return tl::unexpected(object.error());
  model::decision whose;
  if (!take_texts(*object, {{"by", &whose.by}, {"reason", &whose.note}})
      || !has_only(*object, {"by", "reason"}))
    return fail(errc::invalid_argument,
                "a gate is set \"by\" somebody, for a \"reason\", and that is all to say of it");
  return whose;
}

expected<model::set_store_limit> read_store_limit(std::string_view body) {
  const auto object = read_object(body);
  if (!object)
    return tl::unexpected(object.error());
  std::string kind, name, amount, by;
  if (!take_texts(*object, {{"kind", &kind}, {"name", &name}, {"amount", &amount}, {"by", &by}})
      || !has_only(*object, {"kind", "name", "amount", "by"}))
    return fail(errc::invalid_argument,
                "what is allowed has a \"kind\", a \"name\" and an \"amount\", all texts, and may "
                "have \"by\" whom it is");
  const auto known = model::parse_limit_kind(kind);
  if (!known)
    return fail(errc::invalid_argument,
                "'" + kind + "' is not slots, resource, pool, workflow_share or user_share");
  model::store_limit none{.kind = *known, .name = name, .amount = {}, .by = {}, .changed_at = {}};
  auto what = object->contains("amount") ? model::parse_store_limit(*known, name, amount)
                                         : expected<model::store_limit>{std::move(none)};
  if (!what)
    return tl::unexpected(what.error());
  what->by = std::move(by);
  return model::set_store_limit{std::move(*what)};
}

expected<model::send_signal> read_signal(std::string_view body) {
  const auto object = read_object(body);
  if (!object)
    return tl::unexpected(object.error());
  model::send_signal what;
  what.payload = object->value("payload", model::value{});
  if (!take_texts(*object, {{"name", &what.name}, {"by", &what.by}})
      || !has_only(*object, {"name", "payload", "by"}) || what.name.empty())
    return fail(errc::invalid_argument,
                "a signal has a \"name\", and may have a \"payload\" and \"by\" whom it is");
  return what;
}

model::value to_json(const model::control_result& done) {
  model::value v{{"generation", done.generation}, {"tasks", done.tasks}, {"kept", done.kept}};
  if (done.run_no.value != 0) // else it is about no run
    v["run"] = to_string(done.run_no);
  return v;
}

expected<model::control_result> read_control_result(const model::value& answer) {
  const auto foreign = fail(errc::invalid_argument, "the runtime's answer is not understood");
  try {
    const auto run = answer.contains("run")
                       ? model::parse_run_no(answer["run"].get_ref<const std::string&>())
                       : expected<model::run_no>{model::run_no{}};
    if (!run)
      return foreign;
    return model::control_result{*run, answer.at("generation").get<std::uint32_t>(),
                                 answer.at("tasks").get<std::vector<std::string>>(),
                                 answer.at("kept").get<std::uint64_t>()};
  } catch (const model::value::exception&) {
    return foreign;
  }
}

} // namespace sluice::api
