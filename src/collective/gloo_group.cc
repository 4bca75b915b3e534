#include "collective/gloo_group.h"

#include <gloo/allgather.h>
#include <gloo/allgatherv.h>
#include <gloo/rendezvous/context.h>
#include <gloo/rendezvous/store.h>
#include <gloo/transport/tcp/device.h>
#include <gloo/transport/unbound_buffer.h>

#include <exception>

namespace argosy::collective {
namespace {

// Tags of what may be under way at once between two hosts.
constexpr uint64_t kSizeSlot = 1;
constexpr uint64_t kBytesSlot = 2;
// One message of another host; more would be a broken peer.
constexpr uint64_t kMessageBytesMax = uint64_t{8} << 30;

std::chrono::milliseconds Millis(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

// Gloo's store. The key of a host's addresses is its rank; under "rank_<rank>" it tells its machine's name, by which
// processes of one machine share out graphics cards: nothing to us, so everybody reads its own.
class Addresses final : public gloo::rendezvous::Store {
 public:
  explicit Addresses(Rendezvous& rendezvous) : rendezvous_(rendezvous) {}
  void set(const std::string& key, const std::vector<char>& data) override {
    if (key.starts_with(kMachinePrefix)) {
      machine_ = data;
    } else if (const Status done = rendezvous_.Publish({data.begin(), data.end()}); !done) {
      Throw(done.error());
    }
  }
  std::vector<char> get(const std::string& key) override {
    if (key.starts_with(kMachinePrefix)) return machine_;
    const auto address = rendezvous_.AddressOf(std::stoul(key));
    if (!address) Throw(address.error());
    return {address->begin(), address->end()};
  }
  void wait(const std::vector<std::string>&) override {}  // get waits

 private:
  [[noreturn]] static void Throw(const Error& error) { throw std::runtime_error(error.message()); }

  static constexpr std::string_view kMachinePrefix = "rank_";

  Rendezvous& rendezvous_;
  std::vector<char> machine_;
};

class GlooGroup final : public Group {
 public:
  GlooGroup(std::shared_ptr<gloo::rendezvous::Context> context, std::string address)
      : context_(std::move(context)), address_(std::move(address)) {}

  size_t rank() const override { return static_cast<size_t>(context_->rank); }
  size_t size() const override { return static_cast<size_t>(context_->size); }
  const std::string& address() const override { return address_; }

  Result<std::vector<std::string>> AllGather(std::string_view bytes) override {
    std::vector<std::string> parts;
    const Status done = Guarded([&] {
      std::vector<uint64_t> sizes(size());
      uint64_t mine = bytes.size();
      gloo::AllgatherOptions gather(context_);
      gather.setInput(&mine, 1);
      gather.setOutput(sizes.data(), sizes.size());
      gloo::allgather(gather);
      std::vector<size_t> counts(sizes.begin(), sizes.end());
      uint64_t total = 0;
      for (const uint64_t part : sizes) total += part;
      if (total > kMessageBytesMax) throw std::runtime_error("a round of " + std::to_string(total) + " bytes");
      std::string all(total, '\0');
      if (total > 0) {
        gloo::AllgathervOptions exchange(context_);
        exchange.setInput(const_cast<char*>(bytes.data()), bytes.size());
        exchange.setOutput(all.data(), counts);
        gloo::allgatherv(exchange);
      }
      size_t at = 0;
      for (const size_t count : counts) {
        parts.push_back(all.substr(at, count));
        at += count;
      }
      ++traffic_.rounds;
      traffic_.bytes_sent += (size() - 1) * (bytes.size() + sizeof mine);
      traffic_.bytes_received += total - bytes.size() + (size() - 1) * sizeof mine;
    });
    if (!done) return done.error();
    return parts;
  }

  Result<std::vector<std::string>> AllGatherEqual(std::string_view bytes) override {
    std::vector<std::string> parts;
    const Status done = Guarded([&] {
      std::string all(bytes.size() * size(), '\0');
      gloo::AllgatherOptions gather(context_);
      gather.setInput(const_cast<char*>(bytes.data()), bytes.size());
      gather.setOutput(all.data(), all.size());
      gloo::allgather(gather);
      for (size_t host = 0; host < size(); ++host) parts.push_back(all.substr(host * bytes.size(), bytes.size()));
      ++traffic_.rounds;
      traffic_.bytes_sent += (size() - 1) * bytes.size();
      traffic_.bytes_received += (size() - 1) * bytes.size();
    });
    if (!done) return done.error();
    return parts;
  }

  Status Send(size_t to, std::string_view bytes) override {
    return Guarded([&] {
      uint64_t size = bytes.size();
      SendPlain(to, kSizeSlot, &size, sizeof size);
      if (size > 0) SendPlain(to, kBytesSlot, const_cast<char*>(bytes.data()), bytes.size());
      traffic_.bytes_sent += bytes.size() + sizeof size;
    });
  }

  Result<std::string> Receive(size_t from) override {
    std::string bytes;
    const Status done = Guarded([&] {
      uint64_t size = 0;
      ReceivePlain(from, kSizeSlot, &size, sizeof size);
      if (size > kMessageBytesMax) throw std::runtime_error("a message of " + std::to_string(size) + " bytes");
      bytes.resize(size);
      if (size > 0) ReceivePlain(from, kBytesSlot, bytes.data(), size);
      traffic_.bytes_received += size + sizeof size;
    });
    if (!done) return done.error();
    return bytes;
  }

 private:
  // Gloo throws; here is the edge where that becomes a value.
  template <class Work>
  static Status Guarded(const Work& work) {
    try {
      work();
      return {};
    } catch (const std::exception& e) {
      return Error(ErrorCode::kUnavailable, "the group of hosts has come apart: " + std::string(e.what()));
    }
  }

  void SendPlain(size_t to, uint64_t slot, void* bytes, size_t size) {
    auto buffer = context_->createUnboundBuffer(bytes, size);
    buffer->send(static_cast<int>(to), slot);
    buffer->waitSend(context_->getTimeout());
  }
  void ReceivePlain(size_t from, uint64_t slot, void* bytes, size_t size) {
    auto buffer = context_->createUnboundBuffer(bytes, size);
    buffer->recv(static_cast<int>(from), slot);
    buffer->waitRecv(context_->getTimeout());
  }

  const std::shared_ptr<gloo::rendezvous::Context> context_;
  const std::string address_;
};

}  // namespace

Result<std::unique_ptr<Group>> JoinGloo(const GlooOptions& options, Rendezvous& rendezvous) {
  try {
    std::shared_ptr<gloo::transport::Device> device =
        gloo::transport::tcp::CreateDevice(gloo::transport::tcp::attr(options.listen.c_str()));
    auto context =
        std::make_shared<gloo::rendezvous::Context>(static_cast<int>(options.rank), static_cast<int>(options.size));
    context->setTimeout(Millis(options.patience));
    Addresses addresses(rendezvous);
    context->connectFullMesh(addresses, device);
    return std::unique_ptr<Group>(new GlooGroup(std::move(context), options.listen));
  } catch (const std::exception& e) {
    return Error(ErrorCode::kUnavailable, "the group of hosts did not come together: " + std::string(e.what()));
  }
}

}  // namespace argosy::collective
