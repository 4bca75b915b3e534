// argosy agent --instance-dir D: started by the server, once per instance.
#include "agent/agent.h"

#include <signal.h>

#include "main/verbs.h"

namespace argosy::main {

int RunAgentVerb(const AgentArgs& args) {
  // The server blocks the signals that end it, and a mask outlives exec.
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
  return agent::RunAgent(args.instance_dir);
}

}  // namespace argosy::main
