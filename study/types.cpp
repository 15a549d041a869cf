#include "study/types.h"

namespace quantspot::study {

QString taskName(Task task) { return task == Task::NameEach ? QStringLiteral("name-each") : QStringLiteral("spot"); }

std::optional<Task> taskFromName(const QString& name) {
  for (Task task : {Task::NameEach, Task::SpotOne})
    if (taskName(task) == name) return task;
  return {};
}

}  // namespace quantspot::study
