// Assignments and reports from files and peers: refused, or the same after another round.
#include "protocol/messages.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace argosy;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto report = protocol::Report::FromJson(text); report.ok()) {
    const auto again = protocol::Report::FromJson(report->ToJson());
    Check(again.ok() && again->ToJson() == report->ToJson(), "a report changes on its way");
  }
  if (const auto assignment = protocol::Assignment::FromJson(text); assignment.ok()) {
    Check(protocol::Assignment::FromJson(assignment->ToJson()).ok(), "an assignment is lost on its way");
  }
  return 0;
}
