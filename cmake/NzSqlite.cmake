# SQLite, statically linked: the agent must never observe its own use of the library that its targets
# use. One target for the modules that read databases of others (advice) and keep our own (store).
find_library(NZ_SQLITE_STATIC NAMES libsqlite3.a REQUIRED)
find_package(Threads REQUIRED)
add_library(nz_sqlite INTERFACE)
target_link_libraries(nz_sqlite INTERFACE ${NZ_SQLITE_STATIC} Threads::Threads m ${CMAKE_DL_LIBS})
