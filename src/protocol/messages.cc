#include "protocol/messages.h"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/bytes.h"
#include "base/json.h"

namespace argosy::protocol {
namespace {

constexpr std::array kPhaseNames = {
    std::pair{AgentPhase::kStarting, std::string_view("starting")},
    std::pair{AgentPhase::kDownloading, std::string_view("downloading")},
    std::pair{AgentPhase::kTraining, std::string_view("training")},
    std::pair{AgentPhase::kUploading, std::string_view("uploading")},
    std::pair{AgentPhase::kReady, std::string_view("ready")},
    std::pair{AgentPhase::kFinished, std::string_view("finished")},
};
constexpr std::array kOutcomeNames = {
    std::pair{OutcomeKind::kSucceeded, std::string_view("succeeded")},
    std::pair{OutcomeKind::kFailed, std::string_view("failed")},
    std::pair{OutcomeKind::kStopped, std::string_view("stopped")},
    std::pair{OutcomeKind::kLostGroup, std::string_view("lost_group")},
};
constexpr std::array kRoleNames = {
    std::pair{Role::kTraining, std::string_view("training")},
    std::pair{Role::kServing, std::string_view("serving")},
};
constexpr size_t kListEntriesMax = 4096;  // phases and metrics of one report; more is a broken or hostile agent

template <class E, size_t N>
std::string_view NameOf(const std::array<std::pair<E, std::string_view>, N>& names, E value) {
  for (const auto& [candidate, name] : names) {
    if (candidate == value) return name;
  }
  return "unknown";
}

// Reads members of one JSON object; the first that is missing or of the wrong type makes the whole an error. Unknown
// members are let be: a newer peer may send more.
class ObjectReader {
 public:
  explicit ObjectReader(const Json& object) : object_(object) {
    if (!object.is_object()) Fail("the text", "an object");
  }

  std::string Text(const char* key) {
    const Json* member = Find(key);
    if (member == nullptr || !member->is_string()) return Fail(key, "a string"), std::string();
    return member->get<std::string>();
  }
  std::string TextOr(const char* key, std::string fallback) {
    return Find(key) == nullptr ? std::move(fallback) : Text(key);
  }
  uint64_t Unsigned(const char* key) {
    const Json* member = Find(key);
    if (member == nullptr || !member->is_number_unsigned()) return Fail(key, "a whole number from 0"), 0;
    return member->get<uint64_t>();
  }
  uint64_t UnsignedOr(const char* key, uint64_t fallback) { return Find(key) == nullptr ? fallback : Unsigned(key); }
  uint32_t Unsigned32(const char* key) {
    const uint64_t value = Unsigned(key);
    if (value > UINT32_MAX) Fail(key, "below 2^32");
    return static_cast<uint32_t>(value);
  }
  int64_t Integer(const char* key) {
    const Json* member = Find(key);
    if (member == nullptr || !member->is_number_integer()) return Fail(key, "a whole number"), 0;
    if (member->is_number_unsigned() && member->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) {
      return Fail(key, "below 2^63"), 0;
    }
    return member->get<int64_t>();
  }
  Time Instant(const char* key) { return FromUnixNanos(Integer(key)); }
  double Number(const char* key) {
    const Json* member = Find(key);
    if (member == nullptr || !member->is_number()) return Fail(key, "a number"), 0;
    return member->get<double>();
  }
  // The list's entries; an absent list is an empty one.
  const Json& List(const char* key) {
    static const Json kNone = Json::array();
    const Json* member = Find(key);
    if (member == nullptr) return kNone;
    if (!member->is_array() || member->size() > kListEntriesMax) return Fail(key, "a list of bounded length"), kNone;
    return *member;
  }
  template <class E, size_t N>
  E Enum(const char* key, const std::array<std::pair<E, std::string_view>, N>& names) {
    const std::string text = Text(key);
    for (const auto& [value, name] : names) {
      if (name == text) return value;
    }
    Fail(key, "one of the known words");
    return names[0].first;
  }
  const Json* Find(const char* key) const {
    if (!object_.is_object()) return nullptr;
    const auto it = object_.find(key);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
  }
  void Fail(std::string_view key, std::string_view wanted) {
    if (error_.empty()) error_.append("'").append(key).append("' must be ").append(wanted);
  }
  void Absorb(const ObjectReader& inner) {
    if (error_.empty()) error_ = inner.error_;
  }
  bool failed() const { return !error_.empty(); }
  Error error(std::string_view what) const {
    return Error(ErrorCode::kInvalidArgument, std::string("reading ").append(what).append(": ").append(error_));
  }

