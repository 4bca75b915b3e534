// A training's channels as tables: SageMaker's rules on names, content types and labels, and its words for what is
// wrong with them.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "algorithms/algorithm.h"
#include "base/result.h"
#include "data/dataset.h"
#include "data/libsvm.h"

namespace argosy::algorithms {

// Whether rows have a label.
enum class Supervision {
  kSupervised,    // exactly one
  kUnsupervised,  // none is looked at; one column may be one (label_size=1, or one column more than feature_dim)
};

// What an algorithm reads.
struct ChannelRules {
  std::string_view algorithm;
  std::span<const std::string_view> names;  // of its channels; of them train is required
  std::span<const data::Format> formats;
  Supervision supervision = Supervision::kSupervised;
  uint64_t rows_per_host_min = 0;  // of the train channel: with fewer, each of several hosts gets all of them
};

inline constexpr data::Format kTableFormats[] = {data::Format::kCsv, data::Format::kJsonLines, data::Format::kRecordIo,
                                                 data::Format::kParquet};

class ChannelReader {
 public:
  // All must outlive the reader.
  ChannelReader(const ChannelRules& rules, const TrainingRequest& request, TrainingObserver& observer)
      : rules_(rules), request_(request), observer_(observer) {}

  // kInvalidArgument when there is a channel of another name, or no train channel.
  Status CheckNames() const;
  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  // Of a channel that is there: as its content type says, else as its first file looks.
  Result<data::Format> FormatOf(std::string_view name) const;

  // The train channel, whose schema becomes that of the others. Unsupervised: `feature_dim` is the width that rows must
  // have without a label; `options` say that there is one when the user has named its column.
  Result<data::Dataset> ReadTrain(data::ProbeOptions options, std::optional<size_t> feature_dim = std::nullopt) const;
  // Another channel, nothing when there is none. `options` as for train.
  Result<std::optional<data::Dataset>> ReadOther(std::string_view name, std::shared_ptr<const data::TableSchema> schema,
                                                 data::ProbeOptions options,
                                                 std::optional<size_t> feature_dim = std::nullopt,
                                                 uint64_t rows_per_host_min = 0) const;
  // A channel that is there and whose format is kLibsvm.
  Result<data::SparseRows> ReadSparse(std::string_view name, uint64_t rows_per_host_min) const;

 private:
  struct Opened {
    data::TableFiles files;
    std::optional<bool> has_label;  // as the content type says
  };
  const Channel* Find(std::string_view name) const;
  Result<Opened> Open(const Channel& channel) const;
  void ApplyLabelRule(const Opened& opened, std::optional<size_t> feature_dim, data::ProbeOptions& options) const;
  data::ReadOptions Read(size_t bytes_max, uint64_t memory_share, data::BadRecords& bad) const;
  void TellPart(std::string_view name, const data::Dataset& table) const;
  uint64_t BadRecordsMax() const;
  void TellLeftOut(std::string_view name, const data::BadRecords& bad) const;

  const ChannelRules rules_;
  const TrainingRequest& request_;
  TrainingObserver& observer_;
};

}  // namespace argosy::algorithms
