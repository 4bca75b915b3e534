#include "main/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <memory>
#include <tuple>
#include <utility>

#include "algorithms/algorithm.h"
#include "cost/instance_types.h"
#include "main/completion.h"
#include "main/help.h"
#include "main/version.h"

namespace argosy::main {
namespace {

// Stands before a word that starts with '-' but is a row (`-1.5,2`), so that it is not taken for a flag.
constexpr char kRowMark = '\x01';

constexpr const char* kVerbMissing = "a verb is missing";

std::vector<std::string> AlgorithmNames() {
  std::vector<std::string> names;
  for (const algorithms::Algorithm* const algorithm : algorithms::AllAlgorithms())
    names.emplace_back(algorithm->name());
  return names;
}

struct Parser {
  CLI::App app{"Argosy trains, serves and predicts with machine-learning models on the machines you have.", "argosy"};
  Flags flags;
  UpArgs up;
  DownArgs down;
  StatusArgs status;
  EnvArgs env;
  ConfigArgs config;
  AgentArgs agent;
  TrainArgs train;
  DeployArgs deploy;
  PredictArgs predict;
  JobsArgs jobs;
  LogsArgs logs;
  StopArgs stop;
  EndpointsArgs endpoints;
  DeleteArgs remove;
  UserArgs user;
  std::string shell = "bash";
  std::function<VerbArgs()> chosen;
  std::string printed;  // in place of running a verb
  Offers offers;

