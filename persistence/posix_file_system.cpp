#include "persistence/posix_file_system.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace mqlite {

namespace {

std::error_code last_error() { return {errno, std::generic_category()}; }

/// Repeats a system call for as long as signals interrupt it.
template <class Call>
auto uninterrupted(Call call) {
  auto returned = call();
  while (returned == -1 && errno == EINTR) returned = call();
  return returned;
}

/// Owns a file descriptor.
class descriptor {
 public:
  explicit descriptor(int number) : number_(number) {}
  descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  descriptor& operator=(descriptor&&) = delete;
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }

 private:
  int number_;
};

io_result<descriptor> open_descriptor(const std::filesystem::path& path, int flags) {
  auto number = uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0640); });
  if (number < 0) return unexpected{last_error()};
  return descriptor{number};
}

std::error_code sync_data(int number) {
#ifdef __APPLE__
  auto returned = uninterrupted([&] { return ::fcntl(number, F_FULLFSYNC); });
#else
  auto returned = uninterrupted([&] { return ::fdatasync(number); });
#endif
  return returned == -1 ? last_error() : std::error_code{};
}

io_result<std::uint64_t> size_of(int number) {
  struct stat status {};
  if (::fstat(number, &status) != 0) return unexpected{last_error()};
  return static_cast<std::uint64_t>(status.st_size);
}

/// Parts for one system call, minus what was written of them.
class vectors {
 public:
  static constexpr std::size_t most = 1024;  // IOV_MAX on Linux and macOS

