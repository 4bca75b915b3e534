#include "main/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <sstream>

#include "main/examples.h"

namespace argosy::main {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

template <class Args>
Args Parsed(const std::vector<std::string>& words) {
  const auto outcome = ParseCommandLine(words);
  if (const auto* message = std::get_if<Message>(&outcome)) {
    ADD_FAILURE() << message->text;
    return {};
  }
  const auto& invocation = std::get<Invocation>(outcome);
  if (!std::holds_alternative<Args>(invocation.args)) {
    ADD_FAILURE() << "another verb was parsed";
    return {};
  }
  return std::get<Args>(invocation.args);
}

Message Refused(const std::vector<std::string>& words) {
  const auto outcome = ParseCommandLine(words);
  if (const auto* message = std::get_if<Message>(&outcome)) return *message;
  ADD_FAILURE() << "was accepted";
  return {kExitOk, ""};
}

TEST(CommandLine, OptionsOfEveryVerbStandBeforeOrAfterIt) {
  const auto before = std::get<Invocation>(ParseCommandLine({"--data-dir", "d", "up", "--detach"}));
  const auto after = std::get<Invocation>(ParseCommandLine({"up", "--detach", "--data-dir=d"}));
  EXPECT_EQ(before.flags, after.flags);
  EXPECT_EQ(after.flags.at("data-dir"), "d");
  EXPECT_EQ(after.flags.at("detach"), "true");
  EXPECT_EQ(std::get<Invocation>(ParseCommandLine({"up", "--detach=false"})).flags.at("detach"), "false");
}

TEST(CommandLine, EveryPublicOptionIsAFlag) {
  for (const OptionDeclaration& option : OptionDeclarations()) {
    if (option.shape == ValueShape::kSwitch) continue;
    const auto outcome = ParseCommandLine({"config", "--" + std::string(option.name), "x"});
    EXPECT_EQ(std::holds_alternative<Invocation>(outcome), option.secrecy == Secrecy::kPublic) << option.name;
  }
}

TEST(CommandLine, UserHasVerbsOfItsOwn) {
  const auto add = Parsed<UserArgs>({"user", "add", "alice", "--team", "vision", "--reader", "--json"});
  EXPECT_EQ(add.action, UserAction::kAdd);
  EXPECT_EQ(add.name, "alice");
  EXPECT_EQ(add.team, "vision");
  EXPECT_EQ(add.rights, UserRights::kReader);
  EXPECT_EQ(add.form, OutputForm::kJson);
  const auto disable = Parsed<UserArgs>({"user", "key", "disable", "alice", "AKIA1"});
  EXPECT_EQ(disable.action, UserAction::kKeyDisable);
  EXPECT_EQ(disable.key_id, "AKIA1");
  EXPECT_EQ(Parsed<UserArgs>({"user", "list"}).action, UserAction::kList);
  EXPECT_EQ(Parsed<UserArgs>({"user", "key", "add", "alice", "--data-dir", "d"}).action, UserAction::kKeyAdd);
  for (const std::vector<std::string>& bad : std::vector<std::vector<std::string>>{
           {"user"}, {"user", "add"}, {"user", "key"}, {"user", "key", "disable"}, {"user", "fire", "alice"}}) {
    EXPECT_EQ(Refused(bad).exit_code, kExitUsage);
  }
  const Message help = Refused({"help", "user"});
  EXPECT_EQ(help.exit_code, kExitOk);
  for (const char* word : {"add", "--team", "--reader", "disable", "KEY"}) EXPECT_THAT(help.text, HasSubstr(word));
}

TEST(CommandLine, TrainTakesSeveralSourcesAndHyperparameters) {
  const auto args = Parsed<TrainArgs>({"train", "a.csv", "b.csv", "--set", "epochs=2", "--set", "l1=0.1", "--label",
                                       "-1", "--type", "binary", "--no-wait", "--validation", "v.csv"});
  EXPECT_THAT(args.sources, ElementsAre("a.csv", "b.csv"));
  EXPECT_THAT(args.set, ElementsAre("epochs=2", "l1=0.1"));
  EXPECT_THAT(args.validation, ElementsAre("v.csv"));
  EXPECT_EQ(args.label, "-1");
  EXPECT_EQ(args.type, "binary");
  EXPECT_EQ(args.waiting, Waiting::kNoWait);
}

TEST(CommandLine, RowsMayStartWithAMinus) {
  const auto args = Parsed<PredictArgs>({"predict", "iris", "-1.5,2,-3", "-.5,1,1", "-", "--json"});
  EXPECT_THAT(args.rows, ElementsAre("-1.5,2,-3", "-.5,1,1", "-"));
  EXPECT_EQ(args.form, OutputForm::kJson);
}

TEST(CommandLine, SourcesMayBeCalledLikeAVerb) {
  EXPECT_THAT(Parsed<TrainArgs>({"train", "jobs", "logs"}).sources, ElementsAre("jobs", "logs"));
}

TEST(CommandLine, MistakesAreOneLineThatSaysWhereHelpIs) {
  EXPECT_EQ(Refused({"train"}).exit_code, kExitUsage);
  EXPECT_THAT(Refused({"train"}).text, HasSubstr("argosy help train"));
  EXPECT_THAT(Refused({"fly"}).text, HasSubstr("argosy help"));
  EXPECT_EQ(Refused({"train", "a", "--bogus"}).exit_code, kExitUsage);
  EXPECT_EQ(Refused({"train", "a", "--type", "fuzzy"}).exit_code, kExitUsage);
  EXPECT_EQ(Refused({"logs", "x", "--tail", "many"}).exit_code, kExitUsage);
  EXPECT_EQ(Refused({"help", "fly"}).exit_code, kExitUsage);
}

TEST(CommandLine, AVerbThatIsNotThereIsNamedWithTheNearest) {
  EXPECT_EQ(Refused({"trian", "my.csv"}).text,
            "argosy: there is no verb 'trian'; the nearest is 'train', `argosy help` lists all\n");
  EXPECT_EQ(Refused({"--data-dir", "d", "endpoint"}).exit_code, kExitUsage);
  EXPECT_THAT(Refused({"--data-dir", "d", "endpoint"}).text, HasSubstr("'endpoints'"));
  EXPECT_THAT(Refused({"help", "log"}).text, HasSubstr("'logs'"));
  EXPECT_THAT(Refused({"--data-dir", "d"}).text, HasSubstr("a verb is missing"));
}

TEST(CommandLine, ASwitchRefusesAValueThatMeansNothing) {
  EXPECT_EQ(Refused({"jobs", "--json=maybe"}).text,
            "argosy: --json takes no value; it was given 'maybe'; see `argosy help jobs`\n");
  EXPECT_EQ(Refused({"jobs", "--json=maybe"}).exit_code, kExitUsage);
  EXPECT_EQ(Refused({"logs", "x", "--follow=no"}).exit_code, kExitUsage);
  EXPECT_EQ(Refused({"config", "--page=maybe"}).exit_code, kExitUsage);
  // Of an option that may stand in a file too, the rule of the option says it.
  EXPECT_EQ(std::get<Invocation>(ParseCommandLine({"up", "--detach=maybe"})).flags.at("detach"), "maybe");
}

TEST(CommandLine, HelpShowsSwitchesAsTheyAreWritten) {
  const std::string help = Refused({"help"}).text;
  EXPECT_THAT(help, HasSubstr("--detach "));
  EXPECT_THAT(help, Not(HasSubstr("{true}")));
}

TEST(CommandLine, HelpIsAnsweredForTheProgramAndEveryVerb) {
  EXPECT_EQ(Refused({"--help"}).exit_code, kExitOk);
  EXPECT_EQ(Refused({"help"}).exit_code, kExitOk);
  for (const std::string& verb : VerbNames()) {
    const Message help = Refused({"help", verb});
    EXPECT_EQ(help.exit_code, kExitOk);
    EXPECT_THAT(help.text, HasSubstr("argosy " + verb));
    EXPECT_EQ(Refused({verb, "--help"}).text, help.text);
    EXPECT_THAT(Refused({"help"}).text, HasSubstr("  " + verb));
  }
}

std::vector<std::string> Completed(std::vector<std::string> words) {
  words.insert(words.begin(), "complete");
  const Message offered = Refused(words);
  EXPECT_EQ(offered.exit_code, kExitOk);
  std::istringstream lines(offered.text);
  std::vector<std::string> found;
  for (std::string line; std::getline(lines, line);) found.push_back(line);
  return found;
}

TEST(CommandLine, TheNextWordIsOfferedWhereverItStands) {
  std::vector<std::string> verbs = VerbNames();
  verbs.emplace_back("help");
  EXPECT_EQ(Completed({""}), verbs);
  EXPECT_EQ(Completed({}), verbs);
  EXPECT_THAT(Completed({"de"}), ElementsAre("deploy", "delete"));
  EXPECT_THAT(Completed({"--data-dir", "d", "--detach", "de"}), ElementsAre("deploy", "delete"));
  EXPECT_THAT(Completed({"help", "de"}), ElementsAre("deploy", "delete"));
  EXPECT_THAT(Completed({"user", ""}), ElementsAre("add", "list", "remove", "key"));
  EXPECT_THAT(Completed({"help", "user", "key", "e"}), ElementsAre("enable"));
  EXPECT_THAT(Completed({"user", "key", "a"}), ElementsAre("add"));
  EXPECT_THAT(Completed({"user", "add", "eve", "--t"}), ElementsAre("--team"));
  EXPECT_THAT(Completed({"train", "a.csv", "--logs", "--p"}), ElementsAre("--positive", "--python"));
  EXPECT_THAT(Completed({"--log-"}), ElementsAre("--log-level", "--log-format"));
}

TEST(CommandLine, ValuesAreOfferedThatAnOptionTakes) {
  EXPECT_THAT(Completed({"completion", ""}), ElementsAre("bash", "zsh", "fish"));
  EXPECT_THAT(Completed({"train", "--algorithm", "l"}), ElementsAre("linear-learner"));
  EXPECT_THAT(Completed({"train", "--type", ""}), ElementsAre("binary", "multiclass", "regressor"));
  EXPECT_THAT(Completed({"train", "--type=b"}), ElementsAre("--type=binary"));
  EXPECT_THAT(Completed({"train", "--type", "=", "b"}), ElementsAre("binary")) << "as bash cuts --type=b";
  EXPECT_THAT(Completed({"train", "--type", "="}), ElementsAre("binary", "multiclass", "regressor"));
  EXPECT_THAT(Completed({"train", "--instance-type", "ml.m5.4"}), ElementsAre("ml.m5.4xlarge"));
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{{"train", "my"},
                                                                                     {"train", "a.csv", ""},
                                                                                     {"train", "--test", ""},
                                                                                     {"predict", "model", ""},
                                                                                     {"deploy", ""},
                                                                                     {"--data-dir", ""},
                                                                                     {"jobs", "--config=x"}}) {
    EXPECT_THAT(Completed(words), ElementsAre(":files")) << words.front();
  }
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{{"logs", ""},
                                                                                     {"user", "add", ""},
                                                                                     {"user", "x"},
                                                                                     {"help", "train", ""},
                                                                                     {"train", "--name", ""},
                                                                                     {"fly", ""},
                                                                                     {"deploy", "model", ""},
                                                                                     {"train", "--nothing=x"}}) {
    EXPECT_THAT(Completed(words), IsEmpty()) << words.front();
  }
}

