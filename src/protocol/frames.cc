#include "protocol/frames.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace argosy::protocol {
namespace {

static_assert(std::endian::native == std::endian::little, "frames are written as memory holds them");

constexpr size_t kReadBytes = 64 << 10;  // what one read asks for: a turn's worth of small frames

template <class T>
T Load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T>
char* Store(char* to, T value) {
  std::memcpy(to, &value, sizeof value);
  return to + sizeof value;
}

// Writes the header and returns where `payload_bytes` bytes of payload go.
char* AppendHeader(std::string& out, FrameKind kind, uint64_t id, size_t payload_bytes) {
  const size_t at = out.size();
  out.resize(at + kFrameHeaderBytes + payload_bytes);
  char* to = out.data() + at;
  to = Store<uint16_t>(to, kFrameMagic);
  to = Store<uint8_t>(to, kVersion);
  to = Store<uint8_t>(to, static_cast<uint8_t>(kind));
  to = Store<uint32_t>(to, static_cast<uint32_t>(payload_bytes));
  return Store<uint64_t>(to, id);
}

char* StoreText(char* to, std::string_view text) {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

constexpr size_t kPartFixedBytesMax = 3 * 2 + 2 * kFieldBytesMax;

Error Corrupt(std::string_view what) {
  return Error(ErrorCode::kCorrupt, "frame: " + std::string(what));
}

}  // namespace

std::optional<size_t> PayloadBytesMax(uint8_t kind) {
  switch (static_cast<FrameKind>(kind)) {
    case FrameKind::kHello:
    case FrameKind::kWelcome:
      return kHelloBytesMax;
    case FrameKind::kCommand:
      return kCommandBytesMax;
    case FrameKind::kReport:
      return kReportBytesMax;
    case FrameKind::kLog:
      return kLogBytesMax;
    case FrameKind::kPing:
    case FrameKind::kPong:
    case FrameKind::kCancel:
      return 0;
    case FrameKind::kGrant:
      return sizeof(uint32_t);
    case FrameKind::kInvoke:
    case FrameKind::kInvokeInParts:
      return kInvokeBytesMax;
    case FrameKind::kAnswer:
      return kAnswerBytesMax;
    case FrameKind::kPart:
      return kPartBytesMax + kPartFixedBytesMax;
  }
  return std::nullopt;
}

FrameReader::Room FrameReader::Space() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (buffer_.size() > kKeepBytesMax) buffer_ = std::vector<char>();
  }
  size_t wanted = kReadBytes;
  if (buffered() >= kFrameHeaderBytes) {
    // The announced length may not have been checked by Next() yet: never make room for more than a frame may have.
    const size_t length = Load<uint32_t>(buffer_.data() + begin_ + 4);
    const size_t length_max = PayloadBytesMax(Load<uint8_t>(buffer_.data() + begin_ + 3)).value_or(0);
    const size_t frame = kFrameHeaderBytes + std::min(length, length_max);
    if (frame > buffered()) wanted = std::max(wanted, frame - buffered());
  }
  if (buffer_.size() - end_ < wanted && begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, buffered());
    end_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() - end_ < wanted) buffer_.resize(end_ + wanted);
  return {buffer_.data() + end_, buffer_.size() - end_};
}

Result<std::optional<FrameView>> FrameReader::Next() {
  if (buffered() < kFrameHeaderBytes) return std::optional<FrameView>();
  const char* header = buffer_.data() + begin_;
  if (Load<uint16_t>(header) != kFrameMagic) return Corrupt("wrong magic");
  const uint8_t version = Load<uint8_t>(header + 2);
  if (version < 1 || version > kVersion) return Corrupt("version " + std::to_string(version) + " is not spoken here");
  const uint8_t kind = Load<uint8_t>(header + 3);
  const uint32_t length = Load<uint32_t>(header + 4);
  const std::optional<size_t> length_max = PayloadBytesMax(kind);
  if (!length_max) return Corrupt("unknown kind " + std::to_string(kind));
  if (length > *length_max) {
    return Corrupt("kind " + std::to_string(kind) + " with " + std::to_string(length) + " bytes, at most " +
                   std::to_string(*length_max) + " are allowed");
  }
  if (buffered() - kFrameHeaderBytes < length) return std::optional<FrameView>();
  FrameView frame;
  frame.kind = static_cast<FrameKind>(kind);
  frame.id = Load<uint64_t>(header + 8);
  frame.payload = std::string_view(header + kFrameHeaderBytes, length);
  begin_ += kFrameHeaderBytes + length;
  return std::optional<FrameView>(frame);
}

