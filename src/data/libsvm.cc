#include "data/libsvm.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/state_bytes.h"
#include "data/csv.h"
#include "data/file_parts.h"
#include "data/number.h"
#include "data/parallel_read.h"
#include "data/table_schema.h"

namespace argosy::data {
namespace {

Error InvalidToken(std::string_view token, std::string_view rule) {
  return Invalid("'" + CsvExcerpt(token) + "' " + std::string(rule));
}

bool IsBlank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

// The next token of the line, which is moved behind it; empty at the end.
std::string_view TakeToken(std::string_view& line) {
  size_t begin = 0;
  while (begin < line.size() && IsBlank(line[begin])) ++begin;
  size_t end = begin;
  while (end < line.size() && !IsBlank(line[end])) ++end;
  const std::string_view token = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return token;
}

// A finite number that a float can hold.
std::optional<float> FloatOf(std::string_view text) {
  const ParsedNumber number = ParseNumber(text.data(), text.data() + text.size());
  if (text.empty() || number.end != text.data() + text.size() || !(std::abs(number.value) <= kFloatMax)) {
    return std::nullopt;
  }
  return static_cast<float>(number.value);
}

// Rows of one block; taken back by going out of scope unless kept.
class Restorer {
 public:
  explicit Restorer(SparseRows& rows)
      : rows_(rows),
        sizes_{rows.labels.size(), rows.weights.size(), rows.groups.size(), rows.values.size()},
        width_(rows.width) {}
  ~Restorer() {
    if (kept_) return;
    rows_.labels.resize(sizes_[0]);
    rows_.weights.resize(sizes_[1]);
    rows_.groups.resize(sizes_[2]);
    rows_.columns.resize(sizes_[3]);
    rows_.values.resize(sizes_[3]);
    rows_.width = width_;
  }
  void Keep() { kept_ = true; }

