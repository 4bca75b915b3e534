#include "agent/serving_host.h"

#include <fmt/format.h>

#include <exception>

#include "base/bytes.h"

namespace argosy::agent {
namespace {

constexpr std::string_view kCsv = "text/csv";

model::PredictionResult PredictGuarded(const model::Predictor& predictor, std::string_view content_type,
                                       std::string_view accept, std::string_view body) {
  try {
    return predictor.Predict(content_type, accept, body);
  } catch (const std::exception& e) {
    return model::PredictionError{500, std::string("the model failed: ") + e.what()};
  }
}

// The body when it is one CSV row that is to be answered by one; nothing otherwise.
std::optional<std::string_view> SingleCsvRow(const protocol::InvokeView& invoke) {
  if (invoke.content_type != kCsv || invoke.accept != kCsv) return std::nullopt;
  std::string_view row = invoke.body;
  if (row.ends_with('\n')) row.remove_suffix(1);
  if (row.ends_with('\r')) row.remove_suffix(1);
  if (row.empty() || row.find('\n') != std::string_view::npos || row.find('"') != std::string_view::npos) {
    return std::nullopt;
  }
  return row;
}

}  // namespace

ServingHost::ServingHost(EventLoop& loop, protocol::Hello identity, std::unique_ptr<model::Predictor> predictor,
                         unsigned threads, LogSpool& log)
    : InstanceHost(loop, std::move(identity)),
      predictor_(std::move(predictor)),
      log_(log),
      errors_(log),
      workers_("predict", std::max(1U, threads), kLargeRequestsMax) {}

void ServingHost::OnInvoke(Stream& stream, uint64_t id, const protocol::InvokeView& invoke, bool /*in_parts*/) {
  if (invoke.body.size() > kInlineBodyBytesMax) {
    AnswerLater(stream, id, invoke);
  } else {
    Answer(stream, id, invoke);
  }
}

void ServingHost::OnBatchEnd(Stream& stream) {
  LogUnseenCategories();
  stream.WriteSoon();
  if (stream.unwritten() > kUnreadAnswersBytesMax) stream.PauseReading();
}

void ServingHost::Answer(Stream& stream, uint64_t id, const protocol::InvokeView& invoke) {
  if (const std::optional<std::string_view> row = SingleCsvRow(invoke)) {
    row_.clear();
    if (predictor_->PredictCsvRow(*row, row_)) {
      row_.push_back('\n');
      protocol::AppendAnswer(stream.out(), id, {.status = 200, .content_type = kCsv, .body = row_});
      return;
    }
  }
  Append(stream, id, PredictGuarded(*predictor_, invoke.content_type, invoke.accept, invoke.body));
}

void ServingHost::AnswerLater(Stream& stream, uint64_t id, const protocol::InvokeView& invoke) {
  struct Work {
    std::string content_type, accept, body;
    model::PredictionResult result;
  };
  auto work = std::make_shared<Work>(
      Work{std::string(invoke.content_type), std::string(invoke.accept), std::string(invoke.body), {}});
  const Duration give_up =
      invoke.time_left_ms == 0 ? Duration::max() : loop_.TurnTime() + std::chrono::milliseconds(invoke.time_left_ms);
  const Status queued =
      workers_.Submit([this, work, id, give_up, alive = alive_, weak = stream.weak_from_this()]() mutable {
        const bool too_late = SystemClock().Monotonic() > give_up;
        if (!too_late) work->result = PredictGuarded(*predictor_, work->content_type, work->accept, work->body);
        loop_.Post([this, work, id, too_late, alive = std::move(alive), weak = std::move(weak)] {
          if (!*alive) return;
          --large_running_;
          const std::shared_ptr<Stream> to = weak.lock();
          if (to != nullptr && !to->closed() && !too_late) {
            Append(*to, id, work->result);
            to->WriteSoon();
          }
          CheckStopped();
        });
      });
  if (!queued.ok()) {
    return Append(stream, id, model::PredictionError{503, "the instance is busy with large requests: try again"});
  }
  ++large_running_;
}

void ServingHost::Append(Stream& stream, uint64_t id, const model::PredictionResult& result) {
  if (const auto* prediction = std::get_if<model::Prediction>(&result)) {
    if (prediction->body.size() + 2 * protocol::kFieldBytesMax > protocol::kAnswerBytesMax) {
      return Append(
          stream, id,
          model::PredictionError{500, fmt::format("the answer has {} bytes, more than the {} allowed: send fewer rows",
                                                  prediction->body.size(), protocol::kAnswerBytesMax)});
    }
    protocol::AppendAnswer(stream.out(), id,
                           {.status = 200, .content_type = prediction->content_type, .body = prediction->body});
    return;
  }
  const auto& error = std::get<model::PredictionError>(result);
  const int status = error.status >= 400 && error.status <= 599 ? error.status : 500;
  errors_.Add(status, error.message, loop_.TurnTime());
  protocol::AppendAnswer(
      stream.out(), id, {.status = static_cast<uint16_t>(status), .content_type = "text/plain", .body = error.message});
}

void ServingHost::LogUnseenCategories() {
  const uint64_t unseen = predictor_->unseen_categories();
  if (unseen == unseen_told_ || (unseen_told_ > 0 && loop_.TurnTime() < unseen_next_)) return;
  unseen_told_ = unseen;
  unseen_next_ = loop_.TurnTime() + kUnseenLogPeriod;
  log_.Append(fmt::format(
      "{} values so far were of categories that the training data did not have; such a value counts as no category",
      unseen));
}

}  // namespace argosy::agent
