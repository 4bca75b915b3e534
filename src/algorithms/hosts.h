// What a training on several hosts does that one on a single host does not: each works on some of the virtual shards,
// and between rounds they tell each other how they stand.
//
// Hosts whose shards are neighbours in the fixed tree, as they are when their number is a power of two
// (data/host_share.h), merge to the same bytes as one host.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "algorithms/state.h"
#include "base/state_bytes.h"
#include "collective/group.h"
#include "data/dataset.h"
#include "data/host_share.h"

namespace argosy::algorithms {

// `wanted` or somewhat fewer virtual shards, but as many as the hosts need to have whole ones.
inline size_t ShardCount(size_t wanted, const collective::Group& group) {
  return std::max(std::bit_floor(std::max<size_t>(1, wanted)), data::HostShare::PartsMin(group.size()));
}

// Of so many shards those that this host works on: first, and how many.
struct ShardRange {
  ShardRange(size_t shards, const collective::Group& group)
      : first(data::HostShare(group.rank(), group.size()).First(shards)),
        count(data::HostShare(group.rank(), group.size()).End(shards) - first) {}
  // Its share of what there is one of for each shard; whatever is not as it should be is left to who reads it.
  std::span<const std::string> Of(std::span<const std::string> all) const {
    return all.size() < first + count ? std::span<const std::string>() : all.subspan(first, count);
  }

  size_t first;
  size_t count;
};

// Of each host one state, by rank: merged into `state`, in the fixed tree, with no more of them in memory than it is
// deep.
template <class S>
Status MergeSaved(std::span<const std::string> saved, S& state) {
  std::vector<std::pair<size_t, S>> open;  // depth of what is merged already
  for (const std::string& bytes : saved) {
    std::pair<size_t, S> next(0, state);
    if (Status s = next.second.Load(bytes); !s) return s;
    while (!open.empty() && open.back().first == next.first) {
      open.back().second.Merge(next.second);
      next = std::pair<size_t, S>(next.first + 1, std::move(open.back().second));
      open.pop_back();
    }
    open.push_back(std::move(next));
  }
  for (; open.size() > 1; open.pop_back()) open[open.size() - 2].second.Merge(open.back().second);
  state = std::move(open.front().second);
  return {};
}

// Merges the states of this host's shards, and then those of all hosts, into states[0].
template <class S>
Status MergeAll(collective::Group& group, std::span<S> states) {
  MergeInTree(states);
  if (group.size() == 1) return {};
  const auto saved = group.AllGather(states[0].Save());
  if (!saved) return saved.error();
  return MergeSaved(*saved, states[0]);
}

// The saved states of all shards, in their order.
template <class S>
Result<std::vector<std::string>> GatherStates(collective::Group& group, std::span<const S> states) {
  StateWriter writer("states");
  SaveStates(states, writer);
  const auto gathered = group.AllGather(writer.Finish());
  if (!gathered) return gathered.error();
  std::vector<std::string> all;
  for (const std::string& bytes : *gathered) {
    StateReader reader("states", bytes);
    std::vector<std::string> some;
    ReadStates(reader, some);
    if (Status whole = reader.Finish(); !whole) return whole.error();
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  return all;
}

// The numbers of all hosts, one behind the other.
template <class T>
Result<std::vector<T>> GatherValues(collective::Group& group, std::span<const T> values) {
  const auto gathered = group.AllGather({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  if (!gathered) return gathered.error();
  std::vector<T> all;
  for (const std::string& bytes : *gathered) {
    const size_t before = all.size();
    all.resize(before + bytes.size() / sizeof(T));
    std::memcpy(all.data() + before, bytes.data(), bytes.size());
  }
  return all;
}

// How a round ended. Whether all are to stop or to save a checkpoint must be the same for all.
struct RoundEnd {
  uint64_t rows = 0;  // 0: there were none left
  bool stop = false;
  bool save = false;  // the head's word
};

// `divided`: those that the rows are divided among; where each host has all rows its own are all.
inline RoundEnd Together(std::span<const RoundEnd> ends, const collective::Group& divided, const RoundEnd& mine) {
  RoundEnd all{.save = ends.front().save};
  for (const RoundEnd& end : ends) {
    all.rows += end.rows;
    all.stop = all.stop || end.stop;
  }
  if (divided.size() == 1) all.rows = mine.rows;
  return all;
}

// `group`: all hosts, also where each has all rows.
inline Result<RoundEnd> Agree(collective::Group& group, const collective::Group& divided, const RoundEnd& mine) {
  if (group.size() == 1) return mine;
  const auto ends = collective::AllGatherValues(group, mine);
  if (!ends) return ends.error();
  return Together(*ends, divided, mine);
}

// The same, and in the one message the states: those that each host has merged become those of all hosts.
template <class S>
Result<RoundEnd> AgreeAndMerge(collective::Group& group, const collective::Group& divided, const RoundEnd& mine,
                               std::span<S* const> states) {
  if (divided.size() == 1) return Agree(group, divided, mine);
  StateWriter writer("round");
  writer.Value(mine);
  for (const S* state : states) writer.Text(state->Save());
  const auto gathered = group.AllGather(writer.Finish());
  if (!gathered) return gathered.error();
  const size_t hosts = gathered->size();
  std::vector<RoundEnd> ends(hosts);
  std::vector<std::vector<std::string>> saved(states.size(), std::vector<std::string>(hosts));
  for (size_t host = 0; host < hosts; ++host) {
    StateReader reader("round", (*gathered)[host]);
    reader.Value(ends[host]);
    for (std::vector<std::string>& of_state : saved) reader.Text(of_state[host]);
    if (Status whole = reader.Finish(); !whole) return whole.error();
  }
  for (size_t i = 0; i < states.size(); ++i) {
    if (Status s = MergeSaved<S>(saved[i], *states[i]); !s) return s.error();
  }
  return Together(ends, divided, mine);
}

}  // namespace argosy::algorithms
