// For tests that measure or limit a process's memory: the address sanitizer keeps freed memory and reserves terabytes.
#pragma once

#include <QTest>

#ifdef __SANITIZE_ADDRESS__
#define SKIP_UNDER_SANITIZER() QSKIP("memory is not what it is without the address sanitizer")
#else
#define SKIP_UNDER_SANITIZER() static_cast<void>(0)
#endif
