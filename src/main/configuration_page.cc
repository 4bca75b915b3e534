#include "main/configuration_page.h"

#include <fmt/format.h>

#include "main/option_declarations.h"

namespace argosy::main {

std::string ConfigurationPage() {
  std::string page =
      "# Configuration\n"
      "\n"
      "Argosy needs none: `argosy up` starts everything with the defaults below. Every option can be given as a flag, "
      "as\n"
      "an environment variable, or as a line of one YAML file, and counts in that order: a flag beats a variable, a\n"
      "variable beats the file, the file beats the default. `argosy config` prints the values in force and where each\n"
      "came from.\n"
      "\n"
      "The file is `argosy.yaml` in the data directory, or the one given by `--config`. It is a flat list:\n"
      "\n"
      "```yaml\n"
      "listen: 127.0.0.1:9100\n"
      "hosts-max: 4\n"
      "memory: 8G\n"
      "```\n"
      "\n"
      "A misspelt option, a value that breaks its rule, or a file that is not YAML stops the program with one line "
      "that\n"
      "names file, line, option and rule. Nothing is started then.\n"
      "\n"
      "The data directory is one per user, not one per working directory, so that every verb finds the same server\n"
      "wherever it is called. For a server of its own give `--data-dir`; `eval \"$(argosy env --data-dir DIR)\"` makes "
      "a\n"
      "shell use that one from then on. `$XDG_DATA_HOME/argosy` is the default where that variable is set.\n"
      "\n"
      "Four options are secrets: they have no flag, since other users can see a process's flags, and `argosy config`\n"
      "prints them masked.\n"
      "\n"
      "| flag | variable | in the file | default | |\n"
      "|---|---|---|---|---|\n";
  for (const OptionDeclaration& option : OptionDeclarations()) {
    std::string flag = "–";
    if (option.secrecy == Secrecy::kPublic) {
      flag = option.value.empty() ? fmt::format("`--{}`", option.name)
                                  : fmt::format("`--{} {}`", option.name, option.value);
    }
    const std::string fallback = option.fallback.empty() ? "–" : fmt::format("`{}`", option.fallback);
    const std::string key = option.name == "config" ? "–" : fmt::format("`{}:`", option.name);
    page += fmt::format("| {} | `{}` | {} | {} | {} Must be {}. |\n", flag, EnvironmentName(option), key, fallback,
                        option.help, option.rule);
  }
  page +=
      "\n"
      "This page is rendered from `src/main/option_declarations.cc`; `argosy config --page` prints it.\n";
  return page;
}

}  // namespace argosy::main