 private:
  SparseRows& rows_;
  size_t sizes_[4];
  uint32_t width_;
  bool kept_ = false;
};

Status AppendLabel(std::string_view token, SparseRows& rows) {
  const size_t colon = token.find(':');
  const auto label = FloatOf(token.substr(0, colon));
  if (!label) return InvalidToken(token, "is no label: a row begins with a number");
  const size_t before = rows.labels.size();
  rows.labels.push_back(*label);
  if (colon == std::string_view::npos && rows.weights.empty()) return {};
  const auto weight = colon == std::string_view::npos ? 1.0F : FloatOf(token.substr(colon + 1));
  if (!weight || *weight < 0) return InvalidToken(token, "has a weight that is no number of 0 or more");
  rows.weights.resize(before, 1.0F);  // rows before this one had none
  rows.weights.push_back(*weight);
  return {};
}

Status AppendGroup(std::string_view token, SparseRows& rows) {
  const auto group = ParseInt(token.substr(4));
  if (!group || *group < 0 || *group > UINT32_MAX) return InvalidToken(token, "names no group: qid:<integer>");
  if (rows.groups.size() + 1 != rows.labels.size())
    return InvalidToken(token, "names a group where earlier rows do not");
  rows.groups.push_back(static_cast<uint32_t>(*group));
  return {};
}

Status AppendValue(std::string_view token, size_t row_begin, SparseRows& rows) {
  const size_t colon = token.find(':');
  if (colon == std::string_view::npos) return InvalidToken(token, "is no value: <column>:<number> is expected");
  const auto column = ParseInt(token.substr(0, colon));
  if (!column || *column < 0 || *column >= static_cast<int64_t>(kColumnsMax)) {
    return InvalidToken(token,
                        "names no column: an integer from 0 to " + std::to_string(kColumnsMax - 1) + " is expected");
  }
  const auto number = static_cast<uint32_t>(*column);
  if (rows.columns.size() > row_begin && number <= rows.columns.back()) {
    return InvalidToken(
        token, "comes behind column " + std::to_string(rows.columns.back()) + ": columns of a row must increase");
  }
  const std::string_view text = token.substr(colon + 1);
  if (EqualsIgnoreCase(text, "nan")) return {};  // missing, as if it were not there
  const auto value = FloatOf(text);
  if (!value) return InvalidToken(token, "has a value that is no number");
  rows.columns.push_back(number);
  rows.values.push_back(*value);
  rows.width = std::max(rows.width, number + 1);
  return {};
}

}  // namespace

Result<bool> AppendLibsvmRow(std::string_view line, LibsvmLabel label, SparseRows& rows) {
  line = line.substr(0, line.find('#'));
  std::string_view token = TakeToken(line);
  if (token.empty()) return false;
  if (rows.begins.empty()) rows.begins.push_back(0);
  const size_t row_begin = rows.values.size();
  Restorer restorer(rows);
  const bool unlabelled = label == LibsvmLabel::kOptional && token.find(':') != std::string_view::npos;
  if (unlabelled) {
    rows.labels.push_back(0);
    if (!rows.weights.empty()) rows.weights.push_back(1.0F);
  } else {
    if (Status s = AppendLabel(token, rows); !s) return s.error();
    token = TakeToken(line);
  }
  if (token.starts_with("qid:")) {
    if (Status s = AppendGroup(token, rows); !s) return s.error();
    token = TakeToken(line);
  } else if (!rows.groups.empty()) {
    return Error(ErrorCode::kInvalidArgument, "the row has no qid where earlier rows have one");
  }
  for (; !token.empty(); token = TakeToken(line)) {
    if (Status s = AppendValue(token, row_begin, rows); !s) return s.error();
  }
  rows.begins.push_back(rows.values.size());
  restorer.Keep();
  return true;
}

namespace {

constexpr const char* kRowsName = "rows";

Result<SparseRows> ParseBlock(const RecordBlock& block, std::string_view file_name, BadRecords* bad) {
  SparseRows rows;
  uint64_t line = block.first_record;
  std::string_view bytes = block.bytes;
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    auto appended = AppendLibsvmRow(bytes.substr(0, end), LibsvmLabel::kRequired, rows);
    if (!appended) {
      const Error error = appended.error().Wrap("file '" + std::string(file_name) + "', line " + std::to_string(line));
      if (bad == nullptr || !bad->Skip(error, block.index)) return error;
    }
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    ++line;
  }
  return rows;
}

// Behind `all`, whose memory was reserved.
Status Append(SparseRows& part, SparseRows& all) {
  const size_t before = all.rows();
  if (!part.groups.empty() != !all.groups.empty() && before > 0) {
    return Error(ErrorCode::kInvalidArgument, "some rows have a qid and some have none");
  }
  if (!part.weights.empty() || !all.weights.empty()) {
    all.weights.resize(before, 1.0F);
    part.weights.resize(part.rows(), 1.0F);
    all.weights.insert(all.weights.end(), part.weights.begin(), part.weights.end());
  }
  const uint64_t shift = all.values.size();
  for (size_t r = 1; r < part.begins.size(); ++r) all.begins.push_back(part.begins[r] + shift);
  all.labels.insert(all.labels.end(), part.labels.begin(), part.labels.end());
  all.groups.insert(all.groups.end(), part.groups.begin(), part.groups.end());
  all.columns.insert(all.columns.end(), part.columns.begin(), part.columns.end());
  all.values.insert(all.values.end(), part.values.begin(), part.values.end());
  all.width = std::max(all.width, part.width);
  part = SparseRows();
  return {};
}

// The rows of all hosts, on each.
Status GatherAll(collective::Group& group, SparseRows& rows) {
  StateWriter writer(kRowsName);
  writer.Values(std::span<const float>(rows.labels));
  writer.Values(std::span<const float>(rows.weights));
  writer.Values(std::span<const uint32_t>(rows.groups));
  writer.Values(std::span<const uint64_t>(rows.begins));
  writer.Values(std::span<const uint32_t>(rows.columns));
  writer.Values(std::span<const float>(rows.values));
  const auto gathered = group.AllGather(writer.Finish());
  if (!gathered) return gathered.error();
  SparseRows all;
  all.begins.push_back(0);
  for (const std::string& bytes : *gathered) {
    StateReader reader(kRowsName, bytes);
    SparseRows some;
    reader.Some(some.labels);
    reader.Some(some.weights);
    reader.Some(some.groups);
    reader.Some(some.begins);
    reader.Some(some.columns);
    reader.Some(some.values);
    if (Status whole = reader.Finish(); !whole) return whole;
    if (some.rows() == 0) continue;
    if (Status s = Append(some, all); !s) return s;
  }
  all.width = rows.width;
  rows = std::move(all);
  return {};
}

// What all hosts' rows have in common.
Status Agree(const ReadOptions& read, SparseRows& rows) {
  struct Have {
    uint64_t rows, width, weights, groups;
  };
  const Have mine{rows.rows(), rows.width, rows.weights.size(), rows.groups.size()};
  auto haves = collective::AllGatherValues(*read.group, mine);
  if (!haves) return haves.error();
  Have all{};
  for (const Have& have : *haves) {
    all = {all.rows + have.rows, std::max(all.width, have.width), all.weights + have.weights, all.groups + have.groups};
  }
  if (all.rows == 0) return Error(ErrorCode::kInvalidArgument, "it has no rows");
  if (all.groups != 0 && all.groups != all.rows) {
    return Error(ErrorCode::kInvalidArgument, "some rows have a qid and some have none");
  }
  rows.width = static_cast<uint32_t>(all.width);
  if (all.weights > 0) rows.weights.resize(rows.rows(), 1.0F);
  rows.divided = read.group->size() > 1 && all.rows / read.group->size() >= read.rows_per_host_min;
  if (read.group->size() > 1 && !rows.divided) {
    if (Status s = GatherAll(*read.group, rows); !s) return s;
  }
  rows.rows_of_all = all.rows;
  return {};
}

}  // namespace

