// Every option of the program, declared once: a flag, an environment variable ARGOSY_… and a line of one YAML file.
// Help texts, `argosy config` and docs/guides/configuration.md follow from OptionDeclarations().
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace argosy::main {

struct Options;

enum class Secrecy { kPublic, kSecret };  // secrets have no flag (flags are seen by `ps`) and are printed masked
// A switch may be a flag without a value; a list's flag may be given more than once, commas between its values.
enum class ValueShape { kText, kSwitch, kList };

struct OptionDeclaration {
  std::string_view name;      // listen → --listen, ARGOSY_LISTEN, `listen:`
  std::string_view value;     // placeholder: HOST:PORT
  std::string_view fallback;  // default, as it would be written
  std::string_view help;      // one sentence
  std::string_view rule;      // what a value must be, read after "must be"
  Secrecy secrecy = Secrecy::kPublic;
  ValueShape shape = ValueShape::kText;
  Status (*apply)(std::string_view text, Options& options) = nullptr;
};

std::span<const OptionDeclaration> OptionDeclarations();
const OptionDeclaration* FindOption(std::string_view name);
std::string EnvironmentName(const OptionDeclaration& option);  // ARGOSY_DATA_DIR

}  // namespace argosy::main
