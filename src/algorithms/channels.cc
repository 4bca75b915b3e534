#include "algorithms/channels.h"

#include <algorithm>
#include <array>

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

Error Invalid(std::string message) {
  return Error(ErrorCode::kInvalidArgument, std::move(message));
}

// SageMaker's default is RecordIO; a file that is none is taken for text.
data::Format FormatByContent(const Channel& channel) {
  for (const std::filesystem::path& file : channel.files) {
    const auto source = data::OpenByteSource(file, data::Compression::kAuto);
    if (!source) continue;
    std::array<char, data::kFrameHeaderBytes> head{};
    const auto n = (*source)->Read(head);
    if (!n || *n == 0) continue;
    return data::BeginsFrame(std::string_view(head.data(), *n)) ? data::Format::kRecordIo : data::Format::kCsv;
  }
  return data::Format::kCsv;
}

// SageMaker's words around what is wrong with the data itself.
Error Unreadable(const Channel& channel, data::Format format, const Error& error) {
  if (error.code() != ErrorCode::kInvalidArgument) return error.Wrap("channel '" + channel.name + "'");
  const std::string type = channel.content_type.empty() ? std::string(MediaTypeOf(format)) : channel.content_type;
  return Invalid("Unable to read data channel '" + channel.name + "'. Requested content-type is '" + type +
                 "'. Please verify the data matches the requested content-type. (caused by: " + error.message() + ")");
}

}  // namespace

ChannelReader::ChannelReader(std::string_view algorithm, std::span<const std::string_view> names,
                             Supervision supervision, const TrainingRequest& request, TrainingObserver& observer)
    : algorithm_(algorithm), names_(names), supervision_(supervision), request_(request), observer_(observer) {}

const Channel* ChannelReader::Find(std::string_view name) const {
  const auto at = std::find_if(request_.channels.begin(), request_.channels.end(),
                               [&](const Channel& channel) { return channel.name == name; });
  return at == request_.channels.end() ? nullptr : &*at;
}

Status ChannelReader::CheckNames() const {
  for (const Channel& channel : request_.channels) {
    if (std::find(names_.begin(), names_.end(), channel.name) != names_.end()) continue;
    std::string known;
    for (size_t i = 0; i < names_.size(); ++i) {
      known += (i == 0 ? "" : i + 1 == names_.size() ? " and " : ", ") + std::string(names_[i]);
    }
    return Invalid("channel '" + channel.name + "' is not known: " + std::string(algorithm_) + " has " + known);
  }
  return Has("train") ? Status() : Invalid("channel 'train' is required");
}

Result<ChannelReader::Opened> ChannelReader::Open(const Channel& channel) const {
  const std::string where = "channel '" + channel.name + "': ";
  Opened opened{.files = {.channel = channel.name, .files = channel.files}, .has_label = std::nullopt};
  if (channel.files.empty()) return Invalid(where + "it has no files");
  if (EqualsIgnoreCase(channel.compression, "gzip")) {
    opened.files.compression = data::Compression::kGzip;
  } else if (!channel.compression.empty() && !EqualsIgnoreCase(channel.compression, "none")) {
    return Invalid(where + "compression '" + channel.compression + "' is not known: use None or Gzip");
  }
  if (Trim(channel.content_type).empty()) {
    opened.files.format = FormatByContent(channel);
    return opened;
  }
  auto media = data::ParseMediaType(channel.content_type);
  if (!media) return media.error().Wrap("channel '" + channel.name + "'");
  const auto format = data::FormatOf(media->type);
  if (!format) {
    return Invalid(where + "content type '" + media->type + "' is not read by this " + std::string(algorithm_) +
                   ": use text/csv or application/x-recordio-protobuf");
  }
  opened.files.format = *format;
  const auto label_size = media->parameters.find("label_size");
  if (label_size == media->parameters.end()) return opened;
  if (supervision_ == Supervision::kSupervised && label_size->second != "1") {
    return Invalid(where + "content type '" + channel.content_type + "': " + std::string(algorithm_) +
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
  if (supervision_ == Supervision::kSupervised) return;
  options.label_kind = data::LabelKind::kIgnored;
  options.has_label = opened.has_label.value_or(false);
  if (!opened.has_label) options.label_when_wider_than = feature_dim;
}

data::ReadOptions ChannelReader::Read(size_t bytes_max, uint64_t memory_share) const {
  data::ReadOptions read;
  read.threads = std::max(1U, request_.threads);
  read.memory_bytes_max =
      request_.memory_bytes == 0
          ? bytes_max
          : static_cast<size_t>(std::min<uint64_t>(bytes_max, request_.memory_bytes / memory_share));
  read.scratch_dir = request_.scratch_dir.empty() ? std::filesystem::temp_directory_path() : request_.scratch_dir;
  read.stop = [this] { return observer_.StopRequested(); };
  return read;
}

Result<data::Dataset> ChannelReader::ReadTrain(data::ProbeOptions options, std::optional<size_t> feature_dim) const {
  const Channel& channel = *Find("train");
  auto opened = Open(channel);
  if (!opened) return opened.error();
  ApplyLabelRule(*opened, feature_dim, options);
  auto table = data::ReadNewTable(opened->files, options, Read(kTrainBytesMax, kTrainMemoryShare));
  if (!table) return Unreadable(channel, opened->files.format, table.error());
  return table;
}

Result<std::optional<data::Dataset>> ChannelReader::ReadOther(std::string_view name,
                                                              std::shared_ptr<const data::TableSchema> schema,
                                                              data::ProbeOptions options,
                                                              std::optional<size_t> feature_dim) const {
  const Channel* const channel = Find(name);
  if (channel == nullptr) return std::optional<data::Dataset>();
  auto opened = Open(*channel);
  if (!opened) return opened.error();
  ApplyLabelRule(*opened, feature_dim, options);
  auto table = data::ReadTable(opened->files, std::move(schema), options, Read(kOtherBytesMax, kOtherMemoryShare));
  if (!table) return Unreadable(*channel, opened->files.format, table.error());
  if (table->unseen_categories() > 0) {
    observer_.OnLogLine("channel '" + std::string(name) + "': " + std::to_string(table->unseen_categories()) +
                        " categorical fields hold a category that the training data does not have");
  }
  return std::optional<data::Dataset>(std::move(*table));
}

}  // namespace argosy::algorithms
