// What the server asks of the program, and what it offers: one Exchange for each request and its answer.
//
// Order for one request, all on the connection's loop: Handler::OnHead when the head is parsed; then the body, gathered
// in the connection's buffer or given piece by piece to a BodySink; then Handler::OnRequest. The answer may be given
// from any thread, at any time after. A connection handles one request at a time: pipelined ones wait in its buffer.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "base/scheduler.h"
#include "http/message.h"

namespace argosy::http {

class Exchange {
 public:
  virtual ~Exchange() = default;

  // Good until Respond.
  virtual const RequestView& request() const = 0;

  // Answers; exactly once, from any thread. When the client has gone the answer is dropped.
  virtual void Respond(Response response) = 0;

  // As above with bytes that are a whole response already (status line to body): the serving path. Loop thread only.
  virtual void RespondRaw(std::string_view bytes) = 0;

  // Answers with a body whose length is not known when it begins: `head` (without its body), then pieces, then the end.
  // In place of Respond; loop thread only. `taken` is called when the kernel has taken the piece, and not at all when
  // the client goes before. An exchange given up before its end closes the connection: the client sees a torn answer.
  virtual void RespondInPieces(Response&& /*head*/) { Check(false, "this exchange is answered in one go"); }
  virtual void WritePiece(std::string_view /*piece*/, Task /*taken*/) {
    Check(false, "this exchange is answered in one go");
  }
  virtual void EndPieces() { Check(false, "this exchange is answered in one go"); }

  // The client has closed or its time is up: nobody waits for the answer. Loop thread only.
  virtual bool abandoned() const = 0;

  // The loop that owns the connection.
  virtual Scheduler& loop() = 0;
};

// Takes a body piece by piece.
class BodySink {
 public:
  virtual ~BodySink() = default;

  // Called on the loop; the next piece comes only after `done` (any thread). On an error the server stops reading,
  // calls OnRequest (which answers) and closes the connection after the answer. `piece` is good until `done`.
  virtual void Write(std::string_view piece, std::function<void(Status)> done) = 0;

  // The client went away in the middle, or broke the protocol: OnRequest will not be called. Never while a Write is
  // unfinished: it waits for its `done`.
  virtual void Abandon() = 0;
};

struct BufferBody {
  size_t size_max;  // a larger body: OnTooLarge answers
};
struct StreamBody {
  std::shared_ptr<BodySink> sink;
};
// Answer now, without reading the body; the connection is closed after the answer when a body was announced.
struct Refuse {
  Response response;
};
using BodyPlan = std::variant<BufferBody, StreamBody, Refuse>;

class Handler {
 public:
  virtual ~Handler() = default;
  virtual BodyPlan OnHead(const RequestView& head) = 0;
  // `sink` is the one that OnHead gave, null when the body was buffered.
  virtual void OnRequest(std::shared_ptr<Exchange> exchange, std::shared_ptr<BodySink> sink) = 0;
  // The body is larger than its BufferBody or, whatever the plan, the server takes (ServerLimits); announced so, no
  // OnHead came before.
  virtual Response OnTooLarge(const RequestView& head, size_t size_max) = 0;
  // What came is no request, or came too slowly: 400, 408, 431, 501 or 503; `text` says why.
  virtual Response OnMalformed(int status, std::string_view text);
};

}  // namespace argosy::http
