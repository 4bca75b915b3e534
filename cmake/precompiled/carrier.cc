// Carries the precompiled headers; see targets.cmake.
