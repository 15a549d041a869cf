// Policies that have a name: those that come with the program, and the user's own, one JSON file each, to be exchanged.
#pragma once

#include "ui/models/policy_text.h"

#include <QObject>

namespace quantspot::ui {

struct NamedPolicy {
  QString name, family, about;        // families of models that its patterns are made for, with commas between; empty: any; about: one line for the reader
  PolicyText policy;                  // a pattern may hold {last}: the number of the last block of its kind
  bool shipped = false;
  QString file;                       // empty while it was never written
};

QByteArray toJson(const NamedPolicy& policy);
// Nothing, and one line on what is wrong with it. `precisions`: the ids that the engine knows; empty: not checked.
std::optional<NamedPolicy> policyFromJson(const QByteArray& json, const QStringList& precisions, QString* problem);

// The policy's text for a model with these layers: every {last} is a number. Patterns whose blocks the model does not have stay as they are.
QString policyFor(const NamedPolicy& policy, const QStringList& layers);
bool needsLayers(const NamedPolicy& policy);

class PolicyLibrary : public QObject {
  Q_OBJECT
 public:
  // folder: of the user's own; created when something is saved. Empty: they are kept until the end of the program.
  explicit PolicyLibrary(QString folder, QObject* parent = nullptr);

  // Shipped ones first, then the user's by name. family: only those made for it; empty: all.
  std::vector<NamedPolicy> policies(const QString& family = {}) const;
  // Both false with lastError() set. save() replaces the user's policy of that name; a shipped name is refused.
  bool save(NamedPolicy policy);
  bool remove(const QString& name);
  // The policy in this file, saved under its name; nothing with lastError() set.
  std::optional<NamedPolicy> import(const QString& path, const QStringList& precisions);
  bool exportTo(const QString& path, const NamedPolicy& policy);
  bool owns(const QString& name) const;           // a policy of this name is the user's
  QString lastError() const { return last_error_; }
  const QStringList& unreadable() const { return unreadable_; }   // one line for each file of the folder that is no policy

 Q_SIGNALS:
  void changed();

 private:
  void read();
  QString freeFile(const QString& name) const;
  bool write(const QString& path, const NamedPolicy& policy);

  QString folder_, last_error_;
  std::vector<NamedPolicy> shipped_, own_;
  QStringList unreadable_;
};

}  // namespace quantspot::ui
