// How a study's pictures came to be: what is known of it, what is not, and what of it must lie under the seal.
#pragma once

#include "study/protocol.h"

#include <QMap>

namespace quantspot::study {

// analysis.json's `attestation`: `model`, `comparisons` (how many), `facts` (each with the number of comparisons it is attested for), and `lines`,
// which say the same to readers, what is not known among it. From the protocol alone.
QJsonObject attestationFigures(const Protocol& protocol);

// Facts about single pictures (key `pictures` of StudyComparison::attested: hashes, distances from the reference) tell whoever holds a picture
// which variant it is. Takes them out of the protocol and returns them by comparison; freeze() seals them with the mapping.
QMap<QString, QJsonObject> takePictureFacts(Protocol& protocol);

}  // namespace quantspot::study
