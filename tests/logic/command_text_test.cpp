#include "logic/command_text.hpp"

#include <catch2/catch.hpp>

using sluice::logic::has_expression;

TEST_CASE("command_text: an expression is one where a shell would read it",
          "[logic][command_text]") {
  CHECK(has_expression("echo ${{ item }}"));
  CHECK(has_expression("echo \"it's ${{ item }}\""));
  CHECK(has_expression("echo 'a' ${{item}} 'b'"));
  CHECK_FALSE(has_expression("echo ${item} $HOME {{ x }}"));
  CHECK_FALSE(has_expression("echo '${{ item }}' > of-another-tool.yaml"));
  CHECK_FALSE(has_expression("echo \"\\${{ item }}\""));
  CHECK_FALSE(has_expression("cat > other.yaml <<'END'\nrun: ${{ matrix.os }}\nEND"));
  CHECK_FALSE(has_expression(""));
}
