#include "study/types.h"

namespace quantspot::study {

QString taskName(Task task) {
  return task == Task::NameEach ? QStringLiteral("name-each") : task == Task::SpotOne ? QStringLiteral("spot") : QStringLiteral("rate");
}

std::optional<Task> taskFromName(const QString& name) {
  for (Task task : {Task::NameEach, Task::SpotOne, Task::Rate})
    if (taskName(task) == name) return task;
  return {};
}

}  // namespace quantspot::study
