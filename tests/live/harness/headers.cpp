// For its precompiled headers (../CMakeLists.txt).
