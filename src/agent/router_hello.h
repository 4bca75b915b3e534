// The first word on a router's connection to a serving agent.
#pragma once

#include "protocol/frame_stream.h"

namespace argosy::agent {

// `concurrency`: so many requests are worked on side by side, 0 for a built-in model. Answers a hello with a welcome;
// an error, which ends the connection, when the caller means another instance.
Status AnswerHello(protocol::FrameStream& stream, const protocol::FrameView& frame, const protocol::Hello& identity,
                   uint32_t concurrency);

}  // namespace argosy::agent
