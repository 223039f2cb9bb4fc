# What CMake must find. On Debian 12, scripts/dependencies installs all of it; elsewhere any packages that provide these do.

# A CAF that CMake finds by itself is taken when it is new enough, else the one that scripts/dependencies keeps in its cache. A
# sanitized build takes the cache's alone, because the sanitizers must see CAF's code as well; the one for undefined behaviour need not.
if(DEFINED ENV{XDG_CACHE_HOME})
  set(MQLITE_CACHE "$ENV{XDG_CACHE_HOME}/mqlite")
else()
  set(MQLITE_CACHE "$ENV{HOME}/.cache/mqlite")
endif()
if(MQLITE_SANITIZE MATCHES "(address|thread)")
  set(MQLITE_CAF_KIND ${CMAKE_MATCH_1})
else()
  set(MQLITE_CAF_KIND plain)
  find_package(CAF QUIET)
endif()
if(NOT CAF_FOUND OR CAF_VERSION VERSION_LESS 0.18.7)
  set(MQLITE_CAF "${MQLITE_CACHE}/caf-0.18.7-${MQLITE_CAF_KIND}")
  if(NOT EXISTS "${MQLITE_CAF}/.complete")
    message(FATAL_ERROR "CAF 0.18.7 or newer was not found: name one in CMAKE_PREFIX_PATH, or (on Debian 12) run\n"
                        "  scripts/dependencies ${MQLITE_CAF_KIND}")
  endif()
  set(CAF_DIR "${MQLITE_CAF}/lib/cmake/CAF" CACHE PATH "Where CAF's CMake package is" FORCE)
endif()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CAF REQUIRED)
find_package(Protobuf REQUIRED)
find_package(Boost 1.81 COMPONENTS json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(doctest REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(grpc REQUIRED IMPORTED_TARGET grpc++)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(isal REQUIRED IMPORTED_TARGET libisal)

# An allocator for many threads, where there is one: messages are made in one thread and freed in another, which costs the C library's
# allocator half as much again for a publish. The sanitizers bring their own.
if(NOT MQLITE_SANITIZE)
  find_library(MQLITE_ALLOCATOR tcmalloc_minimal DOC "gperftools' tcmalloc_minimal, or empty for the C library's allocator")
  find_path(MQLITE_ALLOCATOR_HEADERS gperftools/malloc_extension.h DOC "where gperftools' headers are, for huge pages")
endif()
