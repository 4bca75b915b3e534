#include "agent/router_hello.h"

namespace argosy::agent {

Status AnswerHello(protocol::FrameStream& stream, const protocol::FrameView& frame, const protocol::Hello& identity,
                   uint32_t concurrency) {
  const Result<protocol::Hello> hello = protocol::Hello::FromJson(frame.payload);
  if (!hello.ok()) return hello.error();
  if (hello->instance_id != identity.instance_id ||
      (!hello->owner_uid.empty() && (hello->owner_uid != identity.owner_uid || hello->attempt != identity.attempt))) {
    return Error(ErrorCode::kConflict, "the caller means another instance");
  }
  const protocol::Welcome welcome{.instance_id = identity.instance_id,
                                  .owner_uid = identity.owner_uid,
                                  .attempt = identity.attempt,
                                  .concurrency = concurrency,
                                  .parts = true};
  protocol::AppendFrame(stream.out(), protocol::FrameKind::kWelcome, frame.id, welcome.ToJson());
  return {};
}

}  // namespace argosy::agent
