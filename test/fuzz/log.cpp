#include <cstring>
#include <string>
#include <vector>

#include "persistence/crc32c.hpp"
#include "persistence/format.hpp"
#include "persistence/log_reader.hpp"
#include "persistence/published_record.hpp"
#include "persistence/record.hpp"
#include "persistence/record_visitor.hpp"
#include "persistence/recovery.hpp"
#include "test/fuzz/fuzz.hpp"
#include "test/fuzz/quiet_protobuf.hpp"
#include "test/persistence/faulty_file_system.hpp"

/// Log files: any bytes are read to their end or refused, within their bounds; records that were written come back; of a file that
/// was cut or changed only records before that place come back; and Published events are read as the library reads them.
using namespace mqlite;

namespace {

const std::filesystem::path folder = "log";
const std::string name = incr_name(1);

struct contents {
  bool failed = false;
  std::vector<std::string> bodies;
  bool torn = false;
};

contents read_file(const std::string& bytes, file_state state, std::uint64_t length) {
  test::faulty_file_system files;
  files.put(folder / name, bytes);
  contents result;
  auto reader = log_reader::open(files, folder / name, {name, state, length});
  if (!reader) return {true, {}, false};
  for (std::uint64_t position = format::file_header_size;;) {
    const auto records = reader->next();
    if (!records) {
      MQLITE_REQUIRE(records.error().offset >= position);
      result.failed = true;
      return result;
    }
    if (records->empty()) break;
    for (const auto& record : *records) {
      MQLITE_REQUIRE(record.offset == position && !record.body.empty());
      position += format::record_header_size + record.body.size();
      MQLITE_REQUIRE(position <= reader->limit() && position <= bytes.size());
      result.bodies.emplace_back(record.body);
    }
  }
  result.torn = reader->torn().has_value();
  return result;
}

// -- Published, by hand and by the library --------------------------------------------------------------------------------------

class collector final : public record_visitor {
 public:
  void on_record(const journal::Record& record) override { MQLITE_REQUIRE(record.event_case() != 0); }
  void on_published(std::uint64_t topic, const stored_message_view& m) override {
    if (!writer_) writer_.emplace(topic);
    writer_->add(m);
    auto& out = *seen_.add_messages();
    out.set_id(m.id, message_id_size);
    out.set_queue(m.queue);
    out.set_payload(std::string(m.payload));
    out.set_not_before(m.not_before);
    out.set_deliveries(m.deliveries);
    out.set_leased_until(m.leased_until);
  }

  const journal::Published& seen() const { return seen_; }
  std::optional<published_record>& writer() { return writer_; }

 private:
  journal::Published seen_;
  std::optional<published_record> writer_;
};

void check_same(const journal::Published& seen, const journal::Published& expected) {
  MQLITE_REQUIRE(seen.messages_size() == expected.messages_size());
  for (int i = 0; i < seen.messages_size(); ++i) {
    const auto &one = seen.messages(i), &other = expected.messages(i);
    MQLITE_REQUIRE(one.id() == other.id() && one.queue() == other.queue() && one.payload() == other.payload());
    MQLITE_REQUIRE(one.not_before() == other.not_before() && one.deliveries() == other.deliveries());
    MQLITE_REQUIRE(one.leased_until() == other.leased_until());
  }
}

/// What was read, written anew and read again is the same.
void check_written_anew(collector& read) {
  if (!read.writer()) return;
  const auto framed = (*std::move(read.writer())).finish();
  collector again;
  const auto body = std::string_view(framed).substr(format::record_header_size);
  MQLITE_REQUIRE(record_decoder().decode(body, again) == record_decoder::outcome::visited);
  check_same(again.seen(), read.seen());
}

/// Whether the record can be decoded.
bool check_decoded(std::string_view body) {
  collector visitor;
  const auto how = record_decoder().decode(body, visitor);
  journal::Record expected;
  const bool sound = expected.ParseFromArray(body.data(), static_cast<int>(body.size()));
  if (how == record_decoder::outcome::malformed) return false;
  if (sound && expected.has_published()) check_same(visitor.seen(), expected.published());
  if (sound) MQLITE_REQUIRE((how == record_decoder::outcome::unknown) == (expected.event_case() == 0));
  check_written_anew(visitor);
  return true;
}

// -- files that were written ----------------------------------------------------------------------------------------------------

struct written_file {
  std::string bytes;
  std::vector<std::string> bodies;
  std::vector<std::uint64_t> ends;  ///< of the records