void AppendFrame(std::string& out, FrameKind kind, uint64_t id, std::string_view payload) {
  Check(payload.size() <= PayloadBytesMax(static_cast<uint8_t>(kind)).value_or(0), "frame payload over its bound");
  StoreText(AppendHeader(out, kind, id, payload.size()), payload);
}

std::string Hello::ToJson() const {
  Json json{{"version", version}, {"instance_id", instance_id}, {"owner_uid", owner_uid}, {"attempt", attempt}};
  if (!token.empty()) json["token"] = token;
  return DumpJson(json);
}

std::string Welcome::ToJson() const {
  return DumpJson(Json{{"version", version},
                       {"instance_id", instance_id},
                       {"owner_uid", owner_uid},
                       {"attempt", attempt},
                       {"log_offset", log_offset},
                       {"concurrency", concurrency},
                       {"parts", parts}});
}

namespace {

constexpr uint64_t kConcurrencyMax = 1 << 20;

// The members that hello and welcome share.
template <class T>
Result<T> ReadIdentity(const Json& json) {
  T out;
  if (!json.is_object()) return Corrupt("hello is no JSON object");
  const auto version = json.find("version");
  const auto instance = json.find("instance_id");
  const auto owner = json.find("owner_uid");
  const auto attempt = json.find("attempt");
  if (version == json.end() || !version->is_number_unsigned() || version->template get<uint64_t>() < 1 ||
      version->template get<uint64_t>() > static_cast<uint64_t>(kVersion)) {
    return Corrupt("hello of a version that is not spoken here");
  }
  if (instance == json.end() || !instance->is_string() || owner == json.end() || !owner->is_string() ||
      attempt == json.end() || !attempt->is_number_unsigned() || attempt->template get<uint64_t>() > UINT32_MAX) {
    return Corrupt("hello without instance_id, owner_uid or attempt");
  }
  out.version = version->template get<int>();
  out.instance_id = instance->template get<std::string>();
  out.owner_uid = owner->template get<std::string>();
  out.attempt = attempt->template get<uint32_t>();
  return out;
}

}  // namespace

Result<Hello> Hello::FromJson(std::string_view text) {
  Result<Json> json = ParseJson(text);
  if (!json.ok()) return json.error().Wrap("reading a hello");
  Result<Hello> out = ReadIdentity<Hello>(*json);
  if (!out.ok()) return out;
  const auto token = json->find("token");
  if (token != json->end() && token->is_string()) out->token = token->get<std::string>();
  return out;
}

Result<Welcome> Welcome::FromJson(std::string_view text) {
  Result<Json> json = ParseJson(text);
  if (!json.ok()) return json.error().Wrap("reading a welcome");
  Result<Welcome> out = ReadIdentity<Welcome>(*json);
  if (!out.ok()) return out;
  const auto offset = json->find("log_offset");
  if (offset == json->end() || !offset->is_number_unsigned()) return Corrupt("welcome without log_offset");
  out->log_offset = offset->get<uint64_t>();
  const auto concurrency = json->find("concurrency");
  if (concurrency != json->end() && concurrency->is_number_unsigned()) {
    out->concurrency = static_cast<uint32_t>(std::min<uint64_t>(concurrency->get<uint64_t>(), kConcurrencyMax));
  }
  const auto parts = json->find("parts");
  out->parts = parts != json->end() && parts->is_boolean() && parts->get<bool>();
  return out;
}

// Command payload: u8 kind, then each address as u32 length and bytes.
void AppendCommand(std::string& out, const Command& command) {
  std::string payload(1, static_cast<char>(command.kind));
  for (const std::string& address : command.addresses) {
    const auto size = static_cast<uint32_t>(address.size());
    payload.append(reinterpret_cast<const char*>(&size), sizeof size).append(address);
  }
  Check(payload.size() <= kCommandBytesMax, "a command over its bound");
  AppendFrame(out, FrameKind::kCommand, 0, payload);
}

Result<Command> ParseCommand(std::string_view payload) {
  if (payload.empty()) return Corrupt("an empty command");
  const auto kind = static_cast<CommandKind>(payload[0]);
  payload.remove_prefix(1);
  Command command{.kind = kind};
  if (kind != CommandKind::kStop && kind != CommandKind::kGroup) return Corrupt("unknown command");
  while (!payload.empty()) {
    uint32_t size = 0;
    if (payload.size() < sizeof size) return Corrupt("a torn command");
    std::memcpy(&size, payload.data(), sizeof size);
    payload.remove_prefix(sizeof size);
    if (payload.size() < size) return Corrupt("a torn command");
    command.addresses.emplace_back(payload.substr(0, size));
    payload.remove_prefix(size);
  }
  if (kind == CommandKind::kStop && !command.addresses.empty()) return Corrupt("a stop with addresses");
  return command;
}

