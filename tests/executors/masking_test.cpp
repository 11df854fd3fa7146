#include "executors/encoded_forms.hpp"
#include "executors/mask_patterns.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

using namespace sluice::executors;

namespace {

std::shared_ptr<const mask_patterns> patterns_of(std::vector<secret_value> secrets) {
  return std::make_shared<const mask_patterns>(secrets);
}

std::string masked_with(const std::string& value, const std::string& text) {
  return mask_patterns{{{"T", value}}}.masked(text);
}

} // namespace

TEST_CASE("masking: a secret is masked in the forms that programs print", "[executors][masking]") {
  const std::string value = "p@ss/w rd+\"x\\~";
  const auto form = GENERATE(values<std::string>({
    "p@ss/w rd+\"x\\~", R"(p@ss/w rd+\"x\\~)", R"(p@ss\/w rd+\"x\\~)", "p%40ss%2Fw%20rd%2B%22x%5C~",
    "p%40ss%2fw%20rd%2b%22x%5c~", "p%40ss/w%20rd%2B%22x%5C~", "p%40ss%2Fw+rd%2B%22x%5C~",
    "p%40ss%2Fw+rd%2B%22x%5C%7E",
    "cEBzcy93IHJkKyJ4XH4=", // printf %s | base64
    "cEBzcy93IHJkKyJ4XH4K", // echo | base64
    "70407373 2f7720"       // not a form: what is apart stays
  }));
  CAPTURE(form);
  if (form.starts_with("70407373 "))
    CHECK(masked_with(value, form) == form);
  else
    CHECK(masked_with(value, "<" + form + ">") == "<***>");
}

TEST_CASE("masking: base64 is found at each offset and in both alphabets", "[executors][masking]") {
  // The value has both characters that the alphabets do not share.
  const std::string value = "\xfb\xff\xfe-secret-\xff\xef";
  // base64 of "", "a" and "ab" before the value, and "!!" behind it.
  const auto [text, begin, end] = GENERATE(table<std::string, std::string, std::string>({
    {"+//+LXNlY3JldC3/7yEh", "", "yEh"},
    {"YfvD/v4tc2VjcmV0Lf/vISE=", "YfvD/v4tc2VjcmV0Lf/vISE=", ""}, // another text
  }));
  const auto shown = masked_with(value, text);
  if (begin.empty()) {
    CHECK(shown.starts_with("***"));
    CHECK(shown.find("XNlY3JldC") == std::string::npos);
    CHECK(shown.ends_with("Eh"));
  } else {
    CHECK(shown.find("tc2VjcmV0L") != std::string::npos);
  }
  CHECK(masked_with("hunter2hunter2", "YWh1bnRlcjJodW50ZXIy").find("bnRlcjJodW50ZXI")
        == std::string::npos); // a before it
  CHECK(masked_with("hunter2hunter2", "YWJodW50ZXIyaHVudGVyMg==").find("W50ZXIyaHVudGVyM")
        == std::string::npos);                          // ab before it
  CHECK(masked_with("\xfb\xff\xfe", "-__-") == "-__-"); // three bytes are too short
  CHECK(masked_with("\xfb\xff\xfe\xfb\xff\xfe", "-__--__-") == "***");
  CHECK(masked_with("hunter2", "68756e74657232 68756E74657232") == "*** ***");
}

TEST_CASE("masking: line breaks in base64 hide nothing", "[executors][masking]") {
  std::string value;
  for (int i = 0; i < 40; ++i)
    value += "key" + std::to_string(i);
  auto encoded = wrapped_forms(value)[2]; // from its beginning, in the alphabet of URLs
  for (std::size_t at = 76; at < encoded.size(); at += 78)
    encoded.insert(at, "\r\n");
  CHECK(masked_with(value, "a " + encoded + " z") == "a *** z");
  auto torn = encoded;
  torn.insert(30, "\n\n\n"); // no wrapping
  CHECK(masked_with(value, torn) == torn);
}

