// Whether text that is to be predicted begins with a line of column names, as files for training often do.
#pragma once

#include <cstddef>
#include <string_view>

#include "data/table_schema.h"

namespace argosy::main {

// How many bytes of `text` (the first lines of a CSV file) stand before its first row: a line of names, or none.
//
// With the schema of a model that was trained on names, the line must hold exactly them; the label's, which the schema
// does not keep, may stand in its place. Else (null, or a schema without names) it is a line without any number above
// lines that have one in some column throughout.
size_t HeaderBytes(std::string_view text, const data::TableSchema* schema);

}  // namespace argosy::main
