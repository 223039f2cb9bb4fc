mqlite_bench(http_baseline SOURCES ${CMAKE_CURRENT_LIST_DIR}/http_baseline.cpp LINKS Boost::headers Threads::Threads)