TEST(CommandLine, HelpOfAVerbWithinAVerbIsItsOwn) {
  const std::string help = Refused({"help", "user", "key", "add"}).text;
  EXPECT_EQ(help.find("argosy user key add"), help.rfind("argosy user key add")) << help;
  EXPECT_THAT(help, Not(HasSubstr("disable")));
  EXPECT_EQ(Refused({"user", "key", "add", "--help"}).text, help);
  const std::string add = Refused({"user", "add", "--help"}).text;
  EXPECT_EQ(add, Refused({"help", "user", "add"}).text);
  EXPECT_THAT(add, HasSubstr("--team"));
  EXPECT_THAT(add, HasSubstr("argosy user add alice --team vision"));
  EXPECT_THAT(add, Not(HasSubstr("user key")));
  const std::string all = Refused({"user", "--help"}).text;
  EXPECT_THAT(all, HasSubstr("--team"));
  EXPECT_THAT(all, HasSubstr("disable"));
  EXPECT_EQ(Refused({"user", "frob"}).text, "argosy: there is no verb 'user frob'; `argosy help user` lists all\n");
  EXPECT_EQ(
      Refused({"user", "key", "ad"}).text,
      "argosy: there is no verb 'user key ad'; the nearest is 'user key add', `argosy help user key` lists all\n");
  EXPECT_EQ(Refused({"help", "frobnicate"}).text, "argosy: there is no verb 'frobnicate'; `argosy help` lists all\n");
  EXPECT_EQ(Refused({"user"}).text, "argosy: a verb is missing; see `argosy help user`\n");
}

