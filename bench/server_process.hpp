#pragma once

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace bench {

/// A server on loopback in a process and a folder of its own; both go with the object, at the latest with this process.
class server_process {
 public:
  /// Forks; the child runs `serve(out, folder)`, which writes a line with `mark` in it that ends in ":PORT" to the descriptor `out`,
  /// and does not return. Throws when no such line comes, with the last that came.
  template <class Serve>
  server_process(const std::string& mark, Serve serve) {
    char pattern[] = "/tmp/mqlite-bench-XXXXXX";
    int ends[2];
    if (mkdtemp(pattern) == nullptr || pipe(ends) != 0) throw std::runtime_error("cannot make a folder or a pipe");
    folder_ = pattern;
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      close(ends[0]);
      serve(ends[1], folder_);
      _exit(1);
    }
    close(ends[1]);
    FILE* lines = fdopen(ends[0], "r");
    char line[1024];
    std::string last;
    while (port_ == 0 && std::fgets(line, sizeof line, lines) != nullptr) {
      last = line;
      if (last.find(mark) != std::string::npos) port_ = std::atoi(last.c_str() + last.rfind(':') + 1);
    }
    rest_ = std::thread([lines] {  // what else it says
      char ignored[1024];
      while (std::fgets(ignored, sizeof ignored, lines) != nullptr) continue;
      std::fclose(lines);
    });
    if (port_ != 0) return;
    end();
    throw std::runtime_error("a server did not start: " + last);
  }
  ~server_process() { end(); }
  server_process(const server_process&) = delete;
  server_process& operator=(const server_process&) = delete;

  int port() const { return port_; }
  pid_t pid() const { return pid_; }

 private:
  void end() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
    rest_.join();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  pid_t pid_ = 0;
  int port_ = 0;
  std::filesystem::path folder_;
  std::thread rest_;
};

/// Becomes the broker `binary` with its log in `folder`; what it says goes to `out`.
inline void become_broker(const std::string& binary, int out, const std::filesystem::path& folder,
                          const std::vector<std::string>& flags) {
  std::vector<std::string> words{binary, "--persistence.aof.dir", (folder / "data").string()};
  for (const auto* door : {"http", "tcp", "grpc", "caf"})
    words.insert(words.end(), {"--server." + std::string(door) + ".port", "0"});
  words.insert(words.end(), flags.begin(), flags.end());
  std::vector<char*> arguments;
  for (auto& w : words) arguments.push_back(w.data());
  arguments.push_back(nullptr);
  dup2(out, STDERR_FILENO);
  execv(binary.c_str(), arguments.data());
}

}  // namespace bench
