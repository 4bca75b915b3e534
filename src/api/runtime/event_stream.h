// application/vnd.amazon.eventstream: what InvokeEndpointWithResponseStream answers with.
//
// A message is: u32 total length, u32 length of the headers, u32 CRC-32 of these eight bytes; the headers (u8 length
// and name, u8 type, here always 7 for text, u16 length and value); the payload; u32 CRC-32 of all before it. Numbers
// are big-endian. Source: the protocol page of AWS's own runtimes; judge: botocore's parser.
#pragma once

#include <string>
#include <string_view>

namespace argosy::api {

inline constexpr std::string_view kEventStreamType = "application/vnd.amazon.eventstream";

// A piece of the answer.
void AppendPayloadPart(std::string& out, std::string_view bytes);

// The stream's end by an error; `payload` is a JSON object.
void AppendStreamException(std::string& out, std::string_view type, std::string_view payload);

}  // namespace argosy::api
