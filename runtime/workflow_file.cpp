#include "runtime/workflow_file.hpp"

#include "logic/added_tasks.hpp"
#include "runtime/added_keys.hpp"
#include "runtime/child_files.hpp"
#include "runtime/document_index.hpp"
#include "runtime/json_document.hpp"
#include "runtime/sha256.hpp"
#include "runtime/workflow_reader.hpp"
#include "runtime/yaml_document.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <tuple>
#include <unordered_set>

namespace sluice::runtime {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// Problems of the document as problems of the file: sorted, columns in characters.
std::vector<file_problem> in_file(std::vector<document_problem> problems, std::string_view text) {
  std::stable_sort(problems.begin(), problems.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  std::vector<file_problem> placed;
  placed.reserve(problems.size());
  std::uint32_t line = 1;
  for (auto& problem : problems) {
    for (; line < problem.at.line; ++line)
      text.remove_prefix(std::min(text.size(), text.find('\n') + 1));
    placed.push_back({static_cast<int>(problem.at.line),
                      static_cast<int>(display_column(text, problem.at.column)),
                      std::move(problem.path),
                      std::move(problem.message),
                      {}});
  }
  return placed;
}

/// Adds what `compile` finds, but for places that could not be read: what stands in for them there
/// is not the writer's.
void add_located(std::vector<document_problem>& problems,
                 const std::vector<logic::spec_problem>& found, const document_node& root) {
  document_index index{root};
  std::unordered_set<std::string> unread;
  for (const auto& problem : problems)
    unread.insert(problem.path);
  for (const auto& problem : found)
    if (auto located = index.locate(problem); !unread.contains(located.path))
      problems.push_back(std::move(located));
}

file_problem whole_file(std::string message) {
  return {0, 0, {}, std::move(message), {}};
}

expected<std::string> read_text(const std::filesystem::path& file) {
  const document_limits limits;
  const auto cannot = [&](const std::string& why) {
    return fail(errc::invalid_argument, "cannot read the file: " + why);
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored))
    return cannot("it is a directory");
  errno = 0;
  std::ifstream in{file, std::ios::binary};
  if (!in)
    return cannot(errno_text(errno));
  std::string text;
  std::array<char, 1 << 16> part{};
  while (in && text.size() <= limits.bytes) {
    in.read(part.data(), part.size());
    text.append(part.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad())
    return cannot(errno_text(errno));
  if (text.size() > limits.bytes)
    return fail(errc::invalid_argument,
                "the file is larger than the limit of " + std::to_string(limits.bytes) + " bytes");
  return text;
}

struct text_source {
  std::string_view text;
  file_format format = file_format::yaml;
  std::string default_name;
  std::string base_dir;
};

/// All that is wrong with a specification that was read, alone or as part of another one.
std::vector<logic::spec_problem> find_problems(const workflow_reading& reading,
                                               const addition_target* to,
                                               const logic::handler_lookup& has_handler) {
  auto compiled =
    to == nullptr
      ? logic::compile(reading.workflow, has_handler, reading.read_in_part)
      : logic::compile_with_added(
        {*to->workflow, *reading.workflow, to->first, reading.read_in_part}, has_handler);
  return compiled ? std::vector<logic::spec_problem>{} : std::move(compiled.error());
}

tl::expected<loaded_workflow, std::vector<file_problem>>
parse(const text_source& source, const logic::handler_lookup& has_handler,
      const child_loader& load_child, const addition_target* to = nullptr) {
  auto text = source.text;
  if (text.starts_with(byte_order_mark))
    text.remove_prefix(byte_order_mark.size());
  const document_limits limits;
  if (auto problem = find_text_problem(text, limits))
    return tl::unexpected(in_file({std::move(*problem)}, text));
  auto parsed = source.format == file_format::json ? parse_json_document(text, limits)
                                                   : parse_yaml(text, limits);
  if (!parsed.root)
    return tl::unexpected(in_file(std::move(parsed.problems), text));

  auto reading = read_workflow(*parsed.root, source.default_name, source.base_dir, load_child);
  auto& problems = parsed.problems;
  problems.insert(problems.end(), std::make_move_iterator(reading.problems.begin()),
                  std::make_move_iterator(reading.problems.end()));
  if (to != nullptr)
    check_added_keys(*parsed.root, to->workflow->name, reading.workflow->name, problems);
  if (parsed.root->is_map())
    add_located(problems, find_problems(reading, to, has_handler), *parsed.root);
  std::shared_ptr<const model::workflow_spec> workflow = std::move(reading.workflow);
  if (!problems.empty() || reading.has_bad_children)
    return tl::unexpected(in_file(std::move(problems), text));
  auto hash = content_hash_of(*workflow);
  return loaded_workflow{std::move(workflow), std::string{source.text}, std::move(hash)};
}

/// With what is wrong with other files behind what is wrong with this one.
tl::expected<loaded_workflow, std::vector<file_problem>>
with_all_problems(tl::expected<loaded_workflow, std::vector<file_problem>> loaded,
                  child_files& files) {
  if (loaded)
    return loaded;
  for (auto& problem : files.take_problems())
    loaded.error().push_back(std::move(problem));
  return loaded;
}

} // namespace

std::string to_string(const std::string& file, const file_problem& problem) {
  std::string text = problem.file.empty() ? file : problem.file;
  if (problem.line > 0)
    text += ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column);
  text += ": ";
  if (!problem.path.empty())
    text += problem.path + ": ";
  return text + problem.message;
}

