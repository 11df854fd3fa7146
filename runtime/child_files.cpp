#include "runtime/child_files.hpp"

#include "logic/spec_checks.hpp"

#include <algorithm>
#include <system_error>

namespace sluice::runtime {
namespace {

/// The same for all names of one file.
std::filesystem::path identity_of(const std::filesystem::path& file) {
  std::error_code failed;
  auto same = std::filesystem::weakly_canonical(file, failed);
  return failed ? std::filesystem::absolute(file, failed).lexically_normal() : same;
}

} // namespace

tl::expected<loaded_workflow, std::vector<file_problem>>
child_files::load(const std::filesystem::path& file, const std::string& shown,
                  const addition_target* to) {
  open_.push_back({identity_of(file), shown});
  auto loaded = read_workflow_file(file, has_handler_, *this,
                                   std::filesystem::path{shown}.parent_path().string(), to);
  open_.pop_back();
  return loaded;
}

child_loader child_files::loader(const std::filesystem::path& directory,
                                 const std::string& shown_directory) {
  return [this, directory, shown_directory](const std::string& file) {
    return load_child(directory / file,
                      (std::filesystem::path{shown_directory} / file).lexically_normal().string());
  };
}

tl::expected<std::shared_ptr<const model::workflow_spec>, std::string>
child_files::load_child(const std::filesystem::path& file, const std::string& shown) {
  const auto same = identity_of(file);
  if (const auto cycle = cycle_to(same); !cycle.empty())
    return tl::unexpected("the file starts itself: " + cycle);
  if (open_.size() > logic::most_levels)
    return tl::unexpected("workflows are nested more than " + std::to_string(logic::most_levels)
                          + " levels deep");
  if (const auto known = known_.find(same); known != known_.end()) {
    if (known->second == nullptr)
      return tl::unexpected(std::string{});
    return known->second;
  }
  auto loaded = load(file, shown);
  known_.emplace(same, loaded ? loaded->workflow : nullptr);
  if (loaded)
    return std::move(loaded->workflow);
  if (loaded.error().size() == 1 && loaded.error().front().line == 0
      && loaded.error().front().file.empty()) // it cannot be read at all
    return tl::unexpected("'" + shown + "': " + loaded.error().front().message);
  for (auto& problem : loaded.error()) {
    if (problem.file.empty())
      problem.file = shown;
    problems_.push_back(std::move(problem));
  }
  return tl::unexpected(std::string{});
}

/// `a.yaml -> b.yaml -> a.yaml`; empty: it is not being read.
std::string child_files::cycle_to(const std::filesystem::path& file) const {
  auto at =
    std::find_if(open_.begin(), open_.end(), [&](const auto& open) { return open.file == file; });
  if (at == open_.end())
    return {};
  const auto first = at->shown;
  std::string text;
  for (; at != open_.end(); ++at)
    text += at->shown + " -> ";
  return text + first;
}

} // namespace sluice::runtime
