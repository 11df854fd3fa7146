#include "executors/output_files.hpp"

#include "executors/bounded_file.hpp"
#include "model/params.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <sys/stat.h>

namespace sluice::executors {
namespace {

using model::failure;
using model::failure_class;

constexpr std::size_t most_messages = 8; ///< a report is read by a person
constexpr std::size_t shown_name_bytes = 80;

template <class T>
using checked = tl::expected<T, failure>;

tl::unexpected<failure> invalid(std::string code, std::string message) {
  return tl::unexpected(failure{failure_class::validation, std::move(code), std::move(message)});
}

std::string shown(std::string_view name) {
  if (name.size() <= shown_name_bytes)
    return "'" + std::string{name} + "'";
  return "'" + std::string{name.substr(0, shown_name_bytes)} + "...'";
}

failure too_large(std::size_t limit_bytes) {
  return {failure_class::permanent, "output_too_large",
          "the outputs are larger than " + std::to_string(limit_bytes)
            + " bytes: write large data to a file and declare an output of type file"};
}

/// The file's text; empty when the task wrote none.
checked<std::string> read_text(const output_request& request) {
  auto text = read_bounded(request.path, "$SLUICE_OUT", request.limit_bytes);
  if (text)
    return std::move(*text);
  if (text.error().is_too_large)
    return tl::unexpected(too_large(request.limit_bytes));
  return invalid("output_invalid", std::move(text.error().why));
}

const model::output_spec* find_spec(const output_request& request, std::string_view name) {
  const auto at = std::find_if(request.declared.begin(), request.declared.end(),
                               [name](const model::output_spec& o) { return o.name == name; });
  return at == request.declared.end() ? nullptr : &*at;
}

/// Gathers values and what is wrong with them, so that a report names all of it at once.
class collector {
public:
  explicit collector(const output_request& request) : request_{request} {}

  void from_json(const model::value& object) {
    for (const auto& [name, value] : object.items()) {
      const auto* spec = find_spec(request_, name);
      if (spec == nullptr)
        undeclared_.emplace(name);
      else if (is_known(name))
        continue;
      else if (!model::has_type(value, spec->type))
        wrong_type(*spec);
      else
        found_[name] = model::to_type(value, spec->type);
    }
  }

  void from_line(std::string_view name, std::string_view text) {
    const auto* spec = find_spec(request_, name);
    if (spec == nullptr) {
      undeclared_.emplace(name);
      return;
    }
    if (is_known(name))
      return;
    last_text_[spec->name] = text;
  }

  collected_outputs finish() {
    for (const auto& [name, text] : last_text_) {
      const auto* spec = find_spec(request_, name);
      if (auto value = model::read_as(text, spec->type))
        found_[name] = std::move(*value);
      else
        wrong_type(*spec);
    }
    for (const auto& spec : request_.declared)
      check(spec);
    collected_outputs result;
    for (const auto& name : undeclared_) {
      if (result.warnings.size() == most_messages) {
        result.warnings.push_back("more outputs are not declared");
        break;
      }
      result.warnings.push_back("the output " + shown(name) + " is not declared");
    }
    if (problems_.empty()) {
      result.outputs = std::move(found_);
      return result;
    }
    failure f{failure_class::validation, code_, {}};
    for (std::size_t i = 0; i < problems_.size() && i < most_messages; ++i)
      f.message += (i == 0 ? "" : "; ") + problems_[i];
    if (problems_.size() > most_messages)
      f.message += "; and " + std::to_string(problems_.size() - most_messages) + " more";
    result.failure = std::move(f);
    return result;
  }

private:
  bool is_known(std::string_view name) const {
    return found_.contains(name) || wrong_.contains(name);
  }

  void problem(const char* code, std::string message) {
    if (problems_.empty())
      code_ = code;
    problems_.push_back(std::move(message));
  }

  void wrong_type(const model::output_spec& spec) {
    wrong_.insert(spec.name);
    problem("output_type", "the output " + shown(spec.name) + " is not of type "
                             + std::string{to_string(spec.type)});
  }

  void check(const model::output_spec& spec) {
    if (wrong_.contains(spec.name))
      return;
    const auto at = found_.find(spec.name);
    if (at == found_.end())
      problem("output_missing", "the output " + shown(spec.name) + " is missing");
    else if (spec.type == model::value_type::file)
      check_file(spec, at->get_ref<const std::string&>());
  }

  void check_file(const model::output_spec& spec, const std::string& path) {
    const auto full = path.starts_with('/') ? path : std::string{request_.workdir} + "/" + path;
    struct stat info {};
    if (path.empty() || path.find('\0') != std::string::npos || ::stat(full.c_str(), &info) != 0)
      problem("output_file_missing", "the file " + shown(path) + " of the output "
                                       + shown(spec.name) + " does not exist in '"
                                       + std::string{request_.workdir} + "'");
  }

  const output_request& request_;
  model::value found_ = model::value::object();
  std::map<std::string, std::string_view> last_text_;
  std::set<std::string> undeclared_;
  std::set<std::string, std::less<>> wrong_;
  std::vector<std::string> problems_;
  std::string code_;
};

checked<void> read_lines(std::string_view text, collector& into) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos)
      continue;
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0)
      return invalid("output_invalid", "$SLUICE_OUT holds neither a JSON object nor lines "
                                       "name=value: line "
                                         + std::to_string(number) + " is " + shown(line));
    into.from_line(line.substr(0, equals), line.substr(equals + 1));
  }
  return {};
}

checked<void> read_any(std::string_view text, const output_request& request, collector& into) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || text[first] != '{')
    return read_lines(text, into);
  const auto object = model::parse_json(text, {.bytes = request.limit_bytes});
  if (!object)
    return invalid("output_invalid", "$SLUICE_OUT is not valid JSON: " + object.error().message);
  into.from_json(*object);
  return {};
}

} // namespace

collected_outputs collect_outputs(const output_request& request) {
  const auto text = read_text(request);
  if (!text)
    return {.failure = text.error()};
  collector all{request};
  if (request.told.is_object()) {
    if (text->size() + model::to_text(request.told).size() > request.limit_bytes)
      return {.failure = too_large(request.limit_bytes)};
    all.from_json(request.told);
  }
  if (const auto read = read_any(*text, request, all); !read)
    return {.failure = read.error()};
  return all.finish();
}

collected_outputs check_outputs(const model::value& outputs, const output_request& request) {
  if (!outputs.is_object() && !outputs.is_null())
    return {.failure = invalid("output_invalid", "the outputs are not an object").value()};
  collector all{request};
  if (outputs.is_object())
    all.from_json(outputs);
  return all.finish();
}

} // namespace sluice::executors
