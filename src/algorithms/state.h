// The backbone of every built-in algorithm (after Liberty et al., "Elastic Machine Learning Algorithms in Amazon
// SageMaker", SIGMOD 2020): a state of fixed size that takes in batches and merges with others of its kind.
//
//   state.Update(batch)      takes rows in
//   state.Merge(other)       as if both had seen what either saw (exactly, or as the algorithm defines it)
//   state.Finalize()         the product: a model, a scaler, a set of metrics
//   state.Save() / Load()    all of it as bytes, for checkpoints and for other hosts
//
// Input is cut into a fixed number of virtual shards that depends on the data alone. Each shard feeds a state of its
// own, and states are merged in the fixed tree below; threads and hosts only decide who works on which shard. Hence the
// same bytes for any number of threads.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/state_bytes.h"

namespace argosy::algorithms {

template <class S, class Batch>
concept TrainingState = requires(S state, const S& other, const Batch& batch, std::string_view bytes) {
  state.Update(batch);
  state.Merge(other);
  other.Finalize();
  { other.Save() } -> std::same_as<std::string>;
  { state.Load(bytes) } -> std::same_as<Status>;
};

// Merges all states into states[0]: neighbours first, then neighbours of neighbours, so that the depth is logarithmic
// and the order fixed.
template <class S>
void MergeInTree(std::span<S> states) {
  for (size_t distance = 1; distance < states.size(); distance *= 2) {
    for (size_t i = 0; i + distance < states.size(); i += 2 * distance) states[i].Merge(states[i + distance]);
  }
}

// The states of all shards, one behind the other.
template <class State>
void SaveStates(std::span<const State> states, StateWriter& writer) {
  writer.Value(static_cast<uint64_t>(states.size()));
  for (const State& state : states) writer.Text(state.Save());
}

inline void WriteStates(std::span<const std::string> states, StateWriter& writer) {
  writer.Value(static_cast<uint64_t>(states.size()));
  for (const std::string& state : states) writer.Text(state);
}

inline void ReadStates(StateReader& reader, std::vector<std::string>& states) {
  uint64_t count = 0;
  reader.Value(count);
  states.clear();
  while (states.size() < count && !reader.failed()) reader.Text(states.emplace_back());
}

// kCorrupt when there are not as many.
template <class State>
Status LoadStates(std::span<const std::string> saved, std::span<State> states) {
  if (saved.size() != states.size()) return Error(ErrorCode::kCorrupt, "a checkpoint of another number of shards");
  for (size_t s = 0; s < states.size(); ++s) {
    if (Status loaded = states[s].Load(saved[s]); !loaded) return loaded;
  }
  return {};
}

}  // namespace argosy::algorithms
