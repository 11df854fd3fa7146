// The environment a task sees: what the caller passes through, `env`, the inputs, and the facts of
// the attempt; nothing else. Used on the process thread only.
#pragma once

#include "executors/mask_patterns.hpp"
#include "model/command.hpp"
#include "model/run.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::executors {

/// Names and values in the form that the kernel takes. Kept and filled again for each attempt, so
/// that its memory is reused.
class environment_block {
public:
  void clear();
  /// The same, and what it held is overwritten.
  void wipe();
  /// The last one of a name counts. @pre neither holds a NUL
  void set(std::string_view name, std::string_view value);
  void unset(std::string_view name);

  /// Brings the block into its final form, in order of names.
  void finish();
  /// Ended by a null pointer; valid until the next change. @pre finished
  char* const* pointers() const { return pointers_.data(); }
  /// @pre finished
  std::optional<std::string_view> find(std::string_view name) const;

private:
  struct entry {
    std::size_t offset;
    std::size_t name_size;
    bool is_set;
  };
  void append(std::string_view name, std::string_view value, bool is_set);
  std::string_view name_of(const entry& e) const;

  std::string text_; ///< `NAME=value`, each ended by a NUL
  std::vector<entry> entries_;
  std::vector<char*> pointers_;
};

/// What an attempt's environment holds beside what its order says.
struct environment_facts {
  const std::vector<std::pair<std::string, std::string>>& base; ///< PATH, HOME, ...
  std::string_view instance_token;
  std::string_view in_path;      ///< of `in.json`; empty: none
  std::string_view out_path;     ///< of `$SLUICE_OUT`; empty: none
  std::size_t input_limit_bytes; ///< a larger input is only in the file
  std::size_t
    inputs_limit_bytes; ///< when those that are left are larger together, all are only there
  std::string_view socket = {}; ///< of the API; empty: none, and no token either
  std::string_view token = {};
  std::string_view checkpoint_path = {}; ///< of what the task saved; empty: it has saved nothing
  std::string_view snapshot_path = {};   ///< to be written by the snapshot, read by the rollback
  std::string_view result_path = {};     ///< of what is undone put out; empty: none
  std::span<const secret_value> secrets = {};
};

/// Fills `block`. Returns why the attempt can never start: a NUL in `env` or in an input.
std::optional<model::failure> fill_environment(environment_block& block,
                                               const model::start_attempt& order,
                                               const environment_facts& facts);

} // namespace sluice::executors
