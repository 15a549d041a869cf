// Where the tensors of the CPU lie: large ones in mappings of their own, which go back to the system as a whole the moment they are freed.
#pragma once

#include <cstddef>

namespace quantspot::pipeline {

// From now on torch's blocks of `wholeBlock()` bytes and more are mapped one by one, and smaller ones come from the heap as before. malloc, too, maps
// large blocks, but only when no hole of its heap will do: what a phase took then depended on the holes that the phase before had left.
// What is out of memory is a c10::OutOfMemoryError in one line. Once per process, before threads compute; calls after the first do nothing.
void placeTensors();

// How large a block must be; safe from any thread.
std::size_t wholeBlock();
void setWholeBlock(std::size_t bytes);

}  // namespace quantspot::pipeline
