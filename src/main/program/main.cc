#include "main/main.h"

int main(int argc, char** argv) {
  return argosy::main::Main(argc, argv);
}