  Parser();
  CLI::App* Verb(const std::string& name, const std::string& about, const std::string& group,
                 std::function<VerbArgs()> take);
  // The option takes these values alone.
  void OneOf(CLI::Option* option, const std::vector<std::string>& values);
  void TakesFiles(CLI::Option* option) { offers[option] = {std::string(kFileNames)}; }
  void Server();
  void Models();
  void Users();
};

template <class E>
void Switch(CLI::App* verb, const std::string& flag, E& target, E value, const std::string& help) {
  verb->add_flag_function(flag, [&target, value](int64_t) { target = value; }, help)->disable_flag_override();
}

void JsonFlag(CLI::App* verb, OutputForm& form) {
  Switch(verb, "--json", form, OutputForm::kJson, "Print JSON instead of a table");
}

Parser::Parser() {
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", fmt::format("argosy {}", kVersion));
  app.footer(FooterOfHelp());
  app.get_formatter()->column_width(kHelpColumnWidth);
  for (const OptionDeclaration& option : OptionDeclarations()) {
    if (option.secrecy == Secrecy::kSecret) continue;
    const std::string name(option.name);
    auto keep = [this, name](const std::string& text) { flags[name] = text; };
    if (option.shape == ValueShape::kList) {
      auto join = [this, name](const std::vector<std::string>& texts) {
        flags[name] = fmt::format("{}", fmt::join(texts, ","));
      };
      app.add_option_function<std::vector<std::string>>("--" + name, join, std::string(option.help))
          ->type_name(std::string(option.value))
          ->expected(1)
          ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
          ->group(kEveryVerb);
      continue;
    }
    if (option.shape == ValueShape::kSwitch) {
      const std::string help(option.help);
      app.add_flag("--" + name, help)
          ->each(keep)
          ->group(kEveryVerb)
          ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    } else {
      CLI::Option* const text = app.add_option_function<std::string>("--" + name, keep, std::string(option.help));
      text->type_name(std::string(option.value))->group(kEveryVerb);
      if (option.value == "DIR" || option.value == "FILE") TakesFiles(text);
    }
  }
  Server();
  Models();
  for (CLI::App* verb : app.get_subcommands(nullptr)) verb->footer("");  // theirs are ExamplesAndExitCodes
  Users();
}

void Parser::OneOf(CLI::Option* option, const std::vector<std::string>& values) {
  option->check(CLI::IsMember(values));
  offers[option] = values;
}

CLI::App* Parser::Verb(const std::string& name, const std::string& about, const std::string& group,
                       std::function<VerbArgs()> take) {
  CLI::App* verb = app.add_subcommand(name, about);
  verb->group(group);
  verb->callback([this, take = std::move(take)] { chosen = take; });
  return verb;
}

void Parser::Server() {
  const std::string group = "The server";
  Verb("up", "Start the server; --detach leaves it running", group, [this] { return up; });

  CLI::App* verb =
      Verb("down", "Stop the server; jobs and endpoints' instances go on without it", group, [this] { return down; });
  Switch(verb, "--all", down.reach, DownReach::kEverything,
         "Stop jobs and instances too; the next `up` takes jobs up again and starts the instances anew");

  verb = Verb("status", "Show the server, its jobs, endpoints, disk and memory", group, [this] { return status; });
  JsonFlag(verb, status.form);

  Verb("env", "Print exports that point AWS tools here: eval \"$(argosy env)\"", group, [this] { return env; });

  verb = Verb("config", "Show every option's value and where it came from", group, [this] { return config; });
  JsonFlag(verb, config.form);
  verb->add_flag("--page", config.page, "Print the guide to the options instead");

  verb = app.add_subcommand("completion", "Print a completion script: source <(argosy completion bash)");
  verb->group(group);
  OneOf(verb->add_option("SHELL", shell, "Whose script")->capture_default_str(), ShellNames());
  verb->callback([this] { printed = CompletionScript(shell); });

  verb = Verb("agent", "Do one instance's work (started by the server)", "", [this] { return agent; });
  verb->add_option("--instance-dir", agent.instance_dir, "The instance's directory")->required();
}

void Parser::Models() {
  const std::string group = "Models";
  CLI::App* verb = Verb("train", "Train a model on files, folders or s3:// prefixes", group, [this] { return train; });
  TakesFiles(verb->add_option("DATA", train.sources, "CSV files (.gz too), folders, 'glob*' or s3://bucket/prefix")
                 ->required());
  verb->add_option(
      "--label", train.label,
      "The label's column: a name in the header, or a place from 0 (-1 = last); kmeans and pca leave it out");
  verb->add_option("--positive", train.positive, "The label that means yes; all others mean no");
  verb->add_option("--negative", train.negative, "The label that means no; all others mean yes");
  OneOf(verb->add_option("--type", train.type, "What is predicted; guessed from the label when not given"),
        {"binary", "multiclass", "regressor"});
  verb->add_option("--set", train.set, "A hyperparameter, as in --set epochs=5; may be repeated")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  TakesFiles(verb->add_option("--validation", train.validation, "Data to choose the model by")->expected(1));
  TakesFiles(verb->add_option("--test", train.test, "Data to measure the finished model on")->expected(1));
  offers[verb->add_option("--algorithm", train.algorithm, "The built-in algorithm or image")->capture_default_str()] =
      AlgorithmNames();
  verb->add_option("--content-type", train.content_type, "Of the data; text/csv when not given");
  verb->add_option("--name", train.name, "The job's name; made from the file's and the time when not given");
  offers[verb->add_option("--instance-type", train.instance_type, "The machine to price")->capture_default_str()] =
      cost::InstanceTypeNames();
  verb->add_option("--instances", train.instance_count, "How many hosts train together")
      ->capture_default_str()
      ->check(CLI::Range(1, 16));
  verb->add_option("--max-runtime", train.max_runtime_seconds, "Stop the job after so many seconds")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{1}, int64_t{28} * 86400));
  Switch(verb, "--no-wait", train.waiting, Waiting::kNoWait, "Return once the job is accepted");
  Switch(verb, "--logs", train.logs, Follow::kFollow, "Print the job's log while waiting");
  JsonFlag(verb, train.form);

  verb = Verb("deploy", "Serve a trained model at an endpoint", group, [this] { return deploy; });
  TakesFiles(verb->add_option("MODEL", deploy.source,
                              "A training job, a model's file, folder or .tar.gz, or s3://…/model.tar.gz")
                 ->required());
  verb->add_option("--name", deploy.name, "The endpoint's name; one that exists is switched to the new model");
  offers[verb->add_option("--algorithm", deploy.algorithm,
                          "What made the artifact, or an image; seen in it when not given")] = AlgorithmNames();
  verb->add_option("--env", deploy.environment, "NAME=VALUE for the model's program or script; may be repeated")
      ->type_name("NAME=VALUE");
  offers[verb->add_option("--instance-type", deploy.instance_type, "The machine to price")->capture_default_str()] =
      cost::InstanceTypeNames();
  verb->add_option("--instances", deploy.instance_count, "How many answer")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  Switch(verb, "--no-wait", deploy.waiting, Waiting::kNoWait, "Return before it answers");
  JsonFlag(verb, deploy.form);

