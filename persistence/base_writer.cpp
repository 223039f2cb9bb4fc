#include "persistence/base_writer.hpp"

#include <random>

#include "persistence/record.hpp"

namespace mqlite {

namespace {

constexpr std::uint64_t write_size = 1u << 20;
// Synced in steps, so that the disk is never busy for long with a rewrite while the log waits for its fsync.
constexpr std::uint64_t sync_step = 32u << 20;

}  // namespace

log_result<base_writer> base_writer::create(base_plan plan) {
  auto path = plan.folder / plan.name;
  auto created = plan.files->create(path);
  if (!created) return unexpected{io_failure(path.string(), "create", created.error())};
  auto salt = std::random_device{}();
  base_writer writer{std::move(plan), std::move(*created), salt};
  writer.pending_.push_back(file_header(salt));
  writer.pending_bytes_ = writer.pending_.back().size();
  if (auto failed = writer.write_pending()) return unexpected{std::move(*failed)};
  return writer;
}

base_writer::base_writer(base_plan plan, std::shared_ptr<file> created, std::uint32_t salt)
    : plan_(std::move(plan)), file_(std::move(created)), salt_(salt) {}

base_writer::~base_writer() {
  if (!file_) return;
  file_.reset();
  plan_.files->remove(plan_.folder / plan_.name);
}

std::optional<log_failure> base_writer::append(std::string framed) {
  salt_frame(framed, salt_);
  pending_bytes_ += framed.size();
  pending_.push_back(std::move(framed));
  return pending_bytes_ < write_size ? std::nullopt : write_pending();
}

std::optional<log_failure> base_writer::write_pending() {
  std::vector<std::string_view> parts{pending_.begin(), pending_.end()};
  auto written = file_->write_at(length_, parts);
  if (written.error) return failed_to("write", written.error);
  if (written.bytes != pending_bytes_) return failed_to("write", std::make_error_code(std::errc::io_error));
  length_ += pending_bytes_;
  pending_bytes_ = 0;
  pending_.clear();
  if (length_ < synced_ + sync_step) return std::nullopt;
  synced_ = length_;
  if (auto error = file_->sync()) return failed_to("fsync", error);
  file_->release_cache(length_);
  return std::nullopt;
}

log_result<finished_base> base_writer::finish() {
  // Tells a base that is complete from one that is not, should the manifest be lost.
  if (auto failed = append(sync_mark(bytes()))) return unexpected{std::move(*failed)};
  if (auto failed = write_pending()) return unexpected{std::move(*failed)};
  if (auto error = file_->sync()) return unexpected{failed_to("fsync", error)};
  file_->release_cache(length_);
  if (auto error = plan_.files->sync_folder(plan_.folder))
    return unexpected{io_failure(plan_.folder.string(), "fsync", error)};
  file_.reset();
  return finished_base{plan_.name, length_, plan_.first_incr};
}

log_failure base_writer::failed_to(const char* doing, std::error_code code) const {
  return io_failure((plan_.folder / plan_.name).string(), doing, code);
}

}  // namespace mqlite
