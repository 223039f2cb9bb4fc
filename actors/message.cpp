#include "actors/message.hpp"

#include <cstdlib>
#include <cstring>
#include <new>

#include "proto/journal.pb.h"

namespace mqlite {
namespace {

// Counted per thread (in groups of threads), so that threads do not fight for one cache line; only the sum means something.
struct alignas(64) memory_share {
  std::atomic<std::int64_t> bytes{0};
};
constexpr std::size_t shares = 16;
memory_share memory_shares[shares];
std::atomic<std::size_t> threads{0};

void count_memory(std::int64_t bytes) noexcept {
  thread_local const std::size_t share = threads.fetch_add(1, std::memory_order_relaxed) % shares;
  memory_shares[share].bytes.fetch_add(bytes, std::memory_order_relaxed);
}

}  // namespace

std::uint64_t message::memory() noexcept {
  std::int64_t sum = 0;
  for (const auto& share : memory_shares) sum += share.bytes.load(std::memory_order_relaxed);
  return sum > 0 ? static_cast<std::uint64_t>(sum) : 0;  // the shares were not read at one moment
}

void message::charge(std::int64_t bytes) noexcept { count_memory(bytes); }

std::string message_attributes::encode() const {
  if (empty()) return {};
  journal::Attributes out;
  out.set_routing_key(routing_key);
  for (const auto& [name, value] : headers) (*out.mutable_headers())[name] = value;
  out.set_expires_at(expires_at);
  return out.SerializeAsString();
}

bool message_attributes::decode(std::string_view bytes, message_attributes& out) {
  journal::Attributes in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
  out.routing_key = std::move(*in.mutable_routing_key());
  out.headers = {in.headers().begin(), in.headers().end()};
  out.expires_at = in.expires_at();
  return true;
}

std::size_t message::footprint(std::size_t payload, std::size_t attributes, bool expires) noexcept {
  return sizeof(message) + payload + (attributes == 0 ? 0 : sizeof(std::uint32_t) + attributes) +
         (expires ? sizeof(std::int64_t) : 0);
}

message_ptr message::make(std::string_view payload, std::string_view attributes, std::int64_t expires_at,
                          const message_id& id) {
  const auto size = footprint(payload.size(), attributes.size(), expires_at != 0);
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  count_memory(static_cast<std::int64_t>(size + bookkeeping));
  return message_ptr{new (memory) message(payload, attributes, expires_at, id)};
}

message::message(std::string_view payload, std::string_view attributes, std::int64_t expires_at,
                 const message_id& id) noexcept
    : size_and_flags_(static_cast<std::uint32_t>(payload.size()) | (attributes.empty() ? 0 : attributes_flag) |
                      (expires_at == 0 ? 0 : expiry_flag)),
      id_(id) {
  char* out = data();
  if (!payload.empty()) std::memcpy(out, payload.data(), payload.size());
  out += payload.size();
  if (!attributes.empty()) {
    const auto size = static_cast<std::uint32_t>(attributes.size());
    std::memcpy(out, &size, sizeof size);
    std::memcpy(out + sizeof size, attributes.data(), size);
    out += sizeof size + size;
  }
  if (expires_at != 0) std::memcpy(out, &expires_at, sizeof expires_at);
}

std::string_view message::attributes() const noexcept {
  if ((size_and_flags_ & attributes_flag) == 0) return {};
  std::uint32_t size;
  std::memcpy(&size, data() + payload_size(), sizeof size);
  return {data() + payload_size() + sizeof size, size};
}

std::int64_t message::expires_at() const noexcept {
  if ((size_and_flags_ & expiry_flag) == 0) return 0;
  const auto attributes_size = attributes().size();
  std::int64_t result;
  std::memcpy(&result, data() + payload_size() + (attributes_size == 0 ? 0 : sizeof(std::uint32_t) + attributes_size),
              sizeof result);
  return result;
}

void message::release() noexcept {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  count_memory(-static_cast<std::int64_t>(footprint() + bookkeeping));
  this->~message();
  std::free(this);
}

}  // namespace mqlite
