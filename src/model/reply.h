// Replies in the containers' formats, written row after row.
#pragma once

#include <string>
#include <string_view>

namespace argosy::model {

// The shortest text that reads back as the same 32-bit float, as SageMaker's containers give it.
void AppendNumber(double value, std::string& out);

// Joins rows' replies as each content type wants it.
class ReplyRows {
 public:
  // `list`: what application/json calls the rows: {"<list>": […]}. All must outlive this.
  ReplyRows(std::string_view type, std::string_view list, std::string& reply);
  void Begin();   // before a row
  void End();     // behind it
  void Finish();  // behind the last one

 private:
  std::string_view type_;
  std::string& reply_;
  size_t rows_ = 0;
};

}  // namespace argosy::model
