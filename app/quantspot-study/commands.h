// The commands of quantspot-study beside `stat`. Each returns what goes to stdout and throws study::Error or UsageError.
#pragma once

#include <QJsonObject>
#include <QString>

namespace quantspot::cli {

struct StudyArguments {
  QString store, study, passphrase_file, file, head, participant, protocol, images, out, metrics, groups, low, save_policy, pdf;
  double rate = 0, chance = 0.25, power = 0.8, alpha = 0.05, margin = 0.1;
  int trials = 0;
  bool sealed = false, overrule_gate = false;
};

QJsonObject newStudy(const StudyArguments& arguments);      // freezes a protocol and puts it into the store
QJsonObject ablation(const StudyArguments& arguments);      // a protocol over groups of layers, and the pictures that it needs
QJsonObject report(const StudyArguments& arguments);        // the report alone
QJsonObject importFile(const StudyArguments& arguments);    // a bundle, or answers as CSV (participant, trial, answer, …)
QJsonObject exportBundle(const StudyArguments& arguments);
QJsonObject closeStudy(const StudyArguments& arguments);    // nobody answers any more; what analysis and reveal need
QJsonObject verify(const StudyArguments& arguments);        // "ok": false when something is wrong
QJsonObject analyzeStudy(const StudyArguments& arguments);
QJsonObject erase(const StudyArguments& arguments);
QJsonObject status(const StudyArguments& arguments);        // how far a running study is; no scores
QJsonObject power(const StudyArguments& arguments);

}  // namespace quantspot::cli
