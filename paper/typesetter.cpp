#include "paper/typesetter.h"

#include <fontconfig/fontconfig.h>
#include <hb.h>
#include <pango/pangocairo.h>
#include <pango/pangofc-font.h>

#include <cmath>
#include <cstdio>
#include <utility>

namespace quantspot::paper {
namespace {

struct FreeText {
  void operator()(char* text) const noexcept { g_free(text); }
};

PangoFontDescription* described(const Style& style) {
  PangoFontDescription* font = pango_font_description_new();
  pango_font_description_set_family_static(font, "sans-serif");
  pango_font_description_set_absolute_size(font, style.size * PANGO_SCALE);
  pango_font_description_set_weight(font, style.bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
  return font;
}

std::string codePoint(char32_t letter) {
  char text[24];
  std::snprintf(text, sizeof text, "[U+%04X]", static_cast<unsigned>(letter));
  return text;
}

template <class Body>
void eachRun(PangoLayout& layout, Body&& body) {
  PangoLayoutIter* at = pango_layout_get_iter(&layout);
  do {
    if (const PangoLayoutRun* run = pango_layout_iter_get_run_readonly(at)) body(*run);
  } while (pango_layout_iter_next_run(at));
  pango_layout_iter_free(at);
}

// Name and version of the font's file.
std::string nameOf(PangoFont* font) {
  if (!PANGO_IS_FC_FONT(font)) return "unknown font";
  FcPattern* pattern = pango_fc_font_get_pattern(PANGO_FC_FONT(font));
  FcChar8* name = nullptr;
  int version = 0;
  if (FcPatternGetString(pattern, FC_FULLNAME, 0, &name) != FcResultMatch) FcPatternGetString(pattern, FC_FAMILY, 0, &name);
  FcPatternGetInteger(pattern, FC_FONTVERSION, 0, &version);
  char text[32];
  std::snprintf(text, sizeof text, " %.3f", version / 65536.0);
  return (name ? reinterpret_cast<const char*>(name) : "unnamed font") + std::string(text);
}

}  // namespace

void LayoutDelete::operator()(PangoLayout* layout) const noexcept { g_object_unref(layout); }

Typesetter::Typesetter() : context_(pango_font_map_create_context(pango_cairo_font_map_get_default())) {
  pango_cairo_context_set_resolution(context_, 72);
  pango_context_set_round_glyph_positions(context_, false);
  pango_context_set_language(context_, pango_language_from_string("en"));   // and not that of whoever runs the program
  cairo_font_options_t* plain = cairo_font_options_create();
  cairo_font_options_set_hint_style(plain, CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics(plain, CAIRO_HINT_METRICS_OFF);
  cairo_font_options_set_antialias(plain, CAIRO_ANTIALIAS_GRAY);
  pango_cairo_context_set_font_options(context_, plain);
  cairo_font_options_destroy(plain);
}

Typesetter::~Typesetter() { g_object_unref(context_); }

Layout Typesetter::layout(std::string_view utf8, const Style& style, double width) {
  const std::unique_ptr<char, FreeText> valid(g_utf8_make_valid(utf8.data(), static_cast<gssize>(utf8.size())));
  Layout layout(pango_layout_new(context_));
  PangoFontDescription* font = described(style);
  pango_layout_set_font_description(layout.get(), font);
  pango_font_description_free(font);
  pango_layout_set_wrap(layout.get(), PANGO_WRAP_WORD_CHAR);
  if (width > 0) pango_layout_set_width(layout.get(), static_cast<int>(std::lround(width * PANGO_SCALE)));
  else pango_layout_set_single_paragraph_mode(layout.get(), true);
  pango_layout_set_text(layout.get(), valid.get(), -1);
  if (pango_layout_get_unknown_glyphs_count(layout.get()) > 0) {
    const std::string text = withoutMissing(valid.get(), *layout);
    pango_layout_set_text(layout.get(), text.c_str(), -1);
  }
  remember(*layout);
  return layout;
}

double Typesetter::width(std::string_view utf8, const Style& style) {
  int width = 0;
  pango_layout_get_size(layout(utf8, style).get(), &width, nullptr);
  return static_cast<double>(width) / PANGO_SCALE;
}

std::string Typesetter::withoutMissing(std::string text, PangoLayout& layout) {
  std::set<std::size_t> places;   // of clusters without a glyph
  eachRun(layout, [&](const PangoLayoutRun& run) {
    for (int i = 0; i < run.glyphs->num_glyphs; ++i)
      if (run.glyphs->glyphs[i].glyph & PANGO_GLYPH_UNKNOWN_FLAG)
        places.insert(static_cast<std::size_t>(run.item->offset + run.glyphs->log_clusters[i]));
  });
  for (auto place = places.rbegin(); place != places.rend(); ++place) {
    const char* const at = text.c_str() + *place;
    const char32_t letter = g_utf8_get_char(at);
    missing_.insert(letter);
    text.replace(*place, static_cast<std::size_t>(g_utf8_next_char(at) - at), codePoint(letter));
  }
  return text;
}

void Typesetter::remember(PangoLayout& layout) {
  eachRun(layout, [&](const PangoLayoutRun& run) { fonts_.insert(nameOf(run.item->analysis.font)); });
}

std::string Typesetter::setWith() const {
  std::string all = std::string("cairo ") + cairo_version_string() + ", pango " + pango_version_string() + ", harfbuzz " + hb_version_string();
  const char* before = "; ";
  for (const std::string& font : fonts_) all += std::exchange(before, ", ") + font;
  return all;
}

}  // namespace quantspot::paper