std::string content_hash_of(const model::workflow_spec& workflow) {
  return sha256(model::to_text(model::to_json(workflow)));
}

file_format format_of(std::string_view text) {
  if (text.starts_with(byte_order_mark))
    text.remove_prefix(byte_order_mark.size());
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{' ? file_format::json
                                                               : file_format::yaml;
}

tl::expected<loaded_workflow, std::vector<file_problem>>
parse_workflow(std::string_view text, file_format format, const std::string& default_name,
               const std::string& base_dir, const logic::handler_lookup& has_handler) {
  child_files files{has_handler};
  return with_all_problems(
    parse({text, format, default_name, base_dir}, has_handler, files.loader(base_dir, "")), files);
}

tl::expected<loaded_workflow, std::vector<file_problem>>
parse_added_tasks(std::string_view text, file_format format, const std::string& base_dir,
                  const addition_target& to, const logic::handler_lookup& has_handler) {
  child_files files{has_handler};
  return with_all_problems(parse({text, format, to.workflow->name, base_dir}, has_handler,
                                 files.loader(base_dir, ""), &to),
                           files);
}

tl::expected<loaded_workflow, std::vector<file_problem>>
load_added_tasks(const std::filesystem::path& file, const addition_target& to,
                 const logic::handler_lookup& has_handler) {
  child_files files{has_handler};
  return with_all_problems(files.load(file, file.string(), &to), files);
}

tl::expected<loaded_workflow, std::vector<file_problem>>
load_workflow_file(const std::filesystem::path& file, const logic::handler_lookup& has_handler) {
  child_files files{has_handler};
  return with_all_problems(files.load(file, file.string()), files);
}

tl::expected<loaded_workflow, std::vector<file_problem>>
read_workflow_file(const std::filesystem::path& file, const logic::handler_lookup& has_handler,
                   child_files& files, const std::string& shown_directory,
                   const addition_target* to) {
  const auto text = read_text(file);
  if (!text)
    return tl::unexpected(std::vector{whole_file(text.error().message)});
  std::error_code err;
  const auto absolute = std::filesystem::absolute(file, err);
  if (err)
    return tl::unexpected(
      std::vector{whole_file("cannot find the file's directory: " + err.message())});
  const auto format = file.extension() == ".json" ? file_format::json : format_of(*text);
  const auto directory = absolute.lexically_normal().parent_path();
  const auto name = to == nullptr ? file.stem().string() : to->workflow->name;
  return parse({*text, format, name, directory.string()}, has_handler,
               files.loader(directory, shown_directory), to);
}

} // namespace sluice::runtime
