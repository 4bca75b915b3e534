#include "algorithms/checkpoints.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "algorithms/hyperparameters.h"
#include "base/files.h"
#include "base/json.h"
#include "base/random.h"

namespace argosy::algorithms {
namespace {

constexpr const char* kName = "argosy-checkpoint-2";
constexpr size_t kCheckpointBytesMax = size_t{4} << 30;
constexpr int kSaveShare = 20;

// 64 bits of a text, each of them depending on all of it.
uint64_t NumberOf(std::string_view text) {
  uint64_t number = text.size();
  for (size_t i = 0; i < text.size(); i += sizeof(uint64_t)) {
    uint64_t word = 0;
    text.copy(reinterpret_cast<char*>(&word), sizeof word, i);
    number = MixSeed(number, word, i);
  }
  return number;
}

Json Describe(std::string_view algorithm, const TrainingRequest& request,
              std::initializer_list<std::string_view> changeable) {
  Json hyperparameters = Json::object();
  for (const auto& [name, value] : request.hyperparameters) {
    const bool counts = std::ranges::find(changeable, name) == changeable.end() && name != declare::kCheckpointSeconds;
    if (counts) hyperparameters[name] = value;
  }
  Json channels = Json::array();
  for (const Channel& channel : request.channels) {
    Json files = Json::array();
    for (const data::InputFile& file : channel.files) {
      // Two tables may be called alike and be of one size, as records of numbers are: when they were written tells.
      std::error_code ignored;
      const auto written = std::filesystem::last_write_time(file.path, ignored).time_since_epoch().count();
      files.push_back({file.name, std::filesystem::file_size(file.path, ignored), written});
    }
    channels.push_back({channel.name, channel.content_type, channel.compression, std::move(files)});
  }
  Json model = Json::array();
  std::error_code ignored;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(request.initial_model, ignored)) {
    if (!entry.is_regular_file(ignored)) continue;
    // Unpacked anew by each attempt, so that its time tells nothing.
    const auto bytes = ReadFile(entry.path(), kCheckpointBytesMax);
    model.push_back({entry.path().filename().string(), bytes.ok() ? NumberOf(*bytes) : 0});
  }
  std::sort(model.begin(), model.end());
  return {algorithm,           std::move(hyperparameters), request.seed,
          std::move(channels), std::move(model),           request.group->size()};
}

}  // namespace

Error UnfitCheckpoint() {
  return Error(ErrorCode::kCorrupt,
               "the checkpoint holds what this training does not save: remove it, and the training begins anew");
}

Checkpoints::Checkpoints(std::string_view algorithm, const TrainingRequest& request, TrainingObserver& observer,
                         std::initializer_list<std::string_view> changeable)
    : request_(request), observer_(observer) {
  if (!enabled()) return;
  belongs_to_ = NumberOf(DumpJson(Describe(algorithm, request, changeable)));
  const auto given = request.hyperparameters.find(std::string(declare::kCheckpointSeconds));
  const auto seconds = given == request.hyperparameters.end() ? std::nullopt : ParseDouble(given->second);
  interval_ = std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(seconds.value_or(declare::kCheckpointSecondsDefault)));
  next_ = clock_.Monotonic() + interval_;
}

Result<std::string> Checkpoints::Find() const {
  if (!enabled() || !std::filesystem::exists(File())) return std::string();
  auto bytes = ReadFile(File(), kCheckpointBytesMax);
  if (!bytes) return bytes.error().Wrap("reading the checkpoint");
  StateReader reader(kName, *bytes);
  uint64_t belongs_to = 0;
  reader.Value(belongs_to);
  if (reader.failed()) {
    observer_.OnLogLine("the checkpoint is damaged: the training begins anew");
    return std::string();
  }
  if (belongs_to != belongs_to_) {
    observer_.OnLogLine(
        "the checkpoint is of a training with other hyperparameters or data: this one begins at the start");
    return std::string();
  }
  return bytes;
}

Result<bool> Checkpoints::Resume(const std::function<Status(StateReader&)>& read) {
  // With objects of its own, each host knows only a part of the data.
  const auto parts = collective::AllGatherValues(*request_.group, belongs_to_);
  if (!parts) return parts.error();
  belongs_to_ = std::accumulate(parts->begin(), parts->end(), uint64_t{0},
                                [](uint64_t all, uint64_t part) { return MixSeed(all, part, 0); });
  auto found = Find();
  if (!found) return found.error();
  const auto bytes = collective::Broadcast(*request_.group, *found);
  if (!bytes) return bytes.error();
  if (bytes->empty()) return false;
  StateReader reader(kName, *bytes);
  uint64_t belongs_to = 0;
  reader.Value(belongs_to);
  if (Status s = read(reader); !s) return s.error();
  if (Status whole = reader.Finish(); !whole) return whole.error();
  return true;
}

bool Checkpoints::Due() const {
  return enabled() && clock_.Monotonic() >= next_;
}

void Checkpoints::Save(const std::function<void(StateWriter&)>& write) {
  if (!enabled()) return;
  const Duration begin = clock_.Monotonic();
  StateWriter writer(kName);
  writer.Value(belongs_to_);
  write(writer);
  const Status written = WriteFileDurably(File(), writer.Finish());
  if (written.ok()) {
    observer_.OnCheckpoint(File());
  } else {
    observer_.OnLogLine("a checkpoint could not be written: " + written.error().message());
  }
  const Duration end = clock_.Monotonic();
  if (interval_ > Duration::zero()) next_ = end + std::max(interval_, kSaveShare * (end - begin));
}

}  // namespace argosy::algorithms
