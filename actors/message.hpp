#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "actors/message_id.hpp"

namespace mqlite {

class message_ptr;

/// What a publisher may say about a message besides its payload.
struct message_attributes {
  std::string routing_key;
  std::map<std::string, std::string> headers;
  std::int64_t expires_at = 0;  ///< unix nanoseconds, 0 = never

  bool empty() const noexcept { return routing_key.empty() && headers.empty() && expires_at == 0; }

  /// The bytes that the log and the message hold: a serialised journal.Attributes; empty when there are none.
  std::string encode() const;

  /// False when the bytes are no journal.Attributes.
  static bool decode(std::string_view bytes, message_attributes& out);
};

/// A message: id, payload and attributes in one block of memory, shared by everyone who holds it and immutable once published.
/// Where it is, how often it was delivered and who leases it belongs to its queue.
///
/// Layout behind the 24 bytes of members: payload, then, only where flagged, u32 size and bytes of the attributes, then an i64
/// expiry. A message of 256 bytes without attributes takes 280 bytes, which glibc's allocator serves with 8 of its own.
class message {
 public:
  message(const message&) = delete;
  message& operator=(const message&) = delete;

  /// Copies the bytes. `attributes` is what message_attributes::encode() gave; `expires_at` must agree with it.
  /// Payloads end at 1 GiB.
  static message_ptr make(std::string_view payload, std::string_view attributes = {}, std::int64_t expires_at = 0,
                          const message_id& id = {});

  const message_id& id() const noexcept { return id_; }
  std::string_view payload() const noexcept { return {data(), payload_size()}; }
  std::string_view attributes() const noexcept;
  std::int64_t expires_at() const noexcept;

  /// Bytes of payload and attributes: what limits count.
  std::size_t content_size() const noexcept { return payload().size() + attributes().size(); }

  /// The message's memory in bytes.
  std::size_t footprint() const noexcept { return footprint(payload().size(), attributes().size(), expires_at() != 0); }

  /// What a queue and the allocator need besides for each waiting message, in bytes.
  static constexpr std::size_t bookkeeping = 24;

  /// Memory that all messages take, in bytes: their own, the bookkeeping, and what was charged.
  static std::uint64_t memory() noexcept;
  /// Counts bytes that messages take elsewhere; negative when they are free again.
  static void charge(std::int64_t bytes) noexcept;

  /// Names an unpublished message; nobody else may hold it yet.
  void assign(message_id id) noexcept { id_ = id; }

 private:
  friend class message_ptr;

  static constexpr std::uint32_t attributes_flag = 1U << 31;
  static constexpr std::uint32_t expiry_flag = 1U << 30;

  message(std::string_view payload, std::string_view attributes, std::int64_t expires_at,
          const message_id& id) noexcept;
  static std::size_t footprint(std::size_t payload, std::size_t attributes, bool expires) noexcept;
  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept;

  std::uint32_t payload_size() const noexcept { return size_and_flags_ & ~(attributes_flag | expiry_flag); }
  const char* data() const noexcept { return reinterpret_cast<const char*>(this + 1); }
  char* data() noexcept { return reinterpret_cast<char*>(this + 1); }

  std::atomic<std::uint32_t> references_{1};
  std::uint32_t size_and_flags_;
  message_id id_;
};

/// A share of a message.
class message_ptr {
 public:
  message_ptr() = default;
  message_ptr(const message_ptr& other) noexcept : message_(other.message_) {
    if (message_ != nullptr) message_->retain();
  }
  message_ptr(message_ptr&& other) noexcept : message_(std::exchange(other.message_, nullptr)) {}
  message_ptr& operator=(message_ptr other) noexcept {
    std::swap(message_, other.message_);
    return *this;
  }
  ~message_ptr() {
    if (message_ != nullptr) message_->release();
  }

  message& operator*() const noexcept { return *message_; }
  message* operator->() const noexcept { return message_; }
  explicit operator bool() const noexcept { return message_ != nullptr; }
  bool operator==(const message_ptr&) const = default;

  // For whoever keeps shares as addresses.
  /// Gives the share away.
  message* release() noexcept { return std::exchange(message_, nullptr); }
  /// Takes a share over.
  static message_ptr adopt(message* released) noexcept { return message_ptr(released); }
  /// One more share of a message that somebody else holds.
  static message_ptr share(message* held) noexcept {
    held->retain();
    return message_ptr(held);
  }

 private:
  friend class message;
  explicit message_ptr(message* adopted) noexcept : message_(adopted) {}

  message* message_ = nullptr;
};

}  // namespace mqlite
