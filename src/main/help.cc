#include "main/help.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/result.h"
#include "main/edit_distance.h"
#include "main/examples.h"

namespace argosy::main {
namespace {

constexpr std::string_view kFirstModel =
    "A first model:\n"
    "  argosy up --detach\n"
    "  argosy train my.csv            # prints the job's name\n"
    "  argosy deploy JOB              # prints the endpoint's name\n"
    "  argosy predict ENDPOINT 5.1,3.5,1.4,0.2\n"
    "\n";
constexpr std::string_view kExitCodes =
    "Exit codes: 0 done; 1 it did not come about (a job failed, the server refused); 2 command line or configuration\n"
    "wrong; 3 no server answers; 130 interrupted while waiting (what was started goes on).";

const CLI::App& VerbAt(const CLI::App& app, const VerbPath& path) {
  const CLI::App* at = &app;
  for (const std::string& name : path) {
    at = FindVerb(*at, name);
    Check(at != nullptr, "a verb that is there");
  }
  return *at;
}

// " user key" of {"user", "key"}.
std::string Spoken(const VerbPath& path) {
  return path.empty() ? "" : fmt::format(" {}", fmt::join(path, " "));
}

// Those of the first verb that are about the last.
std::string ExamplesAndExitCodes(const VerbPath& path) {
  std::string examples;
  std::string_view lines = ExamplesOf(path.front());
  const std::string begin = fmt::format("  argosy{}", Spoken(path));
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size() - 1) + 1;
    if (lines.starts_with(begin)) examples += lines.substr(0, end);
    lines.remove_prefix(end);
  }
  return fmt::format("\n{}{}{}{}\n", examples.empty() ? "" : "Examples:\n", examples, examples.empty() ? "" : "\n",
                     kExitCodes);
}

}  // namespace

std::string FooterOfHelp() {
  return fmt::format("{}{}", kFirstModel, kExitCodes);
}

std::vector<std::string> VerbsWithin(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands(nullptr)) {
    if (!verb->get_group().empty()) names.push_back(verb->get_name());
  }
  return names;
}

const CLI::App* FindVerb(const CLI::App& app, const std::string& name) {
  for (const CLI::App* verb : app.get_subcommands(nullptr)) {
    if (verb->get_name() == name && !verb->get_group().empty()) return verb;
  }
  return nullptr;
}

std::string HelpText(const CLI::App& app, const VerbPath& path) {
  if (path.empty()) return app.help();
  const CLI::App& verb = VerbAt(app, path);
  if (path == VerbPath{"up"}) {
    // What the other verbs seldom need is what this one is about.
    const auto options = app.get_options([](const CLI::Option* option) { return option->get_group() == kEveryVerb; });
    CLI::Formatter formatter;
    formatter.column_width(kHelpColumnWidth);
    return verb.help("argosy") + formatter.make_group("Options", false, options) + ExamplesAndExitCodes(path);
  }
  const std::string before = "argosy" + Spoken({path.begin(), path.end() - 1});
  const std::vector<const CLI::App*> inner = verb.get_subcommands(nullptr);
  std::string text = verb.help(before, inner.empty() ? CLI::AppFormatMode::Normal : CLI::AppFormatMode::All);
  for (const CLI::App* one : inner) {
    if (one->get_subcommands(nullptr).empty()) continue;
    text += "\n" + one->help(before + " " + verb.get_name(), CLI::AppFormatMode::All);
  }
  return text + ExamplesAndExitCodes(path) + "\nOptions of every verb (--data-dir, --endpoint, …): argosy --help\n";
}

std::string NoSuchVerb(const CLI::App& app, const VerbPath& path, const std::string& word) {
  const std::vector<std::string> verbs = VerbsWithin(VerbAt(app, path));
  const auto nearest = std::ranges::min_element(verbs, {}, [&](const auto& verb) { return EditDistance(verb, word); });
  const std::string before = path.empty() ? "" : fmt::format("{} ", fmt::join(path, " "));
  std::string near;  // a word of which half is other letters is another word
  if (EditDistance(*nearest, word) <= word.size() / 2) near = fmt::format(" the nearest is '{}{}',", before, *nearest);
  return fmt::format("argosy: there is no verb '{}{}';{} `argosy help{}` lists all\n", before, word, near,
                     Spoken(path));
}

}  // namespace argosy::main
