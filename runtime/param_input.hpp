// Parameters from the command line, `-p name=value`, as typed values. A plain function, any thread.
#pragma once

#include "model/workflow.hpp"

#include <tl/expected.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sluice::runtime {

/// A run's complete parameters from assignments `name=value`: texts, dates and timestamps verbatim,
/// all else as YAML flow. Returns one sentence per problem, those of `model::complete_params` too.
tl::expected<model::value, std::vector<std::string>>
read_params(const model::workflow_spec& workflow, const std::vector<std::string>& assignments);

/// The same of other values with a declaration; `noun` is what one is called.
tl::expected<model::value, std::vector<std::string>>
read_values(const std::vector<model::param_spec>& declared,
            const std::vector<std::string>& assignments, std::string_view noun);

} // namespace sluice::runtime
