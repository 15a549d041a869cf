# Imports libtorch from LIBTORCH. Its own CMake package is not used: that of a CUDA wheel demands the CUDA toolkit,
# which a user without nvcc does not have and which nothing here needs.
find_path(QUANTSPOT_TORCH_INCLUDE ATen/core/Tensor.h PATHS ${LIBTORCH}/include NO_DEFAULT_PATH)
find_library(QUANTSPOT_TORCH_CPU torch_cpu PATHS ${LIBTORCH}/lib NO_DEFAULT_PATH)
if(NOT QUANTSPOT_TORCH_INCLUDE OR NOT QUANTSPOT_TORCH_CPU)
  message(FATAL_ERROR "No libtorch in LIBTORCH='${LIBTORCH}': give -DLIBTORCH=… (packaging/run.sh does this by itself)")
endif()
get_filename_component(QUANTSPOT_TORCH_LIB ${QUANTSPOT_TORCH_CPU} DIRECTORY)

# Some wheels carry headers of another fmt than the one that spdlog was built with; the system's must be found first, and
# compilers ignore an attempt to put /usr/include there.
find_path(QUANTSPOT_FMT_INCLUDE fmt/core.h REQUIRED NO_CMAKE_FIND_ROOT_PATH)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/system_fmt)
file(CREATE_LINK ${QUANTSPOT_FMT_INCLUDE}/fmt ${CMAKE_BINARY_DIR}/system_fmt/fmt SYMBOLIC)

add_library(quantspot_libtorch INTERFACE)
target_include_directories(quantspot_libtorch SYSTEM INTERFACE ${CMAKE_BINARY_DIR}/system_fmt ${QUANTSPOT_TORCH_INCLUDE}
  ${QUANTSPOT_TORCH_INCLUDE}/torch/csrc/api/include)
# Newer wheels bring fmt headers that are not the system's libfmt; header-only, whichever is found first is whole.
target_compile_definitions(quantspot_libtorch INTERFACE FMT_HEADER_ONLY)
target_link_libraries(quantspot_libtorch INTERFACE ${QUANTSPOT_TORCH_LIB}/libtorch_cpu.so ${QUANTSPOT_TORCH_LIB}/libc10.so)
# The CUDA half registers its kernels when it is loaded; nothing names its symbols, so the linker would drop it.
if(EXISTS ${QUANTSPOT_TORCH_LIB}/libtorch_cuda.so)
  target_link_options(quantspot_libtorch INTERFACE
    "LINKER:--push-state,--no-as-needed,${QUANTSPOT_TORCH_LIB}/libtorch_cuda.so,--pop-state" LINKER:--allow-shlib-undefined)
endif()
set(CMAKE_BUILD_RPATH ${QUANTSPOT_TORCH_LIB})

# One precompiled ATen header for all torch targets.
file(WRITE ${CMAKE_BINARY_DIR}/pch/pch.cpp "// holds the precompiled header\n")
add_library(quantspot_pch OBJECT ${CMAKE_BINARY_DIR}/pch/pch.cpp)
target_link_libraries(quantspot_pch PUBLIC quantspot_libtorch)
target_precompile_headers(quantspot_pch PRIVATE <ATen/ATen.h> <string> <vector> <memory> <optional> <functional> <map>)
