#include "ui/models/ledger_thread.h"

namespace quantspot::ui {

LedgerThread::~LedgerThread() {
  worker_.post([this] { ledger_.reset(); });
}

void LedgerThread::begin(std::function<void(study::Ledger&)> body, Done done) {
  callPatiently(worker_, this, patience_, [this, body = std::move(body)] {
    try {
      if (!ledger_) ledger_ = std::make_unique<study::Ledger>(store_);
      body(*ledger_);
      if (keep_ == Keep::Nothing) ledger_.reset();
    } catch (...) {
      ledger_.reset();
      throw;
    }
  }, std::move(done));
}

}  // namespace quantspot::ui
