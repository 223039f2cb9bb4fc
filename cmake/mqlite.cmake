# What every folder's CMakeLists.txt uses: one library per folder, programs in bin/, doctest suites in CTest.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)

set(MQLITE_SANITIZE "" CACHE STRING "Sanitizers to build with, as -fsanitize= takes them (for example address,undefined)")
if(MQLITE_SANITIZE)
  # At a fixed address: relocating two million descriptions of variables is half of a program's start, and tests start thousands.
  add_compile_options(-fsanitize=${MQLITE_SANITIZE} -fno-omit-frame-pointer -fno-pie)
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
  add_link_options(-fsanitize=${MQLITE_SANITIZE} -no-pie)
  if(MQLITE_SANITIZE MATCHES undefined)
    # Checks before every access to a member, which make actors 2.5 times as slow to compile. Null pointers end a program anyhow; what
    # reads foreign bytes has the checks for alignment when it is fuzzed.
    add_compile_options(-fno-sanitize=null,alignment)
  endif()
  if(MQLITE_SANITIZE MATCHES thread)
    # Protobuf's headers give their classes more members when they see this, and then do not fit the library as it is installed.
    add_compile_options(-U__SANITIZE_THREAD__)
  endif()
endif()

# A newer linker, where there is one, links the suite several times as fast.
find_program(MQLITE_LINKER NAMES mold ld.lld)
if(MQLITE_LINKER MATCHES "mold$")
  add_link_options(-fuse-ld=mold)
elseif(MQLITE_LINKER)
  add_link_options(-fuse-ld=lld)
endif()

# A compiler cache, where there is one, makes repeated builds of an unchanged file free.
find_program(MQLITE_CCACHE ccache)
if(MQLITE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${MQLITE_CCACHE})
endif()

option(MQLITE_BENCH "Build the benchmarks" ON)

# How long a suite may take; sanitizers make it up to ten times as slow.
set(MQLITE_TEST_SECONDS 300)
if(MQLITE_SANITIZE)
  set(MQLITE_TEST_SECONDS 1200)
endif()

# The presets that test compile each target as one file, which takes less than half the time: most of it goes into headers and
# templates. What a target's files keep to themselves must therefore have different names. The preset for use compiles each file by
# itself, so that one that misses an include is found.
set(CMAKE_UNITY_BUILD_BATCH_SIZE 0)

# GCC 12 sees uninitialised reads in moved variants that are none.
set(MQLITE_COMPILE_OPTIONS -Wall -Wextra -Werror -Wno-maybe-uninitialized)
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  list(APPEND MQLITE_COMPILE_OPTIONS -Wno-subobject-linkage) # takes every file but the one of the target for a header
endif()
if(MQLITE_SANITIZE MATCHES thread)
  list(APPEND MQLITE_COMPILE_OPTIONS -Wno-tsan) # the sanitizer does not follow fences, which Asio has inside
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND NOT MQLITE_SANITIZE)
  # Where neighbouring members are copied, GCC joins them to one wide load, and behind narrow stores that waits until these have left
  # the processor's store buffer: publishes of 16 bytes are 1.3 times as fast without.
  list(APPEND MQLITE_COMPILE_OPTIONS -fno-tree-slp-vectorize)
endif()

# Every program that is for use: what `cmake --build --target programs` makes.
add_custom_target(programs)

# Precompiles `headers` for `target`, or takes over what `donor` precompiled; `donor` needs the same options and definitions.
function(mqlite_precompile target headers donor)
  if(headers)
    target_precompile_headers(${target} PRIVATE ${headers})
  elseif(donor)
    target_precompile_headers(${target} REUSE_FROM ${donor})
  endif()
  if((headers OR donor) AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    target_compile_options(${target} PRIVATE -fpch-preprocess) # the compiler cache asks for it
  endif()
endfunction()

# What programs, tests and benchmarks have in common: an executable that sees the repository's root.
function(mqlite_executable name)
  cmake_parse_arguments(ARG "" "PCH_FROM" "SOURCES;LINKS;PCH" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_options(${name} PRIVATE ${MQLITE_COMPILE_OPTIONS})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS})
  mqlite_precompile(${name} "${ARG_PCH}" "${ARG_PCH_FROM}")
endfunction()

# All four take PCH <header>... (headers to precompile) or PCH_FROM <target> (a target whose precompiled headers fit).

# mqlite_library(<name> SOURCES <file>... [LINKS <target>...]): the static library mqlite::<name> of the folder it stands in.
function(mqlite_library name)
  cmake_parse_arguments(ARG "" "PCH_FROM" "SOURCES;LINKS;PCH" ${ARGN})
  add_library(mqlite_${name} STATIC ${ARG_SOURCES})
  add_library(mqlite::${name} ALIAS mqlite_${name})
  target_include_directories(mqlite_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_compile_options(mqlite_${name} PRIVATE ${MQLITE_COMPILE_OPTIONS})
  target_link_libraries(mqlite_${name} PUBLIC ${ARG_LINKS})
  mqlite_precompile(mqlite_${name} "${ARG_PCH}" "${ARG_PCH_FROM}")
endfunction()

# mqlite_program(<name> SOURCES <file>... [LINKS <target>...]): an executable in bin/.
function(mqlite_program name)
  mqlite_executable(${name} ${ARGN})
  add_dependencies(programs ${name})
endfunction()

# mqlite_test(<name> SOURCES <file>... [LINKS <target>...]): a doctest suite, one entry in CTest.
function(mqlite_test name)
  if(NOT TARGET mqlite_doctest_main)
    add_library(mqlite_doctest_main OBJECT ${PROJECT_SOURCE_DIR}/test/doctest_main.cpp)
    target_link_libraries(mqlite_doctest_main PUBLIC doctest::doctest)
  endif()
  mqlite_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE mqlite_doctest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${MQLITE_TEST_SECONDS})
endfunction()

# mqlite_bench(<name> SOURCES <file>... [LINKS <target>...]): a benchmark, run by hand.
function(mqlite_bench name)
  mqlite_executable(${name} ${ARGN})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
endfunction()
