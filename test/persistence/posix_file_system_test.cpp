#include "persistence/posix_file_system.hpp"

#include <algorithm>
#include <cstdlib>

#include <csignal>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "log_fixture.hpp"

namespace mqlite {

namespace {

using namespace test;

/// A folder of its own, removed in the end.
class temporary_folder {
 public:
  temporary_folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "mqlite_log_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path = pattern;
  }
  ~temporary_folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

/// Bytes of the file's beginning that the system holds in memory.
std::size_t cached(const std::filesystem::path& path, std::size_t size) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto number = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  auto* mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, number, 0);
  ::close(number);
  REQUIRE(mapped != MAP_FAILED);
  std::vector<unsigned char> resident(size / page);
  REQUIRE(::mincore(mapped, size, resident.data()) == 0);
  ::munmap(mapped, size);
  return page * static_cast<std::size_t>(std::count_if(resident.begin(), resident.end(), [](auto r) { return r & 1; }));
}

bool in_memory_alone(const std::filesystem::path& path) {
  constexpr long tmpfs = 0x01021994;
  struct statfs status {};
  return ::statfs(path.c_str(), &status) != 0 || status.f_type == tmpfs;
}

}  // namespace

TEST_CASE("a log in real files is replayed, preallocated while it is open and exact when it was closed") {
  temporary_folder folder;
  auto data = folder.path / "deep" / "data";
  posix_file_system files;
  strings expected_events;
  for (int round = 0; round < 3; ++round) {
    auto opened = start(files, {1u << 20}, data);
    CHECK(opened.events == expected_events);
    for (int i = 0; i < 5000; ++i) {
      opened.writer.append(published(std::string(static_cast<std::size_t>(i % 700), 'x')));
      expected_events.push_back("7:" + std::string(static_cast<std::size_t>(i % 700), 'x'));
    }
    REQUIRE_FALSE(opened.writer.flush());
    REQUIRE_FALSE(opened.writer.current()->sync());
    if (round == 1) continue;  // ends without close(), as a crash does
    REQUIRE_FALSE(opened.writer.close());
    CHECK(std::filesystem::file_size(data / opened.writer.current_name()) == opened.writer.length());
  }
  CHECK(replay(files, data) == expected_events);
}

TEST_CASE("parts of any number and size, empty ones too, are written one behind the other") {
  temporary_folder folder;
  posix_file_system files;
  std::string expected_content(10, '\0');
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < 3000; ++i) parts.emplace_back(i % 5, static_cast<char>('a' + i % 26));
  for (const auto& part : parts) expected_content += part;
  std::vector<std::string_view> views{parts.begin(), parts.end()};
  auto created_file = files.create(folder.path / "file");
  REQUIRE(created_file);
  auto written = (*created_file)->write_at(10, views);
  CHECK_FALSE(written.error);
  CHECK(written.bytes == expected_content.size() - 10);
  CHECK(*read_whole_file(files, folder.path / "file") == expected_content);
  CHECK(files.create(folder.path / "file").error() == std::errc::file_exists);
}

TEST_CASE("what is on the disk leaves the page cache, and is read as it was") {
  constexpr std::size_t mebibyte = 1U << 20;
  temporary_folder folder;
  posix_file_system files;
  const auto path = folder.path / "file";
  std::string content;
  for (int i = 0; content.size() < 21 * mebibyte; ++i) content += std::to_string(i);
  auto created = files.create(path);
  REQUIRE(created);
  const std::string_view part = content;
  REQUIRE((*created)->write_at(0, {&part, 1}).bytes == content.size());
  REQUIRE_FALSE((*created)->sync());
  (*created)->release_cache(17 * mebibyte);
  (*created)->release_cache(5 * mebibyte);  // is gone already
  if (!in_memory_alone(path)) CHECK(cached(path, 16 * mebibyte) < 8 * mebibyte);
  CHECK(cached(path, 21 * mebibyte) >= 4 * mebibyte);  // what is written next stands there
  REQUIRE((*created)->write_at(2, {&part, 1}).bytes == content.size());
  content.insert(0, content.substr(0, 2));
  CHECK(*read_whole_file(files, path) == content);
}

TEST_CASE("a write beyond the file size limit fails with what was written before it") {
  temporary_folder folder;
  auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // A disk that fills up, as far as a test can have one: the limit makes the write short, then fail.
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{100'000, 100'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    posix_file_system files;
    auto opened = start(files, {0}, folder.path);
    auto fine = !write(opened.writer, published(std::string(50'000, 'a')));
    auto refused = write(opened.writer, published(std::string(90'000, 'b'))) == std::errc::file_too_large;
    auto cut = std::filesystem::file_size(folder.path / opened.writer.current_name()) == opened.writer.length();
    auto recovered_again = !opened.writer.begin_new_file() && !write(opened.writer, published("c"));
    ::_exit(fine && refused && cut && recovered_again ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  posix_file_system files;
  CHECK(replay(files, folder.path) == strings{"7:" + std::string(50'000, 'a'), "7:c"});
}

TEST_CASE("a second process is kept out of the folder, with the first one's pid, until that one has ended") {
  temporary_folder folder;
  posix_file_system files;
  int ready[2];
  int done[2];
  REQUIRE(::pipe(ready) == 0);
  REQUIRE(::pipe(done) == 0);
  auto child = ::fork();
  REQUIRE(child >= 0);
  char byte = 0;
  if (child == 0) {
    auto lock = folder_lock::take(files, folder.path);
    byte = lock ? 'y' : 'n';
    auto sent = ::write(ready[1], &byte, 1) == 1 && ::read(done[0], &byte, 1) == 1;
    ::_exit(sent ? 0 : 1);
  }
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK(byte == 'y');
  auto refused = folder_lock::take(files, folder.path);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text() == folder.path.string() + ": in use by the process with pid " + std::to_string(child));
  REQUIRE(::write(done[1], &byte, 1) == 1);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(folder_lock::take(files, folder.path));
  for (int end : {ready[0], ready[1], done[0], done[1]}) ::close(end);
}

}  // namespace mqlite