  verb = Verb("predict", "Ask an endpoint, or an artifact without any server", group, [this] { return predict; });
  TakesFiles(
      verb->add_option("TARGET", predict.target, "An endpoint's name or the path of a model.tar.gz")->required());
  TakesFiles(verb->add_option("ROWS", predict.rows, "Rows (1.5,2,red), CSV files, or - for standard input"));
  TakesFiles(
      verb->add_option("--model", predict.model,
                       "In place of TARGET: a model.tar.gz, its s3:// URI or a training job; no endpoint is needed"));
  verb->add_option("--content-type", predict.content_type, "Of the rows")->capture_default_str();
  JsonFlag(verb, predict.form);
  verb->callback([this] {
    // With a model all words are rows.
    if (!predict.model.empty()) predict.rows.insert(predict.rows.begin(), std::exchange(predict.target, ""));
    if (predict.rows.empty()) throw CLI::RequiredError("ROWS");
    chosen = [this] { return predict; };
  });

  verb = Verb("jobs", "List training jobs, or describe one", group, [this] { return jobs; });
  verb->add_option("JOB", jobs.name, "The job to describe");
  OneOf(verb->add_option("--status", jobs.status, "Only those"),
        {"InProgress", "Completed", "Failed", "Stopping", "Stopped"});
  verb->add_option("--max", jobs.max, "How many to list")->capture_default_str()->check(CLI::Range(1, 10000));
  JsonFlag(verb, jobs.form);

  verb = Verb("logs", "Print what a job or an endpoint wrote", group, [this] { return logs; });
  verb->add_option("NAME", logs.name, "A training job or an endpoint")->required();
  OneOf(verb->add_option("--of", logs.of, "Which of the two where both have that name; the job when not given"),
        {"job", "endpoint"});
  Switch(verb, "-f,--follow", logs.follow, Follow::kFollow, "Go on until the job ends (Ctrl-C to leave)");
  verb->add_option("--tail", logs.tail, "Only the last N lines")->type_name("N");
  JsonFlag(verb, logs.form);

  verb = Verb("stop", "Stop a training job; what it has learnt is kept", group, [this] { return stop; });
  verb->add_option("JOB", stop.name, "The job")->required();
  Switch(verb, "--no-wait", stop.waiting, Waiting::kNoWait, "Return once the request is accepted");
  JsonFlag(verb, stop.form);

  verb = Verb("endpoints", "List endpoints, or describe one", group, [this] { return endpoints; });
  verb->add_option("ENDPOINT", endpoints.name, "The endpoint to describe");
  JsonFlag(verb, endpoints.form);

  verb = Verb("delete", "Delete an endpoint with its configuration and model", group, [this] { return remove; });
  verb->add_option("ENDPOINT", remove.name, "The endpoint")->required();
  Switch(verb, "--keep-model", remove.model, ModelFate::kKeep, "Leave the model resource");
  Switch(verb, "--no-wait", remove.waiting, Waiting::kNoWait, "Return before the instances are gone");
  JsonFlag(verb, remove.form);
}

void Parser::Users() {
  CLI::App* const users =
      Verb("user", "Add, list and remove users, their teams and keys", "People", [this] { return user; });
  users->require_subcommand(1);
  users->footer("");
  const auto add = [this](CLI::App* parent, const char* name, const char* about, UserAction action) {
    CLI::App* const verb = parent->add_subcommand(name, about);
    verb->group("Verbs");
    verb->callback([this, action] { user.action = action; });
    JsonFlag(verb, user.form);
    return verb;
  };
  const auto name = [this](CLI::App* verb) { verb->add_option("NAME", user.name, "The user")->required(); };

  CLI::App* verb = add(users, "add", "Make a user and a key; prints the key, once", UserAction::kAdd);
  name(verb);
  verb->add_option("--team", user.team, "What the user's work is booked to; made when it is not there");
  Switch(verb, "--reader", user.rights, UserRights::kReader, "May look, and change nothing");
  add(users, "list", "List users with their teams and keys", UserAction::kList);
  name(add(users, "remove", "Remove a user and all keys; what the user made stays", UserAction::kRemove));

  CLI::App* const keys = users->add_subcommand("key", "A user's keys: add, list, disable, enable, remove");
  keys->require_subcommand(1);
  keys->group("Verbs");
  name(add(keys, "add", "Make another key; prints it, once", UserAction::kKeyAdd));
  name(add(keys, "list", "List keys, without their secrets", UserAction::kKeyList));
  for (const auto& [word, about, action] : {std::tuple{"disable", "Refuse a key from now on", UserAction::kKeyDisable},
                                            {"enable", "Let a disabled key count again", UserAction::kKeyEnable},
                                            {"remove", "Remove a key for ever", UserAction::kKeyRemove}}) {
    verb = add(keys, word, about, action);
    name(verb);
    verb->add_option("KEY", user.key_id, "The access key id; all of the user's when not given");
  }
}

