# Warnings and sanitizers, as one interface target that every target of ours links.
option(SLUICE_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)

add_library(sluice_flags INTERFACE)
target_compile_features(sluice_flags INTERFACE cxx_std_20)
target_compile_options(sluice_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow=local -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual
  -Wno-missing-field-initializers
  -Wno-maybe-uninitialized # g++ 12 sees ghosts in optimised std::variant and std::optional
  -Werror)
if(SLUICE_SANITIZE)
  target_compile_options(sluice_flags INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
    # AddressSanitizer stops at what these would find first, and they cost the compiler a third.
    -fno-sanitize=null,alignment,object-size)
  target_link_options(sluice_flags INTERFACE -fsanitize=address,undefined)
endif()
