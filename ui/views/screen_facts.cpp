#include "ui/views/screen_facts.h"

#include <QCryptographicHash>
#include <QGuiApplication>
#include <QScreen>
#include <QWidget>

#ifdef QUANTSPOT_XCB
#include <xcb/xcb.h>

#include <cstdlib>
#include <memory>
#endif

namespace quantspot::views {
namespace {

#ifdef QUANTSPOT_XCB
template <class Reply>
using Owned = std::unique_ptr<Reply, decltype(&std::free)>;

// The root window's _ICC_PROFILE (ICC Profiles in X, 0.4): that of the first monitor.
QByteArray profile() {
  auto* x11 = qGuiApp->nativeInterface<QNativeInterface::QX11Application>();
  if (!x11 || !x11->connection()) return {};
  xcb_connection_t* connection = x11->connection();
  constexpr char kName[] = "_ICC_PROFILE";
  const Owned<xcb_intern_atom_reply_t> atom(xcb_intern_atom_reply(connection, xcb_intern_atom(connection, 1, sizeof kName - 1, kName), nullptr),
                                            &std::free);
  if (!atom || atom->atom == XCB_ATOM_NONE) return {};
  const xcb_window_t root = xcb_setup_roots_iterator(xcb_get_setup(connection)).data->root;
  const Owned<xcb_get_property_reply_t> reply(xcb_get_property_reply(connection,
      xcb_get_property(connection, 0, root, atom->atom, XCB_ATOM_ANY, 0, 1 << 20), nullptr), &std::free);
  if (!reply) return {};
  return {static_cast<const char*>(xcb_get_property_value(reply.get())), xcb_get_property_value_length(reply.get())};
}
#else
QByteArray profile() { return {}; }
#endif

}  // namespace

QJsonObject screenFacts(const QWidget& window) {
  QJsonObject facts{{"width", window.width()}, {"height", window.height()}, {"pixel_ratio", window.devicePixelRatioF()}};
  if (const QScreen* screen = window.screen()) {
    facts[QStringLiteral("logical_dpi")] = screen->logicalDotsPerInch();
    facts[QStringLiteral("physical_dpi")] = screen->physicalDotsPerInch();
    facts[QStringLiteral("refresh_hz")] = screen->refreshRate();
  }
  if (const QByteArray icc = profile(); !icc.isEmpty())
    facts[QStringLiteral("icc_sha256")] = QString::fromLatin1(QCryptographicHash::hash(icc, QCryptographicHash::Sha256).toHex());
  return facts;
}

}  // namespace quantspot::views
