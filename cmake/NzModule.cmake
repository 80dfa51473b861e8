# nz_module(NAME <name> [PUBLIC <targets>...] [PRIVATE <targets>...])
#
# One library per folder: every *.cpp beside the CMakeLists.txt becomes nz_<name>, except tests:
#   *_test.cpp       unit tests, no privileges    -> nz_<name>_test,      ctest label "unit"
#   *_live_test.cpp  attach BPF programs, need root -> nz_<name>_live_test, ctest label "bpf"
# A folder without sources becomes an interface library. All headers are included by their path from
# the root of the repository, so that an #include tells which module it reaches into.
find_package(GTest REQUIRED)

# What tests call is optimised, the tests are not: half the time to build them.
set(NZ_TEST_OPTIONS -O0)

function(nz_test name label)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} GTest::gmock GTest::gtest_main)
  target_compile_options(${name} PRIVATE ${NZ_TEST_OPTIONS})
  list(LENGTH ARG_SOURCES count)
  # One file after the other, also where the release build takes several at once: tests say
  # `using testing::X` and call their helpers alike.
  set_target_properties(${name} PROPERTIES UNITY_BUILD OFF)
  # Reading GoogleTest takes longer than most of the tests' own code.
  if(count GREATER 2)
    target_precompile_headers(${name} PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
  endif()
  if(label STREQUAL "unit")
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 300)
  else()
    # Live tests share the host's scheduler, its uprobes and one agent lock: never two at a time.
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS ${label} RUN_SERIAL ON TIMEOUT 600)
  endif()
endfunction()

function(nz_module)
  cmake_parse_arguments(ARG "" "NAME" "PUBLIC;PRIVATE;TEST_LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(live ${sources})
  list(FILTER live INCLUDE REGEX "_live_test\\.cpp$")
  set(unit ${sources})
  list(FILTER unit INCLUDE REGEX "_test\\.cpp$")
  list(FILTER unit EXCLUDE REGEX "_live_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")

  set(lib nz_${ARG_NAME})
  if(sources)
    add_library(${lib} STATIC ${sources})
    target_include_directories(${lib} PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/bpf/include)
    target_link_libraries(${lib} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  else()
    add_library(${lib} INTERFACE)
    target_include_directories(${lib} INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/bpf/include)
    target_link_libraries(${lib} INTERFACE ${ARG_PUBLIC})
  endif()
  if(NZ_TESTS AND unit)
    nz_test(${lib}_test unit SOURCES ${unit} LIBS ${lib} ${ARG_TEST_LIBS})
  endif()
  if(NZ_TESTS AND live)
    nz_test(${lib}_live_test bpf SOURCES ${live} LIBS ${lib} ${ARG_TEST_LIBS})
  endif()
endfunction()