  /// Takes over as many parts as fit; returns how many.
  std::size_t fill(std::span<const std::string_view> parts) {
    first_ = 0;
    count_ = std::min(parts.size(), most);
    for (std::size_t i = 0; i < count_; ++i) entries_[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
    return count_;
  }

  /// Takes away what a call has written.
  void advance(std::size_t written) {
    while (first_ < count_ && written >= entries_[first_].iov_len) written -= entries_[first_++].iov_len;
    if (first_ == count_) return;
    entries_[first_].iov_base = static_cast<char*>(entries_[first_].iov_base) + written;
    entries_[first_].iov_len -= written;
  }

  bool empty() const { return first_ == count_; }
  const iovec* data() const { return entries_.data() + first_; }
  int size() const { return static_cast<int>(count_ - first_); }

 private:
  std::array<iovec, most> entries_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

class posix_file final : public file {
 public:
  explicit posix_file(descriptor opened) : descriptor_(std::move(opened)) {}

  transferred write_at(std::uint64_t offset, std::span<const std::string_view> parts) override {
    transferred done;
    vectors pending;
    while (!parts.empty()) {
      parts = parts.subspan(pending.fill(parts));
      pending.advance(0);  // drops leading empty parts
      while (!pending.empty()) {
        auto at = static_cast<off_t>(offset + done.bytes);
        auto written = uninterrupted([&] { return ::pwritev(descriptor_.get(), pending.data(), pending.size(), at); });
        if (written < 0) done.error = last_error();
        if (written == 0) done.error = std::make_error_code(std::errc::io_error);
        if (done.error) return done;
        done.bytes += static_cast<std::uint64_t>(written);
        pending.advance(static_cast<std::size_t>(written));
      }
    }
    return done;
  }

  std::error_code sync() override { return sync_data(descriptor_.get()); }

  void release_cache([[maybe_unused]] std::uint64_t end) override {
#ifdef POSIX_FADV_DONTNEED
    const auto whole = end / cache_step * cache_step;  // the page that is written next has to stay
    if (whole <= released_) return;
    ::posix_fadvise(descriptor_.get(), static_cast<off_t>(released_), static_cast<off_t>(whole - released_),
                    POSIX_FADV_DONTNEED);
    released_ = whole;
#endif
  }

  std::error_code preallocate([[maybe_unused]] std::uint64_t offset, [[maybe_unused]] std::uint64_t length) override {
#ifdef __linux__
    auto from = static_cast<off_t>(offset);
    auto count = static_cast<off_t>(length);
    auto returned = uninterrupted([&] { return ::fallocate(descriptor_.get(), 0, from, count); });
    return returned == -1 ? last_error() : std::error_code{};
#else
    return std::make_error_code(std::errc::operation_not_supported);
#endif
  }

  std::error_code truncate(std::uint64_t length) override {
    auto returned = uninterrupted([&] { return ::ftruncate(descriptor_.get(), static_cast<off_t>(length)); });
    return returned == -1 ? last_error() : std::error_code{};
  }

  io_result<std::uint64_t> size() override { return size_of(descriptor_.get()); }

 private:
  static constexpr std::uint64_t cache_step = 4U << 20;

  descriptor descriptor_;
  std::uint64_t released_ = 0;  // before it nothing is cached
};

class posix_readable_file final : public readable_file {
 public:
  explicit posix_readable_file(descriptor opened) : descriptor_(std::move(opened)) {}

  io_result<std::uint64_t> size() override { return size_of(descriptor_.get()); }

  transferred read_at(std::uint64_t offset, std::span<char> into) override {
    transferred done;
    fetch_ahead(offset + into.size());
    while (done.bytes < into.size()) {
      auto rest = into.subspan(done.bytes);
      auto at = static_cast<off_t>(offset + done.bytes);
      auto got = uninterrupted([&] { return ::pread(descriptor_.get(), rest.data(), rest.size(), at); });
      if (got < 0) done.error = last_error();
      if (got <= 0) break;
      done.bytes += static_cast<std::uint64_t>(got);
    }
    return done;
  }

 private:
  static constexpr std::uint64_t window = 8U << 20;

  // Who reads a file from its beginning to its end finds it in memory: the disk works while he does.
  void fetch_ahead([[maybe_unused]] std::uint64_t end) {
#ifdef POSIX_FADV_WILLNEED
    if (end + window / 2 <= ahead_) return;
    ahead_ = std::max(ahead_, end - end % window);
    ::posix_fadvise(descriptor_.get(), static_cast<off_t>(ahead_), window, POSIX_FADV_WILLNEED);
    ahead_ += window;
#endif
  }

  descriptor descriptor_;
  std::uint64_t ahead_ = 0;
};

class posix_lock final : public file_lock {
 public:
  explicit posix_lock(descriptor locked) : descriptor_(std::move(locked)) {}

 private:
  descriptor descriptor_;
};

}  // namespace

io_result<std::shared_ptr<file>> posix_file_system::create(const std::filesystem::path& path) {
  auto opened = open_descriptor(path, O_WRONLY | O_CREAT | O_EXCL);
  if (!opened) return unexpected{opened.error()};
  return std::shared_ptr<file>{std::make_shared<posix_file>(std::move(*opened))};
}

io_result<std::shared_ptr<file>> posix_file_system::open_for_writing(const std::filesystem::path& path) {
  auto opened = open_descriptor(path, O_WRONLY);
  if (!opened) return unexpected{opened.error()};
  return std::shared_ptr<file>{std::make_shared<posix_file>(std::move(*opened))};
}

io_result<std::unique_ptr<readable_file>> posix_file_system::open_for_reading(const std::filesystem::path& path) {
  auto opened = open_descriptor(path, O_RDONLY);
  if (!opened) return unexpected{opened.error()};
#ifdef POSIX_FADV_SEQUENTIAL
  ::posix_fadvise(opened->get(), 0, 0, POSIX_FADV_SEQUENTIAL);
#endif
  return std::unique_ptr<readable_file>{std::make_unique<posix_readable_file>(std::move(*opened))};
}

std::error_code posix_file_system::rename(const std::filesystem::path& from, const std::filesystem::path& to) {
  return ::rename(from.c_str(), to.c_str()) == 0 ? std::error_code{} : last_error();
}

std::error_code posix_file_system::remove(const std::filesystem::path& path) {
  return ::unlink(path.c_str()) == 0 ? std::error_code{} : last_error();
}

std::error_code posix_file_system::link(const std::filesystem::path& existing, const std::filesystem::path& name) {
  return ::link(existing.c_str(), name.c_str()) == 0 ? std::error_code{} : last_error();
}

io_result<std::vector<std::string>> posix_file_system::list(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::string> names;
  auto entry = std::filesystem::directory_iterator{folder, error};
  for (; !error && entry != std::filesystem::directory_iterator{}; entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) return unexpected{error};
  std::sort(names.begin(), names.end());
  return names;
}

std::error_code posix_file_system::create_folders(const std::filesystem::path& folder) {
  std::error_code error;
  auto made = std::filesystem::create_directories(folder, error);
  if (error || !made) return error;
  auto above = std::filesystem::absolute(folder, error).lexically_normal().parent_path();
  return error ? error : sync_folder(above);
}

std::error_code posix_file_system::sync_folder(const std::filesystem::path& folder) {
  auto opened = open_descriptor(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
  if (!opened) return opened.error();
  auto returned = uninterrupted([&] { return ::fsync(opened->get()); });
  return returned == -1 ? last_error() : std::error_code{};
}

io_result<std::unique_ptr<file_lock>> posix_file_system::lock(const std::filesystem::path& path,
                                                              std::string_view content) {
  auto opened = open_descriptor(path, O_RDWR | O_CREAT);
  if (!opened) return unexpected{opened.error()};
  auto locked = uninterrupted([&] { return ::flock(opened->get(), LOCK_EX | LOCK_NB); });
  if (locked == -1) return unexpected{last_error()};
  if (::ftruncate(opened->get(), 0) == -1) return unexpected{last_error()};
  auto written = uninterrupted([&] { return ::pwrite(opened->get(), content.data(), content.size(), 0); });
  if (written == -1) return unexpected{last_error()};
  return std::unique_ptr<file_lock>{std::make_unique<posix_lock>(std::move(*opened))};
}

}  // namespace mqlite