TEST_CASE("masking: of a secret of several lines each is masked", "[executors][masking]") {
  const std::string key =
    "-----BEGIN KEY-----\r\nMIIEvQIBADANBg\n  kqhkiG9w0BAQ\nab\n-----END KEY-----\n";
  CHECK(masked_with(key, "x MIIEvQIBADANBg y") == "x *** y");
  CHECK(masked_with(key, "indented kqhkiG9w0BAQ, ab") == "indented ***, ab");
  CHECK(
    masked_with(key, R"({"key": "-----BEGIN KEY-----\r\nMIIEvQIBADANBg\n  kqhkiG9w0BAQ\nab\n"})")
    == R"({"key": "***\r\n***\n  ***\nab\n"})");
  CHECK(mask_patterns{{{"KEY", key}}}.unmasked().empty());
}

TEST_CASE("masking: what is too short is left and named", "[executors][masking]") {
  const mask_patterns patterns{{{"PIN", "123"}, {"T", "four"}, {"LINES", "a\nb\nc"}}};
  CHECK(patterns.masked("123 four a\nb\nc") == "123 *** a\nb\nc");
  CHECK(patterns.unmasked() == std::vector<std::string>{"PIN", "LINES"});
}

TEST_CASE("masking: it is said whose secret a text holds", "[executors][masking]") {
  const mask_patterns patterns{{{"A", "alpha-1"}, {"B", "beta-22"}}};
  CHECK(patterns.find("nothing of alpha-2") == std::nullopt);
  CHECK(patterns.find("{\"url\": \"https://x/?t=beta-22\"}") == "B");
  CHECK(patterns.find("YWxwaGEtMQ==") == "A");
}

TEST_CASE("masking: overlapping secrets leave nothing of each other", "[executors][masking]") {
  const mask_patterns patterns{{{"A", "abcdab"}, {"B", "dabcx"}}};
  CHECK(patterns.masked("<abcdabcx>") == "<***>");
  CHECK(patterns.masked("<abcdabcdab>") == "<***>");
  CHECK(patterns.masked("<abcdaXabcda") == "<abcdaXabcda");
}

TEST_CASE("masking: pieces change nothing and little is held back", "[executors][masking]") {
  const auto patterns = patterns_of({{"A", "s3cr3t-value"}, {"B", "s3cr3t"}, {"C", "aaaa"}});
  const std::string text = "s3cr3t-valuX aaaaaaa s3cr3t-value s3 aaa s3cr3t-vas3cr3t-value\n"
                           "czNjcjN0\nLXZhbHVl s3cr3\n";
  const auto whole = patterns->masked(text);
  CHECK(whole == "***-valuX *** *** s3 aaa ***-va***\n*** s3cr3\n");
  std::mt19937 dice{1};
  for (int round = 0; round < 200; ++round) {
    masker pieces{patterns};
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
      const auto size = std::min<std::size_t>(1 + dice() % 9, text.size() - at);
      pieces.feed(std::string_view{text}.substr(at, size), out);
      at += size;
      CHECK(out.size() + 60 > at / 2); // nothing waits for long
    }
    pieces.finish(out);
    CHECK(out == whole);
  }
  masker line{patterns};
  std::string out;
  line.feed("a line without any\n", out);
  CHECK(out == "a line without any\n"); // who follows the log sees it at once
  line.feed("s3cr", out);
  CHECK(out == "a line without any\n");
  line.feed("3X", out);
  CHECK(out == "a line without any\ns3cr3X");
}

TEST_CASE("masking: random texts keep all but the secret", "[executors][masking]") {
  // Compared with a search that knows nothing of pieces and automata.
  std::mt19937 dice{7};
  for (int round = 0; round < 300; ++round) {
    std::string value(4 + dice() % 4, 'a'), text(60, 'a');
    for (auto* s : {&value, &text})
      for (auto& c : *s)
        c = static_cast<char>('a' + dice() % 2);
    std::vector<bool> hidden(text.size());
    for (auto at = text.find(value); at != std::string::npos; at = text.find(value, at + 1))
      std::fill_n(hidden.begin() + static_cast<std::ptrdiff_t>(at), value.size(), true);
    std::string want;
    for (std::size_t i = 0; i < text.size(); ++i)
      if (!hidden[i])
        want += text[i];
      else if (i == 0 || !hidden[i - 1])
        want += "***";
    // Two that touch are one here and there.
    const auto got = masked_with(value, text);
    CAPTURE(value, text);
    CHECK(got == want);
  }
}
