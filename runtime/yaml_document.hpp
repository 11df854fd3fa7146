// YAML text to a tree: YAML 1.2, core schema, one document. A plain function, any thread.
#pragma once

#include "runtime/document.hpp"

namespace sluice::runtime {

/// Parses a text that `find_text_problem` has nothing against and that has no byte order mark.
document parse_yaml(std::string_view text, const document_limits& limits = {});

} // namespace sluice::runtime
