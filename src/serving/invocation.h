// One request to an endpoint on its way through the router, and what becomes of it.
//
// Made by who takes the request in (api/runtime), owned by the router until it has been told the end: exactly one of
// OnAnswer and OnFailure is called, then it is destroyed. All on the loop it was given to.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "protocol/frames.h"

namespace argosy::serving {

struct InvocationView {
  std::string_view endpoint;
  std::string_view target_variant;  // "" = any, by weight
  std::string_view content_type;
  std::string_view accept;
  std::string_view custom_attributes;
  std::string_view inference_id;
  std::string_view body;
};

enum class InvocationFailure {
  kUnknownEndpoint,
  kUnknownVariant,  // of `target_variant`
  kBusy,            // the bound on waiting requests is reached: at once, try again soon
  kTimedOut,        // no answer within the time a request has
  kNoInstance,      // none of its instances answers at present; they are being started
  kInstanceLost,    // its instance went away, and so did the one it was tried on again, or there is no other
};

class Invocation {
 public:
  virtual ~Invocation() = default;

  // Stays good until the end, and so do the texts in it.
  virtual const InvocationView& view() const = 0;
  // Nobody waits for the answer any more.
  virtual bool abandoned() const = 0;
  // `answer` is good during the call; its status is the model's, also when that is an error.
  virtual void OnAnswer(const protocol::AnswerView& answer, std::string_view variant) = 0;
  virtual void OnFailure(InvocationFailure failure) = 0;

  // Whether the answer is wanted in parts, as they come; OnAnswer has what is left of it then, or the error.
  virtual bool in_parts() const { return false; }
  // As OnAnswer. `taken` is to be called when the part has been passed on, at any time: the sender waits for it.
  virtual void OnPart(const protocol::AnswerView& part, std::string_view variant, std::function<void()> taken) {
    (void)part, (void)variant, (void)taken;
  }
};

}  // namespace argosy::serving
