#include "serving/pending.h"

#include <algorithm>

namespace argosy::serving {
namespace {

double Microseconds(Duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

}  // namespace

void Pending::End() {
  if (tally == nullptr) return;
  --tally->open;
  ++tally->counts.invocations;
}

void Pending::Answer(const protocol::AnswerView& answer, Duration now) {
  End();
  VariantCounts& counts = tally->counts;
  const int hundreds = answer.status / 100;
  if (hundreds == 4) ++counts.errors_4xx;
  if (hundreds == 5) ++counts.errors_5xx;
  counts.model_microseconds.Add(Microseconds(now - sent));
  counts.overhead_microseconds.Add(Microseconds(sent - received));
  // Of an answer in parts only the end would be there to capture.
  if (tally->capture != nullptr && hundreds == 2 && !invocation->in_parts() &&
      tally->sample.Below(100) < tally->capture->percent)
    Capture(answer);
  invocation->OnAnswer(answer, tally->name.variant);
}

void Pending::Part(const protocol::AnswerView& part, Duration now, std::function<void()> taken) {
  tried = true;  // what has been begun cannot be asked of another instance
  deadline = std::min(now + kPartTimeout, received + kPartsTimeout);
  invocation->OnPart(part, tally->name.variant, std::move(taken));
}

void Pending::Capture(const protocol::AnswerView& answer) const {
  const InvocationView& view = invocation->view();
  const CapturePlan& plan = *tally->capture;
  tally->capture_sink->Take({.name = tally->name,
                             .plan = tally->capture,
                             .at = tally->clock->Now(),
                             .inference_id = std::string(view.inference_id),
                             .custom_attributes = std::string(view.custom_attributes),
                             .input_type = std::string(view.content_type),
                             .input = std::string(plan.input ? view.body : std::string_view()),
                             .output_type = std::string(answer.content_type),
                             .output = std::string(plan.output ? answer.body : std::string_view())});
}

void Pending::Fail(InvocationFailure failure, Duration now) {
  End();
  if (tally != nullptr) {
    ++tally->counts.errors_5xx;
    if (failure == InvocationFailure::kBusy) ++tally->counts.refused_busy;
    if (failure == InvocationFailure::kInstanceLost) ++tally->counts.lost;
    if (failure == InvocationFailure::kTimedOut) tally->counts.model_microseconds.Add(Microseconds(now - received));
  }
  invocation->OnFailure(failure);
}

}  // namespace argosy::serving
