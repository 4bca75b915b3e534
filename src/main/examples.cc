#include "main/examples.h"

#include <utility>

namespace argosy::main {
namespace {

constexpr std::pair<std::string_view, std::string_view> kExamples[] = {
    {"up",
     "  argosy up --detach                                  # on 127.0.0.1:9000, data in ~/.local/share/argosy\n"
     "  argosy up --data-dir /srv/argosy --listen 0.0.0.0:9000\n"
     "  argosy up --detach --mount sets=/data/sets          # a folder as the bucket s3://sets\n"
     "  argosy up --object-store s3://bucket/prefix         # objects in an S3 server that you have\n"},
    {"down",
     "  argosy down                                         # jobs and endpoints' instances go on\n"
     "  argosy down --all                                   # they end too; the next `up` takes them up again\n"},
    {"status", "  argosy status\n  argosy status --json\n"},
    {"env", "  argosy env                                          # eval \"$(argosy env)\" in a shell\n"},
    {"config",
     "  argosy config\n"
     "  argosy config --page                                # the table of all options, as Markdown\n"},
    {"completion",
     "  argosy completion bash                              # source <(argosy completion bash); zsh likewise\n"
     "  argosy completion fish                              # argosy completion fish | source\n"},
    {"train",
     "  argosy train my.csv                                 # what is guessed of label and type is said first\n"
     "  argosy train my.csv --label price --type regressor --validation held-out.csv\n"
     "  argosy train s3://sets/flowers/ --algorithm xgboost --set num_round=200 --set max_depth=4\n"
     "  argosy train points.csv --algorithm kmeans --set k=5 --name groups\n"},
    {"deploy",
     "  argosy deploy JOB                                   # a training job's model\n"
     "  argosy deploy model.joblib --name prices            # a library's file, a script's folder, a model.tar.gz\n"
     "  argosy deploy JOB --name prices --instances 2       # an endpoint that is there is switched, unnoticed\n"},
    {"predict",
     "  argosy predict prices 5.1,3.5,red\n"
     "  argosy predict prices new.csv --json\n"
     "  argosy predict --model model.tar.gz new.csv         # without any server\n"},
    {"jobs",
     "  argosy jobs --status Failed\n  argosy jobs JOB                                     # metrics, steps, cost\n"},
    {"logs", "  argosy logs -f JOB\n  argosy logs prices --of endpoint\n"},
    {"stop", "  argosy stop JOB\n"},
    {"endpoints", "  argosy endpoints\n  argosy endpoints prices                             # and how to ask it\n"},
    {"delete", "  argosy delete prices\n"},
    {"user",
     "  argosy user add alice --team vision                 # prints her key, once\n"
     "  argosy user list\n"
     "  argosy user key disable alice                       # refused from the next request on\n"
     "  argosy user remove alice\n"},
};

}  // namespace

std::string_view ExamplesOf(std::string_view verb) {
  for (const auto& [name, lines] : kExamples) {
    if (name == verb) return lines;
  }
  return {};
}

}  // namespace argosy::main
