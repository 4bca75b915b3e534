// Which content type a reply gets, by the request's Accept header.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace argosy::model {

inline constexpr std::string_view kJson = "application/json";
inline constexpr std::string_view kJsonLines = "application/jsonlines";
inline constexpr std::string_view kCsv = "text/csv";
inline constexpr std::string_view kRecordIo = "application/x-recordio-protobuf";

// The best of `offered` for `accept` (RFC 9110, 12.5.1: a list with weights and wildcards; parameters other than q are
// let be), the first of `offered` for an empty one; among equals the one that `accept` names first, under a wildcard
// the one that is offered first. Nothing when none will do: 406.
std::optional<std::string_view> ChooseContentType(std::string_view accept, std::span<const std::string_view> offered);

}  // namespace argosy::model