 private:
  const Json& object_;
  std::string error_;
};

Json OutcomeToJson(const AgentOutcome& outcome) {
  return Json{{"kind", NameOf(kOutcomeNames, outcome.kind)}, {"exit_code", outcome.exit_code},
              {"failure_reason", outcome.failure_reason},    {"staged_artifact", outcome.staged_artifact},
              {"staged_output", outcome.staged_output},      {"finished", ToUnixNanos(outcome.finished)}};
}

AgentOutcome OutcomeFromJson(const Json& json, ObjectReader& outer) {
  ObjectReader reader(json);
  AgentOutcome outcome;
  outcome.kind = reader.Enum("kind", kOutcomeNames);
  outcome.exit_code = static_cast<int>(reader.Integer("exit_code"));
  outcome.failure_reason = reader.TextOr("failure_reason", "");
  outcome.staged_artifact = reader.TextOr("staged_artifact", "");
  outcome.staged_output = reader.TextOr("staged_output", "");
  outcome.finished = reader.Instant("finished");
  outer.Absorb(reader);
  return outcome;
}

}  // namespace

std::string_view PhaseName(AgentPhase phase) {
  return NameOf(kPhaseNames, phase);
}

std::string Assignment::ToJson() const {
  Json json{{"version", version},
            {"role", NameOf(kRoleNames, role)},
            {"instance_id", instance_id},
            {"owner_uid", owner_uid},
            {"attempt", attempt},
            {"host", host},
            {"hosts", hosts},
            {"name", name},
            {"arn", arn},
            {"variant", variant},
            {"instance_type", instance_type},
            {"memory_bytes", memory_bytes},
            {"note", note},
            {"cpus", cpus},
            {"region", region},
            {"objects_dir", objects_dir},
            {"log_group", log_group},
            {"log_stream", log_stream},
            {"python", python}};
  if (session) {
    json["session"] = Json{{"access_key_id", session->access_key_id},
                           {"secret_access_key", session->secret_access_key},
                           {"token", session->token},
                           {"endpoint", session->endpoint},
                           {"reach", catalog::ReachToJson(session->reach)}};
  }
  // The request goes along as the text it was, so that both sides read it with the one parser.
  if (training) json["training"] = training->request_json;
  if (model) json["model"] = model->request_json;
  return DumpJson(json);
}

Result<Assignment> Assignment::FromJson(std::string_view text) {
  Result<Json> json = ParseJson(text);
  if (!json.ok()) return json.error().Wrap("reading an assignment");
  ObjectReader reader(*json);
  Assignment out;
  const uint64_t version = reader.Unsigned("version");
  if (!reader.failed() && (version < 1 || version > static_cast<uint64_t>(kVersion))) {
    reader.Fail("version", "from 1 to " + std::to_string(kVersion));
  }
  out.version = static_cast<int>(version);
  out.role = reader.Enum("role", kRoleNames);
  out.instance_id = reader.Text("instance_id");
  out.owner_uid = reader.Text("owner_uid");
  out.attempt = reader.Unsigned32("attempt");
  out.host = static_cast<uint32_t>(std::min<uint64_t>(reader.UnsignedOr("host", 0), UINT32_MAX));
  out.hosts = static_cast<uint32_t>(std::min<uint64_t>(reader.UnsignedOr("hosts", 1), UINT32_MAX));
  if (out.host >= out.hosts) reader.Fail("host", "below hosts");
  out.name = reader.TextOr("name", "");
  out.arn = reader.TextOr("arn", "");
  out.variant = reader.TextOr("variant", "");
  out.instance_type = reader.TextOr("instance_type", "");
  out.memory_bytes = reader.UnsignedOr("memory_bytes", 0);
  out.note = reader.TextOr("note", "");
  out.cpus = static_cast<uint32_t>(std::min<uint64_t>(reader.UnsignedOr("cpus", 1), UINT32_MAX));
  out.region = reader.TextOr("region", "");
  out.objects_dir = reader.TextOr("objects_dir", "");
  out.log_group = reader.TextOr("log_group", "");
  out.log_stream = reader.TextOr("log_stream", "");
  out.python = reader.TextOr("python", "");
  if (reader.failed()) return reader.error("an assignment");
  if (const Json* session = reader.Find("session"); session != nullptr) {
    if (!session->is_object()) return Error(ErrorCode::kCorrupt, "an assignment: session is no object");
    ObjectReader members(*session);
    out.session = Session{.access_key_id = members.Text("access_key_id"),
                          .secret_access_key = members.Text("secret_access_key"),
                          .token = members.Text("token"),
                          .endpoint = members.TextOr("endpoint", "")};
    if (members.failed()) return members.error("an assignment's session");
    const Json* const reach = members.Find("reach");
    if (reach != nullptr) out.session->reach = catalog::ReachFromJson(*reach);
  }
  if (reader.Find("training") != nullptr) {
    Result<catalog::TrainingJobSpec> spec = catalog::TrainingJobSpec::FromRequestJson(reader.Text("training"));
    if (reader.failed()) return reader.error("an assignment");
    if (!spec.ok()) return spec.error().Wrap("reading an assignment's job");
    out.training = std::move(*spec);
  }
  if (reader.Find("model") != nullptr) {
    Result<catalog::ModelSpec> spec = catalog::ModelSpec::FromRequestJson(reader.Text("model"));
    if (reader.failed()) return reader.error("an assignment");
    if (!spec.ok()) return spec.error().Wrap("reading an assignment's model");
    out.model = std::move(*spec);
  }
  return out;
}

std::string Report::ToJson() const {
  Json phases = Json::array();
  for (const PhaseTime& entry : phase_times) {
    phases.push_back(Json{{"phase", PhaseName(entry.phase)}, {"at", ToUnixNanos(entry.at)}});
  }
  Json values = Json::array();
  for (const MetricValue& metric : metrics) {
    if (!std::isfinite(metric.value)) continue;  // JSON has no word for them
    values.push_back(Json{{"name", metric.name}, {"value", metric.value}, {"at", ToUnixNanos(metric.timestamp)}});
  }
  Json json{{"version", kVersion},
            {"instance_id", instance_id},
            {"owner_uid", owner_uid},
            {"attempt", attempt},
            {"sequence", sequence},
            {"phase", PhaseName(phase)},
            {"phase_times", std::move(phases)},
            {"metrics", std::move(values)},
            {"progress", std::isfinite(progress) ? progress : 0.0},
            {"progress_text", progress_text},
            {"heartbeat", ToUnixNanos(heartbeat)}};
  if (checkpoint) {
    json["checkpoint"] = {{"number", checkpoint->number}, {"staged", checkpoint->staged}, {"name", checkpoint->name}};
  }
  if (!group_address.empty()) json["group_address"] = ToHex(group_address);
  if (outcome) json["outcome"] = OutcomeToJson(*outcome);
  return DumpJson(json);
}

Result<Report> Report::FromJson(std::string_view text) {
  Result<Json> json = ParseJson(text);
  if (!json.ok()) return json.error().Wrap("reading a report");
  ObjectReader reader(*json);
  Report out;
  out.instance_id = reader.Text("instance_id");
  out.owner_uid = reader.Text("owner_uid");
  out.attempt = reader.Unsigned32("attempt");
  out.sequence = reader.Unsigned("sequence");
  out.phase = reader.Enum("phase", kPhaseNames);
  for (const Json& entry : reader.List("phase_times")) {
    ObjectReader item(entry);
    out.phase_times.push_back({item.Enum("phase", kPhaseNames), item.Instant("at")});
    reader.Absorb(item);
  }
  for (const Json& entry : reader.List("metrics")) {
    ObjectReader item(entry);
    out.metrics.push_back({item.Text("name"), item.Number("value"), item.Instant("at")});
    reader.Absorb(item);
  }
  out.progress = reader.Find("progress") == nullptr ? 0 : reader.Number("progress");
  out.progress_text = reader.TextOr("progress_text", "");
  out.heartbeat = reader.Instant("heartbeat");
  if (const Json* checkpoint = reader.Find("checkpoint")) {
    ObjectReader item(*checkpoint);
    out.checkpoint = StagedCheckpoint{item.Unsigned("number"), item.Text("staged"), item.Text("name")};
    reader.Absorb(item);
  }
  const auto address = FromHex(reader.TextOr("group_address", ""));
  if (address && address->size() <= kGroupAddressBytesMax) {
    out.group_address = *address;
  } else {
    reader.Fail("group_address", "hexadecimal and short");
  }
  if (const Json* outcome = reader.Find("outcome")) out.outcome = OutcomeFromJson(*outcome, reader);
  if (reader.failed()) return reader.error("a report");
  return out;
}

}  // namespace argosy::protocol
