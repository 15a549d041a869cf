// Which layers a precision applies to: `id?skip=pattern,pattern&pattern=id2` (see README, "Policies").
//
// A pattern is a piece of the layer's full name, as in the skip lists of diffusers; "." is only a dot. `^` and `$` at its
// ends tie it to the ends of the name. A number at the end of a pattern is a whole number: "blocks.1" is not in "blocks.10".
//
// A key that is an option of the precision sets it instead: `torchao-int4wo?group=64`, `bnb-int8?threshold=0&skip=proj_out`. No
// layer is called like an option; where a piece of a name would be, `^` or a longer piece names the layer.
//
// A rule is for Linear layers. It is for convolutions, too, where the reference library gives its precision to them (fp8-layerwise,
// quanto-*, plain types); a pattern that begins with `conv:` is for convolutions alone, at any precision: `bf16?conv:down_blocks=quanto-int8`
// (nothing behind the colon means all of them).
//
// A policy speaks of the transformer or UNet. Layers of other parts have the part in front of their names ("text_encoder_2.encoder.block.0…")
// and stay in the compute type, but where a pattern that begins with text_encoder says otherwise: `bnb-nf4?text_encoder=bnb-nf4`
// quantizes all text encoders but what the reference leaves out (T5's wo). Other patterns never reach them. The autoencoder is "vae":
// `bf16?vae.decoder=quanto-int8` is for its Linear layers and its convolutions.
//
// `softmax=fp16` is no layer's rule: the softmax of the denoiser's attention reads and gives that plain type (fp16, bf16, fp32).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quantspot::quant {

enum class LayerKind { Linear, Convolution };

struct Policy {
  std::string precision;                                    // of every layer that nothing below names; with its options
  std::vector<std::string> skip;                            // layers whose name contains one of these stay in the compute type
  std::vector<std::pair<std::string, std::string>> layers;  // pattern → precision id; the last match wins

  // The id of the precision that this layer gets, the reference's default skips included. `layers` wins over both skips.
  std::string precisionOf(std::string_view layer, LayerKind kind = LayerKind::Linear) const;
  std::string textEncoderRules() const;                     // what is said of text encoders, one line; empty: nothing
  std::string softmax() const;                              // the precision of the rule "softmax"; empty: no such rule
  std::string text() const;                                 // back to the one-line form
};

// Throws std::invalid_argument with the offending part when the text or an id in it is not known.
Policy parsePolicy(std::string_view text);

// Whether the pattern is found in the name, by the rule above.
bool matchesLayer(std::string_view pattern, std::string_view layer);

}  // namespace quantspot::quant
