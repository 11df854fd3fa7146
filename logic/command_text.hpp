// The text of a shell command, as far as it matters before a shell has it. A plain function, any
// thread.
#pragma once

#include <string_view>

namespace sluice::logic {

/// Whether the text has `${{` where a shell would read it: not in single quotes, nor behind a
/// backslash. Of a text with a here-document nothing is known, and the answer is no. No shell takes
/// it for anything, so it is an expression that somebody expects to be replaced.
bool has_expression(std::string_view shell_text);

} // namespace sluice::logic
