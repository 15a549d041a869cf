find_program(PYTHON3 python3 REQUIRED)
quantspot_add_test(hub_cache_test SOURCES hub_cache_test.cpp LIBS quantspot_hub LABELS unit)
quantspot_add_test(hub_download_test SOURCES hub_download_test.cpp LIBS quantspot_hub LABELS unit)
target_compile_definitions(hub_download_test PRIVATE PYTHON3="${PYTHON3}")
