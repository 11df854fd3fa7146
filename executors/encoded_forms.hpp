// The forms that programs print a text in without meaning to hide it. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::executors {

/// As it is, as part of a text in JSON (with and without escapes for what they are optional for),
/// and as part of a URL or a form. The same one may be there twice.
std::vector<std::string> literal_forms(std::string_view text);

/// Base64 and hex, which programs break into lines. Of base64, at each of the three offsets, what
/// is the same whatever stands around the text, and its end when nothing or a line feed follows; of
/// both alphabets.
std::vector<std::string> wrapped_forms(std::string_view text);

} // namespace sluice::executors