bool LooksLikeLibsvm(std::string_view start) {
  const std::string_view line = start.substr(0, start.find('\n'));
  return line.find(':') != std::string_view::npos && line.find(',') == std::string_view::npos;
}

Result<SparseRows> ReadLibsvm(const TableFiles& table, const ReadOptions& read) {
  auto share = PartsHere(table, *read.group);
  if (!share) return share.error();
  RecordReader reader(table.files, Framing::kLines, table.compression, std::move(*share));
  std::mutex mutex;
  std::map<uint64_t, SparseRows> parts;  // guarded by mutex; by the block's place
  const Status status = ReadBlocks(reader, std::max(1U, read.threads), [&](unsigned, RecordBlock& block) -> Status {
    if (read.stop && read.stop()) return Error(ErrorCode::kCancelled, "stopped while reading the data");
    SparseRows rows;
    const auto parse = [&]() -> Status {
      auto parsed = ParseBlock(block, NameFor(table, block, read), read.bad);
      if (!parsed) return parsed.error();
      rows = std::move(*parsed);
      return {};
    };
    if (Status parsed = ParsePart(reader, block, parse); !parsed) return parsed;
    const std::lock_guard lock(mutex);
    parts.emplace(block.index, std::move(rows));
    return {};
  });
  if (!status) return status.error();
  SparseRows all;
  all.begins.push_back(0);
  for (auto& [index, part] : parts) {
    if (part.rows() == 0) continue;
    if (Status s = Append(part, all); !s) return s.error().Wrap("channel '" + table.channel + "'");
  }
  if (Status s = CheckLeftOut(read); !s) return s.error();
  if (Status s = Agree(read, all); !s) return s.error().Wrap("channel '" + table.channel + "'");
  return all;
}

}  // namespace argosy::data
