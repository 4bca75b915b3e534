# One library per folder of src/, its unit tests beside it.
#
#   argosy_folder(objectstore DEPS base PRIVATE_LIBS SQLite::SQLite3)
#
# makes   the library    argosy_objectstore   from objectstore/**.cc without *_test.cc and *_fuzz.cc,
#         the tests      objectstore_test     from objectstore/**_test.cc (registered with ctest),
#         fuzz targets   fuzz_<name>          from objectstore/**/<name>_fuzz.cc, when ARGOSY_FUZZ is on.
# NO_UNITY compiles the library's files each by itself in a unity build too.
# A folder in a folder (api/s3) is a folder of its own and is left out of its parent's glob.


# Parsing the standard library, JSON and gtest anew is half of a file's compile time: done once for all libraries and
# once for all tests.
option(ARGOSY_PRECOMPILED_HEADERS "Precompile the headers that most files include" ON)
foreach(use library tests)
  add_library(argosy_precompiled_${use} OBJECT EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/cmake/precompiled/carrier.cc)
  target_link_libraries(argosy_precompiled_${use} PRIVATE fmt::fmt nlohmann_json::nlohmann_json)
endforeach()
target_link_libraries(argosy_precompiled_tests PRIVATE GTest::gtest GTest::gmock)
target_compile_options(argosy_precompiled_tests PRIVATE -O0)
if(ARGOSY_PRECOMPILED_HEADERS)
  foreach(use library tests)
    target_precompile_headers(argosy_precompiled_${use} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/precompiled/${use}.h)
  endforeach()
endif()

# argosy_precompiled(TARGET library|tests)
function(argosy_precompiled target use)
  if(ARGOSY_PRECOMPILED_HEADERS)
    target_precompile_headers(${target} REUSE_FROM argosy_precompiled_${use})
  endif()
endfunction()

function(argosy_folder name)
  cmake_parse_arguments(ARG "NO_UNITY" "" "DEPS;LIBS;PRIVATE_LIBS;TEST_DEPS;EXCLUDE_DIRS" ${ARGN})
  string(REPLACE "/" "_" target ${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  foreach(dir ${ARG_EXCLUDE_DIRS})
    list(FILTER sources EXCLUDE REGEX "^${CMAKE_CURRENT_SOURCE_DIR}/${dir}/")
  endforeach()
  set(tests ${sources})
  set(fuzzers ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz)\\.cc$")
  foreach(source ${sources})
    # Those that include themselves again for each instruction set, and those that choose what headers declare.
    file(STRINGS ${source} alone REGEX "define (HWY_TARGET_INCLUDE|OPENSSL_SUPPRESS_DEPRECATED)" LIMIT_COUNT 1)
    if(alone)
      set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    endif()
  endforeach()

  set(deps)
  foreach(dep ${ARG_DEPS})
    string(REPLACE "/" "_" dep ${dep})
    list(APPEND deps argosy_${dep})
  endforeach()

  if(sources)
    add_library(argosy_${target} STATIC ${sources})
    target_include_directories(argosy_${target} PUBLIC ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(argosy_${target} PUBLIC ${deps} ${ARG_LIBS} PRIVATE ${ARG_PRIVATE_LIBS})
    argosy_precompiled(argosy_${target} library)
    if(ARG_NO_UNITY)
      set_target_properties(argosy_${target} PROPERTIES UNITY_BUILD OFF)
    endif()
  else()
    add_library(argosy_${target} INTERFACE)
    target_include_directories(argosy_${target} INTERFACE ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(argosy_${target} INTERFACE ${deps} ${ARG_LIBS})
  endif()

  if(tests)
    set(test_deps)
    foreach(dep ${ARG_TEST_DEPS})
      string(REPLACE "/" "_" dep ${dep})
      list(APPEND test_deps argosy_${dep})
    endforeach()
    add_executable(${target}_test ${tests})
    target_link_libraries(${target}_test PRIVATE argosy_${target} ${test_deps} ${ARG_PRIVATE_LIBS} GTest::gtest_main GTest::gmock)
    target_compile_definitions(${target}_test PRIVATE ARGOSY_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    target_compile_options(${target}_test PRIVATE -O0)  # only what is tested need be quick
    argosy_precompiled(${target}_test tests)
    add_test(NAME ${target} COMMAND ${target}_test --gtest_brief=1)
  endif()

  if(ARGOSY_FUZZ)
    foreach(fuzzer ${fuzzers})
      get_filename_component(base ${fuzzer} NAME_WE)
      string(REGEX REPLACE "_fuzz$" "" base ${base})
      add_executable(fuzz_${base} ${fuzzer})
      target_link_libraries(fuzz_${base} PRIVATE argosy_${target} ${ARG_PRIVATE_LIBS})
      target_link_options(fuzz_${base} PRIVATE -fsanitize=fuzzer)
      argosy_precompiled(fuzz_${base} library)
    endforeach()
  endif()
endfunction()
