# Models as they lie on disk.
quantspot_add_test(model_single_test TORCH SOURCES model_single_test.cpp LIBS quantspot_model LABELS parity)
quantspot_add_test(model_malformed_test TORCH SOURCES model_malformed_test.cpp LIBS quantspot_model LABELS unit)
quantspot_add_test(model_mutations_test TORCH SOURCES model_mutations_test.cpp LIBS quantspot_model LABELS unit)

find_program(PYTHON3 python3 REQUIRED)
quantspot_add_test(hub_cache_test SOURCES hub_cache_test.cpp LIBS quantspot_hub LABELS unit)
quantspot_add_test(hub_download_test SOURCES hub_download_test.cpp LIBS quantspot_hub LABELS unit)
quantspot_add_test(hub_url_test SOURCES hub_url_test.cpp LIBS quantspot_hub LABELS unit)
foreach(test hub_download_test hub_url_test)
  target_compile_definitions(${test} PRIVATE PYTHON3="${PYTHON3}")
endforeach()

quantspot_add_test(service_models_test SOURCES service_models_test.cpp LIBS quantspot_protocol LABELS unit TIMEOUT 600)
add_dependencies(service_models_test quantspot-cli quantspot-engine)
target_compile_definitions(service_models_test PRIVATE PYTHON3="${PYTHON3}" QUANTSPOT_CLI="$<TARGET_FILE:quantspot-cli>" QUANTSPOT_ENGINE="$<TARGET_FILE:quantspot-engine>")
quantspot_add_test(service_scores_test TORCH SOURCES service_scores_test.cpp LIBS quantspot_service LABELS unit)
target_compile_definitions(service_scores_test PRIVATE PYTHON3="${PYTHON3}")
