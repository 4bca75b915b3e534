#include "algorithms/linear/channels.h"

#include <algorithm>

#include "base/bytes.h"
#include "data/media_type.h"

namespace argosy::algorithms::linear {
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

const Channel* FindChannel(const TrainingRequest& request, std::string_view name) {
  const auto at = std::find_if(request.channels.begin(), request.channels.end(),
                               [&](const Channel& channel) { return channel.name == name; });
  return at == request.channels.end() ? nullptr : &*at;
}

Result<data::TableFiles> CheckChannel(const Channel& channel) {
  const std::string where = "channel '" + channel.name + "': ";
  auto media = data::ParseMediaType(Trim(channel.content_type).empty() ? "text/csv" : channel.content_type);
  if (!media) return media.error().Wrap("channel '" + channel.name + "'");
  if (media->type != "text/csv") {
    return Invalid(where + "content type '" + media->type + "' is not read by this linear-learner: use text/csv");
  }
  const auto label_size = media->parameters.find("label_size");
  if (label_size != media->parameters.end() && label_size->second != "1") {
    return Invalid(where + "content type '" + channel.content_type +
                   "': linear-learner is supervised, so its data needs exactly one label column (label_size=1)");
  }
  data::TableFiles files{channel.name, channel.files, data::Compression::kAuto};
  if (EqualsIgnoreCase(channel.compression, "gzip")) {
    files.compression = data::Compression::kGzip;
  } else if (!channel.compression.empty() && !EqualsIgnoreCase(channel.compression, "none")) {
    return Invalid(where + "compression '" + channel.compression + "' is not known: use None or Gzip");
  }
  if (files.files.empty()) return Invalid(where + "it has no files");
  return files;
}

// SageMaker's words around what is wrong with the data itself.
Error UnreadableChannel(const Channel& channel, const Error& error) {
  if (error.code() != ErrorCode::kInvalidArgument) return error.Wrap("channel '" + channel.name + "'");
  return Invalid("Unable to read data channel '" + channel.name + "'. Requested content-type is '" +
                 (channel.content_type.empty() ? "text/csv" : channel.content_type) +
                 "'. Please verify the data matches the requested content-type. (caused by: " + error.message() + ")");
}

}  // namespace

Result<ChannelData> ReadChannels(const TrainingRequest& request, const LinearSettings& settings,
                                 TrainingObserver& observer) {
  for (const Channel& channel : request.channels) {
    if (channel.name != "train" && channel.name != "validation" && channel.name != "test") {
      return Invalid("channel '" + channel.name + "' is not known: linear-learner has train, validation and test");
    }
  }
  const Channel* const train = FindChannel(request, "train");
  if (train == nullptr) return Invalid("channel 'train' is required");
  data::ReadOptions read;
  read.threads = std::max(1U, request.threads);
  read.scratch_dir = request.scratch_dir.empty() ? std::filesystem::temp_directory_path() : request.scratch_dir;
  read.stop = [&observer] { return observer.StopRequested(); };
  const auto bound = [&](size_t bytes_max, uint64_t share) {
    return request.memory_bytes == 0 ? bytes_max
                                     : static_cast<size_t>(std::min<uint64_t>(bytes_max, request.memory_bytes / share));
  };

  auto files = CheckChannel(*train);
  if (!files) return files.error();
  read.memory_bytes_max = bound(kTrainBytesMax, kTrainMemoryShare);
  auto rows = data::ReadNewTable(*files, settings.table, read);
  if (!rows) return UnreadableChannel(*train, rows.error());
  ChannelData channels{std::move(*rows), std::nullopt, std::nullopt};

  // Labels that were collected as text are classes now.
  data::ProbeOptions known = settings.table;
  if (settings.label_text) known.label_kind = data::LabelKind::kEncoded;
  const auto schema = std::make_shared<const data::TableSchema>(channels.train.schema());
  read.memory_bytes_max = bound(kOtherBytesMax, kOtherMemoryShare);
  for (const auto& [name, into] : {std::pair{"validation", &channels.validation}, std::pair{"test", &channels.test}}) {
    const Channel* const channel = FindChannel(request, name);
    if (channel == nullptr) continue;
    auto other = CheckChannel(*channel);
    if (!other) return other.error();
    auto table = data::ReadTable(*other, schema, known, read);
    if (!table) return UnreadableChannel(*channel, table.error());
    if (table->unseen_categories() > 0) {
      observer.OnLogLine("channel '" + std::string(name) + "': " + std::to_string(table->unseen_categories()) +
                         " categorical fields hold a category that the training data does not have");
    }
    *into = std::move(*table);
  }
  return channels;
}

}  // namespace argosy::algorithms::linear
