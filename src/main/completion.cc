#include "main/completion.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "base/result.h"
#include "main/help.h"

namespace argosy::main {
namespace {

constexpr std::pair<std::string_view, std::string_view> kScripts[] = {
    {"bash", R"(# bash completion of argosy: source <(argosy completion bash)
_argosy() {
  local line files=
  COMPREPLY=()
  while IFS= read -r line; do
    if [ "$line" = :files ]; then files=1; else COMPREPLY+=("$line"); fi
  done < <("${COMP_WORDS[0]/#\~/$HOME}" complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  # The shell completes names of files where nothing else is offered, and knows best how to quote them.
  [ -n "$files" ] || compopt +o default 2>/dev/null
}
complete -o default -F _argosy argosy
)"},
    {"zsh", R"(# zsh completion of argosy: source <(argosy completion zsh)
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }
_argosy() {
  local -a found
  found=("${(@f)$("${(Q)words[1]/#\~/$HOME}" complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  (( ${found[(Ie):files]} )) && _files
  found=("${(@)found:#(:files|)}")
  (( $#found )) && compadd -a found
}
compdef _argosy argosy
)"},
    {"fish", R"(# fish completion of argosy: argosy completion fish | source
function __argosy_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    test (count $word) -gt 0; or set word ''
    for line in (command $words[1] complete $words[2..-1] $word 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path "$word"
        else
            echo $line
        end
    end
end
complete -c argosy -f -a '(__argosy_complete)'
)"},
};

bool TakesValue(const CLI::Option& option) {
  return option.get_items_expected_max() != 0;
}

std::vector<const CLI::Option*> PlacesOf(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

// Where on the command line the next word stands: which verb is meant, and what has been said of it.
class Position {
 public:
  Position(const CLI::App& app, const Offers& offers) : app_(app), verb_(&app), offers_(offers) {}

  void Take(const std::string& word) {
    if (awaited_ != nullptr) {
      awaited_ = nullptr;
    } else if (word.starts_with('-') && word.size() > 1) {
      const CLI::Option* const option = FindFlag(word.substr(0, word.find('=')));
      if (option != nullptr && TakesValue(*option) && word.find('=') == std::string::npos) awaited_ = option;
    } else if (const CLI::App* const inner = FindVerb(*verb_, word); inner != nullptr && place_ == 0) {
      verb_ = inner;
    } else if (verb_ == &app_ && word == "help") {
      helping_ = true;
    } else {
      ++place_;
    }
  }

  // What may stand there, when it begins with `word`.
  std::vector<std::string> Offered(const std::string& word) const {
    if (awaited_ != nullptr) return OffersOf(awaited_);
    if (const size_t equals = word.find('='); word.starts_with("--") && equals != std::string::npos) {
      std::vector<std::string> values = OffersOf(FindFlag(word.substr(0, equals)));
      for (std::string& value : values) {
        if (value != kFileNames) value.insert(0, word, 0, equals + 1);
      }
      return values;
    }
    if (word.starts_with('-')) return helping_ ? std::vector<std::string>() : Flags();
    std::vector<std::string> verbs = place_ == 0 ? VerbsWithin(*verb_) : std::vector<std::string>();
    if (!verbs.empty()) {
      if (verb_ == &app_ && !helping_) verbs.emplace_back("help");
      return verbs;
    }
    const std::vector<const CLI::Option*> places = PlacesOf(*verb_);
    if (helping_ || places.empty()) return {};
    if (place_ < places.size()) return OffersOf(places[place_]);
    return places.back()->get_items_expected_max() > 1 ? OffersOf(places.back()) : std::vector<std::string>();
  }

 private:
  const CLI::Option* FindFlag(const std::string& flag) const {
    const CLI::Option* const own = verb_->get_option_no_throw(flag);
    return own != nullptr ? own : app_.get_option_no_throw(flag);
  }
  std::vector<std::string> OffersOf(const CLI::Option* option) const {
    const auto found = offers_.find(option);
    return found == offers_.end() ? std::vector<std::string>() : found->second;
  }
  std::vector<std::string> Flags() const {
    std::vector<std::string> flags;
    for (const CLI::App* app : {verb_, &app_}) {
      for (const CLI::Option* option : app->get_options()) {
        for (const std::string& name : option->get_lnames()) {
          if (app == verb_ || verb_->get_option_no_throw("--" + name) == nullptr) flags.push_back("--" + name);
        }
      }
      if (verb_ == &app_) break;
    }
    return flags;
  }

  const CLI::App& app_;
  const CLI::App* verb_;
  const Offers& offers_;
  const CLI::Option* awaited_ = nullptr;  // whose value is to come
  size_t place_ = 0;
  bool helping_ = false;
};

}  // namespace

std::vector<std::string> Complete(const CLI::App& app, const Offers& offers, std::vector<std::string> words) {
  if (words.empty()) words.emplace_back();
  std::string last = std::move(words.back());
  words.pop_back();
  if (last == "=") last.clear();
  Position position(app, offers);
  for (const std::string& word : words) {
    if (word != "=") position.Take(word);
  }
  std::vector<std::string> offered = position.Offered(last);
  std::erase_if(offered, [&](const std::string& word) { return word != kFileNames && !word.starts_with(last); });
  return offered;
}

std::vector<std::string> ShellNames() {
  std::vector<std::string> names;
  for (const auto& [name, script] : kScripts) names.emplace_back(name);
  return names;
}

std::string CompletionScript(std::string_view shell) {
  for (const auto& [name, script] : kScripts) {
    if (name == shell) return std::string(script);
  }
  Check(false, "a shell that has a script");
  return "";
}

}  // namespace argosy::main