TEST(CommandLine, EveryVerbHasExamplesThatParse) {
  for (const std::string& verb : VerbNames()) {
    if (verb == "help" || verb == "agent") continue;
    std::istringstream lines{std::string(ExamplesOf(verb))};
    int examples = 0;
    for (std::string line; std::getline(lines, line); ++examples) {
      std::istringstream words(line.substr(0, line.find('#')));
      std::vector<std::string> command{std::istream_iterator<std::string>(words), {}};
      ASSERT_GE(command.size(), 2U) << verb;
      EXPECT_EQ(command[0] + " " + command[1], "argosy " + verb);
      command.erase(command.begin());
      const auto outcome = ParseCommandLine(command);
      const auto* message = std::get_if<Message>(&outcome);
      EXPECT_TRUE(message == nullptr || message->exit_code == kExitOk) << line << ": " << message->text;
    }
    EXPECT_GE(examples, 1) << verb;
    EXPECT_THAT(std::get<Message>(ParseCommandLine({"help", verb})).text, HasSubstr(std::string(ExamplesOf(verb))));
  }
}

TEST(CommandLine, PredictByAModelTakesAllWordsForRows) {
  const auto args = Parsed<PredictArgs>({"predict", "--model", "./model.tar.gz", "-1.5,2", "rows.csv"});
  EXPECT_EQ(args.model, "./model.tar.gz");
  EXPECT_EQ(args.target, "");
  EXPECT_THAT(args.rows, ElementsAre("-1.5,2", "rows.csv"));
  EXPECT_EQ(Parsed<PredictArgs>({"predict", "flowers", "1,2"}).target, "flowers");
  EXPECT_THAT(Refused({"predict", "flowers"}).text, HasSubstr("ROWS"));
  EXPECT_EQ(Refused({"predict", "--model", "m"}).exit_code, kExitUsage);
}

}  // namespace
}  // namespace argosy::main
