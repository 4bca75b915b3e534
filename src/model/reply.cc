#include "model/reply.h"

#include <algorithm>
#include <charconv>

#include "data/number.h"
#include "model/accept.h"

namespace argosy::model {

void AppendNumber(double value, std::string& out) {
  char text[32];
  const auto narrow = static_cast<float>(std::clamp(value, -data::kFloatMax, data::kFloatMax));
  const auto [end, code] = std::to_chars(text, text + sizeof text, narrow);
  out.append(text, end);
}

ReplyRows::ReplyRows(std::string_view type, std::string_view list, std::string& reply) : type_(type), reply_(reply) {
  if (type_ == kJson) reply_.append("{\"").append(list).append("\":[");
}

void ReplyRows::Begin() {
  if (type_ == kJson && rows_ > 0) reply_ += ',';
  ++rows_;
}

void ReplyRows::End() {
  if (type_ == kJsonLines || type_ == kCsv) reply_ += '\n';
}

void ReplyRows::Finish() {
  if (type_ == kJson) reply_ += "]}";
}

}  // namespace argosy::model