bool IsNegativeNumber(std::string_view word) {
  return word.size() > 1 && word[0] == '-' && (word[1] == '.' || (word[1] >= '0' && word[1] <= '9'));
}

// The verb that was meant, as far as it was understood.
VerbPath PathOf(const CLI::App& app) {
  VerbPath path;
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    path.push_back(at->get_name());
  }
  return path;
}

// `argosy help VERB…`
Message Help(const CLI::App& app, const std::vector<std::string>& words) {
  VerbPath path;
  const CLI::App* at = &app;
  for (const std::string& word : words) {
    if (at->get_subcommands(nullptr).empty()) break;
    at = FindVerb(*at, word);
    if (at == nullptr) return Message{kExitUsage, NoSuchVerb(app, path, word)};
    path.push_back(word);
  }
  return Message{kExitOk, HelpText(app, path)};
}

// What is wrong with `words`, in words of ours where CLI11's do not say what to do.
std::string Mistake(const std::exception& wrong, const std::vector<std::string>& words) {
  std::string what = wrong.what();
  if (what == "A subcommand is required") return kVerbMissing;
  constexpr std::string_view kValueOfSwitch = " was given a disallowed flag override";
  if (!what.ends_with(kValueOfSwitch)) return what;
  const std::string flag = "--" + what.substr(0, what.size() - kValueOfSwitch.size());
  for (const std::string& word : words) {
    if (word.starts_with(flag + "=")) {
      return fmt::format("{} takes no value; it was given '{}'", flag, word.substr(flag.size() + 1));
    }
  }
  return flag + " takes no value";
}

}  // namespace

std::vector<std::string> VerbNames() {
  return VerbsWithin(Parser().app);
}

std::variant<Invocation, Message> ParseCommandLine(const std::vector<std::string>& words) {
  Parser parser;
  if (words.empty()) return Message{kExitUsage, parser.app.help()};
  const std::vector<std::string> after(words.begin() + 1, words.end());
  if (words[0] == "help") return Help(parser.app, after);
  if (words[0] == "complete") {  // asked by the scripts of `argosy completion`
    const std::vector<std::string> offered = Complete(parser.app, parser.offers, after);
    return Message{kExitOk, offered.empty() ? "" : fmt::format("{}\n", fmt::join(offered, "\n"))};
  }

  std::vector<std::string> rest(words.rbegin(), words.rend());  // CLI11 takes them last first
  const bool predict = std::find(words.begin(), words.end(), "predict") != words.end();
  for (std::string& word : rest) {
    if (predict && IsNegativeNumber(word)) word.insert(word.begin(), kRowMark);
  }
  try {
    parser.app.parse(std::move(rest));
  } catch (const CLI::CallForHelp&) {
    return Message{kExitOk, HelpText(parser.app, PathOf(parser.app))};
  } catch (const CLI::CallForVersion&) {
    return Message{kExitOk, fmt::format("argosy {}\n", kVersion)};
  } catch (const std::exception& wrong) {  // CLI11 throws more than its own
    const VerbPath path = PathOf(parser.app);
    const std::string mistake = Mistake(wrong, words);
    if (mistake == kVerbMissing) {
      for (const std::string& word : parser.app.remaining(true)) {
        if (!word.starts_with('-')) return Message{kExitUsage, NoSuchVerb(parser.app, path, word)};
      }
    }
    return Message{kExitUsage, fmt::format("argosy: {}; see `argosy help{}{}`\n", mistake, path.empty() ? "" : " ",
                                           fmt::join(path, " "))};
  }
  if (!parser.printed.empty()) return Message{kExitOk, parser.printed};
  for (std::string& row : parser.predict.rows) {
    if (row.starts_with(kRowMark)) row.erase(0, 1);
  }
  return Invocation{parser.flags, parser.chosen()};
}

}  // namespace argosy::main
