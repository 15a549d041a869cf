#include "ui/views/screen_facts.h"

#include <QCryptographicHash>
#include <QGuiApplication>
#include <QScreen>
#include <QWidget>

#ifdef QUANTSPOT_XCB
#include <xcb/randr.h>
#include <xcb/xcb.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#endif

namespace quantspot::views {
namespace {

#ifdef QUANTSPOT_XCB
template <class Reply>
using Owned = std::unique_ptr<Reply, decltype(&std::free)>;

// Which monitor holds the middle of the window: its number in RandR's order, which is Xinerama's. 0 where the server knows of no monitors.
int monitorOf(xcb_connection_t* connection, xcb_window_t window, xcb_window_t root) {
  const Owned<xcb_get_geometry_reply_t> size(xcb_get_geometry_reply(connection, xcb_get_geometry(connection, window), nullptr), &std::free);
  if (!size) return 0;
  const Owned<xcb_translate_coordinates_reply_t> middle(xcb_translate_coordinates_reply(connection, xcb_translate_coordinates(connection, window, root,
      static_cast<std::int16_t>(size->width / 2), static_cast<std::int16_t>(size->height / 2)), nullptr), &std::free);
  const Owned<xcb_randr_get_monitors_reply_t> monitors(
      xcb_randr_get_monitors_reply(connection, xcb_randr_get_monitors(connection, root, 1), nullptr), &std::free);
  if (!middle || !monitors) return 0;
  int number = 0;
  for (auto at = xcb_randr_get_monitors_monitors_iterator(monitors.get()); at.rem > 0; xcb_randr_monitor_info_next(&at), ++number)
    if (QRect(at.data->x, at.data->y, at.data->width, at.data->height).contains(middle->dst_x, middle->dst_y)) return number;
  return 0;
}

QByteArray rootProperty(xcb_connection_t* connection, xcb_window_t root, const QByteArray& name) {
  const Owned<xcb_intern_atom_reply_t> atom(xcb_intern_atom_reply(connection,
      xcb_intern_atom(connection, 1, static_cast<std::uint16_t>(name.size()), name.constData()), nullptr), &std::free);
  if (!atom || atom->atom == XCB_ATOM_NONE) return {};
  const Owned<xcb_get_property_reply_t> reply(xcb_get_property_reply(connection,
      xcb_get_property(connection, 0, root, atom->atom, XCB_ATOM_ANY, 0, 1 << 20), nullptr), &std::free);
  if (!reply) return {};
  return {static_cast<const char*>(xcb_get_property_value(reply.get())), xcb_get_property_value_length(reply.get())};
}

// The colour profile of the window's monitor: _ICC_PROFILE of the root window for the first, _ICC_PROFILE_n for number n (ICC Profiles in X, 0.4).
void addProfile(QJsonObject& facts, const QWidget& window) {
  auto* x11 = qGuiApp->nativeInterface<QNativeInterface::QX11Application>();
  if (!x11 || !x11->connection() || !window.testAttribute(Qt::WA_WState_Created)) return;
  xcb_connection_t* connection = x11->connection();
  const xcb_window_t root = xcb_setup_roots_iterator(xcb_get_setup(connection)).data->root;
  const int monitor = monitorOf(connection, static_cast<xcb_window_t>(window.effectiveWinId()), root);
  facts[QStringLiteral("monitor")] = monitor;
  const QByteArray icc = rootProperty(connection, root, monitor == 0 ? QByteArray("_ICC_PROFILE") : "_ICC_PROFILE_" + QByteArray::number(monitor));
  if (!icc.isEmpty())
    facts[QStringLiteral("icc_sha256")] = QString::fromLatin1(QCryptographicHash::hash(icc, QCryptographicHash::Sha256).toHex());
}
#else
void addProfile(QJsonObject&, const QWidget&) {}
#endif

}  // namespace

QJsonObject screenFacts(const QWidget& window) {
  QJsonObject facts{{"width", window.width()}, {"height", window.height()}, {"pixel_ratio", window.devicePixelRatioF()}};
  if (const QScreen* screen = window.screen()) {
    facts[QStringLiteral("logical_dpi")] = screen->logicalDotsPerInch();
    facts[QStringLiteral("physical_dpi")] = screen->physicalDotsPerInch();
    facts[QStringLiteral("refresh_hz")] = screen->refreshRate();
  }
  addProfile(facts, window);
  return facts;
}

}  // namespace quantspot::views
