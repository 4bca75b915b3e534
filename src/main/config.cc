// argosy config
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "main/configuration_page.h"
#include "main/format.h"
#include "main/terminal.h"
#include "main/verbs.h"

namespace argosy::main {
namespace {

std::string_view OriginName(Origin origin) {
  switch (origin) {
    case Origin::kDefault:
      return "default";
    case Origin::kFile:
      return "file";
    case Origin::kEnvironment:
      return "environment";
    case Origin::kFlag:
      return "flag";
  }
  return "default";
}

std::string Shown(const OptionInForce& one) {
  if (one.text.empty()) return "";
  return one.option->secrecy == Secrecy::kSecret ? "********" : one.text;
}

}  // namespace

int RunConfig(const Settings& settings, const ConfigArgs& args) {
  if (args.page) {
    Print(ConfigurationPage());
    return kExitOk;
  }
  if (args.form == OutputForm::kJson) {
    Json json = Json::object();
    for (const OptionInForce& one : settings.in_force) {
      json[std::string(one.option->name)] = {
          {"value", Shown(one)}, {"origin", OriginName(one.origin)}, {"where", one.where}};
    }
    PrintJson(json);
    return kExitOk;
  }
  Table table({{"OPTION"}, {"VALUE"}, {"FROM"}});
  for (const OptionInForce& one : settings.in_force) table.Add({std::string(one.option->name), Shown(one), one.where});
  Print(table.Render(OutputWidth()));
  return kExitOk;
}

}  // namespace argosy::main
