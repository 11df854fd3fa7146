# -DSLUICE_PLANT=NAME builds the program with the known bug tests/planted/NAME.patch in it, to see that
# the tests find it: one source file is replaced by a patched copy in the build directory.
set(SLUICE_PLANT "" CACHE STRING "Name of a bug in tests/planted to build in; empty: none")
set(planted_file "")
if(SLUICE_PLANT)
  set(patch "${CMAKE_SOURCE_DIR}/tests/planted/${SLUICE_PLANT}.patch")
  file(STRINGS "${patch}" header REGEX "^--- a/" LIMIT_COUNT 1)
  string(REGEX REPLACE "^--- a/" "" planted_path "${header}")
  set(planted_file "${CMAKE_SOURCE_DIR}/${planted_path}")
  get_filename_component(name "${planted_path}" NAME)
  set(planted_copy "${CMAKE_BINARY_DIR}/planted/${SLUICE_PLANT}/${name}")
  get_filename_component(directory "${planted_copy}" DIRECTORY)
  file(MAKE_DIRECTORY "${directory}")
  find_program(PATCH_PROGRAM patch REQUIRED)
  execute_process(COMMAND "${PATCH_PROGRAM}" --silent -o "${planted_copy}" "${planted_file}" "${patch}"
    COMMAND_ERROR_IS_FATAL ANY)
endif()

# Replaces the file in the list of that name when it is the one with the bug.
function(plant_bug list_name)
  list(FIND ${list_name} "${planted_file}" at)
  if(planted_file AND NOT at EQUAL -1)
    list(REMOVE_AT ${list_name} ${at})
    list(APPEND ${list_name} "${planted_copy}")
    set(${list_name} "${${list_name}}" PARENT_SCOPE)
  endif()
endfunction()
