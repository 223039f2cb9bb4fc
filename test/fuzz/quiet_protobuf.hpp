#pragma once

#include <google/protobuf/stubs/logging.h>

/// For a target that hands Protobuf's library malformed texts, of which it else logs each one.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  google::protobuf::SetLogHandler(nullptr);
  return 0;
}