  explicit written_file(fuzz::input& in) {
    // Whoever sends payloads does not know the salt.
    const auto salt = crc32c(in.rest()) ^ 0x9e3779b9U;
    bytes = file_header(salt);
    while (!in.empty()) {
      const auto body = in.take(1 + in.byte());
      if (body.empty()) break;
      std::string framed(format::record_header_size, '\0');
      framed += body;
      seal_frame(framed);
      salt_frame(framed, salt);
      bytes += framed;
      bodies.emplace_back(body);
      ends.push_back(bytes.size());
    }
  }

  /// How many records lie wholly before a place.
  std::size_t before(std::uint64_t place) const {
    return static_cast<std::size_t>(std::count_if(ends.begin(), ends.end(), [&](auto end) { return end <= place; }));
  }
};

void check_recovered(const written_file& file, bool decodable) {
  test::faulty_file_system files;
  manifest known;
  known.incrs.push_back({name, file_state::open, 0});
  files.put(folder / name, file.bytes);
  files.put(folder / format::manifest_name, known.text());
  collector visitor;
  const auto recovered = recover(files, folder, visitor);
  MQLITE_REQUIRE(recovered.has_value() == decodable);
  if (recovered) MQLITE_REQUIRE(recovered->records == file.bodies.size() && recovered->bytes == file.bytes.size());
}

void check_sound(const written_file& file) {
  const auto read = read_file(file.bytes, file_state::open, 0);
  MQLITE_REQUIRE(!read.failed && !read.torn && read.bodies == file.bodies);
  const auto sealed = read_file(file.bytes, file_state::sealed, file.bytes.size());
  MQLITE_REQUIRE(!sealed.failed && sealed.bodies == file.bodies);
  const auto preallocated = read_file(file.bytes + std::string(100, '\0'), file_state::open, 0);
  MQLITE_REQUIRE(!preallocated.failed && !preallocated.torn && preallocated.bodies == file.bodies);
  bool decodable = true;
  for (const auto& body : file.bodies) decodable = check_decoded(body) && decodable;
  check_recovered(file, decodable);
}

/// The records that came back are those before the place, and no others.
void check_prefix(const contents& read, const written_file& file, std::size_t count) {
  MQLITE_REQUIRE(read.bodies.size() <= count);
  for (std::size_t i = 0; i < read.bodies.size(); ++i) MQLITE_REQUIRE(read.bodies[i] == file.bodies[i]);
}

void check_cut(const written_file& file, std::uint64_t place) {
  const auto bytes = file.bytes.substr(0, place);
  const auto read = read_file(bytes, file_state::open, 0);
  if (place < format::file_header_size) {
    MQLITE_REQUIRE(read.failed && read.bodies.empty());
    return;
  }
  MQLITE_REQUIRE(!read.failed && read.bodies.size() == file.before(place));
  check_prefix(read, file, file.before(place));
  MQLITE_REQUIRE(read_file(bytes, file_state::sealed, file.bytes.size()).failed == (place < file.bytes.size()));
}

void check_changed(const written_file& file, std::uint64_t place, unsigned change) {
  auto bytes = file.bytes;
  bytes[place] = static_cast<char>(static_cast<unsigned char>(bytes[place]) ^ change);
  const auto read = read_file(bytes, file_state::open, 0);
  check_prefix(read, file, place < format::file_header_size ? 0 : file.before(place));
  MQLITE_REQUIRE(read_file(bytes, file_state::sealed, bytes.size()).failed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  const auto how = in.byte();
  const auto place = in.byte() << 8 | in.byte();
  if (how % 4 == 0) {
    const std::string bytes(in.rest());
    read_file(bytes, file_state::open, 0);
    read_file(bytes, file_state::cut, place);
    read_file(bytes, file_state::sealed, place);
    return 0;
  }
  const written_file file(in);
  if (how % 4 == 1) check_sound(file);
  if (how % 4 == 2) check_cut(file, place % (file.bytes.size() + 1));
  if (how % 4 == 3) check_changed(file, place % file.bytes.size(), 1 + how / 4);
  return 0;
}
