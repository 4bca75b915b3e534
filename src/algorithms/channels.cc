#include "algorithms/channels.h"

#include <algorithm>
#include <array>
#include <optional>

#include "algorithms/hyperparameters.h"
#include "base/bytes.h"
#include "data/media_type.h"
#include "data/recordio.h"

namespace argosy::algorithms {
namespace {

// Parsed rows kept in memory; what is beyond goes to the scratch directory. The training channel is read many times,
// the others once an epoch.
constexpr size_t kTrainBytesMax = 128 << 20;
constexpr size_t kOtherBytesMax = 32 << 20;
// Of an instance's memory, when that is less.
constexpr uint64_t kTrainMemoryShare = 8;
constexpr uint64_t kOtherMemoryShare = 16;

// SageMaker's defaults, RecordIO and for XGBoost LIBSVM's text, as far as the first file with a text looks so; else
// CSV. Nothing when there is no text.
std::optional<data::Format> FormatHere(const Channel& channel, std::span<const data::Format> formats) {
  for (const data::InputFile& file : channel.files) {
    if (data::IsParquet(file.path)) return data::Format::kParquet;
    const auto source = data::OpenByteSource(file, data::Compression::kAuto);
    if (!source) continue;
    std::array<char, 4096> head{};
    const auto n = (*source)->Read(head);
    if (!n || *n == 0) continue;
    const std::string_view text(head.data(), *n);
    if (data::BeginsFrame(text)) return data::Format::kRecordIo;
    if (Trim(text).starts_with('{')) return data::Format::kJsonLines;
    const bool libsvm = std::ranges::find(formats, data::Format::kLibsvm) != formats.end();
    return libsvm && data::LooksLikeLibsvm(text) ? data::Format::kLibsvm : data::Format::kCsv;
  }
  return std::nullopt;
}

// Hosts with files of their own go by the first of them that has any text.
Result<data::Format> FormatByContent(const Channel& channel, std::span<const data::Format> formats,
                                     collective::Group& group) {
  const std::optional<data::Format> here = FormatHere(channel, formats);
  if (!channel.own) return here.value_or(data::Format::kCsv);
  const auto all = collective::AllGatherValues<int>(group, here ? static_cast<int>(*here) : -1);
  if (!all) return all.error();
  const auto known = std::ranges::find_if(*all, [](int format) { return format >= 0; });
  return known == all->end() ? data::Format::kCsv : static_cast<data::Format>(*known);
}

// "text/csv, text/libsvm or application/x-recordio-protobuf"
std::string ListOf(std::span<const data::Format> formats) {
  std::string list;
  for (size_t i = 0; i < formats.size(); ++i) {
    list += (i == 0 ? "" : i + 1 == formats.size() ? " or " : ", ") + std::string(MediaTypeOf(formats[i]));
  }
  return list;
}

// SageMaker's words around what is wrong with the data itself.
Error Unreadable(const Channel& channel, data::Format format, const Error& error) {
  if (error.code() != ErrorCode::kInvalidArgument) return error.Wrap("channel '" + channel.name + "'");
  const std::string type = channel.content_type.empty() ? std::string(MediaTypeOf(format)) : channel.content_type;
  return Invalid("Unable to read data channel '" + channel.name + "'. Requested content-type is '" + type +
                 "'. Please verify the data matches the requested content-type. (caused by: " + error.message() + ")");
}

// An error when more records are bad than may be left out.
Error TooMany(const data::BadRecords& bad, const Error& error) {
  if (bad.max() == 0 || bad.count() <= bad.max()) return error;
  return Invalid("more than " + std::to_string(bad.max()) + " records (" + std::string(declare::kBadRecordsMax) +
                 ") cannot be read, the first: " + bad.first());
}

}  // namespace

const Channel* ChannelReader::Find(std::string_view name) const {
  const auto at = std::find_if(request_.channels.begin(), request_.channels.end(),
                               [&](const Channel& channel) { return channel.name == name; });
  return at == request_.channels.end() ? nullptr : &*at;
}

Status ChannelReader::CheckNames() const {
  for (const Channel& channel : request_.channels) {
    if (std::find(rules_.names.begin(), rules_.names.end(), channel.name) != rules_.names.end()) continue;
    std::string known;
    for (size_t i = 0; i < rules_.names.size(); ++i) {
      known += (i == 0 ? "" : i + 1 == rules_.names.size() ? " and " : ", ") + std::string(rules_.names[i]);
    }
    return Invalid("channel '" + channel.name + "' is not known: " + std::string(rules_.algorithm) + " has " + known);
  }
  return Has("train") ? Status() : Invalid("channel 'train' is required");
}

Result<ChannelReader::Opened> ChannelReader::Open(const Channel& channel) const {
  const std::string where = "channel '" + channel.name + "': ";
  Opened opened{.files = {.channel = channel.name, .files = channel.files}, .has_label = std::nullopt};
  if (channel.files.empty() && !channel.own) return Invalid(where + "it has no files");
  opened.files.own = channel.own;
  if (EqualsIgnoreCase(channel.compression, "gzip")) {
    opened.files.compression = data::Compression::kGzip;
  } else if (!channel.compression.empty() && !EqualsIgnoreCase(channel.compression, "none")) {
    return Invalid(where + "compression '" + channel.compression + "' is not known: use None or Gzip");
  }
  if (Trim(channel.content_type).empty()) {
    const auto format = FormatByContent(channel, rules_.formats, *request_.group);
    if (!format) return format.error();
    opened.files.format = *format;
    return opened;
  }
  auto media = data::ParseMediaType(channel.content_type);
  if (!media) return media.error().Wrap("channel '" + channel.name + "'");
  const auto format = data::FormatOf(media->type);
  if (!format || std::ranges::find(rules_.formats, *format) == rules_.formats.end()) {
    return Invalid(where + "content type '" + media->type + "' is not read by this " + std::string(rules_.algorithm) +
                   ": use " + ListOf(rules_.formats));
  }
  if (*format == data::Format::kParquet && opened.files.compression != data::Compression::kAuto) {
    return Invalid(where + "Parquet is compressed inside: its CompressionType is None");
  }
  opened.files.format = *format;
  const auto label_size = media->parameters.find("label_size");
  if (label_size == media->parameters.end()) return opened;
  if (rules_.supervision == Supervision::kSupervised && label_size->second != "1") {
    return Invalid(where + "content type '" + channel.content_type + "': " + std::string(rules_.algorithm) +
                   " is supervised, so its data needs exactly one label column (label_size=1)");
  }
  if (label_size->second != "0" && label_size->second != "1") {
    return Invalid(where + "content type '" + channel.content_type + "': label_size may be 0 or 1");
  }
  opened.has_label = label_size->second == "1";
  return opened;
}

void ChannelReader::ApplyLabelRule(const Opened& opened, std::optional<size_t> feature_dim,
                                   data::ProbeOptions& options) const {
  if (rules_.supervision == Supervision::kSupervised) return;
  options.label_kind = data::LabelKind::kIgnored;
  if (options.has_label) return;  // the user has named it
  options.has_label = opened.has_label.value_or(false);
  if (!opened.has_label) options.label_when_wider_than = feature_dim;
}

data::ReadOptions ChannelReader::Read(size_t bytes_max, uint64_t memory_share, data::BadRecords& bad) const {
  data::ReadOptions read;
  read.bad = &bad;
  read.threads = std::max(1U, request_.threads);
  read.memory_bytes_max =
      request_.memory_bytes == 0
          ? bytes_max
          : static_cast<size_t>(std::min<uint64_t>(bytes_max, request_.memory_bytes / memory_share));
  read.scratch_dir = request_.scratch_dir.empty() ? std::filesystem::temp_directory_path() : request_.scratch_dir;
  read.group = request_.group;
  read.stop = [this] { return observer_.StopRequested(); };
  return read;
}

uint64_t ChannelReader::BadRecordsMax() const {
  const auto given = request_.hyperparameters.find(std::string(declare::kBadRecordsMax));
  const auto max = given == request_.hyperparameters.end() ? std::nullopt : ParseInt(given->second);
  return max && *max > 0 ? static_cast<uint64_t>(*max) : 0;
}

void ChannelReader::TellLeftOut(std::string_view name, const data::BadRecords& bad) const {
  if (bad.count() == 0) return;
  observer_.OnLogLine("channel '" + std::string(name) + "': " + std::to_string(bad.count()) +
                      " records could not be read and are left out, the first: " + bad.first());
}

// What of a channel this host has read, where there are others.
void ChannelReader::TellPart(std::string_view name, const data::Dataset& table) const {
  if (request_.group->size() == 1) return;
  observer_.OnLogLine("channel '" + std::string(name) + "': read " + std::to_string(table.bytes_read()) + " bytes, " +
                      std::to_string(table.rows_read()) + " of " + std::to_string(table.rows().row_count()) +
                      " rows, on this host");
}

Result<data::Format> ChannelReader::FormatOf(std::string_view name) const {
  auto opened = Open(*Find(name));
  if (!opened) return opened.error();
  return opened->files.format;
}

Result<data::SparseRows> ChannelReader::ReadSparse(std::string_view name, uint64_t rows_per_host_min) const {
  const Channel& channel = *Find(name);
  auto opened = Open(channel);
  if (!opened) return opened.error();
  data::BadRecords bad(BadRecordsMax());
  data::ReadOptions read = Read(0, 1, bad);
  read.rows_per_host_min = rows_per_host_min;
  auto rows = data::ReadLibsvm(opened->files, read);
  if (!rows) return Unreadable(channel, opened->files.format, TooMany(bad, rows.error()));
  TellLeftOut(name, bad);
  return rows;
}

Result<data::Dataset> ChannelReader::ReadTrain(data::ProbeOptions options, std::optional<size_t> feature_dim) const {
  const Channel& channel = *Find("train");
  auto opened = Open(channel);
  if (!opened) return opened.error();
  ApplyLabelRule(*opened, feature_dim, options);
  data::BadRecords bad(BadRecordsMax());
  options.lenient = bad.max() > 0;
  data::ReadOptions read = Read(kTrainBytesMax, kTrainMemoryShare, bad);
  read.rows_per_host_min = rules_.rows_per_host_min;
  auto table = data::ReadNewTable(opened->files, options, read);
  if (!table) return Unreadable(channel, opened->files.format, TooMany(bad, table.error()));
  TellLeftOut(channel.name, bad);
  TellPart(channel.name, *table);
  return table;
}

Result<std::optional<data::Dataset>> ChannelReader::ReadOther(std::string_view name,
                                                              std::shared_ptr<const data::TableSchema> schema,
                                                              data::ProbeOptions options,
                                                              std::optional<size_t> feature_dim,
                                                              uint64_t rows_per_host_min) const {
  const Channel* const channel = Find(name);
  if (channel == nullptr) return std::optional<data::Dataset>();
  auto opened = Open(*channel);
  if (!opened) return opened.error();
  ApplyLabelRule(*opened, feature_dim, options);
  data::BadRecords bad(BadRecordsMax());
  options.lenient = bad.max() > 0;
  data::ReadOptions read = Read(kOtherBytesMax, kOtherMemoryShare, bad);
  read.rows_per_host_min = rows_per_host_min;
  auto table = data::ReadTable(opened->files, std::move(schema), options, read);
  if (!table) return Unreadable(*channel, opened->files.format, TooMany(bad, table.error()));
  TellLeftOut(name, bad);
  TellPart(name, *table);
  if (table->unseen_categories() > 0) {
    observer_.OnLogLine("channel '" + std::string(name) + "': " + std::to_string(table->unseen_categories()) +
                        " categorical fields hold a category that the training data does not have");
  }
  return std::optional<data::Dataset>(std::move(*table));
}

}  // namespace argosy::algorithms
