#include "main/log_reader.h"

#include <nlohmann/json.hpp>

#include "main/json_access.h"

namespace argosy::main {

std::string EndpointLogGroup(const std::string& endpoint) {
  return "/aws/sagemaker/Endpoints/" + endpoint;
}

Result<std::vector<LogLine>> LogReader::ReadStream(const std::string& stream) {
  constexpr int kPagesMax = 1000;  // a page is up to 10,000 events: what is left comes with the next call
  std::vector<LogLine> lines;
  for (int page = 0; page < kPagesMax; ++page) {
    Json request = {{"logGroupName", group_}, {"logStreamName", stream}, {"startFromHead", true}};
    std::string& token = tokens_[stream];
    if (!token.empty()) request["nextToken"] = token;
    const Result<Json> answer = client_->Logs("GetLogEvents", request);
    if (!answer.ok()) {
      if (answer.error().code() == ErrorCode::kNotFound) break;
      return answer.error();
    }
    for (const Json& event : ArrayAt(*answer, "events")) {
      lines.push_back({FromUnixMillis(static_cast<int64_t>(NumberAt(event, "timestamp").value_or(0))), stream,
                       TextAt(event, "message")});
    }
    const std::string next = TextAt(*answer, "nextForwardToken");
    const bool end = next == token || next.empty() || ArrayAt(*answer, "events").empty();
    if (!next.empty()) token = next;
    if (end) break;
  }
  return lines;
}

Result<std::vector<LogLine>> LogReader::Next() {
  Json request = {{"logGroupName", group_}};
  if (!stream_prefix_.empty()) request["logStreamNamePrefix"] = stream_prefix_;
  std::string token;
  do {
    if (!token.empty()) request["nextToken"] = token;
    const Result<Json> answer = client_->Logs("DescribeLogStreams", request);
    if (!answer.ok()) {
      if (answer.error().code() == ErrorCode::kNotFound) return std::vector<LogLine>();
      return answer.error();
    }
    for (const Json& stream : ArrayAt(*answer, "logStreams")) tokens_.try_emplace(TextAt(stream, "logStreamName"));
    token = TextAt(*answer, "nextToken");
  } while (!token.empty());

  // A multimap keeps the order of a stream where times are equal.
  std::multimap<Time, LogLine> by_time;
  for (const auto& [stream, position] : tokens_) {
    Result<std::vector<LogLine>> lines = ReadStream(stream);
    if (!lines.ok()) return lines.error();
    for (LogLine& line : *lines) by_time.emplace(line.timestamp, std::move(line));
  }
  std::vector<LogLine> all;
  for (auto& [time, line] : by_time) all.push_back(std::move(line));
  return all;
}

}  // namespace argosy::main
