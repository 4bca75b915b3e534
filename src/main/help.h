// What `argosy help` prints, and what is said of a verb that is not there.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace argosy::main {

inline constexpr size_t kHelpColumnWidth = 34;
inline constexpr const char* kEveryVerb = "Options of every verb";  // the group of options that the program has

// What stands below the help of the program.
std::string FooterOfHelp();

// The verbs within `app` that people use, in the order of the help.
std::vector<std::string> VerbsWithin(const CLI::App& app);
// The verb of that name within `app`; nullptr when there is none that people use.
const CLI::App* FindVerb(const CLI::App& app, const std::string& name);

// A verb within a verb is the last of its path: {"user", "key", "add"}. The empty path is the program.
using VerbPath = std::vector<std::string>;

// The path must be one of verbs that are there.
std::string HelpText(const CLI::App& app, const VerbPath& path);

// Of `word`, which was said where one of the verbs within `path` is meant: one line, with the nearest where one is
// near.
std::string NoSuchVerb(const CLI::App& app, const VerbPath& path, const std::string& word);

}  // namespace argosy::main
