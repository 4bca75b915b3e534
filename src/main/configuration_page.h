// docs/guides/configuration.md, rendered from the declarations of the options.
#pragma once

#include <string>

namespace argosy::main {

std::string ConfigurationPage();

}  // namespace argosy::main