// Invoke payload: u32 time left, then the four texts' lengths as u16, then the texts, then the body.
void AppendInvoke(std::string& out, uint64_t id, const InvokeView& invoke, FrameKind kind) {
  const std::string_view fields[] = {invoke.content_type, invoke.accept, invoke.custom_attributes, invoke.inference_id};
  constexpr size_t kFixed = 4 + 4 * 2;
  size_t size = kFixed + invoke.body.size();
  for (const std::string_view field : fields) {
    Check(field.size() <= kFieldBytesMax, "a field of an invocation over its bound");
    size += field.size();
  }
  Check(invoke.body.size() <= kInvokeBodyBytesMax, "an invocation's body over its bound");
  char* to = AppendHeader(out, kind, id, size);
  to = Store<uint32_t>(to, invoke.time_left_ms);
  for (const std::string_view field : fields) to = Store<uint16_t>(to, static_cast<uint16_t>(field.size()));
  for (const std::string_view field : fields) to = StoreText(to, field);
  StoreText(to, invoke.body);
}

Result<InvokeView> ParseInvoke(std::string_view payload) {
  constexpr size_t kFixed = 4 + 4 * 2;
  if (payload.size() < kFixed) return Corrupt("an invocation shorter than its fixed part");
  InvokeView out;
  out.time_left_ms = Load<uint32_t>(payload.data());
  size_t lengths[4];
  size_t total = 0;
  for (size_t i = 0; i < 4; ++i) {
    lengths[i] = Load<uint16_t>(payload.data() + 4 + 2 * i);
    if (lengths[i] > kFieldBytesMax) return Corrupt("a field of an invocation over its bound");
    total += lengths[i];
  }
  std::string_view rest = payload.substr(kFixed);
  if (total > rest.size()) return Corrupt("an invocation whose fields are longer than it");
  std::string_view* const fields[] = {&out.content_type, &out.accept, &out.custom_attributes, &out.inference_id};
  for (size_t i = 0; i < 4; ++i) {
    *fields[i] = rest.substr(0, lengths[i]);
    rest.remove_prefix(lengths[i]);
  }
  if (rest.size() > kInvokeBodyBytesMax) return Corrupt("an invocation's body over its bound");
  out.body = rest;
  return out;
}

// Answer payload: u16 status, the two texts' lengths as u16, the texts, the body.
void AppendAnswer(std::string& out, uint64_t id, const AnswerView& answer, FrameKind kind) {
  constexpr size_t kFixed = 3 * 2;
  Check(answer.content_type.size() <= kFieldBytesMax && answer.custom_attributes.size() <= kFieldBytesMax,
        "a field of an answer over its bound");
  const size_t size = kFixed + answer.content_type.size() + answer.custom_attributes.size() + answer.body.size();
  Check(size <= PayloadBytesMax(static_cast<uint8_t>(kind)).value_or(0), "an answer over its bound");
  char* to = AppendHeader(out, kind, id, size);
  to = Store<uint16_t>(to, answer.status);
  to = Store<uint16_t>(to, static_cast<uint16_t>(answer.content_type.size()));
  to = Store<uint16_t>(to, static_cast<uint16_t>(answer.custom_attributes.size()));
  to = StoreText(to, answer.content_type);
  to = StoreText(to, answer.custom_attributes);
  StoreText(to, answer.body);
}

Result<AnswerView> ParseAnswer(std::string_view payload) {
  constexpr size_t kFixed = 3 * 2;
  if (payload.size() < kFixed) return Corrupt("an answer shorter than its fixed part");
  AnswerView out;
  out.status = Load<uint16_t>(payload.data());
  const size_t type = Load<uint16_t>(payload.data() + 2);
  const size_t attributes = Load<uint16_t>(payload.data() + 4);
  if (out.status < 100 || out.status > 599) return Corrupt("an answer with an impossible status");
  if (type > kFieldBytesMax || attributes > kFieldBytesMax || type + attributes > payload.size() - kFixed) {
    return Corrupt("an answer whose fields are longer than it");
  }
  out.content_type = payload.substr(kFixed, type);
  out.custom_attributes = payload.substr(kFixed + type, attributes);
  out.body = payload.substr(kFixed + type + attributes);
  return out;
}

void AppendGrant(std::string& out, uint64_t id, uint32_t bytes) {
  Store<uint32_t>(AppendHeader(out, FrameKind::kGrant, id, sizeof bytes), bytes);
}

Result<uint32_t> ParseGrant(std::string_view payload) {
  if (payload.size() != sizeof(uint32_t)) return Corrupt("a grant that is no number");
  return Load<uint32_t>(payload.data());
}

}  // namespace argosy::protocol
