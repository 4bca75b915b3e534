#pragma once

namespace argosy::main {

// The whole program but for main() itself.
int Main(int argc, char** argv);

}  // namespace argosy::main
