# The two functions that every folder uses, and the settings common to all targets.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra>")
add_compile_definitions(QT_NO_KEYWORDS QUANTSPOT_VERSION="${PROJECT_VERSION}")
if(QUANTSPOT_ASAN)   # with float-cast-overflow: numbers of a file that no integer holds
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-fsanitize=address,undefined,float-cast-overflow;-fno-sanitize-recover=all;-fno-omit-frame-pointer>")
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
  add_link_options(-fsanitize=address,undefined)
  # verify_asan_link_order: a test preloads a library of its own before the runtime.
  set(QUANTSPOT_SANITIZER_ENVIRONMENT "ASAN_OPTIONS=detect_stack_use_after_return=1:max_allocation_size_mb=4096:allocator_may_return_null=1:verify_asan_link_order=0"
    UBSAN_OPTIONS=print_stacktrace=1 QTEST_FUNCTION_TIMEOUT=3600000 LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/sanitizers/leaks.txt:print_suppressions=0)
elseif(QUANTSPOT_TSAN)
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-fsanitize=thread;-fno-omit-frame-pointer>")
  add_link_options(-fsanitize=thread)
  set(QUANTSPOT_SANITIZER_ENVIRONMENT QTEST_FUNCTION_TIMEOUT=3600000
    TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/sanitizers/races.txt:second_deadlock_stack=1:die_after_fork=0)
endif()

# ccache accepts precompiled headers only when told that their macros and times may differ.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
endif()

# quantspot_add_library(NAME SOURCES … [PUBLIC …] [PRIVATE …] [TORCH] [QT]) makes quantspot_NAME.
# TORCH: links libtorch and uses the precompiled ATen header. QT: runs moc.
function(quantspot_add_library name)
  cmake_parse_arguments(arg "TORCH;QT" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  set(target quantspot_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${target} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
  if(arg_TORCH)
    target_link_libraries(${target} PUBLIC quantspot_libtorch)
    target_precompile_headers(${target} REUSE_FROM quantspot_pch)
  endif()
  if(arg_QT)
    set_target_properties(${target} PROPERTIES AUTOMOC ON)
  endif()
endfunction()

# quantspot_add_test(NAME SOURCES … LIBS … LABELS … [TORCH] [TIMEOUT s]) makes one Qt Test program and its ctest entry.
function(quantspot_add_test name)
  cmake_parse_arguments(arg "TORCH" "TIMEOUT" "SOURCES;LIBS;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_LIBS} Qt6::Test)
  target_compile_definitions(${name} PRIVATE QUANTSPOT_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  set_target_properties(${name} PROPERTIES AUTOMOC ON RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/bin)
  if(arg_TORCH)
    target_link_libraries(${name} PRIVATE quantspot_libtorch)
    target_precompile_headers(${name} REUSE_FROM quantspot_pch)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  if(QUANTSPOT_ASAN OR QUANTSPOT_TSAN)
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 10")
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT}
    ENVIRONMENT "QT_QPA_PLATFORM=offscreen;OMP_WAIT_POLICY=PASSIVE;XDG_CACHE_HOME=${CMAKE_BINARY_DIR}/tests/cache;${QUANTSPOT_SANITIZER_ENVIRONMENT}")
endfunction()
