// Compute over a FakeCloud: what the server knows of the machines, over messages that may be late, lost or doubled.
//
// It polls each instance until it is gone, so that any single message may be lost. An instance is gone only when the
// cloud has fenced it.
#pragma once

#include <map>
#include <memory>

#include "compute/fake/fake_cloud.h"

namespace argosy::compute {

class FakeCompute final : public Compute {
 public:
  FakeCompute(FakeCloud* cloud, Scheduler* scheduler, const Clock* clock, Random* random, Capacity capacity);
  ~FakeCompute() override;

  void SetListener(std::function<void(const std::string&)> listener) override { listener_ = std::move(listener); }
  void Adopt(const std::vector<std::string>& open, const std::set<std::string>& wanted) override;
  Status Start(const InstanceRequest& request) override;
  void Send(const std::string& instance_id, const protocol::Command& command) override;
  void Kill(const std::string& instance_id) override;
  void Forget(const std::string& instance_id) override;
  std::optional<InstanceView> View(const std::string& instance_id) const override;
  Capacity GetCapacity() const override;

 private:
  struct Known {
    InstanceView view;
    std::optional<protocol::Assignment> to_start;  // asked for here; told again until the machine is seen
    bool stopping = false;
    bool group_known = false;
    bool killing = false;
    Time heard{};
  };

  // A message to the cloud; what comes back is carried too, and only while this server lives.
  void Ask(const std::string& id);
  void Poll(const std::string& id);
  void OnAnswer(const std::string& id, std::optional<Machine> machine);

  FakeCloud* cloud_;
  Scheduler* scheduler_;
  const Clock* clock_;
  Random* random_;
  Capacity capacity_;
  std::function<void(const std::string&)> listener_;
  std::map<std::string, Known> known_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace argosy::compute
