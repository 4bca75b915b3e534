// The log of a job or endpoint, read from the public API event by event.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "main/api_client.h"

namespace argosy::main {

struct LogLine {
  Time timestamp{};
  std::string stream;
  std::string message;
};

// Each Next() gives what was written since the one before, over all streams; the streams themselves are looked for anew
// each time. A group or stream that is not there yet is an empty answer.
class LogReader {
 public:
  LogReader(ApiClient* client, std::string group, std::string stream_prefix)
      : client_(client), group_(std::move(group)), stream_prefix_(std::move(stream_prefix)) {}

  Result<std::vector<LogLine>> Next();
  // Whether a stream has been seen.
  bool any() const { return !tokens_.empty(); }

 private:
  Result<std::vector<LogLine>> ReadStream(const std::string& stream);

  ApiClient* const client_;
  const std::string group_;
  const std::string stream_prefix_;
  std::map<std::string, std::string> tokens_;  // by stream: where to go on
};

inline constexpr std::string_view kTrainingLogGroup = "/aws/sagemaker/TrainingJobs";
std::string EndpointLogGroup(const std::string& endpoint);

}  // namespace argosy::main
