// Completion of the command line: scripts for shells, which ask the program itself what the next word may be.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace argosy::main {

// Among what is offered: names of files, which the shell completes itself.
inline constexpr std::string_view kFileNames = ":files";

// What the values of options and places may be; one that is not in it has nothing to offer.
using Offers = std::map<const CLI::Option*, std::vector<std::string>>;

// What the last of `words` (without the program's name; possibly empty) may become. `--type=bin` counts in one word
// and, as bash cuts it, in three.
std::vector<std::string> Complete(const CLI::App& app, const Offers& offers, std::vector<std::string> words);

std::vector<std::string> ShellNames();
// Of one of ShellNames(), to be sourced.
std::string CompletionScript(std::string_view shell);

}  // namespace argosy::main
