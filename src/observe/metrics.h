// Metrics as CloudWatch names them: a namespace, a name and dimensions; values over time in periods.
//
// Thread-safe. A sink never waits: what it takes is kept in memory and stored soon after; past its bound values are
// dropped and counted.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "observe/distribution.h"

namespace argosy::observe {

struct MetricKey {
  std::string name_space;  // "AWS/SageMaker"
  std::string name;        // "Invocations"
  std::map<std::string, std::string> dimensions;

  auto operator<=>(const MetricKey&) const = default;
};

struct MetricPeriod {
  Time start;
  std::string unit;  // of its values: "Count", "Microseconds", …; "None"
  Distribution values;
};

class MetricSink {
 public:
  virtual ~MetricSink() = default;
  virtual void Record(const MetricKey& key, Time at, const std::string& unit, const Distribution& values) = 0;
};

class MetricReader {
 public:
  virtual ~MetricReader() = default;
  // The periods of `length` (whole seconds, at least one) that have any values, ascending, from `begin` (cut down to a
  // multiple of the length) up to but without `end`. Values are known to the second for some minutes, to ten seconds
  // for some hours, to the minute for days: a shorter length than is still known gives what is known at its start.
  // Values of one metric in several units stay apart: a period for each. Reads the disk.
  virtual Result<std::vector<MetricPeriod>> Read(const MetricKey& key, Time begin, Time end, Duration length) = 0;
};

struct MetricFilter {
  std::string name_space;                                                      // "" = any
  std::string name;                                                            // "" = any
  std::vector<std::pair<std::string, std::optional<std::string>>> dimensions;  // has all of these; nothing = any value
  std::optional<Time> active_since;                                            // has values as new as that
};

class MetricDirectory {
 public:
  virtual ~MetricDirectory() = default;
  // The metrics there are, in order, at most `max`, from the one after `after` on.
  virtual std::vector<MetricKey> List(const MetricFilter& filter, const std::optional<MetricKey>& after,
                                      size_t max) = 0;
};

}  // namespace argosy::observe
