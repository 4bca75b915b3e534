#include "algorithms/linear/channels.h"

#include <array>
#include <limits>

#include "algorithms/channels.h"

namespace argosy::algorithms::linear {

Result<ChannelData> ReadChannels(const TrainingRequest& request, const LinearSettings& settings,
                                 TrainingObserver& observer) {
  static constexpr std::array<std::string_view, 3> kNames = {"train", "validation", "test"};
  const ChannelReader reader({"linear-learner", kNames, kTableFormats, Supervision::kSupervised, kRowsPerShardMin},
                             request, observer);
  if (Status known = reader.CheckNames(); !known) return known.error();
  auto rows = reader.ReadTrain(settings.table);
  if (!rows) return rows.error();
  ChannelData channels{std::move(*rows), std::nullopt, std::nullopt};

  // Labels that were collected as text are classes now.
  data::ProbeOptions options = settings.table;
  if (settings.label_text) options.label_kind = data::LabelKind::kEncoded;
  const auto schema = std::make_shared<const data::TableSchema>(channels.train.schema());
  for (const auto& [name, into] : {std::pair{"validation", &channels.validation}, std::pair{"test", &channels.test}}) {
    // Hosts that train by themselves also judge by themselves.
    const bool divided = channels.train.group().size() > 1;
    auto table =
        reader.ReadOther(name, schema, options, std::nullopt, divided ? 0 : std::numeric_limits<uint64_t>::max());
    if (!table) return table.error();
    *into = std::move(*table);
  }
  return channels;
}

}  // namespace argosy::algorithms::linear
