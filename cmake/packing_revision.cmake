# Writes the hash of LIBRARY as a source file OUT.
file(SHA256 ${LIBRARY} hash)
file(WRITE ${OUT} "#include \"engine/pipeline/packing_revision.h\"\n\nconst char* const quantspot::pipeline::kPackingRevision = \"${hash}\";\n")
