// QCustomPlot's header is written with Qt's keywords, which QT_NO_KEYWORDS takes away from everyone else. Only for .cpp files.
#pragma once

#define signals Q_SIGNALS
#define slots Q_SLOTS
#define emit
#define foreach Q_FOREACH
#include <qcustomplot.h>
#undef signals
#undef slots
#undef emit
#undef foreach
