// A document as text. The same document gives the same bytes.
#pragma once

#include <string>

#include "userspace/report/document/document.h"

namespace nz::report {

/// One self-contained file: its own style and charts, light and dark by the reader's setting, fit
/// for paper. No script, nothing is loaded from elsewhere, and its own policy forbids both to what
/// should ever slip through.
std::string to_html(const Document& document);

/// CommonMark with tables; charts become tables with courses of block characters.
std::string to_markdown(const Document& document);

/// {title, subtitle, created, from, to, verdict, headline, figures, sections}; docs/reports.md.
std::string to_json(const Document& document);

/// "good", "warn", "bad", "quiet", "none"
const char* name_of(Tone tone);
/// "All well", "Look into it", "Act now", "No figures"
const char* verdict_text(Tone tone);

}  // namespace nz::report
